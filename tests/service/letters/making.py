"""Letters to send: small files, made as the programs of people make them."""

from collections.abc import Sequence
from io import BytesIO
from zlib import compress, crc32

from PIL import Image, ImageDraw

from service.letters.letter_service import LetterService

LETTERS = LetterService()
"""For whoever files the same letter again and again: it is rendered once."""

RED, GREEN, BLUE, GREY, WHITE = (200, 30, 30), (30, 150, 60), (40, 60, 190), (128, 128, 128), (255, 255, 255)


def quarters(size: tuple[int, int] = (300, 420)) -> Image.Image:
    """Four fields of colour within a white margin, in reading order: red, green, blue, grey."""
    width, height = size
    page = Image.new("RGB", size, WHITE)
    draw = ImageDraw.Draw(page)
    middle, centre = width // 2, height // 2
    draw.rectangle((20, 20, middle - 1, centre - 1), RED)
    draw.rectangle((middle, 20, width - 21, centre - 1), GREEN)
    draw.rectangle((20, centre, middle - 1, height - 21), BLUE)
    draw.rectangle((middle, centre, width - 21, height - 21), GREY)
    return page


def fields(page: Image.Image) -> list[tuple[int, ...]]:
    """The colours in the middle of the four fields, and of the margin."""
    page = page.convert("RGB")
    width, height = page.size
    at = [(x * width // 4, y * height // 4) for y in (1, 3) for x in (1, 3)]
    found = [page.getpixel(point) for point in (*at, (2, 2))]
    return [colour for colour in found if isinstance(colour, tuple)]


def saved(page: Image.Image, format: str, **options: object) -> bytes:
    file = BytesIO()
    page.save(file, format, **options)
    return file.getvalue()


def scan(format: str, **options: object) -> bytes:
    return saved(Image.radial_gradient("L").resize((300, 420)).convert("RGB"), format, **options)


def pdf(
    pages: int = 1, *, size: tuple[float, float] = (595, 842), text: str = "Letter of consent", page: str = ""
) -> bytes:
    """A PDF of some lines of text; `page` are more entries of each page's dictionary."""
    content = f"BT /F1 24 Tf 72 {size[1] - 90} Td ({text}) Tj ET"
    numbers = range(5, 5 + pages)
    return document(
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {pages} /Kids [{' '.join(f'{number} 0 R' for number in numbers)}] >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        stream(content),
        *[
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {size[0]} {size[1]}] /Contents 4 0 R "
            f"/Resources << /Font << /F1 3 0 R >> >> {page} >>"
            for _ in numbers
        ],
    )


def stream(content: str, entries: str = "") -> str:
    return f"<< /Length {len(content)} {entries} >>\nstream\n{content}\nendstream"


def document(*objects: str, trailer: str = "") -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalog."""
    made, places = b"%PDF-1.7\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(made))
        made += f"{number} 0 obj\n{each}\nendobj\n".encode("latin-1")
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n{table}"
    end += f"trailer\n<< /Size {len(places) + 1} /Root 1 0 R {trailer} >>\nstartxref\n{len(made)}\n%%EOF\n"
    return made + end.encode()


def pdf_with(*widgets: str, acro_form: str | None = "") -> bytes:
    """A PDF of one page with these fields and annotations; object 5 draws a filled red box, for their appearance.

    `acro_form` are entries of the document's own list of fields; None leaves it out.
    """
    numbers = range(6, 6 + len(widgets))
    all = " ".join(f"{number} 0 R" for number in numbers)
    listed = "" if acro_form is None else f"/AcroForm << /Fields [{all}] /DR << /Font << /F1 4 0 R >> >> {acro_form} >>"
    return document(
        f"<< /Type /Catalog /Pages 2 0 R {listed} >>",
        "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 400] /Annots [{all}] >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        stream("1 0 0 rg 0 0 100 100 re f", "/Type /XObject /Subtype /Form /BBox [0 0 100 100]"),
        *widgets,
    )


SEAL = (
    "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Seal) /Rect [50 50 350 350] /F 4 /AP << /N 5 0 R >> "
    "/V << /Type /Sig /Filter /Adobe.PPKLite /Contents <30> /ByteRange [0 1 2 3] >> >>"
)
"""A signature field that is signed: whether the signature is worth anything is another matter."""


def many_pixels(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that promises any number of pixels."""

    def chunk(type: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + type + data + crc32(type + data).to_bytes(4)

    header = width.to_bytes(4) + height.to_bytes(4) + bytes([1, 0, 0, 0, 0])
    parts: Sequence[bytes] = (chunk(b"IHDR", header), chunk(b"IDAT", compress(bytes(1000))), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
