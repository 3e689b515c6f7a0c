"""The smallest writer of a PDF that can write anything wrong."""

from functools import cache
from zlib import compress

Objects = list[bytes]

SAMPLE = b"BT /F1 24 Tf 72 720 Td (We agree to cancel the account.) Tj ET 0.82 0.08 0.12 rg 360 300 100 100 re f"
FONT = b"/Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<<%b/Length %d>>stream\n%b\nendstream" % (entries, len(data), data)


def flate(data: bytes, entries: bytes = b"") -> bytes:
    return stream(compress(data, 9), entries + b"/Filter/FlateDecode")


def file_of(objects: Objects, trailer: bytes = b"/Root 1 0 R", version: bytes = b"1.7") -> bytes:
    """Objects are numbered from 1; the first is the catalog."""
    made, places = b"%PDF-" + version + b"\n%\xe2\xe3\xcf\xd3\n", []
    parts = [made]
    at = len(made)
    for number, content in enumerate(objects, 1):
        part = b"%d 0 obj\n%b\nendobj\n" % (number, content)
        places.append(at)
        parts.append(part)
        at += len(part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, table))
    parts.append(b"trailer\n<</Size %d%b>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, at))
    return b"".join(parts)


def page(
    content: bytes = SAMPLE,
    *more: bytes,
    resources: bytes = b"",
    entries: bytes = b"",
    catalog: bytes = b"",
    box: bytes = b"0 0 595 842",
    body: bytes | None = None,
) -> bytes:
    """A file of one page. `more` are objects from number 5 on; `body` is the object of the page's content, number 4."""
    return file_of(
        [
            b"<</Type/Catalog/Pages 2 0 R%b>>" % catalog,
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[%b]/Contents 4 0 R/Resources<<%b%b>>%b>>"
            % (box, FONT, resources, entries),
            body or stream(content),
            *more,
        ]
    )


def picture_page(
    data: bytes, coding: bytes, width: int, height: int, space: bytes = b"/DeviceRGB", bits: int = 8
) -> bytes:
    """A page with one picture on it, coded as told."""
    entries = b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent %d/ColorSpace%b%b" % (
        width,
        height,
        bits,
        space,
        coding,
    )
    return page(b"q 500 0 0 700 40 40 cm /I Do Q", stream(data, entries), resources=b"/XObject<</I 5 0 R>>")


@cache
def zeros(size: int) -> bytes:
    """A thousandth of it, by Flate."""
    return compress(bytes(size), 1)
