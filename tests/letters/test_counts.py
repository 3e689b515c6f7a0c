"""What docs/security.md says was tried is what the tests beside this one try."""

from collections import Counter
from pathlib import Path

from tests.letters.corpus import genuine
from tests.letters.hostile import HOSTILE
from tests.letters.test_genuine import LETTERS

SECURITY = Path(__file__).parents[2] / "docs" / "security.md"

KINDS = {".pdf": "PDF", ".jpg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".heic": "HEIC", ".webp": "WebP"}
HARM = {
    "filters": "inflate: every filter of PDF",
    "pictures": "inflate or never end: every format of a picture",
    "structure": "circles, depths and numbers beyond all in a PDF",
    "content": "drawing that multiplies: forms, patterns, masks, fonts",
    "active": "scripts, actions, forms, attachments, films",
    "damage": "cut off, scrambled, locked, two formats at once, nothing",
}


def table() -> str:
    """The two tables of the document."""
    taken = Counter(KINDS[letter.path.suffix] for letter in genuine())
    tried = Counter(name.partition(":")[0] for name in HOSTILE)
    lines = ["| genuine letters | tried | taken | drawn wrong |", "|---|--:|--:|--:|"]
    lines += [f"| {kind} | {taken[kind]} | {taken[kind]} | 0 |" for kind in KINDS.values()]
    lines += [f"| **all** | **{len(LETTERS)}** | **{len(LETTERS)}** | **0** |", ""]
    lines += ["| hostile files | tried | ended within the limits | left active |", "|---|--:|--:|--:|"]
    lines += [f"| {words} | {tried[kind]} | {tried[kind]} | 0 |" for kind, words in HARM.items()]
    lines += [f"| **all** | **{len(HOSTILE)}** | **{len(HOSTILE)}** | **0** |"]
    return "\n".join(lines)


def test_the_document_says_how_many_letters_are_tried() -> None:
    assert table() in SECURITY.read_text(), f"docs/security.md has to say:\n\n{table()}"
