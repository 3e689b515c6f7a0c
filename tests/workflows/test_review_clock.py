"""The review's clock: reminder, escalation, ceiling. Silence is never approval and never rejection.

Every instant is the calendar's own answer for the moment of filing, so that these tests hold on any day of the year.
"""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowHandle

from domain.business_calendar import CALENDAR, SHANGHAI, BusinessCalendar, estimate, load
from domain.checks import Check
from domain.messages import ReviewClock
from domain.notifications import StaffDesk, Template
from domain.phases import Phase
from domain.review_alarms import delay_of
from domain.tickets import DecisionReason, ReviewStatus
from simulator.kinds import Carrier
from tests.support.service import Service, eventually
from tests.support.tickets import MARGIN, Case, assert_replays, own_queue, under_review
from workflows.common.search_attributes import SLA_BREACHED, TICKET_DUE_AT

NO_TIME = timedelta(0)


async def timers_fired(handle: WorkflowHandle[Any, Any]) -> list[datetime]:
    """When the review's timers fired, on its own clock."""
    return [
        event.event_time.ToDatetime(UTC)
        for event in (await handle.fetch_history()).events
        if event.event_type == EventType.EVENT_TYPE_TIMER_FIRED
    ]


async def alarms(handle: WorkflowHandle[Any, Any]) -> list[datetime]:
    """The same, to the hour."""
    return [at.replace(minute=0, second=0, microsecond=0) for at in await timers_fired(handle)]


async def attributes(case: Case) -> tuple[datetime | None, bool | None]:
    found = (await case.review.describe()).typed_search_attributes
    return found.get(TICKET_DUE_AT), found.get(SLA_BREACHED)


async def shown(handle: WorkflowHandle[Any, Any]) -> str:
    """The text on top of the workflow's page in the Temporal UI."""
    metadata: WorkflowMetadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return metadata.current_details


def day_ends(calendar: BusinessCalendar, after: datetime, until: datetime) -> list[datetime]:
    """The ends of business days after one instant, up to another."""
    ends = [calendar.next_day_end(after)]
    while ends[-1] < until:
        ends.append(calendar.next_day_end(ends[-1]))
    return ends


async def test_the_clock_is_the_calendars_and_everybody_sees_it(service: Service) -> None:
    case = await under_review(service)
    clock = await case.clock()
    expected = service.calendar.deadlines(clock.filed_at)
    assert (clock.remind_at, clock.due_at, clock.ceiling_at) == (
        expected.remind_at,
        expected.due_at,
        expected.ceiling_at,
    )
    assert clock.calendar == expected.calendar
    assert clock.due_at.astimezone(SHANGHAI).time().isoformat() == "00:00:00"
    assert await attributes(case) == (clock.due_at, False)
    assert f"due {clock.due_at:%Y-%m-%d %H:%M} UTC" in await shown(case.review)
    # The contact that the ticket names is told by when, by SMS and by e-mail.
    told = await case.until_messages(Template.TICKET_FILED, 2)
    assert {(message.carrier, message.destination) for message in told} == {
        (Carrier.SMS, "+8613800138000"),
        (Carrier.EMAIL, "owner@example.com"),
    }
    assert {message.params["due_at"] for message in told} == {clock.due_at.isoformat()}


async def test_agents_are_reminded_one_business_day_before_the_deadline(service: Service) -> None:
    case = await under_review(service)
    clock = await case.clock()
    await case.skip_to(clock.remind_at - timedelta(minutes=1))
    assert await case.messages(Template.TICKET_DUE_SOON) == []
    await case.skip_to(clock.remind_at + MARGIN)
    [reminder] = await case.until_messages(Template.TICKET_DUE_SOON)
    assert (reminder.desk, reminder.params["due_at"]) == (StaffDesk.AGENTS, clock.due_at.isoformat())
    assert await alarms(case.review) == [clock.remind_at]
    # Nobody is late yet.
    assert await attributes(case) == (clock.due_at, False)
    # It is said once.
    await case.skip_to(clock.due_at - timedelta(minutes=1))
    assert await alarms(case.review) == [clock.remind_at]
    assert len(await case.messages(Template.TICKET_DUE_SOON)) == 1


async def test_at_the_deadline_it_is_escalated_and_goes_on_waiting(service: Service) -> None:
    case = await under_review(service)
    clock = await case.clock()
    await case.skip_to(clock.due_at + MARGIN)
    [lead] = await case.until_messages(Template.TICKET_OVERDUE_LEAD)
    assert lead.desk is StaffDesk.DUTY_LEAD
    owner = await case.until_messages(Template.TICKET_OVERDUE_OWNER, 2)
    assert {message.destination for message in owner} == {"+8613800138000", "owner@example.com"}
    assert await attributes(case) == (clock.due_at, True)
    assert "**LATE**" in await shown(case.review)
    # The owner sees it too, and nothing is decided.
    view = await eventually(
        lambda: service.cancellations.view(case.account_id), lambda v: bool(v.review and v.review.overdue)
    )
    assert view.phase is Phase.UNDER_REVIEW
    assert (await case.view()).decisions == ()

    # A decision is possible as ever, and marked as late.
    answer = await case.approve(decided_at=clock.due_at + timedelta(seconds=1))
    assert (answer.status, answer.late) == (ReviewStatus.APPROVED, True)
    assert (await case.request.result()).outcome is Phase.CLOSED
    assert await attributes(case) == (clock.due_at, True)
    await assert_replays(case.review)


async def test_alarms_that_are_spread_sound_later_than_their_instants_and_never_before(service: Service) -> None:
    spread_over = timedelta(minutes=10)
    case = await under_review(service, {"alarms_spread_over": spread_over})
    clock, later = await case.clock(), delay_of(case.ticket.ticket_no, spread_over)
    await case.skip_to(clock.due_at + later + MARGIN)
    await case.until_messages(Template.TICKET_OVERDUE_LEAD)
    fired = await timers_fired(case.review)
    for at, instant in zip(fired, (clock.remind_at, clock.due_at), strict=True):
        assert NO_TIME <= at - instant - later < MARGIN
    await assert_replays(case.review)


async def test_silence_reminds_each_business_day_alarms_operations_and_never_decides(service: Service) -> None:
    case = await under_review(service)
    clock = await case.clock()
    await case.skip_to(clock.ceiling_at + MARGIN)
    [alarm] = await case.until_messages(Template.TICKET_CEILING_ALARM)
    assert alarm.desk is StaffDesk.OPERATIONS
    daily = day_ends(service.calendar, clock.due_at, clock.ceiling_at)
    # The escalation, and one reminder at the end of each business day from the 4th to the 15th.
    assert len(daily) == 12
    await case.until_messages(Template.TICKET_OVERDUE_LEAD, 1 + len(daily))
    fired = await alarms(case.review)
    assert sorted(set(fired)) == [clock.remind_at, clock.due_at, *daily]

    view = await case.view()
    assert (view.status, view.ceiling_passed, view.decisions) == (ReviewStatus.UNDER_REVIEW, True, ())
    assert "**passed**" in await shown(case.review)
    # It never stops, and the ceiling is said once.
    next_day = service.calendar.next_day_end(clock.ceiling_at)
    await case.skip_to(next_day + MARGIN)
    await case.until_messages(Template.TICKET_OVERDUE_LEAD, 2 + len(daily))
    assert len(await case.messages(Template.TICKET_CEILING_ALARM)) == 1
    assert len(await case.messages(Template.TICKET_OVERDUE_OWNER)) == 2
    await case.reject(DecisionReason.CONTACT_UNREACHABLE)
    assert (await case.request.result()).outcome is Phase.REJECTED
    await assert_replays(case.review)


async def test_a_decision_in_time_silences_every_later_alarm(service: Service) -> None:
    case = await under_review(service)
    answer = await case.reject()
    assert not answer.late
    await case.request.result()
    result = await case.review.result()
    assert not result.overdue
    for template in (Template.TICKET_DUE_SOON, Template.TICKET_OVERDUE_LEAD, Template.TICKET_CEILING_ALARM):
        assert await case.messages(template) == []


# Materials


async def test_while_materials_are_awaited_only_the_ceiling_sounds(service: Service) -> None:
    case = await under_review(service)
    clock = await case.clock()
    await case.ask_for_materials()
    await case.skip_to(clock.ceiling_at + MARGIN)
    await case.until_messages(Template.TICKET_CEILING_ALARM)
    assert await alarms(case.review) == [clock.ceiling_at]
    assert await case.messages(Template.TICKET_OVERDUE_LEAD) == []
    view = await case.view()
    assert (view.status, view.overdue) == (ReviewStatus.AWAITING_MATERIALS, False)


async def test_a_rejection_while_the_clock_stands_still_is_not_late(service: Service) -> None:
    case = await under_review(service)
    clock = await case.clock()
    await case.ask_for_materials()
    await case.skip_to(clock.due_at + MARGIN)
    answer = await case.reject(decided_at=clock.due_at + timedelta(seconds=1))
    assert not answer.late
    assert await attributes(case) == (clock.due_at, False)
    assert (await case.request.result()).outcome is Phase.REJECTED


async def test_after_materials_reminder_and_escalation_come_anew(service: Service) -> None:
    case = await under_review(service)
    first = await case.clock()
    await case.skip_to(first.remind_at + MARGIN)
    await case.until_messages(Template.TICKET_DUE_SOON)
    await case.ask_for_materials()
    await case.skip_to(first.due_at + timedelta(hours=3))
    await case.supply()
    second = (await eventually(case.view, lambda v: v.clock is not None and v.clock != first)).clock
    assert second is not None
    assert await attributes(case) == (second.due_at, False)
    await case.skip_to(second.due_at + MARGIN)
    await case.until_messages(Template.TICKET_OVERDUE_LEAD)
    assert await alarms(case.review) == [first.remind_at, second.remind_at, second.due_at]
    assert len(await case.until_messages(Template.TICKET_DUE_SOON, 2)) == 2
    assert await attributes(case) == (second.due_at, True)


async def test_late_once_stays_late_whatever_is_supplied_then(service: Service) -> None:
    case = await under_review(service)
    clock = await case.clock()
    await case.skip_to(clock.due_at + MARGIN)
    await case.until_messages(Template.TICKET_OVERDUE_OWNER, 2)
    await case.ask_for_materials()
    await case.supply()
    await eventually(case.view, lambda v: v.clock is not None and v.clock != clock)
    due_at, breached = await attributes(case)
    assert due_at is not None
    assert due_at > clock.due_at
    assert breached


# A year whose notice is not out yet


def unpublished(*years: int) -> BusinessCalendar:
    """The calendar as it is before the notices of these years."""
    return BusinessCalendar(dict(CALENDAR.years) | {year: estimate(year) for year in years})


def publish(folder: Path, year: int, holidays: list[date]) -> None:
    """A year's file, with these days off and no others."""
    days = [f'{{ name = "假", name_en = "Day off", first = {day}, last = {day} }}' for day in holidays]
    facts = f'year = {year}\nversion = "CN-{year}.1"\nnotice = "test"\npublished = 2026-01-01\nsource = "test"\n'
    (folder / f"{year}.toml").write_text(f"{facts}holidays = [{', '.join(days)}]\n", encoding="utf-8")


@pytest_asyncio.fixture
async def provisional(idle_service: Service) -> AsyncIterator[tuple[Case, ReviewClock]]:
    """A case whose clock was computed from an estimate, and whose worker has stopped since."""
    year = datetime.now(SHANGHAI).year
    service = own_queue(idle_service, calendar=unpublished(year, year + 1))
    async with service.worker():
        case = await under_review(service)
        clock = await case.clock()
    assert clock.provisional
    yield case, clock


def after_the_notice(case: Case, folder: Path, holidays: list[date]) -> Service:
    """The same service, restarted when the notices are out."""
    year = datetime.now(SHANGHAI).year
    for published in (year, year + 1):
        publish(folder, published, [day for day in holidays if day.year == published])
    service = case.service
    service.calendar = load(folder)
    return service


def business_date(day_end: datetime) -> date:
    return (day_end.astimezone(SHANGHAI) - timedelta(days=1)).date()


async def test_a_provisional_clock_is_computed_anew_before_it_acts(
    provisional: tuple[Case, ReviewClock], tmp_path: Path
) -> None:
    case, estimated = provisional
    # The notice makes the estimated due day a day off.
    service = after_the_notice(case, tmp_path, [business_date(estimated.due_at)])
    published = service.calendar.deadlines(estimated.filed_at)
    assert published.due_at > estimated.due_at
    async with service.worker():
        assert (await case.view()).clock == estimated
        await case.skip_to(estimated.due_at + MARGIN)
        view = await eventually(case.view, lambda v: v.clock is not None and v.clock != estimated)
        assert view.clock is not None
        assert (view.clock.due_at, view.clock.provisional) == (published.due_at, False)
        assert (view.clock.calendar, view.overdue) == (published.calendar, False)
        assert await case.messages(Template.TICKET_OVERDUE_LEAD) == []
        assert await attributes(case) == (published.due_at, False)
        # The owner sees the new deadline.
        await eventually(
            lambda: service.cancellations.view(case.account_id),
            lambda v: bool(v.review and v.review.clock == view.clock),
        )
        await case.skip_to(published.due_at + MARGIN)
        await case.until_messages(Template.TICKET_OVERDUE_LEAD)
        assert await attributes(case) == (published.due_at, True)
        await assert_replays(case.review)


async def test_a_provisional_clock_that_proves_right_acts_at_once(
    provisional: tuple[Case, ReviewClock], tmp_path: Path
) -> None:
    case, estimated = provisional
    between = [
        business_date(estimated.filed_at) + timedelta(days=n)
        for n in range(40)
        if not case.service.calendar.is_business_day(business_date(estimated.filed_at) + timedelta(days=n))
    ]
    service = after_the_notice(case, tmp_path, between)
    async with service.worker():
        await case.skip_to(estimated.due_at + MARGIN)
        await case.until_messages(Template.TICKET_OVERDUE_LEAD)
        assert await alarms(case.review) == [estimated.remind_at, estimated.due_at]
        assert await attributes(case) == (estimated.due_at, True)


async def test_lateness_is_measured_by_the_clock_that_staff_saw(
    provisional: tuple[Case, ReviewClock], tmp_path: Path
) -> None:
    case, estimated = provisional
    service = after_the_notice(case, tmp_path, [business_date(estimated.due_at)])
    async with service.worker():
        await case.skip_to(estimated.due_at + MARGIN)
        await eventually(case.view, lambda v: v.clock is not None and not v.clock.provisional)
        # After the estimated deadline, before the published one.
        answer = await case.approve(decided_at=estimated.due_at + timedelta(seconds=1), waived=(Check.ICP_FILING,))
        assert not answer.late
        assert (await case.request.result()).outcome is Phase.CLOSED
