"""The result as tables for people."""

from rich.console import Console
from rich.table import Table

from devtools.benchmarks.results import Result, RouteResult, Spread
from devtools.benchmarks.routes import HTTP, STEPS, TO_CLOSED, WHOLE
from devtools.benchmarks.variants import Variant


def show(result: Result, console: Console) -> None:
    machine = result.machine
    console.print(
        f"{result.measured_at:%Y-%m-%d %H:%M} UTC, {machine.cores} cores, {machine.memory_mib} MiB, {machine.system}, "
        f"Python {machine.python}, temporalio {machine.temporalio}, load before {machine.load_before:.2f}"
    )
    console.print(_targets(result))
    console.print(_steps(result))
    console.print(_resources(result))
    if result.costs:
        console.print(_costs(result))
    if parked := result.parked:
        console.print(
            f"Parked: {parked.requests} requests, {parked.open_workflows} open workflows; worker "
            f"{parked.worker_mib:.0f} MiB (idle {parked.idle_worker_mib:.0f}, peak {parked.peak_worker_mib:.0f}), "
            f"{parked.kib_per_request:.0f} KiB a request"
        )


def _targets(result: Result) -> Table:
    table = _table(
        "Targets: the real route against the bare twin", "target", "limit", "measured", "", "instant platform"
    )
    for target in result.targets:
        table.add_row(
            target.name,
            f"{'>=' if target.at_least else '<='} {target.limit:g}",
            _spread(target.measured, 2),
            "[green]met[/]" if target.met else "[bold red]MISSED[/]",
            _spread(target.instant, 2) if target.instant else "",
        )
    return table


def _steps(result: Result) -> Table:
    table = _table("One request at a time, milliseconds", "step", *result.routes, "real / twin", "instant / twin")
    for step in (*STEPS, TO_CLOSED, WHOLE):
        table.add_row(
            step,
            *(_spread(route.steps_ms[step], 0) for route in result.routes.values()),
            *(_spread(result.against_twin[name].steps[step], 2) for name in (HTTP, Variant.INSTANT)),
        )
    return table


def _resources(result: Result) -> Table:
    routes = result.routes.values()
    table = _table(f"Resources of one request, {result.concurrency} in flight", "", *result.routes)
    table.add_row("requests a second", *(_spread(route.per_second_in_flight, 1) for route in routes))
    table.add_row("whole request, ms", *(_spread(route.whole_ms_in_flight, 0) for route in routes))
    for process in next(iter(routes)).cpu_ms:
        table.add_row(f"CPU ms, {process}", *(_spread(route.cpu_ms[process], 1) for route in routes))
    table.add_row("CPU ms, worker, alone", *(f"{route.worker_cpu_ms_alone:.1f}" for route in routes))
    table.add_row("worker MiB, idle", *(f"{route.idle_worker_mib:.0f}" for route in routes))
    table.add_row("worker MiB, peak", *(f"{route.peak_worker_mib:.0f}" for route in routes))
    table.add_row("peak KiB a request", *(f"{route.peak_kib_per_request:.0f}" for route in routes))
    table.add_row("history events", *(f"{route.history.events}" if route.history else "" for route in routes))
    table.add_row("history bytes", *(f"{route.history.bytes}" if route.history else "" for route in routes))
    return table


def _costs(result: Result) -> Table:
    table = _table(
        "What costs it: our code on the instant platform, with one thing left out",
        "",
        "CPU ms, worker",
        "CPU ms, Temporal",
        "requests a second",
        "accept_notice ms",
        f"{TO_CLOSED} ms",
    )
    for name, route in result.costs.items():
        table.add_row(name, *_cost_row(route))
    return table


def _cost_row(route: RouteResult) -> tuple[str, ...]:
    return (
        _spread(route.cpu_ms["worker"], 1),
        _spread(route.cpu_ms["temporal"], 1),
        _spread(route.per_second_in_flight, 1),
        _spread(route.steps_ms["accept_notice"], 1),
        _spread(route.steps_ms[TO_CLOSED], 0),
    )


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", caption_justify="left")
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _spread(spread: Spread, digits: int) -> str:
    if spread.n == 1:
        return f"{spread.median:.{digits}f}"
    return f"{spread.median:.{digits}f} [dim]({spread.p25:.{digits}f}-{spread.p75:.{digits}f})[/]"
