"""The cancellation that the README types, typed."""

import asyncio
import json
import os
import re
import shlex
import sys
from pathlib import Path

import pytest

from demo.stack import Stack
from tests.docs.documents import READMES, ROOT, blocks
from tests.service import eventually

ACCOUNT = "acct-clean-phone"


def walkthrough(readme: Path) -> list[str]:
    [block] = [block for block in blocks(readme, "sh") if "activate" in block.text]
    return [line.split("#")[0].strip() for line in block.text.splitlines()]


def test_both_languages_type_the_same() -> None:
    english, chinese = map(walkthrough, READMES)
    assert english == chinese
    assert english[0] == ". .venv/bin/activate"


@pytest.mark.timeout(300)
async def test_every_line_works_and_the_account_is_closed(tmp_path: Path) -> None:
    async with Stack.start(tmp_path) as stack:
        environment = {**os.environ, **stack.variables(), "LANG": "en_US.UTF-8"}
        for line in walkthrough(READMES[0])[1:]:
            if "123456" in line:
                [sent, *_] = json.loads(await _type(f"python -m sandbox outbox --account {ACCOUNT} --json", environment))
                code = re.search(r"\b\d{6}\b", sent["text"])
                assert code, sent
                await _type(line.replace("123456", code[0]), environment)
            elif " status " in line:
                await eventually(lambda line=line: _type(line, environment), lambda shown: "● closed" in shown, 60)  # type: ignore[misc]
            else:
                shown = await _type(line, environment)
        assert ACCOUNT in shown


async def _type(line: str, environment: dict[str, str]) -> str:
    program, *words = shlex.split(line)
    assert program == "python"
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE
    )
    shown, _ = await process.communicate()
    assert process.returncode == 0, f"{line}: {shown.decode()}"
    return shown.decode()
