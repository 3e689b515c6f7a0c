"""What the services for owners, staff and operations share: handles of the workflows, and limits of patience."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowHandle,
    WorkflowQueryFailedError,
)
from temporalio.common import QueryRejectCondition
from temporalio.service import RPCError, RPCStatusCode

from domain.deletion import DeletionView
from domain.ids import cancellation_workflow_id, deletion_workflow_id, review_workflow_id
from domain.messages import (
    CancellationResult,
    ReviewResult,
)
from gateways.platform import ChallengePlatform
from gateways.ports import Platform, Vault
from runtime.workflow_runner import OVERTAKEN_BY_NEWS
from service.errors import is_unanswered, lacks_namespace
from workflows.account_cancellation.workflow import AccountCancellation
from workflows.account_deletion import AccountDeletion
from workflows.ticket_review import TicketReview

T = TypeVar("T")

ANSWER_LIMIT = timedelta(seconds=40)
"""How long a step may take before it is called unreachable: longer than a re-check with dead upstreams."""

LOOK_LIMIT = timedelta(seconds=20)
"""How long a look at a workflow may take. For 10 s after a worker has crashed Temporal goes on asking that one."""

_SHARES = (2 / 3, 1 / 3)
"""Of that: how long an answer is waited for, and once more. The first share outlasts the 10 s after a crash."""

ENDING_LIMIT = timedelta(seconds=45)
"""How long a request that is over may take to end: it gives back its hold, and leaves its last message."""

_LOOKS = 5
"""How often a workflow is asked again about which there are always news."""

BEGINNING_LIMIT = timedelta(seconds=10)
"""How long a deletion may take to exist once its request is in phase DELETING: usually some milliseconds."""


class ServiceBase:
    """One client, one task queue, the platform and the vault."""

    def __init__(
        self, client: Client, task_queue: str, platform: Platform, challenges: ChallengePlatform, vault: Vault
    ) -> None:
        self._client = client
        self._task_queue = task_queue
        self._platform = platform
        self._challenges = challenges
        self.vault = vault

    def _request(self, account_id: str) -> WorkflowHandle[AccountCancellation, CancellationResult]:
        return self._client.get_workflow_handle_for(AccountCancellation.run, cancellation_workflow_id(account_id))

    def _review(self, ticket_no: str) -> WorkflowHandle[TicketReview, ReviewResult]:
        return self._client.get_workflow_handle_for(TicketReview.run, review_workflow_id(ticket_no))

    def _deletion(self, account_id: str) -> WorkflowHandle[AccountDeletion, DeletionView]:
        return self._client.get_workflow_handle_for(AccountDeletion.run, deletion_workflow_id(account_id))


async def look(
    handle: WorkflowHandle[Any, Any], query: Callable[[Any], T], reject_condition: QueryRejectCondition | None = None
) -> T:
    """What a workflow shows. News that come in between are waited for: the worker takes them in first.

    A worker that forgets a workflow drops the questions that wait for their turn with it, and nobody answers these.
    So one that is not answered is put once more, within `LOOK_LIMIT` in all.
    """
    overtaken = unanswered = 0
    while True:
        limit = LOOK_LIMIT * _SHARES[unanswered]
        try:
            return await handle.query(query, reject_condition=reject_condition, rpc_timeout=limit)
        except WorkflowQueryFailedError as error:
            overtaken += 1
            if OVERTAKEN_BY_NEWS not in str(error) or overtaken == _LOOKS:
                raise
        except RPCError as error:
            unanswered += 1
            if not is_unanswered(error) or unanswered == len(_SHARES):
                raise


async def described(handle: WorkflowHandle[Any, Any]) -> WorkflowExecutionDescription | None:
    try:
        return await handle.describe(rpc_timeout=LOOK_LIMIT)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND and not lacks_namespace(error):
            return None
        raise
