"""The documents, taken apart: links, code spans, fenced blocks, tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_AT_THE_TOP = ("README.md", "README.zh.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")

DOCUMENTS = [*(ROOT / name for name in _AT_THE_TOP), *sorted((ROOT / "docs").rglob("*.md"))]
READMES = [ROOT / "README.md", ROOT / "README.zh.md"]

_FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block; `info` is what follows the fence, such as `json SendCode`."""

    info: str
    text: str


def blocks(document: Path, info: str = "") -> list[Block]:
    found = (Block(match["info"].strip(), match["text"]) for match in _FENCE.finditer(document.read_text()))
    return [block for block in found if block.info.startswith(info)]


def prose(document: Path) -> str:
    """Everything but the fenced blocks."""
    return _FENCE.sub("", document.read_text())


def spans(document: Path) -> list[str]:
    """The `code` in the prose."""
    return _SPAN.findall(prose(document))


def typed(document: Path) -> Iterator[str]:
    """Everything that a reader may type: the lines of shell blocks without comments, and the code in the prose."""
    for block in blocks(document, "sh"):
        for line in block.text.replace("\\\n", " ").splitlines():
            yield re.sub(r"(^|\s+)#.*", "", line).strip()
    yield from spans(document)


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    section = text.split(f"\n{heading}\n", 1)[1]
    lines = re.search(r"^\|.*\n\|[-| ]+\n((?:\|.*\n)+)", section, re.MULTILINE)
    assert lines, f"no table below {heading}"
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[1].splitlines()]


def name(document: Path) -> str:
    """For the ids of parametrised tests."""
    return str(document.relative_to(ROOT))
