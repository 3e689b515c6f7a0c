"""The console as the tests use it: the whole application in this process, on the real service."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import httpx2
import pytest
from fastapi import FastAPI
from starlette.responses import Response

from console.app import create_app
from console.auth.authorization import FORGERY_HEADER
from console.auth.roles import Principal, Role
from console.auth.sessions import COOKIE, Session
from console.services import Services
from console.settings import ConsoleSettings
from service.ticket_files import TicketFiles
from tests.support.service import Service

ORIGIN = "http://127.0.0.1:8300"


@dataclass(frozen=True)
class Console:
    """`browser` signs nobody in; `signed_in` gives a client with the session of a role."""

    app: FastAPI
    service: Service
    settings: ConsoleSettings
    browser: httpx2.AsyncClient

    def signed_in(self, role: Role, *, subject: str | None = None, account_id: str | None = None) -> httpx2.AsyncClient:
        """A client that sends the session's cookie and forgery token, as a page of ours would. Language: English."""
        who = Principal(role=role, subject=subject or f"{role}-1", account_id=account_id)
        session = Session.begin(who, self.app.state.services.now())
        response = Response()
        self.app.state.sessions.keep(session, response)
        cookie = response.headers["set-cookie"].split(";")[0].split("=", 1)[1]
        return self.client({"Cookie": f"{COOKIE}={cookie}", FORGERY_HEADER: session.forgery_token, "Origin": ORIGIN})

    def owner(self, account_id: str) -> httpx2.AsyncClient:
        return self.signed_in(Role.OWNER, subject=f"owner-of-{account_id}", account_id=account_id)

    def client(self, headers: dict[str, str]) -> httpx2.AsyncClient:
        return client_of(self.app, headers)


def client_of(app: FastAPI, headers: dict[str, str]) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app, raise_app_exceptions=False),
        base_url=ORIGIN,
        headers={"Accept-Language": "en", **headers},
        timeout=60,
    )


@asynccontextmanager
async def console_on(service: Service, settings: ConsoleSettings) -> AsyncIterator[Console]:
    """A console with settings of its own, on a running service."""

    @asynccontextmanager
    async def services() -> AsyncIterator[Services]:
        yield Services(
            cancellations=service.cancellations,
            tickets=TicketFiles(service.vault),
            client=service.client,
            calendar=service.calendar,
            settings=settings,
        )

    app = create_app(settings, services)
    async with app.router.lifespan_context(app), client_of(app, {}) as browser:
        yield Console(app, service, settings, browser)


@pytest.fixture(scope="session")
def open_console(service: Service) -> Callable[[ConsoleSettings], AbstractAsyncContextManager[Console]]:
    return lambda settings: console_on(service, settings)


@pytest.fixture(scope="session")
async def console(service: Service) -> AsyncIterator[Console]:
    """With the default settings: no sign-in at all but the sessions that the tests make."""
    async with console_on(service, ConsoleSettings()) as running:
        yield running
