"""Every way in which a command can fail, as one kind of answer: exit code, stable type, message, details."""

import traceback
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from cyclopts import CycloptsError, UnusedCliTokensError
from cyclopts.exceptions import STYLE_OFFENDING_VALUE, UnknownCommandError, UnknownOptionError
from pydantic import ValidationError
from pydantic_core import to_jsonable_python
from rich.console import Group, RenderableType
from rich.text import Text

from cli.answers import Answer, ExitCode, Show, UsageError
from domain.accounts import RefusalReason
from domain.business_calendar import CalendarError
from domain.checks import Check
from domain.errors import ErrorType, Refusal
from domain.phases import Phase, Step
from domain.tickets import IgnoredBecause, MissingPart
from i18n.catalogue import N_, SOURCE, translate
from i18n.formatting import labelled, yuan
from i18n.texts import text
from service.errors import Unreachable
from service.refusals import sentence

_TITLES: Final = {
    ExitCode.FAILED: N_("Failed"),
    ExitCode.USAGE: N_("Usage"),
    ExitCode.REFUSED: N_("Refused"),
    ExitCode.UNREACHABLE: N_("Unreachable"),
}

_CODES: Final[tuple[tuple[str, type[StrEnum], str], ...]] = (
    ("phase", Phase, N_("Phase")),
    ("due_step", Step, N_("Step that is due")),
    ("missing", MissingPart, N_("Missing")),
    ("could_not_tell", Check, N_("The platform could not tell")),
    ("fix_first", Check, N_("Fix first")),
    ("because", IgnoredBecause, N_("Because")),
    ("refusal", RefusalReason, N_("Because")),
)
"""Details that hold codes which somebody has to act on, and what to call them."""


@dataclass(frozen=True)
class Failure:
    code: ExitCode
    type: ErrorType
    message: str
    details: dict[str, Any] = field(default_factory=dict)
    shown: Show | None = None

    @property
    def data(self) -> dict[str, Any]:
        return {"error": {"type": self.type, "message": self.message, **to_jsonable_python(self.details)}}

    def answer(self) -> Answer:
        return Answer(self.data, self.show, self.code)

    def show(self, locale: str) -> RenderableType:
        head = Text.assemble(("✗ " + translate(locale, _TITLES[self.code]), "bold red"), f" ({self.type})")
        if locale != SOURCE:
            head.append(f" {sentence(self.type, self.details, locale)}")
        first = [self.shown(locale)] if self.shown else []
        return Group(*first, head, Text(self.message), *map(Text, self._facts(locale)))

    def _facts(self, locale: str) -> list[str]:
        facts = []
        if tries := self.details.get("tries_left"):
            facts.append(translate(locale, "Tries left: %(tries)s", tries=tries))
        if seconds := self.details.get("retry_after_seconds"):
            facts.append(translate(locale, "Try again in %(seconds)s s", seconds=seconds))
        if money := self.details.get("balance_fen"):
            facts.append(translate(locale, "Money: %(amount)s (%(fen)s fen)", amount=yuan(money, locale), fen=money))
        for name, kind, called in _CODES:
            label, found = translate(locale, called), self.details.get(name) or ()
            for code in [found] if isinstance(found, str) else found:
                if code in set(kind):
                    title, advice = text(kind(code), locale)
                    facts.append(labelled(label, f"{title}{advice and ' - '}{advice}", locale))
        return facts


def explain(error: Exception) -> Failure:
    """The one place where an error gets its exit code."""
    match error:
        case UsageError():
            return Failure(ExitCode.USAGE, ErrorType.BAD_INPUT, str(error), error.details, error.shown)
        case CycloptsError():
            return _usage(_as_typed(error))
        case ValidationError():
            wrong = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
            return _usage(f"Input or settings cannot be used: {'; '.join(wrong)}")
        case CalendarError():
            return _usage(str(error))
        case Refusal(type=ErrorType.NOT_NOW):
            return Failure(ExitCode.UNREACHABLE, error.type, error.message, error.details)
        case Refusal():
            return Failure(ExitCode.REFUSED, error.type, error.message, error.details)
        case Unreachable():
            return Failure(ExitCode.UNREACHABLE, error.type, str(error), error.details)
        case _:
            traceback.print_exception(error)
            return Failure(
                ExitCode.FAILED, ErrorType.INTERNAL_ERROR, "This is a bug of ours; its trace is on stderr. Report it."
            )


def _usage(message: str) -> Failure:
    return Failure(ExitCode.USAGE, ErrorType.BAD_INPUT, message)


def _as_typed(error: CycloptsError) -> str:
    """The parser's own words without the values: a code or a phone number may have landed in the wrong place."""
    if isinstance(error, UnusedCliTokensError):
        return "More words were typed than this command takes; see its --help."
    error.verbose = False
    message = error.__rich__()
    if not isinstance(error, UnknownCommandError | UnknownOptionError):
        for span in sorted(message.spans, reverse=True):
            if span.style == STYLE_OFFENDING_VALUE:
                message = message[: span.start] + Text("...") + message[span.end :]
    return f"{message.plain.rstrip('.')}; see --help."
