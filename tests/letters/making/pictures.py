"""Letters as photos, screenshots and saved pictures: JPEG, PNG, WebP and HEIC in the ways that phones and programs have."""

import struct
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy
import pillow_heif
from PIL import Image, ImageCms, ImageOps
from PIL.PngImagePlugin import PngInfo

from tests.letters.hostile.pictures import box, full
from tests.letters.making.page import Letter, converted, encoded, page, run

SIZE = (496, 701)
"""A4 at 60 dpi: small, and every line can be read."""
PHOTO = (420, 560)
ORIENTATION = 0x0112

UPRIGHT_TO_STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How a camera lays the pixels down that a viewer turns upright by EXIF."""


def stored(picture: Image.Image, orientation: int) -> tuple[Image.Image, Image.Exif]:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[0x010F], exif[0x0110] = "Phone", "One"
    method = UPRIGHT_TO_STORED[orientation]
    return (picture.transpose(method) if method is not None else picture), exif


def im(picture: Image.Image, to: str, *options: str) -> bytes:
    """By ImageMagick."""
    return converted(encoded(picture, "PNG"), ".png", f".{to}", "convert-im6.q16", "{in}", *options, "{out}")


def photographed(picture: Image.Image) -> Image.Image:
    """Lit from the side, on a table."""
    table = Image.new("RGB", picture.size, (120, 96, 70))
    sheet = picture.resize((round(picture.width * 0.86), round(picture.height * 0.86)), Image.Resampling.LANCZOS)
    table.paste(sheet, (round(picture.width * 0.07), round(picture.height * 0.07)))
    light = numpy.linspace(1.0, 0.72, picture.width)[None, :, None]
    return Image.fromarray((numpy.asarray(table) * light).astype("uint8"))


def display_p3() -> bytes:
    """The profile of newer phones' screens, with the curve simplified to one exponent."""
    rows = {
        b"rXYZ": (0.51512, 0.24120, -0.00105),
        b"gXYZ": (0.29198, 0.69225, 0.04189),
        b"bXYZ": (0.15710, 0.06657, 0.78407),
        b"wtpt": (0.9642, 1.0, 0.8249),
    }
    fixed = lambda v: struct.pack(">i", round(v * 65536))
    parts = {tag: b"XYZ \0\0\0\0" + b"".join(map(fixed, xyz)) for tag, xyz in rows.items()}
    parts |= {tag: b"curv\0\0\0\0\0\0\0\x01" + struct.pack(">H", 563) + b"\0\0" for tag in (b"rTRC", b"gTRC", b"bTRC")}
    parts[b"desc"] = b"desc\0\0\0\0\0\0\0\x0bDisplay P3\0" + bytes(79)
    parts[b"cprt"] = b"text\0\0\0\0none\0\0\0\0"
    head, body, at = struct.pack(">I", len(parts)), b"", 128 + 4 + 12 * len(parts)
    for tag, part in parts.items():
        padded = part + bytes(-len(part) % 4)
        head += tag + struct.pack(">II", at + len(body), len(part))
        body += padded
    size = 128 + len(head) + len(body)
    header = (
        struct.pack(">I4sI4s4s4s", size, b"none", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
        + struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
        + b"acspAPPL"
        + bytes(24)
    )
    return header + b"".join(map(fixed, (0.9642, 1.0, 0.8249))) + bytes(128 - len(header) - 12) + head + body


def in_display_p3(picture: Image.Image) -> tuple[Image.Image, bytes]:
    profile = display_p3()
    srgb = ImageCms.createProfile("sRGB")
    return ImageCms.profileToProfile(
        picture, srgb, ImageCms.ImageCmsProfile(BytesIO(profile)), outputMode="RGB"
    ), profile


def samsung_tail(picture: bytes) -> bytes:
    """What the camera of a Samsung phone lays behind the picture: blocks, and a table of them that ends in SEFT."""
    name, value = b"Image_UTC_Data", b"1767225600000"
    block = struct.pack("<HHI", 0, 0x0A01, len(name)) + name + value
    table = b"SEFH" + struct.pack("<II", 106, 1) + struct.pack("<HHII", 0, 0x0A01, len(block), len(block))
    return picture + block + table + struct.pack("<I", len(table)) + b"SEFT"


def motion_photo(picture: bytes) -> bytes:
    """A moving picture behind the still one."""
    return (
        picture + struct.pack(">I", 24) + b"ftypmp42\0\0\0\0mp42isom" + struct.pack(">I", 4008) + b"mdat" + bytes(4000)
    )


def png_chunk(kind: bytes, data: bytes) -> bytes:
    from zlib import crc32

    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data))


def png_with(picture: bytes, *chunks: bytes) -> bytes:
    return picture[:33] + b"".join(chunks) + picture[33:]


def heif(picture: Image.Image, **options: object) -> bytes:
    made = pillow_heif.from_pillow(picture)
    file = BytesIO()
    made.save(file, **options)
    return file.getvalue()


def tile_of(picture: Image.Image) -> tuple[bytes, bytes]:
    """The decoder's settings, and the coded pixels, as they stand in a file of one picture."""
    data = heif(picture, quality=40)
    at = data.index(b"hvcC") - 4
    settings = data[at : at + int.from_bytes(data[at : at + 4])]
    at = data.index(b"mdat") - 4
    return settings, data[at + 8 : at + int.from_bytes(data[at : at + 4])]


def phone_heic(picture: Image.Image, side: int = 256) -> bytes:
    """As iPhones write it: tiles in a grid, larger than the picture, which a mark says to turn."""
    lying = picture.transpose(Image.Transpose.ROTATE_90)
    columns, rows = -(-lying.width // side), -(-lying.height // side)
    whole = Image.new("RGB", (columns * side, rows * side), "gray")
    whole.paste(lying)
    tiles = [
        tile_of(whole.crop((x * side, y * side, (x + 1) * side, (y + 1) * side)))
        for y in range(rows)
        for x in range(columns)
    ]
    grid = len(tiles) + 1
    info = [full(b"infe", struct.pack(">HH", n, 0), b"hvc1\0", version=2) for n in range(1, grid)]
    info.append(full(b"infe", struct.pack(">HH", grid, 0), b"grid\0", version=2))
    size = lambda width, height: full(b"ispe", struct.pack(">II", width, height))
    turned = box(b"irot", b"\x03")
    properties = box(b"ipco", tiles[0][0], size(side, side), size(*lying.size), turned)
    used = b"".join(struct.pack(">HBBB", n, 2, 0x81, 2) for n in range(1, grid)) + struct.pack(
        ">HBBB", grid, 2, 3, 0x84
    )
    refers = full(
        b"iref", box(b"dimg", struct.pack(">HH", grid, len(tiles)), *(struct.pack(">H", n) for n in range(1, grid)))
    )
    parts = [pixels for _, pixels in tiles] + [struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, *lying.size)]

    def meta(at: int) -> bytes:
        places = b""
        for number, part in enumerate(parts, 1):
            places += struct.pack(">HHHII", number, 0, 1, at, len(part))
            at += len(part)
        return full(
            b"meta", full(b"hdlr", bytes(4), b"pict", bytes(13)), full(b"pitm", struct.pack(">H", grid)),
            full(b"iinf", struct.pack(">H", grid), *info), refers,
            box(b"iprp", properties, full(b"ipma", struct.pack(">I", grid), used)),
            full(b"iloc", b"\x44\0", struct.pack(">H", grid), places),
        )  # fmt: skip

    head = box(b"ftyp", b"heic", bytes(4), b"mif1MiHEheic")
    return head + meta(len(head) + len(meta(0)) + 8) + box(b"mdat", *parts)


def deep(picture: Image.Image) -> numpy.ndarray:
    """Sixteen bits for each colour."""
    return numpy.asarray(picture).astype("uint16") * 257


def png_16(picture: Image.Image, *, alpha: bool = False, grey: bool = False) -> bytes:
    import imagecodecs

    pixels = deep(picture.convert("L") if grey else picture)
    if alpha:
        pixels = numpy.dstack([pixels, numpy.full(pixels.shape[:2], 65535, "uint16")])
    return bytes(imagecodecs.png_encode(pixels, level=9))


def letters() -> Iterator[Letter]:
    sheet, photo = page(*SIZE), photographed(page(*PHOTO))
    grey, white = (sheet.convert("L").convert("RGB"),), (sheet,)

    for name, options in {
        "baseline": {"quality": 50},
        "progressive": {"quality": 50, "progressive": True},
        "full-colour-resolution": {"quality": 50, "subsampling": 0},
        "restart-markers": {"quality": 50, "restart_marker_blocks": 10},
        "density-of-a4": {"quality": 50, "dpi": (60, 60)},
        "low-quality": {"quality": 15},
    }.items():  # fmt: skip
        yield Letter(f"jpeg-{name}.jpg", encoded(sheet, "JPEG", **options), shown=white)
    yield Letter("jpeg-grey.jpg", encoded(sheet.convert("L"), "JPEG", quality=50), seals=(), shown=grey)
    for orientation in range(1, 9):
        turned, exif = stored(photo, orientation)
        yield Letter(
            f"jpeg-exif-{orientation}.jpg",
            encoded(turned, "JPEG", quality=50, exif=exif),
            seals=PHOTO_SEAL,
            shown=(photo,),
        )
    turned, exif = stored(photo, 6)
    camera = encoded(turned, "JPEG", quality=50, exif=exif)
    yield Letter("jpeg-samsung-tail.jpg", samsung_tail(camera), seals=PHOTO_SEAL, shown=(photo,))
    yield Letter("jpeg-motion-photo.jpg", motion_photo(camera), seals=PHOTO_SEAL, shown=(photo,))
    yield Letter("jpeg-zeros-behind.jpg", camera + bytes(1000), seals=PHOTO_SEAL, shown=(photo,))
    yield Letter("jpeg-without-end-marker.jpg", encoded(sheet, "JPEG", quality=50)[:-2], shown=white)
    yield Letter(
        "jpeg-two-pictures-mpo.jpg",
        encoded(photo, "MPO", quality=50, save_all=True, append_images=[photo.convert("L").resize((120, 160))]),
        seals=PHOTO_SEAL,
        shown=(photo,),
    )
    p3, profile = in_display_p3(photo)
    yield Letter(
        "jpeg-display-p3.jpg", encoded(p3, "JPEG", quality=60, icc_profile=profile), seals=PHOTO_SEAL, shown=(photo,)
    )
    cmyk = sheet.convert("CMYK")
    yield Letter("jpeg-cmyk.jpg", im(sheet, "jpg", "-colorspace", "CMYK", "-quality", "50"), shown=white)
    yield Letter("jpeg-cmyk-adobe-inverted.jpg", encoded(cmyk, "JPEG", quality=50), shown=white)
    yield Letter("jpeg-rgb-without-transform.jpg", encoded(sheet, "JPEG", quality=40, keep_rgb=True), shown=white)
    yield Letter(
        "jpeg-arithmetic.jpg",
        converted(
            encoded(sheet, "JPEG", quality=50),
            ".jpg",
            ".out.jpg",
            "jpegtran",
            "-arithmetic",
            "-outfile",
            "{out}",
            "{in}",
        ),
        shown=white,
    )
    yield Letter(
        "jpeg-cjpeg-optimised.jpg",
        converted(
            encoded(sheet, "PPM"), ".ppm", ".jpg", "cjpeg", "-quality", "50", "-optimize", "-outfile", "{out}", "{in}"
        ),
        shown=white,
    )
    yield Letter(
        "jpeg-imagemagick-with-comment.jpg",
        im(sheet, "jpg", "-quality", "50", "-comment", "<script>alert(1)</script>", "-density", "300"),
        shown=white,
    )

    yield Letter("png-rgb.png", encoded(sheet, "PNG", optimize=True), shown=white)
    yield Letter("png-palette.png", encoded(sheet.quantize(32), "PNG", optimize=True), shown=white)
    yield Letter("png-palette-4-bit.png", encoded(sheet.quantize(12), "PNG", bits=4, optimize=True), shown=white)
    yield Letter("png-grey.png", encoded(sheet.convert("L"), "PNG", optimize=True), seals=(), shown=grey)
    bilevel = page(992, 1403).convert("1", dither=Image.Dither.NONE)
    yield Letter("png-bilevel.png", encoded(bilevel, "PNG", optimize=True), seals=(), shown=(bilevel.convert("RGB"),))
    small = sheet.resize((310, 438), Image.Resampling.LANCZOS)
    yield Letter("png-16-bit.png", png_16(small), shown=(small,))
    yield Letter("png-16-bit-grey.png", png_16(small, grey=True), seals=(), shown=(small.convert("L").convert("RGB"),))
    yield Letter("png-16-bit-alpha.png", png_16(small, alpha=True), shown=(small,))
    clear = small.convert("RGBA")
    clear.putalpha(ImageOps.invert(small.convert("L")).point(lambda v: min(255, v * 3)))
    over_white = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("RGB")
    yield Letter("png-transparent-ground.png", encoded(clear, "PNG", optimize=True), shown=(over_white,))
    black_below = Image.new("RGBA", small.size, (0, 0, 0, 0))
    black_below.paste(
        small.convert("RGBA"), mask=ImageOps.invert(small.convert("L")).point(lambda v: 255 if v > 20 else 0)
    )
    yield Letter("png-black-under-transparent.png", encoded(black_below, "PNG", optimize=True), shown=(small,))
    yield Letter(
        "png-grey-alpha.png",
        encoded(clear.convert("LA"), "PNG", optimize=True),
        seals=(),
        shown=(over_white.convert("L").convert("RGB"),),
    )
    palette = small.quantize(16)
    lightest = max(range(16), key=lambda n: sum(palette.getpalette()[n * 3 : n * 3 + 3]))
    yield Letter(
        "png-palette-transparent.png", encoded(palette, "PNG", transparency=lightest, optimize=True), shown=(small,)
    )
    yield Letter("png-interlaced.png", im(small, "png", "-interlace", "PNG"), shown=(small,))
    exif_6 = Image.Exif()
    exif_6[ORIENTATION] = 6
    yield Letter(
        "png-exif-6.png",
        encoded(small.transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif_6, optimize=True),
        shown=(small,),
    )
    told = PngInfo()
    told.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    plain = encoded(small.quantize(32), "PNG", optimize=True, pnginfo=told, dpi=(37.5, 37.5))
    yield Letter("png-with-text-and-density.png", plain, shown=(small,))
    yield Letter("png-bytes-behind.png", plain + b"\0" * 12 + b"saved by a program", shown=(small,))
    yield Letter(
        "png-gamma-chunk.png",
        png_with(plain, png_chunk(b"gAMA", struct.pack(">I", 45455)), png_chunk(b"sRGB", b"\0")),
        shown=(small,),
    )

    yield Letter("webp-lossy.webp", encoded(sheet, "WEBP", quality=40), shown=white)
    yield Letter("webp-lossless.webp", encoded(sheet.quantize(32).convert("RGB"), "WEBP", lossless=True), shown=white)
    yield Letter("webp-transparent-ground.webp", encoded(clear, "WEBP", quality=50), shown=(over_white,))
    yield Letter(
        "webp-exif-8.webp",
        encoded(stored(photo, 8)[0], "WEBP", quality=40, exif=stored(photo, 8)[1]),
        seals=PHOTO_SEAL,
        shown=(photo,),
    )
    yield Letter(
        "webp-by-cwebp.webp",
        converted(encoded(sheet, "PNG"), ".png", ".webp", "cwebp", "-quiet", "-q", "40", "{in}", "-o", "{out}"),
        shown=white,
    )
    yield Letter(
        "webp-one-frame-animation.webp",
        encoded(
            sheet, "WEBP", quality=40, save_all=True, append_images=[sheet.convert("L").convert("RGB")], duration=500
        ),
        shown=white,
    )

    yield Letter(
        "heic-by-libheif.heic",
        converted(encoded(photo, "PNG"), ".png", ".heic", "heif-enc", "-q", "40", "-o", "{out}", "{in}"),
        seals=PHOTO_SEAL,
        shown=(photo,),
    )
    yield Letter(
        "heic-lossless.heic",
        converted(encoded(small, "PNG"), ".png", ".heic", "heif-enc", "-L", "-o", "{out}", "{in}"),
        shown=(small,),
    )
    yield Letter(
        "heic-thumbnail.heic",
        converted(encoded(photo, "PNG"), ".png", ".heic", "heif-enc", "-q", "40", "-t", "160", "-o", "{out}", "{in}"),
        seals=PHOTO_SEAL,
        shown=(photo,),
    )
    yield Letter("heic-pillow.heic", heif(photo, quality=40), seals=PHOTO_SEAL, shown=(photo,))
    for orientation in (3, 6, 8):
        turned, exif = stored(photo, orientation)
        yield Letter(
            f"heic-exif-{orientation}.heic",
            heif(turned, quality=40, exif=exif.tobytes()),
            seals=PHOTO_SEAL,
            shown=(photo,),
        )
    yield Letter("heic-transparent-ground.heic", heif(clear, quality=60), shown=(over_white,))
    yield Letter("heic-phone-tiles-turned.heic", phone_heic(photo), seals=PHOTO_SEAL, shown=(photo,))
    yield Letter(
        "heic-grey.heic", heif(photo.convert("L"), quality=40), seals=(), shown=(photo.convert("L").convert("RGB"),)
    )
    yield Letter(
        "heic-display-p3.heic", heif(pillow_with_profile(p3, profile), quality=50), seals=PHOTO_SEAL, shown=(photo,)
    )
    ten = pillow_heif.from_bytes("RGB;16", photo.size, deep(photo).tobytes())
    file = BytesIO()
    pillow_heif.options.SAVE_HDR_TO_12_BIT = False
    ten.save(file, quality=50)
    yield Letter("heic-10-bit.heic", file.getvalue(), seals=PHOTO_SEAL, shown=(photo,))
    two = pillow_heif.from_pillow(photo)
    two.add_from_pillow(photo.convert("L").resize((240, 320)))
    file = BytesIO()
    two.save(file, quality=40)
    yield Letter("heic-two-pictures.heic", file.getvalue(), seals=PHOTO_SEAL, shown=(photo,))
    with TemporaryDirectory() as folder:
        Path(folder, "a.png").write_bytes(encoded(photo, "PNG"))
        run("convert-im6.q16", "a.png", "-quality", "50", "a.heic", at=Path(folder))
        yield Letter("heic-imagemagick.heic", Path(folder, "a.heic").read_bytes(), seals=PHOTO_SEAL, shown=(photo,))


PHOTO_SEAL = ((1, 0.07 + 0.86 * 0.70, 0.07 + 0.86 * 0.60),)


def pillow_with_profile(picture: Image.Image, profile: bytes) -> Image.Image:
    picture = picture.copy()
    picture.info["icc_profile"] = profile
    return picture
