"""What Temporal's "request cancellation" means here: a message, never an interruption."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def shield_from_cancellation(work: Coroutine[Any, Any, T], on_cancel_request: Callable[[], None]) -> T:
    """Run `work` to its end. A cancel request calls `on_cancel_request` and interrupts nothing.

    Without the shield a cancel request would cancel the running activity and leave an account half deleted.
    """
    task = asyncio.create_task(work)
    while True:
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.done():
                raise
            on_cancel_request()
