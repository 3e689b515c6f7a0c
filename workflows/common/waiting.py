"""Waiting with a limit."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow


async def happens(condition: Callable[[], bool], within: timedelta, summary: str) -> bool:
    """Wait until the condition holds. False when the time is over and it does not.

    In the place of `workflow.wait_condition(timeout=...)`, which rests on `asyncio.wait_for`: since Python 3.12 that
    cancels its timer at another moment, so that no history of 3.11 would replay on a later Python.
    """
    timer = asyncio.create_task(workflow.sleep(within, summary=summary))
    try:
        await workflow.wait_condition(lambda: condition() or timer.done())
    finally:
        timer.cancel()
    return condition()
