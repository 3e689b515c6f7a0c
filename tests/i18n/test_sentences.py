"""A sentence is one message: glued from pieces it could be right in two languages and wrong in the third."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from jinja2 import Environment, nodes

from tests.i18n.extraction import ROOT, extracted, forms

SEPARATORS = {", ", "; "}
"""Between the items of a list."""

UNFINISHED = re.compile(r"^[\s,.;:!?)]|[\s,;(]$")
"""What goes on from something, or is to be gone on with."""

SENTENCE_END = re.compile(r"[.?!:…”]$")
INLINE = re.compile(r"\s*(<(a|code|em|span|strong|time)\b[^>]*>?\s*)*")
"""Blanks, and tags that open within a text."""

TRANSLATORS = {"_", "gettext", "ngettext", "pgettext", "translate", "translate_plural"}


def test_no_message_is_the_beginning_or_the_end_of_something() -> None:
    said = {form for message in extracted() for form in forms(message.id)} - SEPARATORS
    assert [form for form in sorted(said) if UNFINISHED.search(form)] == []


def test_no_template_goes_on_where_a_message_has_ended() -> None:
    templates = ROOT / "console" / "templates"
    assert [glued for file in sorted(templates.rglob("*.html")) for glued in glued_in_template(file.read_text())] == []


def test_no_code_adds_to_a_message() -> None:
    packages = ("cli", "console", "i18n", "service")
    files = [file for package in packages for file in sorted((ROOT / package).rglob("*.py"))]
    assert [f"{file.relative_to(ROOT)}:{line}" for file in files for line in glued_in_code(file.read_text())] == []


@pytest.mark.parametrize(
    ("source", "glued"),
    [
        ('{{ _("A code was sent to your ") }}{{ channel }}', ["A code was sent to your "]),
        ('{{ _("Valid until") }} <time datetime="{{ at }}">{{ at }}</time>', ["Valid until"]),
        ('{{ ngettext("a try, until", "tries, until", n) }} {{ at }}', ["tries, until"]),
        ('{{ _("Valid until %(at)s", at=at) }} · {{ _("late") }}', []),
        ('{{ _("Nothing was sent.") }} {{ advice }}', []),
        ('<dt>{{ _("Account") }}</dt><dd>{{ account }}</dd>', []),
    ],
)
def test_a_value_beside_a_message_is_found(source: str, glued: list[str]) -> None:
    assert list(glued_in_template(source)) == glued


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('translate(locale, "until") + when', [1]),
        ('translate(locale, "until") + translate(locale, ", late")', [1]),
        ('until + translate(locale, " (late)") * late', [1]),
        ('"✗ " + translate(locale, "late")', []),
        ("f\"{when} {translate(locale, 'late', when=when)}\"", [1]),
    ],
)
def test_what_is_added_to_a_message_is_found(source: str, lines: list[int]) -> None:
    assert sorted(set(glued_in_code(source))) == lines


def glued_in_template(source: str) -> Iterator[str]:
    """Messages that a value follows on the spot."""
    parsed = Environment(extensions=["jinja2.ext.i18n"]).parse(source)
    for output in parsed.find_all(nodes.Output):
        parts = [
            part for part in output.nodes if not (isinstance(part, nodes.TemplateData) and INLINE.fullmatch(part.data))
        ]
        for one, next_one in pairwise(parts):
            message = message_of(one)
            if message and not isinstance(next_one, nodes.TemplateData) and not SENTENCE_END.search(message):
                yield message


def message_of(part: nodes.Node) -> str | None:
    if isinstance(part, nodes.Call) and isinstance(part.node, nodes.Name) and part.node.name in TRANSLATORS:
        found = [argument.value for argument in part.args if isinstance(argument, nodes.Const)]
        return found[-1] if found else None
    return None


def glued_in_code(source: str) -> Iterator[int]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.BinOp(left=left, op=ast.Add() | ast.Mult(), right=right):
                pieces = [left, right]
            case ast.JoinedStr(values=values):
                pieces = [value.value if isinstance(value, ast.FormattedValue) else value for value in values]
            case _:
                continue
        spoken = [piece for piece in pieces if not is_mark(piece)]
        if len(spoken) > 1 and any(map(translates, spoken)):
            yield node.lineno


def translates(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TRANSLATORS


def is_mark(node: ast.AST) -> bool:
    """Nothing that is read aloud: a tick, a dash, an indentation."""
    return isinstance(node, ast.Constant) and not re.search(r"\w", str(node.value))
