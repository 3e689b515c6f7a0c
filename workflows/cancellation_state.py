"""What one request knows, and the only place where its phase changes."""

import asyncio
from dataclasses import dataclass, field

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
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
    from domain.errors import ErrorType
    from domain.messages import (
        CancellationInput,
        CancellationResult,
        CancellationView,
        CodeSent,
        ReviewReport,
        Route,
        WithdrawalReason,
    )
    from domain.model import Instant, VaultRef
    from domain.notices import CONSENT_WORDING
    from domain.phases import OUTCOMES, Phase, Step, advance, allows, due_step
    from domain.tickets import DecisionReason, RecordedDecision

from workflows.current_details import show_request


@dataclass
class CancellationState:
    request: CancellationInput
    started_at: Instant
    phase: Phase = Phase.OPENING
    phase_since: Instant = field(init=False)
    owner_active_at: Instant = field(init=False)
    profile: AccountProfile | None = None
    refusal: RefusalReason | None = None
    challenge: CodeSent | None = None
    identity: IdentityEvidence | None = None
    notice: NoticeAcceptance | None = None
    checks_done: dict[Check, CheckOutcome] = field(default_factory=dict)
    reports: int = 0
    report: EligibilityReport | None = None
    confirmation: Confirmation | None = None
    review: ReviewReport | None = None
    acceptance_in_ticket: NoticeAcceptance | None = None
    approval: RecordedDecision | None = None
    approved_review: ReviewReport | None = None
    waivers: tuple[Waiver, ...] = ()
    hold_token: str | None = None
    holds_taken: int = 0
    closing: bool = False
    seal_refused: str | None = None
    last_dossier: VaultRef | None = None
    deletion_input: DeletionInput | None = None
    deletion: DeletionView | None = None
    rejection_reasons: tuple[DecisionReason, ...] = ()
    withdrawal_reason: WithdrawalReason | None = None
    cancels_refused: int = 0

    def __post_init__(self) -> None:
        self.phase_since = self.owner_active_at = self.started_at

    # Phases and steps

    @property
    def is_over(self) -> bool:
        return self.phase in OUTCOMES

    def move(self, to: Phase) -> None:
        """Change the phase, by the transition table, and show the change to ops."""
        self.phase = advance(self.phase, to)
        self.phase_since = self.owner_active_at = workflow.now()
        self.show()

    def still_in(self, phase: Phase) -> None:
        """Stop the work of a phase that is over; to be asked after each activity of work that may be dropped.

        A cancellation that comes in one workflow task with an activity's answer is swallowed by the SDK
        (temporalio/sdk-python, issue 352): the work would go on after a withdrawal, as far as the close.
        """
        if self.phase is not phase:
            raise asyncio.CancelledError

    def allows(self, step: Step) -> bool:
        if step is Step.WITHDRAW and self.closing:
            return False
        return allows(self.phase, step, channel_verified=self.has_channel)

    def require(self, step: Step) -> None:
        """Refuse a step that is not allowed now, naming the phase and the step that is due."""
        if self.allows(step):
            return
        if step is Step.WITHDRAW and (self.closing or self.phase in (Phase.DELETING, Phase.DELETION_STALLED)):
            raise ApplicationError(
                f"Request {self.request_no} is past the point of no return ({self.phase}); it can only go on.",
                {"phase": self.phase},
                type=ErrorType.POINT_OF_NO_RETURN,
            )
        due = self.due_step
        advice = f"the step that is due is {due}" if due else "there is nothing for the owner to do in this phase"
        raise ApplicationError(
            f"{step} is not possible in phase {self.phase} of request {self.request_no}: {advice}.",
            {"phase": self.phase, "due_step": due},
            type=ErrorType.WRONG_PHASE,
        )

    @property
    def due_step(self) -> Step | None:
        return due_step(self.phase, channel_verified=self.has_channel, code_sent=self.challenge is not None)

    @property
    def has_channel(self) -> bool:
        return self.profile is not None and bool(self.profile.channels)

    @property
    def request_no(self) -> str:
        """A resumed deletion goes on under the number of the request that sealed it."""
        return self.deletion_input.request_no if self.deletion_input else self.request.request_no

    @property
    def account_id(self) -> str:
        return self.request.account_id

    @property
    def real_name_type(self) -> RealNameType | None:
        return self.profile.real_name_type if self.profile else None

    @property
    def route(self) -> Route | None:
        """Manual as soon as a ticket is filed; self-service once the owner has confirmed without one."""
        if self.review:
            return Route.MANUAL
        return Route.SELF_SERVICE if self.confirmation else None

    @property
    def lapses_at(self) -> Instant | None:
        if self.due_step is None:
            return None
        return self.owner_active_at + self.request.policy.owner_idle_limit

    # What the owner and the reviewer have agreed to

    def approve(self, review: ReviewReport, decision: RecordedDecision) -> None:
        """An approved ticket grants its waivers and, where no channel was verified, attests identity and notice."""
        self.approval = decision
        self.approved_review = review
        asked = self.report.waivers_needed() if self.report else ()
        self.waivers = tuple(w for w in asked if w.check in decision.decision.waived)
        if self.identity is None:
            self.identity = IdentityEvidence(
                method=IdentityMethod.ATTESTED,
                channel=None,
                evidence_id=decision.decision.decision_id,
                verified_at=decision.decision.decided_at,
            )
        self.notice = self.notice or self.acceptance_in_ticket

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
            report=self.report,
            sealing_report=sealing_report,
            waivers=self.waivers,
            balance_consent=wording.balance if any(w.check is Check.BALANCE for w in self.waivers) else "",
            voucher_consent=wording.vouchers,
            sealed_at=workflow.now(),
            previous=self.last_dossier,
        )

    # What others see

    def view(self) -> CancellationView:
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
            challenge=self.challenge,
            identity_verified=self.identity is not None,
            notice_version=self.notice.version if self.notice else None,
            checks_done=tuple(self.checks_done[check] for check in Check if check in self.checks_done),
            report=self.report,
            waivers=self.waivers,
            seal_refused=self.seal_refused,
            review=self.review,
            rejection_reasons=self.rejection_reasons,
            withdrawal_reason=self.withdrawal_reason,
            deletion=self.deletion,
            certificate=self.deletion.certificate if self.deletion else None,
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
            certificate=self.deletion.certificate if self.deletion else None,
        )

    def show(self) -> None:
        show_request(self.view())
