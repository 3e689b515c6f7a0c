"""What a hostile file could do in the process that reads it, were the file to take it over."""

import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from service.letters import limited
from service.letters.limited import ProgramFailed, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux confines a process")

PROBE = """
    import ctypes, json, os, resource, subprocess, sys
    def able(attempt):
        try:
            return bool(attempt())
        except (OSError, MemoryError):
            return False
    libc = ctypes.CDLL(None, use_errno=True)
    print(json.dumps({
        "environment": sorted(set(os.environ) - {"LC_CTYPE", "VIPS_CONCURRENCY"}),
        "network": able(lambda: libc.socket(2, 1, 0) >= 0) or able(lambda: libc.socket(1, 1, 0) >= 0),
        "programs": able(lambda: subprocess.run(["/bin/true"])),
        "parent": able(lambda: open(f"/proc/{os.getppid()}/environ").read()) or able(lambda: os.kill(os.getppid(), 0)),
        "secrets": able(lambda: open(sys.argv[1] + ".secret").read()),
        "files": able(lambda: open("/tmp/written", "w")),
        "memory": able(lambda: bytearray(520 << 20)),
        "arguments": able(lambda: open(sys.argv[1]).read()),
        "processor": resource.getrlimit(resource.RLIMIT_CPU),
    }))
"""


@pytest.fixture
def program(tmp_path: Path) -> Any:
    def write(code: str) -> str:
        # In a folder of its own, which is all of it that the program may look into.
        file = tmp_path / "program" / "program.py"
        file.parent.mkdir()
        file.write_text(dedent(code))
        return str(file)

    return write


async def test_it_has_nothing_and_reaches_nobody(program: Any, tmp_path: Path) -> None:
    given, secret = tmp_path / "given", tmp_path / "given.secret"
    for file in (given, secret):
        file.write_text("something")
    assert (await run(program(PROBE), b"", str(given))).head == {
        "environment": [],
        "network": False,
        "programs": False,
        "parent": False,
        "secrets": False,
        "files": False,
        "memory": False,
        "arguments": True,
        "processor": [10, 10],
    }


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import ctypes; ctypes.string_at(0)", id="crash"),
        pytest.param("kept = [bytes(1 << 20) for _ in range(600)]", id="memory"),
        pytest.param("print('no JSON')", id="nonsense"),
        pytest.param("", id="silence"),
        pytest.param("print('{}'); print('x' * 100)", id="more than was asked for"),
        pytest.param("while True: print('x' * 100_000)", id="without end"),
    ],
)
async def test_a_program_that_goes_wrong_is_an_answer(code: str, program: Any) -> None:
    with pytest.raises(ProgramFailed):
        await run(program(code), b"letter", most=10)


async def test_a_program_that_hangs_is_ended(program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "_SECONDS", 1.0)
    with pytest.raises(ProgramFailed):
        await run(program("import time; time.sleep(60)"), b"")


async def test_a_program_that_reads_nothing_of_a_large_letter_may_answer(program: Any) -> None:
    assert (await run(program("print('{}')"), bytes(20 << 20))).head == {}
