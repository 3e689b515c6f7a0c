"""What letters cost, with the limits of the service: python -m tests.letters.measure

The tests give a hostile letter one second of the CPU, so that they end soon. Here each has the ten that it has in the
service; what is drawn then is looked at, too. It takes some minutes.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from service.letters.confinement import CPU_SECONDS, MEMORY_BYTES
from tests.letters.corpus import genuine
from tests.letters.hostile import HOSTILE
from tests.letters.rendered import Rendered, rendered
from tests.letters.test_hostile import is_harmless

HEADER = ("letters", "tried", "drawn", "refused", "ended", "active", "CPU s", "clock s", "MiB")
"""Ended: by a limit, a crash or an error. Active: drawn, and not harmless. The last three are those of the worst."""


def main() -> None:
    print(("{:10}" + "{:>9}" * 8).format(*HEADER))
    letters = {letter.name: letter.path.read_bytes for letter in genuine()}
    everything = {f"genuine: {name}": build for name, build in letters.items()} | HOSTILE
    for kind in dict.fromkeys(name.partition(":")[0] for name in everything):
        measure(kind, [build for name, build in everything.items() if name.startswith(f"{kind}:")])


def measure(kind: str, builds: list[Callable[[], bytes]]) -> None:
    with TemporaryDirectory() as folder:
        files = [Path(folder) / str(number) for number in range(len(builds))]
        for file, build in zip(files, builds, strict=True):
            file.write_bytes(build())
        with rendered(files, seconds=CPU_SECONDS) as rendering:
            results = [rendering[file] for file in files]
    line = "{:10}" + "{:9}" * 5 + "{:9.1f}" * 2 + "{:9.0f}"
    print(line.format(kind, *counts(results), *worst(results)), flush=True)


def counts(results: list[Rendered]) -> tuple[int, ...]:
    drawn = [result for result in results if result.problem is None]
    ended = sum(result.known["failed"] for result in results)
    active = sum(not is_harmless(result.content) for result in drawn)
    return len(results), len(drawn), len(results) - len(drawn) - ended, ended, active


def worst(results: list[Rendered]) -> tuple[float, ...]:
    """Raises `AssertionError` when a process was not held to its memory."""
    seconds, elapsed, memory = (
        max(result.known[what] for result in results) for what in ("seconds", "elapsed", "bytes")
    )
    assert memory <= MEMORY_BYTES
    return seconds, elapsed, memory / (1 << 20)


if __name__ == "__main__":
    main()
