"""An owner who has the turn and does nothing: reminded, and in the end the request lapses. Never while staff decide."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest
from temporalio.api.enums.v1 import EventType

from domain.accounts import AccountStatus, Channel
from domain.messages import CancellationView
from domain.notifications import Template
from domain.phases import Phase, Step, due_step
from domain.tickets import ReviewStatus
from simulator.kinds import Endpoint, FaultKind
from simulator.views import OutboxMessage
from tests.support.at_once import pending_timers
from tests.support.poison import gate, until_at
from tests.support.service import Service, eventually, owner_of
from tests.support.tickets import (
    MARGIN,
    assert_replays,
    awaiting_confirmation,
    awaiting_identity,
    awaiting_notice,
    blocked,
    fault,
    is_retrying,
    put_unchecked,
    refused_type,
    skip_to,
    under_review,
)

A_WEEK = timedelta(days=7)
THIRTY_DAYS = timedelta(days=30)

Come = Callable[[Service], Awaitable[str]]


TURNS: dict[Phase, Come] = {
    Phase.AWAITING_IDENTITY: awaiting_identity,
    Phase.AWAITING_NOTICE: awaiting_notice,
    Phase.BLOCKED: blocked,
    Phase.AWAITING_CONFIRMATION: awaiting_confirmation,
}
"""How to come to each phase in which it is the owner's turn. AWAITING_MATERIALS, with its review, has its own test."""


async def lapse_instant(service: Service, account: str) -> datetime:
    view = await service.cancellations.view(account)
    assert view.lapses_at is not None
    return view.lapses_at


async def messages(service: Service, account: str, template: Template) -> list[OutboxMessage]:
    return [message for message in await service.store.outbox(account) if message.template is template]


async def reminders(service: Service, account: str, number: int = 1) -> list[str]:
    """The day of lapsing that each reminder names, one of the two messages of each."""
    found = await eventually(
        lambda: messages(service, account, Template.CANCELLATION_LAPSING), lambda all_: len(all_) >= 2 * number
    )
    assert len(found) == 2 * number
    return [message.params["lapses_at"] for message in found[::2]]


def test_every_phase_that_is_the_owners_turn_is_tried() -> None:
    turns = {phase for phase in Phase if due_step(phase)}
    assert turns == set(TURNS) | {Phase.AWAITING_MATERIALS}


@pytest.mark.parametrize(("phase", "come"), TURNS.items())
async def test_an_idle_owner_is_reminded_a_week_before_and_the_request_lapses(
    service: Service, phase: Phase, come: Come
) -> None:
    account = await come(service)
    request = service.request(account)
    view = await service.cancellations.view(account)
    assert (view.phase, view.lapses_at) == (phase, view.phase_since + THIRTY_DAYS)
    lapses_at = await lapse_instant(service, account)

    await skip_to(service, request, lapses_at - A_WEEK - timedelta(hours=1))
    assert await messages(service, account, Template.CANCELLATION_LAPSING) == []
    await skip_to(service, request, lapses_at - A_WEEK + MARGIN)
    assert await reminders(service, account) == [lapses_at.isoformat()]
    await skip_to(service, request, lapses_at - timedelta(hours=1))
    assert (await service.cancellations.view(account)).phase is phase

    await skip_to(service, request, lapses_at + MARGIN)
    result = await request.result()
    assert (result.outcome, result.withdrawal_reason) == (Phase.LAPSED, None)
    # By a workflow of its own, for which the request does not wait.
    await eventually(lambda: messages(service, account, Template.CANCELLATION_LAPSED), lambda found: len(found) == 2)
    assert (await service.store.account(account)).profile.status is AccountStatus.ACTIVE
    assert await service.store.calls(Endpoint.TAKE_HOLD, account) == []
    await assert_replays(request)


async def test_an_owner_without_a_channel_lapses_without_a_message(service: Service) -> None:
    account = await service.account(channels="")
    await service.start(account)
    await service.env.fast_forward(service.request(account), THIRTY_DAYS + MARGIN)
    assert (await service.request(account).result()).outcome is Phase.LAPSED
    assert await service.store.outbox(account) == []


async def test_a_request_does_not_fail_because_the_account_cannot_be_read_when_it_lapses(service: Service) -> None:
    account = await awaiting_confirmation(service)
    request = service.request(account)
    async with fault(service, Endpoint.PROFILE, FaultKind.ERROR, account_id=account, status=404):
        await service.env.fast_forward(request, THIRTY_DAYS + MARGIN)
        view = await service.cancellations.view(account)
        assert (view.phase, view.run_ended) == (Phase.AWAITING_CONFIRMATION, None)
    await service.env.fast_forward(request, timedelta(hours=1))
    assert (await request.result()).outcome is Phase.LAPSED


# Doing something


async def send_code(service: Service, account: str) -> CancellationView:
    return await service.cancellations.send_code(account, Channel.EMAIL, owner_of(account))


async def recheck(service: Service, account: str) -> CancellationView:
    return await service.recheck(account)


async def file_in_vain(service: Service, account: str) -> CancellationView:
    """A step that was refused shows all the same that the owner is there."""
    other = await service.account()
    await refused_type(
        service.cancellations.file_ticket(
            account, await put_unchecked(service, account, account_id=other), owner_of(account)
        )
    )
    return await service.cancellations.view(account)


@pytest.mark.parametrize(
    ("come", "act"),
    [(awaiting_identity, send_code), (blocked, recheck), (blocked, file_in_vain), (awaiting_confirmation, recheck)],
)
async def test_whatever_the_owner_does_gives_another_thirty_days(
    service: Service, come: Come, act: Callable[[Service, str], Awaitable[CancellationView]]
) -> None:
    account = await come(service)
    request = service.request(account)
    first = await lapse_instant(service, account)
    # After the reminder, and before the end.
    await skip_to(service, request, first - timedelta(days=1))
    assert await reminders(service, account) == [first.isoformat()]
    await act(service, account)
    second = await lapse_instant(service, account)
    assert timedelta(days=28) < second - first < THIRTY_DAYS

    await skip_to(service, request, first + timedelta(days=1))
    assert (await service.cancellations.view(account)).lapses_at == second
    await skip_to(service, request, second - timedelta(days=1))
    assert await reminders(service, account, 2) == [first.isoformat(), second.isoformat()]
    await skip_to(service, request, second + MARGIN)
    assert (await request.result()).outcome is Phase.LAPSED
    await assert_replays(request)


async def test_looking_is_not_doing(service: Service) -> None:
    account = await awaiting_identity(service)
    first = await lapse_instant(service, account)
    await skip_to(service, service.request(account), first - timedelta(days=1))
    await service.start(account)
    await service.cancellations.view(account)
    assert await lapse_instant(service, account) == first


async def test_a_reminder_that_cannot_be_sent_holds_up_nobody(service: Service) -> None:
    account = await blocked(service, {"identity_lifetime": THIRTY_DAYS})
    request = service.request(account)
    first = await lapse_instant(service, account)
    async with fault(service, Endpoint.NOTIFY_ACCOUNT, FaultKind.ERROR, account_id=account, status=503):
        await skip_to(service, request, first - A_WEEK + MARGIN)
        await eventually(lambda: is_retrying(request), bool)
        # The owner comes back while the reminder is still being tried.
        await service.store.set_facts(account, icp_applications_ever=0)
        assert (await service.recheck(account)).phase is Phase.AWAITING_CONFIRMATION
        await service.confirm(account)
        await service.in_phase(account, Phase.DELETING, Phase.CLOSED)
    assert (await request.result()).outcome is Phase.CLOSED
    await assert_replays(request)


async def test_a_step_while_the_reminder_is_being_sent_counts(service: Service) -> None:
    account = await awaiting_identity(service)
    request = service.request(account)
    first = await lapse_instant(service, account)
    async with fault(service, Endpoint.NOTIFY_ACCOUNT, FaultKind.ERROR, account_id=account, status=503):
        await skip_to(service, request, first - A_WEEK + MARGIN)
        await eventually(lambda: is_retrying(request), bool)
        await send_code(service, account)
    second = await lapse_instant(service, account)
    await skip_to(service, request, first + MARGIN)
    assert (await service.cancellations.view(account)).phase is Phase.AWAITING_IDENTITY
    await skip_to(service, request, second + MARGIN)
    assert (await request.result()).outcome is Phase.LAPSED


async def test_a_step_while_the_account_is_read_for_the_last_time_counts(service: Service) -> None:
    account = await awaiting_identity(service)
    request = service.request(account)
    first = await lapse_instant(service, account)
    await skip_to(service, request, first - A_WEEK + MARGIN)
    await reminders(service, account)
    last_look = await gate(service, Endpoint.PROFILE, account)
    await skip_to(service, request, first + MARGIN)
    await until_at(service, last_look)
    await send_code(service, account)
    second = await lapse_instant(service, account)
    await service.store.open_gate(last_look)
    await eventually(lambda: pending_timers(request), lambda timers: list(timers) == ["Remind the owner"])
    assert (await service.cancellations.view(account)).phase is Phase.AWAITING_IDENTITY
    await skip_to(service, request, second - A_WEEK + MARGIN)
    await skip_to(service, request, second + MARGIN)
    assert (await request.result()).outcome is Phase.LAPSED
    assert len(await reminders(service, account, 2)) == 2
    await assert_replays(request)


# With a review


IN_SECONDS = {"owner_idle_limit": timedelta(seconds=9), "idle_reminder_before": timedelta(seconds=5)}
"""In real time: the clock of a request cannot be skipped while a review runs."""


async def test_a_request_under_review_never_lapses(service: Service) -> None:
    case = await under_review(service, IN_SECONDS)
    view = await service.cancellations.view(case.account_id)
    assert (view.phase, view.due_step, view.lapses_at) == (Phase.UNDER_REVIEW, None, None)
    # The one timer that ran on from the owner's turn fires, and none follows it.
    await eventually(lambda: pending_timers(case.request), lambda timers: not timers)
    view = await service.cancellations.view(case.account_id)
    assert view.phase is Phase.UNDER_REVIEW
    assert await messages(service, case.account_id, Template.CANCELLATION_LAPSING) == []


async def test_however_many_steps_an_owner_takes_there_is_one_timer(service: Service) -> None:
    account = await awaiting_confirmation(service)
    for _ in range(3):
        await service.cancellations.recheck(account, owner_of(account))
    events = [event.event_type for event in (await service.request(account).fetch_history()).events]
    # The other one is the limit of whoever waits for the first phase.
    assert events.count(EventType.EVENT_TYPE_TIMER_STARTED) == 2
    assert list(await pending_timers(service.request(account))) == ["Remind the owner"]


async def test_an_owner_who_supplies_nothing_lapses_and_the_review_is_called_off(service: Service) -> None:
    case = await under_review(service, IN_SECONDS)
    view = await case.ask_for_materials()
    assert (view.due_step, view.lapses_at) == (Step.SUPPLY_MATERIALS, view.phase_since + timedelta(seconds=9))
    result = await case.request.result()
    assert result.outcome is Phase.LAPSED
    assert await reminders(service, case.account_id) == [view.lapses_at and view.lapses_at.isoformat()]
    assert (await case.until_review(ReviewStatus.CALLED_OFF)).decisions != ()
    assert (await service.store.account(case.account_id)).profile.status is AccountStatus.ACTIVE
    await assert_replays(case.request, case.review)
