"""The workers of one process: one for what people wait for, one for deletions, started and stopped together."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from types import TracebackType
from typing import Self

from temporalio.service import RPCError
from temporalio.worker import Worker


class Workers:
    """An async context manager, as a single worker is. Both drain at the same time."""

    def __init__(self, *workers: Worker) -> None:
        self._workers = workers

    @property
    def is_running(self) -> bool:
        return all(worker.is_running for worker in self._workers)

    async def is_ready(self) -> bool:
        """Whether the workers run, and Temporal answers."""
        try:
            health = self._workers[0].client.service_client.check_health(timeout=timedelta(seconds=2))
            return self.is_running and await health
        except RPCError:
            return False

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as started:
            for worker in self._workers:
                await started.enter_async_context(worker)
            started.pop_all()
        return self

    async def __aexit__(
        self, type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.gather(*(worker.__aexit__(type, error, traceback) for worker in self._workers))
