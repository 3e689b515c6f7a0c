"""A whole run: the routes against each other, then with single things left out, then the parked requests."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client

from devtools.benchmarks.measure import Measured, Plan, measure
from devtools.benchmarks.parked import park
from devtools.benchmarks.results import History, Machine, Ratios, Result, RouteResult, now
from devtools.benchmarks.routes import HTTP, WORKER_SETTINGS, Route, open_routes
from devtools.benchmarks.targets import judge
from devtools.benchmarks.variants import Variant
from devtools.demo.stack import Stack

ROUTES = (HTTP, Variant.INSTANT, Variant.TWIN)
LEFT_OUT = (Variant.INSTANT, Variant.NO_ATTRIBUTES, Variant.NO_DETAILS, Variant.NO_SANDBOX)

_REQUESTS_PER_BLOCK = 2
"""Times the concurrency: long enough that start and end of a block weigh little."""
_ROUNDS_PER_BLOCK = 20


@dataclass(frozen=True)
class Options:
    n: int
    concurrency: int
    parked: int
    costs: bool

    def plan(self, share: int = 1) -> Plan:
        """The whole measurement, or one with a part of its rounds."""
        rounds = max(1, self.n // share)
        return Plan(
            rounds=rounds,
            blocks=max(1, rounds // _ROUNDS_PER_BLOCK),
            size=_REQUESTS_PER_BLOCK * self.concurrency,
            concurrency=self.concurrency,
        )


async def run(folder: Path, options: Options, tell: Callable[[str], None]) -> Result:
    machine = Machine.this()
    tell("Starting Temporal, simulator and worker")
    async with Stack.start(folder, worker_settings=WORKER_SETTINGS) as stack:
        tell(f"Routes in turn: {', '.join(ROUTES)}")
        routes, measured = await _measure(stack, ROUTES, options.plan(), options.concurrency)
        against_twin = {name: Ratios.of(measured[name], measured[Variant.TWIN]) for name in (HTTP, Variant.INSTANT)}
        costs: dict[str, RouteResult] = {}
        if options.costs:
            tell("What costs it: single things left out")
            costs, _ = await _measure(stack, LEFT_OUT, options.plan(share=5), options.concurrency)
        parked = None
        if options.parked:
            tell(f"Parking {options.parked} requests under review")
            parked = await park(stack, options.parked, options.concurrency)
    return Result(
        measured_at=now(),
        machine=machine,
        concurrency=options.concurrency,
        targets=judge(routes, against_twin, parked, options.concurrency),
        routes=routes,
        against_twin=against_twin,
        costs=costs,
        parked=parked,
    )


async def _measure(
    stack: Stack, names: Sequence[str], plan: Plan, concurrency: int
) -> tuple[dict[str, RouteResult], dict[str, Measured]]:
    shared = {"temporal": stack.temporal.pid, "simulator": stack.platform_server.pid, "client": os.getpid()}
    async with open_routes(stack, *names) as routes:
        measured = await measure(routes, shared, plan)
        return {
            route.name: RouteResult.of(measured[route.name], concurrency, await _history(stack.client, route, measured))
            for route in routes
        }, measured


async def _history(client: Client, route: Route, measured: dict[str, Measured]) -> History:
    """Of the last request that went alone."""
    events = [
        event
        for workflow_id in route.play.histories(measured[route.name].last_account)
        for event in (await client.get_workflow_handle(workflow_id).fetch_history()).events
    ]
    return History(events=len(events), bytes=sum(event.ByteSize() for event in events))
