"""`python -m devtools.benchmarks.peers`: measure, write the JSON, show the tables, write the documents if asked to."""

import asyncio
import compileall
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console
from rich.markdown import Markdown

from devtools.benchmarks.figures import Machine
from devtools.benchmarks.peers.page import COMMITTED, section, write_docs
from devtools.benchmarks.peers.programs import PeersMissing, check_installed, versions
from devtools.benchmarks.peers.result import Measured, PeersResult, Storage
from devtools.benchmarks.peers.run import run
from devtools.demo.programs import FAILED
from devtools.demo.stack import ROOT

app = App(name="peers", help="Measure the real route against the same process on DBOS: docs/benchmarks.md, Peers.")

Flag = Parameter(negative=())


@app.default
def bench(
    *,
    n: Annotated[int, Parameter(help="Requests of each, one at a time; the blocks follow from it.")] = 100,
    concurrency: Annotated[int, Parameter(help="Requests in flight in a block.")] = 20,
    killed: Annotated[int, Parameter(help="Requests under way when the worker is killed.")] = 10,
    storage: Annotated[tuple[Storage, ...], Parameter(help="Where all of them keep their state.")] = tuple(Storage),
    strict: Annotated[bool, Flag, Parameter(help="Exit 1 when a wanted ratio is missed.")] = False,
    out: Annotated[Path, Parameter(help="Where the JSON goes.")] = ROOT / "devtools/benchmarks/results/peers.json",
    write_docs: Annotated[
        bool, Flag, Parameter(help="Also renew JSON, section and picture in the repository.")
    ] = False,
) -> int:
    """Measure on programs of its own, on free ports; about twenty minutes. Exit code 0 when everything was measured.

    Example: python -m devtools.benchmarks.peers --n 10 --storage memory
    """
    console = Console()
    try:
        check_installed()
    except PeersMissing as missing:
        console.print(str(missing))
        return FAILED
    # What the workflow sandbox imports anew for every instance: compiled beforehand, as in the image.
    compileall.compile_dir(ROOT / "workflows", quiet=1)

    async def measure(where: Storage) -> Measured:
        def tell(what: str) -> None:
            console.print(f"[dim]{where}: {what} ...[/]")

        with TemporaryDirectory(prefix="bench-peers-", dir=where.folder) as folder:
            return await run(Path(folder), tell, n=n, concurrency=concurrency, killed=killed)

    machine = Machine()
    runs = {where: asyncio.run(measure(where)) for where in storage}
    result = PeersResult(machine=machine, versions=versions(), n=n, concurrency=concurrency, runs=runs)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(result.model_dump_json(indent=2) + "\n")
    console.print(Markdown(section(result)))
    console.print(f"Written to {out}")
    if write_docs:
        COMMITTED.write_text(out.read_text())
        _renew(console)
    return 1 if strict and not result.met else 0


@app.command
def docs() -> int:
    """Write the section and the picture again from the committed JSON, without measuring."""
    _renew(Console())
    return 0


def _renew(console: Console) -> None:
    write_docs(PeersResult.model_validate_json(COMMITTED.read_text()))
    console.print("Renewed docs/benchmarks.md and docs/images/peers.svg")


if __name__ == "__main__":
    code = app()
    sys.stdout.flush()
    # temporalio's native threads may abort the interpreter's own exit.
    os._exit(code or 0)
