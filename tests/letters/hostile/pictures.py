"""Pictures that promise more than a machine can hold, or that take forever: PNG, JPEG, TIFF, WebP, HEIC and others."""

import struct
from io import BytesIO
from random import Random
from zlib import crc32

from PIL import Image

from tests.letters.hostile.building import zeros
from tests.letters.hostile.filters import MEBIBYTE, jpeg

# ---- PNG


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data))


def png(
    width: int,
    height: int,
    *,
    bits: int = 8,
    kind: int = 2,
    interlaced: int = 0,
    data: bytes | None = None,
    before: bytes = b"",
) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, interlaced)
    pixels = zeros(MEBIBYTE) if data is None else data
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + before + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


# ---- TIFF


def tiff(entries: dict[int, tuple[int, int]], *, next_at: int = 0, tail: bytes = b"", directories: int = 1) -> bytes:
    """Little-endian; each entry is a tag's type (3 short, 4 long) and value. All directories are the same."""
    rows = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, (kind, value) in sorted(entries.items()))
    size = 2 + len(rows) + 4
    made = b"II*\0" + struct.pack("<I", 8)
    for number in range(directories):
        following = 8 + size * (number + 1) if number < directories - 1 else next_at
        made += struct.pack("<H", len(entries)) + rows + struct.pack("<I", following)
    return made + tail


def bilevel(width: int, height: int, **changed: tuple[int, int]) -> dict[int, tuple[int, int]]:
    entries = {
        256: (4, width),
        257: (4, height),
        258: (3, 1),
        259: (3, 1),
        262: (3, 1),
        273: (4, 8),
        277: (3, 1),
        278: (4, height),
        279: (4, 1000),
    }
    return entries | {int(tag[1:]): value for tag, value in changed.items()}


def deflated_tiff(width: int, height: int) -> bytes:
    data = zeros(300 * MEBIBYTE)
    entries = bilevel(width, height, t258=(3, 8), t259=(3, 8), t279=(4, len(data)))
    entries[273] = (4, 8 + 2 + 12 * len(entries) + 4)
    return tiff(entries, tail=data)


# ---- WebP and HEIC


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def riff_chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def webp_lossless(width: int, height: int) -> bytes:
    bits = (width - 1) | (height - 1) << 14
    return riff(riff_chunk(b"VP8L", b"\x2f" + struct.pack("<I", bits) + bytes(500)))


def webp_animation(frames: int) -> bytes:
    file = BytesIO()
    Image.new("RGB", (64, 64)).save(file, "WEBP", lossless=True)
    picture = file.getvalue()[12:]
    side = struct.pack("<I", 16_000)[:3]
    frame = riff_chunk(b"ANMF", bytes(6) + b"\x3f\0\0\x3f\0\0" + bytes(4) + picture)
    return riff(riff_chunk(b"VP8X", b"\x02\0\0\0" + side * 2), riff_chunk(b"ANIM", bytes(6)), frame * frames)


def box(kind: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack(">I", len(data) + 8) + kind + data


def full(kind: bytes, *parts: bytes, version: int = 0) -> bytes:
    return box(kind, bytes((version, 0, 0, 0)), *parts)


FTYP = box(b"ftyp", b"heic", bytes(4), b"mif1heic")


def heic(width: int, height: int, *, tiles: int = 0, data: bytes = bytes(2000)) -> bytes:
    """One picture, or a grid that shows the same one again and again."""
    items = [(1, b"hvc1")] + ([(2, b"grid")] if tiles else [])
    info = b"".join(full(b"infe", struct.pack(">HH", item, 0), name, b"\0", version=2) for item, name in items)
    grid = struct.pack(">BBBBII", 0, 1, tiles - 1, tiles - 1, width, height) if tiles else b""
    size = full(b"ispe", struct.pack(">II", *((width, height) if not tiles else (64, 64))))
    whole = full(b"ispe", struct.pack(">II", width, height))
    hvcc = box(b"hvcC", b"\x01" + bytes(22))
    properties = box(
        b"iprp",
        box(b"ipco", size, whole, hvcc),
        full(
            b"ipma",
            struct.pack(">I", len(items)),
            struct.pack(">HBBB", 1, 2, 1, 3),
            struct.pack(">HBB", 2, 1, 2) if tiles else b"",
        ),
    )
    shown = min(tiles * tiles, 65_535)
    refers = [full(b"iref", box(b"dimg", struct.pack(">HH", 2, shown), struct.pack(">H", 1) * shown))] if tiles else []

    def meta(at: int) -> bytes:
        places = struct.pack(">HHHII", 1, 0, 1, at, len(data))
        places += struct.pack(">HHHII", 2, 0, 1, at + len(data), len(grid)) if tiles else b""
        return full(
            b"meta",
            full(b"hdlr", bytes(4), b"pict", bytes(13)),
            full(b"pitm", struct.pack(">H", 2 if tiles else 1)),
            full(b"iinf", struct.pack(">H", len(items)), info),
            *refers,
            properties,
            full(b"iloc", b"\x44\0", struct.pack(">H", len(items)), places),
        )

    at = len(FTYP) + len(meta(0)) + 8
    return FTYP + meta(at) + box(b"mdat", data, grid)


def nested_boxes(depth: int) -> bytes:
    inner = b"".join(struct.pack(">I", 8 * left) + b"iprp" for left in range(depth, 0, -1))
    return FTYP + full(b"meta", inner)


# ---- JPEG


def many_scans(side: int, scans: int) -> bytes:
    """Progressive, with a pass over every pixel for each few bytes."""
    file = BytesIO()
    Image.new("L", (side, side)).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    start = data.rindex(b"\xff\xda")
    return data[:-2] + data[start:-2] * scans + b"\xff\xd9"


def segments(count: int) -> bytes:
    return b"\xff\xd8" + (b"\xff\xe1\xff\xff" + bytes(65_533)) * count + jpeg(100, 100)[2:]


def exif_loop() -> bytes:
    ifd = struct.pack("<HHHIII", 1, 0x8769, 4, 1, 8, 8)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + ifd
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg(100, 100)[2:]


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%b">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]><svg xmlns='http://www.w3.org/2000/svg'><text>&j;</text></svg>"
)
MANY_PIXELS = (10_900, 10_900)
"""A little less than what is allowed."""

FILES = {
    "PNG of four billion pixels": lambda: png(65_535, 65_535),
    "PNG as wide as numbers go": lambda: png(2_147_483_647, 2_147_483_647),
    "PNG of one endless row": lambda: png(2_000_000_000, 1, bits=1, kind=0),
    "PNG of as many pixels as allowed": lambda: png(*MANY_PIXELS, data=zeros(MANY_PIXELS[1] * (MANY_PIXELS[0] + 1)), kind=0),
    "PNG of as many pixels, 16 bit, transparent, interlaced": lambda: png(*MANY_PIXELS, bits=16, kind=6, interlaced=1, data=zeros(300 * MEBIBYTE)),
    "PNG with text that inflates": lambda: png(100, 100, before=chunk(b"zTXt", b"Comment\0\0" + zeros(300 * MEBIBYTE))),
    "PNG with a profile that inflates": lambda: png(100, 100, before=chunk(b"iCCP", b"p\0\0" + zeros(300 * MEBIBYTE))),
    "PNG with a hundred thousand chunks": lambda: png(100, 100, before=chunk(b"tEXt", b"a\0b") * 100_000),
    "PNG whose pixels inflate beyond its size": lambda: png(10, 10, data=zeros(300 * MEBIBYTE)),
    "PNG of no pixels": lambda: png(0, 0),
    "JPEG of four billion pixels": lambda: jpeg(65_000, 65_000),
    "JPEG of as many pixels as allowed, progressive": lambda: jpeg(*MANY_PIXELS, 0xC2),
    "JPEG with thousands of scans": lambda: many_scans(4000, 3000),
    "JPEG with twenty megabytes of segments": lambda: segments(300),
    "JPEG whose EXIF leads in a circle": exif_loop,
    "JPEG of no pixels": lambda: jpeg(0, 0),
    "TIFF of four billion pixels": lambda: tiff(bilevel(65_535, 65_535)),
    "TIFF as wide as numbers go": lambda: tiff(bilevel(0xFFFFFFFF, 0xFFFFFFFF)),
    "TIFF with five thousand pages": lambda: tiff(bilevel(100, 100), directories=5000),
    "TIFF whose pages lead in a circle": lambda: tiff(bilevel(100, 100), next_at=8),
    "TIFF that inflates": lambda: deflated_tiff(10_000, 12_000),
    "TIFF that inflates beyond its size": lambda: deflated_tiff(100, 100),
    "TIFF in endless tiles": lambda: tiff(bilevel(1000, 1000, t322=(4, 0x7FFFFFF0), t323=(4, 0x7FFFFFF0), t324=(4, 8), t325=(4, 1000))),
    "TIFF with four billion samples": lambda: tiff(bilevel(1000, 1000, t277=(3, 65_535), t258=(3, 64))),
    "TIFF with strips beyond its end": lambda: tiff(bilevel(1000, 1000, t273=(4, 0xFFFFFF00), t279=(4, 0xFFFFFF00))),
    "TIFF of Group 4 that never ends": lambda: tiff(bilevel(20_000, 2000, t259=(3, 4), t273=(4, 200), t279=(4, 1_000_000)), tail=bytes(100) + b"\x26\xa0" * 500_000),
    "TIFF with sub-pages in a circle": lambda: tiff(bilevel(100, 100, t330=(4, 8), t34665=(4, 8))),
    "WebP of as many pixels as it has": lambda: webp_lossless(16_384, 16_384),
    "WebP of as many pixels as allowed": lambda: webp_lossless(*MANY_PIXELS),
    "WebP of ten thousand frames": lambda: webp_animation(10_000),
    "WebP that says it is longer than it is": lambda: b"RIFF\xff\xff\xff\xffWEBPVP8 \xff\xff\xff\x7f" + bytes(100),
    "HEIC of four billion pixels": lambda: heic(65_535, 65_535),
    "HEIC of a grid of the same tile": lambda: heic(16_384, 16_384, tiles=255),
    "HEIC of a grid as wide as numbers go": lambda: heic(0xFFFFFFFF, 0xFFFFFFFF, tiles=16),
    "HEIC with boxes a hundred thousand deep": lambda: nested_boxes(100_000),
    "HEIC with random pictures": lambda: heic(640, 480, data=Random(7).randbytes(20_000)),
    "GIF of four billion pixels": lambda: b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\x80\0\0" + bytes(6) + b"\x2c" + bytes(4) + b"\xff\xff\xff\xff\0\x02\x02\x4c\x01\0\x3b",
    "BMP of four billion pixels": lambda: b"BM" + struct.pack("<IHHIIiiHH", 1000, 0, 0, 54, 40, 65_535, 65_535, 1, 24) + bytes(500),
    "SVG with a billion laughs": lambda: LAUGHS,
    "PostScript that never ends": lambda: b"%!PS\n{ } loop\nshowpage\n",
    "EPS behind a PDF's first bytes": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%PDF-1.7\n{(/etc/passwd) (r) file 1000 string readstring} loop\n",
    "ICO, PSD and others by their first bytes": lambda: b"8BPS\0\x01" + bytes(6) + b"\0\x03" + struct.pack(">II", 30_000, 30_000) + b"\0\x08\0\x03" + bytes(100),
}  # fmt: skip
