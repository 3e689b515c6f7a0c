"""What the documents point at exists: pages, files, and names in files."""

import ast
import re
from pathlib import Path

from tests.docs.documents import DOCUMENTS, ROOT, name, prose, spans

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_SYMBOL = re.compile(r"(?P<file>[\w/.-]+\.py)::(?P<symbol>[\w.]+)")
_FILE = re.compile(r"\.?(?:[\w-]+/)+[\w-]+\.(?:py|toml|md|sh|txt|yaml|yml)|(?:worker|starter)\.py|docker-compose\.yml")


def links(document: Path) -> list[Path]:
    """The files that a document links to."""
    targets = [target.partition("#")[0] for target in _LINK.findall(prose(document)) if "://" not in target]
    return [(document.parent / target).resolve() for target in targets if target]


def test_every_link_leads_to_a_file() -> None:
    assert not [(name(document), link) for document in DOCUMENTS for link in links(document) if not link.is_file()]


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        if document not in reached and document.suffix == ".md":
            reached.add(document)
            waiting += links(document)
    assert set(DOCUMENTS) <= reached


def test_every_file_that_is_named_exists() -> None:
    named = {(document, file) for document in DOCUMENTS for span in spans(document) for file in _FILE.findall(span)}
    assert len(named) > len(DOCUMENTS)
    assert not [
        (name(document), file)
        for document, file in named
        if not (ROOT / file).is_file() and not (document.parent / file).is_file()
    ]


def test_every_name_in_a_file_exists() -> None:
    named = {
        (match["file"], match["symbol"])
        for document in DOCUMENTS
        for span in spans(document)
        for match in _SYMBOL.finditer(span)
    }
    assert not [f"{file}::{symbol}" for file, symbol in named if symbol not in _symbols(ROOT / file)]


def test_the_page_of_rules_names_a_place_for_every_rule_but_two() -> None:
    page = ROOT / "docs" / "process.md"
    before_the_limits, _, _ = prose(page).partition("\n## Limits\n")
    lines = before_the_limits.splitlines()
    rules = [row for row in lines if row.startswith("| ") and not row.endswith("in the code |")]
    assert len(rules) > 25
    assert [row for row in rules if "::" not in row] == [
        "| Back up first. | It is in the notice; the service copies nothing. |",
        "| 5. After success the account can no longer be accessed. | the same deletion as in step 6 |",
    ]


def _symbols(file: Path) -> set[str]:
    """Names that a module defines, and `Class.member`."""
    found: set[str] = set()
    for node in ast.parse(file.read_text()).body:
        found |= set(_defined(node))
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{member}" for statement in node.body for member in _defined(statement)}
    return found


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]
