"""What docs/security.md says was tried is what the tests beside this one try."""

from collections import Counter
from pathlib import Path

from tests.letters.corpus import genuine
from tests.letters.hostile import HOSTILE
from tests.letters.test_genuine import LETTERS

SECURITY = Path(__file__).parents[2] / "docs" / "security.md"

KINDS = {".pdf": "PDF", ".jpg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".heic": "HEIC", ".webp": "WebP"}
MAKERS = {
    "office": "LibreOffice",
    "browsers": "browsers and typesetters: Chromium, wkhtmltopdf, WeasyPrint, Typst",
    "reports": "ReportLab",
    "libraries": "libraries: fpdf2, pdf-lib, PDFKit, jsPDF, pdfmake, TCPDF, Prawn, PDF::API2, xhtml2pdf, Matplotlib",
    "printing": "what prints, converts and joins: Ghostscript, qpdf, MuPDF, poppler, pdftk, cairo, groff, librsvg",
    "forms": "stamps, filled-in forms and signatures: pyHanko, pypdf, pdftk, pikepdf",
    "scans": "scans in a PDF: img2pdf, OCRmyPDF, tiff2pdf, GraphicsMagick, Pillow, and each coding of a picture",
    "tiffs": "scans and faxes in a TIFF: libtiff, Ghostscript, ImageMagick",
    "pictures": "photos and screenshots: libjpeg, libheif, cwebp, ImageMagick, Pillow",
    "structure": "unusual or damaged, as copiers, mail programs and old tools leave them",
}
HARM = {
    "filters": "inflate: every filter of PDF",
    "pictures": "inflate or never end: every format of a picture",
    "structure": "circles, depths and numbers beyond all in a PDF",
    "content": "drawing that multiplies: forms, patterns, masks, fonts",
    "active": "scripts, actions, forms, attachments, films",
    "damage": "cut off, scrambled, locked, two formats at once, nothing",
}


def table() -> str:
    """The two tables of the document, and the line between them."""
    made = Counter(letter.maker for letter in genuine())
    taken = Counter(KINDS[letter.path.suffix] for letter in genuine())
    tried = Counter(name.partition(":")[0] for name in HOSTILE)
    lines = ["| genuine letters, made by | tried | taken | drawn wrong |", "|---|--:|--:|--:|"]
    lines += [f"| {words} | {made[maker]} | {made[maker]} | 0 |" for maker, words in MAKERS.items()]
    lines += [f"| **all** | **{len(LETTERS)}** | **{len(LETTERS)}** | **0** |", ""]
    lines += ["They are " + ", ".join(f"{taken[kind]} {kind}" for kind in KINDS.values()) + ".", ""]
    lines += ["| hostile files | tried | ended within the limits | left active |", "|---|--:|--:|--:|"]
    lines += [f"| {words} | {tried[kind]} | {tried[kind]} | 0 |" for kind, words in HARM.items()]
    lines += [f"| **all** | **{len(HOSTILE)}** | **{len(HOSTILE)}** | **0** |"]
    return "\n".join(lines)


def test_the_document_says_how_many_letters_are_tried() -> None:
    assert table() in SECURITY.read_text(), f"docs/security.md has to say:\n\n{table()}"
