"""Temporal's cancel, an update and a signal, in one workflow task with a timer that fired while no worker ran."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType

from domain.business_calendar import CALENDAR
from domain.errors import ErrorType, Refusal
from domain.messages import CancellationView, DecisionAnswer, Recheck
from domain.notifications import Template
from domain.phases import OUTCOMES, Phase, Step
from domain.tickets import Decision, DecisionReason, ReviewStatus
from simulator.kinds import Endpoint, FaultKind
from tests.support.at_once import (
    LIMIT,
    SIGNAL_TO_DELETION,
    SIGNAL_TO_REQUEST,
    SIGNAL_TO_REVIEW,
    activities_only,
    assert_account_kept,
    assert_deleted_undisturbed,
    came_together,
    count_events,
    each,
    fire,
    reject_and_disturb,
    resume_and_disturb,
    until_idle,
    until_pending,
    withdraw_and_disturb,
    workflows_only,
)
from tests.support.poison import FINAL, NOT_FOUND, UNAVAILABLE, assert_deleted_once, gate, until_at
from tests.support.service import SOMEBODY, Service, decision, eventually
from tests.support.tickets import (
    MARGIN,
    Case,
    assert_replays,
    awaiting_confirmation,
    awaiting_notice,
    is_retrying,
    no_task_has_failed,
    outcome_of,
    own_queue,
    skip_to,
    under_review,
)
from tests.workflows.test_idle_owner import TURNS, Come
from tests.workflows.test_promise import A_DAY, ShortDays

AN_HOUR = int(timedelta(hours=1).total_seconds())


def on_short_days(idle_service: Service) -> Service:
    return own_queue(idle_service, calendar=ShortDays(CALENDAR.years))


# Where a request waits for a timer


async def starting(service: Service) -> str:
    """With a platform that asks to be left alone."""
    account = await service.account()
    await UNAVAILABLE.at(service, Endpoint.PROFILE, account, times=1, retry_after_seconds=AN_HOUR)
    waiting.add(asyncio.ensure_future(outcome_of(service.start(account))))
    await until_pending(service.request(account), "The first phase")
    return account


async def rechecking(service: Service) -> str:
    """With somebody who does not wait for the platform any more, and somebody who does."""
    account = await starting(service)
    request = service.request(account)
    # A clock stops being skipped where a timer fires that no worker takes in: none must be due before.
    await skip_to(service, request, await until_pending(request, "The first phase") + MARGIN)
    waiting.add(asyncio.ensure_future(request.execute_update(Step.RECHECK, Recheck(by=SOMEBODY))))
    await until_pending(request, "Somebody waits for an answer")
    return account


waiting: set[asyncio.Future[Any]] = set()
"""Those whom the tests do not ask what they have been told."""


def reminded(come: Come) -> Come:
    """With an owner who has not come back since."""

    async def come_and_be_reminded(service: Service) -> str:
        account = await come(service)
        remind_at = await until_pending(service.request(account), "Remind the owner")
        await skip_to(service, service.request(account), remind_at + MARGIN)
        return account

    return come_and_be_reminded


async def lapsing_unread(service: Service) -> str:
    """Idle to the end, and the platform cannot say whether the account is open."""
    account = await reminded(awaiting_confirmation)(service)
    await NOT_FOUND.at(service, Endpoint.PROFILE, account)
    await skip_to(service, service.request(account), await until_pending(service.request(account), "Lapse") + MARGIN)
    return account


async def asked_for_materials(service: Service) -> str:
    # The clock of a request with a review cannot be skipped: idle for seconds instead of days.
    idle = {"owner_idle_limit": timedelta(seconds=16), "idle_reminder_before": timedelta(seconds=12)}
    case = await under_review(service, idle)
    await case.ask_for_materials()
    return case.account_id


async def not_holdable(service: Service) -> str:
    account = await awaiting_confirmation(service)
    released = {"problem": ErrorType.HOLD_RELEASED, "status": 409, "times": 3}
    await service.store.add_fault(Endpoint.TAKE_HOLD, FaultKind.ERROR, account_id=account, **released)
    await service.confirm(account)
    return account


async def put_off(service: Service) -> str:
    account = await awaiting_confirmation(service)
    await UNAVAILABLE.at(service, Endpoint.CLOSE, account, times=4)
    await service.confirm(account)
    await eventually(lambda: is_retrying(service.request(account)), bool)
    await service.env.fast_forward(service.request(account), timedelta(seconds=10))
    return account


async def not_released(service: Service) -> str:
    account = await awaiting_confirmation(service)
    await FINAL[0].at(service, Endpoint.CLOSE, account)
    await FINAL[0].at(service, Endpoint.RELEASE_HOLD, account)
    await service.confirm(account)
    return account


async def not_told(service: Service) -> str:
    """Whether the account is closed."""
    account = await awaiting_confirmation(service)
    await FINAL[0].at(service, Endpoint.CLOSE, account)
    unknown = await gate(service, Endpoint.RELEASE_HOLD, account)
    await service.confirm(account)
    await until_at(service, unknown)
    await NOT_FOUND.at(service, Endpoint.PROFILE, account)
    await service.store.open_gate(unknown)
    return account


async def asked_to_rest(service: Service) -> str:
    account = await awaiting_confirmation(service)
    await UNAVAILABLE.at(service, Endpoint.TAKE_HOLD, account, times=1, retry_after_seconds=AN_HOUR)
    await service.confirm(account)
    return account


async def approved_and_hanging(service: Service) -> str:
    case = await under_review(service)
    await UNAVAILABLE.at(service, Endpoint.TAKE_HOLD, case.account_id, times=1, retry_after_seconds=AN_HOUR)
    await case.approve()
    return case.account_id


async def deletion_terminated(service: Service) -> str:
    account = await awaiting_confirmation(service)
    await UNAVAILABLE.at(service, Endpoint.PURGE_RESOURCES, account, times=1, retry_after_seconds=AN_HOUR)
    await service.confirm(account)
    await until_pending(service.deletion(account), "asks to be left alone")
    await service.deletion(account).terminate("by somebody")
    return account


@dataclass
class Standing:
    """A request that waits for a timer, and how it may end when that fires together with all the rest."""

    name: str
    come: Come
    timer: str
    ends: tuple[Phase, ...] = (Phase.WITHDRAWN,)
    account_id: str = ""
    withdrawal: asyncio.Task[CancellationView] = field(init=False)
    met: set[str] = field(init=False)

    def __str__(self) -> str:
        return f"{self.name}: {self.timer}"


LAPSED = (Phase.WITHDRAWN, Phase.LAPSED)

OWNERS = [
    *(Standing(phase, come, "Remind the owner") for phase, come in TURNS.items()),
    *(Standing(phase, reminded(come), "Lapse", LAPSED) for phase, come in TURNS.items()),
    Standing("AWAITING_MATERIALS", asked_for_materials, "Remind the owner", LAPSED),
]
WAITING = [
    Standing("opening", starting, "The first phase"),
    Standing("opening", rechecking, "Somebody waits for an answer"),
]
OTHERS = [
    Standing("lapsing", lapsing_unread, "Nobody can say what the account is", LAPSED),
    Standing("sealing", not_holdable, "The platform takes every hold for released"),
    Standing("sealing", put_off, "The platform did not close"),
    Standing("sealing", asked_to_rest, "asks to be left alone"),
    Standing("sealing, approved", approved_and_hanging, "REMIND ticket"),
    Standing("closing", not_released, "The hold may still be alive", (Phase.BLOCKED,)),
    Standing("closing", not_told, "It is not known whether the account is closed", (Phase.BLOCKED,)),
    Standing("deleting", deletion_terminated, "Look for the certificate", (Phase.CLOSED,)),
]


@pytest.mark.parametrize("standings", [OWNERS, WAITING, OTHERS], ids=["idle", "waiting", "others"])
async def test_a_request_goes_on_rightly_whatever_comes_with_a_timer(
    idle_service: Service, standings: list[Standing]
) -> None:
    service = on_short_days(idle_service)

    async def come(standing: Standing) -> None:
        standing.account_id = await standing.come(service)
        await until_pending(service.request(standing.account_id), standing.timer)

    async def meet(standing: Standing) -> None:
        await fire(service, service.request(standing.account_id), standing.timer)
        standing.withdrawal = await withdraw_and_disturb(service, standing.account_id)

    async def end(standing: Standing) -> None:
        account, request = standing.account_id, service.request(standing.account_id)
        told = await asyncio.wait_for(outcome_of(standing.withdrawal), LIMIT)
        phase = (await service.in_phase(account, *OUTCOMES, *standing.ends, seconds=LIMIT)).phase
        assert phase in standing.ends
        if phase in LAPSED:
            assert isinstance(told, CancellationView) or told in (ErrorType.WRONG_PHASE, ErrorType.NOT_FOUND)
            await asyncio.wait_for(request.result(), LIMIT)
        else:
            assert told is ErrorType.POINT_OF_NO_RETURN
            assert (await service.cancellations.view(account)).cancels_refused == 1
        await (assert_deleted_once if phase is Phase.CLOSED else assert_account_kept)(service, account)
        standing.met = await came_together(request, SIGNAL_TO_REQUEST)
        await no_task_has_failed(request)
        await assert_replays(request)

    async with activities_only(service):
        async with workflows_only(service):
            await each(standings, come)
            await until_idle(*(service.request(standing.account_id) for standing in standings))
        await each(standings, meet)
        async with workflows_only(service):
            await each(standings, end)
    # On a busy machine a short one fires before the workers stop, or a task is begun again without its update.
    assert any(standing.met >= ALL_AT_ONCE for standing in standings)
    await asyncio.gather(*waiting, return_exceptions=True)
    waiting.clear()


ALL_AT_ONCE = {
    "TIMER_FIRED",
    "WORKFLOW_EXECUTION_CANCEL_REQUESTED",
    "WORKFLOW_EXECUTION_SIGNALED",
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
}


async def test_a_deletion_goes_on_whatever_comes_with_the_end_of_a_pause(idle_service: Service) -> None:
    service = own_queue(idle_service)
    pause = "asks to be left alone"
    async with activities_only(service):
        async with workflows_only(service):
            account = await awaiting_confirmation(service)
            await UNAVAILABLE.at(service, Endpoint.PURGE_RESOURCES, account, times=1, retry_after_seconds=AN_HOUR)
            await service.confirm(account)
            await until_pending(service.deletion(account), pause)
            await until_idle(service.deletion(account))
        await fire(service, service.deletion(account), pause)
        resuming = await resume_and_disturb(service, account)
        async with workflows_only(service):
            await assert_deleted_undisturbed(service, account, await asyncio.wait_for(outcome_of(resuming), LIMIT))
            met = await came_together(service.deletion(account), SIGNAL_TO_DELETION)
            await no_task_has_failed(service.deletion(account))
            await assert_replays(service.deletion(account))
    assert met >= ALL_AT_ONCE - {"WORKFLOW_EXECUTION_UPDATE_ACCEPTED"}


# The clock of a review


@dataclass
class Alarmed:
    """A review whose next alarm this is, with or without a decision that comes along with it."""

    alarm: str
    days: int
    decided: bool
    materials_first: bool = False
    case: Case = field(init=False)
    rejection: Decision = field(init=False)
    deciding: asyncio.Task[DecisionAnswer] | None = None


ALARMS = [("REMIND", 0), ("ESCALATE", 1), ("REMIND_AGAIN", 3), ("CEILING", 8)]
"""With the day, of the short ones, after which each is the next."""


@pytest.mark.parametrize("decided", [True, False], ids=["decided", "called off"])
async def test_a_review_ends_once_whatever_comes_with_an_alarm(idle_service: Service, decided: bool) -> None:
    service = on_short_days(idle_service)
    reviews = [
        *(Alarmed(alarm, days, decided) for alarm, days in ALARMS),
        Alarmed("CEILING", 0, decided, materials_first=True),
    ]

    async def come(alarmed: Alarmed) -> None:
        alarmed.case = case = await under_review(service)
        if alarmed.materials_first:
            await case.ask_for_materials()
        if alarmed.days:
            await case.skip_to((await case.clock()).filed_at + alarmed.days * A_DAY + MARGIN)
        await until_pending(case.review, f"{alarmed.alarm} ticket")
        alarmed.rejection = decision(await case.view(), DecisionReason.DISPUTE_OPEN)

    async def meet(alarmed: Alarmed) -> None:
        await fire(service, alarmed.case.review, f"{alarmed.alarm} ticket")
        if alarmed.decided:
            alarmed.deciding = await reject_and_disturb(service, alarmed.rejection)
        else:
            await alarmed.case.review.cancel()

    async def end(alarmed: Alarmed) -> None:
        case = alarmed.case
        result = await asyncio.wait_for(service.review(case.ticket_no).result(), LIMIT)
        if alarmed.deciding:
            assert (await asyncio.wait_for(alarmed.deciding, LIMIT)).status is ReviewStatus.REJECTED
            assert (result.status, result.decision and result.decision.decision) == (
                ReviewStatus.REJECTED,
                alarmed.rejection,
            )
            assert (await asyncio.wait_for(case.request.result(), LIMIT)).outcome is Phase.REJECTED
            assert "TIMER_FIRED" in await came_together(case.review, SIGNAL_TO_REVIEW)
        else:
            assert result.status is ReviewStatus.CALLED_OFF
            await case.in_phase(Phase.BLOCKED)
        for said_once in (Template.TICKET_DUE_SOON, Template.TICKET_CEILING_ALARM):
            assert len(await case.messages(said_once)) <= 1
        await no_task_has_failed(case.review, case.request)
        await assert_replays(case.review, case.request)

    async with activities_only(service):
        async with workflows_only(service):
            await each(reviews, come)
            await until_idle(*(alarmed.case.review for alarmed in reviews))
        await each(reviews, meet)
        async with workflows_only(service):
            await each(reviews, end)


# With a re-check


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
