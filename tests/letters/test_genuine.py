"""Letters made by the programs that people use: each is taken, and what the reviewer sees is the letter."""

from collections.abc import Iterator
from hashlib import sha256

import pypdfium2
import pytest
from PIL import Image, ImageDraw, ImageOps

from tests.letters.corpus import FOLDER, Genuine, genuine, is_red, missing_and_added, small
from tests.letters.rendered import Rendering, rendered

LETTERS = list(genuine())
POINTS = 72.0


@pytest.fixture(scope="module")
def cleaned() -> Iterator[Rendering]:
    with rendered([letter.path for letter in LETTERS], seconds=10) as rendering:
        yield rendering


def pages(content: bytes) -> Iterator[tuple[float, float, Image.Image]]:
    """Width and height in points, and the page at 72 dpi."""
    with pypdfium2.PdfDocument(content) as document:
        for page in document:
            yield *page.get_size(), page.render().to_pil().convert("RGB")


def test_there_are_many_and_they_are_the_ones_that_are_known() -> None:
    assert len(LETTERS) >= 130
    assert {path.name for path in FOLDER.iterdir()} == {letter.name for letter in LETTERS}
    assert [x.name for x in LETTERS if sha256(x.data).hexdigest() != x.sha256] == []


@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: letter.name)
def test_a_genuine_letter_is_taken_and_looks_right(letter: Genuine, cleaned: Rendering) -> None:
    made = cleaned[letter.path]
    assert made.problem is None
    assert made.known["pages"] == len(letter.paper)
    for number, (width, height, picture) in enumerate(pages(made.content)):
        expected_width, expected_height = letter.paper[number]
        if letter.is_pdf:
            assert (width, height) == pytest.approx((expected_width, expected_height), rel=0.01)
        else:
            # A picture has no paper of its own: any that could be scanned, in the picture's proportions.
            assert width / height == pytest.approx(expected_width / expected_height, rel=0.01)
            assert 4 * POINTS < min(width, height) < 12 * POINTS
        seen = small(picture)
        assert missing_and_added(seen, letter.reference(number)) == (0, 0), f"page {number + 1}"
        for _, x, y in (seal for seal in letter.seals if seal[0] == number + 1):
            assert is_red(seen, x, y), f"the seal on page {number + 1}"


# ---- the comparison itself: what it must notice


def erased(picture: Image.Image, *box: float) -> Image.Image:
    """Without a part of it, given as fractions of width and height."""
    made = picture.copy()
    sides = zip(box, (*picture.size, *picture.size), strict=True)
    ImageDraw.Draw(made).rectangle([fraction * side for fraction, side in sides], fill="white")
    return made


def moved(picture: Image.Image) -> Image.Image:
    made = Image.new("RGB", picture.size, "white")
    made.paste(picture, (round(picture.width * 0.05), 0))
    return made


def blue_for_red(picture: Image.Image) -> Image.Image:
    red, green, blue = picture.split()
    return Image.merge("RGB", (blue, green, red))


WRONG = {
    "the seal is missing": lambda page: erased(page, 0.55, 0.48, 0.85, 0.72),
    "a line is missing": lambda page: erased(page, 0.10, 0.175, 0.90, 0.215),
    "half a line is missing": lambda page: erased(page, 0.10, 0.235, 0.30, 0.275),
    "the title is missing": lambda page: erased(page, 0.10, 0.05, 0.90, 0.13),
    "nothing is there": lambda page: Image.new("RGB", page.size, "white"),
    "upside down": lambda page: page.rotate(180),
    "mirrored": ImageOps.mirror,
    "black and white exchanged": ImageOps.invert,
    "the seal is blue": blue_for_red,
    "the seal is black": lambda page: page.convert("1").convert("RGB"),
    "a centimetre aside": moved,
}


@pytest.mark.parametrize("name", ["reportlab-plain.pdf", "chromium-print.pdf", "typst-plain.pdf", "fpdf2-plain.pdf"])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_page_that_is_drawn_wrong_would_be_noticed(name: str, wrong: str, cleaned: Rendering) -> None:
    letter = next(letter for letter in LETTERS if letter.name == name)
    ((_, _, page),) = pages(cleaned[letter.path].content)
    assert missing_and_added(small(page), letter.reference(0)) == (0, 0)
    assert missing_and_added(small(WRONG[wrong](page)), letter.reference(0)) != (0, 0)
