"""Answers that lie about what has happened, and what a history tells of a request that has lived through them."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from activities.sealing import CloseAccountInput
from domain.errors import ErrorType, Refusal
from domain.phases import Phase
from gateways.contract import CLOSURE_PHASES, ClosureRequest
from simulator.kinds import Effect, Endpoint, FaultKind
from tests.support.service import Service, eventually
from workflows.common.search_attributes import CANCELLATION_PHASE


@dataclass(frozen=True)
class Poison:
    """One kind of bad answer. `type` is how the service knows it."""

    name: str
    type: ErrorType
    kind: FaultKind = FaultKind.ERROR
    status: int = 500
    problem: ErrorType | None = None

    def __str__(self) -> str:
        return self.name

    async def at(self, service: Service, endpoint: Endpoint, account: str, *, after: bool = False, **how: Any) -> None:
        """Poison the answers of `endpoint`; `after` the work is done, or in place of it."""
        if self.kind is FaultKind.ERROR:
            how |= {"status": self.status, "problem": self.problem}
        if self.kind is not FaultKind.DROP:
            how["after"] = after
        await service.store.add_fault(endpoint, self.kind, account_id=account, **how)


def _plain(type: ErrorType, *statuses: int) -> list[Poison]:
    return [Poison(str(status), type, status=status) for status in statuses]


FINAL = [
    *_plain(ErrorType.UNEXPECTED_ANSWER, 400, 404, 409, 410, 422),
    *(
        Poison(problem, problem, problem=problem)
        for problem in (
            ErrorType.ACCOUNT_NOT_CLOSABLE,
            ErrorType.HOLD_LAPSED,
            ErrorType.ACCOUNT_UNKNOWN,
            ErrorType.REQUEST_INVALID,
        )
    ),
]
"""Read as: the same again will not do."""

GARBAGE = Poison("garbage", ErrorType.ANSWER_UNREADABLE, FaultKind.GARBAGE)
DROPPED = Poison("dropped", ErrorType.UNREACHABLE, FaultKind.DROP)
UNAVAILABLE, NOT_FOUND = _plain(ErrorType.SERVICE_UNAVAILABLE, 503)[0], _plain(ErrorType.UNEXPECTED_ANSWER, 404)[0]

HEALING = [
    *_plain(ErrorType.CREDENTIALS_REFUSED, 401, 403),
    *_plain(ErrorType.RATE_LIMITED, 429),
    *_plain(ErrorType.SERVICE_UNAVAILABLE, 500),
    UNAVAILABLE,
    GARBAGE,
]
"""Read as: the same may go through later."""


async def assert_deleted_once(service: Service, account: str) -> None:
    """Closed once, every phase applied once, and nothing is left."""
    for endpoint in (Endpoint.CLOSE, *(Endpoint(phase) for phase in CLOSURE_PHASES)):
        effects = [call.effect for call in await service.store.calls(endpoint, account)]
        assert effects.count(Effect.APPLIED) == 1, (endpoint, effects)
    left = (await service.store.account(account)).left
    assert not any(number for kinds in left.values() for number in kinds.values()), left


async def assert_nothing_was_touched(service: Service, *accounts: str) -> None:
    for account in accounts:
        touched = {call.endpoint for call in await service.store.calls(account_id=account)}
        assert not touched & {Endpoint(phase.value) for phase in CLOSURE_PHASES}, touched


async def closed_for_good(service: Service, account: str) -> None:
    """CLOSED, with the certificate, once, and by way of no other phase than those of the closure."""
    result = await service.request(account).result()
    assert result.outcome is Phase.CLOSED
    assert result.certificate is not None
    certificate = await service.cancellations.certificate(result.request_no, account)
    assert (certificate.account_id, certificate.request_no) == (account, result.request_no)
    await assert_deleted_once(service, account)
    await assert_never_wedged(service, account)


async def assert_never_wedged(service: Service, account: str) -> None:
    """No workflow task has failed. A reset is written down as if one had."""
    for handle in (service.request(account), service.deletion(account)):
        try:
            failed = await events(handle, EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)
        except RPCError:
            # There was no deletion.
            continue
        causes = {event.workflow_task_failed_event_attributes.cause for event in failed}
        assert causes <= {WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW}, failed


async def refusal_or_none(attempt: Awaitable[object]) -> Refusal | None:
    try:
        await attempt
    except Refusal as refusal:
        return refusal
    return None


async def events(handle: WorkflowHandle[Any, Any], kind: "EventType.ValueType") -> list[Any]:
    return [event for event in (await handle.fetch_history()).events if event.event_type == kind]


async def phases_shown(service: Service, account: str) -> list[Phase]:
    """Every phase that the request has ever shown to anybody, in order."""
    kind = EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES
    shown = [
        event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
        for event in await events(service.request(account), kind)
    ]
    return [
        Phase(fields[name].data.decode().strip('"')) for fields in shown if (name := CANCELLATION_PHASE.name) in fields
    ]


async def last_close(service: Service, account: str) -> ClosureRequest:
    """What the request has last sent to close the account, as it might still be on its way."""
    sent = [
        event.activity_task_scheduled_event_attributes.input.payloads
        for event in await events(service.request(account), EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
        if event.activity_task_scheduled_event_attributes.activity_type.name == "close_account"
    ]
    [closing] = await service.client.data_converter.decode(sent[-1], [CloseAccountInput])
    return ClosureRequest(
        request_id=closing.request_no,
        hold_token=closing.hold_token,
        waivers=closing.waivers,
        dossier_sha256=closing.dossier_sha256,
    )


async def gate(service: Service, endpoint: Endpoint, account: str, *, after: bool = False) -> int:
    return await service.store.add_fault(endpoint, FaultKind.GATE, account_id=account, after=after, times=1)


async def until_at(service: Service, gate_id: int) -> None:
    await eventually(lambda: service.store.waiting_at(gate_id), lambda arrived: arrived > 0)
