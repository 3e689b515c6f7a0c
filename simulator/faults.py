"""Trouble on demand: the one place where an operation is made slow, broken or forgetful."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from itertools import count
from time import time
from typing import Annotated, Any, Self

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ConfigDict, Field, model_validator
from starlette.types import Receive, Scope, Send

from domain.errors import ErrorType
from domain.model import Model, OpaqueId
from gateways.contract import CLOSURE_PHASES
from simulator.kinds import Endpoint, FaultKind
from simulator.problems import PlatformProblem, problem_response

CUT = "simulator.cut"
"""The ASGI extension that closes the connection; the server puts it there."""

GATE_SECONDS = 60.0
"""A gate that nobody opens lets go after this long."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_ENDPOINTS = frozenset(endpoint.value for endpoint in Endpoint)
_PHASES = frozenset(Endpoint(phase) for phase in CLOSURE_PHASES)
_ALSO_AFTER = frozenset({FaultKind.GATE, FaultKind.ERROR, FaultKind.GARBAGE})
_ALWAYS_AFTER = frozenset({FaultKind.DROP, FaultKind.DUPLICATE})


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
            raise ValueError(f"endpoint: LONG_WORK is only for {', '.join(CLOSURE_PHASES)}")
        return self


class ActiveFault(Fault):
    """A fault as it stands.

    Attributes:
        id: by which a gate is opened.
        times_left: None for ever, 0 healed.
        arrived: the requests that have come to a gate.
        opened: the gate lets everybody through.
    """

    model_config = ConfigDict(frozen=False)

    id: int
    times_left: int | None
    arrived: int = 0
    opened: bool = False


class Faults:
    """All the trouble there is, the oldest first. It ends with the process."""

    def __init__(self) -> None:
        self.active: list[ActiveFault] = []
        self._gates: dict[int, asyncio.Event] = {}
        self._ids = count(1)

    def add(self, fault: Fault) -> ActiveFault:
        """Make trouble."""
        active = ActiveFault(**fault.model_dump(), id=next(self._ids), times_left=fault.times)
        self.active.append(active)
        if fault.kind is FaultKind.GATE:
            self._gates[active.id] = asyncio.Event()
        return active

    def clear(self) -> None:
        """Heal everything, and let through whoever waits at a gate."""
        self.active.clear()
        while self._gates:
            self._gates.popitem()[1].set()

    def open(self, fault_id: int) -> None:
        """Let through who waits at the gate, and who comes later. Raises `PlatformProblem`: there is no such gate."""
        if fault_id not in self._gates:
            detail = f"Fault {fault_id} is no gate. Name one that the list of faults shows."
            raise PlatformProblem(ErrorType.REQUEST_INVALID, detail)
        self._gates[fault_id].set()
        next(fault for fault in self.active if fault.id == fault_id).opened = True

    async def wait(self, gate: ActiveFault) -> None:
        """Arrive at the gate, be counted, and go on when it is open."""
        gate.arrived += 1
        if gate.id in self._gates:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._gates[gate.id].wait(), GATE_SECONDS)

    def take(self, endpoint: str, account_id: str | None) -> ActiveFault | None:
        """The oldest fault that strikes this request, with one of its times used up."""
        for fault in self.active:
            meant = fault.endpoint in (None, endpoint) and fault.account_id in (None, account_id)
            if meant and fault.times_left != 0 and not fault.opened:
                fault.times_left = fault.times_left and fault.times_left - 1
                return fault
        return None


def under_faults(name: str, handle: Handler) -> Handler:
    """The handler of the route with this name, that first looks whether somebody wants it to fail."""

    async def handle_or_fail(request: Request) -> Response:
        simulator = request.app.state.simulator
        simulator.arrived[int(time())] += 1
        faults: Faults = simulator.faults
        # The five closure phases share a route and differ in their last part, which is also their endpoint name.
        endpoint = name if name in _ENDPOINTS else request.path_params["phase"]
        fault = faults.take(endpoint, request.path_params.get("account_id"))
        return await (handle(request) if fault is None else _strike(faults, fault, request, handle))

    return handle_or_fail


async def _strike(faults: Faults, fault: ActiveFault, request: Request, handle: Handler) -> Response:
    if fault.kind is FaultKind.GATE:
        return await _through_gate(faults, fault, request, handle)
    if fault.after or fault.kind in _ALWAYS_AFTER:
        # Whatever the answer would have been.
        with suppress(PlatformProblem, RequestValidationError):
            await handle(request)
    match fault.kind:
        case FaultKind.ERROR:
            return _error(fault)
        case FaultKind.GARBAGE:
            return Response("<html>It works!</html>", media_type="text/html")
        case FaultKind.DROP:
            return _HangUp()
        case FaultKind.LATENCY:
            await asyncio.sleep(fault.seconds)
        case FaultKind.LONG_WORK:
            request.state.long_work = fault.seconds
    return await handle(request)


async def _through_gate(faults: Faults, gate: ActiveFault, request: Request, handle: Handler) -> Response:
    # Read now: the body of a caller who has hung up cannot be read any more, and a late effect is the point.
    await request.body()
    if not gate.after:
        await faults.wait(gate)
        return await handle(request)
    # A task, because the gate holds a refusal back just as it does an answer.
    answer = asyncio.ensure_future(handle(request))
    await asyncio.wait([answer])
    await faults.wait(gate)
    return await answer


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
