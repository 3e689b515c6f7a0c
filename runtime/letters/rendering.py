"""A program of its own: whatever somebody sent as a letter, from standard input, as a cleaned PDF on standard output.

    confinement.py rendering.py FONTS           every page becomes a picture; a PDF of these pictures comes out
    confinement.py rendering.py FONTS NUMBER    one page of such a cleaned PDF, as a PNG

Out comes one line of JSON, and then the file. The line says what came in (`media_type`, `pages`, `has_signature`), or
why nothing comes out (`problem`). Whatever else happens, a crash or a limit too, means that it cannot be rendered.

It imports nothing of this project. Pages keep their paper's size and have at most 200 dots per inch.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from ctypes import POINTER, c_char, create_string_buffer
from io import BytesIO
from math import sqrt
from zipfile import BadZipFile, ZipFile

MAX_DPI = 200
MAX_PAGES = 20
MAX_SOURCE_PIXELS = 120_000_000
MAX_PAGE_PIXELS = 32_000_000
"""Of a picture made: A4 has four million at 200 dpi; whole chats of a phone, or a large drawing, have more."""
MAX_SIDE = 65_000
"""JPEG has no more."""
MAX_CLEANED_BYTES = 32 << 20
_QUALITIES = (85, 60, 30)
_A4_INCHES = 210 / 25.4
_PAPERS_INCHES = (100 / 25.4, 310 / 25.4)
"""The short side of a paper, A6 to A3. Any other size that a picture claims is a default of the program that saved it."""
_JUNK = 64 << 10
"""How far into a file a PDF may begin, behind what a scanner or a mail program put before it."""


class Problem(Exception):
    """Why this is refused; its only argument is the name of a `LetterProblem`."""


def media_type_of(data: bytes) -> str:
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "image/tiff"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp":
        return "image/heic"
    if b"%PDF-" in data[:_JUNK]:
        return "application/pdf"
    if is_ofd(data):
        raise Problem("OFD")
    raise Problem("NOT_A_LETTER")


def is_ofd(data: bytes) -> bool:
    """OFD, the fixed layout of Chinese offices (GB/T 33190), is a ZIP file that begins with its table of contents."""
    try:
        return data.startswith(b"PK") and "OFD.xml" in ZipFile(BytesIO(data)).namelist()
    except (BadZipFile, OSError, ValueError):
        return False


Page = tuple[bytes, float, float]
"""The picture as JPEG, and the size of its paper in inches."""


def jpeg(image, pages: int) -> bytes:  # type: ignore[no-untyped-def]
    """A page as the reviewer sees it. Raises `Problem` when there is nothing to see or it would be a giant."""
    image = image.copy_memory()
    if image.bands == 3 and not any((image[0] - image[band]).abs().max() for band in (1, 2)):
        image = image[0]
    for quality in _QUALITIES:
        # Colours at full resolution: a red seal over black print is what matters here.
        made: bytes = image.jpegsave_buffer(Q=quality, subsample_mode="off", keep="none")
        if len(made) <= MAX_CLEANED_BYTES // pages:
            return made
    raise Problem("CANNOT_BE_RENDERED")


# ---- pictures


def picture_pages(data: bytes, media_type: str) -> Iterator[Page]:
    import pyvips  # noqa: PLC0415 - whoever draws a page needs less

    if media_type == "image/heic":
        yield heic_page(data)
        return
    pages = 1
    if media_type == "image/tiff":
        header = pyvips.Image.new_from_buffer(data, "", access="sequential")
        pages = header.get_n_pages()
        if pages > MAX_PAGES:
            raise Problem("TOO_MANY_PAGES")
    for page in range(pages):
        options = f"page={page}" if media_type == "image/tiff" else ""
        header = pyvips.Image.new_from_buffer(data, options, access="sequential")
        paper, size = paper_of(header)

        def shrunk(options: str = options, size: tuple[int, int] = size):  # type: ignore[no-untyped-def]
            return pyvips.Image.thumbnail_buffer(
                *(data, size[0]), height=size[1], size="force", option_string=options, export_profile="srgb"
            )

        yield jpeg(on_white(shrunk()), pages), *paper


def heic_page(data: bytes) -> Page:
    import pi_heif  # noqa: PLC0415 - only these need it
    import pyvips  # noqa: PLC0415 - as above

    pi_heif.options.DECODE_THREADS = 1
    source = pi_heif.open_heif(BytesIO(data), convert_hdr_to_8bit=True)
    image = pyvips.Image.black(*source.size)
    paper, size = paper_of(image)
    bands = len(source.mode)
    image = pyvips.Image.new_from_memory(source.data, source.stride // bands, source.size[1], bands, "uchar")
    image = image.crop(0, 0, *source.size).copy(interpretation="srgb")
    return jpeg(on_white(image.thumbnail_image(size[0], height=size[1], size="force")), 1), *paper


def on_white(image):  # type: ignore[no-untyped-def]
    return image.flatten(background=255) if image.hasalpha() else image


def paper_of(header) -> tuple[tuple[float, float], tuple[int, int]]:  # type: ignore[no-untyped-def]
    """The paper of a picture in inches, and how many pixels it gets: never more than it has.

    Taken from the picture's own resolution where that makes a paper; else the short side is that of A4. A tall picture
    of a phone's screen is a tall page, so that it stays legible.
    """
    width, height = header.width, header.height
    if width * height > MAX_SOURCE_PIXELS:
        raise Problem("TOO_MANY_PIXELS")
    across, down = header.xres * 25.4, header.yres * 25.4
    if across <= 0 or down <= 0:
        across = down = 72.0
    if header.get_typeof("orientation") and 5 <= header.get("orientation") <= 8:
        width, height, across, down = height, width, down, across
    paper = width / across, height / down
    if not _PAPERS_INCHES[0] <= min(paper) <= _PAPERS_INCHES[1]:
        paper = paper[0] * _A4_INCHES / min(paper), paper[1] * _A4_INCHES / min(paper)
    dpi = min(MAX_DPI, max(width / paper[0], height / paper[1]))
    return paper, pixels_of(paper, dpi)


def pixels_of(paper: tuple[float, float], dpi: float) -> tuple[int, int]:
    dpi = min(dpi, sqrt(MAX_PAGE_PIXELS / (paper[0] * paper[1])), MAX_SIDE / max(paper))
    return max(1, round(paper[0] * dpi)), max(1, round(paper[1] * dpi))


# ---- PDF


def open_pdf(data: bytes):  # type: ignore[no-untyped-def]
    """Raises `Problem`. What pdfium cannot read is repaired by qpdf, which is better at some damages, and tried again."""
    import pypdfium2  # noqa: PLC0415 - pictures need it later, for the fonts' sake

    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (pypdfium2.raw.FPDF_ERR_PASSWORD, pypdfium2.raw.FPDF_ERR_SECURITY):
            raise Problem("PASSWORD") from None
    import pikepdf  # noqa: PLC0415 - seldom needed

    repaired = BytesIO()
    with pikepdf.Pdf.open(BytesIO(data)) as document:
        document.save(repaired)
    return pypdfium2.PdfDocument(repaired)


def pdf_pages(document) -> Iterator[Page]:  # type: ignore[no-untyped-def]
    import pyvips  # noqa: PLC0415 - as above

    document.init_forms()
    for page in document:
        paper = page.get_width() / 72, page.get_height() / 72
        scale = pixels_of(paper, MAX_DPI)[0] / page.get_width()
        bitmap = page.render(scale=scale, rev_byteorder=True, may_draw_forms=True, draw_annots=True)
        image = pyvips.Image.new_from_memory(bitmap.buffer, bitmap.width, bitmap.height, 3, "uchar")
        yield jpeg(image, len(document)), *paper
        page.close()


def has_signature(document) -> bool:  # type: ignore[no-untyped-def]
    from pypdfium2 import raw  # noqa: PLC0415 - as above

    signatures = (raw.FPDF_GetSignatureObject(document, at) for at in range(raw.FPDF_GetSignatureCount(document)))
    return any(raw.FPDFSignatureObj_GetContents(signature, None, 0) for signature in signatures)


# ---- out


def bound(pages: Iterable[Page]) -> tuple[bytes, int]:
    """One PDF of these pictures, and how many they are."""
    import pypdfium2  # noqa: PLC0415 - as above

    document = pypdfium2.PdfDocument.new()
    for picture, width, height in pages:
        page = document.new_page(width * 72, height * 72)
        image = pypdfium2.PdfImage.new(document)
        image.load_jpeg(BytesIO(picture), inline=True, autoclose=True)
        image.set_matrix(pypdfium2.PdfMatrix().scale(width * 72, height * 72))
        page.insert_obj(image)
        page.gen_content()
        page.close()
    made = BytesIO()
    document.save(made, version=17)
    return made.getvalue(), len(document)


def cleaned(data: bytes) -> tuple[dict[str, object], bytes]:
    media_type = media_type_of(data)
    signed = False
    if media_type == "application/pdf":
        document = open_pdf(data[data.index(b"%PDF-") :])
        if len(document) > MAX_PAGES:
            raise Problem("TOO_MANY_PAGES")
        signed = has_signature(document)
        made, pages = bound(pdf_pages(document))
    else:
        made, pages = bound(picture_pages(data, media_type))
    return {"media_type": media_type, "pages": pages, "has_signature": signed}, made


def drawn(data: bytes, number: int) -> tuple[dict[str, object], bytes]:
    import pypdfium2  # noqa: PLC0415 - as above
    import pyvips  # noqa: PLC0415 - as above

    (image,) = pypdfium2.PdfDocument(data)[number - 1].get_objects()
    made: bytes = pyvips.Image.new_from_buffer(bytes(image.get_data()), "").pngsave_buffer(compression=3)
    return {"media_type": "image/png"}, made


def look_for_fonts_in(folder: str) -> None:
    """pdfium looks at the machine's own folders otherwise. Before its Python library is imported, or it is too late."""
    import pypdfium2_raw as raw  # noqa: PLC0415 - first of all

    folders = (POINTER(c_char) * 2)(create_string_buffer(folder.encode()), None)
    raw.FPDF_InitLibraryWithConfig(raw.FPDF_LIBRARY_CONFIG(version=2, m_pUserFontPaths=folders))


def main() -> None:
    fonts, *numbers = sys.argv[1:]
    os.environ["VIPS_CONCURRENCY"] = "1"
    data = sys.stdin.buffer.read()
    look_for_fonts_in(fonts)
    try:
        head, made = drawn(data, int(numbers[0])) if numbers else cleaned(data)
    except Problem as problem:
        head, made = {"problem": str(problem)}, b""
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + made)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
