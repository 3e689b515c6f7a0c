"""An HTTP server that answers as it is told, well or badly, byte by byte."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateways.contract import PROBLEM_MEDIA_TYPE, PROBLEM_PREFIX, Group
from gateways.errors import GatewayError

DROP = b""
HANG = b"HANG"
"""Sent as the last bytes: the connection stays open and nothing more comes."""

BALANCE = {"available_fen": 1, "frozen_fen": 2, "in_withdrawal_fen": 3, "offline_fen": 4}
SECRET = "zhang.san@example.com"


async def refused(call: Awaitable[object]) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await call
    # The causes quote what was sent and received; a message must teach, and name the endpoint.
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert SECRET not in f"{caught.value} {caught.value.details}"
    assert "private title" not in str(caught.value)
    return caught.value


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Upstream:
    port: int
    reply: bytes = DROP
    requests: list[Request] = field(default_factory=list)

    @property
    def urls(self) -> dict[Group, str]:
        """A base URL of its own for each group, told apart by its first path segment."""
        return {group: f"http://127.0.0.1:{self.port}/{group}/" for group in Group}


def answer(status: int, body: bytes | dict[str, Any] = b"", **headers: str) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Whatever", "Connection: close", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


def problem(status: int, type: str, headers: dict[str, str] | None = None, **members: Any) -> bytes:
    body = {"type": f"{PROBLEM_PREFIX}{type}", "title": "Somebody's private title", "status": status, **members}
    return answer(status, body, Content_Type=PROBLEM_MEDIA_TYPE, **(headers or {}))


@asynccontextmanager
async def serve() -> AsyncIterator[Upstream]:
    handlers: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.add(task)
        try:
            upstream.requests.append(await _receive(reader))
            writer.write(upstream.reply.removesuffix(HANG))
            await writer.drain()
            if upstream.reply.endswith(HANG):
                await reader.read()
        finally:
            handlers.discard(task)
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    upstream = Upstream(server.sockets[0].getsockname()[1])
    try:
        yield upstream
    finally:
        server.close()
        await server.wait_closed()
        if handlers:
            await asyncio.wait(handlers)


async def _receive(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.split("\r\n")[:-2]
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Request(method, path, headers, await reader.readexactly(int(headers.get("content-length", "0"))))
