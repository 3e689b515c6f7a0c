"""The whole measurement with the smallest numbers: that it measures everything, not how fast anything is."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from devtools.benchmarks.figures import Result
from devtools.benchmarks.routes import HTTP, STEPS, TO_CLOSED, WHOLE
from devtools.benchmarks.run import run
from devtools.benchmarks.variants import Variant


@pytest.mark.timeout(300)
async def test_a_tiny_run_measures_every_target_and_writes_it_down(tmp_path: Path) -> None:
    told: list[str] = []
    result = await run(tmp_path, told.append, n=1, concurrency=1, parked=2, costs=False)
    written = json.loads(result.model_dump_json())
    assert Result.model_validate_json(result.model_dump_json()) == result
    limits = [0.85, 0.75, 0.88, 1.15, 1.25, 1.25, 175, 30 * 1024, 48, 250]
    assert [target["limit"] for target in written["targets"]] == limits
    assert set(written["routes"]) == {HTTP, Variant.INSTANT, Variant.TWIN}
    processes = {f"CPU ms, {process}" for process in ("worker", "temporal", "simulator", "client")}
    for route in written["routes"].values():
        assert route.keys() >= {f"{step}, ms" for step in (*STEPS, TO_CLOSED, WHOLE)} | processes
        assert route["history events"]["median"] > 150
        assert route["worker MiB, peak"]["median"] >= route["worker MiB, idle"]["median"] > 10
    assert written["parked"]["parked: open workflows"]["median"] == 4
    assert written["parked"]["parked: worker MiB"]["median"] > 10
    console = Console(record=True, width=160, quiet=True)
    result.show(console)
