"""What the messages say: `templates.toml`, filled in."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter

from domain.locale import Locale
from domain.notifications import Template

TEMPLATES = TypeAdapter(dict[Template, dict[Locale, tuple[str, str]]]).validate_python(
    tomllib.loads((Path(__file__).parent / "templates.toml").read_text())
)


class _Params(dict[str, str]):
    def __missing__(self, _name: str) -> str:
        return "-"


def printable(text: str) -> str:
    """One line: control characters become blanks."""
    return "".join(c if c.isprintable() else " " for c in text)


def render(template: Template, locale: Locale, params: Mapping[str, str]) -> tuple[str, str]:
    """Subject and text."""
    subject, text = TEMPLATES[template][locale]
    return subject, text.format_map(_Params((name, printable(value)) for name, value in params.items()))
