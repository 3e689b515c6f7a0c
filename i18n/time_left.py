"""How long a review has left, or how late it is: in business days and hours, as people are told."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.business_calendar import SHANGHAI, BusinessCalendar
from domain.tickets import ReviewStatus
from i18n.catalogue import N_, translate, translate_plural

_HOUR = timedelta(hours=1)
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class TimeLeft:
    """Time up to a deadline that is a day's end; without `days` the clock stands still, or is not yet set.

    Attributes:
        days: business days after today up to the deadline; below 0, so many have ended, the due one among them.
        hours: what is left of today, if it is a business day; when late, since the last business day ended.
    """

    days: int | None
    late: bool
    stands: bool = False
    hours: int = 0

    @classmethod
    def of(cls, status: ReviewStatus, due_at: datetime | None, calendar: BusinessCalendar, now: datetime) -> "TimeLeft":
        if status is not ReviewStatus.UNDER_REVIEW or due_at is None:
            return cls(None, late=False, stands=status is ReviewStatus.AWAITING_MATERIALS)
        late = due_at <= now
        today = now.astimezone(SHANGHAI).date()
        if late:
            rest = now - calendar.previous_day_end(now + _INSTANT)
        elif calendar.is_business_day(today):
            rest = calendar.end_of_day(today) - now
        else:
            rest = timedelta(0)
        return cls(calendar.business_days_left(now, due_at), late=late, hours=rest // _HOUR)

    @property
    def due_today(self) -> bool:
        return self.days == 0 and not self.late

    def words(self, locale: str) -> str:
        if self.stands:
            return translate(locale, "clock paused")
        if self.days is None:
            return translate(locale, "clock not yet set")
        days = -self.days - 1 if self.late else self.days
        counted = translate_plural(locale, "%(num)s business day", "%(num)s business days", days)
        hours = translate(locale, N_("%(hours)s h") if self.hours else N_("under 1 h"), hours=self.hours)
        length = counted if days else hours
        if days and self.hours:
            length = translate(locale, "%(days)s %(hours)s", days=counted, hours=hours)
        if self.late:
            return translate(locale, "LATE by %(length)s", length=length)
        if self.due_today:
            return translate(locale, "due today 24:00, %(length)s left", length=length)
        return translate(locale, "%(length)s left", length=length)
