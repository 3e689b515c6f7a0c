"""What goes into and comes out of the workflows: one model each way for every start, update, signal and query."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.accounts import Challenge, Channel, RealNameType, RefusalReason
from domain.actors import Actor, Via
from domain.checks import CheckOutcome, EligibilityReport, Waiver
from domain.deletion import DeletionView
from domain.locale import Locale
from domain.model import Count, Instant, Model, OpaqueId, Sha256Hex, VaultRef
from domain.phases import Phase, Step
from domain.policy import Policy
from domain.standing import Changes, ReviewEnd, RunEnd, SealingTrouble
from domain.tickets import (
    BalanceChoice,
    DecisionReason,
    IgnoredBecause,
    IgnoredDecision,
    RecordedDecision,
    ReviewCase,
    ReviewStatus,
    TicketNeeds,
    TicketRef,
)


class CancellationInput(Model):
    """Starts `AccountCancellation`. `requested_by` is the opaque id of the person who asked.

    A field that only a newer version knows is passed over, so that a request started by one runs on an older worker.
    """

    model_config = ConfigDict(extra="ignore")

    request_no: OpaqueId
    account_id: OpaqueId
    requested_by: OpaqueId
    requested_via: Via = Via.TEMPORAL
    locale: Locale = Locale.ZH
    policy: Policy = Policy()


class UnreadableInput(BaseModel):
    """Whatever else a workflow was started with: it ends at once, saying what is wrong with it.

    Without this the workflow's task would fail for ever, and hold the account's only id. As one of a union it is what
    is left: pydantic prefers the member that has a use for the most fields.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    given: Any = None

    @model_validator(mode="before")
    @classmethod
    def _take_anything(cls, value: Any) -> Any:
        return {"given": value}


UNREADABLE = UnreadableInput.model_validate(None)
"""Of a start that gives nothing, or nothing that is one JSON document."""


class Open(Model):
    """Argument of `open`, with which a request is started: the answer is its first phase, once that is known."""


class SendCode(Model):
    channel: Channel
    by: Actor


class CodeSent(Challenge):
    """The challenge to answer at the platform; the code itself never comes near Temporal."""

    channel: Channel


class SubmitIdentityProof(Model):
    """`proof` is single use and worthless once redeemed."""

    challenge_id: OpaqueId
    proof: OpaqueId
    by: Actor


class AcceptNotice(Model):
    version: str = Field(max_length=40)
    sha256: Sha256Hex
    by: Actor


class Recheck(Model):
    by: Actor


class Confirm(Model):
    report_digest: Sha256Hex
    by: Actor


class FileTicket(Model):
    ticket: TicketRef
    by: Actor


class SupplyMaterials(Model):
    ticket: TicketRef
    by: Actor


class WithdrawalReason(StrEnum):
    CHANGED_MIND = "CHANGED_MIND"
    KEEP_SERVICES = "KEEP_SERVICES"
    CANNOT_MEET_CONDITIONS = "CANNOT_MEET_CONDITIONS"
    NOT_REQUESTED_BY_ME = "NOT_REQUESTED_BY_ME"
    OPERATOR_CANCELLED = "OPERATOR_CANCELLED"


class Withdraw(Model):
    reason_code: WithdrawalReason = WithdrawalReason.CHANGED_MIND
    by: Actor


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


class AlarmState(Model):
    """Which alarms have sounded. The ceiling belongs to the first filing, the rest to the running clock."""

    reminded: bool = False
    escalated: bool = False
    ceiling: bool = False

    def restarted(self) -> "AlarmState":
        """New materials start the 3-day clock anew; the ceiling runs on."""
        return AlarmState(ceiling=self.ceiling)


class ReviewReport(Model):
    """What a review tells its request each time something changes, and what the request shows of it.

    It moves the owner's turn at most. What a review comes to is its result.
    """

    ticket: TicketRef
    status: ReviewStatus
    clock: ReviewClock | None = None
    overdue: bool = False
    decision: RecordedDecision | None = None


class MaterialsSupplied(Model):
    """Signal from a request to its review: the next revision of the ticket is in the vault. Look at it."""

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
    """The last of them; `ignored_count` is how many there were in all."""
    ignored_count: Count = 0


class DecisionAnswer(Model):
    """The answer of the `decide` update."""

    ticket_no: OpaqueId
    status: ReviewStatus
    late: bool


class ReviewInput(Model):
    """Starts `TicketReview`. A field that only a newer version knows is passed over."""

    model_config = ConfigDict(extra="ignore")

    case: ReviewCase
    locale: Locale
    policy: Policy


class CancellationView(Model):
    """Query `view`, and the answer of every owner's step: the whole request at a glance.

    Attributes:
        withdrawable: false from the moment the closing call is under way.
        ends_by: the request's greatest age; an undecided one lapses then.
        checks_done: grows while the checks run, and is empty afterwards; `report` is the last complete one.
        identity_expires_at: until when the proof of identity counts for the last word.
        ticket_needs: what a ticket has to carry, while one may be filed or completed.
        approval_expires_at: until when what a reviewer has set aside counts.
        seal_refused: the error for which the platform did not close; `changed` what was new to the owner.
        sealing_trouble: what it fails on while it goes on trying.
        stalled: why a closed account waits for operations, when that is not the deletion's own word.
        run_ended: set by whoever reads the view, from Temporal's own record: this run was ended from outside.
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
    ends_by: Instant
    challenge: CodeSent | None
    identity_verified: bool
    identity_expires_at: Instant | None = None
    notice_version: str | None
    checks_done: tuple[CheckOutcome, ...]
    report: EligibilityReport | None
    ticket_needs: TicketNeeds | None = None
    balance: BalanceChoice | None = None
    waivers: tuple[Waiver, ...]
    approval_expires_at: Instant | None = None
    seal_refused: str | None
    changed: Changes | None = None
    sealing_trouble: SealingTrouble | None = None
    overdue: bool = False
    review: ReviewReport | None
    review_ended: ReviewEnd | None = None
    rejection_reasons: tuple[DecisionReason, ...]
    withdrawal_reason: WithdrawalReason | None
    deletion: DeletionView | None
    stalled: str | None = None
    certificate: VaultRef | None
    cancels_refused: Count
    run_ended: RunEnd | None = None


class CancellationResult(Model):
    """What `AccountCancellation` returns. A refusal or a withdrawal is a result, not a failure."""

    request_no: OpaqueId
    account_id: OpaqueId
    outcome: Phase
    refusal: RefusalReason | None = None
    rejection_reasons: tuple[DecisionReason, ...] = ()
    withdrawal_reason: WithdrawalReason | None = None
    certificate: VaultRef | None = None


class ReviewResult(ReviewReport):
    """What `TicketReview` returns: the one word about a review that its request believes."""

    first_filed_at: Instant
    """From which the ceiling runs, whatever was supplied since."""
    sounded: AlarmState = AlarmState()
    ignored: tuple[IgnoredDecision, ...]
    ignored_count: Count = 0


class Follow(Model):
    """Signal `followed` of `AccountDeletion`: a request that has not started it wants to hear how it ends."""

    request_no: OpaqueId


class Resume(Model):
    """Argument of the `resume` update of `AccountDeletion`: ops say that the cause is gone."""

    operator_id: OpaqueId


class DecisionRefused(Model):
    """Details of the `DecisionRefused` error, so that a second reviewer is told who was first."""

    because: IgnoredBecause
    status: ReviewStatus
    decided_by: OpaqueId | None
