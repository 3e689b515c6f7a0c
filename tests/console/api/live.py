"""The API on a port of this machine, for programs that know nothing of Python."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from tests.support.service import eventually


@asynccontextmanager
async def listening(app: FastAPI) -> AsyncIterator[str]:
    """Its address. The application is started already, so that its lifespan is not begun twice."""
    config = uvicorn.Config(app, port=0, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    app.state.is_stopping = lambda: server.should_exit
    running = asyncio.create_task(server._serve())

    async def started() -> bool:
        return server.started

    try:
        await eventually(started, bool)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        app.state.is_stopping = lambda: False
