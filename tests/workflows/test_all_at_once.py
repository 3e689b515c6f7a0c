"""Temporal's cancel, a withdrawal and a signal by hand, in one workflow task with each answer of each activity."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from temporalio.api.enums.v1 import EventType

from domain.accounts import AccountStatus
from domain.errors import Refusal
from domain.messages import Resume, Withdraw, WithdrawalReason
from domain.phases import Phase, Step
from sandbox.kinds import Endpoint, FaultKind
from tests.service import SOMEBODY, Service, eventually
from tests.workflows.test_races import Advance, activities_only, count_events, is_admitted
from tests.workflows.tickets import (
    assert_replays,
    awaiting_notice,
    fault,
    is_retrying,
    no_task_has_failed,
    own_queue,
)

CHECKS = (
    Endpoint.BALANCE,
    Endpoint.ARREARS,
    Endpoint.PROVIDER_ROLES,
    Endpoint.ICP_FILINGS,
    Endpoint.RESOURCES,
    Endpoint.ENTITLEMENTS,
)


async def to_notice(service: Service, account: str) -> None:
    await service.start(account)
    await service.identify(account)


ROUTES: list[tuple[str, Endpoint, Advance, Advance]] = [
    *(("checking", endpoint, to_notice, Service.accept_notice) for endpoint in CHECKS),
    *(
        ("sealing", endpoint, Service.to_report, Service.confirm)
        for endpoint in (*CHECKS, Endpoint.PROFILE, Endpoint.TAKE_HOLD)
    ),
]


@pytest.mark.parametrize(
    ("endpoint", "prepare", "step"), [route[1:] for route in ROUTES], ids=[f"{r[0]}-{r[1]}" for r in ROUTES]
)
async def test_a_cancel_a_withdrawal_and_a_signal_with_an_answer_end_the_request_and_keep_the_account(
    idle_service: Service, endpoint: Endpoint, prepare: Advance, step: Advance
) -> None:
    service = own_queue(idle_service)
    account = await service.account()
    request = service.request(account)
    completed = EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED
    async with AsyncExitStack() as trouble:
        async with service.worker():
            await prepare(service, account)
            await trouble.enter_async_context(fault(service, endpoint, FaultKind.ERROR, account_id=account, status=503))
            await step(service, account)
            await eventually(lambda: is_retrying(request), bool)
        answers = await count_events(request, completed)
    async with activities_only(service):
        await eventually(lambda: count_events(request, completed), lambda n: n > answers)
    await request.cancel()
    await request.signal("deletion_resumed", Resume(operator_id="ops-1"))
    withdrawal = asyncio.create_task(request.execute_update(Step.WITHDRAW, Withdraw(by=SOMEBODY), id="withdrawal"))
    await eventually(lambda: is_admitted(service, request.id, "withdrawal"), bool)
    async with service.worker():
        result = await asyncio.wait_for(request.result(), 20)
        # Which of the two came first is nobody's business: both are one end.
        await asyncio.wait({withdrawal}, timeout=20)
        assert withdrawal.done()
        withdrawal.exception()
        await assert_replays(request)
    assert result.outcome is Phase.WITHDRAWN
    assert result.withdrawal_reason in (WithdrawalReason.CHANGED_MIND, WithdrawalReason.OPERATOR_CANCELLED)
    await no_task_has_failed(request)
    assert await service.store.calls(Endpoint.CLOSE, account) == []
    state = await service.store.account(account)
    assert (state.profile.status, state.held_until) == (AccountStatus.ACTIVE, None)


async def test_a_lapse_that_fired_while_no_worker_ran_and_a_recheck_leave_one_end(idle_service: Service) -> None:
    service = own_queue(idle_service)
    async with service.worker():
        account = await awaiting_notice(service)
        await service.accept_notice(account)
        await service.in_phase(account, Phase.AWAITING_CONFIRMATION)
    request = service.request(account)
    fired = await count_events(request, EventType.EVENT_TYPE_TIMER_FIRED)
    skipping = asyncio.create_task(service.env.fast_forward(request))
    await eventually(lambda: count_events(request, EventType.EVENT_TYPE_TIMER_FIRED), lambda n: n > fired)
    checking = asyncio.create_task(service.recheck(account))
    async with service.worker():
        try:
            view = await asyncio.wait_for(checking, 30)
            assert view.phase is Phase.AWAITING_CONFIRMATION
            await service.withdraw(account)
        except Refusal:
            assert (await asyncio.wait_for(request.result(), 20)).outcome is Phase.LAPSED
        assert (await asyncio.wait_for(request.result(), 20)).outcome in (Phase.LAPSED, Phase.WITHDRAWN)
        skipping.cancel()
        await assert_replays(request)
    await no_task_has_failed(request)
