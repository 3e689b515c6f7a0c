"""Bad answers to the deletion: it goes on, says what it suffers from, and does nothing twice."""

import asyncio
from datetime import timedelta

import pytest

from domain.deletion import DeletionPhase, DeletionStatus, DeletionView, Verification
from domain.errors import ErrorType
from domain.notifications import Template
from domain.phases import Phase
from gateways.contract import CLOSURE_PHASES
from simulator.kinds import Endpoint, FaultKind
from tests.support.poison import (
    DROPPED,
    FINAL,
    GARBAGE,
    HEALING,
    NOT_FOUND,
    UNAVAILABLE,
    Poison,
    closed_for_good,
    gate,
    until_at,
)
from tests.support.service import Service, eventually
from tests.support.tickets import awaiting_confirmation, own_queue, refused_type

UNKNOWN = Poison("unknown", ErrorType.ACCOUNT_UNKNOWN, problem=ErrorType.ACCOUNT_UNKNOWN)
STALLING = [poison for poison in FINAL if poison.type is not ErrorType.ACCOUNT_UNKNOWN]


async def deletion(service: Service, account: str, *statuses: DeletionStatus) -> DeletionView:
    await service.in_phase(account, Phase.DELETING, Phase.DELETION_STALLED, Phase.CLOSED)
    return await eventually(lambda: service.cancellations.deletion(account), lambda view: view.status in statuses)


async def alarms(service: Service, template: Template, request_no: str) -> int:
    told = [message for message in await service.store.outbox() if message.template is template]
    return sum(request_no in message.params.values() for message in told)


async def until_alarms(service: Service, template: Template, request_no: str, number: int) -> None:
    await eventually(lambda: alarms(service, template, request_no), lambda found: found == number)


async def test_phases_whose_answers_were_lost_are_done_once(service: Service) -> None:
    async def live_through(poison: Poison) -> None:
        account = await awaiting_confirmation(service)
        for phase in CLOSURE_PHASES:
            await poison.at(service, Endpoint(phase.value), account, after=True)
        await service.confirm(account)
        # Also for a refused credential: that is ours to put right, and stops nothing.
        await closed_for_good(service, account)
        assert (
            await alarms(service, Template.DELETION_STALLED, (await service.cancellations.view(account)).request_no)
            == 0
        )

    await asyncio.gather(*(live_through(poison) for poison in (*HEALING, DROPPED)))


@pytest.mark.parametrize("poison", STALLING, ids=str)
async def test_a_final_refusal_of_work_that_was_done_stalls_and_resume_finishes_it(
    service: Service, poison: Poison
) -> None:
    account = await awaiting_confirmation(service)
    await poison.at(service, Endpoint.REVOKE_CREDENTIALS, account, after=True)
    await service.confirm(account)
    view = await deletion(service, account, DeletionStatus.STALLED)
    assert [(s.phase, s.error_type) for s in view.stalled] == [(DeletionPhase.REVOKE_CREDENTIALS, poison.type)]
    await until_alarms(service, Template.DELETION_STALLED, view.request_no, 1)
    await service.cancellations.resume_deletion(account, "ops-1")
    await closed_for_good(service, account)


async def test_an_account_that_is_unknown_past_its_closure_is_gone_already(service: Service) -> None:
    account = await awaiting_confirmation(service)
    await UNKNOWN.at(service, Endpoint.ERASE_PERSONAL_DATA, account, after=True)
    await service.confirm(account)
    await closed_for_good(service, account)
    receipts = {receipt.phase: receipt for receipt in (await service.cancellations.deletion(account)).receipts}
    assert [phase for phase, receipt in receipts.items() if receipt.already_gone] == [DeletionPhase.ERASE_PERSONAL_DATA]


@pytest.mark.parametrize("poison", [UNAVAILABLE, GARBAGE], ids=str)
async def test_a_phase_that_only_retries_is_shown_as_stuck_and_goes_on(service: Service, poison: Poison) -> None:
    account = await service.account()
    await service.to_report(account, stuck_after=timedelta(seconds=5))
    await poison.at(service, Endpoint.PURGE_RESOURCES, account, times=None)
    await service.confirm(account)
    view = await deletion(service, account, DeletionStatus.STUCK)
    [stuck] = view.stuck
    assert (stuck.phase, stuck.error_type) == (DeletionPhase.PURGE_RESOURCES, poison.type)
    assert stuck.attempts > 1
    assert stuck.since >= (await service.cancellations.view(account)).phase_since
    assert await refused_type(service.cancellations.resume_deletion(account, "ops-1")) is ErrorType.NOT_STALLED
    await until_alarms(service, Template.DELETION_STUCK, view.request_no, 1)
    # It is still at it an hour later, and nobody is told again.
    await service.env.fast_forward(service.deletion(account), timedelta(hours=1))
    again = await service.cancellations.deletion(account)
    assert (again.status, again.stuck[0].since) == (DeletionStatus.STUCK, stuck.since)
    await service.store.clear_faults()
    await service.env.fast_forward(service.deletion(account), timedelta(minutes=6))
    await closed_for_good(service, account)
    assert await alarms(service, Template.DELETION_STUCK, view.request_no) == 1
    assert await alarms(service, Template.DELETION_STALLED, view.request_no) == 0


async def test_resume_answers_at_once_while_nobody_can_be_told_and_since_is_the_first_failure(
    service: Service,
) -> None:
    account = await awaiting_confirmation(service)
    await NOT_FOUND.at(service, Endpoint.UNBIND_THIRD_PARTIES, account, times=2)
    # Messages to desks name no account.
    await service.store.add_fault(Endpoint.NOTIFY_CONTACT, FaultKind.ERROR, status=503, times=None)
    await service.confirm(account)
    [first] = (await deletion(service, account, DeletionStatus.STALLED)).stalled
    resumed = await asyncio.wait_for(service.cancellations.resume_deletion(account, "ops-1"), 5)
    assert resumed.status is DeletionStatus.RUNNING
    [second] = (await deletion(service, account, DeletionStatus.STALLED)).stalled
    assert second == first
    await service.store.clear_faults()
    await service.cancellations.resume_deletion(account, "ops-1")
    await closed_for_good(service, account)


async def test_a_verification_that_cannot_be_made_stalls_before_anything_is_touched(service: Service) -> None:
    account = await awaiting_confirmation(service)
    closing = await gate(service, Endpoint.CLOSE, account, after=True)
    await service.confirm(account)
    await until_at(service, closing)
    await NOT_FOUND.at(service, Endpoint.PROFILE, account)
    await service.store.open_gate(closing)
    view = await deletion(service, account, DeletionStatus.STALLED)
    assert [(s.phase, s.error_type) for s in view.stalled] == [(Verification.VERIFY_AUTHORITY, NOT_FOUND.type)]
    assert view.receipts == ()
    await service.cancellations.resume_deletion(account, "ops-1")
    await closed_for_good(service, account)


# Work that takes long


async def test_a_long_purge_outlives_a_restart_and_holds_up_no_owner(idle_service: Service) -> None:
    service = own_queue(idle_service)
    account = await service.account()
    before = (await service.store.account(account)).left[DeletionPhase.PURGE_RESOURCES]
    other = await service.account()
    async with service.worker():
        await service.to_report(account)
        await service.store.add_fault(Endpoint.PURGE_RESOURCES, FaultKind.LONG_WORK, account_id=account, seconds=3600)
        await service.confirm(account)
        await eventually(lambda: begun(service, account), lambda view: len(view.receipts) == 3)
        assert (await service.to_report(other)).phase is Phase.AWAITING_CONFIRMATION
    async with service.worker():
        await eventually(
            lambda: service.cancellations.deletion(account), lambda view: view.status is DeletionStatus.RUNNING
        )
        assert await service.store.calls(Endpoint.PURGE_RESOURCES, account) == []
        await service.store.let_time_pass(account, timedelta(hours=2))
    async with service.worker():
        await closed_for_good(service, account)
        [purged] = [
            r
            for r in (await service.cancellations.deletion(account)).receipts
            if r.phase is DeletionPhase.PURGE_RESOURCES
        ]
        assert purged.counts == before
        assert not purged.already_gone


async def begun(service: Service, account: str) -> DeletionView:
    await service.in_phase(account, Phase.DELETING)
    return await service.cancellations.deletion(account)
