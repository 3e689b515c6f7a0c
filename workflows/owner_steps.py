"""The owner's eight steps as updates, each with its validator, and the query that shows where the request stands.

A validator refuses without a trace in history and is not run again on replay, so that it may compare with what is
current in this very process (the notice). A handler checks again after every wait: others may have moved the request.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from activities.account import AccountActivities, ChallengeOrder, ProofOrder
    from activities.tickets import TicketActivities, TicketFacts, TicketOrder
    from domain.checks import EligibilityReport
    from domain.deletion import Confirmation, NoticeAcceptance
    from domain.errors import ErrorType
    from domain.ids import review_workflow_id
    from domain.messages import (
        AcceptNotice,
        CancellationInput,
        CancellationView,
        Confirm,
        FileTicket,
        MaterialsSupplied,
        Recheck,
        ReviewInput,
        ReviewReport,
        SendCode,
        SubmitIdentityProof,
        SupplyMaterials,
        Withdraw,
    )
    from domain.notices import CURRENT_NOTICE, is_current
    from domain.phases import Phase, Step
    from domain.tickets import ReviewCase, ReviewStatus, TicketRef
    from workflows.ticket_review import TicketReview

from workflows.cancellation_state import CancellationState
from workflows.eligibility import run_checks
from workflows.options import ANSWER_OWNER

T = TypeVar("T")


class OwnerSteps:
    """Base of `AccountCancellation`: what the owner can do."""

    def __init__(self, request: CancellationInput) -> None:
        self.state = CancellationState(request, started_at=workflow.now())
        self._filing = asyncio.Lock()

    @workflow.query(description="The whole request at a glance")
    def view(self) -> CancellationView:
        return self.state.view()

    @workflow.update(description="Send an identity code to a verified phone or e-mail")
    async def send_code(self, step: SendCode) -> CancellationView:
        await self._begin(Step.SEND_CODE)
        self._require_channel(step)
        self.state.challenge = await _answer(
            workflow.execute_activity_method(
                AccountActivities.send_identity_code,
                ChallengeOrder(account_id=self.state.account_id, channel=step.channel),
                summary=f"Send a code by {step.channel}",
                **ANSWER_OWNER,
            )
        )
        return self.state.view()

    @send_code.validator
    def _validate_send_code(self, step: SendCode) -> None:
        self._admit(Step.SEND_CODE)
        if self.state.phase is not Phase.OPENING:
            self._require_channel(step)

    def _require_channel(self, step: SendCode) -> None:
        profile = self.state.profile
        assert profile is not None
        if not profile.channels:
            raise ApplicationError(
                "No phone or e-mail is verified for this account: file a ticket instead (file_ticket).",
                {"due_step": Step.FILE_TICKET},
                type=ErrorType.NO_VERIFIED_CHANNEL,
            )
        if step.channel not in profile.channels:
            raise ApplicationError(
                f"{step.channel} is not verified for this account; choose one of {', '.join(profile.channels)}.",
                {"channels": profile.channels},
                type=ErrorType.CHANNEL_NOT_VERIFIED,
            )

    @workflow.update(description="Redeem the single-use proof that the platform gave for the right code")
    async def submit_identity_proof(self, step: SubmitIdentityProof) -> CancellationView:
        await self._begin(Step.SUBMIT_IDENTITY_PROOF)
        identity = await _answer(
            workflow.execute_activity_method(
                AccountActivities.redeem_identity_proof,
                ProofOrder(account_id=self.state.account_id, challenge_id=step.challenge_id, proof=step.proof),
                summary="Redeem the identity proof",
                **ANSWER_OWNER,
            )
        )
        self.state.require(Step.SUBMIT_IDENTITY_PROOF)
        self.state.identity = identity
        self.state.move(Phase.AWAITING_NOTICE)
        return self.state.view()

    @submit_identity_proof.validator
    def _validate_submit_identity_proof(self, step: SubmitIdentityProof) -> None:
        self._admit(Step.SUBMIT_IDENTITY_PROOF)

    @workflow.update(description="Accept the cancellation notice, by version and SHA-256")
    async def accept_notice(self, step: AcceptNotice) -> CancellationView:
        self.state.require(Step.ACCEPT_NOTICE)
        self.state.notice = NoticeAcceptance(version=step.version, sha256=step.sha256, accepted_at=workflow.now())
        self.state.move(Phase.CHECKING)
        return self.state.view()

    @accept_notice.validator
    def _validate_accept_notice(self, step: AcceptNotice) -> None:
        self.state.require(Step.ACCEPT_NOTICE)
        if not is_current(step.version, step.sha256):
            current = CURRENT_NOTICE[self.state.request.locale]
            raise ApplicationError(
                f"The notice in force is version {current.version}; read and accept that one.",
                {"version": current.version, "sha256": current.sha256},
                type=ErrorType.STALE_NOTICE,
            )

    @workflow.update(description="Run the five checks again; answers when all are done")
    async def recheck(self, step: Recheck) -> CancellationView:
        self.state.require(Step.RECHECK)
        if self.state.phase is not Phase.CHECKING:
            self.state.move(Phase.CHECKING)
        await workflow.wait_condition(lambda: self.state.phase is not Phase.CHECKING)
        return self.state.view()

    @recheck.validator
    def _validate_recheck(self, step: Recheck) -> None:
        self.state.require(Step.RECHECK)

    @workflow.update(description="Confirm the latest report: the owner's last word")
    async def confirm(self, step: Confirm) -> CancellationView:
        self._require_latest_report(step)
        self.state.confirmation = Confirmation(report_digest=step.report_digest, confirmed_at=workflow.now())
        self.state.move(Phase.SEALING)
        return self.state.view()

    @confirm.validator
    def _require_latest_report(self, step: Confirm) -> None:
        self.state.require(Step.CONFIRM)
        report = self.state.report
        assert report is not None
        if step.report_digest != report.digest:
            raise ApplicationError(
                "This is not the latest report; read the current one and confirm that.",
                {"report_digest": report.digest, "report_number": report.number},
                type=ErrorType.STALE_REPORT,
            )

    @workflow.update(description="File a manual request; the form is in the vault already")
    async def file_ticket(self, step: FileTicket) -> CancellationView:
        # One filing at a time: two could both find the phase right and start two reviews.
        async with self._filing:
            await self._begin(Step.FILE_TICKET)
            facts = await self._read_ticket(step.ticket, revises=None)
            report = await run_checks(self.state)
            self.state.require(Step.FILE_TICKET)
            self.state.report = report
            self._refuse_unless_waivable(report)
            await self._start_review(facts, report)
        return self.state.view()

    @file_ticket.validator
    def _validate_file_ticket(self, step: FileTicket) -> None:
        self._admit(Step.FILE_TICKET)

    def _refuse_unless_waivable(self, report: EligibilityReport) -> None:
        """A ticket can waive balance and filings; everything else is put right first (design, "The ticket")."""
        first = report.must_be_fixed_first()
        if first:
            self.state.show()
            raise ApplicationError(
                f"A ticket cannot waive {', '.join(o.check for o in first)}: put that right first, then file again.",
                {"fix_first": [o.check for o in first], "reasons": [o.reason for o in first]},
                type=ErrorType.TICKET_NOT_ALLOWED,
            )
        if self.state.identity is not None and not report.reasons_left():
            self.state.show()
            raise ApplicationError(
                "Nothing blocks this account any more: re-check and confirm instead of filing a ticket.",
                {"due_step": Step.RECHECK},
                type=ErrorType.TICKET_NOT_ALLOWED,
            )

    async def _start_review(self, facts: TicketFacts, report: EligibilityReport) -> None:
        state = self.state
        assert state.real_name_type is not None
        case = ReviewCase(
            request_no=state.request_no,
            account_id=state.account_id,
            ticket=facts.ticket,
            real_name_type=state.real_name_type,
            report=report,
            identity_verified=state.identity is not None,
            applicants=(state.account_id, state.request.requested_by),
        )
        try:
            review = await workflow.start_child_workflow(
                TicketReview.run,
                ReviewInput(case=case, locale=state.request.locale, policy=state.request.policy),
                id=review_workflow_id(facts.ticket.ticket_no),
                # A request that ends, however it ends, calls its open review off.
                parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
                # A ticket is decided once, also after its review has ended.
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                static_summary=f"Ticket {facts.ticket.ticket_no} of {state.account_id}",
            )
        except (WorkflowAlreadyStartedError, ChildWorkflowError):
            raise ApplicationError(
                f"Ticket {facts.ticket.ticket_no} has been filed before; file a new one.",
                type=ErrorType.TICKET_NOT_ALLOWED,
            ) from None
        if not state.allows(Step.FILE_TICKET):
            review.cancel()
            state.require(Step.FILE_TICKET)
        # A re-check may have come in between; what is waived is what the reviewer sees.
        state.report = report
        state.acceptance_in_ticket = facts.acceptance
        state.review = ReviewReport(ticket=facts.ticket, status=ReviewStatus.UNDER_REVIEW)
        state.move(Phase.UNDER_REVIEW)

    @workflow.update(description="Supply what the reviewer asked for: the next revision of the ticket")
    async def supply_materials(self, step: SupplyMaterials) -> CancellationView:
        await self._begin(Step.SUPPLY_MATERIALS)
        review = self.state.review
        assert review is not None
        facts = await self._read_ticket(step.ticket, revises=review.ticket)
        self.state.require(Step.SUPPLY_MATERIALS)
        self.state.acceptance_in_ticket = facts.acceptance
        handle = workflow.get_external_workflow_handle(review_workflow_id(step.ticket.ticket_no))
        await handle.signal(TicketReview.materials_supplied, MaterialsSupplied(ticket=step.ticket))
        await workflow.wait_condition(lambda: self._has_arrived(step.ticket))
        return self.state.view()

    def _has_arrived(self, ticket: TicketRef) -> bool:
        """The review has reported this revision, or has ended. It may be waiting for the next one by then."""
        reported = self.state.review and self.state.review.ticket == ticket
        return bool(reported) or self.state.phase is not Phase.AWAITING_MATERIALS

    @supply_materials.validator
    def _validate_supply_materials(self, step: SupplyMaterials) -> None:
        self.state.require(Step.SUPPLY_MATERIALS)

    @workflow.update(description="Withdraw the request, at any time before the point of no return")
    async def withdraw(self, step: Withdraw) -> CancellationView:
        self.state.require(Step.WITHDRAW)
        self.state.withdrawal_reason = step.reason_code
        self.state.move(Phase.WITHDRAWN)
        return self.state.view()

    @withdraw.validator
    def _validate_withdraw(self, step: Withdraw) -> None:
        self.state.require(Step.WITHDRAW)

    # Shared by the steps

    def _admit(self, step: Step) -> None:
        """While the account is still being read a step is let in, and waits: nobody is refused for being quick."""
        if self.state.phase is not Phase.OPENING:
            self.state.require(step)

    async def _begin(self, step: Step) -> None:
        await workflow.wait_condition(lambda: self.state.phase is not Phase.OPENING)
        self.state.require(step)
        self.state.owner_active_at = workflow.now()

    async def _read_ticket(self, ticket: TicketRef, revises: TicketRef | None) -> TicketFacts:
        state = self.state
        assert state.real_name_type is not None
        facts = await _answer(
            workflow.execute_activity_method(
                TicketActivities.read_ticket,
                TicketOrder(
                    account_id=state.account_id,
                    real_name_type=state.real_name_type,
                    ticket=ticket,
                    revises=revises,
                    at=workflow.now(),
                ),
                summary=f"Read ticket {ticket.ticket_no} revision {ticket.revision}",
                **ANSWER_OWNER,
            )
        )
        if facts.missing:
            raise ApplicationError(
                f"The ticket lacks {', '.join(facts.missing)}; complete it and file it again.",
                {"missing": facts.missing},
                type=ErrorType.TICKET_INCOMPLETE,
            )
        return facts


async def _answer(call: Awaitable[T]) -> T:
    """Hand an activity's domain error to the caller of the update as it is: same type, message and details."""
    try:
        return await call
    except ActivityError as error:
        if isinstance(cause := error.cause, ApplicationError):
            raise ApplicationError(cause.message, *cause.details, type=cause.type) from None
        raise ApplicationError(
            "The other side did not answer in time; nothing was changed, try again.", type=ErrorType.UNREACHABLE
        ) from None
