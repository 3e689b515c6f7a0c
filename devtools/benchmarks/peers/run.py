"""A run: the real route and its peers in turn, so that whatever else the machine does falls on all of them alike."""

import asyncio
import os
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil
from aiohttp import ClientSession, ClientTimeout

from devtools.benchmarks.figures import figures_of
from devtools.benchmarks.measure import (
    ALONE,
    IN_FLIGHT,
    REQUESTS_PER_BLOCK,
    ROUNDS_PER_BLOCK,
    Samples,
    in_flight,
    turns,
)
from devtools.benchmarks.peers.play import Peer
from devtools.benchmarks.peers.programs import cpu_of, open_peer, open_postgresql
from devtools.benchmarks.peers.result import (
    CPU_ALL,
    CPU_CLIENT,
    CPU_PLATFORM,
    CPU_SERVER,
    CPU_WORKER,
    CPU_WORKER_ALONE,
    DBOS_POSTGRESQL,
    DBOS_SQLITE,
    OURS,
    Crash,
    Measured,
    judge,
)
from devtools.benchmarks.routes import HTTP, WHOLE, WORKER_SETTINGS, Play, open_route
from devtools.demo.programs import Program
from devtools.demo.stack import Stack
from gateways.contract import CLOSURE_PHASES
from simulator.kinds import Effect, Endpoint, FaultKind
from simulator.store import SimulatorStore
from simulator.views import Call

_GATE_LIMIT = 50.0
_POLL = 0.02

ONLY_ONCE = (Endpoint.CLOSE, *(Endpoint(phase) for phase in CLOSURE_PHASES))


@dataclass
class Contender:
    """One of those that are compared. `server` is its database's process, or Temporal's; None where it has none."""

    name: str
    play: Play
    worker: Program
    server: Program | None
    samples: Samples = field(default_factory=lambda: defaultdict(list))
    cpu_alone: list[float] = field(default_factory=list)


async def run(folder: Path, tell: Callable[[str], None], *, n: int, concurrency: int, killed: int) -> Measured:
    """Everything that any of them keeps is in this folder."""
    tell("Starting Temporal, PostgreSQL, simulator and workers")
    async with _contenders(folder) as (stack, contenders):
        tell("Comparing what each of them calls at the platform")
        await _compare_calls(stack.store, contenders)
        for one in contenders:
            tell(f"Warming up: {one.name}")
            await _play_block(stack, one, concurrency)
            one.samples.clear()
        tell(f"{n} requests of each, one at a time")
        for turn in range(n):
            for one in turns(contenders, turn):
                await _play_alone(one)
        blocks = max(1, n // ROUNDS_PER_BLOCK)
        tell(f"{blocks} blocks of each, {concurrency} in flight")
        for turn in range(blocks):
            for one in turns(contenders, turn):
                await _play_block(stack, one, concurrency)
        crashes = {}
        for one in contenders:
            tell(f"kill -9 past the point of no return: {one.name}")
            crashes[one.name] = await _crash(stack.store, one, killed)
    for one in contenders:
        # A mean: the clock of CPU time is too coarse for one request.
        one.samples[CPU_WORKER_ALONE] = [1000 * statistics.fmean(one.cpu_alone)]
    samples = {one.name: one.samples for one in contenders}
    return Measured(
        ratios=judge(samples),
        figures={name: figures_of(found) for name, found in samples.items()},
        crashes=crashes,
    )


@asynccontextmanager
async def _contenders(folder: Path) -> AsyncIterator[tuple[Stack, list[Contender]]]:
    """All of them at once, on one simulator. Whoever is not asked has nothing to do."""
    async with AsyncExitStack() as exits:
        stack = await exits.enter_async_context(
            Stack.start(folder, worker_settings=WORKER_SETTINGS, db_file=folder / "temporal.db")
        )
        ours = await exits.enter_async_context(open_route(stack, HTTP))
        # A step of the owner's has an answer within its limit; the client waits longer than that.
        http = await exits.enter_async_context(ClientSession(timeout=ClientTimeout(60)))
        contenders = [Contender(OURS, ours.play, ours.worker, stack.temporal)]

        async def open_one(name: str, url: str, server: Program | None) -> None:
            worker, at = await exits.enter_async_context(open_peer(stack, name, url))
            contenders.append(Contender(name, Peer(at, http, stack.store), worker, server))

        await open_one(DBOS_SQLITE, f"sqlite:///{stack.workdir / 'dbos.sqlite'}", None)
        postgresql, url = await exits.enter_async_context(open_postgresql(folder.parent))
        await open_one(DBOS_POSTGRESQL, url, postgresql)
        yield stack, contenders


async def _compare_calls(store: SimulatorStore, contenders: list[Contender]) -> None:
    """A peer that does less, or more, at the platform is none."""
    called = {}
    for one in contenders:
        [account_id] = await one.play.accounts(1)
        await one.play.play(account_id)
        calls = await store.calls(account_id=account_id)
        called[one.name] = Counter((call.endpoint, call.effect) for call in calls)
    for name, calls_of_it in called.items():
        assert calls_of_it == called[OURS], f"{name} calls the platform otherwise: {calls_of_it} != {called[OURS]}"


async def _play_alone(one: Contender) -> None:
    [account_id] = await one.play.accounts(1)
    before = cpu_of(one.worker)
    seconds = await one.play.play(account_id)
    one.cpu_alone.append(cpu_of(one.worker) - before)
    for step, lasted in seconds.items():
        one.samples[f"{step}, ms"].append(1000 * lasted)
    one.samples[ALONE].append(1 / seconds[WHOLE])


async def _play_block(stack: Stack, one: Contender, concurrency: int) -> None:
    size = REQUESTS_PER_BLOCK * concurrency
    accounts = await one.play.accounts(size)

    def cpu_so_far() -> dict[str, float]:
        client = psutil.Process(os.getpid()).cpu_times()
        return {
            CPU_WORKER: cpu_of(one.worker),
            CPU_SERVER: cpu_of(one.server) if one.server else 0.0,
            CPU_PLATFORM: cpu_of(stack.platform_server),
            CPU_CLIENT: client.user + client.system,
        }

    before, begin = cpu_so_far(), time.perf_counter()
    await in_flight(accounts, one.play.play, concurrency)
    lasted = time.perf_counter() - begin
    one.samples[IN_FLIGHT].append(size / lasted)
    spent = {name: 1000 * (seconds - before[name]) / size for name, seconds in cpu_so_far().items()}
    for name, milliseconds in spent.items():
        one.samples[name].append(milliseconds)
    one.samples[CPU_ALL].append(sum(spent.values()))


async def _crash(store: SimulatorStore, one: Contender, requests: int) -> Crash:
    """Kill the worker while every request waits for the platform in the middle of its deletion, and start it again."""
    accounts = await one.play.accounts(requests)
    gate = await store.add_fault(Endpoint.PURGE_RESOURCES, FaultKind.GATE, times=requests)
    playing = [asyncio.create_task(one.play.play(account_id)) for account_id in accounts]
    async with asyncio.timeout(_GATE_LIMIT):
        while await store.waiting_at(gate) < requests and not any(request.done() for request in playing):
            await asyncio.sleep(_POLL)
    killed_at = datetime.now(UTC)
    await one.worker.kill()
    # What the killed worker had asked for is done all the same: its answer is what is lost.
    await store.clear_faults()
    async with asyncio.timeout(_GATE_LIMIT):
        while len(await _calls_of(store, accounts, Endpoint.PURGE_RESOURCES)) < requests:
            await asyncio.sleep(_POLL)
    before = {(call.account_id, call.endpoint, call.at) for call in await _calls_of(store, accounts)}
    await one.worker.start()
    ready_at = datetime.now(UTC)
    await asyncio.gather(*playing)
    closed_at = datetime.now(UTC)
    calls = await _calls_of(store, accounts)
    applied = Counter((call.account_id, call.endpoint) for call in calls if call.effect is Effect.APPLIED)
    went_on_at = min(call.at for call in calls if (call.account_id, call.endpoint, call.at) not in before)
    return Crash(
        requests=requests,
        closed_exactly_once=sum(
            all(applied[account_id, endpoint] == 1 for endpoint in ONLY_ONCE) for account_id in accounts
        ),
        seconds_to_ready=(ready_at - killed_at).total_seconds(),
        seconds_to_going_on=(went_on_at - killed_at).total_seconds(),
        seconds_to_all_closed=(closed_at - killed_at).total_seconds(),
    )


async def _calls_of(store: SimulatorStore, accounts: list[str], endpoint: Endpoint | None = None) -> list[Call]:
    return [call for account_id in accounts for call in await store.calls(endpoint, account_id)]
