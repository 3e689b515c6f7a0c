"""PDFs whose own structure leads in circles, is endless, or speaks of numbers that nothing holds."""

from tests.letters.hostile.building import FONT, SAMPLE, file_of, page, stream
from tests.letters.hostile.filters import with_cross_references

CATALOG, CONTENT = b"<</Type/Catalog/Pages 2 0 R>>", stream(SAMPLE)
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<<" + FONT + b">>>>"


def many_pages(count: int) -> bytes:
    kids = b" ".join(b"%d 0 R" % number for number in range(5, 5 + count))
    return file_of([CATALOG, b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, count), b"null", CONTENT, *[PAGE] * count])


def same_page(count: int) -> bytes:
    return file_of([CATALOG, b"<</Type/Pages/Kids[%b]/Count %d>>" % (b"3 0 R " * count, count), PAGE, CONTENT])


def deep_tree(depth: int) -> bytes:
    nodes = [
        b"<</Type/Pages/Kids[%d 0 R]/Count 1/Parent %d 0 R>>" % (number + 1, max(2, number - 1))
        for number in range(5, 5 + depth)
    ]
    return file_of([CATALOG, b"<</Type/Pages/Kids[5 0 R]/Count 1>>", b"null", CONTENT, *nodes, PAGE])


def wide_and_deep(width: int, depth: int) -> bytes:
    """Each node has the next one many times: more pages than atoms."""
    nodes = [
        b"<</Type/Pages/Kids[%b]/Count %d>>" % (b"%d 0 R " % (number + 1) * width, width ** (5 + depth - number))
        for number in range(5, 5 + depth)
    ]
    return file_of([CATALOG, b"<</Type/Pages/Kids[5 0 R]/Count %d>>" % width**depth, b"null", CONTENT, *nodes, PAGE])


def previous(offset: bytes) -> bytes:
    """The last table of cross-references names an earlier one: itself, or somewhere else."""
    data = page()
    start = data.rindex(b"xref\n0")
    return data.replace(b"/Root 1 0 R", b"/Root 1 0 R/Prev " + (offset or b"%d" % start))


def many_tables() -> bytes:
    data = page()
    start = data.rindex(b"startxref")
    at = int(data[start + 10 :].split()[0])
    parts = [data]
    size = len(data)
    for _ in range(20_000):
        part = b"xref\n0 0\ntrailer\n<</Size 5/Root 1 0 R/Prev %d>>\n" % at
        at = size
        parts.append(part)
        size += len(part)
    return b"".join(parts) + b"startxref\n%d\n%%%%EOF\n" % at


LEVELS = 100_000
FILES = {
    "ten thousand pages": lambda: many_pages(10_000),
    "a million times the same page": lambda: same_page(1_000_000),
    "twenty-one pages": lambda: many_pages(21),
    "a tree of pages ten thousand deep": lambda: deep_tree(10_000),
    "more pages than atoms": lambda: wide_and_deep(1000, 30),
    "pages that are their own parents": lambda: file_of([CATALOG, b"<</Type/Pages/Kids[2 0 R]/Count 1/Parent 2 0 R>>"]),
    "two nodes that have each other": lambda: file_of([CATALOG, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"<</Type/Pages/Kids[2 0 R]/Count 1>>"]),
    "two billion pages that are not there": lambda: page().replace(b"/Count 1", b"/Count 2147483647"),
    "fewer pages than none": lambda: page().replace(b"/Count 1", b"/Count -7"),
    "no page": lambda: file_of([CATALOG, b"<</Type/Pages/Kids[]/Count 0>>"]),
    "a catalog that is its own pages": lambda: file_of([b"<</Type/Catalog/Pages 1 0 R>>"]),
    "no catalog": lambda: page().replace(b"/Root 1 0 R", b"/Root 9 0 R"),
    "a table that comes before itself": lambda: previous(b""),
    "a table before the file": lambda: previous(b"-1"),
    "a table behind all numbers": lambda: previous(b"99999999999999999999999"),
    "twenty thousand tables": many_tables,
    "a stream of tables that comes before itself": lambda: with_cross_references(b"/Size 4/W[1 4 2]/Prev 104", b"x\x9cc\0\0\0\x01\0\x01"),
    "an object that is itself": lambda: page(b"", b"5 0 R", entries=b"/Annots 5 0 R"),
    "a length that is its own length": lambda: page(body=b"<</Length 4 0 R>>stream\nq Q\nendstream"),
    "a length of two billion": lambda: page(body=b"<</Length 2147483647>>stream\nq Q\nendstream"),
    "a negative length": lambda: page(body=b"<</Length -1>>stream\nq Q\nendstream"),
    "a stream of objects in itself": lambda: page(SAMPLE, stream(b"5 0 <</A 5 0 R>>", b"/Type/ObjStm/N 1/First 4/Extends 5 0 R"), entries=b"/Annots 5 0 R"),
    "arrays a hundred thousand deep": lambda: page(SAMPLE, b"[" * LEVELS + b"]" * LEVELS, entries=b"/Annots 5 0 R"),
    "dictionaries a hundred thousand deep": lambda: page(SAMPLE, b"<</A" * LEVELS + b" 1" + b">>" * LEVELS, entries=b"/Annots 5 0 R"),
    "arrays that never close": lambda: page(SAMPLE, b"[" * 5_000_000),
    "a string of ten megabytes": lambda: page(b"BT /F1 12 Tf (" + b"a" * 10_000_000 + b") Tj ET"),
    "a string that never closes": lambda: page(b"BT (" + b"(" * 1_000_000),
    "a name of ten megabytes": lambda: page(SAMPLE, b"/" + b"A" * 10_000_000, entries=b"/Annots 5 0 R"),
    "a number of a million digits": lambda: page(b"1" * 1_000_000 + b" 0 0 1 0 0 cm " + SAMPLE),
    "an object's number beyond all": lambda: page(entries=b"/Annots 99999999999999999999 0 R"),
    "a hundred thousand objects, none used": lambda: page(SAMPLE, *[b"<</A[1 2 3]/B(x)>>"] * 100_000),
    "a paper of a million miles": lambda: page(box=b"0 0 1e15 1e15"),
    "a paper of no size": lambda: page(box=b"0 0 0 0"),
    "a paper turned inside out": lambda: page(box=b"1e30 1e30 -1e30 -1e30"),
    "a paper one point wide and a mile high": lambda: page(box=b"0 0 1 14400"),
    "a paper of words": lambda: page(box=b"/A (b) null true"),
    "a unit of a billion": lambda: page(entries=b"/UserUnit 1e9"),
    "a rotation of one degree": lambda: page(entries=b"/Rotate 1"),
    "a rotation beyond numbers": lambda: page(entries=b"/Rotate 99999999999999999999"),
}  # fmt: skip
