"""A program of its own: whatever somebody sent as a letter, from standard input, as a cleaned PDF on standard output.

    confinement.py rendering.py FONTS           every page becomes a picture; a PDF of these pictures comes out
    confinement.py rendering.py FONTS NUMBER    one page of such a cleaned PDF, as a PNG

Out comes one line of JSON, and then the file. The line says what came in (`media_type`, `pages`, `has_signature`), or
why nothing comes out (`problem`). Whatever else happens, a crash or a limit too, means that it cannot be rendered.

It imports nothing of this project. Pages keep their paper's size and have at most 200 dots per inch.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from ctypes import POINTER, c_char, cast, create_string_buffer
from io import BytesIO
from math import sqrt
from typing import Any
from zipfile import BadZipFile, ZipFile

import pi_heif
import pypdfium2
import pyvips
from pypdfium2 import raw

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
"""The short side of a paper, A6 to A3. What a picture claims beyond that is a default of the program that saved it."""
_SCANNED_DPI = 100
"""72 and 96 are those of a screen, and say nothing of paper."""
_LONGEST_INCHES = 200
"""A page of a PDF has no more."""
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_PDF = b"%PDF"
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
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        return "image/heic"
    if _PDF in data[:_JUNK]:
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


Picture = Any
"""Of pyvips, which has no types; nor has pypdfium2."""
Document = Any
Page = tuple[Picture, float, float]
"""What the reviewer sees, and the size of its paper in inches."""


# ---- pictures


def page_count(data: bytes, media_type: str) -> int:
    """Of the others only the first picture counts: the rest are previews, brighter versions, or a film."""
    return pyvips.Image.new_from_buffer(data, "").get_n_pages() if media_type == "image/tiff" else 1


def picture_pages(data: bytes, media_type: str, count: int) -> Iterator[Page]:
    if media_type == "image/heic":
        yield heic_page(data)
        return
    for at in range(count):
        options = f"page={at}" if media_type == "image/tiff" else ""
        header = pyvips.Image.new_from_buffer(data, options, access="sequential")
        paper, (width, height) = paper_of(header)
        image = pyvips.Image.thumbnail_buffer(
            data, width, height=height, size="force", option_string=options, **to_screen(header)
        )
        yield on_white(image), *paper


def heic_page(data: bytes) -> Page:
    pi_heif.options.DECODE_THREADS = 1
    source = pi_heif.open_heif(BytesIO(data), convert_hdr_to_8bit=True)
    (width, height), bands = source.size, len(source.mode)
    within_pixels(width, height)
    image = pyvips.Image.new_from_memory(source.data, source.stride // bands, height, bands, "uchar")
    image = image.crop(0, 0, width, height).copy(interpretation="srgb" if bands > 2 else "b-w")
    if profile := source.info.get("icc_profile"):
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    # Its own marks of how it is turned have been obeyed by now; what else it says counts only where there are none.
    if (orientation := pi_heif.set_orientation(source.info)) and b"irot" not in data and b"imir" not in data:
        image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    paper, (width, height) = paper_of(image)
    image = image.thumbnail_image(width, height=height, size="force", **to_screen(image))
    # Drawn here: the pixels are gone with `source`.
    return on_white(image).copy_memory(), *paper


def to_screen(header: Picture) -> dict[str, str]:
    """How colours become those of a screen. Twenty pages would take too long where they are that already."""
    are = header.interpretation in ("b-w", "srgb") and not header.get_typeof("icc-profile-data")
    return {} if are else {"export_profile": "srgb"}


def within_pixels(width: int, height: int) -> None:
    if width * height > MAX_SOURCE_PIXELS:
        raise Problem("TOO_MANY_PIXELS")


def on_white(image: Picture) -> Picture:
    return image.flatten(background=255) if image.hasalpha() else image


def paper_of(header: Picture) -> tuple[tuple[float, float], tuple[int, int]]:
    """The paper of a picture in inches, and how many pixels it gets: never more than it has.

    Taken from the picture's own resolution where that makes a paper; else the short side is that of A4. A tall picture
    of a phone's screen is a tall page, so that it stays legible.
    """
    width, height = header.width, header.height
    within_pixels(width, height)
    across, down = header.xres * 25.4, header.yres * 25.4
    if min(across, down) < 1 or max(across, down) < _SCANNED_DPI:
        across = down = 1.0
    if header.get_typeof("orientation") and 5 <= header.get("orientation") <= 8:
        width, height, across, down = height, width, down, across
    paper = width / across, height / down
    if not _PAPERS_INCHES[0] <= min(paper) <= _PAPERS_INCHES[1]:
        short = min(_A4_INCHES, _LONGEST_INCHES * min(paper) / max(paper))
        paper = paper[0] * short / min(paper), paper[1] * short / min(paper)
    dpi = min(MAX_DPI, max(width / paper[0], height / paper[1]))
    return paper, pixels_of(paper, dpi)


def pixels_of(paper: tuple[float, float], dpi: float) -> tuple[int, int]:
    dpi = min(dpi, sqrt(MAX_PAGE_PIXELS / (paper[0] * paper[1])), MAX_SIDE / max(paper))
    return max(1, round(paper[0] * dpi)), max(1, round(paper[1] * dpi))


# ---- PDF


def cleaned_pdf(data: bytes) -> tuple[bytes, int, bool]:
    """The pictures of its pages, how many they are, and whether it has been signed.

    pdfium repairs what it opens. Raises `Problem`, and `PdfiumError` for what it cannot read.
    """
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise Problem("PASSWORD") from None
        raise
    draw_fields(document)
    count = within_limit(len(document))
    return bound(pdf_pages(document), count), count, has_signature(document)


def repaired(data: bytes) -> bytes:
    """By qpdf, which finds the pages where the table of contents is lost, or lies."""
    import pikepdf  # noqa: PLC0415 - seldom needed

    made = BytesIO()
    with pikepdf.Pdf.open(BytesIO(data)) as document:
        document.save(made)
    return made.getvalue()


def pdf_pages(document: Document) -> Iterator[Page]:
    for page in document:
        paper = page.get_width() / 72, page.get_height() / 72
        scale = pixels_of(paper, MAX_DPI)[0] / page.get_width()
        bitmap = page.render(scale=scale, rev_byteorder=True, may_draw_forms=True, draw_annots=True)
        image = pyvips.Image.new_from_memory(bitmap.buffer, bitmap.width, bitmap.height, 3, "uchar")
        yield image, *paper
        page.close()


def draw_fields(document: Document) -> None:
    """Signatures and filled-in fields are drawn, also where a document has lost the list of them.

    The library's own `init_forms` does nothing without that list. To be called before any page is opened.
    """
    config = raw.FPDF_FORMFILLINFO(version=2)
    document.formenv = pypdfium2.PdfFormEnv(raw.FPDFDOC_InitFormFillEnvironment(document, config), config)


def has_signature(document: Document) -> bool:
    """Whether any signature field has been signed, in the document's list of fields or on a page."""
    listed = (raw.FPDF_GetSignatureObject(document, at) for at in range(raw.FPDF_GetSignatureCount(document)))
    if any(raw.FPDFSignatureObj_GetContents(signature, None, 0) for signature in listed):
        return True
    for page in document:
        for at in range(raw.FPDFPage_GetAnnotCount(page)):
            field = raw.FPDFPage_GetAnnot(page, at)
            kind = raw.FPDFAnnot_GetFormFieldType(document.formenv, field)
            signed = kind == raw.FPDF_FORMFIELD_SIGNATURE and raw.FPDFAnnot_HasKey(field, b"V")
            raw.FPDFPage_CloseAnnot(field)
            if signed:
                return True
    return False


# ---- out


def bound(pages: Iterable[Page], count: int) -> bytes:
    """One PDF of these pictures. Raises `Problem` where there is nothing to be seen, or far too much."""
    document, blank = pypdfium2.PdfDocument.new(), True
    for picture, width, height in pages:
        image = in_few_colours(picture.copy_memory())
        blank = blank and image.min() == image.max()
        page = document.new_page(width * 72, height * 72)
        drawn = pypdfium2.PdfImage.new(document)
        drawn.load_jpeg(BytesIO(jpeg(image, MAX_CLEANED_BYTES // count)), inline=True, autoclose=True)
        drawn.set_matrix(pypdfium2.PdfMatrix().scale(width * 72, height * 72))
        page.insert_obj(drawn)
        page.gen_content()
        page.close()
    if blank:
        raise Problem("CANNOT_BE_RENDERED")
    made = BytesIO()
    document.save(made, version=17)
    return made.getvalue()


def in_few_colours(image: Picture) -> Picture:
    """Most letters are grey, which takes a third."""
    grey = image.bands == 3 and not any((image[0] - image[band]).abs().max() for band in (1, 2))
    return image[0] if grey else image


def jpeg(image: Picture, most: int) -> bytes:
    for quality in _QUALITIES:
        # Colours at full resolution: a red seal over black print is what matters here.
        made: bytes = image.jpegsave_buffer(Q=quality, subsample_mode="off", keep="none")
        if len(made) <= most:
            return made
    raise Problem("CANNOT_BE_RENDERED")


def cleaned(data: bytes) -> tuple[dict[str, object], bytes]:
    media_type = media_type_of(data)
    if media_type == "application/pdf":
        data = data[data.index(_PDF) :]
        try:
            made, count, signed = cleaned_pdf(data)
        except pypdfium2.PdfiumError:
            made, count, signed = cleaned_pdf(repaired(data))
    else:
        count, signed = within_limit(page_count(data, media_type)), False
        made = bound(picture_pages(data, media_type, count), count)
    return {"media_type": media_type, "pages": count, "has_signature": signed}, made


def within_limit(pages: int) -> int:
    if pages > MAX_PAGES:
        raise Problem("TOO_MANY_PAGES")
    return pages


def drawn(data: bytes, number: int) -> tuple[dict[str, object], bytes]:
    (image,) = pypdfium2.PdfDocument(data)[number - 1].get_objects()
    made: bytes = pyvips.Image.new_from_buffer(bytes(image.get_data()), "").pngsave_buffer(compression=3)
    return {"media_type": "image/png"}, made


def look_for_fonts_in(folder: str) -> None:
    """pdfium looks at the machine's own folders otherwise. It reads this when it begins, so it has to begin anew."""
    name = cast(create_string_buffer(folder.encode()), POINTER(c_char))
    raw.FPDF_DestroyLibrary()
    raw.FPDF_InitLibraryWithConfig(
        raw.FPDF_LIBRARY_CONFIG(version=2, m_pUserFontPaths=(POINTER(c_char) * 2)(name, POINTER(c_char)()))
    )


def main() -> None:
    fonts, *numbers = sys.argv[1:]
    look_for_fonts_in(fonts)
    data = sys.stdin.buffer.read()
    try:
        head, made = drawn(data, int(numbers[0])) if numbers else cleaned(data)
    except Problem as problem:
        head, made = {"problem": str(problem)}, b""
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + made)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
