"""Letters whose file is unusual or damaged, as copiers, mail programs and old tools leave them, and odd papers."""

import re
from collections.abc import Callable, Iterator

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, String

from tests.letters.making import browsers, printing, reports
from tests.letters.making.forms import changed, look, turn
from tests.letters.making.page import A4, SEAL, Letter


def boxes(**values: object) -> Callable[[Pdf], None]:
    def change(document: Pdf) -> None:
        for key, value in values.items():
            document.pages[0][f"/{key}"] = Array(value) if isinstance(value, list) else value

    return change


def moved(document: Pdf) -> None:
    """A page that does not begin at zero, as cutting programs leave it."""
    page = document.pages[0]
    page.MediaBox = Array([-100, 200, A4[0] - 100, A4[1] + 200])
    page.contents_add(b"q 1 0 0 1 -100 200 cm", prepend=True)
    page.contents_add(b"Q")


def inherited(document: Pdf) -> None:
    page = document.pages[0]
    for key in ("/MediaBox", "/Resources"):
        document.Root.Pages[key] = page.obj[key]
        del page.obj[key]
    document.Root.Pages.Rotate = 0


def deep_tree(document: Pdf) -> None:
    page = document.pages[0].obj
    node = page
    for _ in range(6):
        node = document.make_indirect(Dictionary(Type=Name.Pages, Count=1, Kids=[node]))
        node.Kids[0].Parent = node
    document.Root.Pages = node


def split_contents(document: Pdf) -> None:
    """Parts that end anywhere between two tokens."""
    content = document.pages[0].Contents.read_bytes()
    cut = [content.index(b"ET", len(content) * n // 3) + 2 for n in (0, 1)]
    parts = [content[: cut[0]], content[cut[0] : cut[1]], content[cut[1] :], b""]
    document.pages[0].Contents = Array([document.make_stream(part) for part in parts])


def layers(document: Pdf) -> None:
    """One layer that is shown, and one that is not."""
    on, off = (document.make_indirect(Dictionary(Type=Name.OCG, Name=String(name))) for name in ("shown", "draft"))
    document.Root.OCProperties = Dictionary(OCGs=[on, off], D=Dictionary(ON=[on], OFF=[off], Order=[on, off]))
    page = document.pages[0]
    page.Resources.Properties = Dictionary(On=on, Off=off)
    page.contents_add(b"/OC /Off BDC 0 0 0.6 rg 60 100 480 200 re f EMC /OC /On BDC 0 0.5 0 rg 60 60 200 20 re f EMC")


def pattern(document: Pdf) -> None:
    """A tiled ground below the words, as forms against copying have it."""
    tile = pikepdf.Stream(document, b"0.85 0.92 1 rg 0 0 10 10 re f 10 10 10 10 re f")
    tile.stream_dict = Dictionary(
        Type=Name.Pattern,
        PatternType=1,
        PaintType=1,
        TilingType=1,
        BBox=[0, 0, 20, 20],
        XStep=20,
        YStep=20,
        Resources=Dictionary(),
    )
    page = document.pages[0]
    page.Resources.Pattern = Dictionary(T=document.make_indirect(tile))
    page.contents_add(b"q /Pattern cs /T scn 30 30 535 780 re f Q", prepend=True)


def soft_masked(document: Pdf) -> None:
    """A group behind a mask of luminosity: the seal fades out a little."""
    mask = look(document, "1 g 0 0 595 842 re f", [0, 0, 595, 842])
    mask.Group = Dictionary(S=Name.Transparency, CS=Name.DeviceGray)
    page = document.pages[0]
    page.Resources.ExtGState = Dictionary(
        M=Dictionary(SMask=Dictionary(S=Name.Luminosity, G=mask)),
        N=Dictionary(SMask=Name("/None"), BM=Name.Multiply, ca=0.9),
    )
    page.contents_add(b"q /M gs", prepend=True)
    page.contents_add(b"Q q /N gs 0.8 0.9 0.8 rg 60 60 300 60 re f Q")
    page.Group = Dictionary(S=Name.Transparency, CS=Name.DeviceRGB)


def type_3(document: Pdf) -> None:
    """A font whose letters are drawings, with one that is a seal."""
    glyph = document.make_stream(
        b"1000 0 d0 0.82 0.08 0.12 RG 80 w 500 500 m 900 500 m 900 720 720 900 500 900 c 280 900 100 720 100 500 c 100 280 280 100 500 100 c 720 100 900 280 900 500 c S 300 450 400 100 re 0.82 0.08 0.12 rg f"
    )
    font = Dictionary(
        Type=Name.Font,
        Subtype=Name.Type3,
        FontBBox=[0, 0, 1000, 1000],
        FontMatrix=[0.001, 0, 0, 0.001, 0, 0],
        CharProcs=Dictionary(s=glyph),
        Encoding=Dictionary(Type=Name.Encoding, Differences=[97, Name.s]),
        FirstChar=97,
        LastChar=97,
        Widths=[1000],
        Resources=Dictionary(),
    )
    page = document.pages[0]
    page.Resources.Font.T3 = document.make_indirect(font)
    page.contents_add(b"BT /T3 60 Tf 80 200 Td (aa) Tj ET")


def system_font(name: str, encoding: str, codec: str) -> Callable[[Pdf], None]:
    """A line in a font of the sender's machine, which the file names and does not carry."""

    def change(document: Pdf) -> None:
        descriptor = Dictionary(
            Type=Name.FontDescriptor,
            FontName=Name("/" + name),
            Flags=6,
            FontBBox=[-25, -254, 1000, 880],
            ItalicAngle=0,
            Ascent=880,
            Descent=-120,
            CapHeight=880,
            StemV=93,
        )
        child = Dictionary(
            Type=Name.Font,
            Subtype=Name.CIDFontType2,
            BaseFont=Name("/" + name),
            DW=1000,
            CIDSystemInfo=Dictionary(Registry=String("Adobe"), Ordering=String("GB1"), Supplement=2),
            FontDescriptor=descriptor,
        )
        page = document.pages[0]
        page.Resources.Font.G = document.make_indirect(
            Dictionary(
                Type=Name.Font,
                Subtype=Name.Type0,
                BaseFont=Name("/" + name),
                Encoding=Name("/" + encoding),
                DescendantFonts=[child],
            )
        )
        text = "同意注销我公司账号"
        page.contents_add(f"BT /G 30 Tf 80 150 Td <{text.encode(codec).hex()}> Tj ET".encode())

    return change


def letters() -> Iterator[Letter]:
    plain = reports.tiny()
    small = changed(plain, lambda _: None, object_stream_mode=pikepdf.ObjectStreamMode.disable)

    # Papers
    corners = {
        90: (1 - SEAL[1], SEAL[0]),
        180: (1 - SEAL[0], 1 - SEAL[1]),
        270: (SEAL[1], 1 - SEAL[0]),
        -90: (SEAL[1], 1 - SEAL[0]),
        450: (1 - SEAL[1], SEAL[0]),
    }
    for angle, seal in corners.items():
        yield Letter(f"page-rotate-{angle}.pdf", changed(plain, turn(angle)), seals=((1, *seal),))
    yield Letter("page-not-at-zero.pdf", changed(plain, moved))
    yield Letter(
        "page-cropped.pdf",
        changed(plain, boxes(CropBox=[100, 200, 500, 700])),
        seals=((1, (SEAL[0] * A4[0] - 100) / 400, (700 - A4[1] * (1 - SEAL[1])) / 500),),
    )
    yield Letter(
        "page-cropped-and-turned.pdf",
        changed(changed(plain, boxes(CropBox=[100, 200, 500, 700])), turn(90)),
        seals=((1, 1 - (700 - A4[1] * (1 - SEAL[1])) / 500, (SEAL[0] * A4[0] - 100) / 400),),
    )
    yield Letter("page-crop-beyond-paper.pdf", changed(plain, boxes(CropBox=[-50, -50, 700, 900])))
    yield Letter("page-corners-swapped.pdf", changed(plain, boxes(MediaBox=[A4[0], A4[1], 0, 0])))
    yield Letter(
        "page-user-unit.pdf",
        changed(
            reports.made(lambda c: reports.whole(c, (A4[0] / 2, A4[1] / 2)), (A4[0] / 2, A4[1] / 2)), boxes(UserUnit=2)
        ),
    )
    yield Letter("page-inherited-properties.pdf", changed(plain, inherited))
    yield Letter("page-in-deep-tree.pdf", changed(plain, deep_tree))
    yield Letter("page-split-contents.pdf", changed(plain, split_contents))
    yield Letter(
        "page-with-bleed-and-trim.pdf",
        changed(plain, boxes(BleedBox=[10, 10, 580, 830], TrimBox=[20, 20, 570, 820], ArtBox=[50, 50, 500, 800])),
    )
    for name, change in {
        "layers": layers,
        "tiled-ground": pattern,
        "soft-mask-group": soft_masked,
        "type-3-seal": type_3,
    }.items():
        yield Letter(f"content-{name}.pdf", changed(plain, change))
    for name, encoding, codec in (
        ("SimSun", "UniGB-UCS2-H", "utf-16-be"),
        ("SimHei", "GBK-EUC-H", "gbk"),
        ("FangSong_GB2312", "GB-EUC-H", "gb2312"),
        ("MicrosoftYaHei", "UniGB-UTF16-H", "utf-16-be"),
        ("STKaiti", "GBKp-EUC-H", "gbk"),
    ):
        yield Letter(
            f"font-not-embedded-{name.lower().replace('_', '-')}.pdf",
            changed(plain, system_font(name, encoding, codec)),
        )

    # What a reader has to forgive. The undamaged file shows how each has to look.
    start = int(re.findall(rb"startxref\s+(\d+)", small)[-1])
    table = re.search(rb"xref\n0 \d+\n(?:\d{10} \d{5} [nf] ?\r?\n)+", small)
    assert table
    assert table.start() == start
    with_start = lambda value: re.sub(rb"startxref\s+\d+", b"startxref\n" + value, small)
    damaged = {
        "startxref-a-few-bytes-off": with_start(b"%d" % (start - 7)),
        "startxref-zero": with_start(b"0"),
        "startxref-beyond-end": with_start(b"99999999"),
        "startxref-missing": re.sub(rb"startxref\s+\d+\s+", b"", small),
        "end-marker-missing": small.replace(b"%%EOF", b""),
        "end-cut-off": small[: small.rindex(b"trailer") + 9],
        "table-cut-off": small[: table.start() + 40],
        "table-entries-of-19-bytes": small.replace(table[0], re.sub(rb" \r?\n", b"\n", table[0])),
        "table-off-by-one": small.replace(
            table[0], re.sub(rb"(\d{10})(?= \d{5} n)", lambda m: b"%010d" % (int(m[0]) + 1), table[0])
        ),
        "table-begins-at-one": small.replace(table[0], table[0].replace(b"xref\n0 ", b"xref\n1 ")),
        "line-behind-end": small + b"\r\nScanned by OFFICE-MFP 3000 on floor 2\r\n",
        "mail-boundary-behind-end": small + b"\r\n--=_boundary--\r\n",
        "kilobytes-behind-end": small + b"\0" * 3000,
        "web-page-behind-end": small + b"\n<html><body>footer</body></html>\n",
        "blank-line-before": b"\r\n" + small,
        "mark-before": b"\xef\xbb\xbf" + small,
        "mail-header-before": b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: binary\r\n\r\n" + small,
        "printer-language-before": b"\x1b%-12345X@PJL JOB\r\n@PJL ENTER LANGUAGE=PDF\r\n" + small,
        "kilobyte-before": b" " * 900 + b"\n" + small,
        "header-version-missing": small.replace(small[:8], b"%PDF-1.\n", 1),
        "header-odd-version": small.replace(small[:8], b"%PDF-9.9", 1),
        "endobj-missing": re.sub(rb"\nendobj\n", b"\n", small, count=3),
        "endstream-missing": small.replace(b"\nendstream", b"", 1),
        "length-wrong": re.sub(rb"/Length (\d+)", lambda m: b"/Length %d" % (int(m[1]) + 11), small, count=1),
        "length-zero": re.sub(rb"/Length (\d+)", lambda m: b"/Length " + b"0" * len(m[1]), small),
        "page-count-wrong": re.sub(rb"/Count 1\b", b"/Count 3", small),
        "trailer-size-wrong": re.sub(rb"/Size \d+", b"/Size 3", small),
        "type-of-catalog-missing": small.replace(b"/Type /Catalog", b"             "),
        "carriage-return-after-stream": re.sub(
            rb"stream\n", b"stream\r\n", small.replace(b"endstream\n", b"ENDSTREAM")
        ).replace(b"ENDSTREAM", b"endstream\n"),
        "twice-the-same-file": small + small,
    }
    for name, data in damaged.items():
        assert data != small, name
        yield Letter(f"damaged-{name}.pdf", data, like=small)
    ascii_only = printing.mutool(browsers.typeset(pdf_standards=["1.4"]), "clean", "-a", "-i", "-f", "{in}", "{out}")
    yield Letter("damaged-lines-end-in-crlf.pdf", re.sub(rb"(?<!\r)\n", b"\r\n", ascii_only), like=ascii_only)
    yield Letter("damaged-lines-end-in-cr.pdf", ascii_only.replace(b"\n", b"\r"), like=ascii_only)
    streams = printing.qpdf(plain, "--object-streams=generate")
    yield Letter(
        "damaged-xref-stream-startxref.pdf", re.sub(rb"startxref\s+\d+", b"startxref\n17", streams), like=streams
    )
    yield Letter("incremental-page-replaced.pdf", incremental(small))


def incremental(data: bytes) -> bytes:
    """A later version at the end of the file, by hand: the page is turned upside down, and turned back."""
    number, page = next(
        (int(m[1]), m[2])
        for m in re.finditer(rb"(\d+) 0 obj\n(.*?)\nendobj", data, re.DOTALL)
        if b"/Type /Page\n" in m[2] + b"\n" or re.search(rb"/Type /Page\b(?!s)", m[2])
    )
    root = re.search(rb"/Root (\d+ 0 R)", data)
    assert root
    for angle in (180, 0):
        start = int(re.findall(rb"startxref\s+(\d+)", data)[-1])
        at = len(data) + 1
        body = re.sub(rb"/Rotate \d+", b"", page).replace(b"<<", b"<< /Rotate %d" % angle, 1)
        data += b"\n%d 0 obj\n%b\nendobj\n" % (number, body)
        table = len(data)
        data += b"xref\n%d 1\n%010d 00000 n \ntrailer\n<< /Size 99 /Root %b /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (
            number,
            at,
            root[1],
            start,
            table,
        )
    return data
