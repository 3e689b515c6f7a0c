"""Files that are two things at once, cut off, locked, scrambled, or nothing."""

from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from random import Random
from typing import Literal
from zipfile import ZipFile

import pikepdf
from PIL import Image

from tests.letters.corpus import FOLDER
from tests.letters.hostile.building import page
from tests.letters.hostile.pictures import png

HTML = b"<!doctype html><html><script>alert(document.cookie)</script></html>"


def zipped() -> bytes:
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Main-Class: Evil")
        archive.writestr("Evil.class", b"\xca\xfe\xba\xbe")
    return file.getvalue()


def picture(format: str) -> bytes:
    file = BytesIO()
    Image.radial_gradient("L").convert("RGB").save(file, format)
    return file.getvalue()


def scrambled(name: str, seed: int) -> bytes:
    """A genuine letter in which one byte of a thousand is another."""
    chance, data = Random(seed), bytearray((FOLDER / name).read_bytes())
    for _ in range(max(5, len(data) // 1000)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def font_scrambled(seed: int) -> bytes:
    """Only within the embedded font, which is not compressed: its tables still lead to each other."""
    chance, data = Random(seed), bytearray((FOLDER / "reportlab-uncompressed.pdf").read_bytes())
    start = data.index(b"stream", data.index(b"/Length1"))
    for _ in range(60):
        data[start + 10 + chance.randrange(8000)] = chance.choice((0, 255, 128, chance.randrange(256)))
    return bytes(data)


def cut(name: str, tenths: int) -> bytes:
    data = (FOLDER / name).read_bytes()
    return data[: len(data) * tenths // 10]


def locked(revision: Literal[3, 6]) -> bytes:
    file = BytesIO()
    with pikepdf.open(BytesIO(page())) as document:
        document.save(
            file,
            encryption=pikepdf.Encryption(
                owner="owner", user="secret", R=revision, aes=revision > 3, metadata=revision > 3
            ),
        )
    return file.getvalue()


LETTERS = {
    "PDF": "reportlab-plain.pdf", "PDF with streams of objects": "qpdf-object-streams.pdf", "JPEG": "jpeg-baseline.jpg",
    "PNG": "png-palette.png", "TIFF": "tiff-lzw.tif", "HEIC": "heic-pillow.heic", "WebP": "webp-lossy.webp",
}  # fmt: skip
LOCK = b"/Encrypt<</Filter/Standard/V 2/R 3/Length 128/P -4/O<%b>/U<%b>>>/ID[<00><00>]" % (b"11" * 32, b"22" * 32)

Built = Callable[[], bytes]


def noise(name: str) -> bytes:
    return (FOLDER / name).read_bytes()[:16] + Random(2).randbytes(50_000)


def of_each_kind() -> Iterator[tuple[str, Built]]:
    for kind, name in LETTERS.items():
        yield f"noise behind the first bytes of {kind}", partial(noise, name)
        for tenths in (1, 5, 9):
            yield f"{kind} cut off after {tenths} tenths", partial(cut, name, tenths)
        for seed in (1, 2):
            yield f"{kind} scrambled, {seed}", partial(scrambled, name, seed)
    for seed in range(1, 6):
        yield f"a font scrambled, {seed}", partial(font_scrambled, seed)


FILES: dict[str, Built] = {
    "one byte": lambda: b"%",
    "two bytes": lambda: b"\xff\xd8",
    "a megabyte of zeros": lambda: bytes(1 << 20),
    "a megabyte of noise": lambda: Random(1).randbytes(1 << 20),
    "words": "同意注销".encode,
    "as large as allowed": lambda: page() + bytes((20 << 20) - len(page())),
    "a web page": lambda: HTML,
    "an archive": zipped,
    "a program": lambda: b"\x7fELF\x02\x01\x01" + bytes(1000),
    "a PDF that is a web page": lambda: HTML + b"\n" + page(),
    "a PDF that is an archive": lambda: page() + zipped(),
    "a PDF in an archive's first bytes": lambda: b"PK\x03\x04" + page(),
    "a JPEG that is an archive": lambda: picture("JPEG") + zipped(),
    "a JPEG that is a web page": lambda: picture("JPEG")[:20] + b"\xff\xfe\0\x43" + HTML[:65].ljust(65) + picture("JPEG")[20:],
    "a GIF that is a Java program": lambda: b"GIF89a" + bytes(20) + zipped(),
    "a PNG that is a PDF": lambda: png(64, 64) + page(),
    "a JPEG that is a PDF": lambda: picture("JPEG") + page(),
    "a PDF that is a TIFF": lambda: b"II*\0\x08\0\0\0" + page(),
    "a PDF in a PDF": lambda: page(page()),
    "behind a password": lambda: locked(6),
    "behind an older password": lambda: locked(3),
    "behind a lock without a key": lambda: page().replace(b"/Root 1 0 R", b"/Root 1 0 R" + LOCK),
    "locked by an unknown lock": lambda: page().replace(b"/Root 1 0 R", b"/Root 1 0 R/Encrypt<</Filter/Adobe.PubSec/V 4/SubFilter/adbe.pkcs7.s5>>"),
    "locked by a lock that is itself": lambda: page().replace(b"/Root 1 0 R", b"/Root 1 0 R/Encrypt 1 0 R"),
    "only the first line of a PDF": lambda: b"%PDF-1.7\n",
    **dict(of_each_kind()),
}  # fmt: skip
