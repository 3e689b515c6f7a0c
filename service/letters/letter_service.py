"""Where letters wait for their turn, so that none of them makes everybody wait, and where what came out is kept."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

from cachetools import TTLCache

from domain.errors import Refusal
from service.letters.limited import ProgramFailed
from service.letters.problems import LetterProblem, refusal
from service.letters.renderer import RenderedLetter, page_picture, render_letter

_AT_ONCE: Final = 2
_KEPT_BYTES: Final = 64 << 20
"""Of letters, and as much of pictures."""
_KEPT_SECONDS: Final = 15 * 60.0
"""A failure may have been the machine's: it is not held against a letter for ever."""
_SMALLEST: Final = 4096
"""What a failure counts as."""

Upload = bytes | Callable[[], Awaitable[bytes]]
"""What was sent; or how to read it when its turn has come, so that it waits on the disk and not in memory."""


class LetterService:
    """Renders letters and their pages: two at once, one for each account, in the order in which they came.

    One for each process. What came out is remembered by its hash, a failure too: the same file costs once.
    `trust_roots` is what electronic signatures are verified against: a PEM file, or a folder of them.
    """

    def __init__(self, trust_roots: Path | None = None) -> None:
        # Absolute: what reads them works elsewhere.
        self._trust_roots = trust_roots.absolute() if trust_roots else None
        self._running = asyncio.Semaphore(_AT_ONCE)
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._letters: TTLCache[str, RenderedLetter | LetterProblem] = TTLCache(
            _KEPT_BYTES,
            _KEPT_SECONDS,
            getsizeof=lambda kept: _SMALLEST + (len(kept.content) if isinstance(kept, RenderedLetter) else 0),
        )
        self._pictures: TTLCache[tuple[str, int], bytes | None] = TTLCache(
            _KEPT_BYTES, _KEPT_SECONDS, getsizeof=lambda kept: _SMALLEST + len(kept or b"")
        )

    @asynccontextmanager
    async def rendered(self, upload: Upload, account: str) -> AsyncIterator[tuple[bytes, RenderedLetter]]:
        """The letter as it was sent, and rendered. Its turn lasts as long as the block does.

        Raises `Refusal(LETTER_REFUSED)`, as `render_letter` does.
        """
        async with self.turn(account):
            data = upload if isinstance(upload, bytes) else await upload()
            key = (await asyncio.to_thread(sha256, data)).hexdigest()
            async with self._turn("letter", key):
                if key not in self._letters:
                    self._letters[key] = await self._render(data)
                made = self._letters[key]
            if isinstance(made, LetterProblem):
                raise refusal(made)
            yield data, made

    async def picture(self, key: tuple[str, int], cleaned: Callable[[], Awaitable[bytes]], ticket: str) -> bytes:
        """A page of a cleaned PDF as PNG; `key` is its hash, and the page's number from 1.

        Raises `Refusal(LETTER_REFUSED)` when it cannot be drawn, and what `cleaned` does.
        """
        async with self.turn(ticket):
            if key not in self._pictures:
                content = await cleaned()
                try:
                    self._pictures[key] = await page_picture(content, key[1])
                except ProgramFailed:
                    self._pictures[key] = None
            made = self._pictures[key]
        if made is None:
            raise refusal(LetterProblem.CANNOT_BE_RENDERED)
        return made

    @asynccontextmanager
    async def turn(self, account: str) -> AsyncIterator[None]:
        """The turn of an account, or of a ticket, to have a letter in memory."""
        async with self._turn("account", account), self._running:
            yield

    def _turn(self, what: str, key: str) -> asyncio.Lock:
        return self._turns.setdefault((what, key), asyncio.Lock())

    async def _render(self, data: bytes) -> RenderedLetter | LetterProblem:
        try:
            return await render_letter(data, trust_roots=self._trust_roots)
        except Refusal as refused:
            return LetterProblem(str(refused.details["because"]))
