"""How it is measured: routes take turns, so that whatever else the machine does falls on all of them alike."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

import psutil

from devtools.benchmarks.routes import WHOLE, Route

T = TypeVar("T")

_SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Plan:
    """`rounds` requests one by one, then `blocks` of `size` requests with `concurrency` in flight, for each route."""

    rounds: int
    blocks: int
    size: int
    concurrency: int


@dataclass
class Block:
    """One route's turn with many requests in flight. CPU seconds are by process."""

    requests: int
    seconds: float
    cpu_seconds: dict[str, float]
    whole: list[float]

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


@dataclass
class Measured:
    """What was seen of one route, in order of turns, so that equal indexes of two routes are neighbours in time.

    `idle_rss` is the worker's memory before its first request, `peak_rss` the most it had with requests in flight.
    """

    idle_rss: int
    solo: list[dict[str, float]] = field(default_factory=list)
    solo_cpu: list[float] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    peak_rss: int = 0
    last_account: str = ""


async def measure(routes: Sequence[Route], processes: dict[str, int], plan: Plan) -> dict[str, Measured]:
    """`processes` are those that all routes share, by name, whose CPU time is read beside the worker's."""
    measured = {route.name: Measured(idle_rss=rss_of(route.worker)) for route in routes}
    for route in routes:
        # Imports, connections, caches: as many in flight as later.
        await _play_block(route, Measured(idle_rss=0), processes, plan)
    for turn in range(plan.rounds):
        for route in _turns(routes, turn):
            await _play_solo(route, measured[route.name])
    for turn in range(plan.blocks):
        for route in _turns(routes, turn):
            await _play_block(route, measured[route.name], processes, plan)
    return measured


def _turns(routes: Sequence[Route], turn: int) -> list[Route]:
    """Another one begins each time, so that none always comes after the same one."""
    first = turn % len(routes)
    return [*routes[first:], *routes[:first]]


async def _play_solo(route: Route, measured: Measured) -> None:
    [account_id] = await route.play.accounts(1)
    before = _cpu_of(route.worker)
    measured.solo.append(await route.play.play(account_id))
    measured.solo_cpu.append(_cpu_of(route.worker) - before)
    measured.last_account = account_id


async def _play_block(route: Route, measured: Measured, processes: dict[str, int], plan: Plan) -> None:
    accounts = await route.play.accounts(plan.size)
    watched = {"worker": route.worker, **processes}
    before = {name: _cpu_of(pid) for name, pid in watched.items()}
    async with peak_rss_of(route.worker) as peak:
        begin = time.perf_counter()
        seconds = await in_flight(accounts, route.play.play, plan.concurrency)
        lasted = time.perf_counter() - begin
    measured.peak_rss = max(measured.peak_rss, *peak)
    measured.blocks.append(
        Block(
            requests=plan.size,
            seconds=lasted,
            cpu_seconds={name: _cpu_of(pid) - before[name] for name, pid in watched.items()},
            whole=[one[WHOLE] for one in seconds],
        )
    )


async def in_flight(items: Sequence[str], work: Callable[[str], Awaitable[T]], concurrency: int) -> list[T]:
    """Work through all items with that many at a time. The first failure ends it: what fails cannot be measured."""
    waiting = iter(items)
    done: list[T] = []

    async def one_after_the_other() -> None:
        done.extend([await work(item) for item in waiting])

    async with asyncio.TaskGroup() as group:
        for _ in range(min(concurrency, len(items))):
            group.create_task(one_after_the_other())
    return done


@asynccontextmanager
async def peak_rss_of(pid: int) -> AsyncIterator[list[int]]:
    """The resident memory of a process, sampled while the context is open; in bytes."""
    samples = [rss_of(pid)]

    async def sample() -> None:
        while True:
            await asyncio.sleep(_SAMPLE_SECONDS)
            samples.append(rss_of(pid))

    sampling = asyncio.create_task(sample())
    try:
        yield samples
    finally:
        sampling.cancel()
        with suppress(asyncio.CancelledError):
            await sampling
        samples.append(rss_of(pid))


def rss_of(pid: int) -> int:
    return int(psutil.Process(pid).memory_info().rss)


def _cpu_of(pid: int) -> float:
    """User and system seconds since the process started."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
