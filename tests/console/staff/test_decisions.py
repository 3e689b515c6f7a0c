"""Deciding through the page: every kind, what it asks for, who was first, and who may not."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from console.auth.authorization import FORGERY_HEADER
from console.auth.roles import Role
from domain.checks import Check
from domain.messages import CancellationView
from domain.phases import Phase
from domain.tickets import DecisionKind, DecisionReason, ReviewStatus
from service.ticket_files import TicketFiles
from tests.console.conftest import Console
from tests.console.staff.pages import decide, hidden, inline_code, ticket_page, words
from tests.support.service import Service
from tests.support.tickets import Case, file, under_review

ICP: dict[str, Any] = {"waived": [Check.ICP_FILING.value]}
DISPUTE: dict[str, Any] = {"reason_codes": [DecisionReason.DISPUTE_OPEN.value]}


@pytest.fixture
async def lead(console: Console) -> AsyncIterator[httpx2.AsyncClient]:
    async with console.signed_in(Role.LEAD) as browser:
        yield browser


async def looked_at(case: Case) -> dict[str, str]:
    seen = (await case.view()).case
    return {"revision_sha256": seen.ticket.sha256, "report_digest": seen.report.digest}


async def without_channel(service: Service) -> Case:
    """Nothing to waive, and nobody who could prove identity by code."""
    account_id = await service.account(channels="")
    await service.start(account_id)
    await service.in_phase(account_id, Phase.AWAITING_IDENTITY)
    case = await file(service, account_id)
    await case.clock()
    return case


async def test_an_approval_waives_what_was_asked_for(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await under_review(service)
    answer = await decide(agent, case, DecisionKind.APPROVE, **ICP)
    assert answer.status_code == 303
    told = await agent.get(answer.headers["location"])
    assert "Your decision is recorded: approved" in words(told.text)
    view = await case.until_review(ReviewStatus.APPROVED)
    [recorded] = view.decisions
    assert recorded.decision.operator_id == "agent-1"
    assert recorded.decision.waived == (Check.ICP_FILING,)
    assert not recorded.late


async def test_a_rejection_sends_its_reasons_and_keeps_its_note(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await under_review(service)
    answer = await decide(agent, case, DecisionKind.REJECT, note="First line\r\nsecond line", **DISPUTE)
    assert answer.status_code == 303
    [recorded] = (await case.until_review(ReviewStatus.REJECTED)).decisions
    assert recorded.decision.reason_codes == (DecisionReason.DISPUTE_OPEN,)
    assert recorded.decision.note_ref is not None
    note = await TicketFiles(service.vault).read_note(case.ticket_no, recorded.decision.note_ref)
    assert note == "First line\nsecond line"
    seen: CancellationView = await case.in_phase(Phase.REJECTED)
    assert seen.rejection_reasons == (DecisionReason.DISPUTE_OPEN,)


async def test_materials_are_asked_for_and_arrive_under_the_same_ticket(
    agent: httpx2.AsyncClient, service: Service
) -> None:
    case = await under_review(service)
    reasons = [DecisionReason.CONTACT_UNREACHABLE.value, DecisionReason.STATEMENT_OUTDATED.value]
    answer = await decide(agent, case, DecisionKind.REQUEST_MATERIALS, reason_codes=reasons)
    assert answer.status_code == 303
    await case.in_phase(Phase.AWAITING_MATERIALS)
    await case.supply()
    await case.until_review(ReviewStatus.UNDER_REVIEW)
    page = words(await ticket_page(agent, case))
    assert "new@example.com" in page
    assert "asked for materials" in page
    await case.reject()


async def test_every_waiver_is_required_and_what_was_chosen_stays(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await under_review(service)
    answer = await decide(agent, case, DecisionKind.APPROVE, note="Almost done.")
    assert answer.status_code == 409
    assert "waivers incomplete" in words(answer.text)
    assert "Almost done." in answer.text
    assert inline_code(answer.text) == []
    view = await case.view()
    assert (view.status, view.decisions) == (ReviewStatus.UNDER_REVIEW, ())
    assert [path for path in await service.vault.list(f"tickets/{case.ticket_no}") if "note" in path] == []
    again = await decide(agent, case, DecisionKind.APPROVE, html=answer.text, **ICP)
    assert again.status_code == 303


async def test_a_rejection_without_a_reason_is_not_sent(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await under_review(service)
    answer = await decide(agent, case, DecisionKind.REJECT)
    assert answer.status_code == 409
    assert "Name at least one reason." in words(answer.text)
    assert (await case.view()).status is ReviewStatus.UNDER_REVIEW


async def test_without_a_verified_channel_identity_is_attested(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await without_channel(service)
    html = await ticket_page(agent, case)
    assert 'name="identity_attested"' in html
    refused = await decide(agent, case, DecisionKind.APPROVE)
    assert refused.status_code == 409
    assert "identity not attested" in words(refused.text)
    answer = await decide(agent, case, DecisionKind.APPROVE, identity_attested="true")
    assert answer.status_code == 303
    [recorded] = (await case.until_review(ReviewStatus.APPROVED)).decisions
    assert recorded.decision.identity_attested


async def test_a_verified_applicant_needs_no_attestation(agent: httpx2.AsyncClient, service: Service) -> None:
    assert 'name="identity_attested"' not in await ticket_page(agent, await under_review(service))


async def test_of_two_people_the_second_is_told_who_was_first(
    agent: httpx2.AsyncClient, lead: httpx2.AsyncClient, service: Service
) -> None:
    case = await under_review(service)
    pages = [await ticket_page(agent, case), await ticket_page(lead, case)]
    answers = await asyncio.gather(
        decide(agent, case, DecisionKind.REJECT, html=pages[0], **DISPUTE),
        decide(lead, case, DecisionKind.APPROVE, html=pages[1], **ICP),
    )
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    [second] = [answer for answer in answers if answer.status_code == 409]
    [recorded] = (await case.view()).decisions
    told = words(second.text)
    assert f"Somebody was first: {recorded.decision.operator_id}" in told
    assert f"The ticket is now: {'rejected' if recorded.kind is DecisionKind.REJECT else 'approved'}" in told


async def test_a_double_click_is_one_decision(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await under_review(service)
    html = await ticket_page(agent, case)
    answers = [await decide(agent, case, DecisionKind.REJECT, html=html, **DISPUTE) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    view = await case.view()
    assert (len(view.decisions), view.ignored) == (1, ())


async def test_a_decision_on_what_is_no_longer_there_does_not_count(
    agent: httpx2.AsyncClient, service: Service
) -> None:
    case = await under_review(service)
    html = await ticket_page(agent, case)
    await case.ask_for_materials()
    await case.supply()
    await case.until_review(ReviewStatus.UNDER_REVIEW)
    answer = await decide(agent, case, DecisionKind.APPROVE, html=html, **ICP)
    assert answer.status_code == 409
    assert "New materials have arrived" in words(answer.text)
    assert (await case.view()).status is ReviewStatus.UNDER_REVIEW
    await case.reject()


async def test_the_applicant_cannot_decide(console: Console, service: Service) -> None:
    case = await under_review(service)
    async with console.signed_in(Role.AGENT, subject=f"owner-of-{case.account_id}") as applicant:
        html = await ticket_page(applicant, case)
        assert "somebody else has to decide" in words(html)
        assert 'name="decision_id"' not in html
        forced = await applicant.post(
            f"/staff/tickets/{case.ticket_no}/decisions",
            data={"kind": "approve", "decision_id": "D-forced", **await looked_at(case), **ICP},
        )
    assert forced.status_code == 409
    assert "decided by the applicant" in words(forced.text)
    assert (await case.view()).decisions == ()


async def test_an_auditor_sees_everything_and_decides_nothing(
    console: Console, agent: httpx2.AsyncClient, service: Service
) -> None:
    case = await under_review(service)
    fields = {"kind": "reject", **hidden(await ticket_page(agent, case)), **DISPUTE}
    async with console.signed_in(Role.AUDITOR) as auditor:
        html = await ticket_page(auditor, case)
        assert "owner@example.com" in html
        assert "decides nothing" in words(html)
        assert "/decisions" not in html
        for step in ("decisions", "preview"):
            answer = await auditor.post(f"/staff/tickets/{case.ticket_no}/{step}", data=fields)
            assert answer.status_code == 403
    assert (await case.view()).decisions == ()


async def test_a_form_from_elsewhere_is_refused(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await under_review(service)
    agent.headers[FORGERY_HEADER] = "guessed"
    assert (await agent.post(f"/staff/tickets/{case.ticket_no}/decisions", data=DISPUTE)).status_code == 403
    assert (await case.view()).decisions == ()


async def test_a_note_that_is_too_long_is_told_beside_the_form(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await under_review(service)
    answer = await decide(agent, case, DecisionKind.REJECT, note="x" * 4001, **DISPUTE)
    assert answer.status_code == 422
    assert "shorten it" in words(answer.text)
    assert 'name="reason_codes" value="DISPUTE_OPEN" checked' in answer.text
    assert (await case.view()).decisions == ()
