"""The cancellation that the README types, typed."""

import asyncio
import os
import shlex
import sys
from pathlib import Path

import pytest

from devtools.demo.stack import Stack
from tests.docs.documents import READMES, ROOT, blocks
from tests.support.service import eventually

ACCOUNT = "acct-clean-phone"
EXAMPLE_CODE = "123456"


def walkthrough(readme: Path) -> list[str]:
    [block] = [block for block in blocks(readme, "sh") if "activate" in block.text]
    return [line.split("#")[0].strip() for line in block.text.splitlines()]


def test_both_languages_type_the_same() -> None:
    english, chinese = map(walkthrough, READMES)
    assert english == chinese
    assert english[0] == ". .venv/bin/activate"


# Eight programs one after the other; alone on a machine they take half a minute.
@pytest.mark.timeout(300)
async def test_every_line_works_and_the_last_shows_the_certificate(tmp_path: Path) -> None:
    async with Stack.start(tmp_path) as stack:
        environment = {**os.environ, **stack.variables(), "LANG": "en_US.UTF-8"}

        async def typed(line: str) -> str:
            program, *words = shlex.split(line)
            assert program == "python"
            process = await asyncio.create_subprocess_exec(
                sys.executable, *words, cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE
            )
            shown, _ = await process.communicate()
            assert process.returncode == 0, f"{line}: {shown.decode()}"
            return shown.decode()

        *lines, last = walkthrough(READMES[0])[1:]
        for line in lines:
            if EXAMPLE_CODE in line:
                await typed(line.replace(EXAMPLE_CODE, await stack.store.latest_code(ACCOUNT)))
            elif " status " in line:
                await eventually(lambda line=line: typed(line), lambda shown: "● closed" in shown, 60)  # type: ignore[misc]
            else:
                await typed(line)
        assert ACCOUNT in await typed(last)
