"""The promise of the manual route, and its clock: completion or an answer within 3 business days.

A review runs it until the decision. When a ticket is approved its request runs it on, until the account is closed or
the owner hears why not: an approval alone is neither.
"""

from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.review_clock import ComputeReviewClockInput, ReviewClockActivities
    from domain.messages import AlarmState, ReviewClock
    from domain.model import Instant
    from domain.policy import Policy
    from domain.review_alarms import Alarm, delay_of, next_alarm
    from domain.tickets import ReviewStatus

from workflows.common.activity_options import PATIENT
from workflows.common.waiting import happens

_NO_TIME = timedelta(0)


class PromiseClock:
    """The deadlines of one ticket, and which of their alarms have sounded."""

    def __init__(
        self,
        ticket_no: str,
        policy: Policy,
        first_filed_at: Instant,
        clock: ReviewClock | None = None,
        sounded: AlarmState | None = None,
    ) -> None:
        self._ticket_no = ticket_no
        self._policy = policy
        self._delay = delay_of(ticket_no, policy.alarms_spread_over)
        self._first_filed_at = first_filed_at
        self._filed_at = clock.filed_at if clock else first_filed_at
        self.deadlines: ReviewClock | None = clock
        self.sounded = sounded or AlarmState()

    @property
    def first_filed_at(self) -> Instant:
        return self._first_filed_at

    @property
    def filed_at(self) -> Instant:
        return self._filed_at

    def restart(self) -> None:
        """New materials start the 3-day clock anew; the ceiling runs from the first filing."""
        self._filed_at = workflow.now()
        self.deadlines = None
        self.sounded = self.sounded.restarted()

    async def compute(self) -> None:
        """In an activity, so that a calendar which changes later cannot change a replay."""
        filed_at = self._filed_at
        found = await workflow.execute_activity_method(
            ReviewClockActivities.compute_review_clock,
            ComputeReviewClockInput(
                filed_at=filed_at, first_filed_at=self._first_filed_at, now=workflow.now(), policy=self._policy
            ),
            summary=f"Deadlines of ticket {self._ticket_no}",
            **PATIENT,
        )
        # New materials may have restarted the clock while this one was computed.
        self.deadlines = found if filed_at == self._filed_at else None

    async def next_alarm(self, status: Callable[[], ReviewStatus], has_changed: Callable[[], bool]) -> Alarm | None:
        """Sleep to the next alarm, or a little longer than others do, and it counts as sounded then.

        None when something has changed first, or when the alarm turned out to be later.
        """
        assert self.deadlines is not None
        upcoming = next_alarm(self.deadlines, self.sounded, status())
        if upcoming is None:
            await workflow.wait_condition(has_changed)
            return None
        if await happens(has_changed, self._time_to(upcoming[0]), f"{upcoming[1]} ticket {self._ticket_no}"):
            return None
        deadlines: ReviewClock | None = self.deadlines
        if deadlines and deadlines.provisional:
            # The year's calendar may have been published since: never act on an estimate without a second look.
            await self.compute()
            deadlines = self.deadlines
        upcoming = next_alarm(deadlines, self.sounded, status()) if deadlines else None
        if upcoming is None or upcoming[0] > workflow.now():
            return None
        alarm = upcoming[1]
        match alarm:
            case Alarm.REMIND:
                self.sounded = self.sounded.model_copy(update={"reminded": True})
            case Alarm.ESCALATE:
                self.sounded = self.sounded.model_copy(update={"escalated": True})
            case Alarm.CEILING:
                self.sounded = self.sounded.model_copy(update={"ceiling": True})
            case Alarm.REMIND_AGAIN:
                await self.compute()
        return alarm

    def _time_to(self, instant: Instant) -> timedelta:
        """What is due already is not spread: the ceiling may come with a reminder, after the same sleep."""
        left = instant - workflow.now()
        return left + self._delay if left > _NO_TIME else _NO_TIME
