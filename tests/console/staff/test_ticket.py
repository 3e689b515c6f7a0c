"""A ticket's page: everything that a reviewer decides by, and nothing that may not be there."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest

from console.auth.roles import Role
from console.settings import ConsoleSettings
from domain.tickets import DecisionKind, DecisionReason, ReviewStatus
from service.ticket_files import TicketFiles
from tests.console.conftest import Console
from tests.console.staff.pages import inline_code, ticket_page, words
from tests.support.service import Service, decision, eventually
from tests.support.tickets import MARGIN, Case, blocked, file, under_review


async def with_balance(service: Service) -> Case:
    case = await file(service, await blocked(service, frozen_fen=128050, offline_fen=500, icp_applications_ever=3))
    await case.clock()
    return case


async def live_address(html: str) -> str:
    _, _, rest = html.partition('hx-get="/staff/tickets/')
    return "/staff/tickets/" + rest.partition('"')[0].replace("&amp;", "&")


async def test_report_waivers_contacts_and_deadline_are_on_the_page(
    agent: httpx2.AsyncClient, service: Service
) -> None:
    case = await with_balance(service)
    page = words(await ticket_page(agent, case))
    assert "¥1,280.50" in page
    assert "applications 3" in page
    assert "owner@example.com" in page
    assert "+8613800138000" in page
    assert case.account_id in page
    assert "24:00" in page
    assert "business days" in page
    for check in ("balance", "arrears", "marketplace provider", "ICP filing", "billable resources"):
        assert check in page


async def test_contact_data_is_in_no_address(agent: httpx2.AsyncClient, service: Service) -> None:
    html = await ticket_page(agent, await under_review(service))
    addresses = [part.partition('"')[0] for part in html.split('href="')[1:] + html.split('src="')[1:]]
    assert addresses
    assert not [address for address in addresses if "@" in address or "13800138000" in address or "mailto" in address]


async def test_decisions_notes_and_ignored_messages_are_the_history(
    agent: httpx2.AsyncClient, service: Service
) -> None:
    case = await under_review(service)
    note = await TicketFiles(service.vault).put_note(case.ticket_no, "Called <b>twice</b>.\nNobody answered.")
    await case.signal(DecisionKind.APPROVE, operator="agent-slow")
    await case.until_ignored()
    rejection = decision(await case.view(), DecisionReason.DISPUTE_OPEN).model_copy(update={"note_ref": note})
    await service.cancellations.decide(DecisionKind.REJECT, rejection)
    html = await ticket_page(agent, case)
    page = words(html)
    assert "agent-7 rejected" in page
    assert "a dispute is open" in page
    assert "Called &lt;b&gt;twice&lt;/b&gt;." in html
    assert "agent-slow approved" in page
    assert "waivers incomplete" in page
    assert 'action="/staff/tickets' not in html


@pytest.mark.parametrize(("later", "told"), [(MARGIN, "LATE by under 1 h"), (timedelta(hours=3), "LATE by 3 h")])
async def test_a_late_ticket_says_so_in_words(
    console: Console, service: Service, monkeypatch: pytest.MonkeyPatch, later: timedelta, told: str
) -> None:
    case = await under_review(service)
    due_at = (await case.clock()).due_at
    at_that_hour = replace(console.app.state.services, now=lambda: due_at + later)
    monkeypatch.setitem(console.app.state._state, "services", at_that_hour)
    async with console.signed_in(Role.AGENT) as browser:
        assert told in words(await ticket_page(browser, case))


async def test_waiting_for_materials_and_called_off_are_said(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await under_review(service)
    await case.ask_for_materials()
    html = await ticket_page(agent, case)
    assert "clock paused" in words(html)
    assert 'value="reject"' in html
    assert 'value="approve"' not in html
    await service.withdraw(case.account_id)
    await case.until_review(ReviewStatus.CALLED_OFF)
    html = await ticket_page(agent, case)
    assert "nothing left to decide" in words(html)
    assert 'value="reject"' not in html


async def test_no_such_ticket_is_told_with_a_way_back(agent: httpx2.AsyncClient) -> None:
    answer = await agent.get("/staff/tickets/T20990101-NOTTHERE")
    assert answer.status_code == 404
    assert "No such ticket" in words(answer.text)
    assert 'href="/staff"' in answer.text


async def test_a_contact_that_cannot_be_read_hides_nothing_else(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await under_review(service)
    record = case.ticket.record
    stored = service.vault._store
    data = bytes(await (await stored.get_async(record.path)).bytes_async())
    await stored.put_async(record.path, data + b" ")
    html = await ticket_page(agent, case)
    await stored.put_async(record.path, data)
    assert "contact data cannot be read" in words(html)
    assert "VaultRecordChanged" in html
    assert "ICP filing" in words(html)


async def test_what_somebody_else_does_shows_without_a_reload(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await under_review(service)
    address = await live_address(await ticket_page(agent, case))
    assert (await agent.get(address)).status_code == 204
    await case.reject(operator="lead-9")
    answer = await eventually(lambda: agent.get(address), lambda answer: answer.status_code == 200)
    assert "rejected" in words(answer.text)
    assert "lead-9" in words(answer.text)
    assert "<html" not in answer.text


async def test_temporal_is_linked_to_only_where_its_pages_are(
    agent: httpx2.AsyncClient,
    service: Service,
    open_console: Callable[[ConsoleSettings], AbstractAsyncContextManager[Console]],
) -> None:
    case = await under_review(service)
    assert "/workflows/" not in await ticket_page(agent, case)
    settings = ConsoleSettings.model_validate({"temporal_ui_url": "https://temporal.example/ui/"})
    async with open_console(settings) as console, console.signed_in(Role.AUDITOR) as auditor:
        html = await ticket_page(auditor, case)
    namespace = service.client.namespace
    assert f'href="https://temporal.example/ui/namespaces/{namespace}/workflows/ticket-review-{case.ticket_no}"' in html


async def test_the_page_is_in_both_languages_and_strict(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await with_balance(service)
    for language, title in (("zh-CN", "申请豁免"), ("en", "Waivers asked for")):
        page = await agent.get(f"/staff/tickets/{case.ticket_no}?lang={language}")
        assert title in words(page.text)
        assert f'<html lang="{language}">' in page.text
        assert inline_code(page.text) == []
