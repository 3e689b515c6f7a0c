"""`due`: the deadline of a ticket filed at an instant."""

import pytest

from tests.cli.conftest import CommandLine

EXAMPLES = {
    # The day before National Day week, after which Saturday the 10th is worked.
    "2026-09-30T10:00+08:00": ("2026-10-10T16:00:00Z", "CN-2026.1", False),
    "2026-09-30T02:00Z": ("2026-10-10T16:00:00Z", "CN-2026.1", False),
    # A Friday evening; then one minute into the Saturday of Shanghai, which is still Friday in UTC.
    "2026-11-20T18:00:00+08:00": ("2026-11-25T16:00:00Z", "CN-2026.1", False),
    "2026-11-20T16:01:00Z": ("2026-11-25T16:00:00Z", "CN-2026.1", False),
    "2026-11-23T09:00+08:00": ("2026-11-26T16:00:00Z", "CN-2026.1", False),
    # Into a year whose notice is not out.
    "2026-12-29T09:00+08:00": ("2027-01-04T16:00:00Z", "CN-2026.1+CN-2027-estimate", True),
    "2026-12-31T23:59+08:00": ("2027-01-06T16:00:00Z", "CN-2027-estimate", True),
}


@pytest.mark.parametrize("filed_at", EXAMPLES)
async def test_the_deadline_is_the_end_of_the_third_business_day(cli: CommandLine, filed_at: str) -> None:
    answer = await cli.json("due", filed_at)
    assert answer == dict(zip(("due_at", "calendar", "provisional"), EXAMPLES[filed_at], strict=True))


async def test_people_read_the_day_that_ends_and_whether_it_may_move(cli: CommandLine) -> None:
    assert "2026-10-10 24:00" in (await cli("due", "2026-09-30T10:00+08:00")).out
    assert "Provisional" in (await cli("due", "2026-12-29T09:00+08:00")).out
    assert "估算" in (await cli("due", "2026-12-29T09:00+08:00", "--lang", "zh")).out


async def test_an_instant_without_zone_is_a_usage_error_that_says_what_to_add(cli: CommandLine) -> None:
    error = await cli.error("due", "2026-09-30T10:00", code=2)
    assert "2026-09-30T10:00:00+08:00" in error["message"]
    assert "2026-09-30T10:00:00Z" in error["message"]


@pytest.mark.parametrize("filed_at", ["yesterday", "2026-02-30T10:00Z", "0001-01-01T00:00+08:00", ""])
async def test_what_is_no_instant_is_a_usage_error(cli: CommandLine, filed_at: str) -> None:
    assert "ISO 8601" in (await cli.error("due", filed_at, code=2))["message"]


async def test_a_year_without_calendar_is_named_with_the_remedy(cli: CommandLine) -> None:
    assert "2070.toml" in (await cli.error("due", "2070-01-05T10:00Z", code=2))["message"]
