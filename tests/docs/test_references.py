"""What code and documents refer to is in the repository."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.docs.documents import DOCUMENTS, ROOT, name

_KINDS = {".py", ".toml", ".yaml", ".yml", ".sql", ".sh", ".html", ".js", ".css"}
_PACKAGES = ("domain", "gateways", "activities", "workflows", "runtime", "i18n", "service", "cli", "console")
_FOLDERS = (*_PACKAGES, "simulator", "devtools", "deploy", "docs", "tests", ".github")

_ELSEWHERE = re.compile(r"(?i)\b(?:design|seed|spec|plan)(?:'s)?,? (?:section|chapter|page|step|condition|manual|\")")
"""Such as: design, section 4."""
_NUMBERED = re.compile(r"(?i)\bsections? \d")
_DOCUMENT = re.compile(r"\bdocs/[\w/.-]*\w\.(?:md|yaml)\b")


def texts() -> Iterator[tuple[Path, str]]:
    """Everything that is read as text; this file, which has to name what it looks for, left out."""
    for folder in _FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in _KINDS and path != Path(__file__):
                yield path, path.read_text()
    for path in (ROOT / "worker.py", ROOT / "starter.py", ROOT / "Makefile", ROOT / "pyproject.toml", *DOCUMENTS):
        yield path, path.read_text()


def test_nothing_refers_to_a_document_that_is_not_here() -> None:
    found = [
        f"{name(path)}: {match[0]}"
        for path, text in texts()
        for pattern in (_ELSEWHERE, _NUMBERED)
        for match in pattern.finditer(text)
    ]
    assert not found


def test_every_document_that_is_named_exists() -> None:
    named = {(name(path), document) for path, text in texts() for document in _DOCUMENT.findall(text)}
    assert len(named) > 20
    assert not [(path, document) for path, document in named if not (ROOT / document).is_file()]
