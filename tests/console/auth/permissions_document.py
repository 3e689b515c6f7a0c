"""Who may call what, as Markdown: `python -m tests.console.auth.permissions_document` prints it; with a file, it is
renewed there.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

from console.app import create_app, gated_routes
from console.auth.roles import Role, may
from console.services import Services
from console.settings import ConsoleSettings

BEGIN: Final = "<!-- made by `python -m tests.console.auth.permissions_document docs/security.md` -->"
END: Final = "<!-- end of what is made -->"


def table() -> str:
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "| route | " + " | ".join((*Role, "nobody")) + " |"
    yield "|---|" + ":-:|" * (len(Role) + 1)
    for route in gated_routes(create_app(ConsoleSettings(development_sign_in=True), _nothing)):
        cells = ("yes" if may(role, route.name) else "" for role in (*Role, None))
        yield f"| {' '.join(route.methods)} `{route.path}` | " + " | ".join(cells) + " |"


def _nothing() -> AbstractAsyncContextManager[Services]:
    raise AssertionError("routes are looked at, not called")


def renewed(document: str) -> str:
    """Raises `ValueError` when the document lacks the marks."""
    head, _, rest = document.partition(BEGIN)
    _, mark, tail = rest.partition(END)
    if not mark:
        raise ValueError(f"the document needs the lines {BEGIN} and {END}")
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="the document in which to renew the table")
    file: Path | None = parser.parse_args().file
    if file is None:
        sys.stdout.write(f"{table()}\n")
    else:
        file.write_text(renewed(file.read_text()))


if __name__ == "__main__":
    main()
