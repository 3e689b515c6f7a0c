"""Pages whose drawing never ends or multiplies: forms, patterns, shadings, masks, fonts, paths and fields."""

import struct
from random import Random
from zlib import compress

from tests.letters.hostile.building import FONT, SAMPLE, file_of, page, stream
from tests.letters.hostile.filters import MEBIBYTE

WHOLE = b"/BBox[0 0 595 842]"
FORM = b"/Type/XObject/Subtype/Form" + WHOLE
GROUP = b"/Group<</S/Transparency/CS/DeviceRGB/I true>>"


def forms(width: int, depth: int, *, last: bytes = SAMPLE, entries: bytes = b"") -> bytes:
    """Each form draws the next one many times."""
    objects = [
        stream(b"/X Do " * width, FORM + entries + b"/Resources<</XObject<</X %d 0 R>>>>" % (number + 1))
        for number in range(5, 5 + depth)
    ]
    return page(
        b"/X Do", *objects, stream(last, FORM + b"/Resources<<" + FONT + b">>"), resources=b"/XObject<</X 5 0 R>>"
    )


def drawn_by_itself() -> bytes:
    return page(
        b"/X Do",
        stream(b"/X Do /X Do", FORM + b"/Resources<</XObject<</X 5 0 R>>>>"),
        resources=b"/XObject<</X 5 0 R>>",
    )


def tiles(step: bytes, *, size: bytes = b"0 0 595 842", inner: bytes = b"0 0 1 1 re f", more: bytes = b"") -> bytes:
    pattern = stream(
        inner,
        b"/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 100 100]/XStep "
        + step
        + b"/YStep "
        + step
        + b"/Resources<<"
        + more
        + b">>",
    )
    return page(b"/Pattern cs /P scn " + size + b" re f", pattern, resources=b"/Pattern<</P 5 0 R>>")


def patterns_in_patterns(depth: int) -> bytes:
    objects = [
        stream(
            b"/Pattern cs /P scn 0 0 595 842 re f",
            b"/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 50 50]/XStep 3/YStep 3/Resources<</Pattern<</P %d 0 R>>>>"
            % (number + 1),
        )
        for number in range(5, 5 + depth)
    ]
    last = stream(
        b"0 0 9 9 re f",
        b"/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 50 50]/XStep 3/YStep 3/Resources<<>>",
    )
    return page(b"/Pattern cs /P scn 0 0 595 842 re f", *objects, last, resources=b"/Pattern<</P 5 0 R>>")


def shaded(shading: bytes, *more: bytes, times: int = 1) -> bytes:
    return page(b"/S sh " * times, shading, *more, resources=b"/Shading<</S 5 0 R>>")


def mesh(kind: int, size: int) -> bytes:
    entries = (
        b"/ShadingType %d/ColorSpace/DeviceRGB/BitsPerCoordinate 8/BitsPerComponent 8/BitsPerFlag 8/Decode[0 595 0 842 0 1 0 1 0 1]/Filter/FlateDecode"
        % kind
    )
    return shaded(stream(compress(b"\0" + Random(kind).randbytes(1 << 16) * (size >> 16), 1), entries))


def calculated(program: bytes) -> bytes:
    """A colour for each point, by a program."""
    function = stream(b"{" + program + b"}", b"/FunctionType 4/Domain[0 595 0 842]/Range[0 1 0 1 0 1]")
    return shaded(b"<</ShadingType 1/ColorSpace/DeviceRGB/Domain[0 595 0 842]/Function 6 0 R>>", function)


def stitched_into_itself() -> bytes:
    function = b"<</FunctionType 3/Domain[0 1]/Functions[6 0 R 6 0 R]/Bounds[0.5]/Encode[0 1 0 1]>>"
    return shaded(b"<</ShadingType 2/ColorSpace/DeviceRGB/Coords[0 0 595 842]/Function 6 0 R>>", function)


def sampled(dimensions: int) -> bytes:
    function = stream(
        b"\0" * 1000,
        b"/FunctionType 0/Domain[%b]/Range[0 1 0 1 0 1]/Size[%b]/BitsPerSample 32"
        % (b"0 1 " * dimensions, b"65535 " * dimensions),
    )
    return shaded(b"<</ShadingType 2/ColorSpace/DeviceRGB/Coords[0 0 595 842]/Function 6 0 R>>", function)


def colour_spaces(depth: int) -> bytes:
    space = b"/DeviceRGB"
    for _ in range(depth):
        space = b"[/Indexed" + space + b" 1(abcdef)]"
    return page(b"/C cs 0 sc 0 0 500 500 re f", space, resources=b"/ColorSpace<</C 5 0 R>>")


def masks(depth: int) -> bytes:
    """A soft mask behind a soft mask behind ..."""
    objects = [
        stream(
            b"/M gs 0 0 595 842 re f",
            FORM + GROUP + b"/Resources<</ExtGState<</M<</SMask<</S/Luminosity/G %d 0 R>>>>>>>>" % (number + 1),
        )
        for number in range(5, 5 + depth)
    ]
    resources = b"/ExtGState<</M<</SMask<</S/Luminosity/G 5 0 R>>>>>>"
    return page(b"/M gs 0 0 595 842 re f", *objects, stream(b"1 g 0 0 595 842 re f", FORM + GROUP), resources=resources)


def type_3(glyph: bytes, times: int, resources: bytes = b"") -> bytes:
    font = (
        b"<</Type/Font/Subtype/Type3/FontBBox[0 0 1000 1000]/FontMatrix[.001 0 0 .001 0 0]/CharProcs<</a 6 0 R>>/Encoding<</Differences[97/a]>>/FirstChar 97/LastChar 97/Widths[1000]/Resources<<"
        + resources
        + b">>>>"
    )
    return page(
        b"BT /T 100 Tf 50 400 Td (" + b"a" * times + b") Tj ET", font, stream(b"1000 0 d0 " + glyph), resources=b""
    ).replace(FONT, b"/Font<</T 5 0 R>>")


def type_1(subroutine: bytes) -> bytes:
    """A Type 1 font whose letter calls a subroutine; both are encrypted as the format wants it."""

    def encrypt(data: bytes, key: int) -> bytes:
        out = bytearray()
        for value in b"\0\0\0\0" + data:
            coded = value ^ (key >> 8)
            key = ((coded + key) * 52_845 + 22_719) & 0xFFFF
            out.append(coded)
        return bytes(out)

    call, code = encrypt(b"\x8b\xf9\x32\x0d\x8b\x0a\x0e", 4330), encrypt(subroutine, 4330)
    private = (
        b"dup /Private 8 dict dup begin /lenIV 4 def /BlueValues [] def /Subrs 1 array dup 0 %d RD %b NP ND 2 index /CharStrings 2 dict dup begin /.notdef %d RD %b ND /A %d RD %b ND end end readonly put noaccess put dup/FontName get exch definefont pop mark currentfile closefile\n"
        % (len(code), code, len(call), call, len(call), call)
    )
    clear = b"%!PS-AdobeFont-1.0: Bad\n/FontName /Bad def /FontType 1 def /FontMatrix [.001 0 0 .001 0 0] def /Encoding StandardEncoding def /FontBBox {0 0 1000 1000} def /PaintType 0 def currentdict end currentfile eexec\n"
    secret = encrypt(private, 55_665)
    file = stream(clear + secret + b"0" * 512, b"/Length1 %d/Length2 %d/Length3 512" % (len(clear), len(secret)))
    return embedded(
        b"/Subtype/Type1/BaseFont/Bad/FirstChar 65/LastChar 65/Widths[500]/FontDescriptor<</Type/FontDescriptor/FontName/Bad/Flags 4/FontBBox[0 0 1000 1000]/FontFile 6 0 R>>",
        file,
    )


def embedded(font: bytes, *files: bytes) -> bytes:
    return page(b"BT /F1 100 Tf 50 400 Td (AAAA) Tj ET", b"<</Type/Font" + font + b">>", *files).replace(
        FONT, b"/Font<</F1 5 0 R>>"
    )


def true_type(*, depth: int = 0, points: int = 3) -> bytes:
    """One glyph: either made of itself, or with very many points of which none is in the file."""
    if depth:
        glyph = (
            struct.pack(">hhhhh", -1, 0, 0, 1000, 1000)
            + struct.pack(">HHbb", 0x0020, 1, 0, 0) * depth
            + struct.pack(">HHbb", 0, 1, 0, 0)
        )
    else:
        glyph = struct.pack(">hhhhhHH", 1, 0, 0, 1000, 1000, points, 0) + bytes(100)
    glyph += bytes(-len(glyph) % 4)
    tables = {
        b"cmap": struct.pack(
            ">HHHHIHHHHHHHHHHHHHH",
            0,
            1,
            3,
            0,
            12,
            4,
            32,
            0,
            4,
            4,
            1,
            0,
            0xF041,
            0xFFFF,
            0,
            0xF041,
            0xFFFF,
            1 - 0xF041 & 0xFFFF,
            1,
        )
        + bytes(4),
        b"glyf": glyph,
        b"head": struct.pack(
            ">IIIIHHQQhhhhHHhhh", 0x10000, 0x10000, 0, 0x5F0F3CF5, 0, 1000, 0, 0, 0, 0, 1000, 1000, 0, 8, 2, 1, 0
        ),
        b"hhea": struct.pack(">IhhhHhhhhhhhhhhhH", 0x10000, 800, -200, 0, 1000, 0, 0, 1000, 1, 0, 0, 0, 0, 0, 0, 0, 2),
        b"hmtx": struct.pack(">HhHh", 1000, 0, 1000, 0),
        b"loca": struct.pack(">III", 0, 0, len(glyph)),
        b"maxp": struct.pack(
            ">IHHHHHHHHHHHHHH", 0x10000, 2, points & 0xFFFF, 1, 65_535, 65_535, 1, 0, 0, 0, 0, 0, 0, 65_535, 65_535
        ),
    }
    head, body, at = struct.pack(">IHHHH", 0x10000, len(tables), 64, 2, 48), b"", 12 + 16 * len(tables)
    for tag, table in tables.items():
        head += tag + struct.pack(">III", 0, at + len(body), len(table))
        body += table + bytes(-len(table) % 4)
    file = head + body
    return embedded(
        b"/Subtype/TrueType/BaseFont/Bad/FirstChar 65/LastChar 65/Widths[1000]/FontDescriptor<</Type/FontDescriptor/FontName/Bad/Flags 4/FontBBox[0 0 1000 1000]/FontFile2 6 0 R>>",
        stream(file, b"/Length1 %d" % len(file)),
    )


def character_map(body: bytes, entries: bytes = b"") -> bytes:
    cmap = stream(
        b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange "
        + body
        + b" endcmap",
        b"/Type/CMap/CMapName/X" + entries,
    )
    return embedded(
        b"/Subtype/Type0/BaseFont/SimSun/Encoding 6 0 R/ToUnicode 6 0 R/DescendantFonts[<</Type/Font/Subtype/CIDFontType2/BaseFont/SimSun/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 2>>/DW 1000>>]",
        cmap,
    )


def notes(count: int) -> bytes:
    note = b"<</Type/Annot/Subtype/Stamp/Rect[0 0 595 842]/F 4/AP<</N 6 0 R>>>>"
    return page(SAMPLE, b"[" + note * count + b"]", stream(b"0 0 595 842 re f", FORM), entries=b"/Annots 5 0 R")


def fields(count: int) -> bytes:
    """A field that has itself as its child, among very many."""
    field = (
        b"<</FT/Tx/T(a)/V(b)/Kids[6 0 R 6 0 R]/Parent 6 0 R/Type/Annot/Subtype/Widget/Rect[0 0 99 99]/DA(/F1 0 Tf)>>"
    )
    return page(
        SAMPLE,
        b"[" + b"6 0 R " * count + b"]",
        field,
        entries=b"/Annots 5 0 R",
        catalog=b"/AcroForm<</Fields 5 0 R/NeedAppearances true>>",
    )


def bomb_on_each_page() -> bytes:
    kids = b" ".join(b"%d 0 R" % n for n in range(5, 25))
    sheet = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 14400 14400]/Contents 3 0 R/Resources<</XObject<</X 4 0 R>>>>>>"
    return file_of(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[" + kids + b"]/Count 20>>",
            stream(b"/X Do " * 200),
            stream(
                b"0 0 14400 14400 re f 0 0 m 14400 14400 l S " * 500,
                b"/Type/XObject/Subtype/Form/BBox[0 0 14400 14400]" + GROUP,
            ),
            *[sheet] * 20,
        ]
    )


PATH = b"".join(b"%d %d %d %d %d %d c " % tuple(Random(n).randrange(842) for _ in range(6)) for n in range(2000))

FILES = {
    "a form that draws itself": drawn_by_itself,
    "forms that draw ten forms that draw ten": lambda: forms(10, 9),
    "transparent forms that draw ten": lambda: forms(10, 6, entries=GROUP),
    "forms ten thousand deep": lambda: forms(1, 10_000),
    "a pattern of a billion tiles": lambda: tiles(b"0.001"),
    "a pattern with no step": lambda: tiles(b"0"),
    "a pattern on a paper without end": lambda: tiles(b"1", size=b"-1e9 -1e9 2e9 2e9", inner=b"0 0 m 100 100 l S"),
    "patterns in patterns": lambda: patterns_in_patterns(8),
    "a mesh of a million patches": lambda: mesh(7, 10 * MEBIBYTE),
    "a mesh without a row": lambda: shaded(stream(bytes(5000), b"/ShadingType 5/ColorSpace/DeviceRGB/BitsPerCoordinate 8/BitsPerComponent 8/VerticesPerRow 0/Decode[0 595 0 842 0 1 0 1 0 1]")),
    "colours by a long program": lambda: calculated(b"pop pop " + b"0 0 0 " + b"3 1 roll sin cos exp ln " * 20_000),
    "colours by a program that nests": lambda: calculated(b"{" * 50_000 + b"}" * 50_000),
    "a function stitched into itself": stitched_into_itself,
    "a function of sixteen dimensions": lambda: sampled(16),
    "a shading a hundred thousand times": lambda: shaded(b"<</ShadingType 3/ColorSpace/DeviceRGB/Coords[300 400 0 300 400 900]/Extend[true true]/Function<</FunctionType 2/Domain[0 1]/C0[1 0 0]/C1[0 0 1]/N 1>>>>", times=100_000),
    "colour spaces ten thousand deep": lambda: colour_spaces(10_000),
    "a colour space of itself": lambda: page(b"/C cs 0 sc 0 0 500 500 re f", b"[/Indexed 5 0 R 1(ab)]", resources=b"/ColorSpace<</C 5 0 R>>"),
    "a hundred soft masks behind each other": lambda: masks(100),
    "a soft mask of itself": lambda: page(b"/M gs 0 0 595 842 re f", stream(b"/M gs 0 0 595 842 re f", FORM + GROUP + b"/Resources<</ExtGState<</M 6 0 R>>>>"), b"<</SMask<</S/Luminosity/G 5 0 R>>>>", resources=b"/ExtGState<</M 6 0 R>>"),
    "a million states": lambda: page(body=stream(compress(b"q 1 0 0 1 1 1 cm " * 1_000_000, 1), b"/Filter/FlateDecode")),
    "a stroke of endless dashes": lambda: page(b"[.00001 .00001] 0 d 500 w 1 J 1 j 0 0 m 595 842 l 0 842 l 595 0 l S"),
    "a stroke a million points wide": lambda: page(b"1000000 w 1 J 1 j 0 0 m " + PATH + b"S"),
    "text a billion points high": lambda: page(b"BT /F1 1000000000 Tf 0 0 Td (" + b"WM" * 5000 + b") Tj ET"),
    "text a million letters long": lambda: page(body=stream(compress(b"BT /F1 400 Tf (" + b"W" * 1_000_000 + b") Tj ET", 9), b"/Filter/FlateDecode")),
    "a transform beyond numbers": lambda: page(b"1e38 1e38 -1e38 1e38 1e38 1e38 cm " * 5 + SAMPLE),
    "content of random operators": lambda: page(b" ".join(Random(3).choice([b"q", b"Q", b"cm", b"re", b"f", b"S", b"BT", b"ET", b"Tj", b"Do", b"sh", b"gs", b"1", b"-1", b"0", b"/X", b"(a)", b"[", b"]", b"<<", b">>", b"BI", b"ID", b"EI", b"d0", b"BDC", b"EMC"]) for _ in range(50_000))),
    "an inline picture without end": lambda: page(b"BI /W 30000 /H 30000 /BPC 8 /CS /RGB ID " + bytes(1000)),
    "a Type 3 letter that draws itself": lambda: type_3(b"BT /T 1000 Tf (aa) Tj ET", 10, b"/Font<</T 5 0 R>>"),
    "a heavy Type 3 letter ten thousand times": lambda: type_3(PATH.join([b"0 0 m ", b"f "]), 10_000),
    "a Type 1 letter that calls itself": lambda: type_1(b"\x8b\x0a\x0b"),
    "a Type 1 letter without end": lambda: type_1(b"\x8c\x8c\x05" * 20_000 + b"\x0b"),
    "a TrueType letter made of itself": lambda: true_type(depth=50),
    "a TrueType letter of points that are not there": lambda: true_type(points=65_534),
    "a map of characters that uses itself": lambda: character_map(b"/X usecmap", b"/UseCMap 6 0 R"),
    "a map of characters with a million ranges": lambda: character_map(b"100 begincidrange " + b"<0000> <FFFF> 0 " * 300_000 + b"endcidrange"),
    "a hundred thousand stamps": lambda: notes(100_000),
    "fields that are their own children": lambda: fields(10_000),
    "twenty large pages, each heavy": bomb_on_each_page,
}  # fmt: skip
