"""Writes the hostile letters down, for a look at one of them: python -m tests.letters.make_hostile FOLDER"""

import sys
from pathlib import Path

from tests.letters.hostile import HOSTILE


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, build in HOSTILE.items():
        (folder / name.replace(": ", "-").replace(" ", "-").replace("/", "-")).write_bytes(build())


if __name__ == "__main__":
    main()
