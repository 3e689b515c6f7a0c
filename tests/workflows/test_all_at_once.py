"""Temporal's cancel, a withdrawal and a signal by hand, in one workflow task with each answer of each activity."""

import asyncio

import pytest
from temporalio.api.enums.v1 import EventType

from domain.accounts import AccountStatus
from domain.errors import Refusal
from domain.messages import CancellationView, Resume, Withdraw, WithdrawalReason
from domain.phases import Phase, Step
from sandbox.kinds import Endpoint
from tests.service import SOMEBODY, Service, eventually
from tests.workflows.at_once import Advance, answer_in_waiting, count_events, send_update
from tests.workflows.tickets import (
    assert_replays,
    awaiting_notice,
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
    request = await answer_in_waiting(service, endpoint, account, prepare, step)
    await request.cancel()
    await request.signal("deletion_resumed", Resume(operator_id="ops-1"))
    withdrawal = await send_update(service, request, Step.WITHDRAW, Withdraw(by=SOMEBODY), CancellationView)
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


# A withdrawal alone


async def nothing(service: Service, account: str) -> None:
    """The step before the first."""


async def withdraw_with_the_answer_of(
    idle_service: Service, endpoint: Endpoint, prepare: Advance, step: Advance
) -> tuple[Service, str]:
    """Have a withdrawal and the answer of the call that `step` leads to arrive together."""
    service = own_queue(idle_service)
    account = await service.account()
    request = await answer_in_waiting(service, endpoint, account, prepare, step)
    withdrawal = await send_update(service, request, Step.WITHDRAW, Withdraw(by=SOMEBODY), CancellationView)
    async with service.worker():
        await asyncio.wait_for(withdrawal, 20)
        result = await asyncio.wait_for(request.result(), 20)
        await assert_replays(request)
    assert (result.outcome, result.withdrawal_reason) == (Phase.WITHDRAWN, WithdrawalReason.CHANGED_MIND)
    return service, account


async def test_a_withdrawal_with_the_first_word_about_the_account_ends_the_request(idle_service: Service) -> None:
    async def start(service: Service, account: str) -> None:
        starting = asyncio.create_task(service.start(account))
        await eventually(lambda: is_retrying(service.request(account)), bool)
        starting.cancel()

    await withdraw_with_the_answer_of(idle_service, Endpoint.PROFILE, nothing, start)


async def test_a_withdrawal_with_the_last_answer_of_the_checks_ends_the_request(idle_service: Service) -> None:
    async def identify(service: Service, account: str) -> None:
        await service.start(account)
        await service.identify(account)

    await withdraw_with_the_answer_of(idle_service, Endpoint.RESOURCES, identify, Service.accept_notice)


@pytest.mark.parametrize("endpoint", [Endpoint.TAKE_HOLD, Endpoint.ARREARS])
async def test_a_withdrawal_with_an_answer_before_the_close_leaves_the_account_open(
    idle_service: Service, endpoint: Endpoint
) -> None:
    service, account = await withdraw_with_the_answer_of(idle_service, endpoint, Service.to_report, Service.confirm)
    assert await service.store.calls(Endpoint.CLOSE, account) == []
    state = await service.store.account(account)
    assert (state.profile.status, state.held_until) == (AccountStatus.ACTIVE, None)
