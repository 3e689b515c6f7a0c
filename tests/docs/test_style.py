"""How the documents are written: short lines, whole sections, and the first screen of the READMEs."""

import re
from pathlib import Path

import pytest

from tests.docs.documents import DOCUMENTS, READMES, ROOT, blocks, name, rows

SECTIONS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
"""Of Keep a Changelog."""


@pytest.mark.parametrize("document", [*DOCUMENTS, ROOT / "tests" / "letters" / "README.md"], ids=name)
def test_lines_are_short_but_in_tables(document: Path) -> None:
    lines = enumerate(document.read_text().splitlines(), 1)
    assert not [number for number, line in lines if len(line) >= 120 and not line.startswith("|")]


@pytest.mark.parametrize("readme", READMES, ids=name)
def test_the_first_screen_has_one_picture_and_the_two_commands(readme: Path) -> None:
    first_screen = "\n".join(readme.read_text().splitlines()[:30])
    assert len(blocks(readme, "mermaid")) == 1
    assert "```mermaid\n" in first_screen
    assert "make test" in first_screen


def test_the_changelog_keeps_to_its_form() -> None:
    headings = re.findall(r"^(#{2,3}) (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    versions = [title for level, title in headings if level == "##"]
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", version) for version in versions[1:])
    assert {title for level, title in headings if level == "###"} <= set(SECTIONS)


def test_a_decision_is_listed_where_the_architecture_is() -> None:
    listed = [row[0] for row in rows((ROOT / "docs" / "architecture.md").read_text(), "## Decisions")]
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert listed == [f"[{page.name[:4]}](adr/{page.name})" for page in pages]
    for page in pages:
        title, *_ = page.read_text().splitlines()
        assert title.startswith(f"# {int(page.name[:4])}. ")
