"""A step under its caller's key: Temporal remembers the answer by the update's id, and gives it again.

"Not now" is no answer to keep: who comes again later under the same key is to have the step tried anew. So each try
after one that was put off has an id of its own, which follows from the key alone.
"""

from hashlib import sha256
from typing import Any, Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.update.v1 import UpdateRef
from temporalio.api.workflowservice.v1 import PollWorkflowExecutionUpdateRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import ErrorType
from domain.ids import composed_id
from domain.phases import Step
from service.base import LOOK_LIMIT
from service.errors import lacks_namespace

_PUT_OFF: Final = frozenset({ErrorType.NOT_NOW, ErrorType.RESEND_TOO_SOON, ErrorType.DAILY_CODE_LIMIT})
"""Refused for the moment only: time alone puts it right."""


async def update_id(client: Client, request: WorkflowHandle[Any, Any], step: Step, key: str) -> str:
    """Under which a step is taken now: that of its answer, of a try under way, or of the next try."""
    # Hashed: a caller may put anything into a key, and Temporal shows an update's id to everybody.
    digest = sha256(key.encode()).hexdigest()[:32]
    number = 1
    while await _was_put_off(client, request, name := composed_id(step, digest, number)):
        number += 1
    return name


async def _was_put_off(client: Client, request: WorkflowHandle[Any, Any], name: str) -> bool:
    """Whether there was a try under this id, and what it came to is to be forgotten. Waits for nothing."""
    execution = WorkflowExecution(workflow_id=request.id)
    poll = PollWorkflowExecutionUpdateRequest(
        namespace=client.namespace, update_ref=UpdateRef(workflow_execution=execution, update_id=name)
    )
    try:
        found = await client.workflow_service.poll_workflow_execution_update(poll, retry=True, timeout=LOOK_LIMIT)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND and not lacks_namespace(error):
            return False
        raise
    return found.outcome.failure.application_failure_info.type in _PUT_OFF
