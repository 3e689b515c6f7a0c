"""Every limit of the process, with its default and unit.

A policy travels in a request's input: changing a default never touches a request that is already running.
"""

from datetime import timedelta
from typing import Any, Self

from pydantic import ConfigDict, Field, model_validator

from domain.model import Model

_SECOND, _MINUTE, _HOUR, _DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def _limit(default: Any, at_least: Any, at_most: Any) -> Any:
    """A value with the bounds within which the process, and everything that it talks to, still works."""
    return Field(default=default, ge=at_least, le=at_most)


class Policy(Model):
    """A field that only a newer version knows is passed over: an older worker goes on with what it knows."""

    model_config = ConfigDict(extra="ignore")

    owner_idle_limit: timedelta = _limit(30 * _DAY, 2 * _SECOND, 366 * _DAY)
    """An owner who does nothing for so long lets the request lapse. Calendar days."""

    idle_reminder_before: timedelta = _limit(7 * _DAY, _SECOND, 365 * _DAY)
    """The reminder goes out this long before the request lapses. Calendar days."""

    request_max_age: timedelta = _limit(90 * _DAY, _HOUR, 3 * 366 * _DAY)
    """However busy its owner is, a request that is not decided by then lapses: consent does not keep for ever."""

    identity_lifetime: timedelta = _limit(_DAY, _MINUTE, 30 * _DAY)
    """How old the proof of identity may be when the owner says the last word."""

    check_attempt_limit: timedelta = _limit(5 * _SECOND, _SECOND / 10, _MINUTE)
    """One attempt of one eligibility check."""

    check_limit: timedelta = _limit(20 * _SECOND, _SECOND / 10, 25 * _SECOND)
    """One eligibility check with all its retries; past it the outcome is UNKNOWN, so the owner is answered."""

    outcomes_reused_for: timedelta = _limit(2 * _SECOND, 0 * _SECOND, _MINUTE)
    """Who asks again this soon gets the report that there is. Under the hold everything is checked anew."""

    rechecks_per_hour: int = _limit(60, 1, 1000)
    """How often an owner can have everything checked anew."""

    hold_ttl: timedelta = _limit(15 * _MINUTE, _SECOND, _DAY)
    """The lease on the account. Long enough for a re-check under load, short enough that a crash frees the account."""

    seal_attempts: int = _limit(3, 1, 20)
    """How often a lapsed hold is taken again before the request goes back to its owner."""

    stuck_after: timedelta = _limit(_HOUR, _SECOND, 30 * _DAY)
    """What only retries for so long is shown as stuck, and operations are told. It goes on trying all the same."""

    approval_lifetime: timedelta = _limit(7 * _DAY, _MINUTE, 90 * _DAY)
    """How long an approval counts. Past it the account needs a new decision."""

    review_due_days: int = _limit(3, 1, 60)
    """The guide: "3个工作日内". Business days, Asia/Shanghai."""

    review_remind_days_before: int = _limit(1, 1, 59)
    """Business days before the deadline at which staff are reminded."""

    review_ceiling_days: int = _limit(15, 2, 120)
    """Business days from the first filing at which ops are alarmed; regulators test 15 working days."""

    alarms_spread_over: timedelta = _limit(3 * _MINUTE, 0 * _SECOND, 10 * _MINUTE)
    """Deadlines are day-ends, the same instant for all tickets: alarms sound within this time after it, each ticket's
    at a moment of its own, so that owners' steps are not held up meanwhile."""

    notification_limit: timedelta = _limit(10 * _MINUTE, _SECOND, 7 * _DAY)
    """A courtesy message (reminder, escalation, result) with all its retries."""

    final_notice_limit: timedelta = _limit(_DAY, _SECOND, 30 * _DAY)
    """The final notice with all its retries; then erasure goes on, so that a dead phone cannot keep data alive."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.review_remind_days_before < self.review_due_days < self.review_ceiling_days:
            raise ValueError("review days must be in order: remind before due, due before the ceiling")
        if self.idle_reminder_before >= self.owner_idle_limit:
            raise ValueError("the idle reminder must come after the last step, not before it")
        return self
