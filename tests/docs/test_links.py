"""What the documents point at exists: pages, headings, files, and names in files."""

import ast
import re
from pathlib import Path

import pytest

from tests.docs.documents import DOCUMENTS, ROOT, name, prose, spans

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_SYMBOL = re.compile(r"(?P<file>[\w/.-]+\.py)::(?P<symbol>[\w.]+)")
_FILE = re.compile(r"(?:[\w-]+/)+[\w-]+\.(?:py|toml|md|sh|txt|yaml|yml)|(?:worker|starter)\.py|docker-compose\.yml")


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    targets = [target for target in _LINK.findall(prose(document)) if "://" not in target]
    broken = [target for target in targets if not (document.parent / target.partition("#")[0]).is_file()]
    assert not broken


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        if document in reached or document.suffix != ".md":
            continue
        reached.add(document)
        links = [target.partition("#")[0] for target in _LINK.findall(prose(document)) if "://" not in target]
        waiting += [(document.parent / link).resolve() for link in links if link]
    assert set(DOCUMENTS) <= reached


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_file_that_is_named_exists(document: Path) -> None:
    files = {file for span in spans(document) for file in _FILE.findall(span)}
    assert not [file for file in files if not (ROOT / file).is_file() and not (document.parent / file).is_file()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_name_in_a_file_exists(document: Path) -> None:
    named = {(match["file"], match["symbol"]) for span in spans(document) for match in _SYMBOL.finditer(span)}
    assert not [f"{file}::{symbol}" for file, symbol in named if symbol not in _symbols(ROOT / file)]


def test_the_page_of_rules_names_a_place_for_every_rule() -> None:
    page = ROOT / "docs" / "process.md"
    places = {match["file"] for span in spans(page) for match in _SYMBOL.finditer(span)}
    assert len(places) >= 15
    tables = [line for line in prose(page).splitlines() if line.startswith("| ") and not line.startswith("|---")]
    without = [row for row in tables if "::" not in row and "|" in row and not row.endswith("in the code |")]
    assert without == [
        "| Back up first. | It is in the notice; the service copies nothing. |",
        "| 5. After success the account can no longer be accessed. | the same deletion as in step 6 |",
    ]


def _symbols(file: Path) -> set[str]:
    """Names that a module defines, and `Class.member`."""
    found: set[str] = set()
    for node in ast.parse(file.read_text()).body:
        for symbol in _defined(node):
            found.add(symbol)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{member}" for statement in node.body for member in _defined(statement)}
    return found


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]
