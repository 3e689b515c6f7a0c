"""The real command line on a real local stack: in this process for speed, by a process of its own where it matters."""

import asyncio
import io
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

import starter
from devtools.demo.stack import ROOT, Stack
from domain.accounts import Channel
from domain.actors import Actor, Via
from domain.locale import Locale
from domain.notices import CURRENT_NOTICE
from domain.phases import Phase
from domain.policy import Policy
from simulator.edits import Value
from tests.support.service import eventually

ALWAYS_ANEW = Policy(outcomes_reused_for=timedelta(0), alarms_spread_over=timedelta(0))
"""The world changes within a second here; a re-check has to see it."""

CONTACTS = ("--email", "owner@example.com", "--phone", "13800138000")


@dataclass(frozen=True)
class Printed:
    """What one command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The whole of stdout, which has to be one JSON object."""
        answer = json.loads(self.out)
        assert isinstance(answer, dict)
        return answer

    @property
    def error(self) -> dict[str, Any]:
        error = self.json["error"]
        assert isinstance(error, dict)
        assert error["message"]
        return error


@pytest_asyncio.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    async with Stack.start(tmp_path_factory.mktemp("stack")) as running:
        yield running


@dataclass
class CommandLine:
    """Commands against the stack."""

    stack: Stack
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    async def __call__(self, *words: str, stdin: str = "") -> Printed:
        """Run a command in this process, but in a thread: it has an event loop of its own."""
        self.monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        self.capsys.readouterr()
        code = await asyncio.to_thread(starter.run, words)
        return Printed(code, *self.capsys.readouterr())

    async def json(self, *words: str, code: int = 0, stdin: str = "") -> dict[str, Any]:
        """Run with `--json`; the exit code has to be `code`."""
        printed = await self(*words, "--json", stdin=stdin)
        assert printed.code == code, printed
        return printed.json

    async def error(self, *words: str, code: int, stdin: str = "") -> dict[str, Any]:
        printed = await self(*words, "--json", stdin=stdin)
        assert printed.code == code, printed
        return printed.error

    async def process(self, *words: str, stdin: str = "", **environment: str) -> Printed:
        """Run a command as people do."""
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "starter.py", *words],
            cwd=ROOT,
            env={**os.environ, **environment},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Printed(done.returncode, done.stdout, done.stderr)

    # What the tests start from

    async def account(self, **facts: Value) -> str:
        """A fresh account with nothing in the way but what `facts` put there."""
        [account_id] = await self.stack.store.add_clean_accounts(f"cli-{uuid4().hex[:8]}", 1)
        if facts:
            await self.stack.store.set_facts(account_id, **facts)
        return account_id

    async def reported(self, **facts: Value) -> str:
        """An account whose owner has accepted the notice, and whose checks are done."""
        account = await self.account(**facts)
        await self.to_report(account)
        return account

    async def to_report(self, account: str) -> None:
        cancellations, notice = self.stack.cancellations, CURRENT_NOTICE[Locale.EN]
        by = Actor(subject=account, via=Via.COMMAND_LINE)
        await cancellations.start(account, f"owner-of-{account}", via=by.via, locale=Locale.EN, policy=ALWAYS_ANEW)
        await cancellations.send_code(account, Channel.PHONE, by)
        await cancellations.verify(account, await self.stack.store.latest_code(account), by)
        await cancellations.accept_notice(account, notice.version, notice.sha256, by)
        await cancellations.wait_while(account, Phase.CHECKING)

    async def filed(self, **facts: Value) -> tuple[str, str]:
        """An account under review, and its ticket's number."""
        account = await self.reported(**{"icp_applications_ever": 1, **facts})
        view = await self.file(account, *CONTACTS, "--accept-notice")
        return account, await self.timed(view["review"]["ticket"]["ticket_no"])

    async def file(self, account: str, *words: str) -> dict[str, Any]:
        """File a ticket about the latest report."""
        return await self.json("ticket", "file", account, "--i-understand", account, *words)

    async def timed(self, ticket_no: str) -> str:
        """The same ticket, once its deadline is counted."""
        await eventually(lambda: self.stack.cancellations.review(ticket_no), lambda review: review.clock is not None)
        return ticket_no

    async def in_phase(self, account: str, phase: Phase) -> None:
        await eventually(lambda: self.stack.cancellations.view(account), lambda view: view.phase is phase)


@pytest.fixture
def settings(stack: Stack) -> Mapping[str, str]:
    language = {"LC_ALL": "", "LC_MESSAGES": "", "LANG": "en_US.UTF-8"}
    return {**stack.variables(), "TEMPORAL_CONFIG_FILE": os.devnull, "COLUMNS": "100", **language}


@pytest.fixture
def cli(
    stack: Stack,
    settings: Mapping[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> CommandLine:
    # Nothing here speaks TLS, and to read all certificates of the machine is most of the work of a command.
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    # It would take the handlers of pytest away; the tests by process see the real thing.
    monkeypatch.setattr("cli.connection.configure_logging", lambda *_: None)
    return CommandLine(stack, capsys, monkeypatch)


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    from devtools.demo.letter import scanned_letter

    path = tmp_path / "letter.pdf"
    path.write_bytes(scanned_letter("acct-enterprise", stamped=True))
    return path
