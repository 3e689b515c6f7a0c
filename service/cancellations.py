"""The steps of owners, and of the backend that passes them on."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pydantic import SecretStr
from temporalio.client import (
    WithStartWorkflowOperation,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateHandle,
    WorkflowUpdateStage,
)
from temporalio.common import (
    QueryRejectCondition,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.service import RPCError, RPCStatusCode

from domain.accounts import Channel
from domain.actors import Actor, Via
from domain.errors import ErrorType, Refusal
from domain.ids import cancellation_workflow_id, composed_id, new_number
from domain.locale import Locale
from domain.messages import (
    AcceptNotice,
    CancellationInput,
    CancellationView,
    CodeSent,
    Confirm,
    FileTicket,
    Open,
    Recheck,
    SendCode,
    SubmitIdentityProof,
    SupplyMaterials,
    Withdraw,
    WithdrawalReason,
)
from domain.model import Model
from domain.phases import OUTCOMES, Phase, Step
from domain.policy import Policy
from domain.standing import RunEnd
from domain.tickets import TicketRef
from gateways.contract import ChallengeShown
from service.base import ANSWER_LIMIT, ENDING_LIMIT, LOOK_LIMIT, ServiceBase, look
from service.errors import lacks_namespace, translate_errors
from service.news import news
from service.step_keys import update_id
from workflows.account_cancellation.workflow import AccountCancellation
from workflows.common.search_attributes import CANCELLATION_PHASE

_UPDATES: Final[dict[Step, Any]] = {
    Step.SEND_CODE: AccountCancellation.send_code,
    Step.SUBMIT_IDENTITY_PROOF: AccountCancellation.submit_identity_proof,
    Step.ACCEPT_NOTICE: AccountCancellation.accept_notice,
    Step.RECHECK: AccountCancellation.recheck,
    Step.CONFIRM: AccountCancellation.confirm,
    Step.FILE_TICKET: AccountCancellation.file_ticket,
    Step.SUPPLY_MATERIALS: AccountCancellation.supply_materials,
    Step.WITHDRAW: AccountCancellation.withdraw,
}
# `Any`: the SDK's types (1.35) lose the result of an update that is asynchronous and has a description.
_OPEN: Final[Any] = AccountCancellation.open
_RECHECK: Final[Any] = AccountCancellation.recheck

_RUN_ENDS: Final = {
    WorkflowExecutionStatus.TERMINATED: RunEnd.TERMINATED,
    WorkflowExecutionStatus.FAILED: RunEnd.FAILED,
    WorkflowExecutionStatus.CANCELED: RunEnd.CANCELED,
    WorkflowExecutionStatus.TIMED_OUT: RunEnd.TIMED_OUT,
}


class Cancellations(ServiceBase):
    """A request, from its start to its certificate."""

    async def start(
        self,
        account_id: str,
        requested_by: str,
        *,
        via: Via = Via.TEMPORAL,
        locale: Locale = Locale.ZH,
        policy: Policy | None = None,
        request_no: str | None = None,
    ) -> CancellationView:
        """Start a request, or find the running one: same account, same request number. Answers with its first phase.

        A closed account answers with the request that closed it.
        """
        request = CancellationInput(
            request_no=request_no or new_number("C", datetime.now(UTC)),
            account_id=account_id,
            requested_by=requested_by,
            requested_via=via,
            locale=locale,
            policy=policy or Policy(),
        )
        async with translate_errors(f"request of account {account_id}"):
            view, handle = await self._open(request)
            if view.phase in OUTCOMES and view.request_no != request.request_no and view.phase is not Phase.CLOSED:
                # An earlier one that is over, and about to end: it does not stand in the way of a new one.
                await handle.result(rpc_timeout=ENDING_LIMIT)
                view, _ = await self._open(request, attempt=2)
            return view

    async def _open(
        self, request: CancellationInput, attempt: int = 1
    ) -> tuple[CancellationView, WorkflowHandle[Any, Any]]:
        starting = WithStartWorkflowOperation(
            AccountCancellation.run,
            request,
            id=cancellation_workflow_id(request.account_id),
            task_queue=self._task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            static_summary=f"Cancellation of {request.account_id}",
            search_attributes=TypedSearchAttributes([SearchAttributePair(CANCELLATION_PHASE, Phase.OPENING)]),
        )
        try:
            view = await self._client.execute_update_with_start_workflow(
                _OPEN,
                Open(),
                start_workflow_operation=starting,
                # Under its own id each time: an earlier answer is kept, and would be given again without a start.
                id=composed_id("open", request.request_no, attempt),
                rpc_timeout=ANSWER_LIMIT,
            )
        except WorkflowUpdateFailedError as error:
            if getattr(error.cause, "type", None) != ErrorType.NOT_NOW:
                raise
            # It runs, and has been opened so often that its history is full.
            return await self.view(request.account_id), self._request(request.account_id)
        return view, await starting.workflow_handle()

    async def view(self, account_id: str) -> CancellationView:
        """The account's latest request. One that was ended from outside is seen to be: `run_ended`."""
        handle = self._request(account_id)
        async with translate_errors(f"request of account {account_id}"):
            try:
                return await look(handle, AccountCancellation.view, QueryRejectCondition.NOT_COMPLETED_CLEANLY)
            except WorkflowQueryRejectedError as rejected:
                run_ended = _RUN_ENDS.get(rejected.status or WorkflowExecutionStatus.FAILED, RunEnd.FAILED)
            try:
                last = await look(handle, AccountCancellation.view)
            except WorkflowQueryFailedError:
                # It never was a request: what it was started with could not be read.
                raise Refusal(ErrorType.NOT_FOUND, f"There is no request of account {account_id}.") from None
            ended = {"run_ended": run_ended, "due_step": None, "withdrawable": False, "lapses_at": None}
            return last.model_copy(update=ended)

    async def describe(self, account_id: str) -> WorkflowExecutionDescription:
        """What Temporal itself knows, without a worker. A longer history or another run may mean another view."""
        async with translate_errors(f"request of account {account_id}"):
            return await self._request(account_id).describe(rpc_timeout=LOOK_LIMIT)

    async def wait_while(self, account_id: str, phase: Phase, limit: timedelta = ANSWER_LIMIT) -> CancellationView:
        """The request once it has left a phase, or as it is when `limit` is over or it has ended."""
        view = await self.view(account_id)
        if view.phase is phase:
            async for _ in self.news(account_id, limit):
                view = await self.view(account_id)
                if view.phase is not phase:
                    break
        return view

    async def news(self, account_id: str, limit: timedelta) -> AsyncIterator[None]:
        """A step at once, and then whenever the view may be another one: see `service.news`."""
        async with translate_errors(f"request of account {account_id}"):
            async for _ in news(self._request(account_id), limit):
                yield

    async def send_code(
        self, account_id: str, channel: Channel, by: Actor, *, key: str | None = None
    ) -> CancellationView:
        return await self._step(account_id, Step.SEND_CODE, SendCode(channel=channel, by=by), key)

    async def show_challenge(self, challenge_id: str) -> ChallengeShown:
        async with translate_errors("identity code"):
            return await self._challenges.show_challenge(challenge_id)

    async def verify(self, account_id: str, code: str, by: Actor, *, key: str | None = None) -> CancellationView:
        """Answer the latest challenge at the platform, and have the workflow redeem the proof."""
        if taken := await self.taken(account_id, Step.SUBMIT_IDENTITY_PROOF, key):
            return taken
        challenge = challenge_of(await self.view(account_id))
        async with translate_errors(f"identity code of account {account_id}"):
            issued = await self._challenges.answer_challenge(challenge.challenge_id, SecretStr(code))
        proof = SubmitIdentityProof(challenge_id=challenge.challenge_id, proof=issued.proof, by=by)
        return await self._step(account_id, Step.SUBMIT_IDENTITY_PROOF, proof, key)

    async def accept_notice(
        self, account_id: str, version: str, sha256: str, by: Actor, *, key: str | None = None
    ) -> CancellationView:
        accepted = AcceptNotice(version=version, sha256=sha256, by=by)
        return await self._step(account_id, Step.ACCEPT_NOTICE, accepted, key)

    async def recheck(self, account_id: str, by: Actor, *, key: str | None = None) -> CancellationView:
        """Run the checks, or wait for those that run already; answers with the complete report."""
        return await self._step(account_id, Step.RECHECK, Recheck(by=by), key)

    async def begin_recheck(self, account_id: str, by: Actor, *, key: str | None = None) -> None:
        """As `recheck`, without waiting for the report: for whoever shows the checks as they finish."""
        async with translate_errors(f"request of account {account_id}"):
            await self._request(account_id).start_update(
                _RECHECK,
                Recheck(by=by),
                wait_for_stage=WorkflowUpdateStage.ACCEPTED,
                id=await self._update_id(account_id, Step.RECHECK, key) if key else None,
                rpc_timeout=ANSWER_LIMIT,
            )

    async def confirm(
        self, account_id: str, report_digest: str, by: Actor, *, key: str | None = None
    ) -> CancellationView:
        return await self._step(account_id, Step.CONFIRM, Confirm(report_digest=report_digest, by=by), key)

    async def withdraw(
        self, account_id: str, reason: WithdrawalReason, by: Actor, *, key: str | None = None
    ) -> CancellationView:
        return await self._step(account_id, Step.WITHDRAW, Withdraw(reason_code=reason, by=by), key)

    async def file_ticket(
        self, account_id: str, ticket: TicketRef, by: Actor, *, key: str | None = None
    ) -> CancellationView:
        return await self._step(account_id, Step.FILE_TICKET, FileTicket(ticket=ticket, by=by), key)

    async def supply_materials(
        self, account_id: str, ticket: TicketRef, by: Actor, *, key: str | None = None
    ) -> CancellationView:
        return await self._step(account_id, Step.SUPPLY_MATERIALS, SupplyMaterials(ticket=ticket, by=by), key)

    async def taken(self, account_id: str, step: Step, key: str | None) -> CancellationView | None:
        """The answer of this very step, when it was taken before: for whatever comes ahead of a step, and cannot be
        done twice. Raises `Refusal` when it was refused, and not just put off.
        """
        if key is None:
            return None
        async with translate_errors(f"request of account {account_id}"):
            update: WorkflowUpdateHandle[CancellationView] = self._request(account_id).get_update_handle(
                await self._update_id(account_id, step, key), result_type=CancellationView
            )
            try:
                return await update.result(rpc_timeout=ANSWER_LIMIT)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND and not lacks_namespace(error):
                    return None
                raise

    async def _step(self, account_id: str, step: Step, argument: Model, key: str | None) -> CancellationView:
        async with translate_errors(f"request of account {account_id}"):
            view: CancellationView = await self._request(account_id).execute_update(
                _UPDATES[step],
                argument,
                id=await self._update_id(account_id, step, key) if key else None,
                rpc_timeout=ANSWER_LIMIT,
            )
            return view

    async def _update_id(self, account_id: str, step: Step, key: str) -> str:
        return await update_id(self._client, self._request(account_id), step, key)


def challenge_of(view: CancellationView) -> CodeSent:
    """Raises `Refusal` (WRONG_PHASE) when no code was sent."""
    if view.challenge is None:
        raise Refusal(
            ErrorType.WRONG_PHASE,
            f"No code was sent for account {view.account_id}: send one first (send-code).",
            phase=view.phase,
            due_step=view.due_step,
        )
    return view.challenge
