"""The whole measurement with the smallest numbers: that it measures everything, not how fast anything is."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from devtools.benchmarks.bench import Options, run
from devtools.benchmarks.report import show
from devtools.benchmarks.results import Result
from devtools.benchmarks.routes import HTTP, STEPS, TO_CLOSED
from devtools.benchmarks.variants import Variant


@pytest.mark.timeout(300)
async def test_a_tiny_run_measures_every_target_and_writes_it_down(tmp_path: Path) -> None:
    told: list[str] = []
    result = await run(tmp_path, Options(n=1, concurrency=1, parked=2, costs=False), told.append)
    written = json.loads(result.model_dump_json())
    assert Result.model_validate_json(result.model_dump_json()) == result
    assert [target["limit"] for target in written["targets"]] == [0.85, 0.85, 1.4, 1.5, 260, 250]
    assert set(written["routes"]) == {HTTP, Variant.INSTANT, Variant.TWIN}
    for route in written["routes"].values():
        assert route["steps_ms"].keys() >= {*STEPS, TO_CLOSED}
        assert route["cpu_ms"].keys() == {"worker", "temporal", "simulator", "client"}
        assert route["history"]["events"] > 150
        assert route["peak_worker_mib"] >= route["idle_worker_mib"] > 10
    assert written["parked"]["open_workflows"] == 4
    assert written["parked"]["worker_mib"] > 10
    console = Console(record=True, width=160, quiet=True)
    show(result, console)
