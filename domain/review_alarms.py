"""When a review speaks up: which alarm is next, given its clock and what has sounded already."""

from datetime import datetime, timedelta
from enum import StrEnum
from zlib import crc32

from domain.messages import AlarmState, ReviewClock
from domain.tickets import ReviewStatus


class Alarm(StrEnum):
    REMIND = "REMIND"
    """One business day before the deadline: agents are reminded."""
    ESCALATE = "ESCALATE"
    """At the deadline: the duty lead is told, and the owner is told that it is late."""
    REMIND_AGAIN = "REMIND_AGAIN"
    """Each business day after the deadline."""
    CEILING = "CEILING"
    """15 business days after the first filing: operations are alarmed."""


def next_alarm(clock: ReviewClock, sounded: AlarmState, status: ReviewStatus) -> tuple[datetime, Alarm] | None:
    """The next alarm and its instant (UTC), or None when there is none left in this status.

    While materials are awaited the 3-day clock stands still and only the ceiling can sound; after the decision nothing.
    """
    alarms: list[tuple[datetime, Alarm]] = []
    if status.is_open and not sounded.ceiling:
        alarms.append((clock.ceiling_at, Alarm.CEILING))
    if status is ReviewStatus.UNDER_REVIEW:
        if sounded.escalated:
            alarms.append((clock.next_reminder_at, Alarm.REMIND_AGAIN))
        else:
            alarms.append((clock.due_at, Alarm.ESCALATE))
            if not sounded.reminded:
                alarms.append((clock.remind_at, Alarm.REMIND))
    return min(alarms, default=None)


def delay_of(ticket_no: str, spread_over: timedelta) -> timedelta:
    """How long after its instant a ticket's alarm sounds: always the same for one ticket, different from the next's."""
    return spread_over * (crc32(ticket_no.encode()) / 2**32)
