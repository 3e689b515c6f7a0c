"""What goes into and comes out of the workflows: one model each way for every start, update, signal and query."""

from enum import StrEnum

from pydantic import Field

from domain.accounts import Channel, RealNameType, RefusalReason
from domain.checks import CheckOutcome, EligibilityReport, Waiver
from domain.deletion import DeletionView
from domain.locale import Locale
from domain.model import Count, Instant, Model, OpaqueId, Sha256Hex, VaultRef
from domain.phases import Phase, Step
from domain.policy import Policy
from domain.tickets import (
    DecisionReason,
    IgnoredBecause,
    IgnoredDecision,
    RecordedDecision,
    ReviewCase,
    ReviewStatus,
    TicketRef,
)


class CancellationInput(Model):
    """Starts `AccountCancellation`. `requested_by` is the opaque id of the person who asked."""

    request_no: OpaqueId
    account_id: OpaqueId
    requested_by: OpaqueId
    locale: Locale = Locale.ZH
    policy: Policy = Policy()


class SendCode(Model):
    channel: Channel


class CodeSent(Model):
    """The challenge to answer at the platform; the code itself never comes near Temporal."""

    challenge_id: OpaqueId
    channel: Channel
    expires_at: Instant
    resend_after: Instant


class SubmitIdentityProof(Model):
    """`proof` is single use and worthless once redeemed."""

    challenge_id: OpaqueId
    proof: OpaqueId


class AcceptNotice(Model):
    version: str = Field(max_length=40)
    sha256: Sha256Hex


class Recheck(Model):
    pass


class Confirm(Model):
    report_digest: Sha256Hex


class FileTicket(Model):
    ticket: TicketRef


class SupplyMaterials(Model):
    ticket: TicketRef


class WithdrawalReason(StrEnum):
    CHANGED_MIND = "CHANGED_MIND"
    KEEP_SERVICES = "KEEP_SERVICES"
    CANNOT_MEET_CONDITIONS = "CANNOT_MEET_CONDITIONS"
    NOT_REQUESTED_BY_ME = "NOT_REQUESTED_BY_ME"
    OPERATOR_CANCELLED = "OPERATOR_CANCELLED"


class Withdraw(Model):
    reason_code: WithdrawalReason = WithdrawalReason.CHANGED_MIND


class Route(StrEnum):
    """How the request came to its sealing: by the owner's confirmation, or by an approved ticket."""

    SELF_SERVICE = "SELF_SERVICE"
    MANUAL = "MANUAL"


class ReviewClock(Model):
    """The review's deadlines in UTC, with the calendar they came from.

    `next_reminder_at` is the end of the first business day after the deadline that is still to come.
    """

    filed_at: Instant
    remind_at: Instant
    due_at: Instant
    next_reminder_at: Instant
    ceiling_at: Instant
    calendar: str
    provisional: bool


class ReviewReport(Model):
    """What a review tells its request each time something changes, and what the request shows of it."""

    ticket: TicketRef
    status: ReviewStatus
    clock: ReviewClock | None = None
    overdue: bool = False
    decision: RecordedDecision | None = None


class MaterialsSupplied(Model):
    """Signal from a request to its review: the next revision of the ticket is in the vault."""

    ticket: TicketRef


class ReviewView(Model):
    """Query `view` of `TicketReview`: everything a support agent decides by, but contact data and letter."""

    case: ReviewCase
    status: ReviewStatus
    clock: ReviewClock | None
    overdue: bool
    ceiling_passed: bool
    decisions: tuple[RecordedDecision, ...]
    ignored: tuple[IgnoredDecision, ...]


class DecisionAnswer(Model):
    """The answer of the `decide` update."""

    ticket_no: OpaqueId
    status: ReviewStatus
    late: bool


class ReviewInput(Model):
    """Starts `TicketReview`."""

    case: ReviewCase
    locale: Locale
    policy: Policy


class CancellationView(Model):
    """Query `view`, and the answer of every owner's step: the whole request at a glance.

    `checks_done` grows while the five checks run; `report` is the last complete one. `withdrawable` is false from the
    moment the closing call is under way.
    """

    request_no: OpaqueId
    account_id: OpaqueId
    phase: Phase
    due_step: Step | None
    withdrawable: bool
    route: Route | None
    locale: Locale
    real_name_type: RealNameType | None
    channels: tuple[Channel, ...]
    refusal: RefusalReason | None
    started_at: Instant
    phase_since: Instant
    lapses_at: Instant | None
    challenge: CodeSent | None
    identity_verified: bool
    notice_version: str | None
    checks_done: tuple[CheckOutcome, ...]
    report: EligibilityReport | None
    waivers: tuple[Waiver, ...]
    seal_refused: str | None
    review: ReviewReport | None
    rejection_reasons: tuple[DecisionReason, ...]
    withdrawal_reason: WithdrawalReason | None
    deletion: DeletionView | None
    certificate: VaultRef | None
    cancels_refused: Count


class CancellationResult(Model):
    """What `AccountCancellation` returns. A refusal or a withdrawal is a result, not a failure."""

    request_no: OpaqueId
    account_id: OpaqueId
    outcome: Phase
    refusal: RefusalReason | None = None
    rejection_reasons: tuple[DecisionReason, ...] = ()
    withdrawal_reason: WithdrawalReason | None = None
    certificate: VaultRef | None = None


class ReviewResult(Model):
    """What `TicketReview` returns."""

    ticket_no: OpaqueId
    status: ReviewStatus
    decision: RecordedDecision | None
    overdue: bool
    ignored: tuple[IgnoredDecision, ...]


class Resume(Model):
    """Argument of the `resume` update of `AccountDeletion`: ops say that the cause is gone."""

    operator_id: OpaqueId


class DecisionRefused(Model):
    """Details of the `DecisionRefused` error, so that a second reviewer is told who was first."""

    because: IgnoredBecause
    status: ReviewStatus
    decided_by: OpaqueId | None
