"""One answer for everybody who asks the same within some seconds."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from cachetools import TTLCache

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_MOST_KEYS = 1000


class TtlCache(Generic[K, V]):
    """Asks once at a time and once in `seconds` for a key, however many want to know; never while nobody does.

    A failure is shared as an answer is: who is down is not asked by every viewer.
    """

    def __init__(self, seconds: float) -> None:
        self._asking: dict[K, asyncio.Task[V]] = {}
        self._answers: TTLCache[K, asyncio.Task[V]] = TTLCache(_MOST_KEYS, seconds)

    async def get(self, key: K, ask: Callable[[], Coroutine[Any, Any, V]]) -> V:
        if (task := self._answers.get(key) or self._asking.get(key)) is None:
            task = self._asking[key] = asyncio.create_task(ask())
            task.add_done_callback(lambda done: self._settle(key, done))
        # Shielded: a viewer who leaves must not take the answer away from the others.
        return await asyncio.shield(task)

    def _settle(self, key: K, done: "asyncio.Task[V]") -> None:
        del self._asking[key]
        if not done.cancelled():
            done.exception()
            self._answers[key] = done
