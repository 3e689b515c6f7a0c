"""How what is typed becomes values. No message repeats a value: people type phone numbers into the wrong place."""

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from cyclopts import CoercionError, Parameter, Token, convert
from pydantic import TypeAdapter, ValidationError

from domain.actors import Actor, Via
from domain.locale import Locale
from domain.model import TypedId, TypedSha256

T = TypeVar("T")

_LOCALES = {"zh": Locale.ZH, "zh-cn": Locale.ZH, "en": Locale.EN}


def _single(read: Callable[[str], T]) -> Callable[[Any, Sequence[Token]], T]:
    """A converter for one value. `read` raises `ValueError` with the sentence to show."""

    def converter(_: Any, tokens: Sequence[Token]) -> T:
        try:
            return read(tokens[0].value)
        except ValueError as error:
            raise CoercionError(msg=str(error), token=tokens[0]) from None

    return converter


def _valid(type_: Any, sentence: str) -> Callable[[str], str]:
    adapter = TypeAdapter[str](type_)

    def read(value: str) -> str:
        try:
            return adapter.validate_python(value)
        except ValidationError:
            raise ValueError(sentence) from None

    return read


def _instant(value: str) -> datetime:
    try:
        instant = datetime.fromisoformat(value)
        # OverflowError: the first and the last day of all time have no UTC.
        in_utc = instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("not a date and time in ISO 8601, such as 2026-09-30T10:00+08:00.") from None
    if instant.tzinfo is None:
        written = instant.isoformat()
        raise ValueError(f"the time zone is missing: write {written}+08:00 for Beijing time, or {written}Z for UTC.")
    return in_utc


def _locale(value: str) -> Locale:
    try:
        return _LOCALES[value.lower()]
    except KeyError:
        raise ValueError("choose zh or en.") from None


def _several(type_: Any, tokens: Sequence[Token]) -> Any:
    """Several codes, by commas or by repeating the option."""
    return convert(type_, [part for token in tokens for part in token.value.split(",")])


_OPAQUE = "an id has letters, digits, '.', '_' and '-' only, begins with a letter or digit, and has at most 64."

Id = Annotated[str, Parameter(converter=_single(_valid(TypedId, _OPAQUE)))]
Account = Annotated[Id, Parameter(help="The account's id.")]
ActingFor = Annotated[
    Id | None,
    Parameter(
        name="--as",
        help="Opaque id of the person for whom the step is taken; the account's own id unless given.",
    ),
]
TicketNo = Annotated[Id, Parameter(help="The ticket's number.")]
Digest = Annotated[str, Parameter(converter=_single(_valid(TypedSha256, "a digest has 64 characters, 0-9 and a-f.")))]
Moment = Annotated[datetime, Parameter(converter=_single(_instant))]
Language = Annotated[Locale, Parameter(converter=_single(_locale))]
Several = Parameter(converter=_several, negative=())
Flag = Annotated[bool, Parameter(negative=())]
OrStdin = Parameter(allow_leading_hyphen=True)
"""For a value that may be `-`: read from standard input, where no other user of the machine sees it."""


def actor(account: str, acting_for: str | None) -> Actor:
    """Who takes a step: what `--as` says, or the account's owner."""
    return Actor(subject=acting_for or account, via=Via.COMMAND_LINE)


def or_stdin(value: str) -> str:
    return sys.stdin.read().strip() if value == "-" else value
