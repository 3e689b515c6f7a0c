"""What single settings of the Temporal server do to a request, and what they cost when nothing happens."""

import asyncio
import re
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import aiohttp
from rich.console import Console

from devtools.benchmarks.figures import Figures, Machine, Measurement, figures_of, table_of
from devtools.benchmarks.measure import TO_CLOSED_MS, Samples, cpu_of
from devtools.benchmarks.routes import HTTP, TO_CLOSED, WHOLE, WORKER_SETTINGS, Route, open_route
from devtools.demo.stack import Stack
from domain.ids import cancellation_workflow_id
from domain.phases import Phase
from workflows.common.search_attributes import CANCELLATION_PHASE

WHOLE_MS: Final = f"{WHOLE}, ms"
LISTED_MS: Final = "CLOSED until it is listed, ms"
IDLE_CPU: Final = "idle: CPU ms a second"
IDLE_READS: Final = "idle: persistence calls a second"
FIGURES: Final = (TO_CLOSED_MS, WHOLE_MS, LISTED_MS, IDLE_CPU, IDLE_READS)

_POLLS = ("history__transferProcessorMaxPollRPS", "history__timerProcessorMaxPollRPS")
_PARTITIONS = ("matching__numTaskqueueReadPartitions", "matching__numTaskqueueWritePartitions")

AS_SET: Final = "as set"
SETTINGS: Final[dict[str, dict[str, str]]] = {
    AS_SET: {},
    "task queues polled 20 times a second": dict.fromkeys(_POLLS, "20"),
    "200 times": dict.fromkeys(_POLLS, "200"),
    "visibility polled 2000 times": {"history__visibilityProcessorMaxPollRPS": "2000"},
    "one partition of a task queue": dict.fromkeys(_PARTITIONS, "1"),
    "four partitions": dict.fromkeys(_PARTITIONS, "4"),
}
"""Each alone, on top of what the stack sets: `devtools.demo.stack`."""

_SETTLING: Final = 60
_IN_A_ROW: Final = 5
"""The server saves up the polls of an idle second or two: the first request after a pause meets no brake."""

_CALLS = re.compile(r"^(?:temporal_)?persistence_requests\{.*\} (\S+)$", re.MULTILINE)


class ServerResult(Measurement):
    settings: dict[str, Figures]

    def show(self, console: Console) -> None:
        console.print(table_of("Single settings of the server", self.settings, FIGURES))


async def measure_server(folder: Path, tell: Callable[[str], None], *, n: int, idle_seconds: int) -> ServerResult:
    """A stack for each setting, all at once; a few requests in turn, and then nothing at all."""
    machine = Machine()
    async with AsyncExitStack() as exits:
        measuring: dict[str, _Measuring] = {}
        for number, (name, settings) in enumerate(SETTINGS.items()):
            tell(f"Starting a stack: {name}")
            starting = Stack.start(folder / str(number), worker_settings=WORKER_SETTINGS, server_settings=settings)
            stack = await exits.enter_async_context(starting)
            measuring[name] = _Measuring(stack, await exits.enter_async_context(open_route(stack, HTTP)))
        tell("Requests in turn")
        for turn in range(1 + n // (_IN_A_ROW - 1)):
            for one in measuring.values():
                for number in range(_IN_A_ROW):
                    await one.play(counts=turn > 0 and number > 0)
        tell("Nothing")
        await asyncio.gather(*(one.rest(idle_seconds) for one in measuring.values()))
    return ServerResult(machine=machine, settings={name: figures_of(one.samples) for name, one in measuring.items()})


class _Measuring:
    def __init__(self, stack: Stack, route: Route) -> None:
        self._stack, self._route = stack, route
        self.samples: Samples = {figure: [] for figure in FIGURES}

    async def play(self, *, counts: bool) -> None:
        [account_id] = await self._route.play.accounts(1)
        seconds = await self._route.play.play(account_id)
        listed = await self._until_listed(account_id)
        if counts:
            for figure, lasted in ((TO_CLOSED_MS, seconds[TO_CLOSED]), (WHOLE_MS, seconds[WHOLE]), (LISTED_MS, listed)):
                self.samples[figure].append(1000 * lasted)

    async def _until_listed(self, account_id: str) -> float:
        query = (
            f"WorkflowId = '{cancellation_workflow_id(account_id)}' AND {CANCELLATION_PHASE.name} = '{Phase.CLOSED}'"
        )
        begin = time.perf_counter()
        async with asyncio.timeout(30):
            while not (await self._stack.client.count_workflows(query)).count:
                await asyncio.sleep(0.002)
        return time.perf_counter() - begin

    async def rest(self, seconds: int) -> None:
        # Until what the last requests have left behind is done: clean-ups go on for a while.
        await asyncio.sleep(_SETTLING)
        cpu, calls, begin = cpu_of(self._stack.temporal.pid), await self._calls(), time.perf_counter()
        await asyncio.sleep(seconds)
        lasted = time.perf_counter() - begin
        self.samples[IDLE_CPU].append(1000 * (cpu_of(self._stack.temporal.pid) - cpu) / lasted)
        self.samples[IDLE_READS].append((await self._calls() - calls) / lasted)

    async def _calls(self) -> float:
        url = f"http://127.0.0.1:{self._stack.ports.temporal_metrics}/metrics"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return sum(map(float, _CALLS.findall(await answer.text())))
