"""Letters as LibreOffice exports them: from documents, tables, slides and web pages, with its options and with forms."""

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.letters.making.page import LINES, SEAL, SEAL_WIDTH, TITLE, Letter, run, seal_png

_PROFILE = TemporaryDirectory()


def exported(name: str, content: str | bytes, to: str = "pdf", **options: object) -> bytes:
    """`to` may name an export filter behind a colon; options are those of the PDF export."""
    with TemporaryDirectory() as folder:
        source = Path(folder, name)
        source.write_bytes(content.encode() if isinstance(content, str) else content)
        Path(folder, "seal.png").write_bytes(seal_png())
        if options:
            typed = {
                key: {
                    "type": _TYPES[type(value)],
                    "value": str(value).lower() if isinstance(value, bool) else str(value),
                }
                for key, value in options.items()
            }
            to += ("" if ":" in to else ":writer_pdf_Export") + ":" + json.dumps(typed)
        utf8 = ("--infilter=CSV:44,34,76",) if name.endswith(".csv") else ()
        run(
            "soffice",
            *utf8,
            f"-env:UserInstallation=file://{_PROFILE.name}",
            "--headless",
            "--convert-to",
            to,
            "--outdir",
            folder,
            source,
        )
        return source.with_suffix("." + to.split(":")[0]).read_bytes()


_TYPES = {bool: "boolean", int: "long", str: "string"}

_NAMESPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in {
        "office": "office", "style": "style", "text": "text", "draw": "drawing", "fo": "xsl-fo-compatible",
        "svg": "svg-compatible", "form": "form", "table": "table", "presentation": "presentation",
    }.items()
) + ' xmlns:xlink="http://www.w3.org/1999/xlink"'  # fmt: skip


def odt(*, width: float = 210, height: float = 297, form: bool = False, pages: int = 1, scale: float = 1) -> str:
    """A text document as one file of XML; the seal is anchored to its page."""
    left, top, side = (SEAL[0] - SEAL_WIDTH / 2) * width, SEAL[1] * height - SEAL_WIDTH * width / 2, SEAL_WIDTH * width
    picture = b64encode(seal_png()).decode()
    seals = "".join(
        f'<draw:frame draw:style-name="seal" text:anchor-type="page" text:anchor-page-number="{n + 1}" svg:x="{left}mm" '
        f'svg:y="{top}mm" svg:width="{side}mm" svg:height="{side}mm"><draw:image><office:binary-data>{picture}'
        "</office:binary-data></draw:image></draw:frame>"
        for n in range(pages)
    )
    lines = "".join(f'<text:p text:style-name="line">{line}</text:p>' for line in LINES)
    sheets = "".join(
        f'<text:p text:style-name="{"title" if n == 0 else "next"}">{TITLE}</text:p>{lines}' for n in range(pages)
    )
    fields = controls = ""
    if form:
        fields = (
            '<office:forms><form:form form:name="f"><form:text form:name="account" xml:id="c1" form:id="c1" '
            'form:current-value="100086" form:value="100086"/><form:checkbox form:name="agree" xml:id="c2" form:id="c2" '
            'form:current-state="checked" form:state="checked" form:label="同意"/></form:form></office:forms>'
        )
        controls = "".join(
            f'<draw:control draw:control="{name}" text:anchor-type="page" text:anchor-page-number="1" svg:x="{x}mm" '
            f'svg:y="200mm" svg:width="{w}mm" svg:height="10mm"/>'
            for name, x, w in (("c1", 25, 60), ("c2", 95, 30))
        )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<office:document {_NAMESPACES} office:mimetype="application/vnd.oasis.opendocument.text" office:version="1.3">
<office:styles><style:default-style style:family="paragraph"><style:text-properties
 fo:language="zh" fo:country="CN" style:font-name-asian="Noto Sans CJK SC"/></style:default-style></office:styles>
<office:font-face-decls><style:font-face style:name="Noto Sans CJK SC" svg:font-family="'Noto Sans CJK SC'"/>
</office:font-face-decls>
<office:automatic-styles>
<style:page-layout style:name="sheet"><style:page-layout-properties fo:page-width="{width}mm" fo:page-height="{height}mm"
 fo:margin="{20 * scale}mm"/></style:page-layout>
<style:style style:name="title" style:family="paragraph"><style:paragraph-properties fo:text-align="center"/>
<style:text-properties fo:font-size="{24 * scale}pt" style:font-size-asian="{24 * scale}pt"/></style:style>
<style:style style:name="next" style:family="paragraph" style:parent-style-name="title">
<style:paragraph-properties fo:break-before="page"/></style:style>
<style:style style:name="line" style:family="paragraph"><style:paragraph-properties fo:margin-top="{7 * scale}mm"/>
<style:text-properties fo:font-size="{12 * scale}pt" style:font-size-asian="{12 * scale}pt"/></style:style>
<style:style style:name="seal" style:family="graphic"><style:graphic-properties style:wrap="run-through"
 style:run-through="foreground" style:horizontal-pos="from-left" style:horizontal-rel="page"
 style:vertical-pos="from-top" style:vertical-rel="page"/></style:style>
</office:automatic-styles>
<office:master-styles><style:master-page style:name="Standard" style:page-layout-name="sheet"/></office:master-styles>
<office:body><office:text>{fields}{seals}{controls}{sheets}</office:text></office:body></office:document>"""


def slide() -> str:
    left, top, side = (SEAL[0] - SEAL_WIDTH / 2) * 210, SEAL[1] * 297 - SEAL_WIDTH * 105, SEAL_WIDTH * 210
    lines = "".join(f"<text:p>{line}</text:p>" for line in (TITLE, *LINES))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<office:document {_NAMESPACES} office:mimetype="application/vnd.oasis.opendocument.graphics" office:version="1.3">
<office:automatic-styles><style:page-layout style:name="sheet"><style:page-layout-properties fo:page-width="210mm"
 fo:page-height="297mm" fo:margin="10mm"/></style:page-layout></office:automatic-styles>
<office:master-styles><style:master-page style:name="Default" style:page-layout-name="sheet"/></office:master-styles>
<office:body><office:drawing><draw:page draw:name="p" draw:master-page-name="Default">
<draw:frame svg:x="20mm" svg:y="20mm" svg:width="170mm" svg:height="100mm"><draw:text-box>{lines}</draw:text-box>
</draw:frame><draw:frame svg:x="{left}mm" svg:y="{top}mm" svg:width="{side}mm" svg:height="{side}mm"><draw:image>
<office:binary-data>{b64encode(seal_png()).decode()}</office:binary-data></draw:image></draw:frame></draw:page>
</office:drawing></office:body></office:document>"""


def letters() -> Iterator[Letter]:
    text = odt()
    yield Letter("libreoffice-odt.pdf", exported("a.fodt", text))
    for kind, seal in {"docx": SEAL, "doc": SEAL, "rtf": (0.79, 0.667)}.items():
        office_file = exported("a.fodt", text, kind)
        yield Letter(f"libreoffice-{kind}.pdf", exported(f"a.{kind}", office_file), seals=((1, *seal),))
    for number, name in {1: "pdf-a-1b", 2: "pdf-a-2b", 16: "pdf-1.6"}.items():
        yield Letter(f"libreoffice-{name}.pdf", exported("a.fodt", text, SelectPdfVersion=number))
    yield Letter("libreoffice-tagged-bookmarks.pdf", exported("a.fodt", text, UseTaggedPDF=True, ExportBookmarks=True))
    yield Letter(
        "libreoffice-opening-view.pdf",
        exported(
            "a.fodt", odt(pages=2), InitialView=2, InitialPage=2, Magnification=4, Zoom=150, HideViewerMenubar=True
        ),
        2,
        ((1, *SEAL), (2, *SEAL)),
    )
    yield Letter("libreoffice-full-screen.pdf", exported("a.fodt", text, OpenInFullScreenMode=True, Magnification=2))
    yield Letter("libreoffice-hybrid-with-source.pdf", exported("a.fodt", text, IsAddStream=True))
    yield Letter(
        "libreoffice-restricted.pdf",
        exported(
            "a.fodt",
            text,
            RestrictPermissions=True,
            PermissionPassword="owner",
            Printing=0,
            Changes=0,
            EnableCopyingOfContent=False,
        ),
    )
    yield Letter("libreoffice-filled-form.pdf", exported("a.fodt", odt(form=True), ExportFormFields=True))
    yield Letter("libreoffice-form-as-text.pdf", exported("a.fodt", odt(form=True), ExportFormFields=False))
    yield Letter("libreoffice-watermark.pdf", exported("a.fodt", text, Watermark="DRAFT 草稿"))
    yield Letter("libreoffice-landscape.pdf", exported("a.fodt", odt(width=297, height=210, scale=0.8)))
    yield Letter("libreoffice-a5.pdf", exported("a.fodt", odt(width=148, height=210, scale=0.6)))
    yield Letter("libreoffice-a3.pdf", exported("a.fodt", odt(width=297, height=420, scale=1.4)))
    yield Letter(
        "libreoffice-three-pages.pdf", exported("a.fodt", odt(pages=3)), 3, tuple((n, *SEAL) for n in (1, 2, 3))
    )
    yield Letter("libreoffice-draw.pdf", exported("a.fodg", slide()))
    yield Letter("libreoffice-text-file.pdf", exported("a.txt", "\n\n".join((TITLE, *LINES))), seals=())
    yield Letter(
        "libreoffice-table.pdf", exported("a.csv", "\n".join(f"{n},{x}" for n, x in enumerate(LINES))), seals=()
    )
    for kind in ("jpg", "webp"):
        yield Letter(f"libreoffice-picture.{kind}", exported("a.fodg", slide(), kind))
