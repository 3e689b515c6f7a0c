"""Reading failures by their stable type, and going on in spite of them."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from domain.model import Instant

T = TypeVar("T")

OnTrouble = Callable[[str, int, Instant], None]
"""Told of an error type, of how many attempts failed in this round, and since when it is being tried."""


def error_type(error: ActivityError) -> str:
    """The stable type of what made an activity fail, or the kind of failure (a timeout) where there is none."""
    return str(getattr(error.cause, "type", None) or type(error.cause).__name__)


def error_details(error: ActivityError) -> Mapping[str, Any]:
    """The facts that came with it: `attempt`, `retry_after_seconds`, `tries_left`."""
    details = error.cause.details if isinstance(error.cause, ApplicationError) else ()
    return next((detail for detail in details if isinstance(detail, dict)), {})


def is_final(error: ActivityError) -> bool:
    """Whether the other side will say the same again, however often it is asked."""
    return isinstance(error.cause, ApplicationError) and error.cause.non_retryable


async def rest(error: ActivityError, longest: timedelta) -> None:
    """Leave the other side alone for as long as it asks; not longer than `longest`.

    A pause that fits into an activity's own limit has been kept by then. A longer one fails it at once, and whoever
    tries again at once would go on as fast as the other side can say "later".
    """
    if asked := error_details(error).get("retry_after_seconds"):
        await workflow.sleep(min(timedelta(seconds=asked), longest), summary="The other side asks to be left alone")


async def keep_trying(
    attempt: Callable[[timedelta], Awaitable[T]], rounds: tuple[timedelta, timedelta], on_trouble: OnTrouble
) -> T:
    """Try for ever, in rounds, and tell `on_trouble` after each that failed.

    `rounds` are the first and the longest one: each is twice as long as the one before, so that not even trouble that
    lasts for months fills a history.

    `attempt` runs the activity with the given schedule-to-close. Raises its `ActivityError` when that is final, or a
    cancellation.
    """
    since, limit = workflow.now(), rounds[0]
    while True:
        try:
            return await attempt(limit)
        except ActivityError as error:
            if is_cancelled_exception(error) or is_final(error):
                raise
            on_trouble(error_type(error), int(error_details(error).get("attempt", 1)), since)
            await rest(error, rounds[1])
            limit = min(2 * limit, rounds[1])
