"""Letters printed by browsers and by what lays web pages out."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import typst
from PIL import Image
from weasyprint import HTML
from weasyprint.text.fonts import FontConfiguration

from tests.letters.making.page import (
    COMPANY,
    LINE_STEP,
    LINES,
    LINES_TOP,
    SEAL,
    SEAL_WIDTH,
    TITLE,
    Letter,
    encoded,
    html,
    run,
    seal_png,
)


def folder_with(page: str) -> TemporaryDirectory[str]:
    folder = TemporaryDirectory()
    Path(folder.name, "page.html").write_text(page)
    Path(folder.name, "seal.png").write_bytes(seal_png())
    return folder


def chromium(page: str, *options: str) -> bytes:
    """Prints a page, or takes a picture when an option says so."""
    with folder_with(page) as folder:
        shot = any(option.startswith("--screenshot") for option in options)
        to = [] if shot else [f"--print-to-pdf={folder}/out"]
        options = tuple(f"--screenshot={folder}/out.png" if o == "--screenshot" else o for o in options)
        run(
            "chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-pdf-header-footer",
            *to,
            *options,
            f"file://{folder}/page.html",
        )
        return Path(folder, "out.png" if shot else "out").read_bytes()


PHONE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><style>
body { margin: 0; font: 15px/1.6 "Noto Sans CJK SC"; background: #ededed }
p { background: white; border-radius: 8px; margin: 12px; padding: 12px }
img { width: 120px; display: block; margin: 20px 0 20px 220px }
</style>"""


def phone_page(paragraphs: int) -> str:
    """A chat, as people photograph it with one tall screenshot."""
    text = "".join(f"<p>{n + 1}. {LINES[n % len(LINES)]}</p>" for n in range(paragraphs))
    return f'{PHONE}<h3 style="text-align:center">{TITLE}</h3><img src="seal.png">{text}</html>'


def weasy(page: str, **options: object) -> bytes:
    with folder_with(page) as folder:
        return HTML(filename=f"{folder}/page.html").write_pdf(font_config=FontConfiguration(), **options)


FIELDS = f"""<form style="position:absolute; left:25mm; top:200mm"><input type="text" name="company" value="{COMPANY}"
 style="width:70mm; height:8mm; border:1px solid black"><input type="checkbox" name="agree" checked></form>"""

TYPST = (
    '#set page(paper: "a4", margin: 0pt)\n#set text(font: "Noto Sans CJK SC", lang: "zh")\n'
    f"#place(top + center, dy: 21mm, text(24pt)[{TITLE}])\n"
    + "".join(
        f"#place(dx: 25mm, dy: {(LINES_TOP + n * LINE_STEP) * 297}mm, text(12pt)[{x}])\n" for n, x in enumerate(LINES)
    )
    + f"#place(dx: {(SEAL[0] - SEAL_WIDTH / 2) * 210}mm, dy: {SEAL[1] * 297 - SEAL_WIDTH * 105}mm, "
    f'image("seal.png", width: {SEAL_WIDTH * 210}mm))\n'
)


def typeset(format: str = "pdf", more: str = "", **options: object) -> bytes:
    with TemporaryDirectory() as folder:
        Path(folder, "page.typ").write_text(TYPST + more)
        Path(folder, "seal.png").write_bytes(seal_png())
        return typst.compile(f"{folder}/page.typ", format=format, **options)


def wkhtml(page: str, *options: str) -> bytes:
    with folder_with(page) as folder:
        run(
            "xvfb-run",
            "-a",
            "wkhtmltopdf",
            "--enable-local-file-access",
            "-T",
            "0",
            "-B",
            "0",
            "-L",
            "0",
            "-R",
            "0",
            *options,
            f"{folder}/page.html",
            f"{folder}/out.pdf",
            fails=(1,),
        )
        return Path(folder, "out.pdf").read_bytes()


SHRUNK = ((1, 0.535, 0.462),)
"""It prints with its own idea of the size of a pixel."""


def letters() -> Iterator[Letter]:
    yield Letter("chromium-print.pdf", chromium(html()))
    yield Letter("chromium-tagged-outline.pdf", chromium(html(), "--generate-pdf-document-outline"))
    yield Letter(
        "chromium-a5-scaled.pdf",
        chromium(html(size="148mm 210mm; zoom: 1", more="").replace("div {", "div { zoom: 0.704;")),
    )
    yield Letter(
        "chromium-transparent-layers.pdf",
        chromium(
            html(
                more='<b style="position:absolute;left:30mm;top:210mm;width:90mm;height:40mm;opacity:.4;background:linear-gradient(90deg,#06c,#fff);filter:drop-shadow(2mm 2mm 1mm gray);border-radius:5mm"></b>'
            )
        ),
    )
    yield Letter(
        "chromium-seal-turned-and-multiplied.pdf",
        chromium(html(more="<style>img{transform:rotate(12deg);mix-blend-mode:multiply}</style>")),
    )
    yield Letter(
        "chromium-svg-seal.pdf",
        chromium(
            html(
                more='<svg style="position:absolute;left:120mm;top:152mm;width:52mm" viewBox="0 0 100 100"><circle cx="50" cy="50" r="46" fill="none" stroke="#d2141e" stroke-width="5"/><text x="50" y="85" font-size="10" fill="#d2141e" text-anchor="middle">公章</text></svg>'
            )
        ),
    )
    yield Letter(
        "chromium-web-link-and-form.pdf",
        chromium(
            html(
                more='<a style="position:absolute;left:25mm;top:190mm" href="https://cloud.example.com/">cloud.example.com</a><input style="position:absolute;left:25mm;top:205mm" value="100086">'
            )
        ),
    )
    shot = chromium(html(), "--screenshot", "--window-size=794,1123")
    yield Letter("chromium-screenshot.png", encoded(Image.open(BytesIO(shot)).convert("RGB"), "PNG", optimize=True))
    tall = chromium(phone_page(30), "--screenshot", "--window-size=412,2300", "--force-device-scale-factor=1")
    picture = Image.open(BytesIO(tall)).convert("RGB")
    for name, data in {
        "phone-tall-screenshot.png": encoded(picture.quantize(16), "PNG", optimize=True),
        "phone-tall-screenshot.jpg": encoded(picture, "JPEG", quality=20),
        "phone-tall-screenshot.webp": encoded(picture, "WEBP", quality=30),
    }.items():
        yield Letter(name, data, seals=((1, 0.69, 0.052),), shown=(picture,))

    yield Letter("weasyprint-plain.pdf", weasy(html()))
    yield Letter(
        "weasyprint-pdf-a-3b-attachment.pdf",
        weasy(html(more='<link rel="attachment" href="seal.png">'), pdf_variant="pdf/a-3b"),
    )
    yield Letter("weasyprint-pdf-ua.pdf", weasy(html(), pdf_variant="pdf/ua-1"))
    yield Letter("weasyprint-pdf-2.0.pdf", weasy(html(), pdf_version="2.0"))
    yield Letter("weasyprint-form.pdf", weasy(html(more=FIELDS), pdf_forms=True))
    yield Letter("weasyprint-uncompressed-full-fonts.pdf", weasy(html(), uncompressed_pdf=True))
    yield Letter(
        "weasyprint-landscape.pdf",
        weasy(html(size="A4 landscape").replace("296mm", "209mm").replace("<p ", '<p class="n" ', 1)),
        seals=((1, (SEAL[0] * 210) / 297, SEAL[1] * 297 / 210),),
    )

    yield Letter("typst-plain.pdf", typeset())
    yield Letter(
        "typst-pdf-a-2b.pdf",
        typeset(pdf_standards=["a-2b"], more="#set document(date: datetime(year: 2026, month: 3, day: 1))"),
    )
    yield Letter("typst-pdf-1.4.pdf", typeset(pdf_standards=["1.4"]))
    yield Letter("typst-pdf-2.0.pdf", typeset(pdf_standards=["2.0"]))
    yield Letter("typst-two-pages-outline.pdf", typeset(more="#pagebreak()\n= 附件\n第二页"), 2)
    yield Letter("typst-picture.png", typeset("png", ppi=72.0))

    yield Letter("wkhtmltopdf-plain.pdf", wkhtml(html()), seals=SHRUNK)
    yield Letter("wkhtmltopdf-outline-grey.pdf", wkhtml(html(), "--grayscale", "--outline"), seals=())
    yield Letter("wkhtmltopdf-form.pdf", wkhtml(html(more=FIELDS), "--enable-forms"), seals=SHRUNK)
