"""One address for the whole flow: which of the six steps a request is at, and how its page keeps up with it."""

from dataclasses import dataclass
from typing import Final

from domain.messages import CancellationView, Route
from domain.phases import OUTCOMES, STEP_PHASES, Phase, Step, allows
from domain.tickets import ReviewStatus


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

ENDED: Final = Stage("ended", None)

_OVER: Final = frozenset({Phase.REFUSED, Phase.REJECTED, Phase.WITHDRAWN, Phase.LAPSED})


def stage_of(view: CancellationView | None) -> Stage:
    if view is None:
        return NO_REQUEST
    return ENDED if was_ended(view) else STAGES[view.phase]


def was_ended(view: CancellationView) -> bool:
    """Whether the request was ended from outside before it came to an end of its own."""
    return view.run_ended is not None and view.phase not in OUTCOMES


def may_start(view: CancellationView | None) -> bool:
    return view is None or view.phase in _OVER or was_ended(view)


def may_file_ticket(view: CancellationView) -> bool:
    """As the request itself will judge: about a report that was shown, and in which nothing is left to find out."""
    report = view.report
    if (
        view.run_ended
        or report is None
        or not allows(view.phase, Step.FILE_TICKET, channel_verified=bool(view.channels))
    ):
        return False
    if report.not_told or report.must_be_fixed_first():
        return False
    return bool(report.reasons_left()) or not view.identity_verified


def is_without_channel(view: CancellationView) -> bool:
    """Whether a ticket is the only way on: nobody can be sent a code."""
    return view.phase is Phase.AWAITING_IDENTITY and not view.channels


def lost_its_approval(view: CancellationView) -> bool:
    """Whether a reviewer said yes, too long ago for it to count still."""
    return bool(
        view.review
        and view.review.status is ReviewStatus.APPROVED
        and view.approval_expires_at is None
        and view.phase in (Phase.BLOCKED, Phase.AWAITING_IDENTITY)
    )


def is_by_ticket(view: CancellationView | None) -> bool:
    """Whether a review stands in the place of the owner's confirmation."""
    return bool(view and view.route is Route.MANUAL and view.phase not in STEP_PHASES[Step.RECHECK])
