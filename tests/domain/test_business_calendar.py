"""The calendar against an independent one, the boundaries by example, and the rules of a deadline as properties."""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import chinese_calendar
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.business_calendar import (
    CALENDAR,
    SHANGHAI,
    BusinessCalendar,
    CalendarError,
    CalendarYear,
    Deadlines,
    estimate,
    load,
)

DAY = timedelta(days=1)
ESTIMATED = range(2027, 2051)
KNOWN_TO_BOTH = sorted(
    {day.year for day in chinese_calendar.holidays}
    & {year for year, calendar in CALENDAR.years.items() if not calendar.provisional}
)
MID_AUTUMN_IN_NATIONAL_DAY = [2028, 2031, 2039]

# The calendar as it is while 2026 is the last notice, whatever files are added later.
AS_OF_2026 = BusinessCalendar(dict(CALENDAR.years) | {year: estimate(year) for year in ESTIMATED})

# Up to here the ceiling, 15 business days on, is certainly in a year that is known.
instants = st.datetimes(datetime(2024, 1, 1), datetime(2050, 11, 30), timezones=st.sampled_from([UTC, SHANGHAI]))  # noqa: DTZ001
dates = st.dates(date(2024, 1, 1), date(2050, 11, 30))


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def end_of(text: str) -> datetime:
    """24:00 in Shanghai."""
    return datetime.fromisoformat(text).replace(hour=16, tzinfo=UTC)


def days_of(year: int) -> list[date]:
    return [date(year, 1, 1) + n * DAY for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)]


def days_off(calendar: CalendarYear) -> list[date]:
    return [day for day in days_of(calendar.year) if any(day in holiday for holiday in calendar.holidays)]


def year_file(directory: Path, year: int, *, name: str | None = None, **changes: str) -> None:
    fields = {
        "year": f"{year}",
        "version": f'"CN-{year}.1"',
        "notice": '"国办发明电〔2026〕1号"',
        "published": f"{year - 1}-11-05",
        "source": '"https://www.gov.cn/"',
        "make_up_days": "[]",
        "holidays": f'[{{ name = "元旦", name_en = "New Year", first = {year}-01-01, last = {year}-01-04 }}]',
    } | changes
    text = "\n".join(f"{key} = {value}" for key, value in fields.items())
    (directory / (name or f"{year}.toml")).write_text(text, encoding="utf-8")


# --- the days ---


def test_every_year_from_2024_to_2050_is_known_and_those_from_2024_to_2026_by_their_notice() -> None:
    assert list(CALENDAR.years) == list(range(2024, 2051))
    assert [calendar.provisional for calendar in CALENDAR.status(range(2024, 2027))] == [False] * 3
    assert {2024, 2025, 2026} <= set(KNOWN_TO_BOTH)


@pytest.mark.parametrize("year", KNOWN_TO_BOTH)
def test_every_day_of_a_published_year_agrees_with_chinesecalendar(year: int) -> None:
    assert [day for day in days_of(year) if CALENDAR.is_business_day(day) != chinese_calendar.is_workday(day)] == []


@pytest.mark.parametrize("year", KNOWN_TO_BOTH)
def test_a_published_year_has_the_make_up_days_and_holidays_chinesecalendar_has(year: int) -> None:
    assert sorted(CALENDAR.year(year).make_up_days) == [d for d in chinese_calendar.workdays if d.year == year]
    assert days_off(CALENDAR.year(year)) == sorted(d for d in chinese_calendar.holidays if d.year == year)


@pytest.mark.parametrize(
    ("year", "notice", "days_off_in_all", "business_days"),
    [
        # The days off as each notice counts them ("共8天"), in its order.
        (2024, "国办发明电〔2023〕7号", 1 + 8 + 3 + 5 + 1 + 3 + 7, 251),
        (2025, "国办发明电〔2024〕12号", 1 + 8 + 3 + 5 + 3 + 8, 248),
        (2026, "国办发明电〔2025〕7号", 3 + 9 + 3 + 5 + 3 + 3 + 7, 248),
    ],
)
def test_a_published_year_names_its_notice_and_has_as_many_days_off_as_that_says(
    year: int, notice: str, days_off_in_all: int, business_days: int
) -> None:
    calendar = CALENDAR.year(year)
    assert calendar.notice == notice
    assert calendar.source.startswith("https://www.gov.cn/")
    assert calendar.published.year == year - 1
    assert len(days_off(calendar)) == days_off_in_all
    assert len(calendar.business_days) == business_days


@pytest.mark.parametrize("year", ESTIMATED)
def test_an_estimated_year_has_the_13_statutory_days_and_no_make_up_days(year: int) -> None:
    calendar = estimate(year)
    fixed = {date(year, month, day) for month, day in [(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)]}
    assert calendar.provisional
    assert len(days_off(calendar)) == 13
    assert fixed < set(days_off(calendar))
    assert set(calendar.business_days) == {d for d in days_of(year) if d.weekday() < 5} - set(days_off(calendar))


def test_an_estimated_year_has_its_moving_festivals() -> None:
    assert [
        (holiday.name, f"{holiday.first:%m-%d}", f"{holiday.last:%m-%d}") for holiday in estimate(2027).holidays
    ] == [
        ("元旦", "01-01", "01-01"),
        ("春节", "02-05", "02-08"),
        ("清明节", "04-05", "04-05"),
        ("劳动节", "05-01", "05-02"),
        ("端午节", "06-09", "06-09"),
        ("中秋节", "09-15", "09-15"),
        ("国庆节", "10-01", "10-03"),
    ]


@pytest.mark.parametrize("year", [2025, 2026])
def test_the_estimate_of_a_published_year_is_part_of_what_its_notice_gave(year: int) -> None:
    assert set(days_off(estimate(year))) <= set(days_off(CALENDAR.year(year)))


@pytest.mark.parametrize("year", MID_AUTUMN_IN_NATIONAL_DAY)
def test_a_mid_autumn_within_national_day_gives_a_fourth_day_off(year: int) -> None:
    assert [day.day for day in days_off(estimate(year)) if day.month == 10] == [1, 2, 3, 4]


@pytest.mark.parametrize("year", ESTIMATED)
def test_the_moving_festivals_fall_where_moon_and_sun_allow(year: int) -> None:
    first = {holiday.name: holiday.first for holiday in estimate(year).holidays}
    new_year = first["春节"] + DAY
    assert date(year, 1, 21) <= new_year <= date(year, 2, 20)
    assert first["清明节"] in (date(year, 4, 4), date(year, 4, 5))
    # Months of 29 or 30 days, and perhaps a leap month: 4 of them and 4 days, 7 of them and 14 days.
    assert (first["端午节"] - new_year).days in (*range(121, 124), *range(150, 154))
    if year not in MID_AUTUMN_IN_NATIONAL_DAY:
        assert (first["中秋节"] - new_year).days in (*range(219, 224), *range(248, 254))


# --- deadlines by example ---


@pytest.mark.parametrize(
    ("filed_at", "remind_on", "due_on", "ceiling_on"),
    [
        pytest.param("2025-09-30T10:00", "2025-10-10", "2025-10-11", "2025-10-28", id="30 September, make-up Saturday"),
        pytest.param("2026-09-30T10:00", "2026-10-09", "2026-10-10", "2026-10-27", id="30 September 2026"),
        pytest.param("2026-02-12T10:00", "2026-02-14", "2026-02-24", "2026-03-11", id="Spring Festival in between"),
        pytest.param("2025-12-31T23:59", "2026-01-05", "2026-01-06", "2026-01-22", id="31 December, make-up Sunday"),
        pytest.param("2024-12-31T09:00", "2025-01-03", "2025-01-06", "2025-01-22", id="31 December 2024"),
        pytest.param("2026-10-10T10:00", "2026-10-13", "2026-10-14", "2026-10-30", id="on a make-up Saturday"),
        pytest.param("2026-11-20T18:00", "2026-11-24", "2026-11-25", "2026-12-11", id="on a Friday at 18:00"),
        pytest.param("2026-11-21T12:00", "2026-11-24", "2026-11-25", "2026-12-11", id="on a Saturday"),
        pytest.param("2026-10-03T12:00", "2026-10-09", "2026-10-10", "2026-10-27", id="within Golden Week"),
        pytest.param("2026-11-23T23:59:59.999999", "2026-11-25", "2026-11-26", "2026-12-14", id="just before midnight"),
        pytest.param("2026-11-24T00:00", "2026-11-26", "2026-11-27", "2026-12-15", id="at midnight"),
    ],
)
def test_the_deadlines_at_the_boundaries(filed_at: str, remind_on: str, due_on: str, ceiling_on: str) -> None:
    deadlines = CALENDAR.deadlines(shanghai(filed_at))
    assert (deadlines.remind_at, deadlines.due_at, deadlines.ceiling_at) == tuple(
        map(end_of, (remind_on, due_on, ceiling_on))
    )
    assert not deadlines.provisional


def test_the_day_of_filing_is_shanghais_whatever_zone_the_instant_is_in() -> None:
    just_before = datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)
    midnight = datetime(2026, 11, 23, 8, 0, tzinfo=timezone(timedelta(hours=-8)))
    assert CALENDAR.deadlines(just_before).due_at == end_of("2026-11-26")
    assert CALENDAR.deadlines(midnight).due_at == end_of("2026-11-27")


def test_instants_are_kept_in_utc() -> None:
    deadlines = CALENDAR.deadlines(shanghai("2026-11-20T18:00"))
    assert deadlines.due_at.isoformat() == "2026-11-25T16:00:00+00:00"
    assert Deadlines.model_validate_json(deadlines.model_dump_json()) == deadlines


def test_the_limits_can_be_set() -> None:
    deadlines = CALENDAR.deadlines(shanghai("2026-11-20T18:00"), due_days=5, remind_days_before=3, ceiling_days=6)
    assert (deadlines.remind_at, deadlines.due_at, deadlines.ceiling_at) == (
        end_of("2026-11-24"),
        end_of("2026-11-27"),
        end_of("2026-11-30"),
    )


# --- estimated years ---


def test_a_deadline_in_a_year_without_a_file_is_estimated_and_says_so() -> None:
    deadlines = AS_OF_2026.deadlines(shanghai("2026-12-29T10:00"))
    assert deadlines.due_at == end_of("2027-01-04")
    assert deadlines.provisional
    assert deadlines.calendar == "CN-2026.1+CN-2027-estimate"


def test_a_ceiling_may_be_provisional_while_the_due_date_is_certain() -> None:
    certain, uncertain = (AS_OF_2026.deadlines(shanghai(f"2026-12-{day}T10:00")) for day in (10, 11))
    assert (certain.ceiling_at, certain.ceiling_provisional) == (end_of("2026-12-31"), False)
    assert (uncertain.due_at, uncertain.provisional) == (end_of("2026-12-16"), False)
    assert (uncertain.ceiling_provisional, uncertain.calendar) == (True, "CN-2026.1")


def test_only_the_days_counted_decide_and_not_the_day_of_filing() -> None:
    assert AS_OF_2026.deadlines(shanghai("2025-12-31T10:00")).calendar == "CN-2026.1"
    assert AS_OF_2026.deadlines(shanghai("2026-12-31T10:00")).calendar == "CN-2027-estimate"


def test_a_new_calendar_file_moves_a_provisional_deadline_and_settles_it(tmp_path: Path) -> None:
    year_file(tmp_path, 2027)
    filed_at = shanghai("2026-12-29T10:00")
    deadlines = load(tmp_path).deadlines(filed_at)
    assert deadlines.due_at == end_of("2027-01-05") > AS_OF_2026.deadlines(filed_at).due_at
    assert not deadlines.provisional
    assert deadlines.calendar == "CN-2026.1+CN-2027.1"


def test_a_file_of_the_users_replaces_the_built_in_year_and_leaves_the_others(tmp_path: Path) -> None:
    year_file(tmp_path, 2026, version='"CN-2026.2"')
    calendar = load(tmp_path)
    assert calendar.year(2026).version == "CN-2026.2"
    assert calendar.is_business_day(date(2026, 10, 1))
    assert calendar.status(range(2024, 2026)) == CALENDAR.status(range(2024, 2026))


# --- trouble ---


@pytest.mark.parametrize("year", [2023, 2051])
def test_an_unknown_year_is_named_together_with_the_way_out(year: int) -> None:
    with pytest.raises(
        CalendarError, match=f"No business calendar for {year}: known are 2024 to 2050. Put {year}.toml"
    ):
        CALENDAR.year(year)


def test_a_deadline_past_2050_is_refused_until_a_file_is_added(tmp_path: Path) -> None:
    filed_at = shanghai("2050-12-20T10:00")
    with pytest.raises(CalendarError, match="2051"):
        CALENDAR.deadlines(filed_at)
    year_file(tmp_path, 2051)
    deadlines = load(tmp_path).deadlines(filed_at)
    assert (deadlines.calendar, deadlines.ceiling_at.year) == ("CN-2050-estimate", 2051)


def test_an_instant_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 9, 30, 18, 0)  # noqa: DTZ001
    aware = naive.replace(tzinfo=UTC)
    for call in (
        lambda: CALENDAR.deadlines(naive),
        lambda: CALENDAR.next_day_end(naive),
        lambda: CALENDAR.previous_day_end(naive),
        lambda: CALENDAR.business_days_left(naive, aware),
        lambda: CALENDAR.business_days_left(aware, naive),
    ):
        with pytest.raises(ValueError, match="2026-09-30T18:00:00 has no time zone"):
            call()


@pytest.mark.parametrize(("remind", "due", "ceiling"), [(0, 3, 15), (3, 3, 15), (1, 15, 15), (1, 1, 15), (-1, 3, 15)])
def test_limits_out_of_order_are_refused(remind: int, due: int, ceiling: int) -> None:
    with pytest.raises(ValueError, match=f"not {remind}, {due}, {ceiling}"):
        CALENDAR.deadlines(
            datetime(2026, 9, 30, tzinfo=UTC), due_days=due, remind_days_before=remind, ceiling_days=ceiling
        )


@pytest.mark.parametrize("n", [0, -1])
def test_counting_fewer_than_one_business_day_is_refused(n: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        CALENDAR.add_business_days(date(2026, 9, 30), n)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"make_up_days": "[2027-01-06]"}, "make-up day 2027-01-06 is not"),
        ({"make_up_days": "[2027-01-03]"}, "make-up day 2027-01-03 is not"),
        ({"make_up_days": "[2026-12-26]"}, "make-up day 2026-12-26 is not in 2027"),
        (
            {"holidays": '[{ name = "", name_en = "", first = 2026-12-31, last = 2027-01-01 }]'},
            "2026-12-31 to 2027-01-01",
        ),
        (
            {"holidays": '[{ name = "", name_en = "", first = 2027-01-03, last = 2027-01-01 }]'},
            "2027-01-03 to 2027-01-01",
        ),
        ({"version": '"二〇二七"'}, "version"),
        ({"workdays": "[]"}, "workdays"),
        ({"holidays": "[2027-01-01"}, "Unclosed array"),
        ({"name": "2028.toml"}, "2028.toml holds 2027: name it 2027.toml"),
        ({"name": "china.toml"}, "china.toml holds 2027: name it 2027.toml"),
    ],
)
def test_a_calendar_file_that_cannot_be_right_is_refused_by_name(
    tmp_path: Path, changes: dict[str, str], complaint: str
) -> None:
    year_file(tmp_path, 2027, **changes)
    with pytest.raises(CalendarError, match="Calendar file") as refused:
        load(tmp_path)
    assert complaint in str(refused.value)
    assert changes.get("name", "2027.toml") in str(refused.value)


def test_a_calendar_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nowhere")


# --- the next day's end, and the time left ---


@pytest.mark.parametrize(
    ("after", "end"),
    [
        ("2026-10-10T00:00", "2026-10-10"),
        ("2026-10-10T23:59:59", "2026-10-10"),
        ("2026-10-11T00:00", "2026-10-12"),  # the end of the 10th itself is not after it
        ("2026-09-30T23:00", "2026-09-30"),
        ("2026-10-01T08:00", "2026-10-08"),
    ],
)
def test_the_next_day_end_is_the_first_one_strictly_after(after: str, end: str) -> None:
    assert CALENDAR.next_day_end(shanghai(after)) == end_of(end)


@pytest.mark.parametrize(
    ("before", "end"),
    [
        ("2026-10-11T00:00:01", "2026-10-10"),
        ("2026-10-11T00:00", "2026-10-09"),  # the end of the 10th itself is not before it
        ("2026-10-10T23:59:59", "2026-10-09"),
        ("2026-10-08T12:00", "2026-09-30"),
        ("2026-10-01T00:00:01", "2026-09-30"),
    ],
)
def test_the_previous_day_end_is_the_last_one_strictly_before(before: str, end: str) -> None:
    assert CALENDAR.previous_day_end(shanghai(before)) == end_of(end)


@pytest.mark.parametrize(
    ("now", "left"),
    [
        ("2026-11-20T18:00", 3),  # filed on Friday, due on Wednesday the 25th
        ("2026-11-21T12:00", 3),
        ("2026-11-23T00:00", 2),
        ("2026-11-24T23:59", 1),
        ("2026-11-25T23:59:59", 0),
        ("2026-11-26T00:00", -1),
        ("2026-11-27T23:59", -2),
        ("2026-11-29T12:00", -3),
        ("2026-11-30T09:00", -3),
    ],
)
def test_the_time_left_is_in_business_days_and_below_zero_when_late(now: str, left: int) -> None:
    assert CALENDAR.business_days_left(shanghai(now), end_of("2026-11-25")) == left


# --- properties ---


def is_end_of_business_day(calendar: BusinessCalendar, instant: datetime) -> bool:
    return calendar.end_of_day(instant.date()) == instant and calendar.is_business_day(instant.date())


@given(instants)
def test_every_deadline_is_the_end_of_a_business_day_in_the_right_order(filed_at: datetime) -> None:
    deadlines = CALENDAR.deadlines(filed_at)
    assert filed_at < deadlines.remind_at < deadlines.due_at < deadlines.ceiling_at
    for instant in (deadlines.remind_at, deadlines.due_at, deadlines.ceiling_at):
        assert is_end_of_business_day(CALENDAR, instant)


@given(instants)
def test_exactly_3_business_days_lie_after_the_date_of_filing_and_not_after_the_due_date(filed_at: datetime) -> None:
    filed_on, due_on = filed_at.astimezone(SHANGHAI).date(), CALENDAR.deadlines(filed_at).due_at.date()
    between = [filed_on + n * DAY for n in range(1, (due_on - filed_on).days + 1)]
    assert sum(map(CALENDAR.is_business_day, between)) == 3


@given(instants)
def test_the_reminder_comes_one_business_day_before_and_the_ceiling_12_after(filed_at: datetime) -> None:
    deadlines = CALENDAR.deadlines(filed_at)
    assert CALENDAR.next_day_end(deadlines.remind_at) == deadlines.due_at
    assert CALENDAR.add_business_days(deadlines.due_at.date(), 12) == deadlines.ceiling_at.date()


@given(instants, instants)
def test_who_files_later_is_never_due_earlier(one: datetime, other: datetime) -> None:
    first, second = (CALENDAR.deadlines(filed_at) for filed_at in sorted((one, other)))
    assert first.remind_at <= second.remind_at
    assert first.due_at <= second.due_at
    assert first.ceiling_at <= second.ceiling_at


@given(instants)
def test_a_deadline_is_provisional_exactly_when_a_counted_year_is_estimated(filed_at: datetime) -> None:
    deadlines = AS_OF_2026.deadlines(filed_at)
    assert deadlines.provisional == (deadlines.due_at.year > 2026) == ("estimate" in deadlines.calendar)
    assert deadlines.ceiling_provisional == (deadlines.ceiling_at.year > 2026)


@given(dates, st.integers(1, 12), st.integers(1, 12))
def test_counting_business_days_adds_up(day: date, some: int, more: int) -> None:
    total = CALENDAR.add_business_days(day, some + more)
    assert CALENDAR.add_business_days(CALENDAR.add_business_days(day, some), more) == total


@given(instants)
def test_the_next_day_end_is_after_the_instant_and_no_business_day_ends_between(after: datetime) -> None:
    end = CALENDAR.next_day_end(after)
    assert end > after
    assert is_end_of_business_day(CALENDAR, end)
    day = after.astimezone(SHANGHAI).date()
    assert [d for d in (day + n * DAY for n in range((end.date() - day).days)) if CALENDAR.is_business_day(d)] == []


@given(instants)
def test_to_the_next_day_end_and_back_is_the_day_end_before_it(instant: datetime) -> None:
    assume(instant.year > min(CALENDAR.years))
    end = CALENDAR.next_day_end(instant)
    back = CALENDAR.previous_day_end(end)
    assert back <= instant < end
    assert CALENDAR.next_day_end(back) == end


@given(instants, instants)
def test_the_time_left_is_the_limit_at_filing_and_negative_exactly_when_late(filed_at: datetime, now: datetime) -> None:
    due_at = CALENDAR.deadlines(filed_at).due_at
    assert CALENDAR.business_days_left(filed_at, due_at) == 3
    assert (CALENDAR.business_days_left(now, due_at) < 0) == (now >= due_at)
