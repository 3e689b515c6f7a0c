"""One address for the whole flow: which of the six steps a request is at, and how its page keeps up with it."""

from dataclasses import dataclass
from typing import Final

from domain.messages import CancellationView, Route
from domain.phases import STEP_PHASES, Phase, Step, allows


@dataclass(frozen=True)
class Stage:
    """A page. `step` is its place among the six steps of the process, None for a request that ended without closure.

    `every` is how often, in seconds, the part of it that moves by itself is asked for; None where only people move on.
    """

    template: str
    step: int | None
    every: int | None = None


NO_REQUEST: Final = Stage("intro", 1)

STAGES: Final[dict[Phase, Stage]] = {
    Phase.OPENING: Stage("opening", 1, every=1),
    Phase.AWAITING_IDENTITY: Stage("identity", 2),
    Phase.AWAITING_NOTICE: Stage("notice", 3),
    Phase.CHECKING: Stage("checks", 4, every=1),
    Phase.BLOCKED: Stage("checks", 4),
    Phase.AWAITING_CONFIRMATION: Stage("checks", 5),
    Phase.UNDER_REVIEW: Stage("review", 5, every=10),
    Phase.AWAITING_MATERIALS: Stage("materials", 5),
    Phase.SEALING: Stage("deletion", 6, every=1),
    Phase.DELETING: Stage("deletion", 6, every=1),
    Phase.DELETION_STALLED: Stage("deletion", 6, every=1),
    Phase.CLOSED: Stage("closed", 6),
    **dict.fromkeys((Phase.REFUSED, Phase.REJECTED, Phase.WITHDRAWN, Phase.LAPSED), Stage("over", None)),
}

MAY_START_AGAIN: Final = frozenset({Phase.REFUSED, Phase.REJECTED, Phase.WITHDRAWN, Phase.LAPSED})


def stage_of(view: CancellationView | None) -> Stage:
    return STAGES[view.phase] if view else NO_REQUEST


def may_file_ticket(view: CancellationView) -> bool:
    """As the request itself will judge when the ticket is filed; without a channel the checks run only then."""
    if not allows(view.phase, Step.FILE_TICKET, channel_verified=bool(view.channels)):
        return False
    report = view.report
    return view.phase is Phase.AWAITING_IDENTITY or bool(
        report and report.reasons_left() and not report.must_be_fixed_first()
    )


def is_by_ticket(view: CancellationView | None) -> bool:
    """Whether a review stands in the place of the owner's confirmation."""
    return bool(view and view.route is Route.MANUAL and view.phase not in STEP_PHASES[Step.RECHECK])
