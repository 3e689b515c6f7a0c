"""A whole run: the routes against each other, then with single things left out, then the parked requests."""

from collections.abc import Callable
from pathlib import Path

from devtools.benchmarks.figures import Machine, Result, against, figures_of, judge
from devtools.benchmarks.measure import measure
from devtools.benchmarks.parked import park
from devtools.benchmarks.routes import HTTP, WORKER_SETTINGS
from devtools.benchmarks.variants import Variant
from devtools.demo.stack import Stack

ROUTES = (HTTP, Variant.INSTANT, Variant.TWIN)
LEFT_OUT = (Variant.INSTANT, Variant.NO_ATTRIBUTES, Variant.NO_DETAILS, Variant.NO_SANDBOX)


async def run(
    folder: Path, tell: Callable[[str], None], *, n: int, concurrency: int, parked: int, costs: bool
) -> Result:
    machine = Machine()
    tell("Starting Temporal, simulator and worker")
    async with Stack.start(folder, worker_settings=WORKER_SETTINGS) as stack:
        tell(f"Routes in turn: {', '.join(ROUTES)}")
        measured = await measure(stack, ROUTES, n, concurrency)
        left_out = {}
        if costs:
            tell("What costs it: single things left out")
            left_out = await measure(stack, LEFT_OUT, max(1, n // 5), concurrency)
        waiting = {}
        if parked:
            tell(f"Parking {parked} requests under review")
            waiting = await park(stack, parked, concurrency)
    routes = {name: figures_of(samples) for name, samples in measured.items()}
    ratios = {name: against(measured[Variant.TWIN], measured[name]) for name in (HTTP, Variant.INSTANT)}
    real = routes[HTTP] | figures_of(waiting), ratios[HTTP]
    instant = routes[Variant.INSTANT], ratios[Variant.INSTANT]
    return Result(
        machine=machine,
        concurrency=concurrency,
        targets=judge(real, instant, concurrency=concurrency, parked=parked),
        routes=routes,
        against_twin=ratios,
        costs={name: figures_of(samples) for name, samples in left_out.items()},
        parked=figures_of(waiting),
    )
