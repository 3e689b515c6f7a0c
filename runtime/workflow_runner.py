"""The workflow sandbox, with two corrections of the SDK's (1.35): one of its speed, one of its order."""

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import Info

OVERTAKEN_BY_NEWS = "News reached the workflow while it was asked: ask again"
"""How a query fails now and then; `CorrectedRunner` says why."""


class CorrectedRunner(SandboxedWorkflowRunner):
    """Runs workflows in the SDK's sandbox. Correct for a data converter that does not look at serialization contexts.

    Speed: the SDK enters the sandbox four times for each payload, only to ask for that context: some 450 times a
    request, a sixth of the worker's CPU time. A codec whose keys depend on the context needs the plain runner back.

    Order: a query that had to wait, for a worker or for its turn, brings along what has happened meanwhile, and the SDK
    has the workflow go on with it at once. The next workflow task then hands in what is left, a step of the owner's
    say; a replay has all of it together, in another order. Such a history can never be replayed, and its request would
    stand still from the next deployment on. Here the workflow is forgotten instead, and the task begins it anew.
    """

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _Corrected(super().create_instance(det))


class _Corrected(WorkflowInstance):
    def __init__(self, sandboxed: WorkflowInstance) -> None:
        self._sandboxed = sandboxed
        self._task_started_at = self._history_length = -1

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        if self._is_ahead_of_its_task(act):
            refused = WorkflowActivationCompletion()
            refused.failed.failure.message = OVERTAKEN_BY_NEWS
            return refused
        return self._sandboxed.activate(act)

    def _is_ahead_of_its_task(self, act: WorkflowActivation) -> bool:
        """Whether there are new events, but no new workflow task: its start would have set the clock."""
        before = self._task_started_at, self._history_length
        self._task_started_at, self._history_length = act.timestamp.ToNanoseconds(), act.history_length
        return not act.is_replaying and self._task_started_at == before[0] and self._history_length > before[1]

    def get_info(self) -> Info:
        return self._sandboxed.get_info()

    def get_thread_id(self) -> int | None:
        return self._sandboxed.get_thread_id()

    def get_serialization_context(self, command_info: object) -> None:
        return None

    def get_external_store_context(self, command_info: object) -> StorageDriverStoreContext:
        return StorageDriverStoreContext(target=None)
