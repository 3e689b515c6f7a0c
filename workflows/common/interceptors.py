"""Messages sent by hand: whatever is not the one model that a handler takes never reaches it."""

from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError
from temporalio.worker import (
    HandleSignalInput,
    HandleUpdateInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

with workflow.unsafe.imports_passed_through():
    from domain.errors import ErrorType
    from domain.model import Model


class KeepMalformedMessagesOut(Interceptor):
    """The SDK drops what it cannot decode, but hands on a null, and none or too many arguments.

    A handler would fail on these, and with it the workflow task, again and again. Signals are dropped, updates refused.
    """

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        return _KeepOut


class _KeepOut(WorkflowInboundInterceptor):
    async def handle_signal(self, input: HandleSignalInput) -> None:
        if _is_one_model(input.args):
            await super().handle_signal(input)
        else:
            workflow.logger.warning("A malformed signal was dropped", extra={"signal_name": input.signal})

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        _require_one_model(input)
        super().handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        # Once more: an update without a validator comes straight here.
        _require_one_model(input)
        return await super().handle_update_handler(input)


def _require_one_model(input: HandleUpdateInput) -> None:
    if not _is_one_model(input.args):
        raise ApplicationError(
            f"{input.update} takes one argument, of its own kind; see docs/messages.md.", type=ErrorType.BAD_INPUT
        )


def _is_one_model(args: Any) -> bool:
    return len(args) == 1 and isinstance(args[0], Model)
