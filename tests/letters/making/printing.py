"""Letters that went through a printer driver, a converter or a tool that writes PDFs anew."""

from collections.abc import Iterator
from io import BytesIO
from math import pi
from pathlib import Path
from tempfile import TemporaryDirectory

import cairo

from tests.letters.making import browsers, office, reports
from tests.letters.making.page import A4, SEAL, SEAL_WIDTH, Letter, converted, lines_at, run, seal_png

POSTSCRIPT = f"""%!PS-Adobe-3.0
%%BoundingBox: 0 0 595 842
/Helvetica findfont 24 scalefont setfont 90 760 moveto (Letter of consent) show
/Times-Roman findfont 12 scalefont setfont
0 1 3 {{ 70 exch 30 mul 690 exch sub moveto (We agree to the cancellation of account 100086.) show }} for
{{seal}} 5 setlinewidth newpath {A4[0] * SEAL[0]} {A4[1] * (1 - SEAL[1])} 70 0 360 arc stroke
{A4[0] * SEAL[0]} {A4[1] * (1 - SEAL[1])} 25 0 360 arc fill
showpage
%%EOF
"""
RED = "0.82 0.08 0.12 setrgbcolor"
SPOT = "[/Separation (SEAL) /DeviceCMYK {dup 0 exch 0.95 mul 3 -1 roll 0.9 mul 0}] setcolorspace 1 setcolor"
MIXED = "[/DeviceN [/Magenta /Yellow] /DeviceCMYK {0 3 1 roll 0}] setcolorspace 1 0.9 setcolor"
CMYK = "0 0.95 0.9 0 setcmykcolor"


def postscript(seal: str = RED) -> bytes:
    return POSTSCRIPT.replace("{seal}", seal).encode()


def ghostscript(device: str, data: bytes, *options: str) -> bytes:
    suffix = ".pdf" if data.startswith(b"%PDF") else ".ps"
    return converted(
        data,
        suffix,
        ".out",
        "gs",
        "-q",
        "-dNOPAUSE",
        "-dBATCH",
        "-dSAFER",
        f"-sDEVICE={device}",
        "-sOutputFile={out}",
        *options,
        "{in}",
    )


def qpdf(data: bytes, *options: str) -> bytes:
    return (
        converted(data, ".pdf", ".out.pdf", "qpdf", "--deterministic-id", *options, "{in}", "{out}")
        if "--encrypt" not in options
        else converted(data, ".pdf", ".out.pdf", "qpdf", *options, "{in}", "{out}")
    )


def mutool(data: bytes, *command: str) -> bytes:
    return converted(data, ".pdf", ".out.pdf", "mutool", *command)


def poppler(data: bytes, tool: str, *options: str, to: str = ".out") -> bytes:
    return converted(data, ".pdf", to, tool, *options, "{in}", "{out}")


def drawn_by_cairo(version: cairo.PDFVersion, size: tuple[float, float] = A4) -> bytes:
    file = BytesIO()
    surface = cairo.PDFSurface(file, *size)
    surface.restrict_to_version(version)
    pen = cairo.Context(surface)
    pen.select_font_face("Noto Sans CJK SC")
    for x, y, points, text in lines_at(*size):
        pen.move_to(x, y)
        pen.set_font_size(points)
        pen.show_text(text)
    pen.new_path()
    pen.push_group()
    pen.set_source_rgb(0.82, 0.08, 0.12)
    pen.set_line_width(6)
    pen.arc(size[0] * SEAL[0], size[1] * SEAL[1], size[0] * SEAL_WIDTH / 2, 0, 2 * pi)
    pen.stroke()
    pen.arc(size[0] * SEAL[0], size[1] * SEAL[1], 25, 0, 2 * pi)
    pen.fill()
    pen.pop_group_to_source()
    pen.paint_with_alpha(0.85)
    surface.finish()
    return file.getvalue()


def svg() -> bytes:
    lines = "".join(
        f'<text x="{x}" y="{y}" font-size="{s}">{t if t.isascii() else "Letter of consent"}</text>'
        for x, y, s, t in lines_at(*A4)
    )
    ring = f'<circle cx="{A4[0] * SEAL[0]}" cy="{A4[1] * SEAL[1]}" r="70" fill="url(#g)" stroke="#d2141e" stroke-width="6"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="595.276pt" height="841.89pt" viewBox="0 0 {A4[0]} {A4[1]}" font-family="Noto Sans CJK SC">'
        '<defs><radialGradient id="g"><stop offset="0" stop-color="#d2141e"/><stop offset=".4" stop-color="#d2141e" stop-opacity=".5"/>'
        f'<stop offset="1" stop-color="#fff" stop-opacity="0"/></radialGradient></defs>{lines}{ring}</svg>'
    ).encode()


def merged(*parts: bytes, tool: str) -> bytes:
    with TemporaryDirectory() as folder:
        names = []
        for number, part in enumerate(parts):
            names.append(f"{folder}/{number}.pdf")
            Path(names[-1]).write_bytes(part)
        command = {
            "pdfunite": ("pdfunite", *names, f"{folder}/out.pdf"),
            "mutool": ("mutool", "merge", "-o", f"{folder}/out.pdf", *names),
            "qpdf": ("qpdf", "--empty", "--pages", *names, "--", f"{folder}/out.pdf"),
            "qpdf-overlay": ("qpdf", names[0], "--overlay", names[1], "--", f"{folder}/out.pdf"),
            "pdftk": ("pdftk", *names, "cat", "output", f"{folder}/out.pdf"),
            "pdftk-stamp": ("pdftk", names[0], "stamp", names[1], "output", f"{folder}/out.pdf"),
        }[tool]
        run(*command)
        return Path(folder, "out.pdf").read_bytes()


def stamp_only() -> bytes:
    return reports.made(reports.stamp)


def letters() -> Iterator[Letter]:
    yield Letter("ghostscript-postscript.pdf", ghostscript("pdfwrite", postscript()))
    yield Letter("ghostscript-spot-colour.pdf", ghostscript("pdfwrite", postscript(SPOT)))
    yield Letter("ghostscript-device-n.pdf", ghostscript("pdfwrite", postscript(MIXED)))
    yield Letter(
        "ghostscript-cmyk.pdf",
        ghostscript("pdfwrite", postscript(), "-sColorConversionStrategy=CMYK", "-dProcessColorModel=/DeviceCMYK"),
    )
    yield Letter(
        "ghostscript-fonts-not-embedded.pdf",
        ghostscript("pdfwrite", postscript(CMYK), "-dEmbedAllFonts=false", "-dCompatibilityLevel=1.3"),
    )
    text, typed = office.exported("a.fodt", office.odt()), browsers.typeset()
    for level in ("1.3", "1.4", "1.7"):
        yield Letter(
            f"ghostscript-{level}.pdf", ghostscript("pdfwrite", typed, f"-dCompatibilityLevel={level}", "-r100")
        )
    yield Letter("ghostscript-pdf-2.0.pdf", ghostscript("pdfwrite", typed, "-dCompatibilityLevel=2.0"))
    for setting in ("screen", "prepress"):
        yield Letter(f"ghostscript-{setting}.pdf", ghostscript("pdfwrite", text, f"-dPDFSETTINGS=/{setting}"))
    yield Letter("ghostscript-type-3-fonts.pdf", ghostscript("pdfwrite", text, "-dNoOutputFonts"))
    yield Letter("ghostscript-linear.pdf", ghostscript("pdfwrite", typed, "-dFastWebView=true"))
    yield Letter(
        "ghostscript-pdfimage24.pdf",
        ghostscript("pdfimage24", text, "-r72", "-sCompression=JPEG", "-dJPEGQ=50", "-dDownScaleFactor=1"),
    )
    yield Letter("ghostscript-pdfimage8.pdf", ghostscript("pdfimage8", text, "-r72"), seals=())

    yield Letter("cairo-plain.pdf", drawn_by_cairo(cairo.PDF_VERSION_1_5))
    yield Letter(
        "librsvg-from-svg.pdf", converted(svg(), ".svg", ".pdf", "rsvg-convert", "-f", "pdf", "-o", "{out}", "{in}")
    )
    yield Letter(
        "groff-plain.pdf",
        run(
            "groff",
            "-Tpdf",
            "-ms",
            feed=b".TL\nLetter of consent\n.PP\nWe agree to the cancellation of account 100086.\n.PP\nShanghai Example Technology\n",
        ),
        seals=(),
    )

    yield Letter("poppler-pdftocairo.pdf", poppler(text, "pdftocairo", "-pdf"))
    yield Letter("poppler-by-postscript.pdf", ghostscript("pdfwrite", poppler(reports.tiny(), "pdftops", to=".ps")))
    yield Letter("poppler-pdfunite.pdf", merged(typed, reports.tiny(), tool="pdfunite"), 2, ((1, *SEAL), (2, *SEAL)))
    yield Letter(
        "poppler-pdfseparate.pdf",
        poppler(merged(typed, reports.tiny(), tool="qpdf"), "pdfseparate", "-f", "2", "-l", "2"),
    )
    yield Letter(
        "poppler-picture.jpg",
        converted(text, ".pdf", ".jpg", "sh", "-c", "pdftocairo -jpeg -singlefile -r 72 {in} out"),
    )
    yield Letter(
        "poppler-picture.png", converted(text, ".pdf", ".png", "sh", "-c", "pdftocairo -png -singlefile -r 60 {in} out")
    )

    yield Letter("qpdf-linearized.pdf", qpdf(typed, "--linearize"))
    yield Letter(
        "qpdf-object-streams.pdf",
        qpdf(text, "--object-streams=generate", "--compression-level=9", "--recompress-flate"),
    )
    yield Letter("qpdf-no-object-streams.pdf", qpdf(typed, "--object-streams=disable"))
    yield Letter("qpdf-for-editing.pdf", qpdf(reports.tiny(), "--qdf"))
    yield Letter("qpdf-version-2.0.pdf", qpdf(text, "--force-version=2.0"))
    yield Letter(
        "qpdf-newlines-before-endstream.pdf", qpdf(typed, "--newline-before-endstream", "--object-streams=disable")
    )
    nothing_allowed = ("--print=none", "--modify=none", "--extract=n", "--annotate=n", "--form=n", "--assemble=n", "--")
    for bits, options in {
        "40": ("--print=n", "--modify=n", "--extract=n", "--"),
        "128": ("--use-aes=n", *nothing_allowed),
        "128-aes": ("--use-aes=y", *nothing_allowed),
        "256": nothing_allowed,
    }.items():
        yield Letter(
            f"qpdf-restricted-{bits}.pdf",
            qpdf(
                typed,
                *(["--allow-weak-crypto"] if bits in ("40", "128") else []),
                "--encrypt",
                "",
                "owner",
                bits[:3],
                *options,
            ),
        )
    yield Letter(
        "qpdf-restricted-linear-object-streams.pdf",
        qpdf(
            text,
            "--linearize",
            "--object-streams=generate",
            "--encrypt",
            "",
            "owner",
            "256",
            "--cleartext-metadata",
            *nothing_allowed,
        ),
    )
    yield Letter("qpdf-joined.pdf", merged(typed, reports.tiny(), tool="qpdf"), 2, ((1, *SEAL), (2, *SEAL)))
    yield Letter("qpdf-seal-overlaid.pdf", merged(reports.unsealed(), stamp_only(), tool="qpdf-overlay"))
    yield Letter(
        "qpdf-rotated-and-flattened.pdf", qpdf(qpdf(typed, "--rotate=+90"), "--flatten-rotation", "--rotate=-90")
    )
    with TemporaryDirectory() as folder:
        Path(folder, "附件.csv").write_text("a,b\n1,2\n")
        yield Letter("qpdf-attachment.pdf", qpdf(typed, "--add-attachment", f"{folder}/附件.csv", "--"))

    yield Letter("pdftk-joined.pdf", merged(typed, reports.tiny(), tool="pdftk"), 2, ((1, *SEAL), (2, *SEAL)))
    yield Letter("pdftk-stamped.pdf", merged(reports.unsealed(), stamp_only(), tool="pdftk-stamp"))
    yield Letter(
        "pdftk-restricted.pdf",
        converted(typed, ".pdf", ".out.pdf", "pdftk", "{in}", "output", "{out}", "encrypt_128bit", "owner_pw", "owner"),
    )

    yield Letter("mutool-cleaned.pdf", mutool(text, "clean", "-gggg", "-z", "{in}", "{out}"))
    yield Letter(
        "mutool-expanded-ascii.pdf",
        mutool(browsers.typeset(pdf_standards=["1.4"]), "clean", "-a", "-i", "-f", "{in}", "{out}"),
    )
    yield Letter("mutool-linear.pdf", mutool(text, "clean", "-l", "{in}", "{out}"))
    yield Letter(
        "mutool-restricted.pdf", mutool(text, "clean", "-E", "aes-256", "-O", "owner", "-P", "0", "{in}", "{out}")
    )
    yield Letter("mutool-merged.pdf", merged(typed, reports.tiny(), tool="mutool"), 2, ((1, *SEAL), (2, *SEAL)))
    with TemporaryDirectory() as folder:
        Path(folder, "seal.png").write_bytes(seal_png())
        x, y, side = (
            A4[0] * (SEAL[0] - SEAL_WIDTH / 2),
            A4[1] * (1 - SEAL[1]) - A4[0] * SEAL_WIDTH / 2,
            A4[0] * SEAL_WIDTH,
        )
        Path(folder, "page.txt").write_text(
            "%%MediaBox 0 0 595.276 841.89\n%%Font Tm Times-Roman\n%%Image S seal.png\n"
            f"BT /Tm 24 Tf 90 760 Td (Letter of consent) Tj ET q {side} 0 0 {side} {x} {y} cm /S Do Q\n"
        )
        run("mutool", "create", "-o", "out.pdf", "page.txt", at=Path(folder))
        yield Letter("mutool-created.pdf", Path(folder, "out.pdf").read_bytes())
    picture = converted(text, ".pdf", ".png", "mutool", "draw", "-r", "60", "-o", "{out}", "{in}")
    yield Letter("mutool-picture.png", picture)
