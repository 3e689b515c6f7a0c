"""Messages, worded by `templates.toml` and handed to carriers, which are pretended: what went out is in the outbox."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from fastapi import Header
from pydantic import TypeAdapter

from domain.accounts import Channel
from domain.locale import Locale
from domain.notifications import StaffDesk, Template
from gateways.contract import (
    Accepted,
    AccountNotification,
    ContactNotification,
    Group,
    MessageText,
    NotificationPreview,
    PreviewRequest,
    StaffContact,
    TicketContact,
)
from simulator.database import utc_now
from simulator.facts import contacts
from simulator.kinds import Carrier
from simulator.operations import Operations
from simulator.state import AccountId, Simulator

router = Operations(tags=[Group.MESSAGING])

_FILE = tomllib.loads((Path(__file__).parent / "templates.toml").read_text())
TEMPLATES = TypeAdapter(dict[Template, dict[Locale, tuple[str, str]]]).validate_python(_FILE["templates"])
REASONS = TypeAdapter(dict[str, dict[Locale, str]]).validate_python(_FILE["reasons"])
_BETWEEN_REASONS = {Locale.ZH: "、", Locale.EN: ", "}

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

_CARRIERS = {Channel.PHONE: Carrier.SMS, Channel.EMAIL: Carrier.EMAIL}


@router.operation("POST", "/accounts/{account_id}/notifications", once=True)
def notify_account(
    account_id: AccountId, request: AccountNotification, idempotency_key: IdempotencyKey, platform: Simulator
) -> Accepted:
    """Tell the account's owner, at every verified contact. None left, none told: `delivered` is then 0."""
    platform.account(account_id)
    return hand_to_carrier(platform, request, contacts(platform, account_id), account_id=account_id)


@router.operation("POST", "/notifications", once=True)
def notify_contact(request: ContactNotification, idempotency_key: IdempotencyKey, platform: Simulator) -> Accepted:
    """Tell the contact that a ticket names, by SMS and by e-mail, or a desk of the platform's own staff."""
    match request.contact:
        case StaffContact(desk=desk):
            return hand_to_carrier(platform, request, {}, desk=desk)
        case TicketContact(email=email, phone=phone):
            return hand_to_carrier(platform, request, {Channel.PHONE: phone, Channel.EMAIL: email})


@router.operation("POST", "/notifications/preview")
def preview_notification(request: PreviewRequest, platform: Simulator) -> NotificationPreview:
    """The words in which a message would go out, in every language. Nothing is sent, and nothing kept."""
    return NotificationPreview(texts={locale: render(request.template, locale, request.params) for locale in Locale})


def hand_to_carrier(
    platform: Simulator,
    message: AccountNotification | ContactNotification,
    addresses: Mapping[Channel, str],
    *,
    account_id: str | None = None,
    desk: StaffDesk | None = None,
) -> Accepted:
    """Put the rendered message in the outbox, once for each address, or once for the desk."""
    ways: dict[Carrier, str | None] = {_CARRIERS[channel]: printable(to) for channel, to in addresses.items()}
    if desk is not None:
        ways[Carrier.DESK] = None
    every = {
        "at": utc_now(),
        "account_id": account_id,
        "desk": desk,
        "template": message.template,
        "locale": message.locale,
        "params": json.dumps(message.params),
        **render(message.template, message.locale, message.params).model_dump(),
    }
    platform.db.insert("outbox", *(every | {"carrier": carrier, "destination": to} for carrier, to in ways.items()))
    return Accepted(delivered=len(ways))


class _Params(dict[str, str]):
    def __missing__(self, _name: str) -> str:
        return "-"


def render(template: Template, locale: Locale, params: Mapping[str, str]) -> MessageText:
    """A template in one language, filled in; the codes of reasons in words."""
    words = _Params((name, printable(value)) for name, value in params.items())
    if "reasons" in words:
        reasons = (REASONS.get(code, {}).get(locale, code) for code in words["reasons"].split(","))
        words["reasons"] = _BETWEEN_REASONS[locale].join(reasons)
    subject, text = TEMPLATES[template][locale]
    return MessageText(subject=subject, text=text.format_map(words))


def printable(text: str) -> str:
    """One line: control characters become blanks."""
    return "".join(c if c.isprintable() else " " for c in text)
