"""docs/api.md: every example is run against a live console, and its tables are what the code has."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.auth.roles import Role
from console.errors import PREFIX, STATUS
from domain.accounts import RealNameType
from domain.errors import ErrorType
from domain.locale import Locale
from domain.notices import CURRENT_NOTICE, CURRENT_VERSION
from domain.notifications import Template
from domain.phases import Phase
from domain.tickets import ReviewStatus
from tests.console.api.conftest import Api
from tests.console.api.live import listening
from tests.docs.documents import ROOT, blocks, rows
from tests.service.letters.making import pdf
from tests.support.service import eventually
from tests.support.tickets import awaiting_confirmation, blocked, file, file_in_vault, under_review

PAGE = ROOT / "docs" / "api.md"
TICKET_NO, REQUEST_NO = "T20261122-7KQ2M9XT", "C20261122-7KQ2M9XT"
PERSONAL = "https_proxy", "http_proxy", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "ALL_PROXY"


@pytest.fixture(scope="module")
async def url(api: Api) -> AsyncIterator[str]:
    async with listening(api.console.app) as address:
        yield f"{address}/api/v1"


class Example:
    """One block of the page, as a program of its own, with the names that it has replaced by real ones."""

    def __init__(self, api: Api, url: str, folder: Path) -> None:
        self._api, self._url, self._folder = api, url, folder

    async def run(
        self, language: str, which: str, role: Role | None = None, *, names: dict[str, str], **variables: str
    ) -> str:
        process = await self.start(language, which, role, names=names, **variables)
        return await self.end(process)

    async def start(
        self, language: str, which: str, role: Role | None = None, *, names: dict[str, str], **variables: str
    ) -> asyncio.subprocess.Process:
        [block] = [block for block in blocks(PAGE, language) if block.info == f"{language} {which}"]
        text = block.text
        for written, real in names.items():
            assert written in text, f"{written} is not in the example"
            text = text.replace(written, real)
        token = {"TOKEN": self._api.issuer.token(role, f"{role}-of-the-page")} if role else {}
        kept = {name: value for name, value in os.environ.items() if name not in PERSONAL}
        command = {"sh": ["bash", "-euo", "pipefail", "-c", text], "python": [sys.executable, "-c", text]}[language]
        return await asyncio.create_subprocess_exec(
            *command,
            cwd=self._folder,
            env={**kept, "API": self._url, **token, **variables},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def end(self, process: asyncio.subprocess.Process, typed: str = "") -> str:
        shown, trouble = await asyncio.wait_for(process.communicate(typed.encode()), 60)
        assert process.returncode == 0, shown.decode() + trouble.decode()
        return shown.decode()


@pytest.fixture
def example(api: Api, url: str, tmp_path: Path) -> Example:
    return Example(api, url, tmp_path)


@pytest.mark.parametrize("language", ["sh", "python"])
async def test_everybody_reads_the_notice(language: str, example: Example) -> None:
    shown = await example.run(language, "everybody", names={})
    assert ("closed" if language == "sh" else "注销") in shown


async def test_a_backend_cancels_an_account_with_curl(api: Api, example: Example) -> None:
    account = await api.service.account()
    names = {"acct-clean-phone": account}
    key = {"click-8f14e45f": f"click-{account}"}
    assert "masked_destination" in await example.run("sh", "backend starts", Role.BACKEND, names=names | key)
    code = await api.service.store.latest_code(account)
    shown = await example.run("sh", "backend goes on", Role.BACKEND, names=names, CODE=code)
    assert re.search(r"HTTP/1.1 200 OK.*^etag: \"", shown, re.DOTALL | re.MULTILINE | re.IGNORECASE)
    await api.service.in_phase(account, Phase.CLOSED)


async def test_a_backend_hands_an_owner_over_with_curl(api: Api, example: Example) -> None:
    account = await api.service.account()
    shown = await example.run("sh", "backend hands over", Role.BACKEND, names={"acct-clean-phone": account})
    assert f'"url":"{api.console.settings.origin}/login-link' in shown


async def test_a_backend_files_a_ticket_with_curl(api: Api, example: Example, tmp_path: Path) -> None:
    account = await blocked(api.service, icp_applications_ever=1, real_name_type=RealNameType.ENTERPRISE)
    (tmp_path / "letter.pdf").write_bytes(pdf())
    sha256 = CURRENT_NOTICE[Locale.ZH].sha256
    names = {"acct-enterprise": account}
    shown = await example.run("sh", "backend files a ticket", Role.BACKEND, names=names, SHA256=sha256)
    assert Phase.UNDER_REVIEW in shown


async def test_a_backend_cancels_an_account_in_python(api: Api, example: Example) -> None:
    account = await api.service.account()
    process = await example.start("python", "backend", Role.BACKEND, names={"acct-clean-phone": account})

    await eventually(
        lambda: api.service.store.outbox(account),
        lambda sent: any(message.template is Template.IDENTITY_CODE for message in sent),
        40,
    )
    typed = await api.service.store.latest_code(account)
    shown = await example.end(process, f"{typed}\n")
    assert "('BALANCE', 'PASSED')" in shown
    assert Phase.CLOSED in shown.splitlines()


async def test_an_agent_asks_for_materials_with_curl(api: Api, example: Example, tmp_path: Path) -> None:
    account = await blocked(api.service, icp_applications_ever=1, real_name_type=RealNameType.ENTERPRISE)
    case = await file(api.service, account, await file_in_vault(api.service, account, RealNameType.ENTERPRISE))
    names = {TICKET_NO: case.ticket_no, "D-20261124-0007": f"D-{account}"}
    shown = await example.run("sh", "agent", Role.AGENT, names=names)
    assert ReviewStatus.AWAITING_MATERIALS in shown
    assert (tmp_path / "letter-of-consent.pdf").stat().st_size > 0
    [decided] = (await case.view()).decisions
    assert decided.decision.operator_id == "agent-of-the-page"


async def test_an_agent_approves_in_python_and_is_told_when_it_was_done_already(api: Api, example: Example) -> None:
    case = await under_review(api.service)
    names = {TICKET_NO: case.ticket_no, "D-20261124-0008": f"D-{case.account_id}"}
    assert "APPROVED" in await example.run("python", "agent", Role.LEAD, names=names)
    names["D-20261124-0008"] = f"D-2-{case.account_id}"
    assert "ALREADY_DECIDED - decided by lead-of-the-page" in await example.run(
        "python", "agent", Role.AGENT, names=names
    )


@pytest.mark.parametrize("language", ["sh", "python"])
async def test_an_auditor_reads(language: str, api: Api, example: Example) -> None:
    account = await awaiting_confirmation(api.service)
    await api.service.confirm(account)
    closed = await api.service.in_phase(account, Phase.CLOSED)
    names = {REQUEST_NO: closed.request_no} | ({"acct-clean-phone": account} if language == "sh" else {})
    shown = await example.run(language, "auditor", Role.AUDITOR, names=names)
    assert "invoices" in shown


def test_every_example_is_run() -> None:
    text = Path(__file__).read_text()
    shown = [block.info for language in ("sh", "python") for block in blocks(PAGE, language)]
    assert len(shown) == 11
    for info in shown:
        assert f'"{info.partition(" ")[2]}"' in text


def test_every_route_is_listed(api: Api) -> None:
    listed = {cell.strip("`") for _, cell, _ in rows(PAGE.read_text(), "## Routes") if cell}
    assert listed == {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, methods in api.console.app.openapi()["paths"].items()
        for method in methods
    }


def test_every_problem_is_listed_with_its_status() -> None:
    listed = {
        type: int(status)
        for status, types in rows(PAGE.read_text(), "## Problems")
        for type in re.findall(r"`(\w+)`", types)
    }
    assert listed == {type: STATUS.get(type, 409) for type in ErrorType}
    assert f'"type": "{PREFIX}' in PAGE.read_text()


def test_the_notice_of_the_examples_is_the_one_in_force() -> None:
    assert set(re.findall(r"\b20\d\d-\d\d\b(?!-)", "".join(b.text for b in blocks(PAGE)))) == {CURRENT_VERSION}
