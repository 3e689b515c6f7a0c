"""Letters on their way to a ticket: rendered, shown to whoever sent them, and kept until they are handed in."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import PurePosixPath
from typing import Final, Never

from domain.errors import ErrorType, Refusal
from domain.letters import Letter
from domain.model import Model, Sha256Hex
from gateways.errors import GatewayError
from gateways.ports import Vault
from service.errors import translate_errors
from service.letters.letter_service import LetterService, Upload
from service.letters.renderer import RenderedLetter
from service.letters.stored import letter_at, put_letter, read_cleaned, read_original

KEPT_FOR: Final = timedelta(days=1)

_FOLDER: Final = "tickets/drafts"
_CLEARED_EVERY: Final = timedelta(hours=1)


class LetterNotSeen(Refusal):
    """All is right with a ticket, but nobody has been shown the pages of its letter yet. Nothing was filed."""

    def __init__(self) -> None:
        super().__init__(ErrorType.TICKET_INCOMPLETE, "Look at the pages of the letter first, then hand it in.")


class _Record(Model):
    holder: Sha256Hex
    letter: Letter


@dataclass(frozen=True)
class LetterDraft:
    """`seen` is whether its pages were shown to whoever sent it. Its id is known to them alone."""

    draft_id: str
    account_id: str
    letter: Letter
    seen: bool


class LetterDrafts:
    """One letter for each account, below `tickets/drafts/`, for a day. A draft's id begins with when it was kept.

    `holder` is a hash that stands for whoever sent it, in that session: nobody else gets it. Every method raises
    `Unreachable` when the vault does not answer.
    """

    def __init__(self, vault: Vault, letters: LetterService) -> None:
        self._vault = vault
        self._letters = letters

    @translate_errors("letter")
    async def keep(self, account_id: str, holder: str, upload: Upload, now: datetime) -> LetterDraft:
        """Render a letter and keep it in the place of the one before. Raises `Refusal(LETTER_REFUSED)`: nothing is
        kept then, and what was stays.
        """
        draft_id = f"{_moment(now)}-{secrets.token_hex(16)}"
        async with self._letters.rendered(upload, account_id) as (original, rendered):
            await self.discard(account_id)
            letter = letter_at(f"{_folder(account_id)}/{draft_id}-", rendered)
            await put_letter(self._vault, letter, original, rendered.content)
            record = _Record(holder=holder, letter=letter)
            # Last: a record never refers to a letter that is not there.
            await self._vault.put_evidence(_path(account_id, draft_id), record)
        return LetterDraft(draft_id, account_id, letter, seen=False)

    @translate_errors("letter")
    async def find(self, account_id: str, holder: str, draft_id: str, now: datetime) -> LetterDraft | None:
        """None when there is none such, it is somebody else's, it was replaced, or its time is over."""
        if draft_id < _moment(now - KEPT_FOR):
            return None
        found = await self._vault.find(_path(account_id, draft_id), _Record)
        if found is None or found[0].holder != holder:
            return None
        # Its id is told by the page that shows it, and nowhere else.
        return LetterDraft(draft_id, account_id, found[0].letter, seen=True)

    @translate_errors("letter")
    async def page(self, draft: LetterDraft, number: int) -> bytes:
        """A page as PNG; pages count from 1. Raises `Refusal`: `NOT_FOUND`, `LETTER_REFUSED`."""
        if not 1 <= number <= draft.letter.pages:
            raise Refusal(ErrorType.NOT_FOUND, f"The letter has no page {number}; it has {draft.letter.pages}.")
        read = partial(read_cleaned, self._vault, draft.letter)
        return await self._letters.picture((draft.letter.sha256, number), read, draft.account_id)

    @asynccontextmanager
    async def opened(self, draft: LetterDraft) -> AsyncIterator[tuple[bytes, RenderedLetter]]:
        """The letter as it was sent, and as it was rendered and shown; as `LetterService.rendered` does it."""
        letter = draft.letter
        async with self._letters.turn(draft.account_id):
            yield (
                await read_original(self._vault, letter),
                RenderedLetter(
                    content=await read_cleaned(self._vault, letter),
                    sha256=letter.sha256,
                    pages=letter.pages,
                    original_sha256=letter.original.sha256,
                    original_type=letter.original.media_type,
                    original_bytes=letter.original.size_bytes,
                    signature=letter.signature,
                ),
            )

    async def discard(self, account_id: str) -> None:
        """Whatever lies there of the account, however old. What a vault that is away keeps goes the next time."""
        await self._clear(_folder(account_id))

    async def discard_old(self, now: datetime) -> None:
        """What nobody is shown any more, of every account: the letters that were never handed in."""
        await self._clear(_FOLDER, before=_moment(now - KEPT_FOR))

    async def keep_discarding(self, now: Callable[[], datetime]) -> Never:
        """`discard_old`, each hour, until it is cancelled."""
        while True:
            await self.discard_old(now())
            await asyncio.sleep(_CLEARED_EVERY.total_seconds())

    async def _clear(self, folder: str, before: str | None = None) -> None:
        with suppress(GatewayError):
            # Backwards: a record sorts after its letter, and goes before it.
            for path in reversed(await self._vault.list(folder)):
                if before is None or PurePosixPath(path).name < before:
                    await self._vault.discard(path)


def _moment(at: datetime) -> str:
    """Sorts by time, so that the names alone tell which drafts are old."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _folder(account_id: str) -> str:
    return f"{_FOLDER}/{account_id}"


def _path(account_id: str, draft_id: str) -> str:
    return f"{_folder(account_id)}/{draft_id}.json"
