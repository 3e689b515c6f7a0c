"""One answer for everybody who asks the same within some seconds."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class TtlCache(Generic[K, V]):
    """Asks once at a time and once in `seconds` for a key, however many want to know; never while nobody does.

    A failure is shared as an answer is: who is down is not asked by every viewer.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._answers: dict[K, tuple[asyncio.Task[V], float]] = {}

    async def get(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        now = asyncio.get_running_loop().time()
        self._answers = {k: (task, until) for k, (task, until) in self._answers.items() if now < until}
        if key not in self._answers:
            self._answers[key] = (asyncio.create_task(self._answer(key, ask)), float("inf"))
        # Shielded: a viewer who leaves must not take the answer away from the others.
        return await asyncio.shield(self._answers[key][0])

    async def _answer(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(lambda done: self._settle(key, done))
        return await ask()

    def _settle(self, key: K, done: "asyncio.Task[V]") -> None:
        if not done.cancelled():
            done.exception()
        self._answers[key] = (done, done.get_loop().time() + self._seconds)
