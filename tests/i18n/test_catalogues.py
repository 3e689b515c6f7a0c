"""Every message is in every catalogue, with the same placeholders, and nothing is there that nobody says."""

import ast
import re
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo

from i18n.catalogue import SOURCE, catalogues, negotiate, own_name, translate, translate_plural
from tests.i18n.extraction import CATALOGUES, ROOT, catalogue, extracted, forms

PLACEHOLDER = re.compile(r"%(?:\(\w+\))?.")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
each_catalogue = pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.parts[-3])

SPOKEN_BY = ("cli", "console", "i18n", "service")
MARKED = {"translate": slice(1, 2), "translate_plural": slice(1, 3), "N_": slice(0, 1)}
"""What stands for a message in a call, by the function's name."""


@each_catalogue
def test_every_message_is_translated_and_no_other(file: Path) -> None:
    said = {(m.context, forms(m.id)) for m in extracted() if m.id}
    there = {(m.context, forms(m.id)): m for m in catalogue(file) if m.id}
    hint = "run `make messages`, then translate what is empty"
    assert not said - there.keys(), hint
    assert not there.keys() - said, f"nobody says these any more: {hint}"
    for message in there.values():
        assert not message.fuzzy, message.id
        assert all(forms(message.string)), f"{message.id}: {hint}"


@each_catalogue
def test_a_translation_has_the_placeholders_of_its_message(file: Path) -> None:
    for message in catalogue(file):
        if message.id:
            wanted = set(PLACEHOLDER.findall(forms(message.id)[-1]))
            for translation in forms(message.string):
                assert set(PLACEHOLDER.findall(translation)) == wanted, message.id


@each_catalogue
def test_what_is_compiled_is_what_is_written(file: Path) -> None:
    fresh = BytesIO()
    write_mo(fresh, catalogue(file))
    fresh.seek(0)
    with file.with_suffix(".mo").open("rb") as compiled:
        assert vars(GNUTranslations(compiled))["_catalog"] == vars(GNUTranslations(fresh))["_catalog"], (
            "run `make setup`"
        )


def test_every_message_in_the_source_can_be_extracted() -> None:
    """In an f-string it cannot: it would stay English for ever, and nobody would miss it."""
    found = {form for message in extracted() for form in forms(message.id)}
    for file in (python for package in SPOKEN_BY for python in (ROOT / package).rglob("*.py")):
        for call in ast.walk(ast.parse(file.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in MARKED:
                for message in call.args[MARKED[call.func.id]]:
                    if isinstance(message, ast.Constant):
                        assert message.value in found, f"{file.relative_to(ROOT)}:{message.lineno}"


def test_no_other_language_stands_in_what_is_said() -> None:
    said = [
        file
        for package in SPOKEN_BY
        for file in (ROOT / package).rglob("*")
        if file.suffix in (".py", ".html", ".js", ".svg")
    ]
    assert len(said) > 100
    for file in said:
        if file.suffix == ".py":
            tree = ast.parse(file.read_text())
            docstrings = {statement.value for statement in ast.walk(tree) if isinstance(statement, ast.Expr)}
            constants = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and n not in docstrings)
            words = " ".join(n.value for n in constants if isinstance(n.value, str))
        else:
            words = file.read_text()
        assert set(CHINESE.findall(words.replace(PROCESS, ""))) <= MARKS, file.relative_to(ROOT)


MARKS = set("休班")
"""On a holiday and on a make-up working day, as every Chinese calendar prints them."""
PROCESS = "账号注销"
"""The process's own name, in texts for developers."""


def test_english_needs_no_catalogue() -> None:
    assert translate(SOURCE, "Page %(number)s of %(pages)s", number=1, pages=2) == "Page 1 of 2"
    assert translate_plural(SOURCE, "%(num)s page", "%(num)s pages", 1) == "1 page"
    assert translate_plural(SOURCE, "%(num)s page", "%(num)s pages", 2) == "2 pages"
    assert translate_plural("zh-CN", "%(num)s page", "%(num)s pages", 1) == "1 页"


@pytest.mark.parametrize(
    ("wishes", "language"),
    [
        (["zh"], "zh-CN"),
        (["zh-TW"], "zh-CN"),
        (["zh_CN"], "zh-CN"),
        (["zh-Hans-CN"], "zh-CN"),
        (["ZH-cn"], "zh-CN"),
        (["en-GB"], "en"),
        (["tlh", "en"], "en"),
        (["tlh", "x-none"], None),
        (["C"], None),
        (["*", ""], None),
        ([], None),
    ],
)
def test_a_reader_gets_the_first_wish_that_there_is_a_language_for(wishes: list[str], language: str | None) -> None:
    assert negotiate(*wishes) == language


def test_a_language_is_called_as_it_calls_itself() -> None:
    assert [own_name(tag) for tag in ("en", "zh-CN")] == ["English", "中文"]
    assert all(own_name(tag) for tag in catalogues())
