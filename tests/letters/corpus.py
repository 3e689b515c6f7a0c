"""The genuine letters, what is known about each, and how two pictures of a page are compared."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageFilter, ImageStat

HERE = Path(__file__).parent
FOLDER = HERE / "genuine"
REFERENCES = HERE / "references"
MANIFEST = HERE / "genuine.json"

LONG_SIDE = 192
"""Of a reference, in pixels: a line of print is three of them high, which is enough to miss it."""


@dataclass(frozen=True)
class Genuine:
    name: str
    sha256: str
    paper: list[tuple[float, float]]
    """Width and height of each page as it is read: points for a PDF, pixels for a picture."""
    seals: list[tuple[int, float, float]]
    """Page, and the middle of a red seal as fractions of width and height."""
    references: list[str]
    maker: str
    """Which program of `making/` made it."""

    @property
    def path(self) -> Path:
        return FOLDER / self.name

    @property
    def data(self) -> bytes:
        return self.path.read_bytes()

    @property
    def is_pdf(self) -> bool:
        return self.name.endswith(".pdf")

    def reference(self, page: int) -> Image.Image:
        """How a page has to look; pages count from 0."""
        with Image.open(REFERENCES / self.references[page]) as picture:
            return picture.convert("RGB")


def genuine() -> Iterator[Genuine]:
    for name, known in json.loads(MANIFEST.read_text()).items():
        yield Genuine(name, **known)


def small(picture: Image.Image) -> Image.Image:
    scale = LONG_SIDE / max(picture.size)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.convert("RGB").resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC)


def is_red(picture: Image.Image, x: float, y: float) -> bool:
    """Whether the middle of a seal is where it should be: its star or disc is three hundredths of the width."""
    reach = max(1.0, picture.width * 0.012)
    middle = x * picture.width, y * picture.height
    box = picture.crop((middle[0] - reach, middle[1] - reach, middle[0] + reach, middle[1] + reach))
    red, green, blue = ImageStat.Stat(box).mean
    return red - max(green, blue) > 50


CELL = 4
"""Pixels of a reference, six millimetres of A4."""
WEIGHT, TRACE = 2.2, 16
"""Another font for one that is not in the file has up to about twice the ink. A trace (of 255) is a hairline frame."""


def inks(picture: Image.Image, like: Image.Image) -> Image.Image:
    """How much red, green and blue each cell of the page takes from the white."""
    cells = max(2, round(like.width / CELL)), max(2, round(like.height / CELL))
    return ImageChops.invert(picture.resize(like.size, Image.Resampling.BOX)).resize(cells, Image.Resampling.BOX)


def unmatched(one: Image.Image, other: Image.Image) -> int:
    """How much ink (of 255) some cell has in one picture that neither it nor a neighbour has in the other."""
    near = other.filter(ImageFilter.MaxFilter(3)).point(lambda ink: min(255, round(ink * WEIGHT) + TRACE))
    return max(high for _, high in ImageStat.Stat(ImageChops.subtract(one, near)).extrema)


def missing_and_added(shown: Image.Image, expected: Image.Image) -> tuple[int, int]:
    """Both are zero where two renderers drew the same page."""
    is_there, should_be = inks(shown, expected), inks(expected, expected)
    return unmatched(should_be, is_there), unmatched(is_there, should_be)
