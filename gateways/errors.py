"""What every gateway raises."""

import math
from datetime import timedelta

from domain.errors import ErrorType


class GatewayError(Exception):
    """Another system did not do what was asked.

    Attributes:
        type: the stable type; decide on it, never on the message.
        retryable: whether the same call may go through later.
        retry_after: how long the other side asked to be left alone, if it said so.
        details: machine-readable facts such as `tries_left`; no personal data. `retry_after_seconds` is among them
            whenever `retry_after` is set, since only details travel on to whoever asked.
    """

    def __init__(
        self,
        type: ErrorType,
        message: str,
        *,
        retryable: bool,
        retry_after: timedelta | None = None,
        **details: object,
    ) -> None:
        super().__init__(message)
        self.type = type
        self.retryable = retryable
        self.retry_after = retry_after
        self.details = details
        if retry_after is not None:
            self.details["retry_after_seconds"] = math.ceil(retry_after.total_seconds())
