"""The business calendar: which days count, by which notice, and what is only an estimate."""

from calendar import Calendar
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from fastapi import APIRouter, Request, Response

from console.pages import page
from console.services import WithServices
from console.staff.rendering import StaffRoute
from domain.business_calendar import CALENDAR, SHANGHAI, CalendarError, CalendarYear, Holiday
from domain.errors import ErrorType, Refusal

router = APIRouter(route_class=StaffRoute)


class DayKind(StrEnum):
    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    MAKE_UP = "make-up"


@dataclass(frozen=True)
class Day:
    date: date
    kind: DayKind


@dataclass(frozen=True)
class Month:
    """Weeks begin on Monday; a place that belongs to another month is None."""

    first: date
    weeks: tuple[tuple[Day | None, ...], ...]
    business_days: int
    holidays: tuple[Holiday, ...]
    make_up_days: tuple[date, ...]


@router.get("/calendar")
async def staff_calendar(request: Request, services: WithServices, year: int | None = None) -> Response:
    today = services.now().astimezone(SHANGHAI).date()
    try:
        shown = services.calendar.year(year or today.year)
    except CalendarError as error:
        raise Refusal(ErrorType.NOT_FOUND, str(error)) from None
    return page(
        request,
        "staff/calendar.html",
        shown=shown,
        months=[_month(shown, number) for number in range(1, 13)],
        years=[today.year, today.year + 1],
        today=today,
        # A file of the service's own directory replaces the year of the same name.
        built_in=shown == CALENDAR.years.get(shown.year),
    )


def _month(year: CalendarYear, number: int) -> Month:
    def day(found: date) -> Day | None:
        if found.month != number:
            return None
        if found in year.make_up_days:
            return Day(found, DayKind.MAKE_UP)
        if any(found in holiday for holiday in year.holidays):
            return Day(found, DayKind.HOLIDAY)
        return Day(found, DayKind.WORKDAY if year.is_business_day(found) else DayKind.WEEKEND)

    weeks = Calendar().monthdatescalendar(year.year, number)
    return Month(
        first=date(year.year, number, 1),
        weeks=tuple(tuple(day(found) for found in week) for week in weeks),
        business_days=sum(found.month == number for found in year.business_days),
        holidays=tuple(h for h in year.holidays if number in (h.first.month, h.last.month)),
        make_up_days=tuple(found for found in year.make_up_days if found.month == number),
    )
