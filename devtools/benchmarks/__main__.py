"""`python -m devtools.benchmarks`: measure, write the JSON, show the tables."""

import asyncio
import compileall
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console

from devtools.benchmarks.bench import Options, run
from devtools.benchmarks.console import measure_console
from devtools.benchmarks.console_results import show as show_console
from devtools.benchmarks.report import show
from devtools.demo.stack import ROOT

LATEST = Path(__file__).parent / "results" / "latest.json"
CONSOLE = LATEST.with_name("console.json")

COMPILED = ("workflows", "devtools/benchmarks")
"""What the workflow sandbox imports anew for every instance: compiled beforehand, as in the image."""

app = App(name="benchmarks", help="Measure the real routes against a bare twin: docs/benchmarks.md.")


@app.default
def bench(
    *,
    n: Annotated[int, Parameter(help="Requests of each route, one at a time; the blocks follow from it.")] = 100,
    concurrency: Annotated[int, Parameter(help="Requests in flight in a block.")] = 20,
    parked: Annotated[int, Parameter(help="Requests to park under review; 0 leaves that out.")] = 1000,
    costs: Annotated[bool, Parameter(help="Also measure with single things left out.")] = True,
    strict: Annotated[bool, Parameter(negative=(), help="Exit 1 when a target is missed.")] = False,
    out: Annotated[Path, Parameter(help="Where the JSON goes.")] = LATEST,
) -> int:
    """Measure on a stack of its own, on free ports; about fifteen minutes. Exit code 0 when everything was measured.

    Example: python -m devtools.benchmarks --n 20 --parked 0 --no-costs
    """
    console = Console()
    for package in COMPILED:
        compileall.compile_dir(ROOT / package, quiet=1)
    with TemporaryDirectory(prefix="bench-") as folder:
        options = Options(n=n, concurrency=concurrency, parked=parked, costs=costs)
        result = asyncio.run(run(Path(folder), options, lambda what: console.print(f"[dim]{what} ...[/]")))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(result.model_dump_json(indent=2) + "\n")
    show(result, console)
    console.print(f"Written to {out}")
    return 1 if strict and not result.met else 0


@app.command(name="console")
def console_pages(
    *,
    rounds: Annotated[int, Parameter(help="How often each page and its bare calls are asked, in turn.")] = 40,
    tickets: Annotated[tuple[int, ...], Parameter(help="Numbers of open tickets, rising.")] = (1_000, 10_000),
    strict: Annotated[bool, Parameter(negative=(), help="Exit 1 when a target is missed.")] = False,
    out: Annotated[Path, Parameter(help="Where the JSON goes.")] = CONSOLE,
) -> int:
    """Measure the console's pages against the bare calls behind them, with many open tickets; about five minutes.

    Example: python -m devtools.benchmarks console --rounds 10 --tickets 200 --tickets 2000
    """
    console = Console()
    with TemporaryDirectory(prefix="bench-") as folder:
        measuring = measure_console(Path(folder), tickets, rounds, lambda what: console.print(f"[dim]{what} ...[/]"))
        result = asyncio.run(measuring)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(result.model_dump_json(indent=2) + "\n")
    show_console(result, console)
    console.print(f"Written to {out}")
    return 1 if strict and not result.met else 0


if __name__ == "__main__":
    code = app()
    sys.stdout.flush()
    # temporalio's native threads may abort the interpreter's own exit.
    os._exit(code or 0)
