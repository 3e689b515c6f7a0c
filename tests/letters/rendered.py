"""Many letters rendered as the service renders them, two at once, for tests that look at each."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import service.letters
from service.letters.renderer import FONTS

PACKAGE = Path(service.letters.__path__[0])
BATCH = 25


@dataclass(frozen=True)
class Rendered:
    known: dict[str, Any]
    """What the process said (`problem`, or `media_type` and `pages`), whether it `failed`, and what it used."""
    content: bytes

    @property
    def problem(self) -> str | None:
        """As the service would answer: a process that fails could not render the letter."""
        return "CANNOT_BE_RENDERED" if self.known["failed"] else self.known.get("problem")


class Rendering:
    """Each letter's result, when it is there."""

    def __init__(self, files: list[Path], seconds: int, workers: ThreadPoolExecutor) -> None:
        self._batches: dict[Path, Future[dict[Path, Rendered]]] = {}
        for at in range(0, len(files), BATCH):
            batch = files[at : at + BATCH]
            self._batches |= dict.fromkeys(batch, workers.submit(_render, batch, seconds))

    def __getitem__(self, file: Path) -> Rendered:
        return self._batches[file].result()[file]


@contextmanager
def rendered(files: list[Path], *, seconds: int) -> Iterator[Rendering]:
    """`seconds` of the CPU are what each may use, instead of the service's ten: a bomb needs no more to be one."""
    workers = ThreadPoolExecutor(2)
    try:
        yield Rendering(files, seconds, workers)
    finally:
        workers.shutdown(cancel_futures=True)


def _render(files: list[Path], seconds: int) -> dict[Path, Rendered]:
    program = [PACKAGE / "confinement.py", Path(__file__).with_name("many.py"), FONTS, PACKAGE, str(seconds), *files]
    command = [sys.executable, "-I", *map(str, program)]
    out = memoryview(subprocess.run(command, stdout=subprocess.PIPE, check=True, env={}).stdout)
    made = {}
    for file in files:
        end = bytes(out[:4096]).index(b"\n")
        known = json.loads(bytes(out[:end]))
        content, out = out[end + 1 : end + 1 + known["length"]], out[end + 1 + known["length"] :]
        made[file] = Rendered(known, bytes(content))
    return made
