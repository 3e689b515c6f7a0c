"""A closed account stays closed, whatever a request of its owner remembers, or no longer remembers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, ResetReapplyExcludeType
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, ResetWorkflowExecutionRequest
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from domain.accounts import Channel
from domain.messages import CancellationResult
from domain.phases import Phase, Step
from simulator.kinds import Endpoint
from tests.support.poison import UNAVAILABLE, assert_never_wedged, closed_for_good, phases_shown, refusal_or_none
from tests.support.service import Service, eventually, owner_of
from tests.support.tickets import MARGIN, awaiting_confirmation

A_MONTH = timedelta(days=30)

NEVER = {Phase.WITHDRAWN, Phase.LAPSED, Phase.BLOCKED, Phase.REFUSED}


async def closed(service: Service) -> tuple[str, CancellationResult]:
    account = await awaiting_confirmation(service)
    await service.confirm(account)
    return account, await service.request(account).result()


NOTHING_LATER = (
    ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL,
    ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE,
)


async def reset_before(
    service: Service, account: str, step: Step, leave_out: "Sequence[ResetReapplyExcludeType.ValueType]" = NOTHING_LATER
) -> None:
    """Ops put the request back to where `step` had not come yet. What came later is applied again, or is left out."""
    request = service.request(account)
    history = (await request.fetch_history()).events
    accepted = max(
        event.event_id
        for event in history
        if event.workflow_execution_update_accepted_event_attributes.accepted_request.input.name == step
    )
    kind = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    arrived = max(event.event_id for event in history if event.event_type == kind and event.event_id < accepted)
    described = await request.describe()
    await service.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=service.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=request.id, run_id=described.run_id),
            reason="by a test",
            workflow_task_finish_event_id=arrived,
            request_id=f"reset-{account}",
            reset_reapply_exclude_types=leave_out,
        )
    )


async def withdraw(service: Service, account: str) -> None:
    await service.withdraw(account)


async def recheck(service: Service, account: str) -> None:
    await service.recheck(account)


async def confirm(service: Service, account: str) -> None:
    await service.confirm(account)


async def cancel(service: Service, account: str) -> None:
    await service.request(account).cancel()


async def stay_idle(service: Service, account: str) -> None:
    await service.env.fast_forward(service.request(account), A_MONTH + MARGIN)


async def send_code(service: Service, account: str) -> None:
    await service.cancellations.send_code(account, Channel.PHONE, owner_of(account))


async def start_again(service: Service, account: str) -> None:
    await service.start(account)
    await service.withdraw(account)


Next = Callable[[Service, str], Awaitable[None]]

NEXT: list[tuple[Step, Phase, Next]] = [
    *((Step.CONFIRM, Phase.AWAITING_CONFIRMATION, step) for step in (withdraw, recheck, confirm, cancel, stay_idle)),
    *((Step.SUBMIT_IDENTITY_PROOF, Phase.AWAITING_IDENTITY, step) for step in (withdraw, send_code, cancel, stay_idle)),
    (Step.CONFIRM, Phase.AWAITING_CONFIRMATION, start_again),
]


@pytest.mark.parametrize(("before", "phase", "step"), NEXT, ids=lambda it: getattr(it, "__name__", str(it)))
async def test_a_request_that_was_reset_to_before_the_closure_finds_out(
    service: Service, before: Step, phase: Phase, step: Next
) -> None:
    account, first = await closed(service)
    await reset_before(service, account, before)
    assert (await service.in_phase(account, phase)).certificate is None
    refused = await refusal_or_none(step(service, account))
    # There is nothing to withdraw from, or to send a code for, any more.
    assert refused is None or refused.details.get("phase") is None or refused.details["phase"] == Phase.CLOSED
    result = await service.request(account).result()
    assert (result.outcome, result.request_no, result.certificate) == (
        Phase.CLOSED,
        first.request_no,
        first.certificate,
    )
    assert not NEVER & set(await phases_shown(service, account))
    await closed_for_good(service, account)


async def test_a_reset_request_whose_account_cannot_be_read_for_a_while_still_finds_out(service: Service) -> None:
    account, first = await closed(service)
    await reset_before(service, account, Step.CONFIRM)
    await UNAVAILABLE.at(service, Endpoint.PROFILE, account, times=2)
    await stay_idle(service, account)
    assert (await service.request(account).result()).certificate == first.certificate
    await closed_for_good(service, account)


async def test_a_reset_that_applies_the_last_word_again_ends_where_it_ended(service: Service) -> None:
    account, first = await closed(service)
    await reset_before(service, account, Step.CONFIRM, leave_out=())
    assert (await service.request(account).result()).certificate == first.certificate
    assert not NEVER & set(await phases_shown(service, account))
    await closed_for_good(service, account)


# Later starts


async def test_a_later_start_is_answered_with_the_request_that_closed_the_account(service: Service) -> None:
    account, first = await closed(service)
    for _ in range(2):
        view = await service.start(account)
        assert (view.request_no, view.phase, view.certificate) == (first.request_no, Phase.CLOSED, first.certificate)
        assert (view.withdrawable, view.due_step) == (False, None)
        await assert_never_wedged(service, account)
    await closed_for_good(service, account)


async def test_a_closed_account_is_known_when_its_histories_are_gone(service: Service) -> None:
    account, first = await closed(service)
    await asyncio.gather(*(forget(service, handle) for handle in (service.request(account), service.deletion(account))))
    view = await service.start(account)
    assert (view.request_no, view.phase, view.certificate) == (first.request_no, Phase.CLOSED, first.certificate)
    assert (await service.cancellations.certificate_of_account(account)).request_no == first.request_no
    await closed_for_good(service, account)


async def forget(service: Service, handle: WorkflowHandle[Any, Any]) -> None:
    """As after its retention."""

    async def is_gone() -> bool:
        try:
            await handle.describe()
        except RPCError:
            return True
        return False

    await service.client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(
            namespace=service.client.namespace, workflow_execution=WorkflowExecution(workflow_id=handle.id)
        )
    )
    await eventually(is_gone, bool, 60)
