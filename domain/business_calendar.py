"""China's business days, and the deadlines of a review that are counted in them.

A business day is a Monday to Friday that is no holiday, or a weekend day made a working day (调休上班). The State
Council fixes both for a year in a notice (国办发明电), between late October and early December of the year before.
`calendars/<year>.toml` holds the days of its own year; where a notice moves days of the December before, as 2019's
did, that year's file gets them too, and its next version.

A year without a file is estimated from the 13 statutory holidays and marked `provisional`: bridge days, days off in
lieu and make-up days are not guessed, so what was counted in it is counted again once the file is there.

`load` reads files, and runs at import; everything else only calculates.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self, TypeVar

from pydantic import Field, model_validator

from domain.model import Instant, Model

SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
"""A fixed UTC+8, exact since summer time ended in 1991. `zoneinfo` would read the tz database from disk at first use,
and slim images and Windows have none."""

_DAY: Final = timedelta(days=1)
_BUILT_IN: Final = files("domain") / "calendars"
_STATUTORY: Final = "statutory.toml"
_Model = TypeVar("_Model", bound=Model)


class CalendarError(ValueError):
    """A year that nothing is known about, or a calendar file that cannot be right. The text says what to do."""


class Holiday(Model):
    """Days off in one stretch, both ends included, as a notice puts it: "2月15日至23日放假"."""

    name: str
    name_en: str
    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


class CalendarYear(Model):
    """One year's business days and where they come from."""

    year: int
    version: str = Field(pattern=r"^[A-Za-z0-9.-]{1,32}$")
    """Short and new with every change of the days: it is kept with each deadline."""
    notice: str
    published: date
    source: str
    provisional: bool = False
    """Estimated: the notice is not there yet."""
    holidays: tuple[Holiday, ...]
    make_up_days: tuple[date, ...] = ()
    """Saturdays and Sundays worked in exchange for bridge days (调休上班)."""

    @model_validator(mode="after")
    def _plausible(self) -> Self:
        for holiday in self.holidays:
            if not date(self.year, 1, 1) <= holiday.first <= holiday.last <= date(self.year, 12, 31):
                raise ValueError(f"{holiday.first} to {holiday.last} is not a stretch of days of {self.year}")
        for day in self.make_up_days:
            if day.year != self.year or day.weekday() < 5 or self._is_holiday(day):
                raise ValueError(f"make-up day {day} is not in {self.year}, not on a weekend, or a holiday")
        return self

    @property
    def business_days(self) -> tuple[date, ...]:
        first = date(self.year, 1, 1)
        days = (first + n * _DAY for n in range((date(self.year + 1, 1, 1) - first).days))
        return tuple(day for day in days if self.is_business_day(day))

    def is_business_day(self, day: date) -> bool:
        return day in self.make_up_days or (day.weekday() < 5 and not self._is_holiday(day))

    def _is_holiday(self, day: date) -> bool:
        return any(day in holiday for holiday in self.holidays)


class Deadlines(Model):
    """When a review is due. Every instant is the end (24:00 Asia/Shanghai) of a business day, in UTC."""

    remind_at: Instant
    due_at: Instant
    ceiling_at: Instant
    calendar: str
    """Versions of the years that were counted up to the due day, such as `CN-2026.1+CN-2027-estimate`."""
    provisional: bool
    """`due_at` depends on an estimated year and may still move."""
    ceiling_provisional: bool
    """The same of `ceiling_at`, which looks further ahead."""


@dataclass(frozen=True)
class BusinessCalendar:
    """The known years, published or estimated. Every method raises `CalendarError` for a day in any other year."""

    years: Mapping[int, CalendarYear]

    def year(self, year: int) -> CalendarYear:
        try:
            return self.years[year]
        except KeyError:
            raise CalendarError(
                f"No business calendar for {year}: known are {min(self.years)} to {max(self.years)}. Put {year}.toml, "
                "with the holidays and make-up days of the State Council's notice, into the calendar directory."
            ) from None

    def status(self, years: Iterable[int]) -> tuple[CalendarYear, ...]:
        return tuple(self.year(year) for year in years)

    def is_business_day(self, day: date) -> bool:
        return self.year(day.year).is_business_day(day)

    def add_business_days(self, day: date, n: int) -> date:
        """The `n`-th business day (1 or more) strictly after `day`."""
        if n < 1:
            raise ValueError(f"{n} business days: at least 1 is needed")
        while n:
            day += _DAY
            n -= self.is_business_day(day)
        return day

    def end_of_day(self, day: date) -> datetime:
        """24:00 Asia/Shanghai, which is 16:00 UTC of the same date."""
        return datetime.combine(day + _DAY, time(), SHANGHAI).astimezone(UTC)

    def next_day_end(self, after: datetime) -> datetime:
        """The end of the first business day that ends strictly after the instant."""
        return self.end_of_day(self.add_business_days(_shanghai_date(after) - _DAY, 1))

    def previous_day_end(self, before: datetime) -> datetime:
        """The end of the last business day that ended strictly before the instant."""
        day = _shanghai_date(before) - _DAY
        while self.end_of_day(day) >= before or not self.is_business_day(day):
            day -= _DAY
        return self.end_of_day(day)

    def deadlines(
        self, filed_at: datetime, *, due_days: int = 3, remind_days_before: int = 1, ceiling_days: int = 15
    ) -> Deadlines:
        """The deadlines, in business days, of what was filed at an instant. Shanghai's date of filing is not counted.

        Raises:
            ValueError: the instant has no time zone, or reminder, deadline and ceiling are not in this order.
        """
        if not 0 < remind_days_before < due_days < ceiling_days:
            raise ValueError(
                "It has to be 0 < remind_days_before < due_days < ceiling_days, "
                f"not {remind_days_before}, {due_days}, {ceiling_days}."
            )
        filed_on = _shanghai_date(filed_at)
        remind_on, due_on, ceiling_on = (
            self.add_business_days(filed_on, n) for n in (due_days - remind_days_before, due_days, ceiling_days)
        )
        first_year = (filed_on + _DAY).year
        counted = self.status(range(first_year, due_on.year + 1))
        return Deadlines(
            remind_at=self.end_of_day(remind_on),
            due_at=self.end_of_day(due_on),
            ceiling_at=self.end_of_day(ceiling_on),
            calendar="+".join(year.version for year in counted),
            provisional=any(year.provisional for year in counted),
            ceiling_provisional=any(year.provisional for year in self.status(range(first_year, ceiling_on.year + 1))),
        )

    def business_days_left(self, now: datetime, due_at: datetime) -> int:
        """Business days after today up to a deadline, which is a day's end: 0 is "due today". Below 0 it is late: so
        many business days have ended, the due one and those since."""
        today, due_on = _shanghai_date(now), _shanghai_date(due_at) - _DAY
        if today <= due_on:
            return self._count(today + _DAY, due_on)
        return -self._count(due_on, today - _DAY)

    def _count(self, first: date, last: date) -> int:
        return sum(self.is_business_day(first + n * _DAY) for n in range((last - first).days + 1))


def _shanghai_date(instant: datetime) -> date:
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone; write it as {instant.isoformat()}+08:00 or in UTC.")
    return instant.astimezone(SHANGHAI).date()


def _read(file: Traversable, model: type[_Model]) -> _Model:
    try:
        return model.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise CalendarError(f"Calendar file {file.name} cannot be used: {error}") from error


class _Statutory(Model):
    notice: str
    published: date
    source: str
    festivals: dict[int, tuple[date, date, date, date]]


_LAW: Final = _read(_BUILT_IN / _STATUTORY, _Statutory)


def estimate(year: int) -> CalendarYear:
    """The 13 statutory holidays of a year without a file, from 2025 to 2050; provisional.

    Source: 全国年节及纪念日放假办法, article 2. Days off in lieu of those that fall on a weekend (article 6) are not
    guessed: notices have them in bridges with make-up days.
    """
    spring_festival, qingming, dragon_boat, mid_autumn = _LAW.festivals[year]
    national_day, after_it = date(year, 10, 1), date(year, 10, 4)
    # Two holidays on one day are still two days off: in 2020 Mid-Autumn was 1 October, and the 4th was added.
    if national_day <= mid_autumn < after_it:
        mid_autumn = after_it
    stretches = (
        ("元旦", "New Year's Day", date(year, 1, 1), 1),
        ("春节", "Spring Festival", spring_festival - _DAY, 4),
        ("清明节", "Qingming Festival", qingming, 1),
        ("劳动节", "Labour Day", date(year, 5, 1), 2),
        ("端午节", "Dragon Boat Festival", dragon_boat, 1),
        ("中秋节", "Mid-Autumn Festival", mid_autumn, 1),
        ("国庆节", "National Day", national_day, 3),
    )
    return CalendarYear(
        year=year,
        version=f"CN-{year}-estimate",
        notice=_LAW.notice,
        published=_LAW.published,
        source=_LAW.source,
        provisional=True,
        holidays=tuple(
            Holiday(name=name, name_en=name_en, first=first, last=first + (days - 1) * _DAY)
            for name, name_en, first, days in stretches
        ),
    )


def _published(directory: Traversable) -> dict[int, CalendarYear]:
    years: dict[int, CalendarYear] = {}
    for file in directory.iterdir():
        if file.name.endswith(".toml") and file.name != _STATUTORY:
            calendar = _read(file, CalendarYear)
            if file.name != f"{calendar.year}.toml":
                raise CalendarError(f"Calendar file {file.name} holds {calendar.year}: name it {calendar.year}.toml.")
            years[calendar.year] = calendar
    return years


def load(overrides: Path | None = None) -> BusinessCalendar:
    """The calendar of this package. A `<year>.toml` in `overrides` replaces or adds its year. Not for workflows.

    Raises:
        CalendarError: a file is not valid.
        OSError: the directory cannot be read.
    """
    years = {year: estimate(year) for year in _LAW.festivals} | _published(_BUILT_IN)
    if overrides is not None:
        years |= _published(overrides)
    return BusinessCalendar(MappingProxyType(dict(sorted(years.items()))))


CALENDAR: Final = load()
"""The calendar of this package, without overrides; read once, at import."""
