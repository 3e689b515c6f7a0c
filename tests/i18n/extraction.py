"""What has to be translated, as `make messages` finds it."""

import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
CATALOGUES = sorted((ROOT / "i18n").glob("*/LC_MESSAGES/messages.po"))


@cache
def extracted() -> Catalog:
    """With the keywords that the Makefile names."""
    [keywords] = [line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("KEYWORDS = ")]
    with TemporaryDirectory() as folder:
        subprocess.run(
            [
                *(sys.executable, "-m", "babel.messages.frontend", "--quiet", "extract", "-F", "pyproject.toml"),
                *keywords.removeprefix("KEYWORDS = ").split(),
                *("--no-location", "-o", f"{folder}/messages.pot", "."),
            ],
            cwd=ROOT,
            check=True,
        )
        return catalogue(Path(folder, "messages.pot"))


def catalogue(file: Path) -> Catalog:
    with file.open("rb") as stream:
        return read_po(stream)


def forms(of: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    """A message, or its singular and plural."""
    return (of,) if isinstance(of, str) else tuple(of or ())
