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
    """Each letter's result, as soon as it is there."""

    def __init__(self, files: list[Path], seconds: int, workers: ThreadPoolExecutor) -> None:
        self._results: dict[Path, Future[Rendered]] = {file: Future() for file in files}
        for at in range(0, len(files), BATCH):
            workers.submit(self._render, files[at : at + BATCH], seconds)

    def __getitem__(self, file: Path) -> Rendered:
        return self._results[file].result()

    def _render(self, files: list[Path], seconds: int) -> None:
        program = [PACKAGE / "confinement.py", Path(__file__).with_name("many.py"), FONTS, PACKAGE, seconds, *files]
        command = [sys.executable, "-I", *map(str, program)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env={}) as process:
            assert process.stdout is not None
            for file in files:
                try:
                    known = json.loads(process.stdout.readline())
                    self._results[file].set_result(Rendered(known, process.stdout.read(known["length"])))
                except ValueError as error:
                    self._results[file].set_exception(error)


@contextmanager
def rendered(files: list[Path], *, seconds: int) -> Iterator[Rendering]:
    """`seconds` of the CPU are what each may use, instead of the service's ten: a bomb needs no more to be one."""
    workers = ThreadPoolExecutor(2)
    try:
        yield Rendering(files, seconds, workers)
    finally:
        workers.shutdown(cancel_futures=True)
