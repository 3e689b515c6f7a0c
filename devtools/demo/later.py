"""A console some days ahead: what staff will see when time has passed, without waiting for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import uvicorn
from pydantic import HttpUrl

from console.app import create_app
from console.services import Services
from console.settings import ConsoleSettings
from devtools.demo.programs import free_port
from devtools.demo.stack import Stack
from domain.business_calendar import CALENDAR

_POLL = 0.03


@asynccontextmanager
async def console_ahead(stack: Stack, ahead: timedelta) -> AsyncIterator[str]:
    """A console on the same stack, later: its address. Only the clock of this one is moved."""
    port = free_port()
    settings = ConsoleSettings(port=port, public_url=HttpUrl(f"http://127.0.0.1:{port}"), development_sign_in=True)

    @asynccontextmanager
    async def services() -> AsyncIterator[Services]:
        yield Services(
            stack.cancellations, stack.tickets, stack.client, CALENDAR, settings, now=lambda: datetime.now(UTC) + ahead
        )

    server = uvicorn.Server(
        uvicorn.Config(create_app(settings, services), port=port, log_config=None, access_log=False)
    )
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(_POLL)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving
