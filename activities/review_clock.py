"""The review's deadlines. Computed here and recorded: a calendar that changes must not change a replay."""

from temporalio import activity

from domain.business_calendar import BusinessCalendar
from domain.messages import ReviewClock
from domain.model import Instant, Model
from domain.policy import Policy


class ComputeReviewClockInput(Model):
    """`filed_at` starts the 3-day clock, `first_filed_at` the ceiling; `now` is the review's own time."""

    filed_at: Instant
    first_filed_at: Instant
    now: Instant
    policy: Policy


class ReviewClockActivities:
    def __init__(self, calendar: BusinessCalendar) -> None:
        self._calendar = calendar

    @activity.defn
    async def compute_review_clock(self, input: ComputeReviewClockInput) -> ReviewClock:
        """Deadlines as UTC instants, with the calendar's version; see `BusinessCalendar.deadlines` for the rule."""
        policy = input.policy
        rule = {
            "due_days": policy.review_due_days,
            "remind_days_before": policy.review_remind_days_before,
            "ceiling_days": policy.review_ceiling_days,
        }
        running = self._calendar.deadlines(input.filed_at, **rule)
        first = self._calendar.deadlines(input.first_filed_at, **rule)
        return ReviewClock(
            filed_at=input.filed_at,
            remind_at=running.remind_at,
            due_at=running.due_at,
            next_reminder_at=self._calendar.next_day_end(max(input.now, running.due_at)),
            ceiling_at=first.ceiling_at,
            calendar=running.calendar,
            provisional=running.provisional or first.ceiling_provisional,
        )
