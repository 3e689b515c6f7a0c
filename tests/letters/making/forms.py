"""Letters on which something was put afterwards: stamps as annotations, filled-in fields, electronic signatures."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pikepdf
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pikepdf import Array, Dictionary, Name, Pdf, String
from pyhanko import stamp
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import SimpleBoxLayoutRule
from pyhanko.sign import fields, signers
from pyhanko.sign.fields import MDPPerm, SigFieldSpec
from pypdf import PdfReader, PdfWriter

from tests.letters.making import office, printing, reports
from tests.letters.making.page import A4, COMPANY, SEAL, SEAL_WIDTH, Letter, converted, seal

SIDE = A4[0] * SEAL_WIDTH
BOX = [
    A4[0] * SEAL[0] - SIDE / 2,
    A4[1] * (1 - SEAL[1]) - SIDE / 2,
    A4[0] * SEAL[0] + SIDE / 2,
    A4[1] * (1 - SEAL[1]) + SIDE / 2,
]
"""Where the seal stands on an A4 page, for PDF."""


def changed(data: bytes, change: Callable[[Pdf], None], **options: Any) -> bytes:
    file = BytesIO()
    with Pdf.open(BytesIO(data)) as document:
        change(document)
        document.save(file, deterministic_id=True, **options)
    return file.getvalue()


def seal_image(document: Pdf) -> pikepdf.Object:
    """The seal as a picture with a soft mask."""
    made = seal(112)
    red = pikepdf.Stream(document, made.convert("RGB").tobytes())
    red.stream_dict = Dictionary(
        Type=Name.XObject, Subtype=Name.Image, Width=112, Height=112, BitsPerComponent=8, ColorSpace=Name.DeviceRGB
    )
    mask = pikepdf.Stream(document, made.getchannel("A").tobytes())
    mask.stream_dict = Dictionary(
        Type=Name.XObject, Subtype=Name.Image, Width=112, Height=112, BitsPerComponent=8, ColorSpace=Name.DeviceGray
    )
    red.SMask = document.make_indirect(mask)
    return document.make_indirect(red)


def seal_appearance(document: Pdf, *, matrix: list[float] | None = None) -> pikepdf.Object:
    """The same as a form of 100 by 100 units."""
    made = pikepdf.Stream(document, b"q 100 0 0 100 0 0 cm /S Do Q")
    made.stream_dict = Dictionary(
        Type=Name.XObject,
        Subtype=Name.Form,
        BBox=[0, 0, 100, 100],
        Resources=Dictionary(XObject=Dictionary(S=seal_image(document))),
    )
    if matrix:
        made.Matrix = Array(matrix)
    return document.make_indirect(made)


def annotated(
    subtype: str = "Stamp",
    box: list[float] = BOX,
    *,
    states: bool = False,
    matrix: list[float] | None = None,
    base: bytes | None = None,
    **more: Any,
) -> bytes:
    def change(document: Pdf) -> None:
        look = seal_appearance(document, matrix=matrix)
        shown = Dictionary(On=look, Off=pikepdf.Stream(document, b"")) if states else look
        note = Dictionary(
            Type=Name.Annot,
            Subtype=Name("/" + subtype),
            Rect=Array(box),
            F=4,
            AP=Dictionary(N=shown),
            Contents=String("公章"),
            **more,
        )
        if states:
            note.AS = Name.On
        document.pages[0].Annots = Array([document.make_indirect(note)])

    return changed(base or reports.tiny(sealed=False), change)


def noted(*notes: Callable[[Pdf], Dictionary], base: bytes | None = None) -> bytes:
    def change(document: Pdf) -> None:
        document.pages[0].Annots = Array([document.make_indirect(make(document)) for make in notes])

    return changed(base or reports.tiny(), change)


def look(document: Pdf, content: str, box: list[float], **resources: Any) -> pikepdf.Object:
    made = pikepdf.Stream(document, content.encode())
    made.stream_dict = Dictionary(
        Type=Name.XObject, Subtype=Name.Form, BBox=Array(box), Resources=Dictionary(**resources)
    )
    return document.make_indirect(made)


def highlight(document: Pdf) -> Dictionary:
    area = [70, 670, 330, 695]
    return Dictionary(
        Type=Name.Annot,
        Subtype=Name.Highlight,
        Rect=Array(area),
        F=4,
        C=[1, 1, 0],
        QuadPoints=[70, 695, 330, 695, 70, 670, 330, 670],
    )


def hidden(document: Pdf) -> Dictionary:
    box = [100, 100, 300, 200]
    return Dictionary(
        Type=Name.Annot,
        Subtype=Name.Square,
        Rect=Array(box),
        F=2,
        AP=Dictionary(N=look(document, "0 0 1 rg 0 0 200 100 re f", [0, 0, 200, 100])),
    )


def ink(document: Pdf) -> Dictionary:
    """A signature by hand, as tablets write it."""
    strokes = "2.5 w 0 0 0.6 RG 0 0 m 20 60 40 60 60 10 c 80 50 100 60 120 5 c 140 40 160 60 190 30 c S"
    return Dictionary(
        Type=Name.Annot,
        Subtype=Name.Ink,
        Rect=[80, 200, 280, 270],
        F=4,
        InkList=[[80, 200, 280, 230]],
        AP=Dictionary(N=look(document, strokes, [0, 0, 200, 70])),
    )


def popup(document: Pdf) -> Dictionary:
    return Dictionary(Type=Name.Annot, Subtype=Name.Popup, Rect=[300, 700, 500, 800], Open=False)


def field_form(*, appearances: bool, need: bool, value: str = "100086", font: str = "Helvetica") -> bytes:
    """Three fields as form programs fill them in: text, a tick, and a seal as a button's picture."""

    def change(document: Pdf) -> None:
        face = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name("/" + font), Encoding=Name.WinAnsiEncoding)
        if font == "STSong-Light":
            face = Dictionary(
                Type=Name.Font,
                Subtype=Name.Type0,
                BaseFont=Name("/STSong-Light"),
                Encoding=Name("/UniGB-UTF16-H"),
                DescendantFonts=[
                    Dictionary(
                        Type=Name.Font,
                        Subtype=Name.CIDFontType0,
                        BaseFont=Name("/STSong-Light"),
                        DW=1000,
                        CIDSystemInfo=Dictionary(Registry=String("Adobe"), Ordering=String("GB1"), Supplement=4),
                        FontDescriptor=Dictionary(
                            Type=Name.FontDescriptor,
                            FontName=Name("/STSong-Light"),
                            Flags=6,
                            FontBBox=[-25, -254, 1000, 880],
                            ItalicAngle=0,
                            Ascent=880,
                            Descent=-120,
                            CapHeight=880,
                            StemV=93,
                        ),
                    )
                ],
            )
        face = document.make_indirect(face)
        encoded = value.encode("utf-16-be").hex() if font == "STSong-Light" else value.encode().hex()
        text = Dictionary(
            Type=Name.Annot,
            Subtype=Name.Widget,
            FT=Name.Tx,
            T=String("account"),
            V=String(value),
            DA=String("/F 18 Tf 0 g"),
            Rect=[70, 250, 290, 280],
            F=4,
        )
        tick = Dictionary(
            Type=Name.Annot,
            Subtype=Name.Widget,
            FT=Name.Btn,
            T=String("agree"),
            V=Name.Yes,
            AS=Name.Yes,
            DA=String("/ZaDb 0 Tf 0 g"),
            Rect=[70, 200, 100, 230],
            F=4,
            MK=Dictionary(CA=String("4")),
        )
        button = Dictionary(
            Type=Name.Annot,
            Subtype=Name.Widget,
            FT=Name.Btn,
            Ff=65536,
            T=String("seal"),
            Rect=Array(BOX),
            F=4,
            AP=Dictionary(N=seal_appearance(document)),
        )
        tick.AP = Dictionary(
            N=Dictionary(
                Yes=look(document, "0 0 30 30 re S 4 w 5 15 m 12 6 l 25 25 l S", [0, 0, 30, 30]),
                Off=look(document, "0 0 30 30 re S", [0, 0, 30, 30]),
            )
        )
        if appearances:
            text.AP = Dictionary(
                N=look(
                    document,
                    f"/Tx BMC q 0 0 220 30 re S BT /F 18 Tf 4 9 Td <{encoded}> Tj ET Q EMC",
                    [0, 0, 220, 30],
                    Font=Dictionary(F=face),
                )
            )
        # A program that draws fields anew has no picture for the button.
        items = [document.make_indirect(item) for item in ((text, tick) if need else (text, tick, button))]
        document.pages[0].Annots = Array(items)
        document.Root.AcroForm = document.make_indirect(
            Dictionary(
                Fields=Array(items),
                NeedAppearances=need,
                DA=String("/F 0 Tf 0 g"),
                DR=Dictionary(Font=Dictionary(F=face)),
            )
        )

    return changed(reports.plain() if need else reports.unsealed(), change)


def with_xfa(data: bytes) -> bytes:
    """A form that also carries its XFA description, as the designers of authorities make them."""

    def change(document: Pdf) -> None:
        xdp = b'<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><template xmlns="http://www.xfa.org/schema/xfa-template/2.8/"/></xdp:xdp>'
        document.Root.AcroForm.XFA = Array([String("template"), document.make_stream(xdp)])

    return changed(data, change)


# ---- signatures


def signer() -> signers.SimpleSigner:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, COMPANY)])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(start).not_valid_after(start + timedelta(days=3650))
        .add_extension(x509.KeyUsage(True, True, False, False, False, False, False, False, False), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    with TemporaryDirectory() as folder:
        Path(folder, "key.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        Path(folder, "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        made = signers.SimpleSigner.load(f"{folder}/key.pem", f"{folder}/certificate.pem")
    assert made is not None
    return made


SEAL_STYLE = {
    "stamp_text": "",
    "background": PdfImage(seal(112)),
    "background_opacity": 1.0,
    "border_width": 0,
    "background_layout": SimpleBoxLayoutRule.from_config({"x-align": "mid", "y-align": "mid"}),
}


def signed(
    data: bytes,
    *,
    box: list[float] | None = BOX,
    name: str = "Signature1",
    style: stamp.BaseStampStyle | None = None,
    page: int = 0,
    **more: Any,
) -> bytes:
    writer = IncrementalPdfFileWriter(BytesIO(data))
    if writer.prev.encrypted:
        writer.encrypt("")
    spec = SigFieldSpec(name, on_page=page, box=tuple(map(round, box)) if box else None)
    how = signers.PdfSigner(
        signers.PdfSignatureMetadata(field_name=name, **more),
        signer(),
        stamp_style=style or stamp.TextStampStyle(**SEAL_STYLE),
        new_field_spec=spec,
    )
    out = how.sign_pdf(writer)
    return bytes(out.getvalue())


def empty_signature_field(data: bytes) -> bytes:
    writer = IncrementalPdfFileWriter(BytesIO(data))
    fields.append_signature_field(writer, SigFieldSpec("Sign here", box=(70, 200, 250, 260)))
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


TEXT_STYLE = stamp.TextStampStyle(stamp_text="Signed by: %(signer)s\nTime: %(ts)s", border_width=2)


def by_pypdf(change: Callable[[PdfWriter], object], base: bytes | None = None, *, incremental: bool = False) -> bytes:
    source = BytesIO(base or reports.plain())
    writer = PdfWriter(source, incremental=True) if incremental else PdfWriter(clone_from=source)
    change(writer)
    file = BytesIO()
    writer.write(file)
    return file.getvalue()


def pypdf_stamped(writer: PdfWriter) -> None:
    writer.pages[0].merge_page(PdfReader(BytesIO(printing.stamp_only())).pages[0])


def pypdf_filled(writer: PdfWriter) -> None:
    writer.update_page_form_field_values(writer.pages[0], {"account": "200186"}, auto_regenerate=False)


def letters() -> Iterator[Letter]:
    yield Letter("annotation-stamp.pdf", annotated(base=reports.unsealed()))
    yield Letter(
        "annotation-stamp-on-rotated-page.pdf", changed(annotated(), turn(90)), seals=((1, 1 - SEAL[1], SEAL[0]),)
    )
    yield Letter("annotation-stamp-turned-by-matrix.pdf", annotated(matrix=[0.94, 0.34, -0.34, 0.94, 0, 0]))
    yield Letter("annotation-stamp-with-states.pdf", annotated(states=True))
    yield Letter("annotation-stamp-multiplied.pdf", annotated(BM=Name.Multiply, CA=0.8))
    yield Letter("annotation-square-as-seal.pdf", annotated("Square"))
    yield Letter(
        "annotation-stamp-in-object-stream.pdf",
        changed(annotated(), lambda d: None, object_stream_mode=pikepdf.ObjectStreamMode.generate),
    )
    yield Letter("annotation-handwritten-signature.pdf", noted(ink))
    yield Letter("annotation-highlight-without-appearance.pdf", noted(highlight))
    yield Letter("annotation-hidden-and-popup.pdf", noted(hidden, popup))

    yield Letter("form-with-appearances.pdf", field_form(appearances=True, need=False))
    yield Letter("form-needs-appearances.pdf", field_form(appearances=False, need=True))
    yield Letter("form-with-appearances-that-needs-them.pdf", field_form(appearances=True, need=True))
    yield Letter(
        "form-chinese-not-embedded.pdf", field_form(appearances=True, need=False, value="示例科技", font="STSong-Light")
    )
    yield Letter("form-with-xfa-description.pdf", with_xfa(field_form(appearances=True, need=False)))
    filled = reports.made(reports.filled_form)
    yield Letter("pypdf-form-filled.pdf", by_pypdf(pypdf_filled, filled))
    fdf = b"%FDF-1.2\n1 0 obj\n<< /FDF << /Fields [ << /T (account) /V (300286) >> ] >> >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
    with TemporaryDirectory() as folder:
        Path(folder, "data.fdf").write_bytes(fdf)
        yield Letter(
            "pdftk-form-filled.pdf",
            converted(
                filled, ".pdf", ".out.pdf", "pdftk", "{in}", "fill_form", f"{folder}/data.fdf", "output", "{out}"
            ),
        )
        yield Letter(
            "pdftk-form-flattened.pdf",
            converted(
                filled,
                ".pdf",
                ".out.pdf",
                "pdftk",
                "{in}",
                "fill_form",
                f"{folder}/data.fdf",
                "output",
                "{out}",
                "flatten",
            ),
        )

    bare, text = reports.tiny(sealed=False), office.exported("a.fodt", office.odt())
    yield Letter("pyhanko-seal-as-signature.pdf", signed(reports.unsealed()))
    yield Letter("pyhanko-text-as-signature.pdf", signed(text, box=[70, 180, 300, 260], style=TEXT_STYLE))
    qr = stamp.QRStampStyle(stamp_text="%(signer)s", border_width=1)
    yield Letter("pyhanko-qr-code-as-signature.pdf", signed_with_code(text, qr))
    yield Letter("pyhanko-invisible-signature.pdf", signed(text, box=None))
    yield Letter("pyhanko-certified.pdf", signed(bare, certify=True, docmdp_permissions=MDPPerm.NO_CHANGES))
    yield Letter("pyhanko-pades.pdf", signed(bare, subfilter=fields.SigSeedSubFilter.PADES))
    yield Letter(
        "pyhanko-two-signatures.pdf", signed(signed(bare), box=[70, 180, 300, 260], name="Second", style=TEXT_STYLE)
    )
    yield Letter(
        "pyhanko-signed-form.pdf",
        signed(
            office.exported("a.fodt", office.odt(form=True), ExportFormFields=True),
            box=[70, 100, 300, 160],
            style=TEXT_STYLE,
        ),
    )
    yield Letter("pyhanko-signed-object-streams.pdf", signed(printing.qpdf(bare, "--object-streams=generate")))
    yield Letter("pyhanko-signed-linear.pdf", signed(printing.qpdf(bare, "--linearize")))
    yield Letter(
        "pyhanko-signed-restricted.pdf",
        signed(printing.qpdf(bare, "--encrypt", "", "owner", "256", "--print=none", "--")),
    )
    yield Letter(
        "pyhanko-signed-on-rotated-page.pdf", signed(changed(bare, turn(180))), seals=((1, 1 - SEAL[0], 1 - SEAL[1]),)
    )
    yield Letter("pyhanko-empty-signature-field.pdf", empty_signature_field(text))

    yield Letter("pypdf-merged-seal.pdf", by_pypdf(pypdf_stamped, reports.unsealed()))
    yield Letter(
        "pypdf-restricted.pdf", by_pypdf(lambda w: w.encrypt("", "owner", algorithm="AES-256", permissions_flag=0))
    )
    yield Letter("pikepdf-print-script.pdf", changed(reports.plain(), prints_itself))
    yield Letter("pypdf-attachment.pdf", by_pypdf(lambda w: w.add_attachment("营业执照.txt", b"copy")))
    yield Letter("pypdf-incremental.pdf", by_pypdf(lambda w: w.add_metadata({"/Title": "同意书"}), incremental=True))
    yield Letter("pypdf-opens-at-fit.pdf", by_pypdf(opens_at))
    yield Letter("pypdf-compressed-streams.pdf", by_pypdf(lambda w: w.pages[0].compress_content_streams()))


def signed_with_code(data: bytes, style: stamp.QRStampStyle) -> bytes:
    writer = IncrementalPdfFileWriter(BytesIO(data))
    spec = SigFieldSpec("Signature1", box=(70, 180, 300, 260))
    how = signers.PdfSigner(
        signers.PdfSignatureMetadata(field_name="Signature1"), signer(), stamp_style=style, new_field_spec=spec
    )
    return bytes(how.sign_pdf(writer, appearance_text_params={"url": "https://cloud.example.com/verify"}).getvalue())


def prints_itself(document: Pdf) -> None:
    document.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("this.print(true);"))


def opens_at(writer: PdfWriter) -> None:
    writer.page_mode, writer.page_layout = "/UseOutlines", "/TwoColumnLeft"
    writer.open_destination = "Chapter"
    writer.add_named_destination("Chapter", 0)


def turn(angle: int) -> Callable[[Pdf], None]:
    def change(document: Pdf) -> None:
        for page in document.pages:
            page.Rotate = angle

    return change
