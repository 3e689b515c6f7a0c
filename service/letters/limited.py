"""Runs one of this package's programs on hostile bytes, in a process that is limited and has nothing of ours."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_HERE: Final = Path(__file__).resolve().parent
_SECONDS: Final = 30.0
"""On the clock; it has 10 s of the CPU, which it may have to wait for."""
_CHUNK: Final = 1 << 20


class ProgramFailed(Exception):
    """It crashed, came to one of its limits, or said nothing that makes sense."""


@dataclass(frozen=True)
class Output:
    head: dict[str, Any]
    content: bytes


async def run(program: str, data: bytes, *arguments: str, most: int = 0) -> Output:
    """What `program` makes of `data`: a head, and a content of at most `most` bytes. Raises `ProgramFailed`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", str(_HERE / "confinement.py"), str(_HERE / program), *arguments),
        env={},
        cwd="/",
        stdin=PIPE,
        stdout=PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    feeding = asyncio.create_task(_feed(process, data))
    try:
        async with asyncio.timeout(_SECONDS):
            output = await _read(process, most)
            failed = await process.wait()
    except (TimeoutError, ValueError):
        raise ProgramFailed from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        # Nothing of it stays: neither itself, nor what it still had to say.
        await process.communicate()
        await feeding
    if failed:
        raise ProgramFailed
    return output


async def _feed(process: Process, data: bytes) -> None:
    assert process.stdin is not None
    # It may end, or refuse, before it has read everything.
    with suppress(BrokenPipeError, ConnectionResetError):
        for at in range(0, len(data), _CHUNK):
            process.stdin.write(memoryview(data)[at : at + _CHUNK])
            await process.stdin.drain()
    process.stdin.close()


async def _read(process: Process, most: int) -> Output:
    """Raises `ValueError` for a head that is none, and `ProgramFailed` for more than was asked for."""
    assert process.stdout is not None
    head = json.loads(await process.stdout.readline())
    content = bytearray()
    while chunk := await process.stdout.read(_CHUNK):
        content += chunk
        if len(content) > most:
            raise ProgramFailed
    return Output(head, bytes(content))
