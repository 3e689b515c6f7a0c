"""How a gateway's trouble becomes a Temporal failure: one place, for every activity."""

from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from domain.ids import composed_id
from gateways.errors import GatewayError


class GatewayFailures(Interceptor):
    """Turns `GatewayError` into `ApplicationError`: same type, retryable or not, the other side's Retry-After.

    The details say which attempt it was, so that a workflow can tell for how long something has been failing.
    """

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Translate(next)


class _Translate(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await super().execute_activity(input)
        except GatewayError as error:
            # `from None`: the chained exception's text is another library's, and may quote what was sent.
            raise ApplicationError(
                str(error),
                {**error.details, "attempt": activity.info().attempt},
                type=error.type,
                non_retryable=not error.retryable,
                next_retry_delay=error.retry_after,
            ) from None


def permanent_key() -> str:
    """Idempotency key `workflow_id:activity_id`: the same after a retry, a reset, and a restart under the same id."""
    info = activity.info()
    return f"{info.workflow_id}:{info.activity_id}"


def run_key() -> str:
    """Idempotency key of work that a new request of the same account may rightly do again."""
    info = activity.info()
    return composed_id(info.workflow_run_id, info.activity_id)
