"""The stamped letter of consent: its template, and the inspection before it is stored (design, section 4, the ticket).

The first bytes choose one parser out of three, and that parser must then accept the whole file.
"""

import re
from collections.abc import Callable
from copy import deepcopy
from enum import StrEnum
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from time import thread_time
from typing import Final

from PIL import Image
from pypdf import PdfReader, apply_configuration
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, NameObject

from domain.errors import ErrorType, Refusal
from domain.locale import Locale
from domain.model import Count, Model, Sha256Hex
from domain.tickets import LetterType

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_PAGES: Final = 20
MAX_PIXELS: Final = 40_000_000
"""A4 at 600 dpi has 35 million."""
MAX_PDF_NODES: Final = 100_000
"""Dictionaries, arrays and values of a PDF. A scan of 20 pages has some hundreds."""
MAX_INFLATED_BYTES: Final = 1 << 20
"""Of any one compressed stream of the PDF's structure. Pages and pictures are not inflated."""
MAX_CPU_SECONDS: Final = 5.0
"""For reading a PDF, which takes some hundredths."""
MAX_JPEG_SCANS: Final = 32
"""A progressive picture has about ten; each takes a pass over every pixel."""


class LetterProblem(StrEnum):
    """Why a letter was refused. The value is stable; `Refusal.details["because"]` carries it."""

    EMPTY = "EMPTY"
    TOO_LARGE = "TOO_LARGE"
    TYPE_NOT_ALLOWED = "TYPE_NOT_ALLOWED"
    UNREADABLE = "UNREADABLE"
    ENCRYPTED = "ENCRYPTED"
    ACTIVE_CONTENT = "ACTIVE_CONTENT"
    FOREIGN_CONTENT = "FOREIGN_CONTENT"
    PAGE_COUNT = "PAGE_COUNT"
    TOO_MANY_PIXELS = "TOO_MANY_PIXELS"
    TOO_COMPLEX = "TOO_COMPLEX"


_MESSAGES: Final = {
    LetterProblem.EMPTY: "The letter is empty. Attach the scan of the stamped letter.",
    LetterProblem.TOO_LARGE: "The letter is larger than 10 MiB. Scan it at a lower resolution.",
    LetterProblem.TYPE_NOT_ALLOWED: "The letter is not a PDF, JPEG or PNG file. Save the scan as one of these.",
    LetterProblem.UNREADABLE: "The letter cannot be read as the file it claims to be. Scan or save it again.",
    LetterProblem.ENCRYPTED: "The letter is protected by a password or by rights. Save it without protection.",
    LetterProblem.ACTIVE_CONTENT: "The letter contains actions, scripts, forms or attached files. Send a plain scan.",
    LetterProblem.FOREIGN_CONTENT: "The letter carries other data besides the page. Scan it, or save the picture anew.",
    LetterProblem.PAGE_COUNT: "The letter must have 1 to 20 pages. Send the stamped letter alone.",
    LetterProblem.TOO_MANY_PIXELS: "The letter has more than 40 million pixels. Scan it at a lower resolution.",
    LetterProblem.TOO_COMPLEX: "The letter's structure is too large to be a letter. Send a plain scan.",
}


class InspectedLetter(Model):
    """A letter that may be stored. A picture has one page."""

    media_type: LetterType
    pages: Count
    size_bytes: Count
    sha256: Sha256Hex


def inspect_letter(data: bytes) -> InspectedLetter:
    """Accept a letter, or raise `Refusal(LETTER_REFUSED)` with a `LetterProblem` as `because`.

    Works for seconds on a large one: off the event loop, please.
    """
    if not data:
        raise _refusal(LetterProblem.EMPTY)
    if len(data) > MAX_BYTES:
        raise _refusal(LetterProblem.TOO_LARGE)
    for magic, (media_type, count_pages) in _PARSERS.items():
        if data.startswith(magic):
            pages = _parse(count_pages, data)
            return InspectedLetter(
                media_type=media_type, pages=pages, size_bytes=len(data), sha256=sha256(data).hexdigest()
            )
    raise _refusal(LetterProblem.TYPE_NOT_ALLOWED)


def template_letter(locale: Locale) -> str:
    """The letter to fill in, print, stamp and scan, as Markdown."""
    return Path(__file__).with_name(f"consent_letter.{locale[:2]}.md").read_text(encoding="utf-8")


def _refusal(problem: LetterProblem) -> Refusal:
    return Refusal(ErrorType.LETTER_REFUSED, _MESSAGES[problem], because=problem)


def _parse(count_pages: Callable[[bytes], int], data: bytes) -> int:
    try:
        return count_pages(data)
    except Refusal:
        raise
    except Exception:  # noqa: BLE001 - on hostile input a parser fails in any way it likes, down to RecursionError
        raise _refusal(LetterProblem.UNREADABLE) from None


_ACTIVE_NAMES: Final = frozenset(
    {"/OpenAction", "/AA", "/JavaScript", "/JS", "/Launch", "/RichMedia", "/XFA", "/SubmitForm", "/ImportData"}
    | {"/EmbeddedFiles", "/EmbeddedFile", "/EF", "/FileAttachment", "/GoToE", "/GoToR", "/Rendition"}
)
"""Names of ISO 32000 that make a document do something or carry something. None may occur, as key or as value."""


class _Watched(BytesIO):
    """pypdf reads structure byte by byte, so that a few megabytes of it would take minutes."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._until = thread_time() + MAX_CPU_SECONDS

    def read(self, size: int | None = -1, /) -> bytes:
        self.check()
        return super().read(size)

    def check(self) -> None:
        if thread_time() > self._until:
            raise _refusal(LetterProblem.TOO_COMPLEX)


def _pdf_pages(data: bytes) -> int:
    if not data.rstrip(_PADDING).endswith(b"%%EOF"):
        raise _refusal(LetterProblem.FOREIGN_CONTENT if b"%%EOF" in data else LetterProblem.UNREADABLE)
    file = _Watched(data)
    with apply_configuration(
        zlib_maximum_output_length=MAX_INFLATED_BYTES,
        lzw_maximum_output_length=MAX_INFLATED_BYTES,
        run_length_maximum_output_length=MAX_INFLATED_BYTES,
        brotli_maximum_output_length=MAX_INFLATED_BYTES,
        page_tree_maximum_entries=MAX_PDF_NODES,
        page_tree_maximum_page_entries=MAX_PDF_NODES,
    ):
        # What has to be repaired to be read may be read differently by the reviewer's program. Strict mode alone still
        # searches for a lost catalog, and for objects that are not where the table says, which it then corrects.
        reader = PdfReader(file, strict=True, root_object_recovery_limit=0)
        if reader.is_encrypted:
            raise _refusal(LetterProblem.ENCRYPTED)
        table = deepcopy(reader.xref)
        _refuse_active_content(reader.trailer, file.check)
        pages = len(reader.pages)
        if reader.xref != table:
            raise _refusal(LetterProblem.UNREADABLE)
    if not 1 <= pages <= MAX_PAGES:
        raise _refusal(LetterProblem.PAGE_COUNT)
    return pages


def _refuse_active_content(trailer: DictionaryObject, check_time: Callable[[], None]) -> None:
    """Walk everything that the trailer leads to, so that a name behind a reference or in an object stream is found."""
    waiting: list[object] = [trailer]
    followed: set[tuple[int, int]] = set()
    found = 0
    while waiting:
        node = waiting.pop()
        if isinstance(node, IndirectObject):
            key = node.idnum, node.generation
            if key in followed:
                continue
            followed.add(key)
            check_time()
            node = node.get_object()
        if isinstance(node, NameObject) and node in _ACTIVE_NAMES:
            raise _refusal(LetterProblem.ACTIVE_CONTENT)
        if isinstance(node, DictionaryObject):
            inner = [*node.keys(), *node.values()]
        elif isinstance(node, ArrayObject):
            inner = list(node)
        else:
            continue
        waiting += inner
        found += len(inner)
        if found > MAX_PDF_NODES:
            raise _refusal(LetterProblem.TOO_COMPLEX)


_PADDING: Final = b"\0\t\n\r "


_MAX_PICTURES: Final = 8
"""Phones append further pictures (HDR gain map, preview). Those are JPEG too; anything else is a stowaway."""


def _jpeg_pages(data: bytes) -> int:
    at = 0
    for _ in range(_MAX_PICTURES):
        at = _jpeg_end(data, at)
        at = len(data) - len(data[at:].lstrip(_PADDING))
        if at == len(data):
            _load_picture(data, "JPEG")
            return 1
        if not data.startswith(b"\xff\xd8\xff", at):
            break
    raise _refusal(LetterProblem.FOREIGN_CONTENT)


_AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""The next marker after compressed data, in which 0xFF is stuffed with 0x00 or starts a restart (T.81, B.1.1)."""


def _jpeg_end(data: bytes, start: int) -> int:
    """Just behind the end-of-image marker: the first one outside any segment. A thumbnail inside one has its own."""
    at = start + 2
    scans = 0
    while True:
        if data[at] != 0xFF:
            raise ValueError("not a marker")
        while data[at] == 0xFF:
            at += 1
        marker = data[at]
        at += 1
        if marker == 0xD9:
            return at
        at += int.from_bytes(data[at : at + 2])
        if marker == 0xDA:
            scans += 1
            if scans > MAX_JPEG_SCANS:
                raise _refusal(LetterProblem.TOO_COMPLEX)
            found = _AFTER_SCAN.search(data, at)
            if found is None:
                raise ValueError("no end of image")
            at = found.start()


_PNG_END: Final = b"\0\0\0\0IEND\xaeB`\x82"


def _png_pages(data: bytes) -> int:
    _load_picture(data, "PNG")
    # The first one: with a second there would be a payload between the two.
    _, end, rest = data.partition(_PNG_END)
    if not end:
        raise ValueError("no end of image")
    if rest.strip(_PADDING):
        raise _refusal(LetterProblem.FOREIGN_CONTENT)
    return 1


_HEAD: Final = 1024
"""How far into a file lenient programs look for the beginning of a PDF or of a web page."""
_FOREIGN_STARTS: Final = re.compile(rb"%PDF-|<html|<script|<!doctype|<\?php", re.IGNORECASE)


def _load_picture(data: bytes, format: str) -> None:
    if _FOREIGN_STARTS.search(data, 0, _HEAD):
        raise _refusal(LetterProblem.FOREIGN_CONTENT)
    try:
        with Image.open(BytesIO(data), formats=(format,)) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise _refusal(LetterProblem.TOO_MANY_PIXELS)
            picture.verify()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _refusal(LetterProblem.TOO_MANY_PIXELS) from None
    # `verify` checks sums and leaves the picture unusable; only decoding every pixel finds what is cut off.
    with Image.open(BytesIO(data), formats=(format,)) as picture:
        picture.load()


_PARSERS: Final[dict[bytes, tuple[LetterType, Callable[[bytes], int]]]] = {
    b"%PDF-": (LetterType.PDF, _pdf_pages),
    b"\xff\xd8\xff": (LetterType.JPEG, _jpeg_pages),
    b"\x89PNG\r\n\x1a\n": (LetterType.PNG, _png_pages),
}
