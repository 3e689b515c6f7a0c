"""How a request has its account deleted, and sees it through: by the child's result, or by the certificate."""

from contextlib import suppress

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
)

with workflow.unsafe.imports_passed_through():
    from activities.account import AccountActivities, FindCertificateInput
    from domain.deletion import DeletionStatus, DeletionView
    from domain.errors import ErrorType
    from domain.ids import deletion_task_queue, deletion_workflow_id
    from domain.messages import (
        CancellationInput,
        Follow,
        Resume,
        UnreadableInput,
    )
    from domain.model import VaultRef
    from domain.notifications import StaffDesk, Template
    from domain.phases import Phase
    from workflows.account_deletion import AccountDeletion

from workflows.account_cancellation.sealing import read_account
from workflows.account_cancellation.state import ContinuedCancellation
from workflows.account_cancellation.update_base import StepBase
from workflows.common.activity_options import LONGEST_BETWEEN_LOOKS, PATIENT, SEALING_ROUND
from workflows.common.failures import error_type
from workflows.common.search_attributes import CANCELLATION_PHASE
from workflows.common.waiting import happens

PAST_THE_POINT_OF_NO_RETURN = (Phase.DELETING, Phase.DELETION_STALLED)


class DeletionFollowing(StepBase):
    """The deletion of a request's account, whoever runs it."""

    def __init__(self, start: CancellationInput | ContinuedCancellation | UnreadableInput) -> None:
        super().__init__(start)
        self._told_to_look = False
        self._look_after = SEALING_ROUND
        self._resumes = 0

    async def _delete(self) -> Phase:
        """Have the account deleted, and see it through: nothing that happens meanwhile drops this.

        Its outcome is the child's own result or, where somebody else runs it, the certificate in the vault.
        """
        while (certificate := await self._certificate_of_deletion()) is None:
            pass
        self.state.certificate = certificate
        return Phase.CLOSED

    async def _certificate_of_deletion(self) -> VaultRef | None:
        state = self.state
        if state.deletion_input is None:
            await self._wait_for_dossier()
            return state.certificate
        resumes = self._resumes
        try:
            child = await workflow.start_child_workflow(
                AccountDeletion.run,
                state.deletion_input,
                id=deletion_workflow_id(state.account_id),
                task_queue=deletion_task_queue(workflow.info().task_queue),
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                # Also after one that completed: only a certificate proves that this account's deletion is done.
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                static_summary=f"Deletion of {state.account_id}",
                # Not upserted by the child: that would be an event, and a write in the index.
                search_attributes=TypedSearchAttributes([SearchAttributePair(CANCELLATION_PHASE, str(Phase.DELETING))]),
            )
            self._take_up_deletion()
            done = await child
        except WorkflowAlreadyStartedError:
            # Somebody else's run, of this deletion or of another one: it says "look" when it has something to say.
            workflow.logger.info("A deletion is running already", extra={"account_id": state.account_id})
            await self._follow()
        except ChildWorkflowError as error:
            cause = getattr(error.cause, "type", None) or type(error.cause).__name__
            self._park(str(cause))
        else:
            self._hear_of_deletion(done)
            return done.certificate if done.request_no == state.request_no else None
        while self._resumes == resumes:
            if certificate := await self._find_certificate():
                return certificate
            await self._until_told()
            if state.phase is Phase.DELETING:
                # Whoever ran it may have stopped: starting again does nothing twice.
                return await self._find_certificate()
        return None

    async def _follow(self) -> None:
        """Ask to be told of the end. A deletion that has ended by now has left its certificate."""
        deletion = workflow.get_external_workflow_handle(deletion_workflow_id(self.state.account_id))
        with suppress(ApplicationError):
            await deletion.signal(AccountDeletion.followed, Follow(request_no=self.state.request_no))

    async def _find_certificate(self) -> VaultRef | None:
        state = self.state
        assert state.deletion_input is not None
        try:
            found = await workflow.execute_activity_method(
                AccountActivities.find_certificate,
                FindCertificateInput(deletion=state.deletion_input),
                schedule_to_close_timeout=SEALING_ROUND,
                summary=f"Certificate of {state.request_no}",
                **PATIENT,
            )
        except ActivityError as error:
            if error_type(error) == ErrorType.VAULT_RECORD_FOREIGN:
                self._park(ErrorType.VAULT_RECORD_FOREIGN)
            return None
        return found.certificate

    async def _wait_for_dossier(self) -> None:
        """Closed for a request of ours, and the vault has no dossier: nothing may be destroyed without one."""
        state = self.state
        self._park(state.stalled or ErrorType.VAULT_RECORD_MISSING)
        while state.deletion_input is None:
            await self._until_told()
            with suppress(ActivityError):
                state.learn(await read_account(state, SEALING_ROUND))

    async def _until_told(self) -> None:
        """Until the deletion or ops say "look"; and now and then all the same, more and more rarely."""
        await happens(lambda: self._told_to_look, self._look_after, "Look for the certificate")
        self._told_to_look = False
        self._look_after = min(2 * self._look_after, LONGEST_BETWEEN_LOOKS)

    def _park(self, cause: str) -> None:
        """Ops have to put something right: they are told, each time."""
        state = self.state
        workflow.logger.error(
            "The deletion waits for ops: `starter.py deletion resume` takes it up again",
            extra={"account_id": state.account_id, "error_type": cause},
        )
        state.stalled = cause
        if state.phase is Phase.DELETING:
            state.move(Phase.DELETION_STALLED)
        state.show()
        self._messenger.send(
            Template.DELETION_STALLED,
            {"request_no": state.request_no, "phase": "-", "error_type": cause},
            desk=StaffDesk.OPERATIONS,
        )

    def _take_up_deletion(self) -> None:
        self.state.stalled = None
        if self.state.phase is Phase.DELETION_STALLED:
            self.state.move(Phase.DELETING)

    @workflow.signal(description="From the deletion: receipts, stalled phases, the end")
    def deletion_reported(self, report: DeletionView) -> None:
        """Where it stands, for those who look; and that it is worth while to look for the certificate."""
        self._told_to_look = True
        self._hear_of_deletion(report)

    def _hear_of_deletion(self, report: DeletionView) -> None:
        state = self.state
        if (report.account_id, report.request_no) != (state.account_id, state.request_no):
            return
        if state.phase not in PAST_THE_POINT_OF_NO_RETURN:
            return
        state.deletion = report.model_copy(update={"certificate": None})
        if report.status is DeletionStatus.STALLED and state.phase is Phase.DELETING:
            state.move(Phase.DELETION_STALLED)
        elif report.status in (DeletionStatus.RUNNING, DeletionStatus.STUCK) and state.deletion_input is not None:
            self._take_up_deletion()
        state.show()

    @workflow.signal(description="From ops: the cause is put right, take the deletion up again")
    def deletion_resumed(self, resume: Resume) -> None:
        workflow.logger.info("Deletion resumed", extra={"operator_id": resume.operator_id})
        self._resumes += 1
        self._told_to_look = True
