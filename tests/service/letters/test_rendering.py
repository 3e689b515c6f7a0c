"""What people send, and what a reviewer sees of it."""

import re
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from zipfile import ZipFile

import pypdfium2
import pytest
import pyvips
from PIL import Image
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer

from devtools.demo.letter import scanned_letter
from domain.errors import ErrorType, Refusal
from domain.letters import LetterType
from service.letters.problems import MAX_BYTES, MAX_PAGES, LetterProblem
from service.letters.renderer import FONTS, RenderedLetter, page_picture, render_letter
from tests.service.letters.making import (
    BLUE,
    GREEN,
    GREY,
    RED,
    SEAL,
    WHITE,
    document,
    fields,
    many_pixels,
    pdf,
    pdf_with,
    quarters,
    saved,
    scan,
    stream,
)

CHINESE_FONTS = FONTS / "opentype" / "noto"
HEIC = Path(__file__).with_name("turned.heic").read_bytes()
COLOURS = [RED, GREEN, BLUE, GREY, WHITE]
SIXTEEN_BITS = (
    (pyvips.Image.new_from_buffer(saved(quarters(), "PNG"), "").cast("ushort") * 257)
    .cast("ushort")
    .copy(interpretation="rgb16")
)
TURNED = Image.Exif()
TURNED[0x112] = 6


async def drawn(letter: RenderedLetter, number: int = 1) -> Image.Image:
    return Image.open(BytesIO(await page_picture(letter.content, number)), formats=("PNG",))


def differ(page: Image.Image) -> int:
    """By how much the worst of its colours is off."""
    pairs = zip(fields(page), COLOURS, strict=True)
    return max(abs(a - b) for found, want in pairs for a, b in zip(found, want, strict=True))


def paper(letter: RenderedLetter) -> list[tuple[int, int]]:
    """Of each page, in millimetres."""
    return [
        (round(width / 72 * 25.4), round(height / 72 * 25.4))
        for width, height in map(pypdfium2.PdfPage.get_size, pypdfium2.PdfDocument(letter.content))
    ]


async def problem_of(data: bytes) -> LetterProblem:
    with pytest.raises(Refusal) as caught:
        await render_letter(data)
    assert caught.value.type is ErrorType.LETTER_REFUSED
    problem = caught.value.details["because"]
    assert isinstance(problem, LetterProblem)
    return problem


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        pytest.param(saved(quarters(), "JPEG", quality=95), LetterType.JPEG, id="JPEG"),
        pytest.param(saved(quarters(), "JPEG", quality=95) + b"\0SEFH Image_UTC_Data", LetterType.JPEG, id="Samsung"),
        pytest.param(saved(quarters(), "JPEG", quality=95)[:-2], LetterType.JPEG, id="JPEG without its end"),
        pytest.param(
            saved(quarters(), "MPO", quality=95, save_all=True, append_images=[Image.new("RGB", (300, 420))]),
            LetterType.JPEG,
            id="JPEG with another picture behind it",
        ),
        pytest.param(saved(quarters(), "JPEG", quality=95, icc_profile=b"junk"), LetterType.JPEG, id="broken profile"),
        pytest.param(saved(quarters(), "PNG"), LetterType.PNG, id="PNG"),
        pytest.param(saved(quarters().quantize(16), "PNG"), LetterType.PNG, id="palette"),
        pytest.param(SIXTEEN_BITS.pngsave_buffer(bitdepth=16), LetterType.PNG, id="16 bit"),
        pytest.param(SIXTEEN_BITS.tiffsave_buffer(), LetterType.TIFF, id="16 bit TIFF"),
        pytest.param(saved(quarters(), "TIFF", compression="jpeg", quality=95), LetterType.TIFF, id="TIFF with JPEG"),
        pytest.param(saved(quarters(), "WEBP", quality=95), LetterType.WEBP, id="WebP"),
        pytest.param(saved(quarters(), "PDF", resolution=100), LetterType.PDF, id="PDF"),
        pytest.param(HEIC, LetterType.HEIC, id="HEIC"),
    ],
)
async def test_whatever_is_sent_is_seen_in_its_colours(data: bytes, media_type: LetterType) -> None:
    letter = await render_letter(data)
    assert (letter.original_type, letter.pages, letter.signature) == (media_type, 1, None)
    assert differ(await drawn(letter)) < 12


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
async def test_printers_colours_are_turned_into_those_of_a_screen(format: str) -> None:
    page = await drawn(await render_letter(saved(quarters().convert("CMYK"), format)))
    red, green, blue, grey, white = fields(page)
    # As ink on paper, and not as light: what is compared is which colour it is.
    assert red[0] > 2 * red[1]
    assert green[1] > green[0]
    assert blue[2] > blue[0]
    assert max(grey) - min(grey) < 30
    assert white == WHITE


async def test_what_is_transparent_is_paper() -> None:
    page = quarters().convert("RGBA")
    page.paste((0, 0, 0, 0), (0, 0, 300, 20))
    for data in (saved(page, "PNG"), saved(page, "WEBP", lossless=True)):
        assert differ(await drawn(await render_letter(data))) < 12


async def test_a_fax_of_several_pages_is_seen_in_black_and_white() -> None:
    page = quarters((1728, 1078)).convert("1", dither=Image.Dither.NONE)
    data = saved(page, "TIFF", compression="group4", dpi=(204, 98), save_all=True, append_images=[page] * 2)
    letter = await render_letter(data)
    # A fax has twice as many dots across as down.
    assert (letter.pages, paper(letter)) == (3, [(215, 279)] * 3)
    shown = await drawn(letter, 3)
    assert shown.width / shown.height == pytest.approx(215 / 279, rel=0.01)
    assert fields(shown)[::4] == [(0, 0, 0), WHITE]


@pytest.mark.parametrize(
    "data",
    [
        saved(quarters().transpose(Image.Transpose.ROTATE_90), "JPEG", exif=TURNED, quality=95),
        saved(quarters().transpose(Image.Transpose.ROTATE_90), "PNG", exif=TURNED),
        saved(quarters().transpose(Image.Transpose.ROTATE_90), "WEBP", exif=TURNED, quality=95),
        HEIC,
    ],
    ids=["JPEG", "PNG", "WebP", "HEIC"],
)
async def test_a_photo_taken_sideways_is_upright(data: bytes) -> None:
    page = await drawn(await render_letter(data))
    assert page.height > page.width
    assert differ(page) < 12


async def test_a_turned_page_is_upright() -> None:
    letter = await render_letter(pdf(page="/Rotate 90"))
    assert paper(letter) == [(297, 210)]


@pytest.mark.parametrize(
    ("make", "size", "pixels"),
    [
        pytest.param(pdf, (210, 297), (1654, 2339), id="A4"),
        pytest.param(lambda: pdf(size=(420, 595)), (148, 210), (1167, 1653), id="A5"),
        pytest.param(
            lambda: saved(quarters((4960, 7016)), "JPEG", dpi=(600, 600)), (210, 297), (1654, 2339), id="600 dpi"
        ),
        pytest.param(lambda: saved(quarters((3508, 4961)), "PNG", dpi=(300, 300)), (297, 420), (2339, 3307), id="A3"),
        pytest.param(lambda: saved(quarters((3024, 4032)), "JPEG", dpi=(72, 72)), (210, 280), (1654, 2205), id="phone"),
        pytest.param(lambda: saved(quarters((300, 420)), "PNG"), (210, 294), (300, 420), id="small"),
        pytest.param(lambda: saved(quarters((1080, 12000)), "PNG"), (210, 2333), (1080, 12000), id="a whole chat"),
    ],
)
async def test_a_page_keeps_its_paper_and_has_200_dots_per_inch_at_most(
    make: Callable[[], bytes], size: tuple[int, int], pixels: tuple[int, int]
) -> None:
    letter = await render_letter(make())
    assert letter.pages == 1
    assert paper(letter)[0] == pytest.approx(size, abs=1)
    assert (await drawn(letter)).size == pytest.approx(pixels, abs=2)


async def test_a_photo_of_48_million_pixels_and_a_scan_at_800_dpi_are_taken() -> None:
    photo = saved(quarters((8064, 6048)), "JPEG", quality=80)
    scanned = saved(quarters((6614, 9354)), "PDF", resolution=800, quality=80)
    for data in (photo, scanned):
        assert differ(await drawn(await render_letter(data))) < 12


async def test_twenty_pages_are_taken_and_one_more_is_not() -> None:
    letter = await render_letter(pdf(MAX_PAGES))
    assert (letter.pages, len(paper(letter))) == (MAX_PAGES, MAX_PAGES)
    assert await problem_of(pdf(MAX_PAGES + 1)) is LetterProblem.TOO_MANY_PAGES
    fax = saved(quarters(), "TIFF", save_all=True, append_images=[quarters()] * MAX_PAGES)
    assert await problem_of(fax) is LetterProblem.TOO_MANY_PAGES


STAMP = "<< /Type /Annot /Subtype /Stamp /Rect [50 50 350 350] /F 4 /AP << /N 5 0 R >> >>"
TICKED = (
    "<< /Type /Annot /Subtype /Widget /FT /Btn /T (Agreed) /Rect [50 50 350 350] /F 4 /V /Yes /AS /Yes "
    "/AP << /N << /Yes 5 0 R >> >> >>"
)


@pytest.mark.parametrize(
    ("data", "signed"),
    [
        pytest.param(pdf_with(STAMP, acro_form=None), False, id="stamp"),
        pytest.param(pdf_with(SEAL), True, id="signature"),
        pytest.param(pdf_with(SEAL, acro_form=None), True, id="signature that no list names"),
        pytest.param(pdf_with(TICKED), False, id="ticked box"),
        pytest.param(pdf_with(TICKED, acro_form=None), False, id="ticked box that no list names"),
    ],
)
async def test_what_was_put_upon_a_page_is_seen(data: bytes, signed: bool) -> None:
    letter = await render_letter(data)
    assert (letter.signature is not None) is signed
    assert fields(await drawn(letter)) == [(254, 0, 0)] * 4 + [WHITE]


@pytest.mark.parametrize("acro_form", ["", "/NeedAppearances true"])
async def test_what_was_typed_into_a_form_is_seen(acro_form: str) -> None:
    typed = (
        "<< /Type /Annot /Subtype /Widget /FT /Tx /T (Name) /V (Sample Company) /Rect [50 180 350 220] /F 4 "
        "/DA (/F1 24 Tf 0 g) >>"
    )
    page = await drawn(await render_letter(pdf_with(typed, acro_form=acro_form)))
    assert page.convert("L").histogram()[0] > 500


async def test_nothing_is_left_of_a_file_but_what_can_be_seen() -> None:
    data = document(
        "<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> /Names 6 0 R >>",
        "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 400] /Contents 4 0 R "
        "/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        stream("BT /F1 24 Tf 50 200 Td (secret words) Tj ET"),
        stream("MZ this is a program", "/Type /EmbeddedFile"),
        "<< /EmbeddedFiles << /Names [(a.exe) << /Type /Filespec /F (a.exe) /EF << /F 5 0 R >> >>] >> >>",
    )
    letter = await render_letter(data)
    for trace in (b"JavaScript", b"EmbeddedFile", b"secret", b"program", b"/Title"):
        assert trace in data or trace == b"/Title"
        assert trace not in letter.content
    cleaned = pypdfium2.PdfDocument(letter.content)
    assert cleaned.count_attachments() == 0
    assert [type(each) for each in cleaned[0].get_objects()] == [pypdfium2.PdfImage]


def _moved(data: bytes) -> bytes:
    return re.sub(rb"startxref\n(\d+)", lambda found: b"startxref\n%d" % (int(found[1]) + 7), data)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(_moved, id="startxref"),
        pytest.param(lambda data: b"From: scanner\r\n" * 400 + data, id="junk before"),
        pytest.param(lambda data: data + b"\nScanned by X\n" * 300, id="junk behind"),
        pytest.param(lambda data: data.replace(b"\n", b"\r\n"), id="CR LF"),
        pytest.param(lambda data: data[: data.rindex(b"trailer") + 9], id="end cut off"),
        pytest.param(lambda data: data.replace(b"/Count 2", b"/Count 9"), id="count"),
        pytest.param(lambda data: re.sub(rb"/Length \d+", b"/Length 7", data), id="length"),
        pytest.param(lambda data: data.replace(b"%PDF-1.7", b"%PDF1.7"), id="header"),
    ],
)
async def test_a_damaged_pdf_is_repaired(damage: Callable[[bytes], bytes]) -> None:
    whole = await drawn(await render_letter(pdf(2)), 2)
    letter = await render_letter(damage(pdf(2)))
    assert letter.pages == 2
    assert (await drawn(letter, 2)).tobytes() == whole.tobytes()


def locked(password: str) -> bytes:
    writer, file = copy_into_new_writer(PdfFileReader(BytesIO(pdf()))), BytesIO()
    writer.encrypt("owner", password)  # type: ignore[no-untyped-call]
    writer.write(file)  # type: ignore[no-untyped-call]
    return file.getvalue()


async def test_a_pdf_that_opens_without_a_password_is_taken_though_it_forbids_copying() -> None:
    assert (await render_letter(locked(""))).pages == 1


def zipped(*names: str) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w") as made:
        for name in names:
            made.writestr(name, "<xml/>")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param(b"", LetterProblem.EMPTY, id="empty"),
        pytest.param(pdf() + b"\0" * MAX_BYTES, LetterProblem.TOO_LARGE, id="large"),
        pytest.param(b"MZ this is a program", LetterProblem.NOT_A_LETTER, id="program"),
        pytest.param(b"\0" * 4000, LetterProblem.NOT_A_LETTER, id="zeros"),
        pytest.param(zipped("[Content_Types].xml", "word/document.xml"), LetterProblem.NOT_A_LETTER, id="Word"),
        pytest.param(zipped("OFD.xml", "Doc_0/Document.xml"), LetterProblem.OFD, id="OFD"),
        pytest.param(b"PK\x03\x04 no zip", LetterProblem.NOT_A_LETTER, id="broken zip"),
        pytest.param(locked("secret"), LetterProblem.PASSWORD, id="password"),
        pytest.param(many_pixels(12_000, 10_001), LetterProblem.TOO_MANY_PIXELS, id="pixels"),
        pytest.param(many_pixels(60_000, 60_000), LetterProblem.TOO_MANY_PIXELS, id="pixels without end"),
        pytest.param(pdf()[:200], LetterProblem.CANNOT_BE_RENDERED, id="cut PDF"),
        pytest.param(b"%PDF-1.7\nnothing\n%%EOF", LetterProblem.CANNOT_BE_RENDERED, id="no PDF"),
        pytest.param(pdf(text=""), LetterProblem.CANNOT_BE_RENDERED, id="blank"),
        pytest.param(scan("PNG")[:900], LetterProblem.CANNOT_BE_RENDERED, id="cut PNG"),
        pytest.param(b"\xff\xd8\xff" + b"\xff" * 50, LetterProblem.CANNOT_BE_RENDERED, id="no JPEG"),
        pytest.param(HEIC[:-500], LetterProblem.CANNOT_BE_RENDERED, id="cut HEIC"),
    ],
)
async def test_what_is_refused(data: bytes, problem: LetterProblem) -> None:
    assert await problem_of(data) is problem


def chinese(name: str, encoding: str, text: bytes) -> bytes:
    """A page in a Chinese font that the file names and does not carry."""
    return document(
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 100] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        stream(f"BT /F1 40 Tf 20 30 Td <{text.hex()}> Tj ET"),
        f"<< /Type /Font /Subtype /Type0 /BaseFont /{name} /Encoding /{encoding} /DescendantFonts [6 0 R] >>",
        f"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /{name} /DW 1000 /FontDescriptor 7 0 R "
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> >>",
        f"<< /Type /FontDescriptor /FontName /{name} /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 "
        "/Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>",
    )


@pytest.mark.parametrize(
    ("name", "encoding", "codec"),
    [
        ("STSong-Light", "UniGB-UCS2-H", "utf-16-be"),
        ("SimSun", "GBK-EUC-H", "gbk"),
        ("#CB#CE#CC#E5", "GBK-EUC-H", "gbk"),
    ],
)
async def test_chinese_is_drawn_in_the_fonts_of_the_image_alone(
    name: str, encoding: str, codec: str, tmp_path: Path
) -> None:
    def ink(page: Image.Image) -> list[int]:
        """How much of each character's box is dark."""
        dots = page.width / 400
        edges = [round((20 + 40 * at) * dots) for at in range(8)]
        return [
            sum(page.convert("L").crop((left, 0, right, page.height)).histogram()[:128])
            for left, right in pairwise(edges)
        ]

    data = chinese(name, encoding, "账号注销同意书".encode(codec))
    with_fonts = ink(await drawn(await render_letter(data, fonts=CHINESE_FONTS)))
    assert min(with_fonts) > 500
    # Seven characters, and not seven times the box that stands for a missing one.
    assert len(set(with_fonts)) == len(with_fonts)
    with pytest.raises(Refusal):
        # Nothing at all would be drawn: the file carries no font, and there is none here.
        await render_letter(data, fonts=tmp_path)


async def test_the_demos_letter_is_taken() -> None:
    assert (await render_letter(scanned_letter("acct-1", stamped=True))).pages == 1
