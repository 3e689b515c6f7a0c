"""`starter.py` as a program of its own, its help, and how quickly it is there."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest
from cyclopts import App

import starter
from cli.answers import PROGRAM
from devtools.demo.programs import Busy, StartFailed
from devtools.demo.stack import ROOT
from tests.cli.conftest import CommandLine


def _commands(app: App, *path: str) -> Iterator[tuple[str, ...]]:
    for name in app:
        if name.startswith("-"):
            continue
        inner = list(_commands(app[name], *path, name))
        yield from inner or [(*path, name)]


COMMANDS = sorted(_commands(starter.app))


def test_every_command_of_the_service_is_there() -> None:
    owner = {(name,) for name in ("start", "status", "verify", "recheck", "confirm", "withdraw", "certificate")}
    owner |= {("send-code",), ("accept-notice",)}
    staff = ("file", "list", "show", "original", "approve", "reject", "request-materials", "supply")
    rest = {("due",), ("deletion", "show"), ("deletion", "resume"), ("demo",), ("dev",)}
    assert set(COMMANDS) == owner | {("ticket", name) for name in staff} | rest


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_has_an_example_that_can_be_typed(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert starter.run([*command, "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "--json" in shown
    _, example = shown.split(f"Example: {PROGRAM} ")
    words = shlex.split(example)
    assert tuple(words[: len(command)]) == command
    starter.app.parse_args(words, exit_on_error=False, print_error=False)


def test_help_imports_none_of_the_heavy_libraries() -> None:
    program = (
        "import sys, starter\n"
        "for words in [], ['ticket'], ['start'], ['ticket', 'approve'], ['ticket', 'list'], ['due']:\n"
        "    starter.run([*words, '--help'])\n"
        "sys.exit(str({'temporalio', 'aiohttp', 'httpx2', 'obstore', 'pyvips', 'PIL'} & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (1, "")
    assert "List the queue" in done.stdout


async def test_as_a_process_it_answers_with_one_object_and_never_logs_the_code(cli: CommandLine) -> None:
    account = await cli.account()
    started = await cli.process("start", account, "--json", CANCELLATION_LOG_LEVEL="DEBUG")
    assert (started.code, started.json["phase"]) == (0, "AWAITING_IDENTITY")
    await cli.json("send-code", account)
    code = await cli.stack.store.latest_code(account)
    verified = await cli.process("verify", account, "-", "--json", stdin=code, CANCELLATION_LOG_LEVEL="DEBUG")
    assert verified.json["phase"] == "AWAITING_NOTICE"
    assert code not in verified.err


@pytest.mark.parametrize(
    ("words", "code"),
    [(("due", "2026-09-30T10:00"), 2), (("status", "nobody-asked"), 3)],
)
async def test_the_exit_code_is_that_of_the_process(cli: CommandLine, words: tuple[str, ...], code: int) -> None:
    printed = await cli.process(*words, "--json")
    assert printed.code == code
    assert isinstance(printed.json, dict)


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    words = [sys.executable, "starter.py", "due", "2026-09-30T10:00+08:00", "--json"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        program.stdout.close()
        assert program.stderr is not None
        assert program.stderr.read() == ""


@pytest.mark.parametrize(("ended", "code"), [(0, 0), (1, 1)])
def test_the_demo_and_the_local_stack_keep_stdout_for_the_one_object(
    ended: int, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[object] = []

    def play(*arguments: object) -> int:
        asked.append(arguments)
        sys.stdout.write("a story")
        return ended

    monkeypatch.setattr("devtools.demo.play.main", play)
    monkeypatch.setattr("devtools.demo.dev.main", play)
    for words in (["demo", "--keep", "--lang", "zh"], ["dev"]):
        assert starter.run([*words, "--json"]) == code
        printed = capsys.readouterr()
        assert json.loads(printed.out)["exit_code"] == ended
        assert "a story" in printed.err
        assert starter.run(words) == code
        assert "a story" in capsys.readouterr().out
    assert asked[:2] == [("zh-CN", True)] * 2


@pytest.mark.parametrize(
    ("error", "code", "type"),
    [(StartFailed("Temporal ended"), 4, "Unreachable"), (Busy("A local stack is running already"), 2, "BadInput")],
)
def test_a_local_stack_that_does_not_start_says_what_kind_of_trouble_it_is(
    error: StartFailed, code: int, type: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def play(*_: object) -> int:
        raise error

    monkeypatch.setattr("devtools.demo.play.main", play)
    monkeypatch.setattr("devtools.demo.dev.main", play)
    for command in ("demo", "dev"):
        assert starter.run([command, "--json"]) == code
        assert json.loads(capsys.readouterr().out)["error"] == {"type": type, "message": str(error)}
        assert starter.run([command]) == code
        assert str(error) in capsys.readouterr().err


def test_breaking_off_is_no_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("devtools.demo.play.main", lambda *_: 130)
    assert starter.run(["demo", "--json"]) == 130
    assert json.loads(capsys.readouterr().out) == {"exit_code": 130}


@pytest.mark.parametrize("encoding", ["gbk", "ascii"])
def test_a_terminal_of_another_encoding_gets_what_it_has_signs_for(encoding: str) -> None:
    """A failure is shown with a mark that GBK has no sign for, and in Chinese, which ASCII has none for."""
    done = subprocess.run(
        [sys.executable, "starter.py", "due", "2026-09-30T10:00", "--lang", "zh"],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    shown = done.stderr.decode(encoding)
    assert done.returncode == 2, shown
    assert "? " in shown
    assert "2026-09-30T10:00:00+08:00" in shown
