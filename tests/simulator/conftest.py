"""The simulator as a process of its own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from httpx2 import AsyncClient, Response

from domain.errors import ErrorType
from gateways.contract import PROBLEM_MEDIA_TYPE, PROBLEM_PREFIX, PROBLEM_STATUS
from simulator.store import SimulatorStore


@pytest.fixture(scope="session")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(str(tmp_path_factory.mktemp("simulator") / "platform.db")) as url:
        yield url


@contextmanager
def served(database: str, **settings: int) -> Iterator[str]:
    """A server of its own on this database, while the block lasts. `settings` are `SIMULATOR_...` in lower case."""
    given = {f"SIMULATOR_{name}".upper(): str(value) for name, value in settings.items()}
    command = [sys.executable, "-W", "error", "-m", "simulator", "serve", "--port", "0", "--db", database]
    with subprocess.Popen(
        command, env={**os.environ, **given}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        yield server.stdout.readline().split()[-1]
        server.terminate()
        _, complaints = server.communicate()
    assert complaints == "", "the server has nothing to complain about: no traceback, no warning, no personal data"


@pytest_asyncio.fixture(scope="session")
async def store(base_url: str) -> AsyncIterator[SimulatorStore]:
    async with SimulatorStore(base_url) as opened:
        yield opened


@pytest_asyncio.fixture(scope="session")
async def http(base_url: str) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(base_url=base_url) as client:
        yield client


@asynccontextmanager
async def opened(database: str, **settings: int) -> AsyncIterator[tuple["Caller", SimulatorStore]]:
    """A server of its own, and who calls it."""
    with served(database, **settings) as url:
        async with AsyncClient(base_url=url) as http, SimulatorStore(url) as store:
            yield Caller(http), store


@pytest_asyncio.fixture
async def account(store: SimulatorStore) -> str:
    """A clean account of this test's own."""
    [account_id] = await store.add_clean_accounts(f"acct-{uuid4().hex[:12]}", 1)
    return account_id


@dataclass(frozen=True)
class Caller:
    """The contract's operations, as short as a test wants them."""

    http: AsyncClient

    async def challenge(self, account_id: str, request_id: str = "r1", channel: str = "PHONE") -> Response:
        body = {"channel": channel, "request_id": request_id}
        return await self.http.post(f"/accounts/{account_id}/challenges", json=body)

    async def answer(self, challenge_id: str, code: str) -> Response:
        return await self.http.post(f"/challenges/{challenge_id}/answers", json={"code": code})

    async def redeem(self, account_id: str, challenge_id: str, proof: str, request_id: str = "r1") -> Response:
        body = {"challenge_id": challenge_id, "proof": proof, "request_id": request_id}
        return await self.http.post(f"/accounts/{account_id}/proofs/redeem", json=body)

    async def hold(self, account_id: str, request_id: str = "r1", ttl_seconds: int = 60) -> Response:
        body = {"request_id": request_id, "ttl_seconds": ttl_seconds}
        return await self.http.put(f"/accounts/{account_id}/hold", json=body)

    async def release(self, account_id: str, request_id: str = "r1") -> Response:
        return await self.http.delete(f"/accounts/{account_id}/hold/{request_id}")

    async def close(self, account_id: str, hold_token: str, request_id: str = "r1", *waivers: str) -> Response:
        body = {"request_id": request_id, "hold_token": hold_token, "waivers": waivers, "dossier_sha256": "ab" * 32}
        return await self.http.post(f"/accounts/{account_id}/closure", json=body)

    async def hold_and_close(self, account_id: str) -> None:
        token = (await self.hold(account_id)).json()["hold_token"]
        assert (await self.close(account_id, token)).status_code == 200

    async def phase(self, account_id: str, phase: str, key: str = "k1") -> Response:
        return await self.http.post(f"/accounts/{account_id}/closure/{phase}", headers={"Idempotency-Key": key})

    async def phase_status(self, account_id: str, phase: str, key: str = "k1") -> Response:
        return await self.http.get(f"/accounts/{account_id}/closure/{phase}", headers={"Idempotency-Key": key})

    async def notify(self, account_id: str, key: str = "k1", **body: Any) -> Response:
        message = {"template": "ACCOUNT_CLOSED", "locale": "en", "params": {"request_no": "no-1"}, **body}
        headers = {"Idempotency-Key": key}
        return await self.http.post(f"/accounts/{account_id}/notifications", json=message, headers=headers)

    async def notify_contact(self, contact: dict[str, str], key: str, **body: Any) -> Response:
        message = {
            "template": "TICKET_FILED",
            "locale": "en",
            "params": {"ticket_no": "t-1"},
            "contact": contact,
            **body,
        }
        return await self.http.post("/notifications", json=message, headers={"Idempotency-Key": key})

    async def preview(self, template: str, **params: str) -> Response:
        return await self.http.post("/notifications/preview", json={"template": template, "params": params})


@pytest.fixture(scope="session")
def call(http: AsyncClient) -> Caller:
    return Caller(http)


def assert_problem(response: Response, type: ErrorType) -> dict[str, Any]:
    """The answer is this problem document, with its status. Answers its members."""
    problem: dict[str, Any] = response.json()
    assert (problem["type"], response.status_code) == (PROBLEM_PREFIX + type, PROBLEM_STATUS[type]), problem
    assert response.headers["content-type"] == PROBLEM_MEDIA_TYPE
    assert problem["status"] == response.status_code
    assert problem["title"]
    assert problem["detail"]
    return problem


async def at_once(*calls: Any) -> list[Response]:
    return list(await asyncio.gather(*calls))
