"""A query that brings news along does not move its workflow: what the runner lets through, and what it refuses."""

from typing import Any, NamedTuple

import pytest
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import WorkflowInstance
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from runtime.workflow_runner import OVERTAKEN_BY_NEWS, CorrectedRunner


class Activation(NamedTuple):
    """`task` is when the workflow task started that was the last to start, `events` the number of events by then."""

    task: int
    events: int
    is_replaying: bool = False


QUERY = True

ORDERS = {
    "a task after a task": ([Activation(1, 3), Activation(2, 9)], []),
    "a query between two tasks": ([Activation(1, 3), Activation(1, 3, QUERY), Activation(2, 9)], []),
    "a second turn of one task": ([Activation(1, 3), Activation(1, 3)], []),
    "a replay, and the next task": ([Activation(1, 3, True), Activation(2, 9, True), Activation(3, 14)], []),
    "news with a query": ([Activation(1, 3), Activation(1, 8)], [Activation(1, 8)]),
    "news with a query, after a replay": ([Activation(1, 3, True), Activation(1, 8)], [Activation(1, 8)]),
}


@pytest.mark.parametrize(("given", "refused"), ORDERS.values(), ids=ORDERS)
def test_only_a_workflow_task_moves_a_workflow(
    monkeypatch: pytest.MonkeyPatch, given: list[Activation], refused: list[Activation]
) -> None:
    done: list[WorkflowActivation] = []

    class Instance:
        def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
            done.append(act)
            return WorkflowActivationCompletion()

    def create_instance(*_: Any) -> Any:
        return Instance()

    monkeypatch.setattr(SandboxedWorkflowRunner, "create_instance", create_instance)
    instance: WorkflowInstance = CorrectedRunner().create_instance(None)  # type: ignore[arg-type]
    failed = []
    for activation in given:
        act = WorkflowActivation(history_length=activation.events, is_replaying=activation.is_replaying)
        act.timestamp.FromNanoseconds(activation.task)
        if instance.activate(act).failed.failure.message == OVERTAKEN_BY_NEWS:
            failed.append(activation)
    assert (failed, len(done)) == (refused, len(given) - len(refused))
