"""What a command gives back. Imports nothing heavy: `--help` comes through here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import RenderableType

PROGRAM = "python starter.py"
"""How people start the command line; it begins every command that is shown to them."""


class ExitCode(IntEnum):
    DONE = 0
    FAILED = 1
    """The demo did not end as it should, or a bug."""
    USAGE = 2
    REFUSED = 3
    """A rule said no."""
    UNREACHABLE = 4
    """Temporal, a worker, the platform or the vault did not answer, or not in time: try again."""
    STALLED = 5
    """`deletion`: it waits for operations."""
    STUCK = 6
    """`deletion`: it only retries, and goes on trying."""


ANSWERED = frozenset({ExitCode.DONE, ExitCode.STALLED, ExitCode.STUCK})
"""With these a command did what it was asked, and its answer is on stdout."""

Show = Callable[[str], "RenderableType"]


@dataclass(frozen=True)
class Answer:
    """One answer in two forms: `data` for programs (a JSON object), `show` for people."""

    data: "BaseModel | Mapping[str, Any]"
    show: Show
    code: int = ExitCode.DONE


class UsageError(Exception):
    """Something has to be typed, or set, differently.

    Attributes:
        shown: what people have to read first.
        details: machine-readable facts, such as the digest to confirm.
    """

    def __init__(self, message: str, *, shown: Show | None = None, **details: object) -> None:
        super().__init__(message)
        self.shown = shown
        self.details = details
