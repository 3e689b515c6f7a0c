"""Files made to harm whoever opens them: each ends soon, in little memory, in a harmless page or a refusal."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest

from service.letters.problems import LetterProblem
from tests.letters.hostile import HARMLESS_ONCE_DRAWN, HOSTILE
from tests.letters.rendered import Rendering, rendered

SECONDS = 1
"""Of the CPU, for each. The service gives ten: whoever needs more than one is ended there by the same limit."""
MEMORY_BYTES = 512 << 20

EXPECTED = {
    "structure: ten thousand pages": LetterProblem.TOO_MANY_PAGES,
    "structure: a million times the same page": LetterProblem.TOO_MANY_PAGES,
    "structure: twenty-one pages": LetterProblem.TOO_MANY_PAGES,
    "pictures: TIFF with five thousand pages": LetterProblem.TOO_MANY_PAGES,
    "pictures: PNG of four billion pixels": LetterProblem.TOO_MANY_PIXELS,
    "pictures: JPEG of four billion pixels": LetterProblem.TOO_MANY_PIXELS,
    "pictures: TIFF of four billion pixels": LetterProblem.TOO_MANY_PIXELS,
    "pictures: HEIC of four billion pixels": LetterProblem.TOO_MANY_PIXELS,
    "damage: behind a password": LetterProblem.PASSWORD,
    "damage: behind an older password": LetterProblem.PASSWORD,
    "damage: a web page": LetterProblem.NOT_A_LETTER,
    "damage: an archive": LetterProblem.NOT_A_LETTER,
    "damage: a program": LetterProblem.NOT_A_LETTER,
    "damage: a GIF that is a Java program": LetterProblem.NOT_A_LETTER,
    "pictures: SVG with a billion laughs": LetterProblem.NOT_A_LETTER,
} | dict.fromkeys(HARMLESS_ONCE_DRAWN)
"""What a few of them have to be answered; the others may be drawn or refused, as the libraries of the day can."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    folder = tmp_path_factory.mktemp("hostile")
    made = {}
    for number, (name, build) in enumerate(HOSTILE.items()):
        made[name] = folder / str(number)
        made[name].write_bytes(build())
    yield made
    for file in made.values():
        file.unlink()


@pytest.fixture(scope="module")
def results(files: dict[str, Path]) -> Iterator[Rendering]:
    with rendered(list(files.values()), seconds=SECONDS) as rendering:
        yield rendering


def is_harmless(cleaned: bytes) -> bool:
    """Nothing but pages with one picture each: no action, script, field, note, attachment, font or text."""
    with pikepdf.open(BytesIO(cleaned)) as document:
        return {key for item in document.objects for key in _keys(item)} <= PAGES | PICTURES | DESCRIPTION


PAGES = {"/Type", "/Pages", "/Kids", "/Count", "/Parent", "/MediaBox", "/Rotate", "/Resources", "/Contents"}
PICTURES = {"/Subtype", "/Width", "/Height", "/ColorSpace", "/BitsPerComponent", "/Filter", "/DecodeParms", "/Length"}
DESCRIPTION = {"/Creator", "/CreationDate", "/BM", "/CA", "/ca"}
"""That pdfium wrote it and when, and that its pictures are not transparent."""


def _keys(item: pikepdf.Object) -> Iterator[str]:
    if isinstance(item, pikepdf.Dictionary | pikepdf.Stream):
        yield from item.keys()


def test_there_are_many() -> None:
    assert len(HOSTILE) >= 60


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_letter_ends_in_a_harmless_page_or_a_refusal(
    name: str, files: dict[str, Path], results: Rendering
) -> None:
    result = results[files[name]]
    assert result.known["seconds"] < SECONDS + 0.5
    assert result.known["bytes"] <= MEMORY_BYTES
    if name in EXPECTED:
        assert result.problem == EXPECTED[name]
    if result.problem is None:
        assert is_harmless(result.content)
    else:
        assert result.problem in set(LetterProblem)
