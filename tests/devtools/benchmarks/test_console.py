"""The measurement of the console's pages: what it opens, and what it calls met."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from devtools.benchmarks.console import QUEUE, ConsoleResult, Page
from devtools.benchmarks.figures import Machine, Spread
from devtools.benchmarks.tickets import open_tickets
from devtools.demo.stack import Stack
from domain.business_calendar import CALENDAR
from service.queue import BucketKind, buckets, count


async def test_the_tickets_that_it_opens_lie_all_over_the_queue(tmp_path: Path) -> None:
    async with Stack.start(tmp_path) as stack:
        await open_tickets(stack.client, 0, 60)
        await open_tickets(stack.client, 60, 100)
        found = buckets(CALENDAR, datetime.now(UTC))
        tickets = {bucket.key: await count(stack.client, bucket) for bucket in found}
    assert sum(tickets.values()) == 100
    assert tickets[BucketKind.LATE] == 3
    assert tickets[BucketKind.AWAITING_MATERIALS] == 24
    due = [tickets[bucket.key] for bucket in found if bucket.kind is BucketKind.DUE]
    assert sorted(due) == [0, 24, 24, 25]


def page(*, page_ms: float, bare_ms: float) -> Page:
    return Page(page=Spread.of([page_ms]), bare=Spread.of([bare_ms]))


@pytest.mark.parametrize(
    ("with_1000", "with_10000", "met"),
    [
        (page(page_ms=15, bare_ms=10), page(page_ms=22, bare_ms=20), True),
        (page(page_ms=16, bare_ms=10), page(page_ms=22, bare_ms=20), False),
        (page(page_ms=10, bare_ms=10), page(page_ms=31, bare_ms=21), False),
        (page(page_ms=10, bare_ms=10), page(page_ms=16, bare_ms=16), False),
    ],
    ids=["met", "slow with few", "slow with many", "grows"],
)
def test_a_target_that_is_missed_anywhere_is_missed(with_1000: Page, with_10000: Page, met: bool) -> None:
    result = ConsoleResult(machine=Machine(), rounds=1, pages={1_000: {QUEUE: with_1000}, 10_000: {QUEUE: with_10000}})
    assert result.met is met


def test_a_spread_is_the_middle_half_and_the_slowest_twentieth() -> None:
    spread = Spread.of(range(1, 102))
    assert (spread.p25, spread.median, spread.p75, spread.p95) == (26, 51, 76, 96)
    assert Spread.of([7]) == Spread(median=7, p25=7, p75=7, p95=7, n=1)
