"""The letter as pictures that were drawn anew: a reviewer's browser never opens the file that somebody sent."""

import asyncio
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Final

from domain.tickets import LetterType, TicketForm
from runtime.intake import TicketIntake

_PROGRAM: Final = Path(__file__).with_name("picture_process.py")
_SECONDS: Final = 20.0
_AT_ONCE: Final = 2
_KEPT: Final = 3
"""Letters of at most 10 MiB each, kept while their pages are looked at."""


class CannotBeShown(Exception):
    """No picture could be made of this page. The file may still be downloaded."""


class Letters:
    def __init__(self) -> None:
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._drawing = asyncio.Semaphore(_AT_ONCE)

    async def file(self, intake: TicketIntake, form: TicketForm) -> bytes:
        """The letter itself. Raises what `TicketIntake.read_letter` does."""
        key = form.letter.sha256 if form.letter else ""
        if key not in self._kept:
            # Its hash is verified on the way, so the hash is a key that cannot lie.
            self._kept[key] = await intake.read_letter(form)
        self._kept.move_to_end(key)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]

    async def page(self, intake: TicketIntake, form: TicketForm, number: int) -> bytes:
        """One page as PNG; pages count from 1. Raises `CannotBeShown`, or what `file` does."""
        data = await self.file(intake, form)
        assert form.letter is not None
        if not 1 <= number <= form.letter.pages:
            raise CannotBeShown
        async with self._drawing:
            return await _draw(data, form.letter.media_type, number)


async def _draw(data: bytes, media_type: LetterType, number: int) -> bytes:
    process = await asyncio.create_subprocess_exec(
        # Isolated, and without our environment: it holds the keys of the vault.
        *(sys.executable, "-I", str(_PROGRAM), media_type.name, str(number)),
        env={},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_SECONDS):
            made, _ = await process.communicate(data)
    except TimeoutError:
        raise CannotBeShown from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode or not made.startswith(b"\x89PNG"):
        raise CannotBeShown
    return made
