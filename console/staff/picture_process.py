"""A program of its own: one page of a letter from standard input, as a PNG on standard output.

Run as a separate process without the service's settings: whatever a hostile file does to a parser happens here, where
nothing is to be had, and where it can be stopped. It imports nothing of this project.

Exit code 0 and a picture, or anything else and none.
"""

import sys
from io import BytesIO
from math import sqrt

MAX_PIXELS = 4_000_000
"""Of the picture made: an A4 page at 200 dpi."""
_MAX_SIDE = 10_000
_MAX_SCALE = 200 / 72
_MAX_SOURCE_PIXELS = 40_000_000
_MEMORY_BYTES = 1 << 30
_CPU_SECONDS = 10


def _limit() -> None:
    try:
        import resource  # noqa: PLC0415 - POSIX only
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def pdf_page(data: bytes, number: int) -> bytes:
    import pypdfium2  # noqa: PLC0415 - pictures need none

    document = pypdfium2.PdfDocument(data)
    page = document[number - 1]
    width, height = page.get_size()
    # A little below the limit: both sides are rounded up.
    scale = min(_MAX_SCALE, sqrt(0.99 * MAX_PIXELS / (width * height)), _MAX_SIDE / max(width, height))
    # Without forms: what a reviewer sees is the page and nothing laid over it by a program.
    return _png(page.render(scale=scale, may_draw_forms=False).to_pil())


def picture(data: bytes, format: str) -> bytes:
    from PIL import Image, ImageOps  # noqa: PLC0415 - as above

    Image.MAX_IMAGE_PIXELS = _MAX_SOURCE_PIXELS
    with Image.open(BytesIO(data), formats=(format,)) as source:
        if source.width * source.height > _MAX_SOURCE_PIXELS:
            raise ValueError("too many pixels")
        shrink = min(1, sqrt(MAX_PIXELS / (source.width * source.height)))
        size = max(1, int(source.width * shrink)), max(1, int(source.height * shrink))
        # Smaller first, and only then whatever makes copies: forty million pixels with transparency are 160 MB each.
        source.draft(source.mode, size)
        shown = source.resize(size) if source.mode not in ("1", "P") else source.convert("RGBA").resize(size)
        shown.getexif().update(source.getexif())
    shown = ImageOps.exif_transpose(shown)
    if shown.mode.startswith("I"):
        shown = shown.convert("F").point(lambda value: value / 257).convert("L")
    if shown.has_transparency_data:
        shown = Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown.convert("RGBA"))
    return _png(shown.convert("L" if shown.mode in ("L", "LA") else "RGB"))


def _png(shown: object) -> bytes:
    """The pixels alone: no profile, comment or location of the original."""
    from PIL import Image  # noqa: PLC0415 - as above

    assert isinstance(shown, Image.Image)
    clean = Image.new(shown.mode, shown.size)
    clean.paste(shown)
    file = BytesIO()
    clean.save(file, "PNG", compress_level=3)
    return file.getvalue()


def main() -> None:
    kind, number = sys.argv[1], int(sys.argv[2])
    _limit()
    data = sys.stdin.buffer.read()
    made = pdf_page(data, number) if kind == "PDF" else picture(data, kind)
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
