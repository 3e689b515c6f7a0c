"""AccountDeletion: forward only. The only workflow that can destroy anything."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.deletion import (
        DeletionActivities,
        IssueCertificateInput,
        IssueCertificateResult,
        PhaseInput,
        PhaseResult,
        SendFinalNoticeInput,
        VerifyAuthorityResult,
    )
    from domain.deletion import (
        DELETION_STAGES,
        DeletionInput,
        DeletionPhase,
        DeletionStatus,
        DeletionView,
        Receipt,
        StalledPhase,
        StuckPhase,
        Verification,
    )
    from domain.errors import ErrorType
    from domain.ids import cancellation_workflow_id, deletion_workflow_id
    from domain.messages import UNREADABLE, Follow, Resume, UnreadableInput
    from domain.model import Instant, VaultRef
    from domain.notifications import StaffDesk, Template
    from domain.phases import Phase
    from domain.policy import Policy

from workflows.common.activity_options import BEST_EFFORT, DELETION_ROUND, FORWARD_ONLY, LONG_WORK
from workflows.common.cancellation import shield_from_cancellation
from workflows.common.child_signals import FromChildren
from workflows.common.failures import error_type, keep_trying
from workflows.common.messenger import Messenger
from workflows.common.search_attributes import CANCELLATION_PHASE, upsert_changed
from workflows.common.unreadable import unreadable

T = TypeVar("T")
Work = DeletionPhase | Verification

_PLATFORM_PHASES: dict[DeletionPhase, Callable[[DeletionActivities, PhaseInput], Awaitable[PhaseResult]]] = {
    DeletionPhase.REVOKE_CREDENTIALS: DeletionActivities.revoke_credentials,
    DeletionPhase.UNBIND_THIRD_PARTIES: DeletionActivities.unbind_third_parties,
    DeletionPhase.FORFEIT_ENTITLEMENTS: DeletionActivities.forfeit_entitlements,
    DeletionPhase.PURGE_RESOURCES: DeletionActivities.purge_resources,
    DeletionPhase.ERASE_PERSONAL_DATA: DeletionActivities.erase_personal_data,
}

_PHASE_OF = {
    DeletionStatus.RUNNING: Phase.DELETING,
    DeletionStatus.STUCK: Phase.DELETING,
    DeletionStatus.STALLED: Phase.DELETION_STALLED,
    DeletionStatus.FINISHED: Phase.CLOSED,
}


@workflow.defn
class AccountDeletion:
    """Verifies its authority, then runs `DELETION_STAGES` to the end, whatever happens.

    Fails, and has touched nothing, when its id or its input says something else than the dossier and the platform's
    closure: nothing that it does or certifies rests on the word of whoever started it. Started again under the same id
    after a terminate it goes through all stages once more; what was done before is answered as already gone.
    """

    @workflow.init
    def __init__(self, deletion: DeletionInput | UnreadableInput = UNREADABLE) -> None:
        self._unreadable: ApplicationError | None = None
        self._receipts: dict[DeletionPhase, Receipt] = {}
        self._failing_since: dict[Work, Instant] = {}
        self._stalled: dict[Work, StalledPhase] = {}
        self._stuck: dict[Work, StuckPhase] = {}
        self._certificate: VaultRef | None = None
        self._cancels_refused = 0
        # Started by hand: a request may be listening, and has nobody else to hear it from.
        self._is_followed = workflow.info().parent is None
        if isinstance(deletion, UnreadableInput):
            self._unreadable = unreadable(DeletionInput, deletion.given)
            return
        self._deletion = deletion
        self._messenger = Messenger(deletion.account_id, deletion.request_no, deletion.locale, Policy())

    @workflow.run
    async def run(self, deletion: DeletionInput | UnreadableInput = UNREADABLE) -> DeletionView:
        if self._unreadable:
            raise self._unreadable
        if workflow.info().workflow_id != deletion_workflow_id(self._deletion.account_id):
            raise self._not_authorised("its id and its input name two accounts")
        return await shield_from_cancellation(self._delete_everything(), self._refuse_cancel)

    async def _delete_everything(self) -> DeletionView:
        self._describe()
        verified = await self._bring(Verification.VERIFY_AUTHORITY, self._verify)
        if verified.closed_at is None:
            await self._messenger.give_up()
            raise self._not_authorised(str(verified.mismatch))
        self._closed_at = verified.closed_at
        if self._is_followed:
            await self._report()
        for stage in DELETION_STAGES:
            await asyncio.gather(*(self._finish(phase) for phase in stage))
            self._describe()
        await self._messenger.give_up()
        if self._is_followed:
            # The request that started it has its result.
            await self._report()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.view()

    def _not_authorised(self, why: str) -> ApplicationError:
        return ApplicationError(
            f"The deletion of {self._deletion.account_id} for request {self._deletion.request_no} is not authorised: "
            f"{why}. Nothing was touched.",
            {"mismatch": why},
            type=ErrorType.AUTHORITY_MISMATCH,
            non_retryable=True,
        )

    # One phase, brought to its end

    async def _finish(self, phase: DeletionPhase) -> None:
        while phase not in self._receipts:
            # Without a receipt the platform is still at it: that is no trouble.
            if receipt := await self._bring(phase, partial(self._attempt, phase)):
                self._receipts[phase] = receipt

    async def _bring(self, work: Work, attempt: Callable[[timedelta], Awaitable[T]]) -> T:
        """Go on until it is done. What only retries is shown as stuck; a permanent error waits for ops to resume it."""
        rounds = self._deletion.stuck_after, DELETION_ROUND
        while True:
            try:
                result = await keep_trying(attempt, rounds, partial(self._tell_stuck, work))
            except ActivityError as error:
                await self._stall(work, error)
            else:
                self._stuck.pop(work, None)
                self._failing_since.pop(work, None)
                return result

    async def _verify(self, limit: timedelta) -> VerifyAuthorityResult:
        return await workflow.execute_activity_method(
            DeletionActivities.verify_authority,
            PhaseInput(deletion=self._deletion, at=workflow.now()),
            activity_id=Verification.VERIFY_AUTHORITY,
            schedule_to_close_timeout=limit,
            summary=f"Authority to delete {self._deletion.account_id}",
            **FORWARD_ONLY,
        )

    async def _attempt(self, phase: DeletionPhase, limit: timedelta) -> Receipt | None:
        if phase is DeletionPhase.SEND_FINAL_NOTICE:
            return await self._send_final_notice()
        if phase is DeletionPhase.ISSUE_CERTIFICATE:
            return await self._issue_certificate(limit)
        done = await workflow.execute_activity_method(
            _PLATFORM_PHASES[phase],
            PhaseInput(deletion=self._deletion, at=workflow.now()),
            activity_id=phase,
            schedule_to_close_timeout=limit,
            summary=f"{phase} of {self._deletion.account_id}",
            **LONG_WORK,
        )
        return done.receipt

    async def _send_final_notice(self) -> Receipt:
        try:
            return await workflow.execute_activity_method(
                DeletionActivities.send_final_notice,
                SendFinalNoticeInput(deletion=self._deletion, closed_at=self._closed_at, at=workflow.now()),
                activity_id=DeletionPhase.SEND_FINAL_NOTICE,
                schedule_to_close_timeout=self._deletion.final_notice_limit,
                summary=f"Tell the owner of {self._deletion.account_id}, before contact data go",
                **BEST_EFFORT,
            )
        except ActivityError:
            # Given up and recorded: an unreachable phone must not keep personal data alive.
            workflow.logger.warning("The final notice was given up", extra={"request_no": self._deletion.request_no})
            return Receipt(phase=DeletionPhase.SEND_FINAL_NOTICE, given_up=True, completed_at=workflow.now())

    async def _issue_certificate(self, limit: timedelta) -> Receipt:
        issued: IssueCertificateResult = await workflow.execute_activity_method(
            DeletionActivities.issue_certificate,
            IssueCertificateInput(
                deletion=self._deletion,
                closed_at=self._closed_at,
                receipts=self._ordered_receipts(),
                at=workflow.now(),
            ),
            activity_id=DeletionPhase.ISSUE_CERTIFICATE,
            schedule_to_close_timeout=limit,
            summary=f"Certificate of {self._deletion.request_no}",
            **FORWARD_ONLY,
        )
        self._certificate = issued.certificate
        return issued.receipt

    # Trouble

    def _tell_stuck(self, work: Work, error: str, attempts: int, since: Instant) -> None:
        """Nothing but retries for the policy's `stuck_after`: ops are told, once, and it goes on trying."""
        earlier = self._stuck.get(work)
        since = self._failing_since.setdefault(work, since)
        self._stuck[work] = stuck = StuckPhase(
            phase=work,
            error_type=error,
            attempts=attempts + (earlier.attempts if earlier else 0),
            since=since,
        )
        if earlier is None:
            self._tell_ops(Template.DELETION_STUCK, work, error, attempts=str(stuck.attempts), since=since.isoformat())
        self._describe()

    async def _stall(self, work: Work, error: ActivityError) -> None:
        cause = error_type(error)
        since = self._failing_since.setdefault(work, workflow.now())
        self._stuck.pop(work, None)
        self._stalled[work] = StalledPhase(phase=work, error_type=cause, since=since)
        workflow.logger.error(
            "Deletion stalled: put the cause right, then `starter.py deletion resume`",
            extra={"account_id": self._deletion.account_id, "deletion_phase": work, "error_type": cause},
        )
        self._tell_ops(Template.DELETION_STALLED, work, cause)
        self._describe()
        await self._report()
        await workflow.wait_condition(lambda: work not in self._stalled)

    def _tell_ops(self, template: Template, work: Work, error: str, **params: str) -> None:
        facts = {"request_no": self._deletion.request_no, "phase": str(work), "error_type": error, **params}
        self._messenger.send(template, facts, desk=StaffDesk.OPERATIONS)

    @workflow.update(description="Ops: the cause is put right, try the stalled phases again")
    async def resume(self, request: Resume) -> DeletionView:
        if not self._stalled:
            raise ApplicationError(
                f"The deletion of {self._deletion.account_id} is not stalled; it goes on by itself.",
                type=ErrorType.NOT_STALLED,
            )
        workflow.logger.info("Deletion resumed", extra={"operator_id": request.operator_id})
        self._stalled.clear()
        self._describe()
        await self._report()
        return self.view()

    # What others see

    @workflow.signal(description="From a request that found this deletion running already")
    def followed(self, by: Follow) -> None:
        workflow.logger.info("A request listens", extra={"request_no": by.request_no})
        self._is_followed = True

    @workflow.query(description="Receipts so far, stuck and stalled phases, the certificate")
    def view(self) -> DeletionView:
        if self._unreadable:
            raise self._unreadable
        if self._certificate:
            status = DeletionStatus.FINISHED
        elif self._stalled:
            status = DeletionStatus.STALLED
        else:
            status = DeletionStatus.STUCK if self._stuck else DeletionStatus.RUNNING
        return DeletionView(
            account_id=self._deletion.account_id,
            request_no=self._deletion.request_no,
            status=status,
            receipts=self._ordered_receipts(),
            stalled=tuple(self._stalled.values()),
            stuck=tuple(self._stuck.values()),
            certificate=self._certificate,
            cancels_refused=self._cancels_refused,
        )

    def _ordered_receipts(self) -> tuple[Receipt, ...]:
        return tuple(self._receipts[phase] for phase in DeletionPhase if phase in self._receipts)

    def _refuse_cancel(self) -> None:
        self._cancels_refused += 1
        self._describe()

    async def _report(self) -> None:
        """Tell the request where the deletion stands. It may be gone (terminated); the deletion does not need it."""
        request = workflow.get_external_workflow_handle(cancellation_workflow_id(self._deletion.account_id))
        try:
            await request.signal(FromChildren.deletion_reported, self.view())
        except ApplicationError:
            workflow.logger.warning("No request is listening", extra={"account_id": self._deletion.account_id})

    def _describe(self) -> None:
        """Search attributes and current details: what ops read at 3 a.m."""
        view = self.view()
        upsert_changed([CANCELLATION_PHASE.value_set(_PHASE_OF[view.status])])
        lines = [f"**{view.status}** - request `{view.request_no}`, account `{view.account_id}`"]
        lines += [f"- done: {receipt.phase}" for receipt in view.receipts]
        lines += [
            f"- **stuck: {s.phase}** ({s.error_type}) since {s.since:%Y-%m-%d %H:%M} UTC, {s.attempts} attempts; "
            "it goes on trying: put the cause right"
            for s in view.stuck
        ]
        lines += [f"- **stalled: {s.phase}** ({s.error_type}) since {s.since:%Y-%m-%d %H:%M} UTC" for s in view.stalled]
        if view.stalled:
            lines.append(f"- next: put the cause right, then `starter.py deletion resume {view.account_id}`")
        if self._cancels_refused:
            lines.append(f"- cancel requests refused: {self._cancels_refused} (deletion cannot be undone)")
        workflow.set_current_details("\n".join(lines))
