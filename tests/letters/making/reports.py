"""Letters by the PDF library that most Python programs use, and the plain one that others are derived from."""

from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO
from typing import Any

from reportlab.graphics.barcode.qr import QrCode
from reportlab.lib.colors import CMYKColorSep, Color
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from tests.letters.making.page import A4, SEAL, SEAL_WIDTH, Letter, lines_at, seal_png, small_font

pdfmetrics.registerFont(TTFont("Sung", str(small_font())))
pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))


def write(canvas: Canvas, size: tuple[float, float] = A4, font: str = "Sung") -> None:
    for x, y, points, text in lines_at(*size):
        canvas.setFont(font, points)
        canvas.drawString(x, size[1] - y, text)


def stamp(canvas: Canvas, size: tuple[float, float] = A4) -> None:
    width = size[0] * SEAL_WIDTH
    at = size[0] * SEAL[0] - width / 2, size[1] * (1 - SEAL[1]) - width / 2
    canvas.drawImage(ImageReader(BytesIO(seal_png())), *at, width, width, mask="auto")


def drawn_stamp(canvas: Canvas, colour: Any, size: tuple[float, float] = A4, words: str = "公章") -> None:
    """The seal as strokes and text, in a colour space of choice."""
    x, y, r = size[0] * SEAL[0], size[1] * (1 - SEAL[1]), size[0] * SEAL_WIDTH / 2
    canvas.setStrokeColor(colour)
    canvas.setFillColor(colour)
    canvas.setLineWidth(5)
    canvas.circle(x, y, r, fill=0)
    canvas.circle(x, y, r / 3, fill=1)
    if words:
        canvas.setFont("Sung", 14)
        canvas.drawCentredString(x, y - r * 0.7, words)
    canvas.setFillGray(0)


def made(draw: Callable[[Canvas], None], size: tuple[float, float] = A4, **options: Any) -> bytes:
    file = BytesIO()
    canvas = Canvas(file, pagesize=size, invariant=1, **options)
    draw(canvas)
    canvas.save()
    return file.getvalue()


def whole(canvas: Canvas, size: tuple[float, float] = A4) -> None:
    write(canvas, size)
    stamp(canvas, size)


@cache
def plain() -> bytes:
    """One page with an embedded font, the seal as a picture with a mask, and a table of cross-references."""
    return made(whole)


@cache
def tiny(*, sealed: bool = True) -> bytes:
    """Without a font of its own: for what is about the file and the page alone."""

    def draw(canvas: Canvas) -> None:
        for x, y, points, text in lines_at(*A4):
            canvas.setFont("Times-Roman", points)
            canvas.drawString(x, A4[1] - y, text if text.isascii() else "Letter of consent, example")
        if sealed:
            drawn_stamp(canvas, RED, words="")

    return made(draw)


@cache
def unsealed() -> bytes:
    return made(write)


RED = Color(0.82, 0.08, 0.12)


def overprinted(canvas: Canvas) -> None:
    """The seal multiplied onto the words, as programs for electronic seals do."""
    write(canvas)
    canvas.setBlendMode("Multiply")
    canvas.setFillAlpha(0.8)
    canvas.setStrokeAlpha(0.8)
    drawn_stamp(canvas, RED)


def watermarked(canvas: Canvas) -> None:
    canvas.saveState()
    canvas.setFillColor(Color(0, 0, 0, alpha=0.15))
    canvas.setFont("Sung", 60)
    canvas.translate(300, 420)
    canvas.rotate(45)
    canvas.drawCentredString(0, 0, "草稿")
    canvas.restoreState()
    whole(canvas)


def shaded(canvas: Canvas) -> None:
    canvas.linearGradient(0, 842, 595, 700, (Color(0.8, 0.9, 1), Color(1, 1, 1)), extend=False)
    canvas.radialGradient(150, 200, 100, (Color(1, 0.9, 0.6), Color(1, 1, 1)), extend=False)
    whole(canvas)


def with_code(canvas: Canvas) -> None:
    whole(canvas)
    QrCode("https://cloud.example.com/verify/100086", width=90, height=90).drawOn(canvas, 70, 260)


def with_links(canvas: Canvas) -> None:
    whole(canvas)
    canvas.linkURL("https://cloud.example.com", (60, 700, 300, 740))
    canvas.bookmarkPage("top")
    canvas.addOutlineEntry("同意书", "top")
    canvas.showOutline()
    canvas.setViewerPreference("HideToolbar", "true")
    canvas.setPageTransition("Dissolve")


def form_twice(canvas: Canvas) -> None:
    canvas.beginForm("seal")
    drawn_stamp(canvas, RED)
    canvas.endForm()
    for _ in range(2):
        write(canvas)
        canvas.doForm("seal")
        canvas.showPage()


def hidden_text(canvas: Canvas) -> None:
    """What character recognition lays behind a scan: text that is not drawn."""
    whole(canvas)
    text = canvas.beginText(100, 300)
    text.setFont("Sung", 40)
    text.setTextRenderMode(3)
    text.textLine("同意书草稿")
    canvas.drawText(text)


def filled_form(canvas: Canvas) -> None:
    whole(canvas)
    form = canvas.acroForm
    form.textfield(name="account", value="100086", x=70, y=300, width=200, height=30, fontSize=18)
    form.checkbox(name="agree", checked=True, x=70, y=250, size=24)
    for x, value in ((120, "company"), (150, "person")):
        form.radio(name="who", value=value, selected=value == "company", x=x, y=250, size=24)
    form.choice(name="city", value="Shanghai", options=["Shanghai", "Beijing"], x=200, y=250, width=100, height=24)


def letters() -> Iterator[Letter]:
    yield Letter("reportlab-plain.pdf", plain())
    yield Letter("reportlab-uncompressed.pdf", made(whole, pageCompression=0))
    yield Letter("reportlab-pdf-1.3.pdf", made(whole, pdfVersion=(1, 3)))
    yield Letter("reportlab-not-embedded-stsong.pdf", made(lambda c: (write(c, font="STSong-Light"), stamp(c))))
    a3, a5, landscape = (841.89, 1190.55), (419.53, 595.28), (841.89, 595.28)
    for name, size in {"a3": a3, "a5": a5, "landscape": landscape, "letter": (612, 792)}.items():
        yield Letter(f"reportlab-{name}.pdf", made(lambda c, s=size: whole(c, s), size))
    yield Letter("reportlab-seal-multiplied.pdf", made(overprinted))
    spot = CMYKColorSep(0, 1, 0.9, 0, spotName="SEAL RED", density=1)
    yield Letter("reportlab-seal-spot-colour.pdf", made(lambda c: (write(c), drawn_stamp(c, spot))))
    yield Letter("reportlab-watermark.pdf", made(watermarked))
    yield Letter("reportlab-shadings.pdf", made(shaded))
    yield Letter("reportlab-qr-code.pdf", made(with_code))
    yield Letter("reportlab-links-bookmarks-transition.pdf", made(with_links))
    yield Letter("reportlab-form-object-twice.pdf", made(form_twice), 2, ((1, *SEAL), (2, *SEAL)))
    yield Letter("reportlab-hidden-text.pdf", made(hidden_text))
    yield Letter("reportlab-filled-form.pdf", made(filled_form))
    for bits in (40, 128):
        rights = StandardEncryption("", "owner", canPrint=0, canModify=0, canCopy=0, canAnnotate=0, strength=bits)
        yield Letter(f"reportlab-restricted-{bits}.pdf", made(whole, encrypt=rights))
