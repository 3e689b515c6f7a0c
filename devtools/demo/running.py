"""A program that may be stopped at any moment: its contexts are left in order, and nothing stays behind."""

import asyncio
import os
import signal
from collections.abc import Coroutine
from typing import Any

from devtools.demo.programs import NO_PROXY

FAILED = 1
INTERRUPTED = 130


def run(main: Coroutine[Any, Any, int], *, when_stopped: int) -> int:
    """Run to the end and answer its exit code; `when_stopped` after Ctrl-C or SIGTERM. A second Ctrl-C hurries.

    Raises:
        StartFailed: as the stack does.
    """

    async def stoppable() -> int:
        task = asyncio.current_task()
        assert task is not None
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        return await main

    os.environ.update(NO_PROXY)
    try:
        return asyncio.run(stoppable())
    except asyncio.CancelledError:
        return when_stopped
