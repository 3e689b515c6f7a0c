"""Requests and reviews that outgrow one history: they continue as new, and nobody notices."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle

from domain.errors import ErrorType
from domain.notifications import Template
from domain.phases import Phase
from domain.tickets import DecisionKind, IgnoredBecause, TicketRef
from simulator.kinds import Product
from simulator.store import SimulatorStore
from tests.replay.routes import ROUTES, Route
from tests.support.poison import events
from tests.support.service import Service, eventually, owner_of, service_on, temporal_environment
from tests.support.tickets import MARGIN, Case, blocked, file, no_task_has_failed, refusal, refused_type, under_review

MOST_UPDATES = 40
SHORT = {
    "limit__historyCount__suggestContinueAsNew": "60",
    "history__maxTotalUpdates": str(MOST_UPDATES),
    "history__maxTotalUpdates__suggestContinueAsNewThreshold": "0.4",
}
"""A server that asks for a new history after 60 events or 16 updates, and takes no more than 40 of these."""


@pytest_asyncio.fixture(scope="module")
async def short(
    simulator: tuple[str, SimulatorStore], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    async with (
        await temporal_environment(**SHORT) as environment,
        service_on(environment, simulator, tmp_path_factory.mktemp("vault")) as service,
        service.worker(),
    ):
        yield service


async def runs_of(service: Service, handle: WorkflowHandle[Any, Any]) -> list[str]:
    """Every run under this id, from the last to the first, by what the histories themselves say."""
    described = await handle.describe()
    runs = [described.run_id]
    while True:
        history = await service.client.get_workflow_handle(handle.id, run_id=runs[-1]).fetch_history()
        earlier = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        if not earlier:
            return runs
        runs.append(earlier)


async def no_run_has_failed(service: Service, handle: WorkflowHandle[Any, Any]) -> None:
    runs = await runs_of(service, handle)
    await no_task_has_failed(*(service.client.get_workflow_handle(handle.id, run_id=run) for run in runs))


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
async def test_every_route_ends_as_it_should_where_histories_are_short(short: Service, route: Route) -> None:
    for handle in await route(short):
        await no_run_has_failed(short, handle)


async def test_a_hundred_rechecks_and_a_withdrawal_are_never_refused_for_the_servers_limits(short: Service) -> None:
    account = await short.account(icp_applications_ever=1)
    before = await short.to_report(account, rechecks_per_hour=1000)
    assert before.report is not None
    for _ in range(100):
        assert (await short.recheck(account)).phase is Phase.BLOCKED
    after = await short.cancellations.view(account)
    assert after.report is not None
    assert after.report.number >= before.report.number + 100
    # Who was identified, and what was accepted, has come along.
    kept = ("request_no", "started_at", "ends_by", "identity_verified", "identity_expires_at", "notice_version")
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
    assert len(await runs_of(short, short.request(account))) > 5
    assert (await short.withdraw(account)).phase is Phase.WITHDRAWN
    assert (await short.request(account).result()).outcome is Phase.WITHDRAWN
    await no_run_has_failed(short, short.request(account))
    # No key is used twice: the platform would take the second message for the first, and say nothing.
    sent = [(m.template, m.carrier) for m in await until_sent(short, account, Template.CANCELLATION_WITHDRAWN)]
    assert len(sent) == len(set(sent))


async def until_sent(service: Service, account: str, template: Template) -> list[Any]:
    return await eventually(
        lambda: service.store.outbox(account), lambda found: template in {message.template for message in found}
    )


async def test_a_request_that_continued_as_new_seals_with_what_was_agreed_to(short: Service) -> None:
    account = await blocked(short, {"rechecks_per_hour": 1000})
    for _ in range(30):
        await short.recheck(account)
    assert len(await runs_of(short, short.request(account))) > 1
    case = await file(short, account)
    await case.approve()
    assert (await case.request.result()).outcome is Phase.CLOSED


async def test_a_review_that_continued_as_new_keeps_its_clock_its_decisions_and_the_ignored_ones(
    short: Service,
) -> None:
    case = await under_review(short)
    await case.ask_for_materials()
    await case.supply()
    clock = await case.clock()
    for number in range(1, 41):
        assert (await refusal(case.approve(waived=()))).details["because"] == IgnoredBecause.WAIVERS_INCOMPLETE
        await case.signal(DecisionKind.APPROVE, waived=())
        await until_counted(case, number)
    view = await case.view()
    assert len(await runs_of(short, case.review)) > 1
    assert (view.clock, [recorded.kind for recorded in view.decisions]) == (clock, [DecisionKind.REQUEST_MATERIALS])
    assert (view.ignored_count, len(view.ignored)) == (40, 40)
    await case.skip_to(clock.due_at + MARGIN)
    assert len(await case.until_messages(Template.TICKET_OVERDUE_OWNER, 2)) == 2  # by phone and by e-mail
    assert (await case.view()).overdue
    await case.approve()
    assert (await case.request.result()).outcome is Phase.CLOSED
    assert len(await case.until_messages(Template.TICKET_APPROVED, 2)) == 2
    await no_run_has_failed(short, case.review)


# Under review a request cannot continue as new: it would lose its review's result


async def updates_of(handle: WorkflowHandle[Any, Any]) -> int:
    return len(await events(handle, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED))


async def length_of(handle: WorkflowHandle[Any, Any]) -> int:
    return (await handle.describe()).history_length


async def test_a_review_that_is_late_for_weeks_may_be_watched_by_any_number_and_asked_for_as_often(
    short: Service,
) -> None:
    case = await under_review(short)
    account, request = case.account_id, case.request
    request_no, run_id = (await short.cancellations.view(account)).request_no, (await request.describe()).run_id
    watch = partial(short.cancellations.wait_while, account, Phase.UNDER_REVIEW)
    for _ in range(4):
        await case.skip_to(await case.now() + timedelta(weeks=1))
        watching = [asyncio.create_task(watch(timedelta(seconds=1))) for _ in range(50)]
        # A backend that starts the account again finds the request that there is.
        found = [await short.start(account) for _ in range(25)]
        found += await asyncio.gather(*watching)
        assert {(view.request_no, view.phase) for view in found} == {(request_no, Phase.UNDER_REVIEW)}
    assert (await eventually(lambda: short.cancellations.view(account), lambda view: view.overdue)).review is not None
    assert await updates_of(request) < MOST_UPDATES / 2
    assert (await request.describe()).run_id == run_id
    # Whoever watches and starts from now on leaves no trace at all.
    before = await length_of(request)
    await asyncio.gather(*(watch(timedelta(seconds=1)) for _ in range(50)), *(short.start(account) for _ in range(5)))
    assert await length_of(request) == before
    await case.approve()
    assert (await request.result()).outcome is Phase.CLOSED
    await no_run_has_failed(short, request)


@pytest_asyncio.fixture
async def narrow(simulator: tuple[str, SimulatorStore], tmp_path: Path) -> AsyncIterator[Service]:
    """A server that asks for a new history early, and still takes nearly as much as in life after that."""
    limits = {"history__maxTotalUpdates": "120", "history__maxTotalUpdates__suggestContinueAsNewThreshold": "0.4"}
    async with (
        await temporal_environment(**limits) as environment,
        service_on(environment, simulator, tmp_path) as service,
        service.worker(),
    ):
        yield service


async def test_however_many_steps_are_refused_under_review_a_withdrawal_finds_its_place(narrow: Service) -> None:
    case = await under_review(narrow)
    await case.ask_for_materials()
    account, by = case.account_id, owner_of(case.account_id)
    # The revision that stands is none that could be supplied.
    supply = partial(narrow.cancellations.supply_materials, account, case.ticket, by)
    refused = [await refused_type(supply()) for _ in range(150)]
    wrong = refused.index(ErrorType.NOT_NOW)
    assert set(refused[:wrong]) == {ErrorType.TICKET_MISMATCH}
    assert set(refused[wrong:]) == {ErrorType.NOT_NOW}
    assert (await narrow.withdraw(account)).phase is Phase.WITHDRAWN
    assert (await case.request.result()).outcome is Phase.WITHDRAWN
    await no_run_has_failed(narrow, case.request)


async def test_steps_that_overlap_without_end_keep_no_request_from_continuing_as_new(narrow: Service) -> None:
    account = await blocked(narrow)
    wrong = TicketRef(ticket_no="T-none", revision=1, sha256="0" * 64)

    async def hammer() -> set[ErrorType]:
        file = partial(narrow.cancellations.file_ticket, account, wrong, owner_of(account))
        return {await refused_type(file()) for _ in range(60)}

    refused = await asyncio.gather(*(hammer() for _ in range(5)))
    assert set().union(*refused) <= {ErrorType.VAULT_RECORD_MISSING, ErrorType.NOT_NOW}
    request = narrow.request(account)
    assert len(await eventually(lambda: runs_of(narrow, request), lambda runs: len(runs) > 1)) > 1
    assert (await narrow.withdraw(account)).phase is Phase.WITHDRAWN
    await no_run_has_failed(narrow, request)


async def until_counted(case: Case, number: int) -> None:
    await eventually(case.view, lambda view: view.ignored_count == number)


# An owner who has much

VOUCHERS = 5_000


async def test_five_thousand_vouchers_do_not_swell_the_history_and_are_all_certified(service: Service) -> None:
    account = await service.account(**{f"resources.{product}": 1 for product in Product})
    await service.store.set_facts(account, vouchers=",".join(["100"] * VOUCHERS))
    await service.to_report(account)
    before = await size_of(service.request(account))
    view = await service.recheck(account)
    grown = await size_of(service.request(account)) - before
    assert grown < 60_000, grown
    assert len(view.model_dump_json()) < 30_000
    await service.store.set_facts(account, **{f"resources.{product}": 0 for product in Product})
    await service.recheck(account)
    confirmed = await service.confirm(account)
    assert (await service.request(account).result()).outcome is Phase.CLOSED
    certificate = await service.cancellations.certificate(confirmed.request_no, account)
    assert sum(item.entitlement_id.startswith("voucher-") for item in certificate.forfeited) == VOUCHERS


async def size_of(handle: WorkflowHandle[Any, Any]) -> int:
    return sum(event.ByteSize() for event in (await handle.fetch_history()).events)
