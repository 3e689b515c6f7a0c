"""The manual route: what a ticket must carry, and when a decision counts (design, section 4, "The ticket").

The form itself holds contact data and lives in the vault only. Temporal sees a `TicketRef`.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Literal

from domain.accounts import RealNameType
from domain.checks import Check, EligibilityReport, Waiver
from domain.model import Count, Instant, Model, OpaqueId, Sha256Hex, VaultRef

TICKET_CATEGORY: Literal["账号与认证"] = "账号与认证"


class LetterType(StrEnum):
    PDF = "application/pdf"
    JPEG = "image/jpeg"
    PNG = "image/png"


class Letter(Model):
    """The stamped letter of consent, as it was inspected and stored."""

    path: str
    sha256: Sha256Hex
    media_type: LetterType
    size_bytes: Count
    pages: Count


class Statement(Model):
    """ "Read and accepted": required of none and individual real-name types."""

    notice_version: str
    notice_sha256: Sha256Hex


class TicketForm(Model):
    """One revision of a ticket, in the vault. The only model of the project that holds contact data."""

    ticket_no: OpaqueId
    revision: int
    account_id: OpaqueId
    category: Literal["账号与认证"] = TICKET_CATEGORY
    real_name_type: RealNameType
    contact_email: str
    contact_phone: str
    statement: Statement | None
    letter: Letter | None
    filed_by: OpaqueId
    filed_at: Instant
    previous_sha256: Sha256Hex | None = None


class TicketRef(Model):
    """What Temporal knows of a ticket: its number, its revision, and the hash of that revision in the vault."""

    ticket_no: OpaqueId
    revision: int
    sha256: Sha256Hex

    @property
    def record(self) -> VaultRef:
        """Where the form of this revision lies in the vault."""
        return VaultRef(path=ticket_path(self.ticket_no, self.revision), sha256=self.sha256)


def ticket_path(ticket_no: str, revision: int) -> str:
    return f"tickets/{ticket_no}/r{revision}.json"


class MissingPart(StrEnum):
    CONTACT_EMAIL = "CONTACT_EMAIL"
    CONTACT_PHONE = "CONTACT_PHONE"
    STATEMENT = "STATEMENT"
    STAMPED_LETTER = "STAMPED_LETTER"


def missing_parts(form: TicketForm) -> tuple[MissingPart, ...]:
    """What the form lacks for its real-name type. Both contacts always; a letter or a statement by type."""
    missing = []
    if not form.contact_email:
        missing.append(MissingPart.CONTACT_EMAIL)
    if not form.contact_phone:
        missing.append(MissingPart.CONTACT_PHONE)
    if form.real_name_type is RealNameType.ENTERPRISE:
        if form.letter is None:
            missing.append(MissingPart.STAMPED_LETTER)
    elif form.statement is None:
        missing.append(MissingPart.STATEMENT)
    return tuple(missing)


class DecisionKind(StrEnum):
    """The value is the name of the signal."""

    APPROVE = "approve"
    REJECT = "reject"
    REQUEST_MATERIALS = "request_materials"


class DecisionReason(StrEnum):
    """The closed list. Anything that needs words goes to the vault, and its reference into `note_ref`."""

    IDENTITY_NOT_PROVEN = "IDENTITY_NOT_PROVEN"
    CONSENT_NOT_VALID = "CONSENT_NOT_VALID"
    COMPANY_MISMATCH = "COMPANY_MISMATCH"
    DISPUTE_OPEN = "DISPUTE_OPEN"
    LEGAL_HOLD = "LEGAL_HOLD"
    FUNDS_MUST_BE_RETURNED = "FUNDS_MUST_BE_RETURNED"
    SEE_NOTE = "SEE_NOTE"
    LETTER_ILLEGIBLE = "LETTER_ILLEGIBLE"
    SEAL_MISSING = "SEAL_MISSING"
    LETTER_INCOMPLETE = "LETTER_INCOMPLETE"
    STATEMENT_OUTDATED = "STATEMENT_OUTDATED"
    CONTACT_UNREACHABLE = "CONTACT_UNREACHABLE"


class Decision(Model):
    """A reviewer's decision. `decided_at` is stamped by the sender whom the reviewer signed in to.

    `waived` and `identity_attested` belong to an approval: the checks that the reviewer sets aside, and, for an
    account without a verified channel, that identity was established by other means.
    """

    decision_id: OpaqueId
    ticket_no: OpaqueId
    operator_id: OpaqueId
    decided_at: Instant
    reason_codes: tuple[DecisionReason, ...] = ()
    note_ref: OpaqueId | None = None
    waived: tuple[Check, ...] = ()
    identity_attested: bool = False


class DecisionRequest(Model):
    """The argument of the `decide` update; the signals carry the kind in their name."""

    kind: DecisionKind
    decision: Decision


class RecordedDecision(Model):
    """A decision that counted. `late` compares `decided_at` with the deadline, not the time at which it arrived."""

    kind: DecisionKind
    decision: Decision
    received_at: Instant
    late: bool


class IgnoredBecause(StrEnum):
    DUPLICATE = "DUPLICATE"
    WRONG_TICKET = "WRONG_TICKET"
    ALREADY_DECIDED = "ALREADY_DECIDED"
    WRONG_PHASE = "WRONG_PHASE"
    SELF_APPROVAL = "SELF_APPROVAL"
    REASONS_MISSING = "REASONS_MISSING"
    WAIVERS_INCOMPLETE = "WAIVERS_INCOMPLETE"
    IDENTITY_NOT_ATTESTED = "IDENTITY_NOT_ATTESTED"


class IgnoredDecision(Model):
    kind: DecisionKind
    decision_id: OpaqueId
    operator_id: OpaqueId
    because: IgnoredBecause
    received_at: Instant


class ReviewStatus(StrEnum):
    UNDER_REVIEW = "UNDER_REVIEW"
    AWAITING_MATERIALS = "AWAITING_MATERIALS"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    CALLED_OFF = "CALLED_OFF"

    @property
    def is_open(self) -> bool:
        return self in (ReviewStatus.UNDER_REVIEW, ReviewStatus.AWAITING_MATERIALS)


DECIDED_STATUS: dict[DecisionKind, ReviewStatus] = {
    DecisionKind.APPROVE: ReviewStatus.APPROVED,
    DecisionKind.REJECT: ReviewStatus.REJECTED,
    DecisionKind.REQUEST_MATERIALS: ReviewStatus.AWAITING_MATERIALS,
}


class ReviewCase(Model):
    """What a decision is judged against: the ticket, the report staff saw, and whose request it is."""

    request_no: OpaqueId
    account_id: OpaqueId
    ticket: TicketRef
    real_name_type: RealNameType
    report: EligibilityReport
    identity_verified: bool
    applicants: tuple[OpaqueId, ...]

    @property
    def waivers_asked(self) -> tuple[Waiver, ...]:
        return self.report.waivers_needed()


def why_ignored(
    case: ReviewCase, status: ReviewStatus, counted: Collection[str], kind: DecisionKind, decision: Decision
) -> IgnoredBecause | None:
    """The reason not to act on a decision, or None when it counts. `counted` are the ids of the decisions that did.

    While materials are awaited only a rejection counts: there is nothing new to approve.
    """
    if decision.decision_id in counted:
        return IgnoredBecause.DUPLICATE
    if decision.ticket_no != case.ticket.ticket_no:
        return IgnoredBecause.WRONG_TICKET
    if not status.is_open:
        return IgnoredBecause.ALREADY_DECIDED
    if decision.operator_id in case.applicants:
        return IgnoredBecause.SELF_APPROVAL
    if status is ReviewStatus.AWAITING_MATERIALS and kind is not DecisionKind.REJECT:
        return IgnoredBecause.WRONG_PHASE
    if kind is not DecisionKind.APPROVE:
        return None if decision.reason_codes else IgnoredBecause.REASONS_MISSING
    if not {waiver.check for waiver in case.waivers_asked} <= set(decision.waived):
        return IgnoredBecause.WAIVERS_INCOMPLETE
    if not case.identity_verified and not decision.identity_attested:
        return IgnoredBecause.IDENTITY_NOT_ATTESTED
    return None
