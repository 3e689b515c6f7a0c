"""AccountDeletion: forward only. The only workflow that can destroy anything."""

import asyncio
from collections.abc import Awaitable, Callable

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.deletion import CertificateOrder, DeletionActivities, PhaseOrder
    from domain.deletion import (
        DELETION_STAGES,
        DeletionInput,
        DeletionPhase,
        DeletionStatus,
        DeletionView,
        Receipt,
        StalledPhase,
    )
    from domain.errors import ErrorType
    from domain.ids import cancellation_workflow_id
    from domain.messages import Resume
    from domain.model import VaultRef
    from domain.notifications import Notification, StaffDesk, Template
    from domain.phases import Phase
    from domain.policy import Policy

from workflows.failures import error_type
from workflows.forward_only import undisturbed
from workflows.notices import tell
from workflows.options import BEST_EFFORT, FORWARD_ONLY
from workflows.search_attributes import CANCELLATION_PHASE, upsert_changed

_PLATFORM_PHASES: dict[DeletionPhase, Callable[[DeletionActivities, PhaseOrder], Awaitable[Receipt]]] = {
    DeletionPhase.REVOKE_CREDENTIALS: DeletionActivities.revoke_credentials,
    DeletionPhase.UNBIND_THIRD_PARTIES: DeletionActivities.unbind_third_parties,
    DeletionPhase.FORFEIT_ENTITLEMENTS: DeletionActivities.forfeit_entitlements,
    DeletionPhase.PURGE_RESOURCES: DeletionActivities.purge_resources,
    DeletionPhase.ERASE_PERSONAL_DATA: DeletionActivities.erase_personal_data,
}

_PHASE_OF = {
    DeletionStatus.RUNNING: Phase.DELETING,
    DeletionStatus.STALLED: Phase.DELETION_STALLED,
    DeletionStatus.FINISHED: Phase.CLOSED,
}


@workflow.defn
class AccountDeletion:
    """Runs `DELETION_STAGES` to the end, whatever happens.

    Started again under the same id after a terminate it goes through all stages once more; what was done before is
    answered with the receipts of then.
    """

    @workflow.init
    def __init__(self, deletion: DeletionInput) -> None:
        self._deletion = deletion
        self._receipts: dict[DeletionPhase, Receipt] = {}
        self._stalled: dict[DeletionPhase, StalledPhase] = {}
        self._certificate: VaultRef | None = None
        self._cancels_refused = 0

    @workflow.run
    async def run(self, deletion: DeletionInput) -> DeletionView:
        return await undisturbed(self._delete_everything(), self._refuse_cancel)

    async def _delete_everything(self) -> DeletionView:
        self._describe()
        if workflow.info().parent is None:
            # Picked up by ops: a request may still be listening, and has nobody else to hear it from.
            await self._report()
        for stage in DELETION_STAGES:
            await asyncio.gather(*(self._finish(phase) for phase in stage))
            self._describe()
        await self._report()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.view()

    async def _finish(self, phase: DeletionPhase) -> None:
        """Bring one phase to its receipt. A permanent error parks it until ops resume; it is never skipped."""
        while phase not in self._receipts:
            try:
                self._receipts[phase] = await self._attempt(phase)
            except ActivityError as error:
                await self._stall(phase, error)

    async def _attempt(self, phase: DeletionPhase) -> Receipt:
        if phase is DeletionPhase.SEND_FINAL_NOTICE:
            return await self._send_final_notice()
        if phase is DeletionPhase.ISSUE_CERTIFICATE:
            return await self._issue_certificate()
        return await workflow.execute_activity_method(
            _PLATFORM_PHASES[phase],
            PhaseOrder(deletion=self._deletion, at=workflow.now()),
            activity_id=phase,
            summary=f"{phase} of {self._deletion.account_id}",
            **FORWARD_ONLY,
        )

    async def _send_final_notice(self) -> Receipt:
        try:
            return await workflow.execute_activity_method(
                DeletionActivities.send_final_notice,
                PhaseOrder(deletion=self._deletion, at=workflow.now()),
                activity_id=DeletionPhase.SEND_FINAL_NOTICE,
                schedule_to_close_timeout=self._deletion.final_notice_limit,
                summary=f"Tell the owner of {self._deletion.account_id}, before contact data go",
                **BEST_EFFORT,
            )
        except ActivityError:
            # Given up and recorded: an unreachable phone must not keep personal data alive.
            workflow.logger.warning("The final notice was given up", extra={"request_no": self._deletion.request_no})
            return Receipt(phase=DeletionPhase.SEND_FINAL_NOTICE, given_up=True, completed_at=workflow.now())

    async def _issue_certificate(self) -> Receipt:
        issued = await workflow.execute_activity_method(
            DeletionActivities.issue_certificate,
            CertificateOrder(deletion=self._deletion, receipts=self._ordered_receipts(), at=workflow.now()),
            activity_id=DeletionPhase.ISSUE_CERTIFICATE,
            summary=f"Certificate of {self._deletion.request_no}",
            **FORWARD_ONLY,
        )
        self._certificate = issued.certificate
        return issued.receipt

    async def _stall(self, phase: DeletionPhase, error: ActivityError) -> None:
        cause = error_type(error)
        self._stalled[phase] = StalledPhase(phase=phase, error_type=cause, since=workflow.now())
        workflow.logger.error(
            "Deletion stalled: put the cause right, then `starter.py deletion resume`",
            extra={"account_id": self._deletion.account_id, "deletion_phase": phase, "error_type": cause},
        )
        self._describe()
        await self._report()
        await tell(
            Notification(
                template=Template.DELETION_STALLED,
                locale=self._deletion.locale,
                key=f"{self._deletion.request_no}-stalled-{workflow.uuid4()}",
                params={"request_no": self._deletion.request_no, "phase": phase, "error_type": cause},
                desk=StaffDesk.OPERATIONS,
            ),
            Policy(),
        )
        await workflow.wait_condition(lambda: phase not in self._stalled)

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

    @workflow.query(description="Receipts so far, stalled phases, the certificate")
    def view(self) -> DeletionView:
        if self._certificate:
            status = DeletionStatus.FINISHED
        else:
            status = DeletionStatus.STALLED if self._stalled else DeletionStatus.RUNNING
        return DeletionView(
            account_id=self._deletion.account_id,
            request_no=self._deletion.request_no,
            status=status,
            receipts=self._ordered_receipts(),
            stalled=tuple(self._stalled.values()),
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
            await request.signal("deletion_reported", self.view())
        except ApplicationError:
            workflow.logger.warning("No request is listening", extra={"account_id": self._deletion.account_id})

    def _describe(self) -> None:
        """Search attributes and current details: what ops read at 3 a.m."""
        view = self.view()
        stalled = view.status is DeletionStatus.STALLED
        upsert_changed([CANCELLATION_PHASE.value_set(_PHASE_OF[view.status])])
        lines = [f"**{view.status}** - request `{view.request_no}`, account `{view.account_id}`"]
        lines += [f"- done: {receipt.phase}" for receipt in view.receipts]
        lines += [f"- **stalled: {s.phase}** ({s.error_type}) since {s.since:%Y-%m-%d %H:%M} UTC" for s in view.stalled]
        if stalled:
            lines.append(f"- next: put the cause right, then `starter.py deletion resume {view.account_id}`")
        if self._cancels_refused:
            lines.append(f"- cancel requests refused: {self._cancels_refused} (deletion cannot be undone)")
        workflow.set_current_details("\n".join(lines))
