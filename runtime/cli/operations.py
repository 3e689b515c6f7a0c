"""Deadlines, and deletions that need somebody."""

from functools import partial

from domain.business_calendar import load
from domain.model import Instant, Model
from domain.policy import Policy
from runtime.cli import screens
from runtime.cli.answers import Answer
from runtime.cli.parameters import Account, Id, Moment
from runtime.cli.session import open_session
from runtime.settings import Settings


class DueDate(Model):
    """The deadline of a ticket, and the calendar that it comes from. Provisional: it may still move."""

    due_at: Instant
    calendar: str
    provisional: bool


async def due(filed_at: Moment, /) -> Answer:
    """Count the business days.

    Parameters
    ----------
    filed_at
        ISO 8601 with its time zone: 2026-09-30T10:00+08:00, or 2026-09-30T02:00Z.
    """
    policy = Policy()
    deadlines = load(Settings().calendar_dir).deadlines(
        filed_at,
        due_days=policy.review_due_days,
        remind_days_before=policy.review_remind_days_before,
        ceiling_days=policy.review_ceiling_days,
    )
    due_date = DueDate(due_at=deadlines.due_at, calendar=deadlines.calendar, provisional=deadlines.provisional)
    return Answer(due_date, partial(screens.due, deadlines))


async def show(account: Account, /) -> Answer:
    """Show a deletion."""
    async with open_session() as session:
        deletion = await session.desk.deletion(account)
    return Answer(deletion, partial(screens.deletion, deletion))


async def resume(account: Account, /, *, operator: Id = "operations") -> Answer:
    """Resume a deletion.

    Parameters
    ----------
    operator
        Opaque id of whoever removed the cause; it is kept with the deletion.
    """
    async with open_session() as session:
        deletion = await session.desk.resume_deletion(account, operator)
    return Answer(deletion, partial(screens.deletion, deletion))
