"""The work of operations: deletions that need somebody."""

from typing import Any, Final

from temporalio.client import WorkflowExecutionStatus, WorkflowQueryRejectedError
from temporalio.common import QueryRejectCondition

from activities.account import closure_of
from domain.deletion import DeletionStatus, DeletionView
from domain.errors import ErrorType, Refusal
from domain.ids import cancellation_workflow_id, deletion_workflow_id
from domain.messages import (
    Resume,
)
from domain.phases import Phase
from domain.policy import Policy
from service.base import ANSWER_LIMIT, BEGINNING_LIMIT, described, look
from service.cancellations import Cancellations
from service.errors import Unreachable, translate_errors
from service.news import news
from workflows.account_cancellation.workflow import AccountCancellation
from workflows.account_deletion import AccountDeletion
from workflows.common.search_attributes import CANCELLATION_PHASE

# `Any`: as in `cancellations.py`.
_RESUME: Final[Any] = AccountDeletion.resume


class Deletions(Cancellations):
    """Deletions, looked at and taken up again."""

    async def deletion(self, account_id: str) -> DeletionView:
        """The account's deletion. One that was ended from outside waits for operations, whatever it says itself."""
        handle = self._deletion(account_id)
        async with translate_errors(f"deletion of account {account_id}"):
            await self._begun(account_id)
            try:
                return await look(handle, AccountDeletion.view, QueryRejectCondition.NOT_COMPLETED_CLEANLY)
            except WorkflowQueryRejectedError:
                ended = await look(handle, AccountDeletion.view)
            if ended.account_id != account_id:
                # Not authorised, and it has touched nothing: there is no deletion of this account.
                raise Refusal(ErrorType.NOT_FOUND, f"There is no deletion of account {account_id}.")
            return ended.model_copy(update={"status": DeletionStatus.STALLED})

    async def resume_deletion(self, account_id: str, operator_id: str) -> DeletionView:
        """Wake a stalled deletion, or have its request start one again that was terminated. Nothing is done twice.

        Raises `Refusal`: `NotStalled` while it goes on by itself, `AlreadyOver` when nothing is left to delete,
        `AuthorityMismatch` when what runs under the account's id is not its deletion.
        """
        resume = Resume(operator_id=operator_id)
        async with translate_errors(f"deletion of account {account_id}"):
            policy = Policy()
            profile = await self._platform.profile(account_id)
            closed = await closure_of(self.vault, profile, policy.final_notice_limit, policy.stuck_after)
            if closed is None or closed.certificate:
                raise Refusal(
                    ErrorType.ALREADY_OVER,
                    f"Account {account_id} has no unfinished deletion: it is open, or its certificate is issued.",
                )
            handle = self._deletion(account_id)
            if await self._begun(account_id) is WorkflowExecutionStatus.RUNNING:
                running = await look(handle, AccountDeletion.view)
                if (running.account_id, running.request_no) != (account_id, closed.request_no):
                    raise Refusal(
                        ErrorType.AUTHORITY_MISMATCH,
                        f"What runs as the deletion of {account_id} is of account {running.account_id}, request "
                        f"{running.request_no}. Terminate it, then resume; it has touched nothing.",
                    )
                resumed: DeletionView = await handle.execute_update(_RESUME, resume, rpc_timeout=ANSWER_LIMIT)
                return resumed
            await self._wake_request(account_id, resume)
            if closed.deletion is None:
                raise Refusal(
                    ErrorType.VAULT_RECORD_MISSING,
                    f"Account {account_id} is closed for request {closed.request_no}, and its dossier is not in the "
                    "vault. Restore the vault, then resume: nothing is deleted without it.",
                )
            if not await self._begins(account_id):
                raise Unreachable(f"The deletion of {account_id} has not begun yet; look again in a moment.")
            return await look(handle, AccountDeletion.view)

    async def stalled_deletions(self) -> list[str]:
        """The accounts of which the request, or the deletion without one, waits for operations."""
        waiting = f"{CANCELLATION_PHASE.name} = '{Phase.DELETION_STALLED}' AND ExecutionStatus = 'Running'"
        prefixes = (cancellation_workflow_id(""), deletion_workflow_id(""))
        async with translate_errors("stalled deletions"):
            found = [one.id async for one in self._client.list_workflows(waiting)]
        accounts = [id.removeprefix(prefix) for id in found for prefix in prefixes if id.startswith(prefix)]
        return list(dict.fromkeys(accounts))

    async def _wake_request(self, account_id: str, resume: Resume) -> None:
        """Deletions are started by their requests: by the one that waits, or by a new one, which finds the closure."""
        found = await described(self._request(account_id))
        if found and found.status is WorkflowExecutionStatus.RUNNING:
            await self._request(account_id).signal(
                AccountCancellation.deletion_resumed, resume, rpc_timeout=ANSWER_LIMIT
            )
        else:
            await self.start(account_id, resume.operator_id)

    async def _begins(self, account_id: str) -> bool:
        """Whether the request, which was woken or started, has begun the deletion anew."""
        async for _ in news(self._request(account_id), BEGINNING_LIMIT):
            status = await self._status_of_deletion(account_id)
            if status in (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED):
                return True
        return False

    async def _begun(self, account_id: str) -> WorkflowExecutionStatus | None:
        """The deletion's status, or None. A request is in phase DELETING a moment before its deletion exists."""
        status = await self._status_of_deletion(account_id)
        if status is None and await self._is_deleting(account_id):
            async for _ in news(self._request(account_id), BEGINNING_LIMIT):
                status = await self._status_of_deletion(account_id)
                if status is not None or not await self._is_deleting(account_id):
                    break
        return status

    async def _status_of_deletion(self, account_id: str) -> WorkflowExecutionStatus | None:
        found = await described(self._deletion(account_id))
        return found.status if found else None

    async def _is_deleting(self, account_id: str) -> bool:
        found = await described(self._request(account_id))
        return (
            found is not None
            and found.status is WorkflowExecutionStatus.RUNNING
            and found.typed_search_attributes.get(CANCELLATION_PHASE) == Phase.DELETING
        )
