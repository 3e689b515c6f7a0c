"""The simulator as a process: uvicorn, with a way to hang up on a caller."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from simulator.app import create_app
from simulator.faults import CUT
from simulator.settings import Settings
from simulator.state import Simulator


class _CuttableConnection(HttpToolsProtocol):
    """Lets the application close the connection; ASGI alone has no way to leave a request without an answer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        inner = self.app

        async def app(
            scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
        ) -> None:
            scope.setdefault("extensions", {})[CUT] = transport.abort
            await inner(scope, receive, send)

        self.app = app


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        print(f"simulator ready on http://{host}:{port}", flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        simulator: Simulator = self.config.app.state.simulator  # type: ignore[union-attr]
        simulator.db.close()


def serve(host: str, port: int, database: str | None = None) -> None:
    """Serve until a signal ends it. Port 0 is a free one; the line printed when ready names it.

    Raises:
        Unusable: the database is.
    """
    app = create_app()
    app.state.simulator = Simulator(Settings() if database is None else Settings(database_url=database))
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=_CuttableConnection,
        access_log=False,
        log_level="warning",
        lifespan="off",
        timeout_keep_alive=75,  # longer than any client's, or one would send a request into a closing connection
        timeout_graceful_shutdown=5,  # a fault may have put a request to sleep for long
    )
    _Server(config).run()
