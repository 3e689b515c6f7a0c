"""When a review speaks up: whole reviews are played through, by hypothesis on any clock and on the real calendar."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.business_calendar import CALENDAR, SHANGHAI
from domain.messages import AlarmState, ReviewClock
from domain.review_alarms import Alarm, delay_of, next_alarm
from domain.tickets import ReviewStatus

# On a busy machine a test is slow, not wrong.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

FILED_AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
DAY, NO_TIME = timedelta(days=1), timedelta(0)
CLOSED_STATUSES = [status for status in ReviewStatus if not status.is_open]


Clockwork = Callable[[datetime, datetime, datetime], ReviewClock]
"""Makes a clock from the first filing, the filing that runs, and the time at which it is computed."""


def hours(remind: int, due: int, ceiling: int) -> Clockwork:
    """A calendar without a calendar: waits in hours after the filing, and a reminder a day after the deadline."""

    def clock(first_filed_at: datetime, filed_at: datetime, now: datetime) -> ReviewClock:
        due_at = filed_at + timedelta(hours=due)
        return ReviewClock(
            filed_at=filed_at,
            remind_at=filed_at + timedelta(hours=remind),
            due_at=due_at,
            next_reminder_at=due_at + DAY * (max(now - due_at, NO_TIME) // DAY + 1),
            ceiling_at=first_filed_at + timedelta(hours=ceiling),
            calendar="CN-test",
            provisional=False,
        )

    return clock


def business_days(first_filed_at: datetime, filed_at: datetime, now: datetime) -> ReviewClock:
    """The real calendar, with the default limits."""
    running = CALENDAR.deadlines(filed_at)
    return ReviewClock(
        filed_at=filed_at,
        remind_at=running.remind_at,
        due_at=running.due_at,
        next_reminder_at=CALENDAR.next_day_end(max(now, running.due_at)),
        ceiling_at=CALENDAR.deadlines(first_filed_at).ceiling_at,
        calendar=running.calendar,
        provisional=running.provisional,
    )


@dataclass(frozen=True)
class Heard:
    """An alarm that sounded: when, in which status, and by the clock of which filing."""

    at: datetime
    alarm: Alarm
    status: ReviewStatus
    filed_at: datetime


@dataclass
class Review:
    """A review as its workflow keeps it: sleeps to the next alarm, unless something happens before."""

    clockwork: Clockwork
    now: datetime = FILED_AT
    status: ReviewStatus = ReviewStatus.UNDER_REVIEW
    sounded: AlarmState = field(default_factory=AlarmState)
    heard: list[Heard] = field(default_factory=list)
    filings: list[datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.file()

    def file(self) -> None:
        self.filings.append(self.now)
        self.compute_clock()

    def compute_clock(self) -> None:
        self.clock = self.clockwork(self.filings[0], self.filings[-1], self.now)

    def sleep_until(self, end: datetime) -> None:
        while (upcoming := next_alarm(self.clock, self.sounded, self.status)) and upcoming[0] <= end:
            at, alarm = upcoming
            assert at >= self.now, f"{alarm} is missed: it was due before the review last looked"
            self.now = at
            heard = Heard(at, alarm, self.status, self.filings[-1])
            assert heard not in self.heard, f"{alarm} sounds twice"
            self.heard.append(heard)
            match alarm:
                case Alarm.REMIND:
                    self.sounded = self.sounded.model_copy(update={"reminded": True})
                case Alarm.ESCALATE:
                    self.sounded = self.sounded.model_copy(update={"escalated": True})
                case Alarm.REMIND_AGAIN:
                    self.compute_clock()
                case Alarm.CEILING:
                    self.sounded = self.sounded.model_copy(update={"ceiling": True})
        self.now = end

    def become(self, status: ReviewStatus) -> None:
        """Materials that arrive start the 3-day clock anew."""
        if (self.status, status) == (ReviewStatus.AWAITING_MATERIALS, ReviewStatus.UNDER_REVIEW):
            self.sounded = self.sounded.restarted()
            self.file()
        self.status = status

    def times(self, alarm: Alarm, filed_at: datetime) -> list[datetime]:
        return [heard.at for heard in self.heard if (heard.alarm, heard.filed_at) == (alarm, filed_at)]


ordered = st.lists(st.integers(1, 100), min_size=2, max_size=2, unique=True).map(sorted)
clockworks = st.builds(lambda days, ceiling: hours(days[0], days[1], ceiling), ordered, st.integers(1, 300))
statuses = st.sampled_from([ReviewStatus.UNDER_REVIEW, ReviewStatus.AWAITING_MATERIALS])
happenings = st.lists(st.tuples(st.integers(1, 120), statuses), max_size=6)


def play(clockwork: Clockwork, happenings: list[tuple[int, ReviewStatus]]) -> Review:
    """What happens after how many hours, and then a long silence under review."""
    review = Review(clockwork)
    for wait, status in happenings:
        review.sleep_until(review.now + timedelta(hours=wait))
        review.become(status)
    review.become(ReviewStatus.UNDER_REVIEW)
    review.sleep_until(review.now + timedelta(hours=500))
    return review


reviews = st.builds(play, clockworks, happenings)


@unhurried
@given(reviews)
def test_alarms_sound_in_the_order_of_time_and_none_twice(review: Review) -> None:
    sounded = [(heard.at, heard.alarm) for heard in review.heard]
    assert [at for at, _ in sounded] == sorted(at for at, _ in sounded)
    assert len(sounded) == len(set(sounded))


@unhurried
@given(reviews)
def test_the_ceiling_sounds_exactly_once_and_runs_from_the_first_filing(review: Review) -> None:
    ceiling_at = review.clockwork(FILED_AT, FILED_AT, FILED_AT).ceiling_at
    assert [heard.at for heard in review.heard if heard.alarm is Alarm.CEILING] == [ceiling_at]


@unhurried
@given(reviews)
def test_while_materials_are_awaited_nothing_but_the_ceiling_sounds(review: Review) -> None:
    waiting = {heard.alarm for heard in review.heard if heard.status is ReviewStatus.AWAITING_MATERIALS}
    assert waiting <= {Alarm.CEILING}


@unhurried
@given(reviews)
def test_each_filing_reminds_and_escalates_at_most_once_and_at_its_own_times(review: Review) -> None:
    for filed_at in review.filings:
        clock = review.clockwork(FILED_AT, filed_at, filed_at)
        assert review.times(Alarm.REMIND, filed_at) in ([], [clock.remind_at])
        assert review.times(Alarm.ESCALATE, filed_at) in ([], [clock.due_at])


@unhurried
@given(reviews)
def test_reminders_after_the_deadline_follow_an_escalation_of_the_same_filing(review: Review) -> None:
    for filed_at in review.filings:
        again = review.times(Alarm.REMIND_AGAIN, filed_at)
        assert not again or review.times(Alarm.ESCALATE, filed_at)[0] < again[0]


@unhurried
@given(reviews)
def test_silence_is_answered_by_every_alarm_of_the_last_filing(review: Review) -> None:
    filed_at = review.filings[-1]
    clock = review.clockwork(FILED_AT, filed_at, filed_at)
    assert review.times(Alarm.REMIND, filed_at) == [clock.remind_at]
    assert review.times(Alarm.ESCALATE, filed_at) == [clock.due_at]
    days_late = (review.now - clock.due_at) // DAY
    assert review.times(Alarm.REMIND_AGAIN, filed_at) == [clock.due_at + n * DAY for n in range(1, days_late + 1)]


@unhurried
@given(reviews, st.sampled_from(CLOSED_STATUSES), st.booleans(), st.booleans(), st.booleans())
def test_a_review_that_is_over_is_silent(
    review: Review, status: ReviewStatus, reminded: bool, escalated: bool, ceiling: bool
) -> None:
    assert next_alarm(review.clock, AlarmState(reminded=reminded, escalated=escalated, ceiling=ceiling), status) is None


def test_after_the_ceiling_nothing_is_left_while_materials_are_awaited() -> None:
    clock = business_days(FILED_AT, FILED_AT, FILED_AT)
    assert next_alarm(clock, AlarmState(ceiling=True), ReviewStatus.AWAITING_MATERIALS) is None


def test_new_materials_silence_what_belongs_to_the_old_clock_and_not_the_ceiling() -> None:
    sounded = AlarmState(reminded=True, escalated=True, ceiling=True)
    sounded = sounded.restarted()
    assert sounded == AlarmState(reminded=False, escalated=False, ceiling=True)


# --- on the real calendar ---


def shanghai(at: datetime) -> str:
    """The business day at whose end an alarm sounds."""
    return f"{(at - timedelta(microseconds=1)).astimezone(SHANGHAI):%m-%d}"


def test_a_ticket_that_nobody_answers_is_heard_of_until_it_is_decided() -> None:
    review = Review(business_days)  # filed on a Friday at 18:00
    review.sleep_until(datetime(2026, 12, 15, tzinfo=UTC))
    assert [(shanghai(heard.at), heard.alarm.value) for heard in review.heard] == [
        ("11-24", "REMIND"),
        ("11-25", "ESCALATE"),
        *((day, "REMIND_AGAIN") for day in ("11-26", "11-27", "11-30", "12-01", "12-02", "12-03", "12-04")),
        *((day, "REMIND_AGAIN") for day in ("12-07", "12-08", "12-09", "12-10")),
        ("12-11", "CEILING"),
        ("12-11", "REMIND_AGAIN"),
        ("12-14", "REMIND_AGAIN"),
    ]


def test_materials_stop_the_clock_and_start_it_anew_while_the_ceiling_runs_on() -> None:
    review = Review(business_days)
    review.sleep_until(datetime(2026, 11, 25, 8, 0, tzinfo=UTC))
    review.become(ReviewStatus.AWAITING_MATERIALS)
    review.sleep_until(datetime(2026, 12, 9, 8, 0, tzinfo=UTC))
    review.become(ReviewStatus.UNDER_REVIEW)
    review.sleep_until(datetime(2026, 12, 15, tzinfo=UTC))
    assert [(shanghai(heard.at), heard.alarm.value) for heard in review.heard] == [
        ("11-24", "REMIND"),
        ("12-11", "CEILING"),
        ("12-11", "REMIND"),
        ("12-14", "ESCALATE"),
    ]


@pytest.mark.parametrize("status", CLOSED_STATUSES)
def test_a_decision_in_time_leaves_nothing_to_sound(status: ReviewStatus) -> None:
    review = Review(business_days)
    review.sleep_until(datetime(2026, 11, 25, 8, 0, tzinfo=UTC))
    review.become(status)
    review.sleep_until(datetime(2027, 12, 31, tzinfo=UTC))
    assert [heard.alarm for heard in review.heard] == [Alarm.REMIND]


# Many tickets, one deadline


def test_the_alarms_of_many_tickets_are_spread_evenly_and_none_is_early() -> None:
    minutes = [
        delay_of(f"T-20261120-{number:06d}", timedelta(minutes=3)) // timedelta(minutes=1) for number in range(3000)
    ]
    assert set(minutes) == {0, 1, 2}
    assert all(900 < minutes.count(minute) < 1100 for minute in (0, 1, 2))


def test_the_alarms_of_one_ticket_are_always_as_late() -> None:
    [delay] = {delay_of("T-1", timedelta(minutes=3)) for _ in range(3)}
    assert delay != delay_of("T-2", timedelta(minutes=3))
    assert delay_of("T-1", NO_TIME) == NO_TIME
