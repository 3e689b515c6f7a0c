"""Every limit of the process, with its default and unit.

A policy travels in a request's input: changing a default never touches a request that is already running.
"""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.model import Model

Limit = Annotated[timedelta, Field(gt=timedelta(0))]


class Policy(Model):
    owner_idle_limit: Limit = timedelta(days=30)
    """An owner who does nothing for so long lets the request lapse. Calendar days."""

    idle_reminder_before: Limit = timedelta(days=7)
    """The reminder goes out this long before the request lapses. Calendar days."""

    check_attempt_limit: Limit = timedelta(seconds=5)
    """One attempt of one eligibility check."""

    check_limit: Limit = timedelta(seconds=20)
    """One eligibility check with all its retries; past it the outcome is UNKNOWN, so the owner is answered."""

    hold_ttl: Limit = timedelta(minutes=15)
    """The lease on the account. Long enough for a re-check under load, short enough that a crash frees the account."""

    seal_attempts: int = Field(default=3, ge=1)
    """How often a lapsed hold is taken again before the request goes back to its owner."""

    review_due_days: int = Field(default=3, ge=1)
    """Seed: "3个工作日内". Business days, Asia/Shanghai."""

    review_remind_days_before: int = Field(default=1, ge=1)
    """Business days before the deadline at which staff are reminded."""

    review_ceiling_days: int = Field(default=15, ge=1)
    """Business days from the first filing at which ops are alarmed; regulators test 15 working days."""

    review_afterlife: Limit = timedelta(days=1)
    """How long a decided review stays open to record late or second decisions as ignored."""

    notification_limit: Limit = timedelta(minutes=10)
    """A courtesy message (reminder, escalation, result) with all its retries."""

    final_notice_limit: Limit = timedelta(hours=24)
    """The final notice with all its retries; then erasure goes on, so that a dead phone cannot keep data alive."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.review_remind_days_before < self.review_due_days < self.review_ceiling_days:
            raise ValueError("review days must be in order: remind before due, due before the ceiling")
        if self.idle_reminder_before >= self.owner_idle_limit:
            raise ValueError("the idle reminder must come after the last step, not before it")
        return self
