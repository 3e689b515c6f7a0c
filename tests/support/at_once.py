"""Many things in one workflow task: workflows are stopped, all that shall meet happens, and workflows run again.

Activities run all the while, and the answer of one of them can be held up: it comes when the test lets it.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, TypeVar
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
from domain.accounts import AccountStatus
from domain.deletion import DeletionStatus, DeletionView
from domain.errors import ErrorType
from domain.ids import deletion_task_queue
from domain.messages import CancellationView, DecisionAnswer, MaterialsSupplied, Resume, Withdraw
from domain.model import Model
from domain.phases import Phase, Step
from domain.tickets import Decision, DecisionKind, DecisionRequest, TicketRef
from service.errors import translate_errors
from simulator.kinds import Endpoint, FaultKind
from tests.support.poison import assert_deleted_once
from tests.support.service import SOMEBODY, Service, eventually
from tests.support.tickets import fault, is_retrying
from worker import WORKFLOW_RUNNER
from workflows import WORKFLOWS
from workflows.common.interceptors import KeepMalformedMessagesOut

P = TypeVar("P")
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
    """Of the `number`-th activity of one type, in one type of workflow, of one request.

    `alone`: the workflow would go on without it, so that from then on all its activities are held up.
    """

    workflow_type: str
    activity_type: str
    number: int
    alone: bool
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    workflow_id: str = ""
    _seen: list[object] = field(default_factory=list)

    async def pass_by(self, info: activity.Info, call: Awaitable[Any]) -> Any:
        if info.workflow_type != self.workflow_type:
            return await call
        if not self._is_that(info):
            if self.alone and self.arrived.is_set():
                await self.released.wait()
            return await call
        result = await call
        self.workflow_id = info.workflow_id or ""
        self.arrived.set()
        await self.released.wait()
        return result

    def _is_that(self, info: activity.Info) -> bool:
        if info.activity_type != self.activity_type:
            return False
        # A deletion uses an id again; another attempt at the same thing was scheduled when the first one was.
        scheduled = info.activity_id, info.scheduled_time
        if scheduled not in self._seen:
            self._seen.append(scheduled)
        return self._seen.index(scheduled) == self.number - 1


class HeldAnswers(Interceptor):
    """Holds up answers of activities whose work is done."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._held: dict[str, HeldAnswer] = {}
        self._requests: dict[str, str] = {}

    def hold(
        self, request_id: str, workflow_type: str, activity_type: str, number: int, *, alone: bool = False
    ) -> HeldAnswer:
        self._held[request_id] = held = HeldAnswer(workflow_type, activity_type, number, alone)
        return held

    async def of(self, info: activity.Info) -> HeldAnswer | None:
        """What is held up of the request that the activity's workflow belongs to."""
        workflow_id = info.workflow_id or ""
        if workflow_id not in self._requests:
            described = await self._service.client.get_workflow_handle(workflow_id).describe()
            self._requests[workflow_id] = described.root_id or workflow_id
        return self._held.get(self._requests[workflow_id])

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _HoldUp(next, self)


class _HoldUp(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, answers: HeldAnswers) -> None:
        super().__init__(next)
        self._answers = answers

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        held = await self._answers.of(activity.info())
        call = super().execute_activity(input)
        return await (held.pass_by(activity.info(), call) if held else call)


async def until_answered(handle: WorkflowHandle[Any, Any], held: HeldAnswer) -> None:
    """Let the answer go, until the server has all that the workflow is waiting for, for its next task."""
    held.released.set()

    async def pending() -> list[Any]:
        return list((await handle.describe()).raw_description.pending_activities)

    await eventually(pending, lambda activities: not activities, LIMIT)


async def until_quiet(*handles: WorkflowHandle[Any, Any]) -> None:
    """Until no task is under way: one that a worker takes along when it stops is missed for ten seconds."""
    for handle in handles:
        await eventually(partial(_under_way, handle), lambda what: not what.task, LIMIT)


async def until_idle(*handles: WorkflowHandle[Any, Any]) -> None:
    """Until a workflow waits for a timer alone.

    An answer that comes after the workers have stopped, to a notification for instance, leaves a task that nobody
    takes: the server skips no time until somebody does.
    """
    for handle in handles:
        await eventually(partial(_under_way, handle), lambda what: not what.task and not what.activities, LIMIT)


class _UnderWay(NamedTuple):
    task: bool
    activities: int


async def _under_way(handle: WorkflowHandle[Any, Any]) -> _UnderWay:
    described = (await handle.describe()).raw_description
    return _UnderWay(described.HasField("pending_workflow_task"), len(described.pending_activities))


# Timers


async def pending_timers(handle: WorkflowHandle[Any, Any]) -> dict[str, datetime]:
    """When each will fire, by what it is for; on the workflow's own clock. None of one that has not begun."""
    timers: dict[str, tuple[str, datetime]] = {}
    try:
        events = (await handle.fetch_history()).events
    except RPCError:
        return {}
    for event in events:
        match event.event_type:
            case EventType.EVENT_TYPE_TIMER_STARTED:
                started = event.timer_started_event_attributes
                due = event.event_time.ToDatetime(UTC) + started.start_to_fire_timeout.ToTimedelta()
                timers[started.timer_id] = json.loads(event.user_metadata.summary.data), due
            case EventType.EVENT_TYPE_TIMER_FIRED:
                timers.pop(event.timer_fired_event_attributes.timer_id)
            case EventType.EVENT_TYPE_TIMER_CANCELED:
                timers.pop(event.timer_canceled_event_attributes.timer_id)
    return dict(timers.values())


async def until_pending(handle: WorkflowHandle[Any, Any], summary: str) -> datetime:
    """When the timer with such a summary will fire."""
    timers = await eventually(lambda: pending_timers(handle), lambda found: any(summary in s for s in found), LIMIT)
    return next(due for found, due in timers.items() if summary in found)


async def fire(service: Service, handle: WorkflowHandle[Any, Any], summary: str) -> None:
    """Have the timer fire while no workflow runs, unless it has: the workflow's next task takes it in."""
    due = [at for found, at in (await pending_timers(handle)).items() if summary in found]
    if not due:
        return
    fired = asyncio.ensure_future(
        eventually(lambda: pending_timers(handle), lambda found: not any(summary in s for s in found), LIMIT)
    )
    tried: list[object] = []
    while not fired.done():
        distance = due[0] - await service.env.get_current_time(handle)
        children = (await handle.describe()).raw_description.pending_children
        tried.append((distance, len(children)))
        # A parent's clock runs by itself only.
        if distance > timedelta(0) and not children:
            # Its answer comes once a worker has had the task; asked while the last task is still on its way back, it
            # may be refused instead, and is asked for again.
            skipping = asyncio.ensure_future(service.env.fast_forward(handle, distance + timedelta(seconds=1)))
            await asyncio.wait({fired, skipping}, return_when=asyncio.FIRST_COMPLETED)
            skipping.cancel()
            tried += await asyncio.gather(skipping, return_exceptions=True)
        await asyncio.wait({fired}, timeout=0.05)
    try:
        await fired
    except AssertionError as error:
        error.add_note(f"tried: {tried[:3]} ... {tried[-3:]}")
        raise


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
        async with translate_errors(handle.id):
            answered: T = await handle.execute_update(update, argument, id=update_id, result_type=answer_type)
            return answered

    answering = asyncio.create_task(answer())
    await eventually(lambda: is_admitted(service, handle.id, update_id), bool, LIMIT)
    return answering


async def came_together(handle: WorkflowHandle[Any, Any], signal: str) -> set[str]:
    """The types of all events that one workflow task took in along with the last such signal, and of its own."""
    events = (await handle.fetch_history()).events
    tasks = [i for i, event in enumerate(events) if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]
    [*_, sent] = [
        i for i, event in enumerate(events) if event.workflow_execution_signaled_event_attributes.signal_name == signal
    ]
    before = max(i for i in (0, *tasks) if i < sent)
    task = min(i for i in tasks if i > sent)
    after = min(i for i in (*tasks, len(events)) if i > task)
    return {EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in events[before + 1 : after]}


# What meets


async def withdraw_and_disturb(service: Service, account_id: str) -> asyncio.Task[CancellationView]:
    """Temporal's cancel, a signal by hand and a withdrawal; the answer to the last."""
    request = service.request(account_id)
    await request.cancel()
    await request.signal(SIGNAL_TO_REQUEST, Resume(operator_id="ops-1"))
    return await send_update(service, request, Step.WITHDRAW, Withdraw(by=SOMEBODY), CancellationView)


SIGNAL_TO_REQUEST = "deletion_resumed"


async def reject_and_disturb(service: Service, rejection: Decision) -> asyncio.Task[DecisionAnswer]:
    """Temporal's cancel, a forged signal and a rejection; the answer to the last."""
    review = service.review(rejection.ticket_no)
    await review.cancel()
    forged = TicketRef(ticket_no=rejection.ticket_no, revision=9, sha256="0" * 64)
    await review.signal(SIGNAL_TO_REVIEW, MaterialsSupplied(ticket=forged))
    request = DecisionRequest(kind=DecisionKind.REJECT, decision=rejection)
    return await send_update(service, review, "decide", request, DecisionAnswer)


SIGNAL_TO_REVIEW = "materials_supplied"


async def resume_and_disturb(service: Service, account_id: str) -> asyncio.Task[DeletionView]:
    """Temporal's cancel, a signal that nobody knows and a resume; the answer to the last."""
    deletion = service.deletion(account_id)
    await deletion.cancel()
    await deletion.signal(SIGNAL_TO_DELETION)
    return await send_update(service, deletion, "resume", Resume(operator_id="ops-1"), DeletionView)


SIGNAL_TO_DELETION = "unheard-of"


async def assert_deleted_undisturbed(service: Service, account_id: str, told: DeletionView | ErrorType) -> None:
    """To the end, once, with the cancel refused; `told` is the answer to the resume."""
    assert (await asyncio.wait_for(service.request(account_id).result(), LIMIT)).outcome is Phase.CLOSED
    assert told is ErrorType.NOT_STALLED or not isinstance(told, ErrorType)
    view = await service.cancellations.deletion(account_id)
    assert (view.status, view.cancels_refused) == (DeletionStatus.FINISHED, 1)
    await assert_deleted_once(service, account_id)


async def assert_account_kept(service: Service, account_id: str) -> None:
    state = await service.store.account(account_id)
    assert (state.profile.status, state.held_until) == (AccountStatus.ACTIVE, None)


# Several at once


async def each(plays: Sequence[P], act: Callable[[P], Awaitable[None]]) -> None:
    """All at the same time; what failed says in which of them."""

    async def one(play: P) -> None:
        try:
            await act(play)
        except BaseException as error:
            error.add_note(str(play))
            raise

    results = await asyncio.gather(*(one(play) for play in plays), return_exceptions=True)
    if failed := [result for result in results if isinstance(result, Exception)]:
        raise ExceptionGroup(f"{len(failed)} of {len(plays)}", failed)
