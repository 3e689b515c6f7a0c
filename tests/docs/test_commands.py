"""Every command that a document tells somebody to type exists, with its options; the cheap ones are run."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import App

import simulator.cli
import starter
from devtools.demo.stack import TEMPORAL
from tests.docs.documents import DOCUMENTS, READMES, ROOT, blocks, name, typed

APPS: dict[str, App] = {"python starter.py ": starter.app, "python -m simulator ": simulator.cli.app}
"""By how a command begins."""


def commands(beginning: str) -> Iterator[list[str]]:
    """What is typed after this beginning, in any document and in any container."""
    for document in DOCUMENTS:
        for line in typed(document):
            command = re.sub(r"^docker compose exec \w+ ", "", line)
            if command.startswith(beginning) and "..." not in command:
                yield shlex.split(command.removeprefix(beginning))


@pytest.mark.parametrize("beginning", APPS)
def test_every_command_can_be_typed_as_it_stands(
    beginning: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("letter.pdf").touch()
    for words in commands(beginning):
        if own := _without_common_options(words):
            APPS[beginning].parse_args(own, print_error=False, exit_on_error=False)


def _without_common_options(words: list[str]) -> list[str]:
    """`--json`, `--help` and `--lang` are read ahead of the commands."""
    if "--lang" in words:
        at = words.index("--lang")
        assert words[at + 1] in ("zh", "en")
        words = words[:at] + words[at + 2 :]
    return [word for word in words if word not in ("--json", "--help")]


def test_what_is_named_by_its_group_alone_is_a_command() -> None:
    """`ticket show` and the like."""
    named = {
        (words[0], words[1])
        for document in DOCUMENTS
        for line in typed(document)
        if len(words := line.split()) >= 2 and words[0] in ("ticket", "deletion") and re.fullmatch("[a-z-]+", words[1])
    }
    assert len(named) >= 4
    assert not [(group, command) for group, command in named if command not in list(starter.app[group])]


def test_every_command_of_staff_and_operations_is_shown() -> None:
    shown = {" ".join(words[:2]) for words in commands("python starter.py ")}
    listed = {f"{group} {command}" for group in ("ticket", "deletion") for command in starter.app[group]}
    assert {command for command in listed if " --" not in command and " -h" not in command} <= shown


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        word
        for document in DOCUMENTS
        for line in typed(document)
        if line.startswith("make ")
        for word in shlex.split(line)[1:]
        if "=" not in word
    }
    assert {"demo", "test", "dev"} <= named <= targets


@pytest.mark.parametrize("readme", READMES, ids=name)
def test_the_two_commands_come_first(readme: Path) -> None:
    first = blocks(readme, "sh")[0].text.splitlines()
    assert [line.split("#")[0].strip() for line in first] == ["make demo", "make test"]


def test_every_temporal_command_exists_with_its_options() -> None:
    lines = [line for document in DOCUMENTS for line in typed(document) if line.startswith("temporal ")]
    assert len(lines) >= 5
    for line in lines:
        path, options = _split(shlex.split(line)[1:])
        shown = subprocess.run([TEMPORAL, *path, "--help"], capture_output=True, text=True, check=True).stdout
        assert f"temporal {' '.join(path)}" in shown, line
        assert all(option in shown for option in options), line


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """The words of a command up to its first option, and its options."""
    first = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
    return words[:first], [word for word in words if word.startswith("--")]


def test_due_answers_what_the_runbook_says() -> None:
    assert json.loads(_run("starter.py", "due", "2026-09-30T10:00+08:00", "--json"))["due_at"] == "2026-10-10T16:00:00Z"
    assert "answers 10 October 2026" in (ROOT / "docs" / "runbook-support.md").read_text()


def _run(*words: str) -> str:
    return subprocess.run([sys.executable, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
