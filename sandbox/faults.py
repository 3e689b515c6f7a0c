"""Trouble on demand: the one place where an endpoint is made slow, broken or forgetful.

Faults are rows, so that the command line and the tests set them while the server runs.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Annotated, Any, Self

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import Field, model_validator
from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update
from starlette.types import Receive, Scope, Send

from domain.errors import ErrorType
from domain.model import Model, OpaqueId
from gateways.contract import ClosurePhase
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
        after: do the work first and only then strike. For GATE, ERROR and GARBAGE.
        seconds: for LATENCY, and for LONG_WORK, which only a phase of deletion can be.
        problem: for ERROR; without it the answer is `status` with a body that is no problem document.
        retry_after_seconds: for ERROR.
    """

    endpoint: Endpoint | None
    kind: FaultKind
    account_id: OpaqueId | None = None
    times: int | None = Field(default=1, gt=0)
    after: bool = False
    seconds: float = Field(default=0.0, ge=0)
    problem: ErrorType | None = None
    status: int = Field(default=500, ge=400, le=599)
    retry_after_seconds: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.after and self.kind not in _ALSO_AFTER:
            raise ValueError(f"after: only for {', '.join(sorted(_ALSO_AFTER))}")
        if self.kind is FaultKind.LONG_WORK and self.endpoint not in _PHASES:
            raise ValueError(f"endpoint: LONG_WORK is only for {', '.join(ClosurePhase)}")
        return self


_PHASES = frozenset(Endpoint(phase) for phase in ClosurePhase)
_ALSO_AFTER = frozenset({FaultKind.GATE, FaultKind.ERROR, FaultKind.GARBAGE})


class Strike(Fault):
    """A fault that has struck a request; `id` is how the database knows it."""

    id: int


_STRIKES = (
    select(*FaultRow.__table__.c)
    .where(or_(FaultRow.endpoint == bindparam("endpoint"), FaultRow.endpoint == ANY))
    .where(or_(FaultRow.account_id.is_(None), FaultRow.account_id == bindparam("account_id")))
    .where(or_(FaultRow.times_left.is_(None), FaultRow.times_left > 0), ~FaultRow.opened)
    .order_by(FaultRow.id)
)
# Built once: every request asks this, and building it takes longer than asking it.


def add_fault(tx: Connection, fault: Fault) -> int:
    """Make trouble; answers the id by which a gate is opened."""
    values = fault.model_dump(exclude={"times", "endpoint"})
    added = insert(FaultRow).values(**values, endpoint=fault.endpoint or ANY, times_left=fault.times)
    fault_id: int = tx.execute(added.returning(FaultRow.id)).scalar_one()
    return fault_id


def clear_faults(tx: Connection) -> None:
    """Heal everything. A gate that is gone is open."""
    tx.execute(delete(FaultRow))


def open_gate(tx: Connection, fault_id: int) -> None:
    """Let through who waits at the gate, and who comes later."""
    opened = update(FaultRow).where(FaultRow.id == fault_id, FaultRow.kind == FaultKind.GATE).values(opened=True)
    if tx.execute(opened.returning(FaultRow.id)).one_or_none() is None:
        raise NoSuchGate(fault_id)


class NoSuchGate(LookupError):
    """No fault has this id, or it is of another kind."""

    def __init__(self, fault_id: int) -> None:
        super().__init__(f"Fault {fault_id} is no gate. Name one that the list of faults shows.")


def take_fault(db: Database, endpoint: str, account_id: str | None) -> Strike | None:
    """The oldest fault that strikes this request, with one of its times used up."""
    candidates = db.connection.execute(_STRIKES, {"endpoint": endpoint, "account_id": account_id}).all()
    for row in candidates:
        if row.times_left is None or _use_up(db, row.id):
            return Strike.model_construct(
                id=row.id,
                endpoint=None,
                kind=row.kind,
                after=row.after,
                seconds=row.seconds,
                problem=row.problem,
                status=row.status,
                retry_after_seconds=row.retry_after_seconds,
            )
    return None


def _use_up(db: Database, fault_id: int) -> bool:
    with db.write() as tx:
        used = tx.execute(
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
            endpoint = self.name if self.name in _ENDPOINTS else request.path_params["phase"]
            db: Database = request.app.state.sandbox.db
            strike = take_fault(db, endpoint, request.path_params.get("account_id"))
            return await (handle(request) if strike is None else _strike(strike, db, request, handle))

        return handle_or_fail


_ENDPOINTS = frozenset(endpoint.value for endpoint in Endpoint)


async def _strike(fault: Strike, db: Database, request: Request, handle: Handler) -> Response:
    if fault.after and fault.kind is not FaultKind.GATE:
        await _work_only(request, handle)
    match fault.kind:
        case FaultKind.LATENCY:
            await asyncio.sleep(fault.seconds)
            return await handle(request)
        case FaultKind.GATE:
            return await _through_gate(fault, db, request, handle)
        case FaultKind.ERROR:
            return _error(fault)
        case FaultKind.GARBAGE:
            return Response("<html>It works!</html>", media_type="text/html")
        case FaultKind.DUPLICATE:
            await _work_only(request, handle)
            return await handle(request)
        case FaultKind.DROP:
            await _work_only(request, handle)
            return _HangUp()
        case FaultKind.LONG_WORK:
            request.state.long_work = fault.seconds
            return await handle(request)


async def _work_only(request: Request, handle: Handler) -> None:
    """Do the work, whatever the answer would have been."""
    with suppress(PlatformProblem, RequestValidationError):
        await handle(request)


async def _through_gate(fault: Strike, db: Database, request: Request, handle: Handler) -> Response:
    # Read now: the body of a caller who has hung up cannot be read any more, and a late effect is the point.
    await request.body()
    if not fault.after:
        await wait_at_gate(db, fault.id)
        return await handle(request)
    # A task, because the gate holds a refusal back just as it does an answer.
    answer = asyncio.ensure_future(handle(request))
    await asyncio.wait([answer])
    await wait_at_gate(db, fault.id)
    return await answer


GATE_SECONDS = 60.0
"""A gate that nobody opens lets go after this long."""


async def wait_at_gate(db: Database, fault_id: int) -> None:
    """Arrive, be counted, and wait until the gate is opened by whichever process."""
    give_up = time.monotonic() + GATE_SECONDS
    with db.write() as tx:
        tx.execute(update(FaultRow).where(FaultRow.id == fault_id).values(arrived=FaultRow.arrived + 1))
    # Another process opens it, so there is no event to wait for.
    while time.monotonic() < give_up and _is_shut(db, fault_id):  # noqa: ASYNC110
        await asyncio.sleep(0.02)


def _is_shut(db: Database, fault_id: int) -> bool:
    return db.connection.scalar(_SHUT, {"fault_id": fault_id}) is not None


_SHUT = select(FaultRow.id).where(FaultRow.id == bindparam("fault_id"), ~FaultRow.opened)


async def _long_work_of(request: Request) -> float | None:
    seconds: float | None = getattr(request.state, "long_work", None)
    return seconds


LongWork = Annotated[float | None, Depends(_long_work_of)]
"""How many seconds the work of this request is to take; None where it is done at once."""


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
