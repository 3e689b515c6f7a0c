"""The phases of one cancellation request and the only table of moves between them."""

from enum import StrEnum


class Phase(StrEnum):
    """Where a request stands. The first group waits or works; the second is how a request ends."""

    OPENING = "OPENING"
    AWAITING_IDENTITY = "AWAITING_IDENTITY"
    AWAITING_NOTICE = "AWAITING_NOTICE"
    CHECKING = "CHECKING"
    BLOCKED = "BLOCKED"
    AWAITING_CONFIRMATION = "AWAITING_CONFIRMATION"
    UNDER_REVIEW = "UNDER_REVIEW"
    AWAITING_MATERIALS = "AWAITING_MATERIALS"
    SEALING = "SEALING"
    DELETING = "DELETING"
    DELETION_STALLED = "DELETION_STALLED"

    CLOSED = "CLOSED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"
    LAPSED = "LAPSED"
    REFUSED = "REFUSED"


OUTCOMES = frozenset({Phase.CLOSED, Phase.REJECTED, Phase.WITHDRAWN, Phase.LAPSED, Phase.REFUSED})
"""Phases that end a request. They are values the workflow returns, never failures."""

_WITHDRAW = frozenset({Phase.WITHDRAWN})
_WITHDRAW_OR_LAPSE = frozenset({Phase.WITHDRAWN, Phase.LAPSED})
_BACK_TO_OWNER = frozenset({Phase.BLOCKED, Phase.AWAITING_IDENTITY})
"""Back to where a ticket can be filed: AWAITING_IDENTITY where nobody has proved identity by a code."""
_CLOSED_ALREADY = frozenset({Phase.DELETING, Phase.DELETION_STALLED, Phase.CLOSED, Phase.REFUSED})
"""Where the truth is when the platform says that the account is closed, whatever this request remembers of it (after
a terminate, or a reset by ops): to be deleted still, deleted, or closed by somebody else. Never a short cut."""

_BEFORE_CLOSURE: dict[Phase, frozenset[Phase]] = {
    Phase.OPENING: frozenset({Phase.AWAITING_IDENTITY, Phase.CHECKING}) | _WITHDRAW,
    Phase.AWAITING_IDENTITY: (
        frozenset({Phase.AWAITING_NOTICE, Phase.CHECKING, Phase.UNDER_REVIEW}) | _WITHDRAW_OR_LAPSE
    ),
    Phase.AWAITING_NOTICE: frozenset({Phase.CHECKING}) | _WITHDRAW_OR_LAPSE,
    Phase.CHECKING: frozenset({Phase.BLOCKED, Phase.AWAITING_CONFIRMATION, Phase.AWAITING_IDENTITY}) | _WITHDRAW,
    Phase.BLOCKED: frozenset({Phase.CHECKING, Phase.UNDER_REVIEW}) | _WITHDRAW_OR_LAPSE,
    # Back to AWAITING_IDENTITY when the proof is too old for the last word, or another person's.
    Phase.AWAITING_CONFIRMATION: (
        frozenset({Phase.CHECKING, Phase.SEALING, Phase.AWAITING_IDENTITY}) | _WITHDRAW_OR_LAPSE
    ),
    Phase.UNDER_REVIEW: (
        frozenset({Phase.AWAITING_MATERIALS, Phase.SEALING, Phase.REJECTED}) | _BACK_TO_OWNER | _WITHDRAW
    ),
    Phase.AWAITING_MATERIALS: frozenset({Phase.UNDER_REVIEW, Phase.REJECTED}) | _BACK_TO_OWNER | _WITHDRAW_OR_LAPSE,
    Phase.SEALING: _BACK_TO_OWNER | _WITHDRAW,
}

TRANSITIONS: dict[Phase, frozenset[Phase]] = {
    **{phase: moves | _CLOSED_ALREADY for phase, moves in _BEFORE_CLOSURE.items()},
    Phase.DELETING: frozenset({Phase.DELETION_STALLED, Phase.CLOSED}),
    Phase.DELETION_STALLED: frozenset({Phase.DELETING, Phase.CLOSED}),
    **dict.fromkeys(OUTCOMES, frozenset()),
}


class IllegalTransition(Exception):
    """A move that the table does not know: a bug of ours, so the workflow task fails and waits for a fixed worker."""


def advance(current: Phase, to: Phase) -> Phase:
    """Return `to`, or raise `IllegalTransition`. Every change of phase goes through here."""
    if to not in TRANSITIONS[current]:
        raise IllegalTransition(f"{current} -> {to} is not in the transition table")
    return to


class Step(StrEnum):
    """What an owner can do. The value is the name of the update."""

    SEND_CODE = "send_code"
    SUBMIT_IDENTITY_PROOF = "submit_identity_proof"
    ACCEPT_NOTICE = "accept_notice"
    RECHECK = "recheck"
    CONFIRM = "confirm"
    FILE_TICKET = "file_ticket"
    SUPPLY_MATERIALS = "supply_materials"
    WITHDRAW = "withdraw"


STEP_PHASES: dict[Step, frozenset[Phase]] = {
    Step.SEND_CODE: frozenset({Phase.AWAITING_IDENTITY}),
    Step.SUBMIT_IDENTITY_PROOF: frozenset({Phase.AWAITING_IDENTITY}),
    Step.ACCEPT_NOTICE: frozenset({Phase.AWAITING_NOTICE}),
    Step.RECHECK: frozenset({Phase.AWAITING_IDENTITY, Phase.CHECKING, Phase.BLOCKED, Phase.AWAITING_CONFIRMATION}),
    Step.CONFIRM: frozenset({Phase.AWAITING_CONFIRMATION}),
    Step.FILE_TICKET: frozenset({Phase.AWAITING_IDENTITY, Phase.BLOCKED}),
    Step.SUPPLY_MATERIALS: frozenset({Phase.AWAITING_MATERIALS}),
    Step.WITHDRAW: frozenset(phase for phase, moves in TRANSITIONS.items() if Phase.WITHDRAWN in moves),
}


def allows(phase: Phase, step: Step, *, channel_verified: bool) -> bool:
    """Whether an owner may take a step in a phase.

    A report and a ticket from AWAITING_IDENTITY only where no channel is verified: else they would be a side door
    round verification.
    """
    if phase not in STEP_PHASES[step]:
        return False
    unverified = step in (Step.RECHECK, Step.FILE_TICKET) and phase is Phase.AWAITING_IDENTITY
    return not (unverified and channel_verified)


_DUE_STEP: dict[Phase, Step] = {
    Phase.AWAITING_NOTICE: Step.ACCEPT_NOTICE,
    Phase.BLOCKED: Step.RECHECK,
    Phase.AWAITING_CONFIRMATION: Step.CONFIRM,
    Phase.AWAITING_MATERIALS: Step.SUPPLY_MATERIALS,
}


def due_step(
    phase: Phase, *, channel_verified: bool = True, code_sent: bool = False, report_shown: bool = True
) -> Step | None:
    """The step the owner should take next, or None while the service or staff have the turn.

    Without a verified phone or e-mail the way through AWAITING_IDENTITY is a ticket, never a dead end;
    a report comes first, since nobody gives up what was not shown.
    """
    if phase is Phase.AWAITING_IDENTITY:
        if not channel_verified:
            return Step.FILE_TICKET if report_shown else Step.RECHECK
        return Step.SUBMIT_IDENTITY_PROOF if code_sent else Step.SEND_CODE
    return _DUE_STEP.get(phase)
