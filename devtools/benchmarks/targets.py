"""The promises, each with its limit. Judged by the real route: platform over HTTP, vault, search attributes and all."""

from devtools.benchmarks.results import Parked, Ratios, RouteResult, Spread, Target
from devtools.benchmarks.routes import HTTP, TO_CLOSED
from devtools.benchmarks.variants import Variant

STEP = "accept_notice"
"""The cheapest step of the owner's: nothing is called before its answer, so all of it is ours and Temporal's."""


def judge(
    routes: dict[str, RouteResult], against_twin: dict[str, Ratios], parked: Parked | None, concurrency: int
) -> tuple[Target, ...]:
    real, instant = against_twin[HTTP], against_twin[Variant.INSTANT]
    history, instant_history = routes[HTTP].history, routes[Variant.INSTANT].history
    targets = [
        Target(
            name="throughput, 1 at a time (of the twin's)",
            limit=0.85,
            at_least=True,
            measured=real.per_second_alone,
            instant=instant.per_second_alone,
        ),
        Target(
            name=f"throughput, {concurrency} at a time (of the twin's)",
            limit=0.85,
            at_least=True,
            measured=real.per_second_in_flight,
            instant=instant.per_second_in_flight,
        ),
        Target(
            name=f"one step, {STEP} (times a bare update)",
            limit=1.4,
            at_least=False,
            measured=real.steps[STEP],
            instant=instant.steps[STEP],
        ),
        Target(
            name=f"{TO_CLOSED} (times the twin's)",
            limit=1.5,
            at_least=False,
            measured=real.steps[TO_CLOSED],
            instant=instant.steps[TO_CLOSED],
        ),
    ]
    if history and instant_history:
        targets.append(
            Target(
                name="history events, deletion included",
                limit=260,
                at_least=False,
                measured=Spread.of([history.events]),
                instant=Spread.of([instant_history.events]),
            )
        )
    if parked:
        targets.append(
            Target(
                name=f"worker MiB with {parked.requests} requests under review",
                limit=250,
                at_least=False,
                measured=Spread.of([parked.worker_mib]),
                instant=None,
            )
        )
    return tuple(targets)
