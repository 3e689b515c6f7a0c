"""Each part of the measurement of many at once, with the smallest numbers: that it measures, not how fast it is."""

from pathlib import Path

import pytest
from rich.console import Console

from devtools.benchmarks.scale import ScaleResult, Sizes, measure_scale

NOTHING = Sizes(
    tickets=0, spread_seconds=0, steps=1, looks=1, requests=0, latency=0.001, drained=0, outage_seconds=0, limit=100
)


@pytest.mark.timeout(180)
async def test_tickets_that_are_due_together_all_escalate_once(tmp_path: Path) -> None:
    [figures] = (await _measured(tmp_path, tickets=3)).parts.values()
    assert (figures["tickets"], figures["escalated more than once"]) == (3, 0)
    assert figures["s until all are marked late"] >= 0
    assert figures["accept_notice at the deadline, p95, ms"] >= figures["accept_notice at the deadline, p50, ms"] > 0
    assert figures["first page of the queue, 6 tickets, p50, ms"] > 0


@pytest.mark.timeout(180)
async def test_a_second_worker_is_held_against_the_first(tmp_path: Path) -> None:
    [figures] = (await _measured(tmp_path, requests=1)).parts.values()
    assert figures["times as many"] == figures["two workers"] / figures["one worker, requests a second"]


@pytest.mark.timeout(180)
async def test_what_was_confirmed_while_the_platform_was_away_closes_with_and_without_a_limit(tmp_path: Path) -> None:
    result = await _measured(tmp_path, drained=1)
    assert list(result.parts) == ["drain, no limit", "drain, limit"]
    for figures, arrivals in zip(result.parts.values(), result.arrivals.values(), strict=True):
        assert figures["requests"] == 1
        assert figures["calls, afterwards"] == sum(arrivals) > 0


async def _measured(folder: Path, **sizes: int) -> ScaleResult:
    result = await measure_scale(folder, lambda what: None, NOTHING.model_copy(update=sizes))
    assert ScaleResult.model_validate_json(result.model_dump_json()) == result
    result.show(Console(quiet=True))
    return result
