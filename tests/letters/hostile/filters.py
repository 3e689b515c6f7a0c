"""Bombs: a few bytes that a filter of PDF inflates to gigabytes, in content, pictures and the file's own structure."""

import struct
from base64 import a85encode
from zlib import compress

from tests.letters.hostile.building import page, picture_page, stream, zeros

MEBIBYTE = 1 << 20


def inflated(times: int) -> bytes:
    """What becomes 300 MiB of zeros."""
    data = zeros(300 * MEBIBYTE)
    for _ in range(times - 1):
        data = compress(data, 9)
    return data


def lzw(count: int) -> bytes:
    """Codes of growing length for one run of zeros: each stands for one byte more than the one before."""
    bits, length, code, out = 0, 0, 258, bytearray()

    def put(value: int, width: int) -> None:
        nonlocal bits, length
        bits, length = (bits << width) | value, length + width
        while length >= 8:
            length -= 8
            out.append((bits >> length) & 255)
        bits &= (1 << length) - 1

    for _ in range(count):
        put(256, 9)
        put(0, 9)
        for code in range(258, 4094):
            put(code, 9 if code < 511 else 10 if code < 1023 else 11 if code < 2047 else 12)
    put(257, 12)
    put(0, 8)
    return bytes(out)


def jpeg(width: int, height: int, kind: int = 0xC0) -> bytes:
    """A header that promises many pixels, and hardly any."""
    table = b"\xff\xdb\0\x43\0" + b"\x01" * 64
    frame = struct.pack(">BBHBHHB", 0xFF, kind, 17, 8, height, width, 3) + b"\x01\x11\0\x02\x11\0\x03\x11\0"
    codes = b"".join(b"\xff\xc4\0\x14" + bytes([n]) + b"\x01" + bytes(15) + b"\0" for n in (0, 16))
    scan = b"\xff\xda\0\x0c\x03\x01\0\x02\0\x03\0\0\x3f\0"
    return b"\xff\xd8" + table + frame + codes + scan + bytes(2000) + b"\xff\xd9"


def jpeg_2000(width: int, height: int, components: int = 3, tile: int | None = None) -> bytes:
    """A code stream of one tile, or of very many."""
    tile_width, tile_height = tile or width, tile or height
    size = (
        struct.pack(">HIIIIIIIIH", 0, width, height, 0, 0, tile_width, tile_height, 0, 0, components)
        + b"\x07\x01\x01" * components
    )
    coding = b"\0\0\0\x01\x01\x05\x04\x04\0\x01"
    quality = b"\x40" + b"\x48\x48\x50\x48\x48\x50\x48\x48\x50\x48\x48\x50\x48\x48\x50\x48"
    parts = ((b"\xff\x51", size), (b"\xff\x52", coding), (b"\xff\x5c", quality))
    head = b"\xff\x4f" + b"".join(marker + struct.pack(">H", len(data) + 2) + data for marker, data in parts)
    part = b"\xff\x90\0\x0a" + struct.pack(">HIBB", 0, 0, 0, 1) + b"\xff\x93" + bytes(64)
    return head + part + b"\xff\xd9"


def jbig2(width: int, height: int) -> bytes:
    size = struct.pack(">II", width, height)
    information = size + bytes(8) + b"\0\0\0"
    region = size + bytes(8) + b"\0\0" + b"\x03\xff\xfd\xff\x02\xfe\xfe\xfe" + bytes(64)
    heads = (
        struct.pack(">IBBBI", n, kind, 0, 1, len(part))
        for n, (kind, part) in enumerate(((48, information), (38, region)))
    )
    return next(heads) + information + next(heads) + region


def in_object_stream() -> bytes:
    """The catalog stands in a stream of objects that inflates to 300 MiB."""
    packed = compress(b"1 0 <</Type/Catalog/Pages 2 0 R>>" + b" " * (300 * MEBIBYTE), 1)
    head = b"%PDF-1.7\n2 0 obj\n<</Type/Pages/Kids[]/Count 0>>\nendobj\n"
    body = b"3 0 obj\n" + stream(packed, b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode") + b"\nendobj\n"
    places = [(0, 0, 65535), (2, 3, 0), (1, 9, 0), (1, len(head), 0), (1, len(head + body), 0)]
    rows = b"".join(struct.pack(">BIH", *place) for place in places)
    table = b"4 0 obj\n" + stream(rows, b"/Type/XRef/Root 1 0 R/Size 5/W[1 4 2]") + b"\nendobj\n"
    return head + body + table + b"startxref\n%d\n%%%%EOF\n" % len(head + body)


def with_cross_references(entries: bytes, data: bytes) -> bytes:
    head = (
        b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[]/Count 0>>\nendobj\n"
    )
    body = b"3 0 obj\n" + stream(data, b"/Type/XRef/Root 1 0 R" + entries + b"/Filter/FlateDecode") + b"\nendobj\n"
    return head + body + b"startxref\n%d\n%%%%EOF\n" % len(head)


def chain(times: int) -> bytes:
    data = bytes(MEBIBYTE)
    for _ in range(times):
        data = a85encode(data) + b"~>"
    return data


def profile_bomb() -> bytes:
    picture = stream(
        zeros(500 * 500 * 3),
        b"/Type/XObject/Subtype/Image/Width 500/Height 500/BitsPerComponent 8/ColorSpace[/ICCBased 6 0 R]/Filter/FlateDecode",
    )
    profile = stream(zeros(300 * MEBIBYTE), b"/N 3/Filter/FlateDecode")
    return page(b"q 500 0 0 700 40 40 cm /I Do Q", picture, profile, resources=b"/XObject<</I 5 0 R>>")


HUGE = 15_000
FILES = {
    "content inflates to 300 MiB": lambda: page(body=stream(inflated(1), b"/Filter/FlateDecode")),
    "content inflates twice": lambda: page(body=stream(inflated(2), b"/Filter[/FlateDecode/FlateDecode]")),
    "content of 300 MiB of operators": lambda: page(body=stream(compress(b"q Q " * (75 * MEBIBYTE), 1), b"/Filter/FlateDecode")),
    "a chain of a hundred filters": lambda: page(body=stream(b"q Q", b"/Filter[" + b"/ASCIIHexDecode" * 100 + b"]")),
    "a picture of Flate": lambda: picture_page(zeros(300 * MEBIBYTE), b"/Filter/FlateDecode", HUGE, HUGE),
    "a picture of LZW": lambda: picture_page(lzw(40), b"/Filter/LZWDecode", HUGE, HUGE),
    "a picture of run lengths": lambda: picture_page(b"\x81\0" * (2 * MEBIBYTE), b"/Filter/RunLengthDecode", HUGE, HUGE),
    "a picture of ASCII 85 in Flate": lambda: picture_page(compress(b"z" * (100 * MEBIBYTE) + b"~>", 1), b"/Filter[/FlateDecode/ASCII85Decode]", HUGE, HUGE),
    "a picture of ASCII 85 eight times": lambda: picture_page(chain(8), b"/Filter[" + b"/ASCII85Decode" * 8 + b"]", 4000, 4000),
    "a picture of JPEG": lambda: picture_page(jpeg(65_000, 65_000), b"/Filter/DCTDecode", 65_000, 65_000),
    "a picture of progressive JPEG": lambda: picture_page(jpeg(65_000, 65_000, 0xC2), b"/Filter/DCTDecode", 65_000, 65_000),
    "a picture of JPEG 2000": lambda: picture_page(jpeg_2000(60_000, 60_000), b"/Filter/JPXDecode", 60_000, 60_000),
    "a picture of JPEG 2000 in a million tiles": lambda: picture_page(jpeg_2000(60_000, 60_000, tile=60), b"/Filter/JPXDecode", 60_000, 60_000),
    "a picture of JPEG 2000 of 16384 colours": lambda: picture_page(jpeg_2000(4000, 4000, 16_384), b"/Filter/JPXDecode", 4000, 4000),
    "a picture of JBIG2": lambda: picture_page(jbig2(65_000, 65_000), b"/Filter/JBIG2Decode", 65_000, 65_000, b"/DeviceGray", 1),
    "a picture of JBIG2 beyond all numbers": lambda: picture_page(jbig2(0xFFFFFFFF, 0xFFFFFFFE), b"/Filter/JBIG2Decode", 1000, 1000, b"/DeviceGray", 1),
    "a picture of CCITT": lambda: picture_page(b"\x26\xa0" * 500_000, b"/Filter/CCITTFaxDecode/DecodeParms<</K -1/Columns 20000/Rows 20000>>", 20_000, 20_000, b"/DeviceGray", 1),
    "a predictor with a billion columns": lambda: picture_page(zeros(MEBIBYTE), b"/Filter/FlateDecode/DecodeParms<</Predictor 15/Colors 4/Columns 1000000000>>", 1000, 1000),
    "a picture of more pixels than numbers": lambda: picture_page(zeros(MEBIBYTE), b"/Filter/FlateDecode", 2_147_483_647, 2_147_483_647),
    "a picture of 104 million pixels": lambda: picture_page(zeros(300 * MEBIBYTE), b"/Filter/FlateDecode", 10_200, 10_200),
    "a stream of objects inflates": in_object_stream,
    "cross-references inflate": lambda: with_cross_references(b"/Size 20000000/W[4 4 4]", zeros(300 * MEBIBYTE)),
    "cross-references of two billion objects": lambda: with_cross_references(b"/Size 2147483647/W[1 4 2]", compress(bytes(100))),
    "cross-references as wide as numbers go": lambda: with_cross_references(b"/Size 4/W[2147483647 2147483647 2147483647]", compress(bytes(100))),
    "a colour profile inflates": profile_bomb,
}  # fmt: skip
