"""Trouble on demand: the one place where an endpoint is made slow, broken or forgetful.

Faults are rows, so that the command line and the tests set them while the server runs.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import Field
from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.types import Receive, Scope, Send

from domain.errors import ErrorType
from domain.model import Model, OpaqueId
from sandbox.database import Database
from sandbox.kinds import Endpoint, FaultKind
from sandbox.problems import PlatformProblem, problem_response
from sandbox.tables import FaultRow

CUT = "sandbox.cut"
"""The ASGI extension that closes the connection; the server puts it there."""

ANY = "*"
"""In place of an endpoint: all of them."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Fault(Model):
    """What goes wrong at an endpoint.

    Attributes:
        endpoint: None for every endpoint.
        account_id: None for every account. Endpoints without an account in their path match only None.
        times: how many requests it spoils before it heals; None for ever.
        seconds: for LATENCY.
        problem: for ERROR; without it the answer is `status` with a body that is no problem document.
        retry_after_seconds: for ERROR.
    """

    endpoint: Endpoint | None
    kind: FaultKind
    account_id: OpaqueId | None = None
    times: int | None = Field(default=1, gt=0)
    seconds: float = Field(default=0.0, ge=0)
    problem: ErrorType | None = None
    status: int = Field(default=500, ge=400, le=599)
    retry_after_seconds: int | None = Field(default=None, ge=0)


_STRIKES = (
    select(*FaultRow.__table__.c)
    .where(or_(FaultRow.endpoint == bindparam("endpoint"), FaultRow.endpoint == ANY))
    .where(or_(FaultRow.account_id.is_(None), FaultRow.account_id == bindparam("account_id")))
    .where(or_(FaultRow.times_left.is_(None), FaultRow.times_left > 0))
    .order_by(FaultRow.id)
)
# Built once: every request asks this, and building it takes longer than asking it.


async def add_fault(tx: AsyncConnection, fault: Fault) -> None:
    values = fault.model_dump(exclude={"times", "endpoint"})
    await tx.execute(insert(FaultRow).values(**values, endpoint=fault.endpoint or ANY, times_left=fault.times))


async def clear_faults(tx: AsyncConnection) -> None:
    await tx.execute(delete(FaultRow))


async def take_fault(db: Database, endpoint: str, account_id: str | None) -> Fault | None:
    """The oldest fault that strikes this request, with one of its times used up."""
    async with db.read() as connection:
        candidates = (await connection.execute(_STRIKES, {"endpoint": endpoint, "account_id": account_id})).all()
    for row in candidates:
        if row.times_left is None or await _use_up(db, row.id):
            return Fault.model_construct(
                endpoint=None,
                kind=row.kind,
                seconds=row.seconds,
                problem=row.problem,
                status=row.status,
                retry_after_seconds=row.retry_after_seconds,
            )
    return None


async def _use_up(db: Database, fault_id: int) -> bool:
    async with db.write() as tx:
        used = await tx.execute(
            update(FaultRow)
            .where(FaultRow.id == fault_id, FaultRow.times_left > 0)
            .values(times_left=FaultRow.times_left - 1)
            .returning(FaultRow.id)
        )
        return used.one_or_none() is not None


class FaultyRoute(APIRoute):
    """A route that first looks whether somebody wants it to fail."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handle_or_fail(request: Request) -> Response:
            # The five closure phases share a route and differ in their last part, which is also their endpoint name.
            endpoint = request.path_params.get("phase", self.name)
            fault = await take_fault(request.app.state.sandbox.db, endpoint, request.path_params.get("account_id"))
            return await (handle(request) if fault is None else _strike(fault, request, handle))

        return handle_or_fail


async def _strike(fault: Fault, request: Request, handle: Handler) -> Response:
    match fault.kind:
        case FaultKind.LATENCY:
            await asyncio.sleep(fault.seconds)
            return await handle(request)
        case FaultKind.ERROR:
            return _error(fault)
        case FaultKind.GARBAGE:
            return Response("<html>It works!</html>", media_type="text/html")
        case FaultKind.DUPLICATE:
            with suppress(PlatformProblem, RequestValidationError):
                await handle(request)
            return await handle(request)
        case FaultKind.DROP:
            with suppress(PlatformProblem, RequestValidationError):
                await handle(request)
            return _HangUp()


def _error(fault: Fault) -> Response:
    wait = fault.retry_after_seconds
    if fault.problem:
        members = {} if wait is None else {"retry_after_seconds": wait}
        return problem_response(fault.problem, "A fault was set on this endpoint.", **members)
    headers = None if wait is None else {"Retry-After": str(wait)}
    return Response("upstream trouble", fault.status, headers, media_type="text/plain")


class _HangUp(Response):
    """Closes the connection in place of an answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["extensions"][CUT]()
        while (await receive())["type"] != "http.disconnect":
            pass
