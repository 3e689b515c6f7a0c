"""An HTTP server that answers as it is told, well or badly, byte by byte."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from gateways.contract import PROBLEM_MEDIA_TYPE, PROBLEM_PREFIX, Group

DROP = b""
HANG = b"HANG"
"""Sent as the last bytes: the connection stays open and nothing more comes."""


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
