"""Why a request stands where it does, beyond its phase: what changed, what fails, how something ended."""

from enum import StrEnum

from domain.accounts import RealNameType
from domain.checks import Check, Entitlement
from domain.model import Count, Instant, Model


class Changes(Model):
    """What is there beyond what was shown and agreed to: why a request went back to its owner from its sealing.

    `checks` are those that block now, or by more than was waived; `entitlements` the first of those that were added.
    """

    checks: tuple[Check, ...] = ()
    entitlements: tuple[Entitlement, ...] = ()
    entitlements_added: Count = 0
    real_name_type: RealNameType | None = None
    approval_expired: bool = False
    could_not_tell: tuple[str, ...] = ()


class SealingTrouble(Model):
    """What keeps a request from being closed, while it goes on trying. `stuck` from the policy's `stuck_after` on."""

    error_type: str
    attempts: Count
    since: Instant
    stuck: bool = False


class ReviewEnd(StrEnum):
    """Why a review ended without a decision, so that its owner has the turn again."""

    CALLED_OFF = "CALLED_OFF"
    ENDED_FROM_OUTSIDE = "ENDED_FROM_OUTSIDE"
    NOT_CREDIBLE = "NOT_CREDIBLE"
    """It told of a decision that the rules do not let count."""


class RunEnd(StrEnum):
    """How Temporal ended a run that did not end by itself."""

    TERMINATED = "TERMINATED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    TIMED_OUT = "TIMED_OUT"
