"""How the service looks at a workflow that does not answer at once."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import GrpcStatus
from temporalio.client import WorkflowHandle, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from runtime.workflow_runner import OVERTAKEN_BY_NEWS
from service import base
from service.base import LOOK_LIMIT, look
from tests.support.service import Service
from workflows import AccountCancellation

LOST = RPCError("Timeout expired", RPCStatusCode.CANCELLED, GrpcStatus().SerializeToString())
LATE = RPCError("deadline exceeded", RPCStatusCode.DEADLINE_EXCEEDED, GrpcStatus().SerializeToString())
GONE = RPCError("not found", RPCStatusCode.NOT_FOUND, GrpcStatus().SerializeToString())
OVERTAKEN = WorkflowQueryFailedError(OVERTAKEN_BY_NEWS)


@dataclass
class Answers:
    """A workflow that answers as it is told, one look after the other."""

    of: list[Any]
    given: list[timedelta] = field(default_factory=list)

    async def query(self, _: Any, *, reject_condition: Any, rpc_timeout: timedelta) -> Any:
        self.given.append(rpc_timeout)
        answer = self.of[len(self.given) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def looked(*answers: Any) -> tuple[Any, Answers]:
    handle = Answers([*answers])
    return await look(cast(WorkflowHandle[Any, Any], handle), lambda _: None), handle


@pytest.mark.parametrize("before", [[LOST], [LATE], [OVERTAKEN], [OVERTAKEN, LOST, OVERTAKEN]])
async def test_a_look_that_was_lost_or_overtaken_is_taken_again(before: list[Exception]) -> None:
    found, handle = await looked(*before, "found")
    assert (found, len(handle.given)) == ("found", len(before) + 1)


@pytest.mark.parametrize(
    ("answers", "looks"), [([LOST] * 9, 2), ([LATE] * 9, 2), ([OVERTAKEN] * 9, 5), ([GONE, "found"], 1)]
)
async def test_in_the_end_it_is_given_up(answers: list[Any], looks: int) -> None:
    handle = Answers(answers)
    with pytest.raises((RPCError, WorkflowQueryFailedError)):
        await look(cast(WorkflowHandle[Any, Any], handle), lambda _: None)
    assert len(handle.given) == looks


async def test_all_looks_that_nobody_answers_take_no_longer_than_one_may() -> None:
    handle = Answers([LOST] * 9)
    with pytest.raises(RPCError):
        await look(cast(WorkflowHandle[Any, Any], handle), lambda _: None)
    assert sum(handle.given, timedelta()) <= LOOK_LIMIT + timedelta(milliseconds=1)


@dataclass
class Counted:
    """A real workflow, and how often it was asked."""

    handle: WorkflowHandle[Any, Any]
    looks: int = 0

    async def query(self, *args: Any, **options: Any) -> Any:
        self.looks += 1
        return await self.handle.query(*args, **options)


async def test_a_look_that_no_worker_answers_is_taken_twice(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the SDK really says when the time is over is not what gRPC says."""
    monkeypatch.setattr(base, "LOOK_LIMIT", timedelta(seconds=0.6))
    name = f"nobody-{uuid4().hex}"
    counted = Counted(await service.client.start_workflow("AccountCancellation", id=name, task_queue=name))
    with pytest.raises(RPCError):
        await look(cast(WorkflowHandle[Any, Any], counted), AccountCancellation.view)
    assert counted.looks == 2
