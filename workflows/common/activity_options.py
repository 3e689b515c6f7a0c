"""Timeouts and retry policies of every activity, each with its reason. Nothing in a workflow names a number."""

from datetime import timedelta
from typing import NotRequired, TypedDict

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.deletion import POLLED_FOR


class ActivityOptions(TypedDict):
    start_to_close_timeout: timedelta
    retry_policy: RetryPolicy
    heartbeat_timeout: NotRequired[timedelta]


_HTTP_CALL = timedelta(seconds=15)
"""One attempt of one call to another system: longer than the HTTP client's time-out, whose error is clearer."""

ANSWER_LIMIT = timedelta(seconds=25)
"""Whatever a person waits for ends within it: with an answer, or with "not now" and when to try again."""

LOOK_LIMIT = timedelta(seconds=8)
"""How long a withdrawal waits for the platform's word about the account, which it can do without."""

STEPS_IN_FLIGHT = 6
"""Owner's steps that may wait at once. The server lets ten updates wait: a withdrawal must always find a place."""

REFUSALS_AT_THE_END = 50
"""Steps that a request may still refuse once the server asks for a new history. It keeps some 200 places for updates
then, of 2000: a request under review cannot continue as new, and a withdrawal must always find a place."""

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

CLOSING: ActivityOptions = {
    "start_to_close_timeout": _HTTP_CALL,
    # A few tries, while the hold is surely alive. Then the platform's own record says what has become of them.
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=5), maximum_attempts=4
    ),
}

FORWARD_ONLY: ActivityOptions = {
    "start_to_close_timeout": _HTTP_CALL,
    # Past the point of no return there is no other way than on. Capped at five minutes so that a recovered service is
    # noticed soon. Errors marked non-retryable park the phase for ops.
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(minutes=5)
    ),
}

LONG_WORK: ActivityOptions = {
    # Watched by one attempt for a while; a killed worker's is taken up by another one after the heartbeat.
    "start_to_close_timeout": POLLED_FOR + timedelta(minutes=1),
    "heartbeat_timeout": _HTTP_CALL,
    "retry_policy": FORWARD_ONLY["retry_policy"],
}

SEALING_ROUND = timedelta(minutes=1)
"""How long a step of the sealing is tried before its trouble is noted, and it is tried again."""

LONGEST_ROUND = timedelta(hours=1)
"""Of what nobody waits for at a screen, when the other side is away for long."""

DELETION_ROUND = timedelta(days=1)
"""The same for a phase of the deletion that is known to be stuck."""

PAUSE = timedelta(seconds=30)
"""Between the first two attempts to close, when the platform did not; then twice as long each time."""

LOOK_AGAIN = timedelta(hours=1)
"""How often something that should be told of is looked at all the same."""

LONGEST_BETWEEN_LOOKS = timedelta(days=1)
"""Past the point of no return a request waits for as long as it takes, in one history: at this pace for years."""

BEST_EFFORT_RETRY = RetryPolicy(initial_interval=timedelta(seconds=2), maximum_interval=timedelta(minutes=5))
"""Messages and the release of a lease: bounded by a schedule-to-close at the call, then given up and recorded."""

BEST_EFFORT: ActivityOptions = {"start_to_close_timeout": _HTTP_CALL, "retry_policy": BEST_EFFORT_RETRY}

RELEASE_HOLD_LIMIT = timedelta(seconds=30)
"""A hold is a lease: when its release does not come through it lapses by itself."""
