"""What comes out: every number with its median and spread, and the targets it is held against."""

import platform
import statistics
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Self

import psutil

from devtools.benchmarks.measure import Measured
from devtools.benchmarks.routes import STEPS, TO_CLOSED, WHOLE
from domain.model import Instant, Model

MIB = 1024 * 1024


class Spread(Model):
    """The middle half of what was measured, around its median."""

    median: float
    p25: float
    p75: float
    n: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        found = sorted(values)
        if len(found) == 1:
            return cls(median=found[0], p25=found[0], p75=found[0], n=1)
        p25, median, p75 = statistics.quantiles(found, n=4, method="inclusive")
        return cls(median=median, p25=p25, p75=p75, n=len(found))


class History(Model):
    """One request with its deletion: what Temporal keeps of it."""

    events: int
    bytes: int


class RouteResult(Model):
    """One route. `cpu_ms` is by process, of one request with the others in flight; the rest says its unit."""

    steps_ms: dict[str, Spread]
    per_second_alone: Spread
    per_second_in_flight: Spread
    whole_ms_in_flight: Spread
    worker_cpu_ms_alone: float
    cpu_ms: dict[str, Spread]
    idle_worker_mib: float
    peak_worker_mib: float
    peak_kib_per_request: float
    history: History | None

    @classmethod
    def of(cls, measured: Measured, concurrency: int, history: History | None) -> Self:
        steps = (*STEPS, TO_CLOSED, WHOLE)
        processes = measured.blocks[0].cpu_seconds
        return cls(
            steps_ms={step: Spread.of(1000 * one[step] for one in measured.solo) for step in steps},
            per_second_alone=Spread.of(1 / one[WHOLE] for one in measured.solo),
            per_second_in_flight=Spread.of(block.per_second for block in measured.blocks),
            whole_ms_in_flight=Spread.of(1000 * one for block in measured.blocks for one in block.whole),
            # A mean: the clock of CPU time is too coarse for one request.
            worker_cpu_ms_alone=1000 * statistics.fmean(measured.solo_cpu),
            cpu_ms={
                name: Spread.of(1000 * block.cpu_seconds[name] / block.requests for block in measured.blocks)
                for name in processes
            },
            idle_worker_mib=measured.idle_rss / MIB,
            peak_worker_mib=measured.peak_rss / MIB,
            peak_kib_per_request=(measured.peak_rss - measured.idle_rss) / 1024 / concurrency,
            history=history,
        )


class Ratios(Model):
    """One route against the twin, turn by turn: above 1 is more of it than the twin has."""

    per_second_alone: Spread
    per_second_in_flight: Spread
    steps: dict[str, Spread]

    @classmethod
    def of(cls, route: Measured, twin: Measured) -> Self:
        alone = list(zip(route.solo, twin.solo, strict=True))
        return cls(
            per_second_alone=Spread.of(theirs[WHOLE] / ours[WHOLE] for ours, theirs in alone),
            per_second_in_flight=Spread.of(
                ours.per_second / theirs.per_second for ours, theirs in zip(route.blocks, twin.blocks, strict=True)
            ),
            steps={step: Spread.of(o[step] / t[step] for o, t in alone) for step in (*STEPS, TO_CLOSED, WHOLE)},
        )


class Target(Model):
    """One promise. `instant` is the same without the platform's share; None where there is no such thing."""

    name: str
    limit: float
    at_least: bool
    measured: Spread
    instant: Spread | None

    @property
    def met(self) -> bool:
        return self.measured.median >= self.limit if self.at_least else self.measured.median <= self.limit


class Parked(Model):
    requests: int
    open_workflows: int
    worker_mib: float
    idle_worker_mib: float
    peak_worker_mib: float
    kib_per_request: float


class Machine(Model):
    python: str
    temporalio: str
    system: str
    cores: int
    memory_mib: int
    load_before: float
    """Runnable processes in the minute before; above 0.5 somebody else was working."""

    @classmethod
    def this(cls) -> Self:
        return cls(
            python=platform.python_version(),
            temporalio=version("temporalio"),
            system=f"{platform.system()} {platform.machine()}",
            cores=psutil.cpu_count() or 0,
            memory_mib=psutil.virtual_memory().total // MIB,
            load_before=psutil.getloadavg()[0],
        )


class Result(Model):
    measured_at: Instant
    machine: Machine
    concurrency: int
    targets: tuple[Target, ...]
    routes: dict[str, RouteResult]
    against_twin: dict[str, Ratios]
    costs: dict[str, RouteResult]
    parked: Parked | None

    @property
    def met(self) -> bool:
        return all(target.met for target in self.targets)


def now() -> datetime:
    return datetime.now(UTC)
