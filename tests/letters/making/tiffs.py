"""Letters as TIFF: office scanners and fax machines, by libtiff, Ghostscript, ImageMagick and tifffile."""

from collections.abc import Iterator
from io import BytesIO

import numpy
import tifffile
from PIL import Image, ImageOps

from tests.letters.making import browsers, printing
from tests.letters.making.page import SEAL, Letter, converted, encoded, page
from tests.letters.making.pictures import im


def tiff(picture: Image.Image, **options: object) -> bytes:
    return encoded(picture, "TIFF", **options)


def tool(data: bytes, *command: str) -> bytes:
    return converted(data, ".tif", ".out.tif", *command, "{in}", "{out}")


def written(pixels: numpy.ndarray, **options: object) -> bytes:
    file = BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


def letters() -> Iterator[Letter]:
    sheet, small = page(496, 701), page(372, 526)
    bilevel = page(992, 1403).convert("1", dither=Image.Dither.NONE)
    scan = tiff(bilevel, dpi=(120, 120))
    black_and_white, white = (bilevel.convert("RGB"),), (small,)
    for name, options in {
        "group-4": ("-c", "g4"), "group-3": ("-c", "g3:1d"), "group-3-2d": ("-c", "g3:2d:fill"), "bilevel-lzw": ("-c", "lzw"),
        "bilevel-packbits": ("-c", "packbits"), "group-4-strips": ("-c", "g4", "-r", "100"), "group-4-lsb-first": ("-c", "g4", "-f", "lsb2msb"),
    }.items():  # fmt: skip
        yield Letter(f"tiff-{name}.tif", tool(scan, "tiffcp", *options), seals=(), shown=black_and_white)
    yield Letter(
        "tiff-min-is-white.tif",
        tiff(bilevel, dpi=(120, 120), compression="group4", tiffinfo={262: 0}),
        seals=(),
        shown=black_and_white,
    )
    multi = BytesIO()
    bilevel.save(multi, "TIFF", save_all=True, append_images=[bilevel, bilevel], compression="group4", dpi=(120, 120))
    yield Letter("tiff-three-pages-group-4.tif", multi.getvalue(), 3, (), shown=black_and_white * 3)
    mixed = BytesIO()
    bilevel.save(mixed, "TIFF", save_all=True, append_images=[small.quantize(16)], compression="tiff_adobe_deflate")
    yield Letter("tiff-two-kinds-of-pages.tif", mixed.getvalue(), 2, ((2, *SEAL),), shown=(*black_and_white, small))

    colour = tiff(small, dpi=(45, 45))
    for name, options in {
        "lzw": ("-c", "lzw:2"), "deflate": ("-c", "zip:2"), "jpeg": ("-c", "jpeg:r:60", "-r", "16"), "tiles": ("-t", "-w", "128", "-l", "128", "-c", "zip:2"),
        "planes": ("-p", "separate", "-c", "zip:2"), "big-endian": ("-B", "-c", "zip:2"), "big-tiff": ("-8", "-c", "zip:2"),
    }.items():  # fmt: skip
        yield Letter(f"tiff-{name}.tif", tool(colour, "tiffcp", *options), shown=white)
    yield Letter("tiff-jpeg-ycbcr.tif", tiff(sheet, compression="jpeg", quality=50), shown=(sheet,))
    yield Letter("tiff-palette.tif", tiff(small.quantize(32), compression="tiff_lzw"), shown=white)
    yield Letter(
        "tiff-grey.tif",
        tiff(small.convert("L"), compression="tiff_adobe_deflate"),
        seals=(),
        shown=(small.convert("L").convert("RGB"),),
    )
    yield Letter("tiff-cmyk.tif", tiff(small.convert("CMYK"), compression="tiff_lzw"), shown=white)
    yield Letter(
        "tiff-cmyk-imagemagick.tif",
        im(small, "tif", "-colorspace", "CMYK", "-compress", "zip", "-density", "45"),
        shown=white,
    )
    deep = numpy.asarray(page(310, 438)).astype("uint16") * 257
    yield Letter(
        "tiff-16-bit.tif", written(deep, compression="zlib", predictor=True, photometric="rgb"), shown=(page(310, 438),)
    )
    yield Letter(
        "tiff-16-bit-grey.tif",
        written(
            numpy.asarray(page(310, 438).convert("L")).astype("uint16") * 257,
            compression="zlib",
            photometric="minisblack",
        ),
        seals=(),
        shown=(page(310, 438).convert("L").convert("RGB"),),
    )
    clear = small.convert("RGBA")
    clear.putalpha(ImageOps.invert(small.convert("L")).point(lambda v: min(255, v * 3)))
    over_white = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("RGB")
    yield Letter("tiff-transparent-ground.tif", tiff(clear, compression="tiff_adobe_deflate"), shown=(over_white,))
    for orientation in (3, 6, 8):
        method = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}[
            orientation
        ]
        turned = tiff(
            small.quantize(16).transpose(method), compression="tiff_adobe_deflate", tiffinfo={274: orientation}
        )
        yield Letter(f"tiff-orientation-{orientation}.tif", turned, shown=white)

    paper = browsers.typeset()
    for device, options in {
        "tiffg4": ("-r150",),
        "tiffg3": ("-r204x98",),
        "tiffg32d": ("-r204x196",),
        "tifflzw": ("-r120",),
    }.items():
        yield Letter(
            f"tiff-ghostscript-{device}.tif",
            printing.ghostscript(device, paper, *options),
            seals=(),
            shown=fax(paper, device),
        )
    colour = printing.ghostscript("tiff24nc", paper, "-r50", "-sCompression=lzw")
    yield Letter("tiff-ghostscript-tiff24nc.tif", colour, shown=fax(paper, "png16m"))


def fax(paper: bytes, device: str) -> tuple[Image.Image, ...]:
    """The same page, drawn at a resolution that is the same in both directions."""
    grey = "pngmono" if device != "png16m" else device
    picture = Image.open(
        BytesIO(
            printing.ghostscript(
                grey, paper, "-r150" if grey == "pngmono" else "-r75", "-dTextAlphaBits=4" if grey == "png16m" else "-q"
            )
        )
    )
    if device in ("tiffg3", "tiffg32d"):
        # A fax has lines of 1728 dots at 204 dpi, whatever the page.
        wide = Image.new("RGB", (round(1728 / 204 * 150), picture.height), "white")
        wide.paste(picture)
        return (wide,)
    return (picture.convert("RGB"),)
