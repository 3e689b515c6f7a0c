"""What happens to many at once: one deadline for thousands of tickets, more workers, a platform that was away."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Final
from uuid import uuid4

from cyclopts import Parameter
from rich import box
from rich.console import Console
from rich.table import Table

from devtools.benchmarks.console import first_page
from devtools.benchmarks.figures import Machine, Measurement, Spread, shown
from devtools.benchmarks.measure import in_flight
from devtools.benchmarks.owner import accept, confirm, to_confirmation, to_notice
from devtools.benchmarks.parked import park_reviews, under_review
from devtools.benchmarks.routes import HTTP, WORKER_SETTINGS, open_route
from devtools.demo.programs import Program, free_port
from devtools.demo.stack import Stack
from domain.model import Model
from domain.notifications import Template
from domain.phases import Phase
from domain.policy import Policy
from simulator.kinds import FaultKind
from simulator.views import OutboxMessage
from workflows.common.search_attributes import CANCELLATION_OUTCOME, SLA_BREACHED

_IN_FLIGHT: Final = 20
_SLOTS: Final = 1
"""Activities at once in a worker: so few that it waits for the platform, and not for the machine."""
_TO_SPARE: Final = 1.5
"""Times the time that starting all reviews should take: their deadline is set before the first of them starts."""
_FEW: Final = 100
_PAUSE: Final = 0.5
_WARM_UP: Final = 4
_LIMIT_OF_A_PART: Final = 900

Figures = dict[str, float]
"""What was measured, by what it is."""


class Sizes(Model):
    """How much of each part; 0 leaves it out."""

    tickets: Annotated[int, Parameter(help="Tickets due at the same instant; 0 leaves that part out.")] = 2_000
    spread_seconds: Annotated[int, Parameter(help="Over which their alarms are spread.")] = 180
    steps: Annotated[int, Parameter(help="Owner's steps at rest, and as many at that instant, two a second.")] = 60
    looks: Annotated[int, Parameter(help="At the queue's first page, with few tickets and with all.")] = 20
    requests: Annotated[int, Parameter(help="Requests with one worker, and with two; 0 leaves that out.")] = 24
    latency: Annotated[float, Parameter(help="Seconds that the platform takes for each of their calls.")] = 0.05
    drained: Annotated[int, Parameter(help="Requests confirmed while the platform is away; 0 leaves that out.")] = 200
    outage_seconds: Annotated[int, Parameter(help="For how long it is away, at least.")] = 30
    limit: Annotated[int, Parameter(help="Activities a second, where they are limited.")] = 50


SIZES: Final = Sizes()


class ScaleResult(Measurement):
    """`arrivals` are the calls at the platform, second by second, from the first that it refused to the last."""

    sizes: Sizes
    parts: dict[str, Figures]
    arrivals: dict[str, list[int]]

    def show(self, console: Console) -> None:
        table = Table("", "", title="Many at once", box=box.SIMPLE_HEAD, title_justify="left")
        for part, figures in self.parts.items():
            table.add_row(f"[bold]{part}[/]", "")
            for name, number in figures.items():
                table.add_row(f"  {name}", f"{number:,.0f}" if number == int(number) else shown(number))
        console.print(table)
        console.print(f"Load before: {self.machine.load_before:.1f}, {self.machine.cores} cores")


async def measure_scale(folder: Path, tell: Callable[[str], None], sizes: Sizes) -> ScaleResult:
    """One part after the other, each on a stack of its own."""
    machine, parts, arrivals = Machine(), {}, {}
    if sizes.tickets:
        tell(f"{sizes.tickets} tickets that are due at the same instant")
        async with Stack.start(folder / "deadlines", worker_settings=WORKER_SETTINGS) as stack:
            parts["the same deadline"] = await _deadlines(stack, sizes)
    if sizes.requests:
        tell("Two workers against one, with a platform that takes its time")
        slots = {**WORKER_SETTINGS, "CANCELLATION_MAX_CONCURRENT_ACTIVITIES": str(_SLOTS)}
        async with Stack.start(folder / "workers", worker_settings=slots) as stack:
            parts["workers"] = await _workers(stack, slots, sizes)
    if sizes.drained:
        async with Stack.start(folder / "drain", worker_settings=WORKER_SETTINGS) as stack:
            limits = {"no limit": {}, "limit": {"CANCELLATION_MAX_ACTIVITIES_PER_SECOND": str(sizes.limit)}}
            for name, settings in limits.items():
                tell(f"{sizes.drained} requests are confirmed while the platform is away: {name}")
                figures, arrivals[name] = await _drain(stack, settings, sizes)
                parts[f"drain, {name}"] = figures
    return ScaleResult(machine=machine, sizes=sizes, parts=parts, arrivals=arrivals)


# The same deadline


async def _deadlines(stack: Stack, sizes: Sizes) -> Figures:
    filed, *accounts = await stack.store.add_clean_accounts("deadline", 1 + 2 * sizes.steps)
    case = (await stack.cancellations.review(await under_review(stack, filed))).case
    await in_flight(accounts, lambda account_id: to_notice(stack, account_id), _IN_FLIGHT)
    at_rest = await _steps(stack, accounts[: sizes.steps])

    # What they show of the queue; and how long this machine takes to start one.
    few = [f"A{number:06d}" for number in range(min(_FEW, sizes.tickets))]
    begin = time.perf_counter()
    policy = Policy(alarms_spread_over=timedelta(seconds=sizes.spread_seconds))
    await park_reviews(stack, case, policy, few, datetime.now(UTC) + timedelta(days=1))
    took = (time.perf_counter() - begin) / len(few)
    page_of_few = await _first_pages(stack, sizes.looks)
    numbers = [f"B{number:06d}" for number in range(sizes.tickets)]
    due_at = datetime.now(UTC) + timedelta(seconds=_TO_SPARE * (1 + took * sizes.tickets))
    await park_reviews(stack, case, policy, numbers, due_at)
    page_of_all = await _first_pages(stack, sizes.looks)
    early = (due_at - datetime.now(UTC)).total_seconds()
    await asyncio.sleep(max(0.0, early))

    stepping = asyncio.create_task(_steps(stack, accounts[sizes.steps :]))
    await _until(lambda: _count(stack, f"{SLA_BREACHED.name} = true"), len(numbers))
    breached = (datetime.now(UTC) - due_at).total_seconds()
    at_deadline = await stepping
    await _until(lambda: _escalated(stack), len(numbers))
    told = await _told_of_lateness(stack)
    late = Spread.of((message.at - due_at).total_seconds() for message in told)
    repeated = [number for number, times in Counter(m.params["ticket_no"] for m in told).items() if times > 1]
    return {
        "tickets": len(numbers),
        "s over which their alarms are spread": sizes.spread_seconds,
        "s that all were ready before the deadline": early,
        "s until half have escalated": late.median,
        "s until 95% have escalated": late.p95,
        "s until all are marked late": breached,
        "escalated more than once": len(repeated),
        "accept_notice at rest, p50, ms": at_rest.median,
        "accept_notice at rest, p95, ms": at_rest.p95,
        "accept_notice at the deadline, p50, ms": at_deadline.median,
        "accept_notice at the deadline, p95, ms": at_deadline.p95,
        f"first page of the queue, {len(few)} tickets, p50, ms": page_of_few.median,
        f"first page of the queue, {len(few) + len(numbers)} tickets, p50, ms": page_of_all.median,
    }


async def _told_of_lateness(stack: Stack) -> list[OutboxMessage]:
    """What the duty lead was told: one message for each time that a ticket was escalated."""
    return [message for message in await stack.store.outbox() if message.template is Template.TICKET_OVERDUE_LEAD]


async def _escalated(stack: Stack) -> int:
    return len({message.params["ticket_no"] for message in await _told_of_lateness(stack)})


async def _steps(stack: Stack, accounts: list[str]) -> Spread:
    """One owner's step each half second, in milliseconds."""
    lasted = []
    for account_id in accounts:
        begin = time.perf_counter()
        await accept(stack, account_id)
        lasted.append(1000 * (time.perf_counter() - begin))
        await asyncio.sleep(max(0.0, _PAUSE - lasted[-1] / 1000))
    return Spread.of(lasted)


async def _first_pages(stack: Stack, looks: int) -> Spread:
    lasted = []
    for _ in range(looks):
        begin = time.perf_counter()
        await first_page(stack.client)
        lasted.append(1000 * (time.perf_counter() - begin))
        # Temporal answers so many lists and counts a second only.
        await asyncio.sleep(_PAUSE / 2)
    return Spread.of(lasted)


# More workers


async def _workers(stack: Stack, settings: Mapping[str, str], sizes: Sizes) -> Figures:
    await stack.store.add_fault(None, FaultKind.LATENCY, seconds=sizes.latency, times=None)
    async with open_route(stack, HTTP) as route:

        async def a_second() -> float:
            await in_flight(await route.play.accounts(min(_WARM_UP, sizes.requests)), route.play.play, _IN_FLIGHT)
            accounts = await route.play.accounts(sizes.requests)
            begin = time.perf_counter()
            await in_flight(accounts, route.play.play, _IN_FLIGHT)
            return sizes.requests / (time.perf_counter() - begin)

        one = await a_second()
        async with _further_worker(stack, "second", settings):
            two = await a_second()
    return {"one worker, requests a second": one, "two workers": two, "times as many": two / one}


@asynccontextmanager
async def _further_worker(stack: Stack, name: str, settings: Mapping[str, str]) -> AsyncIterator[Program]:
    port = free_port()
    worker = stack.python(
        *(name, "worker.py", "--health-port", str(port)), health=(port, "/readyz"), variables=settings
    )
    try:
        await worker.start()
        yield worker
    finally:
        await worker.stop()


# A platform that was away


async def _drain(stack: Stack, settings: Mapping[str, str], sizes: Sizes) -> tuple[Figures, list[int]]:
    """All are ready to be confirmed; then the platform answers 503 to everything for a while."""
    prefix = f"drain-{uuid4().hex[:6]}"
    accounts = await stack.store.add_clean_accounts(prefix, sizes.drained)
    if not stack.worker.is_running:
        await stack.worker.start()
    await in_flight(accounts, lambda account_id: to_confirmation(stack, account_id), _IN_FLIGHT)
    await stack.worker.stop()
    closed_before = await _closed(stack)
    async with _further_worker(stack, prefix, {**WORKER_SETTINGS, **settings}):
        await stack.store.add_fault(None, FaultKind.ERROR, status=HTTPStatus.SERVICE_UNAVAILABLE, times=None)
        away = time.time()
        await in_flight(accounts, lambda account_id: confirm(stack, account_id), _IN_FLIGHT)
        confirmed = time.time()
        await asyncio.sleep(max(0.0, away + sizes.outage_seconds - confirmed))
        await stack.store.clear_faults()
        back = time.time()
        await _until(lambda: _closed(stack), closed_before + sizes.drained)
        drained = time.time()
    arrived = await stack.store.arrivals()
    meanwhile = [arrived.get(second, 0) for second in range(int(away), int(back))]
    after = [arrived.get(second, 0) for second in range(int(back), int(drained) + 1)]
    return {
        "requests": sizes.drained,
        "s until all were confirmed": confirmed - away,
        "s of outage": back - away,
        "s from its end until all are closed": drained - back,
        "most calls in a second, meanwhile": max(meanwhile, default=0),
        "most calls in a second, afterwards": max(after),
        "calls, meanwhile": sum(meanwhile),
        "calls, afterwards": sum(after),
    }, meanwhile + after


async def _closed(stack: Stack) -> int:
    return await _count(
        stack, f"{CANCELLATION_OUTCOME.name} = '{Phase.CLOSED}' AND WorkflowType = 'AccountCancellation'"
    )


# Waiting


async def _count(stack: Stack, query: str) -> int:
    return (await stack.client.count_workflows(query)).count


async def _until(count: Callable[[], Awaitable[int]], wanted: int) -> None:
    async with asyncio.timeout(_LIMIT_OF_A_PART):
        while await count() < wanted:
            await asyncio.sleep(_PAUSE)
