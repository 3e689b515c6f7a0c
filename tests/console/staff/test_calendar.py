"""The calendar page: this year and next, where the days come from, and whether they are sure."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx2
import pytest

from console.auth.roles import Role
from domain.business_calendar import CALENDAR, SHANGHAI
from tests.console.conftest import Console
from tests.console.staff.pages import inline_code, words

THIS_YEAR = datetime.now(UTC).astimezone(SHANGHAI).year


@pytest.fixture
async def auditor(console: Console) -> AsyncIterator[httpx2.AsyncClient]:
    async with console.signed_in(Role.AUDITOR) as browser:
        yield browser


def days(html: str, kind: str) -> list[str]:
    return re.findall(rf'<td class="{kind}"[^>]*><time datetime="([^"]+)"', html)


@pytest.mark.parametrize("year", sorted({2026, THIS_YEAR, THIS_YEAR + 1}))
async def test_every_business_day_of_the_year_is_marked(auditor: httpx2.AsyncClient, year: int) -> None:
    html = (await auditor.get(f"/staff/calendar?year={year}")).text
    marked = sorted(days(html, "workday") + days(html, "make-up"))
    assert marked == [day.isoformat() for day in CALENDAR.year(year).business_days]
    assert days(html, "make-up") == [day.isoformat() for day in CALENDAR.year(year).make_up_days]


async def test_this_year_is_shown_first_and_the_next_is_one_step_away(auditor: httpx2.AsyncClient) -> None:
    html = (await auditor.get("/staff/calendar")).text
    assert f"Business days {THIS_YEAR}" in words(html)
    assert f'href="/staff/calendar?year={THIS_YEAR + 1}"' in html
    assert 'aria-current="date"' in html


async def test_a_published_year_names_its_notice_and_file(auditor: httpx2.AsyncClient) -> None:
    page = words((await auditor.get("/staff/calendar?year=2026")).text)
    for told in ("CN-2026.1", "国办发明电〔2025〕7号", "2025-11-04", "2026.toml", "published, final"):
        assert told in page
    assert "02-15 – 02-23 春节 · Spring Festival" in page
    assert "10-10 make-up working day" in page


async def test_an_estimated_year_says_what_that_means(auditor: httpx2.AsyncClient) -> None:
    year = max(CALENDAR.years)
    page = words((await auditor.get(f"/staff/calendar?year={year}")).text)
    assert "Provisional" in page
    assert "may still move" in page
    assert "statutory.toml" in page


async def test_a_year_without_a_calendar_is_not_found(auditor: httpx2.AsyncClient) -> None:
    answer = await auditor.get("/staff/calendar?year=1999")
    assert answer.status_code == 404
    assert "No business calendar for 1999" in words(answer.text)


async def test_the_calendar_is_in_both_languages_and_strict(auditor: httpx2.AsyncClient) -> None:
    for language, title in (("zh-CN", "工作日历"), ("en", "Business days")):
        page = (await auditor.get(f"/staff/calendar?lang={language}")).text
        assert title in words(page)
        assert inline_code(page) == []
