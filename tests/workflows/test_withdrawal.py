"""Withdrawal: possible in every phase before the point of no return, and in none after it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

import pytest

from domain.accounts import AccountStatus
from domain.errors import ErrorType, Refusal
from domain.messages import WithdrawalReason
from domain.notifications import Template
from domain.phases import STEP_PHASES, Phase, Step
from domain.tickets import IgnoredBecause, ReviewStatus
from simulator.kinds import Endpoint, FaultKind
from tests.support.service import Service, eventually
from tests.support.tickets import (
    assert_replays,
    awaiting_confirmation,
    awaiting_identity,
    awaiting_notice,
    blocked,
    fault,
    file,
    is_retrying,
    refusal,
    refused_type,
    under_review,
)

# How to come to each phase; those that work are kept there by trouble at the platform.

Stay = Callable[[Service], AbstractAsyncContextManager[str]]


@asynccontextmanager
async def opening(service: Service) -> AsyncIterator[str]:
    account = await service.account()
    async with fault(service, Endpoint.PROFILE, FaultKind.ERROR, account_id=account, status=503):
        starting = asyncio.create_task(service.start(account))
        await eventually(lambda: phase_of(service, account), lambda phase: phase is Phase.OPENING)
        yield account
        await starting


@asynccontextmanager
async def checking(service: Service) -> AsyncIterator[str]:
    account = await awaiting_notice(service)
    async with fault(service, Endpoint.ARREARS, FaultKind.ERROR, account_id=account, status=503):
        await service.accept_notice(account)
        yield account


@asynccontextmanager
async def sealing_before_the_hold(service: Service) -> AsyncIterator[str]:
    account = await awaiting_confirmation(service)
    async with fault(service, Endpoint.TAKE_HOLD, FaultKind.ERROR, account_id=account, status=503):
        await service.confirm(account)
        yield account


@asynccontextmanager
async def sealing_under_the_hold(service: Service) -> AsyncIterator[str]:
    account = await awaiting_confirmation(service)
    async with fault(service, Endpoint.ICP_FILINGS, FaultKind.ERROR, account_id=account, status=503):
        await service.confirm(account)
        await until_held(service, account)
        yield account


async def at_review(service: Service) -> str:
    return (await under_review(service)).account_id


async def awaiting_materials(service: Service) -> str:
    case = await under_review(service)
    await case.ask_for_materials()
    return case.account_id


def waiting(come: Callable[[Service], Awaitable[str]]) -> Stay:
    """A phase that waits for people needs nothing to be kept."""

    @asynccontextmanager
    async def stay(service: Service) -> AsyncIterator[str]:
        yield await come(service)

    return stay


STAYS: dict[str, tuple[Phase, Stay]] = {
    "OPENING": (Phase.OPENING, opening),
    "AWAITING_IDENTITY": (Phase.AWAITING_IDENTITY, waiting(awaiting_identity)),
    "AWAITING_NOTICE": (Phase.AWAITING_NOTICE, waiting(awaiting_notice)),
    "CHECKING": (Phase.CHECKING, checking),
    "BLOCKED": (Phase.BLOCKED, waiting(blocked)),
    "AWAITING_CONFIRMATION": (Phase.AWAITING_CONFIRMATION, waiting(awaiting_confirmation)),
    "UNDER_REVIEW": (Phase.UNDER_REVIEW, waiting(at_review)),
    "AWAITING_MATERIALS": (Phase.AWAITING_MATERIALS, waiting(awaiting_materials)),
    "SEALING before the hold": (Phase.SEALING, sealing_before_the_hold),
    "SEALING under the hold": (Phase.SEALING, sealing_under_the_hold),
}


async def phase_of(service: Service, account: str) -> Phase | None:
    try:
        return (await service.cancellations.view(account)).phase
    except Refusal:
        return None


async def until_held(service: Service, account: str) -> None:
    await eventually(lambda: service.store.account(account), lambda state: state.held_until is not None)


async def assert_untouched(service: Service, account: str) -> None:
    """The account is open, and nothing that could not be undone was ever asked for."""
    state = await eventually(lambda: service.store.account(account), lambda found: found.held_until is None)
    assert state.profile.status is AccountStatus.ACTIVE
    obeyed = {call.endpoint for call in await service.store.calls(account_id=account)}
    assert not obeyed & {Endpoint.CLOSE, Endpoint.REVOKE_CREDENTIALS, Endpoint.PURGE_RESOURCES}


def test_every_phase_that_can_be_withdrawn_from_is_tried() -> None:
    assert {phase for phase, _ in STAYS.values()} == STEP_PHASES[Step.WITHDRAW]


async def until_told(service: Service, account: str, template: Template, request_no: str) -> None:
    async def told() -> set[str]:
        return {m.params["request_no"] for m in await service.store.outbox(account) if m.template is template}

    await eventually(told, lambda numbers: numbers == {request_no})


@pytest.mark.parametrize(("phase", "stay"), STAYS.values(), ids=STAYS)
async def test_an_owner_may_withdraw_at_any_time_before_the_close(service: Service, phase: Phase, stay: Stay) -> None:
    async with stay(service) as account:
        before = await service.cancellations.view(account)
        assert (before.phase, before.withdrawable) == (phase, True)
        view = await service.withdraw(account, WithdrawalReason.KEEP_SERVICES)
        assert (view.phase, view.withdrawable, view.due_step) == (Phase.WITHDRAWN, False, None)
        # At once, whatever the phase was waiting for.
        result = await asyncio.wait_for(service.request(account).result(), 20)
    assert (result.outcome, result.withdrawal_reason) == (Phase.WITHDRAWN, WithdrawalReason.KEEP_SERVICES)
    await assert_untouched(service, account)
    if phase is not Phase.OPENING:
        # By a workflow of its own, for which the request does not wait.
        await until_told(service, account, Template.CANCELLATION_WITHDRAWN, result.request_no)
    await assert_replays(service.request(account))


@pytest.mark.parametrize(("phase", "stay"), STAYS.values(), ids=STAYS)
async def test_temporals_own_cancel_is_a_withdrawal_by_operations(service: Service, phase: Phase, stay: Stay) -> None:
    async with stay(service) as account:
        await service.request(account).cancel()
        result = await asyncio.wait_for(service.request(account).result(), 20)
    assert (result.outcome, result.withdrawal_reason) == (Phase.WITHDRAWN, WithdrawalReason.OPERATOR_CANCELLED)
    await assert_untouched(service, account)
    await assert_replays(service.request(account))


@pytest.mark.parametrize("materials_first", [False, True], ids=["under review", "awaiting materials"])
async def test_the_review_of_a_withdrawn_request_is_called_off(service: Service, materials_first: bool) -> None:
    case = await under_review(service)
    if materials_first:
        await case.ask_for_materials()
    await service.withdraw(case.account_id)
    await case.request.result()
    view = await case.until_review(ReviewStatus.CALLED_OFF)
    assert len(view.decisions) == int(materials_first)
    # There is nothing left to decide, and nobody is told to.
    refused = await refusal(case.approve())
    assert (refused.type, refused.details["because"]) == (
        ErrorType.DECISION_REFUSED,
        IgnoredBecause.ALREADY_DECIDED,
    )
    assert (await case.review.result()).status is ReviewStatus.CALLED_OFF
    assert await case.messages(Template.TICKET_DUE_SOON) == []
    assert await case.messages(Template.TICKET_OVERDUE_LEAD) == []
    assert (await service.store.account(case.account_id)).profile.status is AccountStatus.ACTIVE
    await assert_replays(case.review)


@pytest.mark.parametrize("materials_first", [False, True], ids=["under review", "awaiting materials"])
async def test_a_review_that_is_cancelled_by_itself_gives_its_owner_the_turn(
    service: Service, materials_first: bool
) -> None:
    case = await under_review(service)
    if materials_first:
        await case.ask_for_materials()
    await case.review.cancel()
    view = await case.in_phase(Phase.BLOCKED)
    assert view.review is not None
    assert (view.review.status, view.due_step) == (ReviewStatus.CALLED_OFF, Step.RECHECK)
    assert view.lapses_at is not None
    assert await refused_type(case.approve()) is ErrorType.DECISION_REFUSED
    # The next ticket is decided as any other.
    again = await file(service, case.account_id)
    await again.approve()
    assert (await case.request.result()).outcome is Phase.CLOSED
    await assert_replays(case.request, case.review, again.review)


async def test_where_no_channel_is_verified_a_cancelled_review_leads_back_to_a_ticket(service: Service) -> None:
    account = await service.account(channels="")
    await service.start(account)
    case = await file(service, account)
    await case.review.cancel()
    view = await case.in_phase(Phase.AWAITING_IDENTITY)
    assert (view.due_step, view.identity_verified) == (Step.FILE_TICKET, False)
    again = await file(service, account)
    # Attested for the ticket that counts, and for no other.
    assert (await refusal(again.approve(waived=()))).details["because"] == IgnoredBecause.IDENTITY_NOT_ATTESTED
    await again.approve(waived=(), attested=True)
    assert (await case.request.result()).outcome is Phase.CLOSED
    await assert_replays(case.request, case.review)


async def test_a_cancelled_review_that_is_decided_changes_nothing(service: Service) -> None:
    case = await under_review(service)
    await case.approve()
    await case.review.cancel()
    assert (await case.request.result()).outcome is Phase.CLOSED
    assert (await case.view()).status is ReviewStatus.APPROVED


async def test_a_hold_that_cannot_be_released_lapses_by_itself(service: Service) -> None:
    async with sealing_under_the_hold(service) as account:
        await service.store.add_fault(
            Endpoint.RELEASE_HOLD, FaultKind.ERROR, account_id=account, times=None, status=503
        )
        await service.withdraw(account)
        await eventually(lambda: is_retrying(service.request(account)), bool)
        # The release is given up after its limit; the lease needs no one to end it.
        await service.env.fast_forward(service.request(account), timedelta(minutes=1))
        assert (await service.request(account).result()).outcome is Phase.WITHDRAWN
    state = await service.store.account(account)
    assert state.profile.status is AccountStatus.ACTIVE
    assert state.held_until is not None
    await service.store.let_time_pass(account, timedelta(minutes=15))
    # Free again for whoever comes next.
    await service.to_report(account)
    await service.confirm(account)
    assert (await service.request(account).result()).outcome is Phase.CLOSED


# Past the point of no return


async def test_while_the_close_is_under_way_a_withdrawal_is_refused(service: Service) -> None:
    account = await awaiting_confirmation(service)
    request = service.request(account)
    async with fault(service, Endpoint.CLOSE, FaultKind.ERROR, account_id=account, status=503):
        await service.confirm(account)
        view = await eventually(lambda: service.cancellations.view(account), lambda seen: not seen.withdrawable)
        assert view.phase is Phase.SEALING
        await assert_past_withdrawal(service, account, Phase.SEALING)
        # Temporal's own cancel is no way round: refused, counted and shown.
        await request.cancel()
        await eventually(lambda: service.cancellations.view(account), lambda seen: seen.cancels_refused == 1)
    assert (await request.result()).outcome is Phase.CLOSED
    assert (await service.cancellations.view(account)).cancels_refused == 1
    await assert_replays(request)


async def test_a_close_whose_answer_was_lost_cannot_be_withdrawn_from_either(service: Service) -> None:
    account = await awaiting_confirmation(service)
    async with fault(service, Endpoint.CLOSE, FaultKind.DROP, account_id=account):
        await service.confirm(account)
        await eventually(lambda: service.store.account(account), lambda s: s.profile.status is AccountStatus.CLOSED)
        await assert_past_withdrawal(service, account, Phase.SEALING)
    assert (await service.request(account).result()).outcome is Phase.CLOSED


async def test_while_the_deletion_runs_a_withdrawal_is_refused(service: Service) -> None:
    account = await awaiting_confirmation(service)
    async with fault(service, Endpoint.PURGE_RESOURCES, FaultKind.ERROR, account_id=account, status=503):
        await service.confirm(account)
        await service.in_phase(account, Phase.DELETING)
        await assert_past_withdrawal(service, account, Phase.DELETING)
        await service.request(account).cancel()
        await eventually(lambda: service.cancellations.view(account), lambda seen: seen.cancels_refused == 1)
    assert (await service.request(account).result()).outcome is Phase.CLOSED


async def assert_past_withdrawal(service: Service, account: str, phase: Phase) -> None:
    refused = await refusal(service.withdraw(account))
    assert (refused.type, refused.details["phase"]) == (ErrorType.POINT_OF_NO_RETURN, phase)
    view = await service.cancellations.view(account)
    assert (view.phase, view.withdrawal_reason) == (phase, None)


async def test_a_refused_close_makes_withdrawal_possible_again(service: Service) -> None:
    account = await awaiting_confirmation(service)
    refused = {"problem": ErrorType.ACCOUNT_NOT_CLOSABLE, "status": 409, "account_id": account}
    await service.store.add_fault(Endpoint.CLOSE, FaultKind.ERROR, times=1, **refused)
    await service.confirm(account)
    assert (await service.in_phase(account, Phase.BLOCKED)).withdrawable
    assert (await service.withdraw(account)).phase is Phase.WITHDRAWN
    assert (await service.request(account).result()).outcome is Phase.WITHDRAWN
    await assert_untouched(service, account)


async def test_a_request_that_has_ended_cannot_be_withdrawn(service: Service) -> None:
    account = await awaiting_identity(service)
    await service.withdraw(account)
    assert (await service.request(account).result()).withdrawal_reason is WithdrawalReason.CHANGED_MIND
    again = service.withdraw(account, WithdrawalReason.NOT_REQUESTED_BY_ME)
    assert await refused_type(again) is ErrorType.NOT_FOUND
