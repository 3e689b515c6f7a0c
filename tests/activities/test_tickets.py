"""A ticket as a workflow may know it: verified against account, number and chain, without its contact data."""

from typing import Any

import pytest

from activities.notifications import NotificationActivities
from activities.tickets import ReadTicketInput, ReadTicketResult, TicketActivities
from domain.accounts import RealNameType
from domain.actors import Actor, Via
from domain.deletion import NoticeAcceptance
from domain.errors import ErrorType
from domain.locale import Locale
from domain.notices import CURRENT_NOTICE
from domain.notifications import Notification, StaffDesk, Template
from domain.tickets import (
    BalanceChoice,
    BalanceWish,
    MissingPart,
    Statement,
    TicketForm,
    TicketNeeds,
    TicketRef,
)
from gateways.contract import Accepted, StaffContact, TicketContact
from gateways.errors import GatewayError
from gateways.vault import ObjectVault
from tests.activities.papers import ACCOUNT, AT, platform, vault

NOTICE = CURRENT_NOTICE[Locale.EN]
NEEDS = TicketNeeds(statement=True, letter=False, balance_fen=100)
FORM = TicketForm(
    ticket_no="T-1",
    revision=1,
    account_id=ACCOUNT,
    real_name_type=RealNameType.INDIVIDUAL,
    contact_email="owner@example.com",
    contact_phone="+8613800138000",
    statement=Statement(notice_version=NOTICE.version, notice_sha256=NOTICE.sha256),
    letter=None,
    balance=BalanceChoice(wish=BalanceWish.RETURN, amount_fen=100),
    report_digest="d" * 64,
    filed_by="person-2",
    filed_via=Via.COMMAND_LINE,
    filed_at=AT,
)


async def keep(records: ObjectVault, form: TicketForm, place: TicketRef | None = None) -> TicketRef:
    """Store a form, in its own place or in another's, and answer the reference under which it lies there."""
    place = place or TicketRef(ticket_no=form.ticket_no, revision=form.revision, sha256=form.content_sha256())
    stored = await records.put_evidence(place.record.path, form)
    return place.model_copy(update={"sha256": stored.sha256})


def reading(ticket: TicketRef, **changes: Any) -> ReadTicketInput:
    whole = ReadTicketInput(
        account_id=ACCOUNT, real_name_type=RealNameType.INDIVIDUAL, ticket=ticket, needs=NEEDS, revises=None, at=AT
    )
    return whole.model_copy(update=changes)


async def refused(records: ObjectVault, input: ReadTicketInput) -> ErrorType:
    with pytest.raises(GatewayError) as caught:
        await TicketActivities(records).read_ticket(input)
    assert not caught.value.retryable
    assert "owner@" not in str(caught.value)
    return caught.value.type


async def test_a_ticket_says_who_filed_it_what_was_shown_and_what_was_accepted_and_no_contact() -> None:
    records = vault()
    ticket = await keep(records, FORM)
    facts = await TicketActivities(records).read_ticket(reading(ticket))
    assert facts == ReadTicketResult(
        ticket=ticket,
        missing=(),
        acceptance=NoticeAcceptance(
            version=NOTICE.version,
            sha256=NOTICE.sha256,
            accepted_at=AT,
            by=Actor(subject="person-2", via=Via.COMMAND_LINE),
        ),
        balance=FORM.balance,
        report_digest="d" * 64,
        filed_by="person-2",
    )
    assert "owner@" not in facts.model_dump_json()
    assert "138" not in facts.model_dump_json()


async def test_what_a_ticket_lacks_is_told_and_is_no_error() -> None:
    records = vault()
    ticket = await keep(records, FORM.model_copy(update={"statement": None, "balance": None}))
    facts = await TicketActivities(records).read_ticket(reading(ticket))
    assert facts.missing == (MissingPart.STATEMENT, MissingPart.BALANCE_CHOICE)
    assert facts.acceptance is None


@pytest.mark.parametrize(
    "change",
    [{"account_id": "acc-2"}, {"real_name_type": RealNameType.ENTERPRISE}, {"ticket_no": "T-2"}, {"revision": 2}],
    ids=lambda change: next(iter(change)),
)
async def test_a_form_of_another_account_type_number_or_revision_is_a_mismatch(change: dict[str, Any]) -> None:
    records = vault()
    ticket = await keep(
        records, FORM.model_copy(update=change), TicketRef(ticket_no="T-1", revision=1, sha256="a" * 64)
    )
    assert await refused(records, reading(ticket)) is ErrorType.TICKET_MISMATCH


@pytest.mark.parametrize("statement", [("2020-01", NOTICE.sha256), (NOTICE.version, "f" * 64)])
async def test_a_statement_about_a_notice_that_is_not_in_force_is_stale(statement: tuple[str, str]) -> None:
    records = vault()
    version, sha256 = statement
    stale = FORM.model_copy(update={"statement": Statement(notice_version=version, notice_sha256=sha256)})
    assert await refused(records, reading(await keep(records, stale))) is ErrorType.STALE_NOTICE


async def test_a_form_that_is_missing_or_changed_is_an_error_of_the_vault() -> None:
    records = vault()
    ticket = await keep(records, FORM)
    changed, missing = (ticket.model_copy(update=change) for change in ({"sha256": "f" * 64}, {"revision": 7}))
    assert await refused(records, reading(changed)) is ErrorType.VAULT_RECORD_CHANGED
    assert await refused(records, reading(missing)) is ErrorType.VAULT_RECORD_MISSING


async def test_a_revision_follows_the_one_before_and_may_leave_numbers_out() -> None:
    records = vault()
    first = await keep(records, FORM)
    for revision in (2, 9):
        following = FORM.model_copy(update={"revision": revision, "previous_sha256": first.sha256})
        ticket = await keep(records, following)
        facts = await TicketActivities(records).read_ticket(reading(ticket, revises=first))
        assert facts.ticket == ticket


@pytest.mark.parametrize(
    "change",
    [
        {"revision": 2, "previous_sha256": None},
        {"revision": 2, "previous_sha256": "f" * 64},
        {"revision": 1, "previous_sha256": FORM.content_sha256()},
        {"ticket_no": "T-2", "revision": 2, "previous_sha256": FORM.content_sha256()},
    ],
    ids=["no chain", "another chain", "no later number", "another ticket"],
)
async def test_a_revision_that_does_not_follow_is_a_mismatch(change: dict[str, Any]) -> None:
    records = vault()
    # Alone in the vault: a reference is judged by what it says.
    ticket = await keep(records, FORM.model_copy(update=change))
    first = TicketRef(ticket_no="T-1", revision=1, sha256=FORM.content_sha256())
    assert await refused(records, reading(ticket, revises=first)) is ErrorType.TICKET_MISMATCH


# --- messages ---


async def test_a_message_goes_to_its_one_recipient_under_its_own_key() -> None:
    records = vault()
    ticket = await keep(records, FORM)
    recipients: list[tuple[dict[str, Any], str, object]] = [
        ({"account_id": ACCOUNT}, "notify_account", None),
        ({"ticket": ticket}, "notify_contact", TicketContact(email="owner@example.com", phone="+8613800138000")),
        ({"desk": StaffDesk.OPERATIONS}, "notify_contact", StaffContact(desk=StaffDesk.OPERATIONS)),
    ]
    for recipient, method, contact in recipients:
        stub = platform(notify_account=Accepted(delivered=2), notify_contact=Accepted(delivered=2))
        message = Notification(
            template=Template.TICKET_FILED, locale=Locale.EN, key="key-1", params={"ticket_no": "T-1"}, **recipient
        )
        assert (await NotificationActivities(stub.platform, records).notify(message)).count == 2
        [(called, arguments)] = stub.calls
        assert called == method
        assert arguments[-1] == "key-1"
        sent = arguments[-2]
        assert (sent.template, sent.locale, sent.params) == (Template.TICKET_FILED, Locale.EN, {"ticket_no": "T-1"})
        assert getattr(sent, "contact", None) == contact
