"""A status with an `ETag`, and an answer that is held back until there is something new."""

import asyncio
from hashlib import sha256
from typing import Annotated, Final

from fastapi import Header, Query, Request, Response
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from console.services import Services
from domain.model import Model

_LOOK_EVERY: Final = 0.5
"""Seconds. A look asks Temporal for the length of a history: no worker, and no query."""


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

    async def read() -> bytes:
        return (await services.desk.view(account_id)).model_dump_json().encode()

    async def look() -> tuple[str, int]:
        found = await services.desk.describe(account_id)
        return found.run_id, found.history_length

    async def is_given_up() -> bool:
        return request.app.state.is_stopping() or await request.is_disconnected()

    seen, content = await look(), await read()
    clock = asyncio.get_running_loop().time
    until = clock() + seconds
    while is_known(etag(content), if_none_match) and (left := until - clock()) > 0 and not await is_given_up():
        await asyncio.sleep(min(_LOOK_EVERY, left))
        if (latest := await look()) != seen:
            # In this order: the status may already show what comes next, which then counts as new.
            seen, content = latest, await read()
    headers = {"ETag": etag(content), "Cache-Control": "private, no-cache"}
    if is_known(etag(content), if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type="application/json")
