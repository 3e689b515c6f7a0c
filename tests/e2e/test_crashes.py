"""Processes killed at the worst moments: nothing is lost, nothing is done twice."""

import asyncio

import pytest
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.service import RPCError

from devtools.demo.stack import Stack
from domain.ids import cancellation_workflow_id, deletion_workflow_id
from domain.phases import Phase
from gateways.contract import CLOSURE_PHASES
from simulator.kinds import Effect, Endpoint, FaultKind
from tests.e2e.conftest import Owner, new_owner
from tests.support.service import eventually

pytestmark = pytest.mark.timeout(180)

SLOW_CALLS = {
    "check_resources": Endpoint.RESOURCES,
    "take_hold": Endpoint.TAKE_HOLD,
    "close_account": Endpoint.CLOSE,
    "revoke_credentials": Endpoint.REVOKE_CREDENTIALS,
    "unbind_third_parties": Endpoint.UNBIND_THIRD_PARTIES,
    "forfeit_entitlements": Endpoint.FORFEIT_ENTITLEMENTS,
    "purge_resources": Endpoint.PURGE_RESOURCES,
    "send_final_notice": Endpoint.NOTIFY_ACCOUNT,
    "erase_personal_data": Endpoint.ERASE_PERSONAL_DATA,
}
"""Activities, and the calls in whose middle they are killed."""

SLOWER_THAN_THE_CALLER_WAITS = 6.0
"""Seconds. The platform goes on with a call whose caller is gone, so that a retry meets an effect already there."""

CLOSURE_CALLS = (Endpoint.CLOSE, *(Endpoint(phase) for phase in CLOSURE_PHASES))


async def assert_closed_exactly_once(stack: Stack, owner: Owner) -> None:
    assert (await owner.result()).outcome is Phase.CLOSED
    for endpoint in CLOSURE_CALLS:
        calls = await stack.store.calls(endpoint, owner.account_id)
        assert [call.effect for call in calls].count(Effect.APPLIED) == 1, (owner.account_id, endpoint, calls)
    state = await stack.store.account(owner.account_id)
    assert not any(count for left in state.left.values() for count in left.values())


async def is_in_flight(stack: Stack, owner: Owner, activity: str) -> bool:
    """Whether the worker is inside this activity now, in the request or in its deletion."""
    for workflow_id in (cancellation_workflow_id(owner.account_id), deletion_workflow_id(owner.account_id)):
        try:
            described = await stack.client.get_workflow_handle(workflow_id).describe()
        except RPCError:
            continue
        for pending in described.raw_description.pending_activities:
            started = pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
            if started and pending.activity_type.name == activity:
                return True
    return False


async def test_a_worker_killed_in_the_middle_of_every_call_loses_nothing_and_does_nothing_twice(stack: Stack) -> None:
    """One account for each call that changes something, held inside it by a slow platform; one `kill -9` for all."""
    owners = {activity: await new_owner(stack, endpoint.value) for activity, endpoint in SLOW_CALLS.items()}
    for owner in owners.values():
        await owner.to_confirmation()
    for activity, owner in owners.items():
        await stack.store.add_fault(
            SLOW_CALLS[activity],
            FaultKind.LATENCY,
            account_id=owner.account_id,
            seconds=SLOWER_THAN_THE_CALLER_WAITS,
            times=None,
        )
    await asyncio.gather(*(owner.confirm() for owner in owners.values()))

    async def not_yet_in_flight() -> list[str]:
        return [activity for activity, owner in owners.items() if not await is_in_flight(stack, owner, activity)]

    await eventually(not_yet_in_flight, lambda missing: not missing, seconds=60)
    await stack.worker.kill()
    await stack.store.clear_faults()
    await stack.worker.start()
    for owner in owners.values():
        await assert_closed_exactly_once(stack, owner)


async def test_a_worker_killed_when_the_certificate_is_due_issues_one(stack: Stack) -> None:
    owner = await new_owner(stack, "certificate")
    await owner.to_confirmation()
    await owner.confirm()
    await eventually(lambda: stack.store.calls(Endpoint.ERASE_PERSONAL_DATA, owner.account_id), bool)
    await stack.worker.kill()
    await stack.worker.start()
    await assert_closed_exactly_once(stack, owner)
    certificate = await stack.cancellations.certificate((await owner.result()).request_no)
    assert certificate.account_id == owner.account_id


async def test_temporal_killed_and_restarted_in_the_middle_of_a_deletion_loses_nothing(stack: Stack) -> None:
    owner, waiting = await new_owner(stack, "temporal"), await new_owner(stack, "waiting")
    await waiting.to_confirmation()
    await owner.to_confirmation()
    await stack.store.add_fault(Endpoint.PURGE_RESOURCES, FaultKind.LATENCY, account_id=owner.account_id, seconds=2.0)
    await owner.confirm()
    await eventually(lambda: is_in_flight(stack, owner, "purge_resources"), bool)
    await stack.temporal.kill()
    await stack.temporal.start()
    await assert_closed_exactly_once(stack, owner)
    assert (await stack.cancellations.view(waiting.account_id)).phase is Phase.AWAITING_CONFIRMATION
    await waiting.confirm()
    await assert_closed_exactly_once(stack, waiting)


async def test_a_worker_told_to_stop_drains_and_its_successor_goes_on(stack: Stack) -> None:
    owner = await new_owner(stack, "drain")
    await owner.to_confirmation()
    await stack.store.add_fault(Endpoint.PURGE_RESOURCES, FaultKind.LATENCY, account_id=owner.account_id, seconds=1.5)
    await owner.confirm()
    await eventually(lambda: is_in_flight(stack, owner, "purge_resources"), bool)
    await stack.worker.stop()
    assert not await is_in_flight(stack, owner, "purge_resources"), "drained: done and reported, not cut off"
    await stack.worker.start()
    await assert_closed_exactly_once(stack, owner)
    assert len(await stack.store.calls(Endpoint.PURGE_RESOURCES, owner.account_id)) == 1
