"""docs/glossary.md: each term once, and its Chinese is what the product says."""

import re
from itertools import chain

from tests.docs.documents import ROOT, rows

PAGE = (ROOT / "docs" / "glossary.md").read_text()
TERMS = [row for heading in re.findall(r"^## .+$", PAGE, re.MULTILINE) for row in rows(PAGE, heading)]

_FOLDERS = ("domain", "i18n", "service", "console", "cli", "simulator", "devtools")
_KINDS = ("*.py", "*.po", "*.toml", "*.md")
PRODUCT = "\n".join(
    path.read_text()
    for folder in _FOLDERS
    for path in chain.from_iterable((ROOT / folder).rglob(kind) for kind in _KINDS)
)


def test_a_term_stands_there_once_in_either_language() -> None:
    english, chinese = [row[0] for row in TERMS], [row[1] for row in TERMS]
    assert len(english) > 40
    assert len(set(english)) == len(english)
    assert len(set(chinese)) == len(chinese)


def test_the_chinese_is_what_the_product_says() -> None:
    words = {word.strip() for row in TERMS for word in row[1].split("·")}
    words |= {word for row in TERMS for word in re.findall(r"[\u4e00-\u9fff]+", row[2])}
    assert not [word for word in words if word not in PRODUCT]
