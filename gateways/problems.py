"""What a platform's refusal or breakdown means: a `GatewayError` with a stable type, and what to do about it."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from pydantic import ValidationError

from domain.errors import ErrorType
from gateways.contract import (
    RETRYABLE_PROBLEMS,
    Problem,
)
from gateways.errors import GatewayError

MAX_RETRY_AFTER: Final = timedelta(hours=1)
"""However long the other side asks to be left alone: a request must not sleep for a year on a typing error."""


def failure(call: str, status: int, headers: Mapping[str, str], data: bytes) -> GatewayError:
    """A refusal or a breakdown: by the problem's type where the contract names it, else by the status."""
    problem = _problem(data)
    type = (problem and problem.error_type) or _type_of_status(status)
    retryable = type in _RETRYABLE
    return GatewayError(
        type,
        f"{call}: the platform answered {status} ({type}). {_next_step(type)}",
        retryable=retryable,
        retry_after=_retry_after(headers, problem) if retryable else None,
        **(problem.model_dump(include={"tries_left", "retry_after_seconds"}, exclude_none=True) if problem else {}),
    )


_RETRYABLE: Final = RETRYABLE_PROBLEMS | {ErrorType.CREDENTIALS_REFUSED}
"""A refused credential says nothing about the account. It is ours to put right, and then the same call goes through."""


def _problem(data: bytes) -> Problem | None:
    try:
        return Problem.model_validate_json(data)
    except ValidationError:
        return None


def _type_of_status(status: int) -> ErrorType:
    if status == 429:
        return ErrorType.RATE_LIMITED
    # 408 Request Timeout and 425 Too Early heal by themselves, like every 5xx.
    if status >= 500 or status in (408, 425):
        return ErrorType.SERVICE_UNAVAILABLE
    if status in (401, 403):
        return ErrorType.CREDENTIALS_REFUSED
    return ErrorType.UNEXPECTED_ANSWER


_NEXT_STEPS: Final = {
    ErrorType.ACCOUNT_UNKNOWN: "Check the account id.",
    ErrorType.ACCOUNT_NOT_CLOSABLE: "Check the account's kind and state at the platform.",
    ErrorType.CHANNEL_NOT_VERIFIED: "Choose a channel that is verified.",
    ErrorType.CODE_WRONG: "Enter the code again.",
    ErrorType.RESEND_TOO_SOON: "Wait, then ask for a new code.",
    ErrorType.DAILY_CODE_LIMIT: "Ask for a new code tomorrow.",
    ErrorType.PROOF_INVALID: "Answer the challenge again.",
    ErrorType.CHALLENGE_UNKNOWN: "Ask for a new code.",
    ErrorType.CODE_EXPIRED: "Ask for a new code.",
    ErrorType.CODE_LOCKED: "Ask for a new code.",
    ErrorType.PROOF_USED: "Ask for a new code.",
    ErrorType.PROOF_EXPIRED: "Ask for a new code.",
    ErrorType.HOLD_LAPSED: "Take a new hold and check again.",
    ErrorType.HOLD_RELEASED: "Take a hold under a new request id.",
    ErrorType.PHASE_UNKNOWN: "Nothing was begun with this key; begin the phase first.",
    ErrorType.CREDENTIALS_REFUSED: "Put right the credential by which this service signs in there; the same call then "
    "goes through.",
    ErrorType.IDEMPOTENCY_CONFLICT: "The same key came with another request; find out which of the two is right.",
    ErrorType.REQUEST_INVALID: "Compare the platform's version with docs/platform-contract.yaml.",
    ErrorType.UNEXPECTED_ANSWER: "Check the base URL of this group of endpoints.",
}


def _next_step(type: ErrorType) -> str:
    return _NEXT_STEPS.get(type, "The same call may go through later.")


def _retry_after(headers: Mapping[str, str], problem: Problem | None) -> timedelta | None:
    """How long to wait: `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), else what the problem says."""
    value = headers.get("Retry-After", "")
    if re.fullmatch("[0-9]{1,18}", value):
        seconds: float = int(value)
    elif until := _http_date(value):
        # Against the sender's own clock where it is told: ours may differ.
        seconds = (until - (_http_date(headers.get("Date", "")) or datetime.now(UTC))).total_seconds()
    elif problem and problem.retry_after_seconds is not None:
        seconds = problem.retry_after_seconds
    else:
        return None
    return timedelta(seconds=min(max(seconds, 0), MAX_RETRY_AFTER.total_seconds()))


def _http_date(value: str) -> datetime | None:
    try:
        return parsedate_to_datetime(value).replace(tzinfo=UTC)
    except ValueError:
        return None
