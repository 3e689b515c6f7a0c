"""What Temporal, the platform and the vault can answer, in two kinds: a rule said no, or nobody answered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.client import (
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import NO_ANSWER, ErrorType, Refusal
from gateways.errors import GatewayError

_NO_WORKER = "No worker answered for {}; check that Temporal and a worker are running, then try again."


class Unreachable(Exception):
    """Temporal, its workers, the platform or the vault did not answer. Nothing is lost; try the same call again.

    Attributes:
        type: who did not, as far as it is known.
        details: machine-readable facts, such as `retry_after_seconds`.
    """

    def __init__(self, message: str, type: ErrorType = ErrorType.UNREACHABLE, **details: object) -> None:
        super().__init__(message)
        self.type = type
        self.details = details


@asynccontextmanager
async def translate_errors(what: str) -> AsyncIterator[None]:
    """Every way of saying no, as `Refusal` with its stable type; every way of not answering, as `Unreachable`.

    A use case raises nothing else; it stands around one, or as `@translate_errors("…")` above it.
    """
    try:
        yield
    except WorkflowUpdateFailedError as error:
        raise _refusal(error.cause, what) from None
    except WorkflowUpdateRPCTimeoutOrCancelledError:
        raise Unreachable(_NO_WORKER.format(what)) from None
    except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
        raise Unreachable(f"{what} could not be read: {error}") from None
    except RPCError as error:
        raise _of_rpc(error, what) from None
    except RuntimeError as error:
        # What the first call of a lazy client raises when nobody is there; the SDK has no type of its own for it.
        if not str(error).startswith("Failed client connect"):
            raise
        raise Unreachable(f"Temporal cannot be reached for {what}; nothing was changed, try again.") from None
    except GatewayError as error:
        if error.retryable:
            raise Unreachable(str(error), error.type, **error.details) from None
        raise Refusal(error.type, str(error), **error.details) from None


def _of_rpc(error: RPCError, what: str) -> Exception:
    if error.status is RPCStatusCode.NOT_FOUND and not lacks_namespace(error):
        return Refusal(ErrorType.NOT_FOUND, f"There is no open {what}.")
    if is_unanswered(error):
        return Unreachable(_NO_WORKER.format(what))
    return Unreachable(f"Temporal did not answer for {what}: {error.message}")


def is_unanswered(error: RPCError) -> bool:
    """Whether the time for the call ran out. The SDK says "cancelled" when its own clock was first."""
    return error.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)


def lacks_namespace(error: RPCError) -> bool:
    return any(detail.Is(NamespaceNotFoundFailure.DESCRIPTOR) for detail in error.grpc_status.details)


def _refusal(cause: BaseException | None, what: str) -> Exception:
    if not isinstance(cause, ApplicationError):
        return Unreachable(f"{what} did not finish the step: {cause}")
    details: dict[str, Any] = {}
    for detail in cause.details:
        details |= detail if isinstance(detail, dict) else {}
    refusals = {str(known): known for known in ErrorType if known not in NO_ANSWER}
    if (known := refusals.get(cause.type or "")) is None:
        return Unreachable(f"{what}: {cause.message}")
    return Refusal(known, cause.message, **details)
