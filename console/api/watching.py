"""A status with an `ETag`, and an answer that is held back until there is something new."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from hashlib import sha256
from typing import Annotated, Any, Final, TypeVar

from fastapi import Header, Query, Request, Response
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from console.services import Services
from domain.model import Model

T = TypeVar("T")

_LISTEN_EVERY: Final = 0.5
"""Seconds between two looks whether somebody still waits for the answer: only the connection is asked."""


class Waiting(Model):
    wait: str = Field(
        "0s",
        pattern=r"^([0-9]|[12][0-9]|30)s$",
        description="With `If-None-Match`: hold the answer until the status is another one, or for so long.",
        examples=["20s"],
    )

    @property
    def seconds(self) -> int:
        return int(self.wait.removesuffix("s"))


Wait = Annotated[Waiting, Query()]
IfNoneMatch = Annotated[
    str | SkipJsonSchema[None], Header(description="The `ETag` of the status that is known already.", max_length=1000)
]


def etag(content: bytes) -> str:
    return f'"{sha256(content).hexdigest()[:32]}"'


def is_known(tag: str, if_none_match: str | None) -> bool:
    """RFC 9110, 13.1.2."""
    known = {part.strip().removeprefix("W/") for part in (if_none_match or "").split(",")}
    return tag in known or "*" in known


async def watched(
    request: Request, services: Services, account_id: str, if_none_match: str | None, seconds: int
) -> Response:
    """The status of an account's request: 200, or 304 when it is the known one still, after so long or at the end."""
    content = await _status(services, account_id)
    if seconds and is_known(etag(content), if_none_match):
        waiting = _next_status(services, account_id, if_none_match, timedelta(seconds=seconds))
        found = await _unless_given_up(request, waiting)
        content = found or content
    headers = {"ETag": etag(content), "Cache-Control": "private, no-cache"}
    if is_known(etag(content), if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type="application/json")


async def _status(services: Services, account_id: str) -> bytes:
    return (await services.cancellations.view(account_id)).model_dump_json().encode()


async def _next_status(
    services: Services, account_id: str, if_none_match: str | None, limit: timedelta
) -> bytes | None:
    """The status as soon as it is not a known one; None when the time is over before, or the request is."""
    async for _ in services.cancellations.news(account_id, limit):
        content = await _status(services, account_id)
        if not is_known(etag(content), if_none_match):
            return content
    return None


async def _unless_given_up(request: Request, work: Coroutine[Any, Any, T]) -> T | None:
    """None when the client has gone away, or the server stops, before the work is done."""
    task = asyncio.create_task(work)
    try:
        while not task.done():
            if request.app.state.is_stopping() or await request.is_disconnected():
                task.cancel()
            await asyncio.wait({task}, timeout=_LISTEN_EVERY)
        return None if task.cancelled() else task.result()
    finally:
        task.cancel()
