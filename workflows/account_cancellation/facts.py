"""What one request knows, and what follows from it. Nothing here changes anything."""

from pydantic import BaseModel, ConfigDict
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.account import ReadAccountInput
    from domain.accounts import AccountProfile, RealNameType, RefusalReason
    from domain.checks import Check, CheckOutcome, EligibilityReport, Waiver
    from domain.deletion import (
        Confirmation,
        DeletionInput,
        DeletionView,
        Dossier,
        IdentityEvidence,
        IdentityMethod,
        NoticeAcceptance,
    )
    from domain.messages import (
        CancellationInput,
        CancellationResult,
        CancellationView,
        CodeSent,
        ReviewReport,
        ReviewResult,
        Route,
        WithdrawalReason,
    )
    from domain.model import Instant, VaultRef
    from domain.notices import CONSENT_WORDING
    from domain.phases import OUTCOMES, Phase, Step, allows, due_step
    from domain.standing import Changes, ReviewEnd, SealingTrouble
    from domain.tickets import DecisionReason, RecordedDecision, ReviewCase, TicketNeeds


class CancellationFacts(BaseModel):
    """Everything of a request that outlives a workflow task; it goes along whole when the workflow continues as new."""

    model_config = ConfigDict(extra="ignore")

    request: CancellationInput
    started_at: Instant
    phase: Phase = Phase.OPENING
    turn: int = 0
    phase_since: Instant
    owner_active_at: Instant
    reminded_of: Instant | None = None
    profile: AccountProfile | None = None
    refusal: RefusalReason | None = None
    challenge: CodeSent | None = None
    identity: IdentityEvidence | None = None
    notice: NoticeAcceptance | None = None
    checks_done: dict[Check, CheckOutcome] = {}
    reports: int = 0
    rechecks: list[Instant] = []
    report: EligibilityReport | None = None
    confirmation: Confirmation | None = None
    agreed_type: RealNameType | None = None
    case: ReviewCase | None = None
    review: ReviewReport | None = None
    review_ended: ReviewEnd | None = None
    acceptance_in_ticket: NoticeAcceptance | None = None
    approved_at: Instant | None = None
    approval: RecordedDecision | None = None
    approved_case: ReviewCase | None = None
    approved_review: ReviewResult | None = None
    waivers: tuple[Waiver, ...] = ()
    holds_taken: int = 0
    hold_id: str | None = None
    hold_token: str | None = None
    hold_expires_at: Instant | None = None
    closing: bool = False
    withdrawing: int = 0
    trouble: SealingTrouble | None = None
    is_stuck_told: bool = False
    seal_refused: str | None = None
    changed: Changes | None = None
    overdue: bool = False
    last_dossier: VaultRef | None = None
    deletion_input: DeletionInput | None = None
    closed_request_no: str | None = None
    deletion: DeletionView | None = None
    stalled: str | None = None
    certificate: VaultRef | None = None
    rejection_reasons: tuple[DecisionReason, ...] = ()
    withdrawal_reason: WithdrawalReason | None = None
    cancels_refused: int = 0

    @property
    def is_over(self) -> bool:
        return self.phase in OUTCOMES

    def allows(self, step: Step) -> bool:
        if step is Step.WITHDRAW and self.closing:
            return False
        return allows(self.phase, step, channel_verified=self.has_channel)

    @property
    def due_step(self) -> Step | None:
        return due_step(
            self.phase,
            channel_verified=self.has_channel,
            code_sent=self.challenge is not None,
            report_shown=self.report is not None,
        )

    @property
    def has_channel(self) -> bool:
        return self.profile is not None and bool(self.profile.channels)

    @property
    def read_account_input(self) -> ReadAccountInput:
        policy = self.request.policy
        return ReadAccountInput(
            account_id=self.account_id,
            final_notice_limit=policy.final_notice_limit,
            stuck_after=policy.stuck_after,
        )

    @property
    def request_no(self) -> str:
        """A closure goes on under the number of the request that sealed it."""
        return self.closed_request_no or self.request.request_no

    @property
    def account_id(self) -> str:
        return self.request.account_id

    @property
    def real_name_type(self) -> RealNameType | None:
        return self.profile.real_name_type if self.profile else None

    @property
    def route(self) -> Route | None:
        """Manual as soon as a ticket is filed; self-service once the owner has confirmed without one."""
        if self.case:
            return Route.MANUAL
        return Route.SELF_SERVICE if self.confirmation else None

    @property
    def ends_by(self) -> Instant:
        """A request has a greatest age, however often its owner comes back to it."""
        return self.started_at + self.request.policy.request_max_age

    @property
    def lapses_at(self) -> Instant | None:
        if self.due_step is None:
            return None
        return min(self.owner_active_at + self.request.policy.owner_idle_limit, self.ends_by)

    @property
    def is_reminded(self) -> bool:
        """Of the very moment at which it lapses now: an owner who gains time is reminded anew."""
        return self.reminded_of is not None and self.reminded_of == self.lapses_at

    @property
    def has_lapsed(self) -> bool:
        return self.is_reminded and self.lapses_at is not None and workflow.now() >= self.lapses_at

    @property
    def ticket_needs(self) -> TicketNeeds | None:
        """What a ticket has to carry, by the account as it is now and by the report that was shown."""
        if self.real_name_type is None:
            return None
        report = self.case.report if self.case and self.phase is Phase.AWAITING_MATERIALS else self.report
        return TicketNeeds.of(self.real_name_type, notice_accepted=self.has_proved_identity, report=report)

    @property
    def has_proved_identity(self) -> bool:
        """By a code, and so for every ticket. What a reviewer attests is a part of that one approval."""
        return self.identity is not None and self.identity.method is IdentityMethod.CODE

    @property
    def identity_expires_at(self) -> Instant | None:
        """A reviewer's word on an identity counts as long as the approval that it is a part of."""
        if self.identity is None:
            return None
        if self.identity.method is IdentityMethod.ATTESTED:
            return self.approval_expires_at
        return self.identity.verified_at + self.request.policy.identity_lifetime

    @property
    def approval_expires_at(self) -> Instant | None:
        return self.approved_at + self.request.policy.approval_lifetime if self.approved_at else None

    def dossier(self, sealing_report: EligibilityReport) -> Dossier:
        """Everything that justifies the deletion. Refuses to exist without identity, notice and agreement."""
        assert self.profile is not None
        assert self.identity is not None, "sealed without proof of identity"
        assert self.notice is not None, "sealed without an accepted notice"
        assert self.report is not None, "sealed without a report"
        assert self.confirmation or self.approval, "sealed without agreement"
        wording = CONSENT_WORDING[self.request.locale]
        return Dossier(
            request_no=self.request_no,
            account_id=self.account_id,
            real_name_type=self.profile.real_name_type,
            locale=self.request.locale,
            identity=self.identity,
            notice=self.notice,
            confirmation=self.confirmation,
            ticket=self.approved_review.ticket if self.approved_review else None,
            decision=self.approval,
            balance=self.approved_case.balance if self.approved_case else None,
            report=self.report,
            sealing_report=sealing_report,
            waivers=self.waivers,
            balance_consent=wording.balance if any(w.check is Check.BALANCE for w in self.waivers) else "",
            voucher_consent=wording.vouchers,
            sealed_at=workflow.now(),
            previous=self.last_dossier,
        )

    def view(self) -> CancellationView:
        # Afterwards they are all in the report.
        checking = self.phase is Phase.CHECKING
        return CancellationView(
            request_no=self.request_no,
            account_id=self.account_id,
            phase=self.phase,
            due_step=self.due_step,
            withdrawable=self.allows(Step.WITHDRAW),
            route=self.route,
            locale=self.request.locale,
            real_name_type=self.real_name_type,
            channels=self.profile.channels if self.profile else (),
            refusal=self.refusal,
            started_at=self.started_at,
            phase_since=self.phase_since,
            lapses_at=self.lapses_at,
            ends_by=self.ends_by,
            challenge=self.challenge,
            identity_verified=self.identity is not None,
            identity_expires_at=self.identity_expires_at,
            notice_version=self.notice.version if self.notice else None,
            checks_done=tuple(self.checks_done[c] for c in Check if c in self.checks_done) if checking else (),
            report=self.report,
            ticket_needs=self.ticket_needs,
            balance=self.case.balance if self.case else None,
            waivers=self.waivers,
            approval_expires_at=self.approval_expires_at,
            seal_refused=self.seal_refused,
            changed=self.changed,
            sealing_trouble=self.trouble,
            overdue=self.overdue,
            review=self.review,
            review_ended=self.review_ended,
            rejection_reasons=self.rejection_reasons,
            withdrawal_reason=self.withdrawal_reason,
            deletion=self.deletion,
            stalled=self.stalled,
            certificate=self.certificate,
            cancels_refused=self.cancels_refused,
        )

    def result(self) -> CancellationResult:
        return CancellationResult(
            request_no=self.request_no,
            account_id=self.account_id,
            outcome=self.phase,
            refusal=self.refusal,
            rejection_reasons=self.rejection_reasons,
            withdrawal_reason=self.withdrawal_reason,
            certificate=self.certificate,
        )
