"""Messages by template, once for each key, to whom they are for."""

import asyncio
from string import Formatter
from uuid import uuid4

import pytest
from httpx2 import AsyncClient

from domain.errors import ErrorType
from domain.locale import Locale
from domain.notifications import Template
from domain.tickets import DecisionReason
from simulator.kinds import Effect, Endpoint
from simulator.messaging import REASONS, TEMPLATES, render
from simulator.store import SimulatorStore
from tests.simulator.conftest import Caller, assert_problem, at_once


async def test_every_verified_contact_is_told(call: Caller, store: SimulatorStore, account: str) -> None:
    assert (await call.notify(account)).json() == {"delivered": 2}
    messages = await store.outbox(account)
    assert {message.carrier for message in messages} == {"SMS", "EMAIL"}
    assert all("no-1" in message.text for message in messages)
    assert all(message.destination for message in messages)


async def test_an_account_without_contacts_is_told_nothing(call: Caller) -> None:
    assert (await call.notify("acct-no-channel", f"k-{uuid4()}")).json() == {"delivered": 0}
    assert_problem(await call.notify("acct-nobody"), ErrorType.ACCOUNT_UNKNOWN)


async def test_the_same_key_sends_one_message_however_often_it_comes(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    answers = await at_once(*(call.notify(account, "same") for _ in range(5)))
    assert {answer.content for answer in answers} == {b'{"delivered":2}'}
    assert len(await store.outbox(account)) == 2
    effects = sorted(c.effect for c in await store.calls(Endpoint.NOTIFY_ACCOUNT, account))
    assert effects == [Effect.APPLIED, *[Effect.REPLAYED] * 4]


async def test_the_same_key_with_another_message_is_a_conflict(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    await call.notify(account, "same")
    assert_problem(await call.notify(account, "same", locale="zh-CN"), ErrorType.IDEMPOTENCY_CONFLICT)
    assert len(await store.outbox(account)) == 2


async def test_one_key_is_good_for_each_account_once(call: Caller, store: SimulatorStore, account: str) -> None:
    [other] = await store.add_clean_accounts(f"{account}-x", 1)
    for account_id in (account, other):
        await call.notify(account_id, "same")
        assert len(await store.outbox(account_id)) == 2


async def test_a_tickets_contact_is_told_by_sms_and_by_email_once(call: Caller, store: SimulatorStore) -> None:
    key = f"ticket-{uuid4()}"
    contact = {"kind": "ticket", "email": f"{key}@example.com", "phone": "13900000000"}
    body = {"params": {"ticket_no": key}}
    answers = await asyncio.gather(*(call.notify_contact(contact, key, **body) for _ in range(4)))
    assert {answer.content for answer in answers} == {b'{"delivered":2}'}
    sent = [m for m in await store.outbox() if m.params.get("ticket_no") == key]
    assert [(m.carrier, m.destination, m.account_id) for m in sent] == [
        ("SMS", "13900000000", None),
        ("EMAIL", f"{key}@example.com", None),
    ]


@pytest.mark.parametrize("desk", ["AGENTS", "DUTY_LEAD", "OPERATIONS"])
async def test_a_desk_is_told_without_an_address(call: Caller, store: SimulatorStore, desk: str) -> None:
    key = f"desk-{uuid4()}"
    body = {"template": "TICKET_CEILING_ALARM", "params": {"ticket_no": key}}
    assert (await call.notify_contact({"kind": "staff", "desk": desk}, key, **body)).json() == {"delivered": 1}
    [message] = [m for m in await store.outbox() if m.params.get("ticket_no") == key]
    assert (message.carrier, message.desk, message.destination) == ("DESK", desk, None)


@pytest.mark.parametrize(
    "contact",
    [
        {"kind": "pigeon"},
        {"kind": "staff", "desk": "CANTEEN"},
        {"kind": "ticket", "email": "x@example.com"},
    ],
)
async def test_a_contact_of_no_known_kind_is_invalid(call: Caller, contact: dict[str, str]) -> None:
    assert_problem(await call.notify_contact(contact, "k"), ErrorType.REQUEST_INVALID)


async def test_a_message_without_a_key_or_of_an_unknown_template_is_invalid(
    call: Caller, http: AsyncClient, account: str
) -> None:
    body = {"template": "ACCOUNT_CLOSED", "locale": "en", "params": {}}
    assert_problem(await http.post(f"/accounts/{account}/notifications", json=body), ErrorType.REQUEST_INVALID)
    assert_problem(await call.notify(account, template="HELLO"), ErrorType.REQUEST_INVALID)


async def test_a_preview_is_word_for_word_what_is_sent_and_sends_nothing(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    params = {"ticket_no": account, "reasons": "DISPUTE_OPEN,LEGAL_HOLD"}
    answer = await call.preview("TICKET_REJECTED", **params)
    assert answer.status_code == 200
    assert await store.outbox(account) == []
    assert [one for one in await store.outbox() if account in one.text] == []
    assert await store.calls(Endpoint.PREVIEW_NOTIFICATION) == []
    for locale in Locale:
        await call.notify(account, f"k-{locale}", template="TICKET_REJECTED", locale=locale, params=params)
        sent = (await store.outbox(account))[-1]
        assert answer.json()["texts"][locale] == {"subject": sent.subject, "text": sent.text}


async def test_a_preview_of_an_unknown_template_or_with_a_contact_is_invalid(call: Caller, http: AsyncClient) -> None:
    assert_problem(await call.preview("HELLO"), ErrorType.REQUEST_INVALID)
    body = {"template": "TICKET_FILED", "params": {}, "contact": {"kind": "staff", "desk": "AGENTS"}}
    assert_problem(await http.post("/notifications/preview", json=body), ErrorType.REQUEST_INVALID)


def test_reasons_are_put_into_words_and_an_unknown_code_stays_as_it_is() -> None:
    reasons = f"{DecisionReason.DISPUTE_OPEN},UNHEARD_OF"
    assert "存在未了结的纠纷、UNHEARD_OF。" in render(Template.TICKET_REJECTED, Locale.ZH, {"reasons": reasons}).text
    assert "a dispute is open, UNHEARD_OF." in render(Template.TICKET_REJECTED, Locale.EN, {"reasons": reasons}).text


@pytest.mark.parametrize("reason", DecisionReason)
def test_every_reason_has_words_in_both_languages(reason: DecisionReason) -> None:
    assert all(REASONS[reason][locale] for locale in Locale)


@pytest.mark.parametrize("template", Template)
def test_a_template_says_the_same_in_both_languages_with_the_same_parameters(template: Template) -> None:
    fields = {}
    for locale in Locale:
        subject, text = TEMPLATES[template][locale]
        assert subject
        fields[locale] = {name for _, name, _, _ in Formatter().parse(text) if name}
    assert fields[Locale.ZH] == fields[Locale.EN] != set()


@pytest.mark.parametrize("template", Template)
@pytest.mark.parametrize("locale", Locale)
def test_a_missing_parameter_reads_as_a_dash(template: Template, locale: Locale) -> None:
    text = render(template, locale, {"unheard_of": "x"}).text
    assert "-" in text
    assert "{" not in text


def test_a_parameter_cannot_break_the_line_or_be_a_template_itself() -> None:
    text = render(Template.TICKET_FILED, Locale.EN, {"ticket_no": "a\r\nb{due_at}\x00", "due_at": "soon"}).text
    assert "a  b{due_at} " in text
