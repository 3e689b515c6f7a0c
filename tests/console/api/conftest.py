"""The API with tokens of an issuer of the tests' own, on the running service."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from console.auth.roles import Role
from console.errors import PREFIX, STATUS
from console.settings import ConsoleSettings
from domain.errors import ErrorType
from tests.console.api.issuer import Issuer
from tests.console.conftest import ORIGIN, Console
from tests.support.service import Service


@dataclass(frozen=True)
class Api:
    """A client for each role; `nobody` sends no token."""

    console: Console
    service: Service
    issuer: Issuer
    backend: httpx2.AsyncClient
    agent: httpx2.AsyncClient
    auditor: httpx2.AsyncClient
    nobody: httpx2.AsyncClient

    def client(self, role: Role, subject: str) -> httpx2.AsyncClient:
        """Somebody else of this role."""
        return client_of(self.console, {"Authorization": f"Bearer {self.issuer.token(role, subject)}"})

    def headers(self) -> dict[str, str]:
        """The backend's, for a client of a console of its own."""
        return {"Authorization": self.backend.headers["Authorization"]}

    async def start(self, account_id: str, **headers: str) -> httpx2.Response:
        body = {"account_id": account_id, "requested_by": f"owner-of-{account_id}", "locale": "en"}
        return await self.backend.post("/cancellations", json=body, headers=headers)


def client_of(console: Console, headers: dict[str, str]) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(console.app, raise_app_exceptions=False),
        base_url=f"{ORIGIN}/api/v1",
        headers=headers,
        timeout=60,
    )


@pytest.fixture(scope="session")
async def api(
    service: Service,
    open_console: Callable[[ConsoleSettings], AbstractAsyncContextManager[Console]],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Api]:
    issuer = Issuer(tmp_path_factory.mktemp("issuer"))
    async with AsyncExitStack() as stack:
        console = await stack.enter_async_context(open_console(issuer.settings()))

        async def client(role: Role | None) -> httpx2.AsyncClient:
            token = {"Authorization": f"Bearer {issuer.token(role, f'{role}-1')}"} if role else {}
            return await stack.enter_async_context(client_of(console, token))

        yield Api(
            console=console,
            service=service,
            issuer=issuer,
            backend=await client(Role.BACKEND),
            agent=await client(Role.AGENT),
            auditor=await client(Role.AUDITOR),
            nobody=await client(None),
        )


def refused(answer: httpx2.Response, type: ErrorType) -> dict[str, Any]:
    """The problem document, which is complete and of this type."""
    problem: dict[str, Any] = answer.json()
    assert problem["type"] == PREFIX + type, problem
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.status_code == problem["status"] == STATUS.get(type, 409)
    assert problem["title"]
    assert problem["detail"]
    return problem
