"""AccountDeletion: forward only, in order, nothing twice, nothing lost."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from itertools import pairwise

import pytest
from temporalio.client import WorkflowFailureError

from domain.deletion import DELETION_STAGES, DeletionPhase, DeletionStatus, DeletionView, Verification
from domain.errors import ErrorType, Refusal
from domain.locale import Locale
from domain.notifications import Template
from domain.phases import Phase
from gateways.contract import CLOSURE_PHASES
from simulator.kinds import Effect, Endpoint, FaultKind
from tests.support.service import Service, eventually
from workflows.common.search_attributes import CANCELLATION_PHASE


async def confirmed(service: Service) -> str:
    account = await service.account()
    await service.to_report(account)
    await service.confirm(account)
    return account


async def closable(service: Service) -> str:
    account = await service.account()
    await service.to_report(account)
    return account


async def assert_done_once(service: Service, account: str) -> None:
    """Every phase changed the world exactly once, and the account is really gone."""
    for phase in CLOSURE_PHASES:
        calls = await service.store.calls(Endpoint(phase.value), account)
        assert [call.effect for call in calls].count(Effect.APPLIED) == 1, phase
    state = await service.store.account(account)
    assert not any(count for left in state.left.values() for count in left.values())
    assert state.jd_group_accounts == 1, "the JD group account lives on"


async def test_stages_run_in_their_order_and_the_phases_of_a_stage_together(service: Service) -> None:
    account = await confirmed(service)
    await service.request(account).result()
    scheduled, completed = {}, {}
    order: list[tuple[str, DeletionPhase]] = []
    for event in (await service.deletion(account).fetch_history()).events:
        if event.HasField("activity_task_scheduled_event_attributes"):
            activity_id = event.activity_task_scheduled_event_attributes.activity_id
            if activity_id == Verification.VERIFY_AUTHORITY:
                assert not order, "before anything is touched"
                continue
            phase = DeletionPhase(activity_id)
            scheduled[event.event_id] = phase
            order.append(("start", phase))
        ended = event.activity_task_completed_event_attributes.scheduled_event_id
        if event.HasField("activity_task_completed_event_attributes") and ended in scheduled:
            completed[event.activity_task_completed_event_attributes.scheduled_event_id] = event.event_id
            order.append(("end", scheduled[event.activity_task_completed_event_attributes.scheduled_event_id]))
    expected_starts = [phase for stage in DELETION_STAGES for phase in stage]
    assert [phase for what, phase in order if what == "start"] == expected_starts
    for stage in DELETION_STAGES:
        first_end = min(order.index(("end", phase)) for phase in stage)
        assert all(order.index(("start", phase)) < first_end for phase in stage)
    for earlier, later in pairwise(DELETION_STAGES):
        last_end = max(order.index(("end", phase)) for phase in earlier)
        assert all(order.index(("start", phase)) > last_end for phase in later)
    await assert_done_once(service, account)


async def test_every_phase_leaves_a_receipt_with_counts_and_the_certificate_repeats_them(service: Service) -> None:
    account = await confirmed(service)
    result = await service.request(account).result()
    view = await service.cancellations.deletion(account)
    assert [receipt.phase for receipt in view.receipts] == list(DeletionPhase)
    assert all(sum(receipt.counts.values()) > 0 for receipt in view.receipts)
    certificate = await service.cancellations.certificate(result.request_no)
    assert certificate.receipts == view.receipts[:-1]
    assert certificate.forfeited
    assert {record.record_class for record in certificate.retained} >= {"transactions", "cancellation-evidence"}
    assert view.certificate == result.certificate


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.DUPLICATE, FaultKind.ERROR, FaultKind.GARBAGE])
async def test_trouble_in_every_phase_is_retried_and_nothing_is_done_twice(service: Service, kind: FaultKind) -> None:
    account = await closable(service)
    for phase in CLOSURE_PHASES:
        await service.store.add_fault(Endpoint(phase.value), kind, account_id=account)
    await service.confirm(account)
    assert (await service.request(account).result()).outcome is Phase.CLOSED
    await assert_done_once(service, account)


async def test_a_permanent_error_parks_the_phase_for_ops_and_resume_finishes_it(service: Service) -> None:
    account = await closable(service)
    await service.store.add_fault(
        Endpoint.PURGE_RESOURCES,
        FaultKind.ERROR,
        account_id=account,
        problem=ErrorType.ACCOUNT_NOT_CLOSABLE,
        status=409,
        times=None,
    )
    await service.confirm(account)
    await service.in_phase(account, Phase.DELETION_STALLED)
    view = await service.cancellations.deletion(account)
    assert view.status is DeletionStatus.STALLED
    assert [(s.phase, s.error_type) for s in view.stalled] == [
        (DeletionPhase.PURGE_RESOURCES, ErrorType.ACCOUNT_NOT_CLOSABLE)
    ]
    # The rest of its stage is done; nothing of the later stages has begun.
    done = await eventually(lambda: service.cancellations.deletion(account), lambda found: len(found.receipts) == 3)
    assert DeletionPhase.ERASE_PERSONAL_DATA not in {receipt.phase for receipt in done.receipts}
    described = await service.deletion(account).describe()
    assert described.typed_search_attributes[CANCELLATION_PHASE] == Phase.DELETION_STALLED
    alarms = [m for m in await service.store.outbox() if m.template is Template.DELETION_STALLED]
    assert any(view.request_no in message.params.values() for message in alarms)
    # Resumed too early it stalls again; resumed when the cause is gone it goes through.
    await service.cancellations.resume_deletion(account, "ops-1")
    await service.in_phase(account, Phase.DELETION_STALLED)
    await eventually(
        lambda: service.cancellations.deletion(account), lambda found: found.status is DeletionStatus.STALLED
    )
    await service.store.clear_faults()
    await service.cancellations.resume_deletion(account, "ops-1")
    assert (await service.request(account).result()).outcome is Phase.CLOSED
    await assert_done_once(service, account)


async def test_resume_is_refused_while_the_deletion_goes_on_and_after_it_is_over(service: Service) -> None:
    account = await closable(service)
    async with service.gate(account, Endpoint.ERASE_PERSONAL_DATA):
        await service.confirm(account)
        # From the first moment on: the request says so a little earlier than its deletion exists.
        await service.in_phase(account, Phase.DELETING)
        with pytest.raises(Refusal) as caught:
            await service.cancellations.resume_deletion(account, "ops-1")
    assert caught.value.type is ErrorType.NOT_STALLED
    await service.request(account).result()
    with pytest.raises(Refusal) as caught:
        await service.cancellations.resume_deletion(account, "ops-1")
    assert caught.value.type is ErrorType.ALREADY_OVER


async def test_cancel_requests_during_deletion_are_refused_and_counted(service: Service) -> None:
    account = await closable(service)
    async with service.gate(account, Endpoint.PURGE_RESOURCES) as gate:
        await service.confirm(account)
        await gate.arrived()
        await service.request(account).cancel()
        await service.deletion(account).cancel()
        view = await eventually(lambda: service.cancellations.view(account), lambda found: found.cancels_refused == 1)
        assert view.phase is Phase.DELETING
        await eventually(lambda: service.cancellations.deletion(account), lambda found: found.cancels_refused == 1)
    assert (await service.request(account).result()).outcome is Phase.CLOSED
    assert (await service.deletion(account).result()).cancels_refused == 1
    await assert_done_once(service, account)


async def terminated_in_the_middle(service: Service, *, request_too: bool) -> str:
    account = await closable(service)
    await service.store.add_fault(
        Endpoint.ERASE_PERSONAL_DATA, FaultKind.ERROR, account_id=account, status=503, times=None
    )
    await service.confirm(account)
    await eventually(
        lambda: service.cancellations.view(account), lambda view: view.phase in (Phase.DELETING, Phase.DELETION_STALLED)
    )
    await eventually(lambda: service.cancellations.deletion(account), lambda view: len(view.receipts) == 5)
    if request_too:
        await service.request(account).terminate("by a test")
    await service.deletion(account).terminate("by a test")
    await service.store.clear_faults()
    return account


async def test_after_a_terminate_of_both_start_picks_the_deletion_up_under_its_old_number(service: Service) -> None:
    account = await terminated_in_the_middle(service, request_too=True)
    closure = (await service.store.account(account)).profile.closure
    assert closure is not None
    view = await service.start(account)
    assert (view.request_no, view.phase in (Phase.DELETING, Phase.CLOSED)) == (closure.request_id, True)
    result = await service.request(account).result()
    assert (result.outcome, result.request_no) == (Phase.CLOSED, closure.request_id)
    await assert_done_once(service, account)
    # Once certified there is nothing left to resume: a later start answers with the request that closed the account.
    again = await service.start(account)
    assert (again.phase, again.request_no, again.certificate) == (Phase.CLOSED, closure.request_id, result.certificate)
    assert (await service.cancellations.certificate_of_account(account)).request_no == closure.request_id


async def test_after_a_terminate_of_the_deletion_resume_starts_it_again_and_the_request_hears_of_it(
    service: Service,
) -> None:
    account = await terminated_in_the_middle(service, request_too=False)
    await service.in_phase(account, Phase.DELETION_STALLED)
    view = await service.cancellations.resume_deletion(account, "ops-1")
    assert view.status in (DeletionStatus.RUNNING, DeletionStatus.FINISHED)
    assert (await service.request(account).result()).outcome is Phase.CLOSED
    await assert_done_once(service, account)


async def test_a_request_that_operations_forget_for_a_month_looks_daily_and_hardly_grows(service: Service) -> None:
    account = await terminated_in_the_middle(service, request_too=False)
    await service.in_phase(account, Phase.DELETION_STALLED)
    request = service.request(account)
    before = (await request.describe()).history_length
    await service.env.fast_forward(request, timedelta(days=30))
    # Hourly it would be ten times as many; the server ends a workflow at 51,200 events.
    assert (await request.describe()).history_length - before < 1000
    await service.cancellations.resume_deletion(account, "ops-1")
    assert (await request.result()).outcome is Phase.CLOSED
    await assert_done_once(service, account)


async def test_of_two_who_resume_at_once_both_hear_that_it_goes_on_and_it_is_done_once(service: Service) -> None:
    account = await terminated_in_the_middle(service, request_too=True)
    # Both have looked before either starts.
    async with service.gate(account, Endpoint.ERASE_PERSONAL_DATA), AsyncExitStack() as looking:
        gate = await looking.enter_async_context(service.gate(account, Endpoint.PROFILE))
        resuming = asyncio.gather(
            *(service.cancellations.resume_deletion(account, operator) for operator in ("ops-1", "ops-2")),
            return_exceptions=True,
        )
        await gate.arrived(2)
        await gate.open()
        answers = await resuming
    for answer in answers:
        if isinstance(answer, Refusal):
            assert answer.type is ErrorType.NOT_STALLED
        else:
            assert isinstance(answer, DeletionView)
            assert answer.status is DeletionStatus.RUNNING
    assert (await service.deletion(account).result()).status is DeletionStatus.FINISHED
    await assert_done_once(service, account)


async def test_the_deletion_can_be_looked_at_from_the_moment_that_its_request_is_in_that_phase(
    service: Service,
) -> None:
    account = await confirmed(service)
    await eventually(
        lambda: service.cancellations.view(account), lambda view: view.phase in (Phase.DELETING, Phase.CLOSED)
    )
    assert (await service.cancellations.deletion(account)).account_id == account
    assert (await service.request(account).result()).outcome is Phase.CLOSED


async def test_there_is_no_deletion_to_look_at_before(service: Service) -> None:
    account = await closable(service)
    with pytest.raises(Refusal) as caught:
        await service.cancellations.deletion(account)
    assert caught.value.type is ErrorType.NOT_FOUND


async def test_a_terminated_request_does_not_stop_its_deletion_and_a_new_one_waits_for_it(service: Service) -> None:
    account = await closable(service)
    await service.store.add_fault(
        Endpoint.ERASE_PERSONAL_DATA, FaultKind.ERROR, account_id=account, status=503, times=None
    )
    await service.confirm(account)
    await eventually(lambda: service.cancellations.view(account), lambda view: view.phase is Phase.DELETING)
    await eventually(lambda: service.cancellations.deletion(account), lambda view: len(view.receipts) == 5)
    await service.request(account).terminate("by a test")
    with pytest.raises(WorkflowFailureError):
        await service.request(account).result()
    assert (await service.start(account)).phase is Phase.DELETING
    await service.store.clear_faults()
    assert (await service.request(account).result()).outcome is Phase.CLOSED
    assert (await service.deletion(account).result()).status is DeletionStatus.FINISHED
    await assert_done_once(service, account)


async def test_a_final_notice_that_cannot_be_delivered_is_given_up_and_recorded(service: Service) -> None:
    account = await service.account()
    await service.to_report(account, final_notice_limit=timedelta(seconds=1))
    await service.store.add_fault(Endpoint.NOTIFY_ACCOUNT, FaultKind.ERROR, account_id=account, status=503, times=None)
    await service.confirm(account)
    result = await service.request(account).result()
    await service.store.clear_faults()
    assert result.outcome is Phase.CLOSED
    certificate = await service.cancellations.certificate(result.request_no)
    given_up = [receipt.phase for receipt in certificate.receipts if receipt.given_up]
    assert given_up == [DeletionPhase.SEND_FINAL_NOTICE]
    await assert_done_once(service, account)


async def test_the_final_notice_reaches_the_owner_before_personal_data_go(service: Service) -> None:
    account = await confirmed(service)
    await service.request(account).result()
    told = [m for m in await service.store.outbox(account) if m.template is Template.ACCOUNT_CLOSED]
    assert told
    assert all(message.locale == Locale.EN for message in told)
    notified = (await service.store.calls(Endpoint.NOTIFY_ACCOUNT, account))[-1]
    erased = (await service.store.calls(Endpoint.ERASE_PERSONAL_DATA, account))[-1]
    assert notified.at <= erased.at


async def test_two_deletions_at_once_do_not_disturb_each_other(service: Service) -> None:
    accounts = [await closable(service) for _ in range(2)]
    await asyncio.gather(*(service.confirm(account) for account in accounts))
    for account in accounts:
        assert (await service.request(account).result()).outcome is Phase.CLOSED
        await assert_done_once(service, account)
