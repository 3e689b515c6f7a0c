"""Messages, rendered and handed to carriers. The carriers are pretended: what would have gone out is in the outbox."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Header
from sqlalchemy import Connection, bindparam, insert, select

from domain.errors import ErrorType
from domain.locale import Locale
from domain.notifications import StaffDesk, Template
from gateways.contract import (
    Accepted,
    AccountNotification,
    ContactNotification,
    Group,
    StaffContact,
    TicketContact,
)
from sandbox.database import utc_now
from sandbox.facts import verified_contact
from sandbox.faults import FaultyRoute
from sandbox.kinds import Carrier, Effect, Endpoint, PersonalKind
from sandbox.openapi import ACCOUNT_PROBLEMS, COMMON_PROBLEMS, problems
from sandbox.state import AccountId, Platform, lock_account, lock_contacts
from sandbox.tables import OutboxRow, PersonalDataRow
from sandbox.templates import printable, render

router = APIRouter(route_class=FaultyRoute, tags=[Group.MESSAGING])

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Names the request: the same key again gets the first answer again, and nothing is done twice.",
    ),
]

_CARRIERS = {PersonalKind.PHONE: Carrier.SMS, PersonalKind.EMAIL: Carrier.EMAIL}


_CONTACTS = select(PersonalDataRow.kind, PersonalDataRow.value).where(
    PersonalDataRow.account_id == bindparam("account_id"), verified_contact()
)
_SEND = insert(OutboxRow)


@dataclass(frozen=True)
class Message:
    template: Template
    locale: Locale
    params: dict[str, str]


@router.post(
    "/accounts/{account_id}/notifications",
    name=Endpoint.NOTIFY_ACCOUNT,
    responses=problems(*ACCOUNT_PROBLEMS, ErrorType.IDEMPOTENCY_CONFLICT),
)
async def notify_account(
    account_id: AccountId, notification: AccountNotification, idempotency_key: IdempotencyKey, platform: Platform
) -> Accepted:
    """Tell the account's owner, at every verified contact. None left, none told: `delivered` is then 0."""
    with platform.write() as tx:
        lock_account(tx, account_id)

        def send() -> tuple[Accepted, Effect]:
            contacts = {row.kind: row.value for row in tx.execute(_CONTACTS, {"account_id": account_id})}
            message = Message(notification.template, notification.locale, notification.params)
            hand_to_carrier(tx, message, contacts, account_id=account_id)
            return Accepted(delivered=len(contacts)), Effect.APPLIED

        return platform.once(tx, Endpoint.NOTIFY_ACCOUNT, account_id, idempotency_key, notification, Accepted, send)


@router.post(
    "/notifications",
    name=Endpoint.NOTIFY_CONTACT,
    responses=problems(*COMMON_PROBLEMS, ErrorType.IDEMPOTENCY_CONFLICT),
)
async def notify_contact(
    notification: ContactNotification, idempotency_key: IdempotencyKey, platform: Platform
) -> Accepted:
    """Tell the contact that a ticket names, by SMS and by e-mail, or a desk of the platform's own staff."""
    with platform.write() as tx:
        lock_contacts(tx)

        def send() -> tuple[Accepted, Effect]:
            message = Message(notification.template, notification.locale, notification.params)
            match notification.contact:
                case StaffContact(desk=desk):
                    hand_to_carrier(tx, message, {}, desk=desk)
                    return Accepted(delivered=1), Effect.APPLIED
                case TicketContact(email=email, phone=phone):
                    contacts = {PersonalKind.PHONE: phone, PersonalKind.EMAIL: email}
                    hand_to_carrier(tx, message, contacts)
                    return Accepted(delivered=len(contacts)), Effect.APPLIED

        return platform.once(tx, Endpoint.NOTIFY_CONTACT, None, idempotency_key, notification, Accepted, send)


def hand_to_carrier(
    tx: Connection,
    message: Message,
    contacts: Mapping[PersonalKind, str],
    *,
    account_id: str | None = None,
    desk: StaffDesk | None = None,
) -> None:
    """Put the rendered message in the outbox, once for each contact, or once for the desk."""
    subject, text = render(message.template, message.locale, message.params)
    ways: list[tuple[Carrier, str | None]] = [
        (_CARRIERS[kind], printable(address)) for kind, address in contacts.items()
    ]
    if desk is not None:
        ways.append((Carrier.DESK, None))
    messages = [
        {
            "at": utc_now(),
            "account_id": account_id,
            "carrier": carrier,
            "destination": destination,
            "desk": desk,
            "template": message.template,
            "locale": message.locale,
            "params": message.params,
            "subject": subject,
            "text": text,
        }
        for carrier, destination in ways
    ]
    if messages:
        tx.execute(_SEND, messages)
