"""Two things at once: whatever the order, one of them counts, nothing is lost and nobody waits for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio import client, worker, workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.service import RPCError

from domain.accounts import AccountStatus
from domain.checks import Check, Figure
from domain.errors import ErrorType, Refusal
from domain.messages import CancellationView, Recheck, WithdrawalReason
from domain.phases import Phase
from domain.tickets import Decision, DecisionKind, DecisionReason, IgnoredBecause, ReviewStatus
from runtime.settings import Settings
from simulator.kinds import Endpoint
from tests.support.at_once import count_events
from tests.support.service import SOMEBODY, Service, eventually, owner_of
from tests.support.tickets import (
    MARGIN,
    Case,
    assert_replays,
    blocked,
    file_in_vault,
    next_revision,
    outcome_of,
    own_queue,
    refusal,
    under_review,
)
from worker import build_worker
from workflows.common.search_attributes import TICKET_DUE_AT

# An approval and the deadline in one workflow task


async def fire_while_no_worker_runs(case: Case, until: datetime) -> asyncio.Task[bool]:
    """Let the review's next timer fire: its task then waits for a worker. The answer ends once one runs."""
    timers = await count_events(case.review, EventType.EVENT_TYPE_TIMER_FIRED)
    now = await case.service.env.get_current_time(case.review)
    skipping = asyncio.create_task(case.service.env.fast_forward(case.review, until - now))
    await until_fired(case, timers)
    return skipping


async def until_fired(case: Case, before: int) -> None:
    await eventually(lambda: count_events(case.review, EventType.EVENT_TYPE_TIMER_FIRED), lambda n: n > before)


async def two_under_review(service: Service) -> tuple[Case, Case]:
    """One to be decided in time and one late, both past their reminder."""
    cases = await asyncio.gather(under_review(service), under_review(service))
    for case in cases:
        await case.skip_to((await case.clock()).remind_at + MARGIN)
    return cases


async def approvals_in_time_and_late(in_time: Case, late: Case) -> list[Decision]:
    """Made while a worker runs: a reviewer who decides has seen the case."""
    distances = ((in_time, timedelta(minutes=-1)), (late, timedelta(minutes=1)))
    return [
        await case.decision(waived=(Check.ICP_FILING,), decided_at=(await deadline(case)) + distance)
        for case, distance in distances
    ]


async def send(service: Service, approvals: list[Decision]) -> None:
    for approval in approvals:
        await service.cancellations.signal_decision(DecisionKind.APPROVE, approval)


async def deadline(case: Case) -> datetime:
    """As ops see it, which needs no worker."""
    due_at = (await case.review.describe()).typed_search_attributes.get(TICKET_DUE_AT)
    assert due_at is not None
    return due_at


async def assert_late(case: Case, late: bool) -> None:
    assert (await case.request.result()).outcome is Phase.CLOSED
    view = await case.until_review(ReviewStatus.APPROVED)
    assert ([recorded.late for recorded in view.decisions], view.overdue) == ([late], late)
    await assert_replays(case.review)


async def test_a_decision_that_meets_the_fired_deadline_is_late_by_its_own_time_only(idle_service: Service) -> None:
    service = own_queue(idle_service)
    async with service.worker():
        in_time, late = await two_under_review(service)
        approvals = await approvals_in_time_and_late(in_time, late)
    # The deadline passes on the clock of each, and nobody has noticed when the decision arrives.
    skipping = [await fire_while_no_worker_runs(case, await deadline(case) + MARGIN) for case in (in_time, late)]
    await send(service, approvals)
    async with service.worker():
        await assert_late(in_time, False)
        await assert_late(late, True)
        await asyncio.gather(*skipping)


async def test_a_decision_that_waits_while_the_deadline_fires_is_late_by_its_own_time_only(
    idle_service: Service,
) -> None:
    service = own_queue(idle_service)
    async with service.worker():
        cases = in_time, late = await two_under_review(service)
        approvals = await approvals_in_time_and_late(in_time, late)
    # Counted before the skip: with a slow second skip the first clock may have fired already.
    fired = [await count_events(case.review, EventType.EVENT_TYPE_TIMER_FIRED) for case in cases]
    for case in cases:
        await case.skip_to(await deadline(case) - 2 * MARGIN)
    await send(service, approvals)
    # From here the clocks run like any other: the last seconds up to the deadline pass by themselves.
    for case, before in zip(cases, fired, strict=True):
        await until_fired(case, before)
    async with service.worker():
        await assert_late(in_time, False)
        await assert_late(late, True)


async def test_two_opposite_decisions_at_once_leave_one_that_counts_and_one_that_is_recorded(
    idle_service: Service,
) -> None:
    service = own_queue(idle_service)
    async with service.worker():
        case = await under_review(service)
        rejection = await case.decision(DecisionReason.DISPUTE_OPEN)
        approval = await case.decision(waived=(Check.ICP_FILING,), operator="agent-8")
    await service.cancellations.signal_decision(DecisionKind.REJECT, rejection)
    await service.cancellations.signal_decision(DecisionKind.APPROVE, approval)
    async with service.worker():
        assert (await case.request.result()).outcome is Phase.REJECTED
        result = await case.review.result()
        assert (result.decision.kind, result.decision.decision) == (DecisionKind.REJECT, rejection)
        assert [(i.kind, i.operator_id, i.because) for i in result.ignored] == [
            (DecisionKind.APPROVE, "agent-8", IgnoredBecause.ALREADY_DECIDED)
        ]
        # Whoever comes later still is told who was first.
        assert (await refusal(service.cancellations.decide(DecisionKind.APPROVE, approval))).details[
            "decided_by"
        ] == "agent-7"


# News that come while the last are still on their way


ACKNOWLEDGE = "acknowledge"


class SlowAcknowledgement(client.Interceptor, worker.Interceptor):
    """Temporal's acknowledgements reach one type of workflow when the test says so, each with one signal.

    It stands for a worker that is down or slow at that moment, which no test could hit.
    """

    def __init__(self, workflow_type: str) -> None:
        self._workflow_type = workflow_type

    def workflow_interceptor_class(
        self, input: worker.WorkflowInterceptorClassInput
    ) -> type[worker.WorkflowInboundInterceptor]:
        slow = self._workflow_type

        class Outbound(worker.WorkflowOutboundInterceptor):
            async def signal_external_workflow(self, input: worker.SignalExternalWorkflowInput) -> None:
                await super().signal_external_workflow(input)
                await self._late()

            async def start_child_workflow(
                self, input: worker.StartChildWorkflowInput
            ) -> workflow.ChildWorkflowHandle[Any, Any]:
                handle = await super().start_child_workflow(input)
                if input.workflow != "MessageDelivery":
                    await self._late()
                return handle

            async def _late(self) -> None:
                if workflow.info().workflow_type != slow:
                    return
                acknowledged = asyncio.Event()

                def acknowledge(_: Recheck) -> None:
                    acknowledged.set()

                workflow.set_signal_handler(ACKNOWLEDGE, acknowledge)
                await acknowledged.wait()
                workflow.set_signal_handler(ACKNOWLEDGE, None)

        class Inbound(worker.WorkflowInboundInterceptor):
            def init(self, outbound: worker.WorkflowOutboundInterceptor) -> None:
                super().init(Outbound(outbound))

        return Inbound


@asynccontextmanager
async def slow_worker(service: Service, workflow_type: str) -> AsyncIterator[None]:
    config = service.client.config()
    config["interceptors"] = [*config["interceptors"], SlowAcknowledgement(workflow_type)]
    options = Settings.model_validate({"task_queue": service.task_queue, "drain": 0})
    async with build_worker(Client(**config), options, service.platform, service.vault, service.calendar):
        yield


@pytest.mark.parametrize("kind", [DecisionKind.APPROVE, DecisionKind.REJECT])
async def test_a_decision_while_the_review_is_reporting_is_reported_next(
    idle_service: Service, kind: DecisionKind
) -> None:
    service = own_queue(idle_service)
    async with slow_worker(service, "TicketReview"):
        case = await under_review(service)
        await (case.approve() if kind is DecisionKind.APPROVE else case.reject())
        await case.review.signal(ACKNOWLEDGE, Recheck(by=SOMEBODY))
        result = await asyncio.wait_for(case.request.result(), 20)
        assert result.outcome is (Phase.CLOSED if kind is DecisionKind.APPROVE else Phase.REJECTED)


async def test_materials_while_the_review_is_reporting_restart_its_clock(idle_service: Service) -> None:
    service = own_queue(idle_service)
    async with slow_worker(service, "TicketReview"):
        case = await under_review(service)
        first = await case.clock()
        await case.decide(DecisionKind.REQUEST_MATERIALS, DecisionReason.LETTER_ILLEGIBLE)
        await case.review.signal(ACKNOWLEDGE, Recheck(by=SOMEBODY))
        await case.in_phase(Phase.AWAITING_MATERIALS)
        ticket = await next_revision(service, case.ticket)
        signals = await count_events(case.review, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
        supplying = asyncio.create_task(service.cancellations.supply_materials(case.account_id, ticket, SOMEBODY))
        await eventually(
            lambda: count_events(case.review, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED), lambda n: n > signals
        )
        await case.review.signal(ACKNOWLEDGE, Recheck(by=SOMEBODY))
        view = await eventually(case.view, lambda v: v.clock is not None and v.clock != first)
        assert (view.status, view.case.ticket) == (ReviewStatus.UNDER_REVIEW, ticket)
        await asyncio.wait_for(supplying, 20)
        await case.review.signal(ACKNOWLEDGE, Recheck(by=SOMEBODY))
        await case.approve()
        assert (await asyncio.wait_for(case.request.result(), 20)).outcome is Phase.CLOSED


async def test_a_review_that_is_quicker_than_the_answer_to_its_start_is_heard(idle_service: Service) -> None:
    service = own_queue(idle_service)
    async with slow_worker(service, "AccountCancellation"):
        account = await blocked(service)
        ticket = await file_in_vault(service, account)
        filing = asyncio.create_task(service.cancellations.file_ticket(account, ticket, owner_of(account)))
        case = Case(service, account, ticket)
        await until_known(case)
        await case.approve()
        assert (await service.cancellations.view(account)).phase is Phase.BLOCKED
        await case.request.signal(ACKNOWLEDGE, Recheck(by=SOMEBODY))
        await filing
        # The second acknowledgement is that of the deletion's start.
        await case.in_phase(Phase.DELETING)
        await case.request.signal(ACKNOWLEDGE, Recheck(by=SOMEBODY))
        assert (await asyncio.wait_for(case.request.result(), 20)).outcome is Phase.CLOSED


async def test_only_what_the_reviewer_saw_is_waived_whatever_was_checked_meanwhile(idle_service: Service) -> None:
    service = own_queue(idle_service)
    async with slow_worker(service, "AccountCancellation"):
        account = await blocked(service, frozen_fen=100)
        ticket = await file_in_vault(service, account)
        filing = asyncio.create_task(service.cancellations.file_ticket(account, ticket, owner_of(account)))
        case = Case(service, account, ticket)
        await until_known(case)
        await service.store.set_facts(account, frozen_fen=101)
        await service.recheck(account)
        await case.request.signal(ACKNOWLEDGE, Recheck(by=SOMEBODY))
        await filing
        await case.approve(waived=(Check.BALANCE,))
        view = await case.in_phase(Phase.BLOCKED)
        assert [waiver.figures[Figure.FROZEN_FEN] for waiver in view.waivers] == [100]
        assert (await service.store.account(account)).profile.status is AccountStatus.ACTIVE


async def until_known(case: Case) -> None:
    async def is_known() -> bool:
        try:
            return (await case.view()).clock is not None
        except Refusal:
            return False

    await eventually(is_known, bool)


# Filing at the same time as something else


async def test_of_two_tickets_filed_at_once_one_is_reviewed(service: Service) -> None:
    account = await blocked(service)
    tickets = [await file_in_vault(service, account) for _ in range(2)]
    outcomes = await asyncio.gather(
        *(outcome_of(service.cancellations.file_ticket(account, ticket, owner_of(account))) for ticket in tickets)
    )
    assert [outcome for outcome in outcomes if outcome is ErrorType.WRONG_PHASE] == [ErrorType.WRONG_PHASE]
    [view] = [outcome for outcome in outcomes if isinstance(outcome, CancellationView)]
    assert view.review is not None
    [other] = [ticket for ticket in tickets if ticket != view.review.ticket]
    with pytest.raises(RPCError, match="not found"):
        await service.review(other.ticket_no).describe()
    case = Case(service, account, view.review.ticket)
    await case.approve()
    assert (await case.request.result()).outcome is Phase.CLOSED
    await assert_replays(case.request)


async def test_the_same_ticket_filed_twice_at_once_is_reviewed_once(service: Service) -> None:
    account = await blocked(service)
    ticket = await file_in_vault(service, account)
    outcomes = await asyncio.gather(
        *(outcome_of(service.cancellations.file_ticket(account, ticket, owner_of(account))) for _ in range(2))
    )
    assert sum(outcome is ErrorType.WRONG_PHASE for outcome in outcomes) == 1
    case = Case(service, account, ticket)
    await case.reject()
    assert (await case.request.result()).outcome is Phase.REJECTED


async def test_a_withdrawal_during_a_filing_ends_the_request_and_starts_no_review(service: Service) -> None:
    account = await blocked(service)
    ticket = await file_in_vault(service, account)
    async with service.gate(account, Endpoint.BALANCE) as gate:
        filing = asyncio.create_task(outcome_of(service.cancellations.file_ticket(account, ticket, owner_of(account))))
        await gate.arrived()
        assert (await service.withdraw(account, WithdrawalReason.KEEP_SERVICES)).phase is Phase.WITHDRAWN
        assert await filing is ErrorType.WRONG_PHASE
    assert (await service.request(account).result()).outcome is Phase.WITHDRAWN
    with pytest.raises(RPCError, match="not found"):
        await service.review(ticket.ticket_no).describe()
    await assert_replays(service.request(account))


async def test_a_withdrawal_while_the_review_is_being_started_calls_it_off(idle_service: Service) -> None:
    service = own_queue(idle_service)
    async with slow_worker(service, "AccountCancellation"):
        account = await blocked(service)
        ticket = await file_in_vault(service, account)
        filing = asyncio.create_task(outcome_of(service.cancellations.file_ticket(account, ticket, owner_of(account))))
        case = Case(service, account, ticket)
        await until_known(case)
        await service.withdraw(account)
        await case.request.signal(ACKNOWLEDGE, Recheck(by=SOMEBODY))
        assert await filing is ErrorType.WRONG_PHASE
        assert (await asyncio.wait_for(case.request.result(), 20)).outcome is Phase.WITHDRAWN
        await case.until_review(ReviewStatus.CALLED_OFF)


async def test_a_recheck_during_a_filing_is_answered_and_neither_blocks_the_other(service: Service) -> None:
    account = await blocked(service)
    ticket = await file_in_vault(service, account)
    async with service.gate(account, Endpoint.BALANCE) as gate:
        filing = asyncio.create_task(outcome_of(service.cancellations.file_ticket(account, ticket, owner_of(account))))
        await gate.arrived()
        rechecking = asyncio.create_task(service.recheck(account))
        await gate.arrived(2)
        await gate.open()
        view, outcome = await rechecking, await filing
        assert view.phase in (Phase.BLOCKED, Phase.UNDER_REVIEW)
    # Refused when the re-check came in between, for what is agreed to is what was shown: never half of each.
    expected = Phase.UNDER_REVIEW if isinstance(outcome, CancellationView) else Phase.BLOCKED
    assert isinstance(outcome, CancellationView) or outcome in (ErrorType.WRONG_PHASE, ErrorType.STALE_REPORT)
    assert (await service.cancellations.view(account)).phase is expected
    await service.withdraw(account)
    assert (await service.request(account).result()).outcome is Phase.WITHDRAWN


async def test_materials_that_meet_a_rejection_end_with_the_rejection(idle_service: Service) -> None:
    service = own_queue(idle_service)
    async with service.worker():
        case = await under_review(service)
        await case.ask_for_materials()
        ticket = await next_revision(service, case.ticket)
        supplying = asyncio.create_task(
            outcome_of(service.cancellations.supply_materials(case.account_id, ticket, owner_of(case.account_id)))
        )
        rejecting = asyncio.create_task(outcome_of(case.reject()))
        supplied, rejected = await asyncio.gather(supplying, rejecting)
        assert not isinstance(rejected, ErrorType)
        # The materials came first, or found the request at its end: the rejection counts all the same.
        assert isinstance(supplied, CancellationView) or supplied is ErrorType.WRONG_PHASE
        assert (await case.request.result()).outcome is Phase.REJECTED


async def test_an_approval_that_crosses_the_materials_is_recorded_and_the_next_one_counts(
    idle_service: Service,
) -> None:
    service = own_queue(idle_service)
    async with service.worker():
        case = await under_review(service)
        await case.ask_for_materials()
        about_the_first = await case.decision(waived=(Check.ICP_FILING,))
    ticket = await next_revision(service, case.ticket)
    supplying = asyncio.create_task(
        service.cancellations.supply_materials(case.account_id, ticket, owner_of(case.account_id))
    )
    await service.cancellations.signal_decision(DecisionKind.APPROVE, about_the_first)
    async with service.worker():
        view = await asyncio.wait_for(supplying, 20)
        assert view.review is not None
        assert (view.phase, view.review.ticket) == (Phase.UNDER_REVIEW, ticket)
        assert [i.because for i in (await case.view()).ignored] == [IgnoredBecause.WRONG_PHASE]
        await case.approve()
        assert (await asyncio.wait_for(case.request.result(), 20)).outcome is Phase.CLOSED
        await assert_replays(case.request, case.review)


async def test_materials_asked_for_again_at_once_leave_the_owner_with_an_answer(idle_service: Service) -> None:
    service = own_queue(idle_service)
    async with slow_worker(service, "AccountCancellation"):
        account = await blocked(service)
        ticket = await file_in_vault(service, account)
        filing = asyncio.create_task(service.cancellations.file_ticket(account, ticket, owner_of(account)))
        case = Case(service, account, ticket)
        await until_known(case)
        await case.request.signal(ACKNOWLEDGE, Recheck(by=SOMEBODY))
        await filing
        await case.ask_for_materials()
        second = await next_revision(service, ticket)
        supplying = asyncio.create_task(service.cancellations.supply_materials(account, second, owner_of(account)))
        await eventually(case.view, lambda view: view.case.ticket == second)
        # The owner's step still waits to be told that the review has its materials, and they were not enough.
        await case.decide(DecisionKind.REQUEST_MATERIALS, DecisionReason.LETTER_INCOMPLETE)
        await case.request.signal(ACKNOWLEDGE, Recheck(by=SOMEBODY))
        view = await asyncio.wait_for(supplying, 20)
        assert view.review is not None
        assert view.review.ticket == second
        await case.in_phase(Phase.AWAITING_MATERIALS)
        await case.reject()
        assert (await asyncio.wait_for(case.request.result(), 20)).outcome is Phase.REJECTED
