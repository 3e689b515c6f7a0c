"""What every genuine letter of the corpus says, and the tools that put it on paper."""

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from math import cos, pi, sin
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from fontTools import subset
from PIL import Image, ImageDraw, ImageFont

TITLE = "账号注销同意书"
LINES = (
    "致：示例云计算有限公司",
    "我公司同意注销账号一零零八六。",
    "We agree to cancel account 100086.",
    "二零二六年三月",
)
COMPANY = "示例科技有限公司"

A4 = (595.276, 841.89)
SEAL = (0.70, 0.60)
"""The middle of the seal on an A4 page, as fractions of width and height from the upper left corner."""
SEAL_WIDTH = 0.24
TITLE_TOP, LINES_TOP, LINE_STEP = 0.07, 0.18, 0.06
"""Fractions of the height, for whoever places each line."""

SANS = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
SUNG = Path("/usr/share/fonts/truetype/arphic-gbsn00lp/gbsn00lp.ttf")
"""With TrueType outlines, which is all that some libraries take."""
MORE = "草稿公章0123456789Received Signed by:-"


@cache
def small_font(source: Path = SUNG) -> Path:
    """The letters that are needed and no hints, so that each file of the corpus stays small."""
    options = subset.Options(hinting=False, font_number=2, name_IDs=["*"], layout_features=[])
    options.drop_tables += ["EBDT", "EBLC", "EBSC"]
    made = subset.load_font(str(source), options)
    tool = subset.Subsetter(options)
    tool.populate(text="".join((TITLE, *LINES, COMPANY, MORE)))
    tool.subset(made)
    file = Path(gettempdir(), f"letters-{source.stem}{'.otf' if 'CFF ' in made else '.ttf'}")
    subset.save_font(made, str(file), options)
    return file


@dataclass(frozen=True)
class Letter:
    """A file of the corpus, and what is known about it beyond its bytes."""

    name: str
    data: bytes
    pages: int = 1
    seals: tuple[tuple[int, float, float], ...] = ((1, *SEAL),)
    """Page, and the middle of a red seal on it as the reader sees it."""
    shown: tuple[Image.Image, ...] | None = None
    """How it has to look. Otherwise pdftoppm says it."""
    like: bytes | None = None
    """The undamaged PDF, where poppler cannot read the damaged one."""


def run(*command: str | Path, feed: bytes | None = None, at: Path | None = None, fails: Sequence[int] = ()) -> bytes:
    done = subprocess.run(
        [str(part) for part in command], input=feed, cwd=at, capture_output=True, check=False, timeout=180
    )
    if done.returncode and done.returncode not in fails:
        raise RuntimeError(f"{command[0]}: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout


def converted(data: bytes, suffix: str, to: str, *command: str) -> bytes:
    """What a program makes of a file. `{in}` and `{out}` in the command stand for the two."""
    with TemporaryDirectory() as folder:
        source, target = Path(folder, f"in{suffix}"), Path(folder, f"out{to}")
        source.write_bytes(data)
        run(*(part.replace("{in}", str(source)).replace("{out}", str(target)) for part in command), at=Path(folder))
        return target.read_bytes()


@cache
def font(size: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(SANS, size, index=2)


@cache
def seal(pixels: int = 240) -> Image.Image:
    """A round red company seal on a transparent ground."""
    size = pixels * 4
    made = Image.new("RGBA", (size, size), (210, 20, 30, 0))
    pen, red = ImageDraw.Draw(made), (210, 20, 30, 255)
    pen.ellipse((size * 0.01, size * 0.01, size * 0.99, size * 0.99), outline=red, width=size // 16)
    points = [
        (size * (0.5 + r * sin(k * pi / 5)), size * (0.5 - r * cos(k * pi / 5))) for k, r in enumerate([0.24, 0.10] * 5)
    ]
    pen.polygon(points, fill=red)
    pen.text((size / 2, size * 0.20), COMPANY, red, font(size * 0.075), anchor="mm")
    pen.text((size / 2, size * 0.82), "公章", red, font(size * 0.1), anchor="mm")
    return made.resize((pixels, pixels), Image.Resampling.LANCZOS)


@cache
def page(width: int = 827, height: int = 1169, *, sealed: bool = True) -> Image.Image:
    """The letter as a picture: A4 at 100 dpi, unless told otherwise."""
    made = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(made)
    pen.text((width / 2, height * (TITLE_TOP + 0.02)), TITLE, "black", font(width * 0.055), anchor="mm")
    for number, line in enumerate(LINES):
        pen.text((width * 0.12, height * (LINES_TOP + number * LINE_STEP)), line, "black", font(width * 0.028))
    if sealed:
        stamp = seal(round(width * SEAL_WIDTH))
        at = round(width * SEAL[0] - stamp.width / 2), round(height * SEAL[1] - stamp.height / 2)
        made.paste(stamp, at, stamp)
    return made


def encoded(picture: Image.Image, format: str, **options: object) -> bytes:
    file = BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


@cache
def seal_png(pixels: int = 112) -> bytes:
    """A palette keeps it at two kilobytes."""
    return encoded(seal(pixels).quantize(8), "PNG", optimize=True)


@cache
def seal_on_white(pixels: int = 112) -> bytes:
    """For programs that know no transparency."""
    stamp = seal(pixels)
    ground = Image.new("RGBA", stamp.size, "white")
    return encoded(Image.alpha_composite(ground, stamp).convert("RGB"), "PNG", optimize=True)


def html(*, size: str = "A4", seal_address: str = "seal.png", more: str = "") -> str:
    """The letter as a web page of one sheet; the seal stands where it always stands."""
    lines = "".join(f'<p style="top:{(LINES_TOP + n * LINE_STEP) * 297:.1f}mm">{x}</p>' for n, x in enumerate(LINES))
    left, top, width = (SEAL[0] - SEAL_WIDTH / 2) * 210, SEAL[1] * 297 - SEAL_WIDTH * 105, SEAL_WIDTH * 210
    return f"""<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{TITLE}</title><style>
@page {{ size: {size}; margin: 0 }}
@font-face {{ font-family: Letter; src: url({small_font(SANS)}) }}
html, body, input {{ margin: 0; padding: 0; font-family: Letter }}
div {{ position: relative; width: 210mm; height: 296mm; overflow: hidden }}
h1, p, img {{ position: absolute; margin: 0 }}
h1 {{ top: {TITLE_TOP * 297:.1f}mm; left: 0; width: 210mm; text-align: center; font-size: 24pt; font-weight: normal }}
p {{ left: 25mm; font-size: 12pt }}
img {{ left: {left:.1f}mm; top: {top:.1f}mm; width: {width:.1f}mm }}
</style></head><body><div><h1>{TITLE}</h1>{lines}<img src="{seal_address}" alt="公章">{more}</div></body></html>"""


def lines_at(width: float, height: float) -> Iterator[tuple[float, float, float, str]]:
    """Left, distance of the baseline from the top, size, text: for whoever draws each line."""
    yield width / 2 - 3.5 * 24, height * (TITLE_TOP + 0.03), 24, TITLE
    for number, line in enumerate(LINES):
        yield width * 0.12, height * (LINES_TOP + number * LINE_STEP + 0.014), 12, line
