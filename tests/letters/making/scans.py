"""Letters as PDFs of pictures: what scanners, copiers and converters bind, in every coding of a picture that PDF has."""

import struct
import sys
from collections.abc import Iterator
from io import BytesIO

import img2pdf
import numpy
import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf
from PIL import Image, ImageOps, TiffImagePlugin

from tests.letters.making.forms import changed
from tests.letters.making.page import A4, SEAL, Letter, converted, encoded, page
from tests.letters.making.pictures import im, photographed, stored
from tests.letters.making.tiffs import tiff

FLAT = {"Type": Name.XObject, "Subtype": Name.Image}


def scanned(
    data: bytes,
    size: tuple[int, int],
    paint: str = "q 595.276 0 0 841.89 0 0 cm /I Do Q",
    *,
    version: str = "1.5",
    mask: tuple[bytes, dict[str, object]] | None = None,
    **coding: object,
) -> bytes:
    """One page that is one picture, coded as told."""
    document = Pdf.new()
    picture = pikepdf.Stream(document, data)
    options = {"BitsPerComponent": 8, **FLAT, "Width": size[0], "Height": size[1], **coding}
    for key, value in options.items():
        picture[f"/{key}"] = value
    if mask:
        soft = pikepdf.Stream(document, mask[0])
        for key, value in {**FLAT, "Width": size[0], "Height": size[1], **mask[1]}.items():
            soft[f"/{key}"] = value
        picture["/SMask" if "ColorSpace" in mask[1] else "/Mask"] = document.make_indirect(soft)
    content = document.make_stream(paint.encode())
    document.add_blank_page(page_size=A4)
    document.pages[0].Contents = content
    document.pages[0].Resources = Dictionary(XObject=Dictionary(I=document.make_indirect(picture)))
    file = BytesIO()
    document.save(
        file,
        min_version=version,
        compress_streams=False,
        deterministic_id=True,
        stream_decode_level=pikepdf.StreamDecodeLevel.none,
    )
    return file.getvalue()


def fax_bytes(picture: Image.Image, kind: str) -> bytes:
    """The coded lines alone, as they stand in a TIFF of one strip."""
    TiffImagePlugin.STRIP_SIZE = 1 << 24
    data = encoded(ImageOps.invert(picture.convert("L")).convert("1"), "TIFF", compression=kind)
    with Image.open(BytesIO(data)) as opened:
        offset, length = opened.tag_v2[273][0], opened.tag_v2[279][0]
    return data[offset : offset + length]


def jbig2(picture: Image.Image) -> bytes:
    """Page information and one region, which in the MMR coding is the same as Group 4. Black is one."""
    width, height = picture.size
    coded = fax_bytes(picture, "group4")
    size = struct.pack(">II", width, height)
    information = size + bytes(8) + b"\0" + bytes(2)
    region = size + bytes(8) + b"\0" + b"\x01" + coded
    head = lambda number, kind, length: struct.pack(">IBBBI", number, kind, 0, 1, length)
    return head(0, 48, len(information)) + information + head(1, 38, len(region)) + region


def bound(*pictures: bytes, **options: object) -> bytes:
    return bytes(img2pdf.convert(list(pictures), **options))


def letters() -> Iterator[Letter]:
    sheet, small = page(496, 701), page(372, 526)
    photo = photographed(page(420, 560))
    bilevel = page(992, 1403).convert("1", dither=Image.Dither.NONE)
    jpg = encoded(sheet, "JPEG", quality=50, dpi=(60, 60))
    a4 = img2pdf.get_layout_fun((img2pdf.mm_to_pt(210), img2pdf.mm_to_pt(297)))
    yield Letter("img2pdf-jpeg.pdf", bound(jpg))
    yield Letter("img2pdf-jpeg-a4.pdf", bound(encoded(small, "JPEG", quality=50), layout_fun=a4))
    yield Letter(
        "img2pdf-opening-view.pdf",
        bound(
            jpg,
            viewer_initial_page=1,
            viewer_magnification=1.5,
            viewer_page_layout=img2pdf.PageLayout.onecolumn,
            viewer_fit_window=True,
            engine=img2pdf.Engine.internal,
        ),
    )
    yield Letter("img2pdf-palette.pdf", bound(encoded(small.quantize(16), "PNG", optimize=True, dpi=(45, 45))))
    yield Letter("img2pdf-group-4.pdf", bound(tiff(bilevel, compression="group4", dpi=(120, 120))), seals=())
    yield Letter("img2pdf-bilevel-png.pdf", bound(encoded(bilevel, "PNG", dpi=(120, 120))), seals=())
    yield Letter("img2pdf-jpeg-cmyk.pdf", bound(encoded(sheet.convert("CMYK"), "JPEG", quality=30)))
    turned, exif = stored(photo, 6)
    yield Letter(
        "img2pdf-photo-exif-6.pdf",
        bound(encoded(turned, "JPEG", quality=50, exif=exif), rotation=img2pdf.Rotation.auto),
        seals=((1, 0.07 + 0.86 * 0.70, 0.07 + 0.86 * 0.60),),
    )
    j2k = encoded(small, "JPEG2000", quality_mode="rates", quality_layers=[30])
    yield Letter("img2pdf-jpeg-2000.pdf", bound(j2k))
    yield Letter(
        "img2pdf-two-pages.pdf",
        bound(jpg, encoded(small.quantize(16), "PNG", dpi=(45, 45))),
        2,
        ((1, *SEAL), (2, *SEAL)),
    )
    yield Letter(
        "img2pdf-16-bit-grey.pdf",
        bound(im(small.convert("L"), "png", "-depth", "16", "-define", "png:bit-depth=16")),
        seals=(),
    )

    yield Letter(
        "scan-jbig2.pdf",
        scanned(jbig2(bilevel), bilevel.size, ColorSpace=Name.DeviceGray, BitsPerComponent=1, Filter=Name.JBIG2Decode),
        seals=(),
        shown=(bilevel.convert("RGB"),),
    )
    for name, kind, k in (("g4", "group4", -1), ("g3", "group3", 0)):
        coding = Dictionary(K=k, Columns=bilevel.width, Rows=bilevel.height, BlackIs1=False)
        yield Letter(
            f"scan-ccitt-{name}.pdf",
            scanned(
                fax_bytes(bilevel, kind),
                bilevel.size,
                ColorSpace=Name.DeviceGray,
                BitsPerComponent=1,
                Filter=Name.CCITTFaxDecode,
                DecodeParms=coding,
            ),
            seals=(),
        )
    in_red = Image.merge("RGB", (Image.new("L", bilevel.size, 255), bilevel.convert("L"), bilevel.convert("L")))
    red_black = "1 0 0 rg q 595.276 0 0 841.89 0 0 cm /I Do Q"
    coding = Dictionary(K=-1, Columns=bilevel.width, Rows=bilevel.height, BlackIs1=True)
    yield Letter(
        "scan-stencil-in-red.pdf",
        scanned(
            fax_bytes(bilevel, "group4"),
            bilevel.size,
            red_black,
            ImageMask=True,
            BitsPerComponent=1,
            Decode=Array([1, 0]),
            Filter=Name.CCITTFaxDecode,
            DecodeParms=coding,
        ),
        shown=(in_red,),
    )
    yield Letter("scan-jpx.pdf", scanned(j2k, small.size, Filter=Name.JPXDecode))
    yield Letter(
        "scan-jpx-code-stream.pdf",
        scanned(
            encoded(small, "JPEG2000", no_jp2=True, quality_mode="rates", quality_layers=[30]),
            small.size,
            Filter=Name.JPXDecode,
            ColorSpace=Name.DeviceRGB,
        ),
    )
    yield Letter(
        "scan-jpx-transparent.pdf",
        scanned(
            encoded(small.convert("RGBA"), "JPEG2000", quality_mode="rates", quality_layers=[40]),
            small.size,
            Filter=Name.JPXDecode,
            SMaskInData=1,
        ),
        shown=(small,),
    )
    yield Letter(
        "scan-jpeg-grey.pdf",
        scanned(
            encoded(sheet.convert("L"), "JPEG", quality=50),
            sheet.size,
            ColorSpace=Name.DeviceGray,
            Filter=Name.DCTDecode,
        ),
        seals=(),
    )
    plain_cmyk = im(sheet, "jpg", "-colorspace", "CMYK", "-quality", "50")
    yield Letter(
        "scan-jpeg-cmyk.pdf",
        scanned(
            plain_cmyk,
            sheet.size,
            ColorSpace=Name.DeviceCMYK,
            Filter=Name.DCTDecode,
            **({"Decode": Array([1, 0] * 4)} if b"Adobe" in plain_cmyk else {}),
        ),
    )

    raw = {"rgb": (small.tobytes(), Name.DeviceRGB), "cmyk": (small.convert("CMYK").tobytes(), Name.DeviceCMYK)}
    for name, (pixels, space) in raw.items():
        yield Letter(f"scan-flate-{name}.pdf", flated(pixels, small.size, ColorSpace=space))
    tiny = page(310, 438)
    palette = tiny.quantize(16)
    colours = bytes(palette.getpalette()[:48])
    packed = numpy.asarray(palette)
    packed = numpy.pad(packed, ((0, 0), (0, packed.shape[1] % 2)))
    nibbles = ((packed[:, ::2] << 4) | packed[:, 1::2]).astype("uint8").tobytes()
    yield Letter(
        "scan-indexed-4-bit.pdf",
        flated(
            nibbles,
            tiny.size,
            BitsPerComponent=4,
            ColorSpace=Array([Name.Indexed, Name.DeviceRGB, 15, pikepdf.String(colours)]),
        ),
    )
    big = numpy.repeat(numpy.asarray(tiny), 2, axis=2).tobytes()
    yield Letter("scan-16-bit.pdf", flated(big, tiny.size, BitsPerComponent=16, ColorSpace=Name.DeviceRGB))
    inverted = bytes(255 - value for value in tiny.tobytes())
    yield Letter(
        "scan-inverted-decode.pdf", flated(inverted, tiny.size, ColorSpace=Name.DeviceRGB, Decode=Array([1, 0] * 3))
    )
    grey_icc = Array(
        [
            Name.CalRGB,
            Dictionary(
                WhitePoint=[0.9505, 1, 1.089],
                Gamma=[2.2, 2.2, 2.2],
                Matrix=[0.4124, 0.2126, 0.0193, 0.3576, 0.7152, 0.1192, 0.1805, 0.0722, 0.9505],
            ),
        ]
    )
    yield Letter("scan-calibrated-rgb.pdf", flated(tiny.tobytes(), tiny.size, ColorSpace=grey_icc))
    yield Letter(
        "scan-masked-by-colour.pdf",
        flated(tiny.tobytes(), tiny.size, ColorSpace=Name.DeviceRGB, Mask=Array([250, 255] * 3)),
    )
    ink = tiny.convert("L").point(lambda v: 255 - v).tobytes()
    yield Letter(
        "scan-soft-mask.pdf",
        flated(
            tiny.tobytes(),
            tiny.size,
            ColorSpace=Name.DeviceRGB,
            mask=(ink, {"ColorSpace": Name.DeviceGray, "BitsPerComponent": 8}),
        ),
    )
    for name in ("LZWDecode", "RunLengthDecode", "ASCII85Decode", "ASCIIHexDecode"):
        yield Letter(f"scan-{name.removesuffix('Decode').lower()}.pdf", filtered(name, page(248, 351)))
    yield Letter("scan-mixed-layers.pdf", layered(bilevel, sheet))
    yield Letter("scan-inline-picture.pdf", inline(page(248, 351)))
    yield Letter("graphicsmagick-jpeg.pdf", gm(sheet, "-compress", "JPEG", "-quality", "50"))
    yield Letter("graphicsmagick-zip.pdf", gm(tiny, "-compress", "Zip"))
    yield Letter("graphicsmagick-rle.pdf", gm(page(248, 351).quantize(8).convert("RGB"), "-compress", "RLE"))
    yield Letter("pillow-picture.pdf", encoded(sheet, "PDF", resolution=60, quality=50))
    yield Letter("pillow-bilevel.pdf", encoded(bilevel, "PDF", resolution=120), seals=())
    fax = tiff(bilevel, dpi=(120, 120), compression="group4")
    yield Letter("tiff2pdf-fax.pdf", converted(fax, ".tif", ".pdf", "tiff2pdf", "-o", "{out}", "{in}"), seals=())
    yield Letter(
        "tiff2pdf-jpeg.pdf",
        converted(tiff(sheet, dpi=(60, 60)), ".tif", ".pdf", "tiff2pdf", "-j", "-q", "50", "-o", "{out}", "{in}"),
    )
    recognised = converted(
        encoded(page().quantize(8).convert("RGB"), "PNG", dpi=(100, 100)),
        ".png",
        ".pdf",
        sys.executable,
        "-m",
        "ocrmypdf",
        "-l",
        "chi_sim+eng",
        "--output-type",
        "pdf",
        "--optimize",
        "0",
        "{in}",
        "{out}",
    )
    yield Letter("ocrmypdf-recognised.pdf", smaller(recognised))


def flated(
    pixels: bytes, size: tuple[int, int], *, mask: tuple[bytes, dict[str, object]] | None = None, **coding: object
) -> bytes:
    return changed(
        scanned(pixels, size, mask=mask, **coding), lambda _: None, compress_streams=True, recompress_flate=True
    )


def smaller(data: bytes) -> bytes:
    return changed(data, lambda _: None, recompress_flate=True)


def gm(picture: Image.Image, *options: str) -> bytes:
    """By GraphicsMagick."""
    return converted(
        encoded(picture, "PNG"), ".png", ".pdf", "gm", "convert", "{in}", "-density", "60", *options, "{out}"
    )


def filtered(name: str, picture: Image.Image) -> bytes:
    """Bytes as an old printer driver wrote them."""
    from base64 import a85encode
    from zlib import compress

    pixels = picture.quantize(8)
    data, colours = pixels.tobytes(), pikepdf.String(bytes(pixels.getpalette()[:24]))
    space = Array([Name.Indexed, Name.DeviceRGB, 7, colours])
    if name == "LZWDecode":
        import imagecodecs

        data = bytes(imagecodecs.lzw_encode(data))
    elif name == "RunLengthDecode":
        import imagecodecs

        data = bytes(imagecodecs.packbits_encode(data)) + b"\x80"
    elif name == "ASCII85Decode":
        return scanned(
            a85encode(compress(data, 9), wrapcol=72) + b"~>",
            picture.size,
            ColorSpace=space,
            Filter=Array([Name.ASCII85Decode, Name.FlateDecode]),
        )
    else:
        return scanned(
            compress(data, 9).hex().encode() + b">",
            picture.size,
            ColorSpace=space,
            Filter=Array([Name.ASCIIHexDecode, Name.FlateDecode]),
        )
    return scanned(data, picture.size, ColorSpace=space, Filter=Name("/" + name))


def layered(bilevel: Image.Image, colour: Image.Image) -> bytes:
    """As copiers make small files: the print as a sharp mask, and the colours as a coarse picture below it."""
    document = Pdf.open(
        BytesIO(
            scanned(
                encoded(colour.resize((155, 219)), "JPEG", quality=50),
                (155, 219),
                ColorSpace=Name.DeviceRGB,
                Filter=Name.DCTDecode,
            )
        )
    )
    mask = pikepdf.Stream(document, fax_bytes(bilevel, "group4"))
    coding = Dictionary(K=-1, Columns=bilevel.width, Rows=bilevel.height, BlackIs1=True)
    options = {
        **FLAT,
        "Width": bilevel.width,
        "Height": bilevel.height,
        "ImageMask": True,
        "BitsPerComponent": 1,
        "Decode": Array([1, 0]),
        "Filter": Name.CCITTFaxDecode,
        "DecodeParms": coding,
    }
    for key, value in options.items():
        mask[f"/{key}"] = value
    document.pages[0].Resources.XObject.M = document.make_indirect(mask)
    document.pages[0].contents_add(b"q 0.1 g 0 480 595 362 re W n 595.276 0 0 841.89 0 0 cm /M Do Q")
    file = BytesIO()
    document.save(file, deterministic_id=True)
    return file.getvalue()


def inline(picture: Image.Image) -> bytes:
    from zlib import compress

    data = compress(picture.tobytes(), 9).hex().encode()
    paint = (
        b"q 595.276 0 0 841.89 0 0 cm BI /W %d /H %d /BPC 8 /CS /RGB /F [/AHx /Fl] ID " % picture.size
        + data
        + b"> EI Q"
    )

    def change(document: Pdf) -> None:
        document.pages[0].Contents = document.make_stream(paint)

    return changed(scanned(b"", (1, 1), ColorSpace=Name.DeviceGray), change)
