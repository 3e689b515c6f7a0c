"""`python -m devtools.benchmarks`: measure, write the JSON, show the tables."""

import asyncio
import compileall
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console

from devtools.benchmarks.console import measure_console
from devtools.benchmarks.figures import Measurement
from devtools.benchmarks.run import run
from devtools.benchmarks.scale import SIZES, Sizes, measure_scale
from devtools.benchmarks.server import measure_server
from devtools.demo.stack import ROOT

RESULTS = Path(__file__).parent / "results"

COMPILED = ("workflows", "devtools/benchmarks")
"""What the workflow sandbox imports anew for every instance: compiled beforehand, as in the image."""

Strict = Annotated[bool, Parameter(negative=(), help="Exit 1 when a target is missed.")]
Out = Annotated[Path, Parameter(help="Where the JSON goes.")]

app = App(name="benchmarks", help="Measure the real routes against a bare twin: docs/benchmarks.md.")


@app.default
def bench(
    *,
    n: Annotated[int, Parameter(help="Requests of each route, one at a time; the blocks follow from it.")] = 100,
    concurrency: Annotated[int, Parameter(help="Requests in flight in a block.")] = 20,
    parked: Annotated[int, Parameter(help="Requests to park under review; 0 leaves that out.")] = 1000,
    costs: Annotated[bool, Parameter(help="Also measure with single things left out.")] = True,
    strict: Strict = False,
    out: Out = RESULTS / "latest.json",
) -> int:
    """Measure on a stack of its own, on free ports; about fifteen minutes. Exit code 0 when everything was measured.

    Example: python -m devtools.benchmarks --n 20 --parked 0 --no-costs
    """
    for package in COMPILED:
        compileall.compile_dir(ROOT / package, quiet=1)
    return _measured(
        lambda folder, tell: run(folder, tell, n=n, concurrency=concurrency, parked=parked, costs=costs), strict, out
    )


@app.command(name="console")
def console_pages(
    *,
    rounds: Annotated[int, Parameter(help="How often each page and its bare calls are asked, in turn.")] = 40,
    tickets: Annotated[tuple[int, ...], Parameter(help="Numbers of open tickets, rising.")] = (1_000, 10_000),
    strict: Strict = False,
    out: Out = RESULTS / "console.json",
) -> int:
    """Measure the console's pages against the bare calls behind them, with many open tickets; about five minutes.

    Example: python -m devtools.benchmarks console --rounds 10 --tickets 200 --tickets 2000
    """
    return _measured(lambda folder, tell: measure_console(folder, tell, sizes=tickets, rounds=rounds), strict, out)


@app.command
def server(
    *,
    n: Annotated[int, Parameter(help="Requests with each setting, in turn.")] = 20,
    idle_seconds: Annotated[int, Parameter(help="For how long nothing happens, at the end.")] = 30,
    out: Out = RESULTS / "server.json",
) -> int:
    """Measure what single settings of the Temporal server do; about three minutes."""
    return _measured(
        lambda folder, tell: measure_server(folder, tell, n=n, idle_seconds=idle_seconds), strict=False, out=out
    )


@app.command
def scale(*, sizes: Annotated[Sizes, Parameter(name="*")] = SIZES, out: Out = RESULTS / "scale.json") -> int:
    """Measure many at once: deadlines, a second worker, and the end of an outage; about twelve minutes.

    Example: python -m devtools.benchmarks scale --tickets 200 --requests 0 --drained 50
    """
    return _measured(lambda folder, tell: measure_scale(folder, tell, sizes), strict=False, out=out)


def _measured(
    measuring: Callable[[Path, Callable[[str], None]], Awaitable[Measurement]],
    strict: bool,
    out: Path,
) -> int:
    console = Console()

    async def measure() -> Measurement:
        with TemporaryDirectory(prefix="bench-") as folder:
            return await measuring(Path(folder), lambda what: console.print(f"[dim]{what} ...[/]"))

    result = asyncio.run(measure())
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(result.model_dump_json(indent=2) + "\n")
    result.show(console)
    console.print(f"Written to {out}")
    return 1 if strict and not result.met else 0


if __name__ == "__main__":
    code = app()
    sys.stdout.flush()
    # temporalio's native threads may abort the interpreter's own exit.
    os._exit(code or 0)
