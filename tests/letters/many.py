"""A program of its own, run by confinement.py: renders many letters, as rendering.py would render each of them.

    confinement.py many.py FONTS FOLDER-OF-RENDERING SECONDS FILE...

Python and its libraries begin once and not for every letter, which is most of the time that a small one takes. Each is
still rendered in a process of its own, confined and limited as in the service, but to so many seconds of the CPU.

Out comes, for each file, one line of JSON (what rendering.py says, whether the process failed, what it used, and the
length of what follows), and the cleaned PDF.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path


def main() -> None:
    fonts, folder, seconds, *files = sys.argv[1:]
    sys.path.insert(0, folder)
    import rendering  # type: ignore[import-not-found]

    rendering.look_for_fonts_in(fonts)
    for file in files:
        began = time.monotonic()
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
            _render(rendering, Path(file).read_bytes(), writing)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            head, _, made = pipe.read().partition(b"\n")
        _, failed, used = os.wait4(child, 0)
        known = {} if failed else json.loads(head)
        known |= {
            "failed": failed != 0,
            "seconds": used.ru_utime + used.ru_stime,
            "elapsed": time.monotonic() - began,
            "bytes": used.ru_maxrss << 10,
            "length": 0 if failed else len(made),
        }
        sys.stdout.buffer.write(json.dumps(known).encode() + b"\n" + made[: known["length"]])
        sys.stdout.buffer.flush()


def _render(rendering: object, data: bytes, to: int) -> None:
    code = 1
    try:
        try:
            head, made = rendering.cleaned(data)  # type: ignore[attr-defined]
        except rendering.Problem as problem:  # type: ignore[attr-defined]
            head, made = {"problem": str(problem)}, b""
        with os.fdopen(to, "wb") as pipe:
            pipe.write(json.dumps(head).encode() + b"\n" + made)
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
