"""Signals sent by hand: whatever is not the one model that a handler takes is dropped."""

from temporalio import workflow
from temporalio.worker import (
    HandleSignalInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from domain.model import Model


class DropMalformedSignals(Interceptor):
    """The SDK drops what it cannot decode, but hands on a null, and none or too many arguments.

    A handler would fail on these, and with it the workflow task, again and again.
    """

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        return _Drop


class _Drop(WorkflowInboundInterceptor):
    async def handle_signal(self, input: HandleSignalInput) -> None:
        if len(input.args) == 1 and isinstance(input.args[0], Model):
            await super().handle_signal(input)
        else:
            workflow.logger.warning("A malformed signal was dropped", extra={"signal_name": input.signal})
