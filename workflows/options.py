"""Timeouts and retry policies of every activity, each with its reason. Nothing in a workflow names a number."""

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy


class ActivityOptions(TypedDict):
    start_to_close_timeout: timedelta
    retry_policy: RetryPolicy


_HTTP_CALL = timedelta(seconds=15)
"""One attempt of one call to another system: longer than the HTTP client's time-out, whose error is clearer."""

ANSWER_OWNER: ActivityOptions = {
    "start_to_close_timeout": _HTTP_CALL,
    # A person waits for the answer: a few quick tries, then an honest error that leaves the request where it was.
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=2), maximum_attempts=5
    ),
}

CHECK_RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=4))
"""As often as fits in the policy's `check_limit`; then the outcome is UNKNOWN."""

PATIENT: ActivityOptions = {
    "start_to_close_timeout": _HTTP_CALL,
    # Nobody waits at a screen and nothing is lost by waiting: go on until the other side is back.
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=2)),
}

FORWARD_ONLY: ActivityOptions = {
    # Also the time after which a killed worker's phase is taken up by another.
    "start_to_close_timeout": _HTTP_CALL,
    # Past the point of no return there is no other way than on: no limit of attempts, no schedule-to-close. Capped at
    # five minutes so that a recovered service is noticed soon. Errors marked non-retryable park the phase for ops.
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(minutes=5)
    ),
}

BEST_EFFORT_RETRY = RetryPolicy(initial_interval=timedelta(seconds=2), maximum_interval=timedelta(minutes=5))
"""Messages and the release of a lease: bounded by a schedule-to-close at the call, then given up and recorded."""

BEST_EFFORT: ActivityOptions = {"start_to_close_timeout": _HTTP_CALL, "retry_policy": BEST_EFFORT_RETRY}

RELEASE_HOLD_LIMIT = timedelta(seconds=30)
"""A hold is a lease: when its release does not come through it lapses by itself."""
