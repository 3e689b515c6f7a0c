"""Many things in one workflow task: workflows are stopped, all that shall meet happens, and workflows run again.

Activities run all the while, and the answer of one of them can be held up: it comes when the test lets it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar
from uuid import uuid4

from temporalio import activity
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.update.v1 import UpdateRef, WaitPolicy
from temporalio.api.workflowservice.v1 import PollWorkflowExecutionUpdateRequest
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor, Worker

from activities import all_activities
from activities.failures import GatewayFailures
from domain.ids import deletion_task_queue
from domain.model import Model
from runtime.plain_errors import plain_errors
from sandbox.kinds import Endpoint, FaultKind
from tests.service import Service, eventually
from tests.workflows.tickets import fault, is_retrying
from worker import WORKFLOW_RUNNER
from workflows import WORKFLOWS
from workflows.malformed_messages import KeepMalformedMessagesOut

T = TypeVar("T")

Advance = Callable[[Service, str], Awaitable[object]]
"""A step, or several, of an account's owner."""

LIMIT = 40
"""Seconds within which whatever a test waits for has happened, on a busy machine, too."""


# Workers


@asynccontextmanager
async def activities_only(service: Service, *interceptors: Interceptor) -> AsyncIterator[None]:
    """Activities are answered, and the answers wait for a worker that runs workflows."""
    activities = all_activities(service.platform, service.vault, service.calendar)
    queues = service.task_queue, deletion_task_queue(service.task_queue)
    first, second = (
        Worker(service.client, task_queue=queue, activities=activities, interceptors=[GatewayFailures(), *interceptors])
        for queue in queues
    )
    async with first, second:
        yield


@asynccontextmanager
async def workflows_only(service: Service, *interceptors: Interceptor) -> AsyncIterator[None]:
    """Workflows run, and what they ask for waits for a worker that runs activities."""
    first, second = (
        Worker(
            service.client,
            task_queue=queue,
            workflows=list(WORKFLOWS),
            interceptors=[KeepMalformedMessagesOut(), *interceptors],
            workflow_runner=WORKFLOW_RUNNER,
            # Tasks that wait for this very worker when it stops: by default another one gets them after ten seconds.
            sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
        )
        for queue in (service.task_queue, deletion_task_queue(service.task_queue))
    )
    async with first, second:
        yield


# Answers


@dataclass
class HeldAnswer:
    """Of the `number`-th activity of one type, in one type of workflow, of one request."""

    request_id: str
    workflow_type: str
    activity_type: str
    number: int
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    workflow_id: str = ""
    activity_id: str = ""
    _seen: list[object] = field(default_factory=list)

    def is_that(self, info: activity.Info) -> bool:
        if (info.workflow_type, info.activity_type) != (self.workflow_type, self.activity_type):
            return False
        # A deletion uses an id again; another attempt at the same thing was scheduled when the first one was.
        scheduled = info.activity_id, info.scheduled_time
        if scheduled not in self._seen:
            self._seen.append(scheduled)
        return self._seen.index(scheduled) == self.number - 1

    async def hold_up(self, info: activity.Info) -> None:
        self.workflow_id, self.activity_id = info.workflow_id or "", info.activity_id
        self.arrived.set()
        await self.released.wait()


class HeldAnswers(Interceptor):
    """Holds up answers of activities whose work is done."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._held: dict[str, HeldAnswer] = {}
        self._requests: dict[str, str | None] = {}

    def hold(self, request_id: str, workflow_type: str, activity_type: str, number: int) -> HeldAnswer:
        self._held[request_id] = held = HeldAnswer(request_id, workflow_type, activity_type, number)
        return held

    async def find(self, info: activity.Info) -> HeldAnswer | None:
        held = self._held.get(await self._request_of(info.workflow_id or "") or "")
        return held if held and held.is_that(info) else None

    async def _request_of(self, workflow_id: str) -> str | None:
        """The id of the request that a workflow belongs to."""
        if workflow_id not in self._requests:
            described = await self._service.client.get_workflow_handle(workflow_id).describe()
            self._requests[workflow_id] = described.root_id
        return self._requests[workflow_id]

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _HoldUp(next, self)


class _HoldUp(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, answers: HeldAnswers) -> None:
        super().__init__(next)
        self._answers = answers

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        held = await self._answers.find(activity.info())
        result = await super().execute_activity(input)
        if held:
            await held.hold_up(activity.info())
        return result


async def until_answered(handle: WorkflowHandle[Any, Any], held: HeldAnswer) -> None:
    """Let the answer go, until the server has it for the workflow's next task."""
    held.released.set()

    async def is_pending() -> bool:
        pending = (await handle.describe()).raw_description.pending_activities
        return any(one.activity_id == held.activity_id for one in pending)

    await eventually(is_pending, lambda pending: not pending, LIMIT)


async def answer_in_waiting(
    service: Service, endpoint: Endpoint, account: str, prepare: Advance, step: Advance
) -> WorkflowHandle[Any, Any]:
    """Have the call answered that `step` leads to, and the answer wait for a worker that runs workflows."""
    request = service.request(account)
    completed = EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED
    async with AsyncExitStack() as trouble:
        async with service.worker():
            await prepare(service, account)
            await trouble.enter_async_context(fault(service, endpoint, FaultKind.ERROR, account_id=account, status=503))
            await step(service, account)
            await eventually(lambda: is_retrying(request), bool)
        answers = await count_events(request, completed)
    async with activities_only(service):
        await eventually(lambda: count_events(request, completed), lambda n: n > answers)
    return request


# Histories and updates


async def count_events(handle: WorkflowHandle[Any, Any], kind: "EventType.ValueType") -> int:
    return sum(event.event_type == kind for event in (await handle.fetch_history()).events)


async def is_admitted(service: Service, workflow_id: str, update_id: str) -> bool:
    """Whether the server holds this update, for the workflow's next task."""
    reference = UpdateRef(workflow_execution=WorkflowExecution(workflow_id=workflow_id), update_id=update_id)
    try:
        await service.client.workflow_service.poll_workflow_execution_update(
            PollWorkflowExecutionUpdateRequest(
                namespace=service.client.namespace, update_ref=reference, wait_policy=WaitPolicy()
            )
        )
    except RPCError:
        return False
    return True


async def send_update(
    service: Service, handle: WorkflowHandle[Any, Any], update: str, argument: Model, answer_type: type[T]
) -> asyncio.Task[T]:
    """Sent, and with the server; its answer comes when a worker runs."""
    update_id = f"{update}-{uuid4().hex[:8]}"

    async def answer() -> T:
        async with plain_errors(handle.id):
            answered: T = await handle.execute_update(update, argument, id=update_id, result_type=answer_type)
            return answered

    answering = asyncio.create_task(answer())
    await eventually(lambda: is_admitted(service, handle.id, update_id), bool, LIMIT)
    return answering
