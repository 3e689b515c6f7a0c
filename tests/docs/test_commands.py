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

import sandbox.cli
import starter
from tests.docs.documents import DOCUMENTS, READMES, ROOT, blocks, name, typed
from tests.service import TEMPORAL

APPS: dict[str, App] = {"starter.py": starter.app, "sandbox": sandbox.cli.app}


def commands(document: Path, beginning: str) -> Iterator[list[str]]:
    """What is typed after this beginning; spans that only mention a group of commands are left out."""
    for line in typed(document):
        line = re.sub(r"^docker compose exec \w+ ", "", line)
        if line.startswith(beginning) and "..." not in line:
            yield shlex.split(line.removeprefix(beginning))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
@pytest.mark.parametrize(
    ("beginning", "program"), [("python starter.py ", "starter.py"), ("python -m sandbox ", "sandbox")]
)
def test_every_command_can_be_typed_as_it_stands(
    document: Path, beginning: str, program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("letter.pdf").touch()
    for words in commands(document, beginning):
        # `--json` and `--lang` belong to the program, ahead of its commands.
        own = [word for word in words if word not in ("--json", "--help")]
        if "--lang" in own:
            at = own.index("--lang")
            assert own[at + 1] in ("zh", "en")
            del own[at : at + 2]
        if own:
            APPS[program].parse_args(own, print_error=False, exit_on_error=False)


def test_all_that_is_shown_as_a_command_of_ours_is_one() -> None:
    """`ticket show` and the like, in prose, without the program's name."""
    groups = {"ticket", "deletion"}
    for document in DOCUMENTS:
        for line in typed(document):
            words = line.split()
            if len(words) >= 2 and words[0] in groups and re.fullmatch(r"[a-z-]+", words[1]):
                assert words[1] in list(starter.app[words[0]]), f"{name(document)}: {line}"


def test_the_documents_show_every_command_of_staff_and_operations() -> None:
    shown = {" ".join(words[:2]) for page in DOCUMENTS for words in commands(page, "python starter.py ")}
    for group in ("ticket", "deletion"):
        listed = {f"{group} {command}" for command in starter.app[group] if not command.startswith("-")}
        assert listed <= shown | {"ticket list"}, listed - shown


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_make_target_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        word
        for line in typed(document)
        if line.startswith("make ")
        for word in shlex.split(line)[1:]
        if "=" not in word
    }
    assert named <= targets


@pytest.mark.parametrize("readme", READMES, ids=name)
def test_the_two_commands_come_first(readme: Path) -> None:
    first = blocks(readme, "sh")[0].text.splitlines()
    assert [line.split("#")[0].strip() for line in first] == ["make demo", "make test"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_temporal_command_exists_with_its_options(document: Path) -> None:
    for line in typed(document):
        if not line.startswith("temporal "):
            continue
        words = shlex.split(line)[1:]
        path = []
        while words and re.fullmatch(r"[a-z-]+", words[0]) and not words[0].startswith("-"):
            path.append(words.pop(0))
        shown = subprocess.run([TEMPORAL, *path, "--help"], capture_output=True, text=True, check=True).stdout
        assert f"temporal {' '.join(path)}" in shown, line
        assert all(word in shown for word in words if word.startswith("--")), line


def test_due_answers_what_the_runbook_says() -> None:
    done = run("starter.py", "due", "2026-09-30T10:00+08:00", "--json")
    assert json.loads(done.stdout)["due_at"] == "2026-10-10T16:00:00Z"
    assert "answers 10 October 2026" in (ROOT / "docs" / "runbook-support.md").read_text()


@pytest.mark.parametrize("program", [["starter.py"], ["-m", "sandbox"], ["worker.py"]], ids=" ".join)
def test_help_is_there(program: list[str]) -> None:
    assert run(*program, "--help").stdout


def test_the_readme_says_how_many_accounts_the_sandbox_has(tmp_path: Path) -> None:
    done = run("-m", "sandbox", "accounts", "--json", "--db", str(tmp_path / "platform.db"))
    assert len(json.loads(done.stdout)) == 16
    assert "sixteen accounts" in (ROOT / "README.md").read_text()
    assert "16 个账号" in (ROOT / "README.zh.md").read_text()


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=True)
