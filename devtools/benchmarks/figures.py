"""What comes out: every figure with its median and spread, and the targets that some of them are held against."""

import platform
import statistics
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final, Self

import psutil
from pydantic import Field
from rich.console import Console
from rich.table import Table

from devtools.benchmarks.measure import (
    ACTIONS,
    ALONE,
    BYTES,
    EVENTS,
    IN_FLIGHT,
    MIB,
    PARKED_MIB,
    STEP_COST,
    TEMPORAL_CPU,
    TO_CLOSED_MS,
    WORKER_CPU,
    Samples,
)
from domain.model import Instant, Model

COSTS: Final = (WORKER_CPU, TEMPORAL_CPU, IN_FLIGHT, STEP_COST, TO_CLOSED_MS)
"""The figures that are shown with single things left out."""


class Spread(Model):
    """The middle half of what was measured, around its median, and the slowest twentieth."""

    median: float
    p25: float
    p75: float
    p95: float
    n: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        found = list(values)
        # Of one value, it is all of them.
        parts = statistics.quantiles(found if len(found) > 1 else found * 2, n=20, method="inclusive")
        return cls(median=parts[9], p25=parts[4], p75=parts[14], p95=parts[18], n=len(found))

    def __str__(self) -> str:
        middle = f" [dim]({shown(self.p25)}-{shown(self.p75)})[/]" if self.n > 1 else ""
        return shown(self.median) + middle


Figures = dict[str, Spread]
"""By the figure's name, which says its unit; `measure` says how each is taken."""


def figures_of(samples: Samples) -> Figures:
    return {name: Spread.of(values) for name, values in samples.items()}


def against(twin: Samples, samples: Samples) -> Figures:
    """The figures in times of the twin's, turn by turn; above 1 is more of it than the twin has."""
    return {
        name: Spread.of(ours / theirs for ours, theirs in zip(values, twin[name], strict=True))
        for name, values in samples.items()
        if all(twin[name])
    }


class Target(Model):
    """One promise about the real route: platform over HTTP, vault, search attributes and all.

    With `at_once` it is about the route on a platform that answers at once: our own share, and nobody else's.
    `instant` is what that one measured, beside the real route; None where there is no such thing.
    """

    name: str
    figure: str
    of_twin: bool = False
    at_once: bool = False
    limit: float
    at_least: bool = False
    measured: Spread | None = None
    instant: Spread | None = None

    @property
    def met(self) -> bool:
        assert self.measured is not None
        return self.measured.median >= self.limit if self.at_least else self.measured.median <= self.limit


_IN_FLIGHT = "throughput, {concurrency} in flight (of the twin's)"

TARGETS: Final = (
    Target(name="throughput, one at a time (of the twin's)", figure=ALONE, of_twin=True, limit=0.85, at_least=True),
    Target(name=_IN_FLIGHT, figure=IN_FLIGHT, of_twin=True, limit=0.75, at_least=True),
    Target(
        name=f"{_IN_FLIGHT}, platform at once", figure=IN_FLIGHT, of_twin=True, at_once=True, limit=0.88, at_least=True
    ),
    Target(
        name="worker's CPU, platform at once (times the twin's)",
        figure=WORKER_CPU,
        of_twin=True,
        at_once=True,
        limit=1.15,
    ),
    Target(name="one step, accept_notice (times a bare update)", figure=STEP_COST, of_twin=True, limit=1.25),
    Target(name="confirm to CLOSED (times the twin's)", figure=TO_CLOSED_MS, of_twin=True, limit=1.25),
    Target(name="history events, deletion included", figure=EVENTS, limit=175),
    Target(name="history bytes, deletion included", figure=BYTES, limit=30 * 1024),
    Target(name="billable actions, deletion included", figure=ACTIONS, limit=48),
    Target(name="worker MiB with {parked} requests under review", figure=PARKED_MIB, limit=250),
)


class Machine(Model):
    python: str = Field(default_factory=platform.python_version)
    temporalio: str = version("temporalio")
    system: str = f"{platform.system()} {platform.machine()}"
    cores: int = psutil.cpu_count() or 0
    memory_mib: int = psutil.virtual_memory().total // MIB
    load_before: float = Field(default_factory=lambda: psutil.getloadavg()[0])
    """Runnable processes in the minute before; above 0.5 somebody else was working."""


class Measurement(Model):
    """What a command has measured: written as JSON, and shown. One without targets meets them all."""

    measured_at: Instant = Field(default_factory=lambda: datetime.now(UTC))
    machine: Machine

    @property
    def met(self) -> bool:
        return True

    def show(self, console: Console) -> None:
        raise NotImplementedError


class Result(Measurement):
    """Figures by route, in times of the twin's, by what was left out, and of a worker with requests parked."""

    concurrency: int
    targets: tuple[Target, ...]
    routes: dict[str, Figures]
    against_twin: dict[str, Figures]
    costs: dict[str, Figures]
    parked: Figures

    @property
    def met(self) -> bool:
        return all(target.met for target in self.targets)

    def show(self, console: Console) -> None:
        machine = self.machine
        console.print(
            f"{self.measured_at:%Y-%m-%d %H:%M} UTC, {machine.cores} cores, {machine.memory_mib} MiB, "
            f"{machine.system}, Python {machine.python}, temporalio {machine.temporalio}, "
            f"load before {machine.load_before:.2f}"
        )
        table = _table("The real route against the bare twin", "target", "limit", "measured", "", "instant platform")
        for target in self.targets:
            table.add_row(
                target.name,
                f"{'>=' if target.at_least else '<='} {target.limit:g}",
                str(target.measured),
                "[green]met[/]" if target.met else "[bold red]MISSED[/]",
                str(target.instant or ""),
            )
        console.print(table)
        ratios = {f"{route} / twin": figures for route, figures in self.against_twin.items()}
        title = f"One request alone, and with {self.concurrency} in flight"
        console.print(table_of(title, self.routes | ratios, next(iter(self.routes.values()))))
        if self.costs:
            title = "What costs it: our code on the instant platform, with one thing left out"
            console.print(table_of(title, self.costs, COSTS))
        for name, figure in self.parked.items():
            console.print(f"{name}: {figure}")


def judge(real: tuple[Figures, Figures], instant: tuple[Figures, Figures], **requests: int) -> tuple[Target, ...]:
    """The targets of all that was measured; of both routes, the figures and the same in times of the twin's."""
    return tuple(
        target.model_copy(
            update={
                "name": target.name.format(**requests),
                "measured": (instant if target.at_once else real)[target.of_twin][target.figure],
                "instant": None if target.at_once else instant[target.of_twin].get(target.figure),
            }
        )
        for target in TARGETS
        if target.figure in real[target.of_twin]
    )


def table_of(title: str, routes: Mapping[str, Figures], names: Iterable[str]) -> Table:
    """A line for each figure, a column for each route or variant."""
    table = _table(title, "", *routes)
    for name in names:
        table.add_row(name, *(str(figures.get(name, "")) for figures in routes.values()))
    return table


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def shown(number: float) -> str:
    """Three figures are more than anybody can rely on."""
    return f"{number:.{2 if abs(number) < 10 else 1 if abs(number) < 100 else 0}f}"
