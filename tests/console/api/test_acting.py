"""Who takes a step through the API, for whom, and what a repeat of it is."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from temporalio.client import WorkflowHandle

from console.auth.roles import Role
from domain.actors import Actor, Via
from domain.checks import Check
from domain.deletion import Dossier, dossiers_of
from domain.errors import ErrorType
from domain.locale import Locale
from domain.notices import CURRENT_NOTICE
from domain.notifications import Template
from domain.phases import Phase, Step
from domain.standing import RunEnd
from domain.tickets import BalanceWish, DecisionKind, IgnoredBecause, MissingPart
from tests.console.api.conftest import Api, refused
from tests.console.api.test_tickets import FORM, NOTHING, STATED, decide, file, looked_at
from tests.support.service import eventually
from tests.support.tickets import awaiting_confirmation, awaiting_identity, blocked, under_review

NOTICE = CURRENT_NOTICE[Locale.EN]
FOR = {"On-Behalf-Of": "user-42"}


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


async def step(api: Api, account: str, name: str, body: Any = None, **headers: str) -> httpx2.Response:
    return await api.backend.post(f"/cancellations/{account}/{name}", json=body, headers=headers)


async def identified(api: Api, **headers: str) -> str:
    """At the notice, by somebody's code."""
    account = await api.service.account()
    await api.start(account)
    await step(api, account, "code", {"channel": "PHONE"}, **headers)
    code = await api.service.store.latest_code(account)
    assert (await step(api, account, "code/answer", {"code": code}, **headers)).status_code == 200
    return account


async def checked(api: Api, **headers: str) -> tuple[str, str]:
    """Ready for the last word: the account, and the report's digest."""
    account = await identified(api, **headers)
    await step(api, account, "notice", {"version": NOTICE.version, "sha256": NOTICE.sha256}, **headers)
    report = (await step(api, account, "recheck", **headers)).json()["report"]
    return account, report["digest"]


async def test_every_step_is_kept_with_whom_it_was_taken_for(api: Api) -> None:
    account, digest = await checked(api, **FOR)
    assert (await step(api, account, "confirmation", {"report_digest": digest}, **FOR)).status_code == 200
    await api.service.in_phase(account, Phase.CLOSED)
    [path] = await api.service.vault.list(dossiers_of(account))
    found = await api.service.vault.find(path, Dossier)
    assert found is not None
    dossier = found[0]
    assert dossier.confirmation is not None
    by = {dossier.identity.by, dossier.notice.by, dossier.confirmation.by}
    assert by == {Actor(subject="user-42", via=Via.API)}


async def test_without_the_header_it_is_the_tokens_subject(api: Api) -> None:
    account = await blocked(api.service)
    ticket = (await file(api, account, STATED)).json()["review"]["ticket"]
    form = (await api.agent.get(f"/tickets/{ticket['ticket_no']}")).json()["form"]
    assert (form["filed_by"], form["filed_via"]) == (api_subject(), Via.API)
    account = await blocked(api.service)
    ticket = (await file(api, account, STATED, None, **FOR)).json()["review"]["ticket"]
    form = (await api.agent.get(f"/tickets/{ticket['ticket_no']}")).json()["form"]
    assert (form["filed_by"], form["filed_via"]) == ("user-42", Via.API)


def api_subject() -> str:
    return f"{Role.BACKEND}-1"


async def test_a_start_says_that_it_came_through_the_api(api: Api) -> None:
    account = await api.service.account()
    await api.start(account)
    handle: WorkflowHandle[Any, Any] = api.service.request(account)
    [begun] = [
        e async for e in handle.fetch_history_events() if e.HasField("workflow_execution_started_event_attributes")
    ]
    assert b'"requested_via":"API"' in begun.workflow_execution_started_event_attributes.input.payloads[0].data


@pytest.mark.parametrize("subject", ["", "zhang.san@example.com", "a b", "x" * 65])
async def test_whom_a_step_is_for_is_an_opaque_id(subject: str, api: Api) -> None:
    account = await awaiting_identity(api.service)
    answer = await step(api, account, "code", {"channel": "PHONE"}, **{"On-Behalf-Of": subject})
    refused(answer, ErrorType.BAD_INPUT)
    assert not subject or subject not in answer.text


async def test_the_last_word_is_for_who_proved_identity(api: Api) -> None:
    account, digest = await checked(api, **FOR)
    body = {"report_digest": digest}
    problem = refused(
        await step(api, account, "confirmation", body, **{"On-Behalf-Of": "user-43"}), ErrorType.IDENTITY_STALE
    )
    assert (problem["phase"], problem["due_step"]) == (Phase.AWAITING_IDENTITY, Step.SEND_CODE)


# Keys


async def test_a_code_that_is_asked_for_again_under_its_key_is_sent_once(api: Api) -> None:
    account, same = await awaiting_identity(api.service), key()
    first = await step(api, account, "code", {"channel": "PHONE"}, **same)
    again = await step(api, account, "code", {"channel": "PHONE"}, **same)
    assert first.json()["challenge"] == again.json()["challenge"]
    sent = [m for m in await api.service.store.outbox(account) if m.template is Template.IDENTITY_CODE]
    assert len(sent) == 1
    refused(await step(api, account, "code", {"channel": "PHONE"}, **key()), ErrorType.RESEND_TOO_SOON)


async def test_steps_that_are_repeated_under_their_keys_get_their_first_answers(api: Api) -> None:
    account = await awaiting_identity(api.service)
    await step(api, account, "code", {"channel": "PHONE"})
    code = await api.service.store.latest_code(account)
    accepted = {"version": NOTICE.version, "sha256": NOTICE.sha256}
    for name, body in (("code/answer", {"code": code}), ("notice", accepted), ("recheck", None), ("withdrawal", {})):
        same = key()
        first = await step(api, account, name, body, **same)
        assert first.status_code == 200, name
        assert (await step(api, account, name, body, **same)).json() == first.json(), name


async def test_a_ticket_that_is_filed_again_under_its_key_is_filed_once(api: Api) -> None:
    account, same = await blocked(api.service), key()
    before = set(await api.service.vault.list("tickets"))
    answers = await asyncio.gather(*(file(api, account, STATED, None, **same) for _ in range(3)))
    answers.append(await file(api, account, STATED, None, **same))
    assert {answer.status_code for answer in answers} == {200}
    numbers = {answer.json()["review"]["ticket"]["ticket_no"] for answer in answers}
    assert len(numbers) == 1
    assert set(await api.service.vault.list("tickets")) - before == {f"tickets/{numbers.pop()}/r1.json"}


async def test_a_key_is_its_programs_own(api: Api) -> None:
    account, same = await awaiting_identity(api.service), key()
    await step(api, account, "code", {"channel": "PHONE"}, **same)
    async with api.client(Role.BACKEND, "another-program") as other:
        answer = await other.post(f"/cancellations/{account}/code", json={"channel": "PHONE"}, headers=same)
    refused(answer, ErrorType.RESEND_TOO_SOON)


# Tickets


async def test_a_ticket_is_about_the_report_that_was_shown(api: Api) -> None:
    account = await blocked(api.service)
    before = await api.service.vault.list("tickets")
    refused(await file(api, account, {**STATED, "report_digest": "0" * 64}), ErrorType.STALE_REPORT)
    files = [(name, (None, value)) for name, value in STATED.items()]
    answer = await api.backend.post(f"/cancellations/{account}/tickets", files=files)
    assert refused(answer, ErrorType.BAD_INPUT)["errors"][0]["at"] == "body.report_digest"
    assert await api.service.vault.list("tickets") == before


async def test_money_needs_a_word_about_the_sum_that_was_shown(api: Api) -> None:
    account = await blocked(api.service, available_fen=500)
    needs = (await api.backend.get(f"/cancellations/{account}")).json()["ticket_needs"]
    assert needs == {"statement": True, "letter": False, "balance_fen": 500}
    before = await api.service.vault.list("tickets")
    for word in ({}, {"balance": "RETURN", "balance_fen": "499"}):
        problem = refused(await file(api, account, STATED | word), ErrorType.TICKET_INCOMPLETE)
        assert problem["missing"] == [MissingPart.BALANCE_CHOICE]
    for half in ({"balance": "RETURN"}, {"balance_fen": "500"}, {"balance": "KEEP", "balance_fen": "500"}):
        refused(await file(api, account, STATED | half), ErrorType.BAD_INPUT)
    assert await api.service.vault.list("tickets") == before
    filed = await file(api, account, STATED | {"balance": "RETURN", "balance_fen": "500"})
    assert filed.json()["balance"] == {"wish": BalanceWish.RETURN, "amount_fen": 500}


async def test_materials_take_no_report(api: Api) -> None:
    case = await under_review(api.service)
    await case.ask_for_materials()
    files = [(name, (None, value)) for name, value in {**FORM, "report_digest": "0" * 64}.items()]
    at = f"/cancellations/{case.account_id}/tickets/{case.ticket_no}/materials"
    refused(await api.backend.post(at, files=files), ErrorType.BAD_INPUT)


# Decisions


async def test_a_decision_names_what_was_looked_at(api: Api) -> None:
    case = await under_review(api.service)
    for stale in ("revision_sha256", "report_digest"):
        seen = {**await looked_at(api, case.ticket_no), stale: "0" * 64}
        answer = await decide(api, case.ticket_no, DecisionKind.APPROVE, waived=[Check.ICP_FILING], **seen)
        assert refused(answer, ErrorType.DECISION_REFUSED)["because"] == IgnoredBecause.STALE
    body = {"kind": "reject", "decision_id": f"D-{uuid4()}", "reason_codes": ["SEE_NOTE"]}
    answer = await api.agent.post(f"/tickets/{case.ticket_no}/decisions", json=body)
    errors = refused(answer, ErrorType.BAD_INPUT)["errors"]
    assert {error["at"] for error in errors} == {f"body.{name}" for name in NOTHING}


async def test_another_decision_under_the_same_id_is_a_conflict(api: Api) -> None:
    case = await under_review(api.service)
    seen = await looked_at(api, case.ticket_no)
    once = {"decision_id": f"D-{uuid4()}", **seen}
    await decide(api, case.ticket_no, DecisionKind.REJECT, reason_codes=["DISPUTE_OPEN"], **once)
    await eventually(case.view, lambda view: not view.status.is_open)
    answer = await decide(api, case.ticket_no, DecisionKind.REJECT, reason_codes=["LEGAL_HOLD"], **once)
    assert refused(answer, ErrorType.DECISION_REFUSED)["because"] == IgnoredBecause.CONFLICT


# Ends


async def test_a_certificate_is_found_by_request_and_by_account(api: Api) -> None:
    account = await awaiting_confirmation(api.service)
    at = f"/cancellations/{account}/certificate"
    refused(await api.backend.get(at), ErrorType.NOT_FOUND)
    await api.service.confirm(account)
    closed = await api.service.in_phase(account, Phase.CLOSED)
    by_account = await api.auditor.get(at)
    assert by_account.json()["request_no"] == closed.request_no
    by_number = f"/certificates/{closed.request_no}"
    assert (await api.auditor.get(by_number)).json() == by_account.json()
    assert (await api.auditor.get(by_number, params={"account_id": account})).json() == by_account.json()
    refused(await api.auditor.get(by_number, params={"account_id": "somebody-else"}), ErrorType.NOT_FOUND)
    refused(await api.nobody.get(at), ErrorType.NOT_SIGNED_IN)


async def test_a_start_for_a_closed_account_answers_with_what_closed_it(api: Api) -> None:
    account = await awaiting_confirmation(api.service)
    await api.service.confirm(account)
    closed = await api.service.in_phase(account, Phase.CLOSED)
    await api.service.request(account).result()
    again = (await api.start(account)).json()
    assert (again["phase"], again["request_no"]) == (Phase.CLOSED, closed.request_no)


async def test_a_request_that_operations_ended_is_seen_to_be_and_stands_in_nobodys_way(api: Api) -> None:
    account = await awaiting_identity(api.service)
    await api.service.request(account).terminate("by a test")
    view = (await api.backend.get(f"/cancellations/{account}")).json()
    assert (view["run_ended"], view["due_step"], view["withdrawable"]) == (RunEnd.TERMINATED, None, False)
    refused(await step(api, account, "code", {"channel": "PHONE"}), ErrorType.NOT_FOUND)
    again = await api.start(account)
    assert again.status_code == 201
    assert (again.json()["run_ended"], again.json()["phase"]) == (None, Phase.AWAITING_IDENTITY)


async def test_what_cannot_be_done_now_says_when_to_try_again(api: Api) -> None:
    account = await api.service.account(icp_applications_ever=1)
    await api.service.to_report(account, rechecks_per_hour=1)
    assert (await step(api, account, "recheck")).status_code == 200
    answer = await step(api, account, "recheck")
    problem = refused(answer, ErrorType.NOT_NOW)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == str(problem["retry_after_seconds"])
    assert problem["retry_at"]


async def test_what_is_refused_by_the_request_itself_leaves_nothing_in_the_vault(api: Api) -> None:
    """The tickets stores, the request refuses: by the notice, which only it judges."""
    account = await blocked(api.service)
    before = await api.service.vault.list("tickets")
    wrong = {**STATED, "notice_version": "2019-01", "notice_sha256": "0" * 64}
    refused(await file(api, account, wrong), ErrorType.STALE_NOTICE)
    assert await api.service.vault.list("tickets") == before
