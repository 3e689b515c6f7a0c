"""Makes the corpus of genuine letters again, by the programs that people use: see README.md for what has to be there.

    python -m tests.letters.make_genuine              all of them, for some minutes
    python -m tests.letters.make_genuine tiffs forms  those of some makers

Beside each letter it writes what the tests compare with: small pictures of the pages, and what is known about them.
"""

import json
import sys
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from tests.letters.corpus import FOLDER, MANIFEST, REFERENCES, is_red, small
from tests.letters.making.page import Letter, run

MAKERS = ("office", "browsers", "reports", "printing", "libraries", "forms", "scans", "pictures", "tiffs", "structure")
DPI = 144


def drawn_by_poppler(data: bytes) -> list[Image.Image]:
    """Each page within its crop box, with annotations and fields."""
    with TemporaryDirectory() as folder:
        Path(folder, "in.pdf").write_bytes(data)
        run("pdftoppm", "-r", str(DPI), "-cropbox", "-png", f"{folder}/in.pdf", f"{folder}/page")
        pages = []
        for file in sorted(Path(folder).glob("page*.png")):
            with Image.open(file) as picture:
                pages.append(picture.convert("RGB"))
        return pages


def known(letter: Letter) -> dict[str, object]:
    pages = list(letter.shown) if letter.shown else []
    if letter.name.endswith(".pdf"):
        sizes = [picture.size for picture in drawn_by_poppler(letter.like or letter.data)]
        pages = pages or drawn_by_poppler(letter.like or letter.data)
        paper = [[round(side / DPI * 72, 1) for side in size] for size in sizes]
    else:
        if not pages:
            with Image.open(Path(FOLDER, letter.name)) as picture:
                pages = [picture.convert("RGB")]
        paper = [list(picture.size) for picture in pages]
    if len(pages) != letter.pages:
        print(f"{letter.name}: {len(pages)} pages", file=sys.stderr, flush=True)
    references = [small(picture) for picture in pages]
    for number, x, y in letter.seals:
        if number <= len(references) and not is_red(references[number - 1], x, y):
            print(f"{letter.name}: no seal at {x}, {y} of page {number}", file=sys.stderr, flush=True)
    return {
        "sha256": sha256(letter.data).hexdigest(),
        "paper": paper,
        "seals": letter.seals,
        "references": [kept(picture) for picture in references],
    }


def kept(picture: Image.Image) -> str:
    """The file of a reference, named for its pixels: many letters look the same."""
    name = sha256(picture.tobytes()).hexdigest()[:16] + ".webp"
    picture.save(REFERENCES / name, lossless=True, quality=100, method=6)
    return name


def main() -> None:
    makers = sys.argv[1:] or MAKERS
    FOLDER.mkdir(exist_ok=True)
    REFERENCES.mkdir(exist_ok=True)
    manifest = {name: old for name, old in json.loads(MANIFEST.read_text()).items() if old["maker"] not in makers}
    for maker in makers:
        for letter in import_module(f"tests.letters.making.{maker}").letters():
            (FOLDER / letter.name).write_bytes(letter.data)
            manifest[letter.name] = known(letter) | {"maker": maker}
            print(f"{len(letter.data):7} {letter.name}", flush=True)
    MANIFEST.write_text(json.dumps(dict(sorted(manifest.items())), indent=1) + "\n")
    for stale in FOLDER.iterdir():
        if stale.name not in manifest:
            stale.unlink()
    used = {name for entry in manifest.values() for name in entry["references"]}
    for stale in REFERENCES.iterdir():
        if stale.name not in used:
            stale.unlink()


if __name__ == "__main__":
    main()
