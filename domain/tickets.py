"""The manual route: what a ticket must carry, and when a decision counts.

The form itself holds contact data and lives in the vault only. Temporal sees a `TicketRef`.
"""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Literal, Self

from domain.accounts import RealNameType
from domain.actors import Via
from domain.checks import Check, EligibilityReport, Waiver
from domain.letters import Letter
from domain.model import Fen, Instant, Model, OpaqueId, Sha256Hex, VaultRef

TICKET_CATEGORY: Literal["账号与认证"] = "账号与认证"


class Statement(Model):
    """ "Read and accepted": required of none and individual real-name types."""

    notice_version: str
    notice_sha256: Sha256Hex


class BalanceWish(StrEnum):
    """What is to become of money that the owner has not withdrawn."""

    GIVE_UP = "GIVE_UP"
    RETURN = "RETURN"
    """It waives nothing: the account is closed when the money is gone."""


class BalanceChoice(Model):
    """The owner's word about the money. `amount_fen` is the sum that was shown to whoever says it."""

    wish: BalanceWish
    amount_fen: Fen


class TicketForm(Model):
    """One revision of a ticket, in the vault. The only model of the project that holds contact data.

    `report_digest` is the report that was shown to whoever filed it.
    """

    ticket_no: OpaqueId
    revision: int
    account_id: OpaqueId
    category: Literal["账号与认证"] = TICKET_CATEGORY
    real_name_type: RealNameType
    contact_email: str
    contact_phone: str
    statement: Statement | None
    letter: Letter | None
    balance: BalanceChoice | None = None
    report_digest: Sha256Hex | None = None
    filed_by: OpaqueId
    filed_via: Via = Via.TEMPORAL
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
    BALANCE_CHOICE = "BALANCE_CHOICE"


class TicketNeeds(Model):
    """What a ticket must carry besides both contacts.

    Attributes:
        statement: "read and accepted"; of everybody but enterprises, and of these too while no notice is accepted.
        letter: the stamped letter; of enterprises.
        balance_fen: the money that was shown, about which a word is needed; None when there is none.
    """

    statement: bool
    letter: bool
    balance_fen: Fen | None = None

    @classmethod
    def of(cls, type: RealNameType, *, notice_accepted: bool, report: EligibilityReport | None) -> Self:
        enterprise = type is RealNameType.ENTERPRISE
        return cls(
            statement=not (enterprise and notice_accepted),
            letter=enterprise,
            balance_fen=(report.money_fen if report else 0) or None,
        )


def missing_parts(form: TicketForm, needs: TicketNeeds) -> tuple[MissingPart, ...]:
    """What the form lacks. A word about another sum than the one that was shown is no word about this one."""
    missing = []
    if not form.contact_email:
        missing.append(MissingPart.CONTACT_EMAIL)
    if not form.contact_phone:
        missing.append(MissingPart.CONTACT_PHONE)
    if needs.letter and form.letter is None:
        missing.append(MissingPart.STAMPED_LETTER)
    if needs.statement and form.statement is None:
        missing.append(MissingPart.STATEMENT)
    if needs.balance_fen and (form.balance is None or form.balance.amount_fen != needs.balance_fen):
        missing.append(MissingPart.BALANCE_CHOICE)
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

    `revision_sha256` and `report_digest` name what the reviewer looked at: a decision about anything else is stale.
    `waived` and `identity_attested` belong to an approval: the checks that the reviewer sets aside, and, for an
    account without a verified channel, that identity was established by other means.
    """

    decision_id: OpaqueId
    ticket_no: OpaqueId
    operator_id: OpaqueId
    decided_at: Instant
    revision_sha256: Sha256Hex
    report_digest: Sha256Hex
    reason_codes: tuple[DecisionReason, ...] = ()
    note_ref: OpaqueId | None = None
    waived: tuple[Check, ...] = ()
    identity_attested: bool = False

    def says_the_same_as(self, other: "Decision") -> bool:
        """Whether both are one decision, sent twice: a sender stamps the time, and files the note, anew each time."""
        mine, theirs = (one.model_dump(exclude={"decided_at", "note_ref"}) for one in (self, other))
        return mine == theirs


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
    CONFLICT = "CONFLICT"
    """Its id came before, with another decision."""
    STALE = "STALE"
    """It is about another revision, or another report, than the one to be decided."""
    TIME_IMPLAUSIBLE = "TIME_IMPLAUSIBLE"
    """Decided before the revision was filed, or after it arrived here."""
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
    balance: BalanceChoice | None = None

    @property
    def waivers_asked(self) -> tuple[Waiver, ...]:
        """What an approval has to set aside. Money that is to be returned is not set aside by anybody."""
        gives_up = self.balance is not None and self.balance.wish is BalanceWish.GIVE_UP
        return tuple(w for w in self.report.waivers_needed() if w.check is not Check.BALANCE or gives_up)

    def revised(self, ticket: TicketRef, balance: BalanceChoice | None, *supplied_by: str) -> Self:
        """The case with the next revision of its ticket; who supplied it is an applicant, too."""
        applicants = dict.fromkeys((*self.applicants, *supplied_by))
        return self.model_copy(update={"ticket": ticket, "balance": balance, "applicants": tuple(applicants)})


CLOCK_SKEW = timedelta(minutes=2)
"""By how much the clocks of two programs may differ."""


def is_time_plausible(decision: Decision, filed_at: Instant, now: Instant) -> bool:
    """Nobody decides what is not filed yet, or tomorrow."""
    return filed_at - CLOCK_SKEW <= decision.decided_at <= now + CLOCK_SKEW


def _why_again(counted: Sequence[RecordedDecision], kind: DecisionKind, decision: Decision) -> IgnoredBecause | None:
    for earlier in counted:
        if earlier.decision.decision_id == decision.decision_id:
            same = earlier.kind is kind and earlier.decision.says_the_same_as(decision)
            return IgnoredBecause.DUPLICATE if same else IgnoredBecause.CONFLICT
    return None


def why_ignored(
    case: ReviewCase, status: ReviewStatus, counted: Sequence[RecordedDecision], kind: DecisionKind, decision: Decision
) -> IgnoredBecause | None:
    """The reason not to act on a decision, or None when it counts. `counted` are the decisions that did.

    While materials are awaited only a rejection counts: there is nothing new to approve.
    """
    if again := _why_again(counted, kind, decision):
        return again
    if decision.ticket_no != case.ticket.ticket_no:
        return IgnoredBecause.WRONG_TICKET
    if not status.is_open:
        return IgnoredBecause.ALREADY_DECIDED
    if decision.operator_id in case.applicants:
        return IgnoredBecause.SELF_APPROVAL
    if (decision.revision_sha256, decision.report_digest) != (case.ticket.sha256, case.report.digest):
        return IgnoredBecause.STALE
    if status is ReviewStatus.AWAITING_MATERIALS and kind is not DecisionKind.REJECT:
        return IgnoredBecause.WRONG_PHASE
    if kind is not DecisionKind.APPROVE:
        return None if decision.reason_codes else IgnoredBecause.REASONS_MISSING
    return _against_approval(case, decision)


def _against_approval(case: ReviewCase, decision: Decision) -> IgnoredBecause | None:
    if not {waiver.check for waiver in case.waivers_asked} <= set(decision.waived):
        return IgnoredBecause.WAIVERS_INCOMPLETE
    if not case.identity_verified and not decision.identity_attested:
        return IgnoredBecause.IDENTITY_NOT_ATTESTED
    return None
