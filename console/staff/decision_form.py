"""The form of a decision: what it may say, and which reasons it offers first."""

from typing import Final

from pydantic import Field

from domain.accounts import RealNameType
from domain.checks import Check
from domain.model import Model, Sha256Hex, TypedId
from domain.tickets import DecisionKind, DecisionReason

_ABOUT_LETTER: Final = (
    DecisionReason.LETTER_ILLEGIBLE,
    DecisionReason.SEAL_MISSING,
    DecisionReason.LETTER_INCOMPLETE,
    DecisionReason.CONSENT_NOT_VALID,
    DecisionReason.COMPANY_MISMATCH,
)
_ABOUT_STATEMENT: Final = (DecisionReason.STATEMENT_OUTDATED,)
_AGAINST_CLOSING: Final = (
    DecisionReason.DISPUTE_OPEN,
    DecisionReason.LEGAL_HOLD,
    DecisionReason.FUNDS_MUST_BE_RETURNED,
)


def reasons_for(kind: DecisionKind, type: RealNameType) -> tuple[DecisionReason, ...]:
    """Which reasons a form offers: of letter and statement only what a ticket of this type carries."""
    papers = _ABOUT_LETTER if type is RealNameType.ENTERPRISE else _ABOUT_STATEMENT
    general = (DecisionReason.CONTACT_UNREACHABLE, DecisionReason.IDENTITY_NOT_PROVEN, DecisionReason.SEE_NOTE)
    return (*(_AGAINST_CLOSING if kind is DecisionKind.REJECT else ()), *papers, *general)


class Draft(Model):
    """What a reviewer has chosen so far."""

    kind: DecisionKind | None = None
    reason_codes: tuple[DecisionReason, ...] = ()
    waived: tuple[Check, ...] = ()
    identity_attested: bool = False
    note: str = ""
    csrf: str = Field(default="", exclude=True, repr=False)


class PreviewForm(Draft):
    kind: DecisionKind
    decision_id: TypedId | None = None
    revision_sha256: Sha256Hex | None = None
    report_digest: Sha256Hex | None = None


class DecisionForm(Draft):
    """`decision_id` was made with the page: a double click is one decision. The hashes name what was looked at."""

    kind: DecisionKind
    decision_id: TypedId
    revision_sha256: Sha256Hex
    report_digest: Sha256Hex
