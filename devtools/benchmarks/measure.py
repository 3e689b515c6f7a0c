"""How it is measured: routes take turns, so that whatever else the machine does falls on all of them alike."""

import asyncio
import os
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final, TypeVar

import psutil
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from devtools.benchmarks.routes import TO_CLOSED, WHOLE, Route, open_route
from devtools.demo.stack import Stack

T = TypeVar("T")

MIB: Final = 1024 * 1024

# The figures that somebody asks for by name.
ALONE: Final = "requests a second, alone"
IN_FLIGHT: Final = "requests a second, in flight"
STEP_COST: Final = "accept_notice, ms"
"""The cheapest step of the owner's: nothing is called before its answer, so all of it is ours and Temporal's."""
TO_CLOSED_MS: Final = f"{TO_CLOSED}, ms"
WORKER_CPU: Final = "CPU ms, worker"
TEMPORAL_CPU: Final = "CPU ms, temporal"
IDLE_MIB: Final = "worker MiB, idle"
PEAK_MIB: Final = "worker MiB, peak"
EVENTS: Final = "history events"
BYTES: Final = "history bytes"
ACTIONS: Final = "billable actions"
"""As Temporal Cloud counts them, without the queries of whoever looks on: see `billable_actions`."""
PARKED_MIB: Final = "parked: worker MiB"

ROUNDS_PER_BLOCK: Final = 20
REQUESTS_PER_BLOCK: Final = 2
"""Times the concurrency: long enough that start and end of a block weigh little."""

Samples = dict[str, list[float]]
"""By figure, in order of turns, so that equal places of two routes are neighbours in time."""


async def measure(stack: Stack, names: Sequence[str], rounds: int, concurrency: int) -> dict[str, Samples]:
    """Requests one by one, then in blocks with that many in flight, for each of the routes."""
    async with AsyncExitStack() as exits:
        routes = [await exits.enter_async_context(open_route(stack, name)) for name in names]
        shared = {"temporal": stack.temporal.pid, "simulator": stack.platform_server.pid, "client": os.getpid()}
        measuring = [_Measuring(route, shared, concurrency) for route in routes]
        for one in measuring:
            await one.warm_up()
        for turn in range(rounds):
            for one in turns(measuring, turn):
                await one.play_alone()
        for turn in range(max(1, rounds // ROUNDS_PER_BLOCK)):
            for one in turns(measuring, turn):
                await one.play_block()
        return {one.route.name: await one.samples_in_all(stack.client) for one in measuring}


class _Measuring:
    def __init__(self, route: Route, shared: dict[str, int], concurrency: int) -> None:
        self.route = route
        self._worker = route.worker.pid
        self._processes = {"worker": self._worker, **shared}
        self._concurrency = concurrency
        self._idle = self._peak = rss_of(self._worker)
        self._samples: Samples = defaultdict(list)
        self._cpu_alone: list[float] = []
        self._last_account = ""

    async def warm_up(self) -> None:
        """Imports, connections, caches: as many in flight as later."""
        await self.play_block()
        self._samples.clear()
        self._peak = 0

    async def play_alone(self) -> None:
        [self._last_account] = await self.route.play.accounts(1)
        before = cpu_of(self._worker)
        seconds = await self.route.play.play(self._last_account)
        self._cpu_alone.append(cpu_of(self._worker) - before)
        for step, lasted in seconds.items():
            self._samples[f"{step}, ms"].append(1000 * lasted)
        self._samples[ALONE].append(1 / seconds[WHOLE])

    async def play_block(self) -> None:
        size = REQUESTS_PER_BLOCK * self._concurrency
        accounts = await self.route.play.accounts(size)
        before = {name: cpu_of(pid) for name, pid in self._processes.items()}
        async with peak_rss_of(self._worker) as peak:
            begin = time.perf_counter()
            played = await in_flight(accounts, self.route.play.play, self._concurrency)
            lasted = time.perf_counter() - begin
        self._peak = max(self._peak, *peak)
        self._samples[IN_FLIGHT].append(size / lasted)
        self._samples[f"{WHOLE} in flight, ms"] += [1000 * seconds[WHOLE] for seconds in played]
        for name, pid in self._processes.items():
            self._samples[f"CPU ms, {name}"].append(1000 * (cpu_of(pid) - before[name]) / size)

    async def samples_in_all(self, client: Client) -> Samples:
        # A mean: the clock of CPU time is too coarse for one request.
        self._samples[f"{WORKER_CPU}, alone"] = [1000 * statistics.fmean(self._cpu_alone)]
        self._samples[IDLE_MIB] = [self._idle / MIB]
        self._samples[PEAK_MIB] = [self._peak / MIB]
        self._samples["peak KiB a request"] = [(self._peak - self._idle) / 1024 / self._concurrency]
        # Of the last request that went alone.
        ids = self.route.play.histories(self._last_account)
        events = [event for each in ids for event in (await client.get_workflow_handle(each).fetch_history()).events]
        self._samples[EVENTS] = [len(events)]
        self._samples[BYTES] = [sum(event.ByteSize() for event in events)]
        self._samples[ACTIONS] = [billable_actions(events)]
        return self._samples


_STARTS_OF_ACTIONS: Final = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    EventType.EVENT_TYPE_TIMER_STARTED,
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
}


def billable_actions(events: Collection[HistoryEvent]) -> int:
    """What Temporal Cloud counts (docs.temporal.io/cloud/actions), by histories: each attempt of an activity is one."""
    attempts = sum(event.activity_task_started_event_attributes.attempt for event in events)
    return attempts + sum(event.event_type in _STARTS_OF_ACTIONS for event in events)


def turns(all_of_them: list[T], turn: int) -> list[T]:
    """Another one begins each time, so that none always comes after the same one."""
    first = turn % len(all_of_them)
    return [*all_of_them[first:], *all_of_them[:first]]


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
            await asyncio.sleep(0.05)
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


def cpu_of(pid: int) -> float:
    """User and system seconds since the process started."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
