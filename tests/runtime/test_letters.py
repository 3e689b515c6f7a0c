from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from zlib import compress, crc32

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, TextStringObject

import runtime.letters
from domain.errors import ErrorType, Refusal
from domain.locale import Locale
from domain.tickets import LetterType
from runtime.letters import MAX_BYTES, MAX_PAGES, InspectedLetter, LetterProblem, inspect_letter, template_letter


def pdf(pages: int = 1, change: Callable[[PdfWriter], object] = lambda writer: None) -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(width=595, height=842)
    change(writer)
    file = BytesIO()
    writer.write(file)
    return file.getvalue()


def scan(format: str, **options: object) -> bytes:
    file = BytesIO()
    page = Image.radial_gradient("L").resize((300, 420)).convert("RGB")
    page.save(file, format, **options)
    return file.getvalue()


def name(value: str) -> NameObject:
    return NameObject(f"/{value}")


def dictionary(**items: object) -> DictionaryObject:
    return DictionaryObject({name(key): value for key, value in items.items()})


def png_of_size(width: int, height: int) -> bytes:
    """A few hundred bytes that promise any number of pixels."""

    def chunk(type: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + type + data + crc32(type + data).to_bytes(4)

    header = width.to_bytes(4) + height.to_bytes(4) + bytes([1, 0, 0, 0, 0])
    pixels = compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def with_last_bytes(data: bytes, end: bytes) -> bytes:
    return data[: -len(end)] + end


SCRIPT = dictionary(S=name("JavaScript"), JS=TextStringObject("app.alert(1)"))


def problem_of(data: bytes) -> LetterProblem:
    with pytest.raises(Refusal) as caught:
        inspect_letter(data)
    assert caught.value.type is ErrorType.LETTER_REFUSED
    problem = caught.value.details["because"]
    assert isinstance(problem, LetterProblem)
    return problem


@pytest.mark.parametrize(
    ("data", "media_type", "pages"),
    [
        pytest.param(pdf(), LetterType.PDF, 1, id="one page"),
        pytest.param(pdf(MAX_PAGES), LetterType.PDF, MAX_PAGES, id="as many pages as allowed"),
        pytest.param(pdf(2, lambda w: w.compress_identical_objects()), LetterType.PDF, 2, id="shared pages"),
        pytest.param(scan("PDF"), LetterType.PDF, 1, id="a scan as PDF"),
        pytest.param(pdf() + b"\r\n\0\0", LetterType.PDF, 1, id="a padded PDF"),
        pytest.param(scan("JPEG"), LetterType.JPEG, 1, id="JPEG"),
        pytest.param(scan("JPEG", progressive=True), LetterType.JPEG, 1, id="progressive JPEG"),
        pytest.param(scan("JPEG", restart_marker_rows=1), LetterType.JPEG, 1, id="JPEG with restarts"),
        pytest.param(scan("JPEG", exif=b"Exif\0\0" + scan("JPEG")), LetterType.JPEG, 1, id="JPEG with a thumbnail"),
        pytest.param(scan("JPEG") + scan("JPEG"), LetterType.JPEG, 1, id="a phone's picture with its gain map"),
        pytest.param(scan("JPEG") + b"\0" * 100, LetterType.JPEG, 1, id="a padded JPEG"),
        pytest.param(scan("PNG"), LetterType.PNG, 1, id="PNG"),
    ],
)
def test_a_real_letter_is_accepted_and_described(data: bytes, media_type: LetterType, pages: int) -> None:
    assert inspect_letter(data) == InspectedLetter(
        media_type=media_type, pages=pages, size_bytes=len(data), sha256=sha256(data).hexdigest()
    )


def test_an_empty_letter_is_refused() -> None:
    assert problem_of(b"") is LetterProblem.EMPTY


def test_a_letter_beyond_the_size_limit_is_refused() -> None:
    fill = pdf()
    assert inspect_letter(fill + b"\0" * (MAX_BYTES - len(fill))).size_bytes == MAX_BYTES
    assert problem_of(fill + b"\0" * (MAX_BYTES - len(fill) + 1)) is LetterProblem.TOO_LARGE


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(scan("GIF"), id="GIF"),
        pytest.param(b"GIF89a/*" + scan("GIF")[8:] + b"*/<script>alert(1)</script>", id="GIF and HTML at once"),
        pytest.param(scan("TIFF"), id="TIFF"),
        pytest.param(b"<html><script>alert(1)</script></html>", id="HTML"),
        pytest.param(b"PK\x03\x04" + b"\0" * 30, id="Word or ZIP"),
        pytest.param(b"\n" + pdf(), id="a PDF that does not begin at once"),
        pytest.param(b"MZ\x90\0" + pdf(), id="a program with a PDF inside"),
        pytest.param(b"\xff\xd8", id="hardly a JPEG"),
    ],
)
def test_any_other_type_is_refused(data: bytes) -> None:
    assert problem_of(data) is LetterProblem.TYPE_NOT_ALLOWED


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"%PDF-1.7 garbage", id="PDF by name only"),
        pytest.param(b"%PDF-1.7 garbage %%EOF", id="PDF at both ends only"),
        pytest.param(pdf()[:-40], id="truncated PDF"),
        pytest.param(pdf().replace(b"startxref", b"startxxxx"), id="PDF without a table of contents"),
        pytest.param(pdf().replace(b"/Root", b"/Ruut"), id="PDF without a catalog"),
        pytest.param(b"%PDF-" + scan("PNG") + b"%%EOF", id="PNG that calls itself a PDF"),
        pytest.param(scan("JPEG")[:-500], id="truncated JPEG"),
        pytest.param(scan("JPEG")[:-2], id="JPEG without its end"),
        pytest.param(b"\xff\xd8\xff" + scan("PNG"), id="PNG that calls itself a JPEG"),
        pytest.param(scan("PNG")[:-500], id="truncated PNG"),
        pytest.param(with_last_bytes(scan("PNG")[:-12], bytes(4)) + scan("PNG")[-12:], id="PNG with a wrong checksum"),
        pytest.param(with_last_bytes(scan("PNG"), bytes(4)) + b"payload", id="PNG with a damaged end"),
        pytest.param(png_of_size(1000, 1000), id="PNG with fewer pixels than it promises"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + scan("JPEG"), id="JPEG that calls itself a PNG"),
    ],
)
def test_what_only_begins_like_a_letter_is_refused(data: bytes) -> None:
    assert problem_of(data) is LetterProblem.UNREADABLE


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-256"])
@pytest.mark.parametrize("password", ["", "secret"])
def test_an_encrypted_pdf_is_refused_with_or_without_a_password_to_open_it(algorithm: str, password: str) -> None:
    data = pdf(1, lambda w: w.encrypt(password, owner_password="owner", algorithm=algorithm))
    assert problem_of(data) is LetterProblem.ENCRYPTED


@pytest.mark.parametrize("pages", [0, MAX_PAGES + 1])
def test_a_letter_has_at_least_one_page_and_not_too_many(pages: int) -> None:
    assert problem_of(pdf(pages)) is LetterProblem.PAGE_COUNT


def test_pages_are_counted_and_not_believed() -> None:
    data = pdf(MAX_PAGES + 1)
    lie = data.replace(b"/Count 21", b"/Count  1")
    assert lie != data
    assert problem_of(lie) is LetterProblem.PAGE_COUNT


def in_catalog(**items: object) -> Callable[[PdfWriter], object]:
    return lambda writer: writer.root_object.update(dictionary(**items))


def on_page(**items: object) -> Callable[[PdfWriter], object]:
    return lambda writer: writer.pages[0].update(dictionary(**items))


def annotation(**items: object) -> Callable[[PdfWriter], object]:
    def change(writer: PdfWriter) -> None:
        reference = writer._add_object(dictionary(Type=name("Annot"), **items))
        writer.pages[0][name("Annots")] = ArrayObject([reference])

    return change


def names_tree(**items: object) -> Callable[[PdfWriter], object]:
    return in_catalog(Names=dictionary(**items))


def behind_a_reference(writer: PdfWriter) -> None:
    action = dictionary(S=writer._add_object(name("Launch")))
    writer.root_object[name("Extension")] = writer._add_object(ArrayObject([writer._add_object(action)]))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(in_catalog(OpenAction=SCRIPT), id="OpenAction with JavaScript"),
        pytest.param(in_catalog(OpenAction=ArrayObject([name("Fit")])), id="any OpenAction"),
        pytest.param(in_catalog(AA=dictionary(WC=SCRIPT)), id="additional actions of the document"),
        pytest.param(on_page(AA=dictionary(O=SCRIPT)), id="additional actions of a page"),
        pytest.param(names_tree(JavaScript=dictionary(Names=ArrayObject([]))), id="scripts in the names tree"),
        pytest.param(names_tree(EmbeddedFiles=dictionary(Names=ArrayObject([]))), id="files in the names tree"),
        pytest.param(lambda w: w.add_attachment("macro.docm", b"data"), id="an attached file"),
        pytest.param(annotation(Subtype=name("FileAttachment")), id="a file as annotation"),
        pytest.param(annotation(Subtype=name("Link"), A=SCRIPT), id="a link to a script"),
        pytest.param(annotation(Subtype=name("Link"), A=dictionary(S=name("Launch"))), id="a link to a program"),
        pytest.param(annotation(Subtype=name("RichMedia")), id="rich media"),
        pytest.param(in_catalog(AcroForm=dictionary(XFA=ArrayObject([]))), id="an XFA form"),
        pytest.param(behind_a_reference, id="a name behind references"),
    ],
)
def test_a_pdf_that_does_or_carries_something_is_refused(change: Callable[[PdfWriter], object]) -> None:
    assert problem_of(pdf(1, change)) is LetterProblem.ACTIVE_CONTENT


def test_an_escaped_name_is_still_that_name() -> None:
    data = pdf(1, in_catalog(Extra=dictionary(S=name("Jxxxxvaxxxript"))))
    hidden = data.replace(b"/Jxxxxvaxxxript", b"/J#61va#53cript")
    assert len(hidden) == len(data)
    assert hidden != data
    assert problem_of(hidden) is LetterProblem.ACTIVE_CONTENT


def with_table(*objects: bytes, listed: int | None = None, shift: int = 0) -> bytes:
    """A PDF by hand: the objects as given, the first `listed` of them in the table, the last row off by `shift`."""
    file = bytearray(b"%PDF-1.4\n")
    rows = [b"0000000000 65535 f \n"]
    for content in objects:
        generation = int(content.split()[1])
        rows.append(b"%010d %05d n \n" % (len(file), generation))
        file += content + b"\nendobj\n"
    rows = rows[: 1 + (listed or len(objects))]
    if shift:
        rows[-1] = b"%010d" % (int(rows[-1][:10]) + shift) + rows[-1][10:]
    start = len(file)
    file += b"xref\n0 %d\n" % len(rows) + b"".join(rows)
    return bytes(file) + b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(rows), start)


CATALOG = b"1 0 obj<</Type/Catalog/Pages 2 0 R/Extra[4 0 R 4 1 R 4 0 R]>>"
PAGE_TREE = (
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>",
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
)
HARMLESS = b"4 0 obj<</S/Harmless>>"
HARMFUL = b"4 0 obj<</S/JavaScript/JS(x)>>"


def test_a_catalog_that_has_to_be_searched_for_is_not_trusted() -> None:
    lost = pdf(1, in_catalog(OpenAction=SCRIPT)).replace(b"/Root 3 0 R", b"")
    assert problem_of(lost) is LetterProblem.UNREADABLE


def test_an_object_that_has_to_be_searched_for_is_not_trusted() -> None:
    """Which of two objects with the same number is shown depends on the program."""
    catalog = CATALOG.replace(b"4 1 R", b"")
    assert inspect_letter(with_table(catalog, *PAGE_TREE, HARMLESS)).pages == 1
    assert problem_of(with_table(catalog, *PAGE_TREE, HARMFUL)) is LetterProblem.ACTIVE_CONTENT
    for data in (
        with_table(catalog, *PAGE_TREE, HARMLESS, HARMFUL, listed=3),
        with_table(catalog, *PAGE_TREE, HARMLESS, shift=5),
    ):
        assert problem_of(data) is LetterProblem.UNREADABLE


def test_objects_of_the_same_number_and_another_generation_are_told_apart() -> None:
    first = with_table(CATALOG, *PAGE_TREE, HARMLESS)
    start = first.rindex(b"startxref") + 10
    table = int(first[start : first.index(b"\n", start)])
    second = HARMFUL.replace(b"4 0", b"4 1")
    update = first + b"\n"
    place = len(update)
    update += second + b"\nendobj\n"
    rows = b"xref\n4 1\n%010d 00001 n \n" % place
    trailer = b"trailer\n<</Size 5/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF" % (table, len(update))
    assert problem_of(update + rows + trailer) is LetterProblem.ACTIVE_CONTENT


def with_object_stream(content: bytes) -> bytes:
    """A PDF 1.5 file whose fourth object, reachable from the catalog, is inside a compressed object stream."""
    packed = compress(b"4 0 " + content)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R/Extension 4 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
        b"<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>stream\n%b\nendstream" % (len(packed), packed),
    ]
    file = bytearray(b"%PDF-1.5\n")
    rows = {0: b"\0" + bytes(4) + b"\xff", 4: b"\2" + (5).to_bytes(4) + b"\0"}
    for number, content in zip((1, 2, 3, 5), objects, strict=True):
        rows[number] = b"\1" + len(file).to_bytes(4) + b"\0"
        file += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(file)
    rows[6] = b"\1" + start.to_bytes(4) + b"\0"
    table = b"".join(row for _, row in sorted(rows.items()))
    file += b"6 0 obj\n<</Type/XRef/Size 7/W[1 4 1]/Root 1 0 R/Length %d>>stream\n" % len(table)
    return bytes(file) + table + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF" % start


def test_a_name_in_an_object_stream_is_found() -> None:
    assert inspect_letter(with_object_stream(b"<</S/Harmless>>")).pages == 1
    assert problem_of(with_object_stream(b"<</S/JavaScript/JS(x)>>")) is LetterProblem.ACTIVE_CONTENT


def test_a_structure_that_inflates_without_end_is_refused() -> None:
    bomb = with_object_stream(b"(" + b"x" * 5_000_000 + b")")
    assert len(bomb) < 100_000
    assert problem_of(bomb) is LetterProblem.UNREADABLE


def test_a_pdf_with_more_structure_than_any_letter_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pdf(1, in_catalog(Extra=ArrayObject([ArrayObject([name("x")] * 100)] * 10)))
    assert inspect_letter(data).pages == 1
    monkeypatch.setattr(runtime.letters, "MAX_PDF_NODES", 1000)
    assert problem_of(data) is LetterProblem.TOO_COMPLEX


def test_a_pdf_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime.letters, "MAX_CPU_SECONDS", -1.0)
    assert problem_of(pdf()) is LetterProblem.TOO_COMPLEX


def test_a_pdf_nested_without_end_is_refused() -> None:
    data = pdf(1, in_catalog(Extra=name("Placeholder")))
    # Cross-references follow the catalog, so that the file stays well formed but for the depth.
    assert problem_of(data.replace(b"/Placeholder", b"[" * 50_000 + b"]" * 50_000)) is LetterProblem.UNREADABLE


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(pdf() + b"PK\x03\x04 and an archive", id="PDF and ZIP"),
        pytest.param(scan("JPEG") + b"<?php system($_GET['x']);", id="JPEG and PHP"),
        pytest.param(scan("JPEG") + b"\0\0\0\x18ftypmp42" + bytes(1000), id="a moving picture behind the JPEG"),
        pytest.param(scan("JPEG") + pdf(), id="JPEG and PDF"),
        pytest.param(scan("JPEG") * 9, id="more pictures than a phone appends"),
        pytest.param(scan("JPEG", comment=b"%PDF-1.7 "), id="JPEG that a lenient reader takes for a PDF"),
        pytest.param(scan("JPEG", comment=b"<HTML><Script>"), id="JPEG that a browser takes for a page"),
        pytest.param(scan("PNG") + b"PK\x03\x04 and an archive", id="PNG and ZIP"),
        pytest.param(scan("PNG") + b"payload" + scan("PNG")[-12:], id="a payload between two ends of a PNG"),
    ],
)
def test_a_file_that_is_two_things_at_once_is_refused(data: bytes) -> None:
    assert problem_of(data) is LetterProblem.FOREIGN_CONTENT


@pytest.mark.parametrize("side", [6_325, 10_000, 50_000])
def test_a_picture_with_too_many_pixels_is_refused_before_it_is_decoded(side: int) -> None:
    assert problem_of(png_of_size(side, side)) is LetterProblem.TOO_MANY_PIXELS


def test_a_jpeg_that_repeats_its_scans_is_refused() -> None:
    data = scan("JPEG", progressive=True)
    last_scan = data.rindex(b"\xff\xda")
    repeated = data[:last_scan] + data[last_scan:-2] * 40 + b"\xff\xd9"
    assert problem_of(repeated) is LetterProblem.TOO_COMPLEX


@given(st.binary(max_size=2000), st.sampled_from([b"", b"%PDF-1.7\n", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]))
@example(b"\xff" * 50, b"\xff\xd8\xff")
@settings(max_examples=150, deadline=None)
def test_garbage_is_refused_and_never_crashes(noise: bytes, start: bytes) -> None:
    for end in (b"", b"%%EOF"):
        problem_of(start + noise + end)


SAMPLES = {"PDF": pdf(2), "scan": scan("PDF"), "JPEG": scan("JPEG"), "PNG": scan("PNG")}


@given(st.sampled_from(sorted(SAMPLES)), st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_letter_is_accepted_or_refused_and_never_crashes(sample: str, data: st.DataObject) -> None:
    damaged = bytearray(SAMPLES[sample])
    for position in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=5)):
        damaged[position] = data.draw(st.integers(0, 255))
    with suppress(Refusal):
        assert inspect_letter(bytes(damaged)).size_bytes == len(damaged)


def test_every_problem_says_what_to_do() -> None:
    messages = [runtime.letters._refusal(problem).message for problem in LetterProblem]
    assert len(set(messages)) == len(LetterProblem)
    assert all(message.startswith("The letter") and message.count(". ") == 1 for message in messages)


@pytest.mark.parametrize(
    ("locale", "words"), [(Locale.ZH, ("同意书", "公章", "须知")), (Locale.EN, ("consent", "seal", "notice"))]
)
def test_the_template_can_be_had_in_both_languages(locale: Locale, words: tuple[str, ...]) -> None:
    text = template_letter(locale)
    assert all(word in text for word in words)
