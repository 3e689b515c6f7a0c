"""AccountCancellation: one request, from the owner's first click to its outcome.

Each phase either waits for a person, whose step (`OwnerSteps`) or whose review report moves the request on, or does its
own work: opening, checking, sealing, deleting. The moves are in `domain/phases.py`; the picture is in the README.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import (
    ActivityError,
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from activities.account import AccountActivities, AccountRef
    from domain.accounts import RefusalReason, refusal_reason
    from domain.deletion import DeletionStatus, DeletionView
    from domain.ids import deletion_workflow_id
    from domain.messages import CancellationInput, CancellationResult, ReviewReport, WithdrawalReason
    from domain.model import Instant
    from domain.notifications import Notification, Template
    from domain.phases import Phase, Step
    from domain.tickets import ReviewStatus
    from workflows.account_deletion import AccountDeletion

from workflows.eligibility import run_checks
from workflows.failures import error_type
from workflows.forward_only import undisturbed
from workflows.notices import tell
from workflows.options import PATIENT
from workflows.owner_steps import OwnerSteps
from workflows.sealing import release_hold, seal

_TOLD_AT_THE_END = {
    Phase.WITHDRAWN: Template.CANCELLATION_WITHDRAWN,
    Phase.LAPSED: Template.CANCELLATION_LAPSED,
}

Turn = tuple[Phase, Instant]
"""A phase, and when the owner last did something in it: as long as both stay, the owner is idle."""


@workflow.defn
class AccountCancellation(OwnerSteps):
    """Fails only on a bug: refusals, withdrawals and rejections are results."""

    @workflow.init
    def __init__(self, request: CancellationInput) -> None:
        super().__init__(request)
        self._deletion_finished = False
        self._reminders: list[asyncio.Task[None]] = []

    @workflow.run
    async def run(self, request: CancellationInput) -> CancellationResult:
        return await undisturbed(self._run(), on_cancel_request=self._withdraw_or_refuse_cancel)

    async def _run(self) -> CancellationResult:
        self.state.show()
        while not self.state.is_over:
            await self._until_over(self._work_of(self.state.phase))
        await release_hold(self.state)
        await self._tell_owner_the_end()
        await asyncio.gather(*self._reminders)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.state.result()

    def _work_of(self, phase: Phase) -> Coroutine[Any, Any, None]:
        match phase:
            case Phase.OPENING:
                return self._open()
            case Phase.CHECKING:
                return self._check()
            case Phase.SEALING:
                return seal(self.state)
            case Phase.DELETING | Phase.DELETION_STALLED:
                return self._delete()
            case _:
                return self._wait_for_people(phase)

    async def _until_over(self, work: Coroutine[Any, Any, None]) -> None:
        """A withdrawal ends the request at once; what a phase was doing is dropped. After `close` nothing is."""
        task = asyncio.create_task(work)
        await workflow.wait_condition(lambda: task.done() or self.state.is_over)
        if self.state.is_over:
            task.cancel()
            with suppress(asyncio.CancelledError, ActivityError):
                await task
        else:
            task.result()

    # The phases that work

    async def _open(self) -> None:
        state = self.state
        try:
            found = await workflow.execute_activity_method(
                AccountActivities.read_account,
                AccountRef(account_id=state.account_id),
                summary=f"Read account {state.account_id}",
                **PATIENT,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.error(
                "The platform's answer about the account cannot be used: check its address and contract",
                extra={"account_id": state.account_id, "error_type": error_type(error)},
            )
            state.refusal = RefusalReason.ACCOUNT_UNREADABLE
            state.move(Phase.REFUSED)
            return
        state.still_in(Phase.OPENING)
        state.profile = found.profile
        if found.unfinished_deletion:
            state.deletion_input = found.unfinished_deletion
            state.move(Phase.DELETING)
        elif reason := refusal_reason(found.profile):
            state.refusal = reason
            state.move(Phase.REFUSED)
        else:
            state.move(Phase.AWAITING_IDENTITY)

    async def _check(self) -> None:
        self.state.report = report = await run_checks(self.state)
        clear = report.is_clear(self.state.waivers)
        self.state.move(Phase.AWAITING_CONFIRMATION if clear else Phase.BLOCKED)

    async def _delete(self) -> None:
        """Start the deletion and see it through. It goes on without this request, which does not end without it."""
        state = self.state
        assert state.deletion_input is not None
        try:
            await workflow.execute_child_workflow(
                AccountDeletion.run,
                state.deletion_input,
                id=deletion_workflow_id(state.account_id),
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                static_summary=f"Deletion of {state.account_id}",
            )
        except WorkflowAlreadyStartedError:
            workflow.logger.info("The deletion is running already", extra={"account_id": state.account_id})
        except ChildWorkflowError:
            workflow.logger.error(
                "The deletion was ended from outside: `starter.py deletion resume` picks it up",
                extra={"account_id": state.account_id},
            )
            if state.phase is Phase.DELETING:
                state.move(Phase.DELETION_STALLED)
        await workflow.wait_condition(lambda: self._deletion_finished)
        state.move(Phase.CLOSED)

    # The phases that wait

    async def _wait_for_people(self, phase: Phase) -> None:
        """Until the phase changes. An owner who has the turn is reminded, and in the end the request lapses."""
        policy = self.state.request.policy
        while self.state.phase is phase and self.state.due_step:
            turn = phase, self.state.owner_active_at
            lapses_at = self.state.owner_active_at + policy.owner_idle_limit
            if not await self._idle_until(lapses_at - policy.idle_reminder_before, turn, "Remind the owner"):
                continue
            await self._remind(lapses_at, turn)
            if await self._idle_until(lapses_at, turn, "Lapse"):
                self.state.move(Phase.LAPSED)
        await workflow.wait_condition(lambda: self.state.phase is not phase)

    def _is_idle(self, turn: Turn) -> bool:
        return turn == (self.state.phase, self.state.owner_active_at)

    async def _remind(self, lapses_at: Instant, turn: Turn) -> None:
        """A messaging service that is down must not hold up an owner who comes back."""
        reminder = asyncio.create_task(self._tell_owner(Template.CANCELLATION_LAPSING, lapses_at=lapses_at.isoformat()))
        self._reminders.append(reminder)
        await workflow.wait_condition(lambda: reminder.done() or not self._is_idle(turn))

    async def _idle_until(self, at: Instant, turn: Turn, summary: str) -> bool:
        """True when the owner did nothing until then."""
        if not self._is_idle(turn):
            return False
        try:
            await workflow.wait_condition(
                lambda: not self._is_idle(turn),
                timeout=max(at - workflow.now(), timedelta(0)),
                timeout_summary=summary,
            )
        except TimeoutError:
            return True
        return False

    # What the children and Temporal report

    @workflow.signal(description="From the ticket's review: its status, clock and decision")
    async def review_reported(self, report: ReviewReport) -> None:
        state = self.state
        if self._filing.locked():
            # A review may be quicker than the acknowledgement of its own start.
            await workflow.wait_condition(lambda: not self._filing.locked())
        if state.review is None or report.ticket.ticket_no != state.review.ticket.ticket_no:
            return
        state.review = report
        if state.phase is Phase.AWAITING_MATERIALS and report.status is ReviewStatus.APPROVED:
            # Approved so soon after the materials arrived that their arrival was not reported by itself.
            state.move(Phase.UNDER_REVIEW)
        match (state.phase, report.status):
            case (Phase.UNDER_REVIEW, ReviewStatus.AWAITING_MATERIALS):
                state.move(Phase.AWAITING_MATERIALS)
            case (Phase.AWAITING_MATERIALS, ReviewStatus.UNDER_REVIEW):
                state.move(Phase.UNDER_REVIEW)
            case (Phase.UNDER_REVIEW, ReviewStatus.APPROVED) if report.decision:
                state.approve(report, report.decision)
                state.move(Phase.SEALING)
            case (Phase.UNDER_REVIEW | Phase.AWAITING_MATERIALS, ReviewStatus.REJECTED) if report.decision:
                state.rejection_reasons = report.decision.decision.reason_codes
                state.move(Phase.REJECTED)
            case (Phase.UNDER_REVIEW | Phase.AWAITING_MATERIALS, ReviewStatus.CALLED_OFF):
                # By ops, and not by the end of this request: its owner has the turn again.
                state.move(Phase.BLOCKED if state.identity else Phase.AWAITING_IDENTITY)
            case _:
                state.show()

    @workflow.signal(description="From the deletion: receipts, stalled phases, the end")
    def deletion_reported(self, report: DeletionView) -> None:
        state = self.state
        state.deletion = report
        if report.status is DeletionStatus.STALLED and state.phase is Phase.DELETING:
            state.move(Phase.DELETION_STALLED)
        elif report.status is DeletionStatus.RUNNING and state.phase is Phase.DELETION_STALLED:
            state.move(Phase.DELETING)
        self._deletion_finished = report.status is DeletionStatus.FINISHED

    def _withdraw_or_refuse_cancel(self) -> None:
        """Temporal's own "cancel": a withdrawal by ops while that is possible, refused and counted when it is not."""
        if self.state.allows(Step.WITHDRAW):
            self.state.withdrawal_reason = WithdrawalReason.OPERATOR_CANCELLED
            self.state.move(Phase.WITHDRAWN)
        else:
            self.state.cancels_refused += 1
            self.state.show()

    # On the way out

    async def _tell_owner_the_end(self) -> None:
        if template := _TOLD_AT_THE_END.get(self.state.phase):
            await self._tell_owner(template)

    async def _tell_owner(self, template: Template, **params: str) -> None:
        state = self.state
        if not state.has_channel:
            return
        message = Notification(
            template=template,
            locale=state.request.locale,
            key=f"{state.request_no}-{template}-{workflow.uuid4().hex[:8]}",
            params={"request_no": state.request_no, **params},
            account_id=state.account_id,
        )
        await tell(message, state.request.policy)
