"""Starts and steps by hand that cannot be read: refused at once, by field, and nothing is wedged by them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from domain.errors import ErrorType
from domain.ids import cancellation_workflow_id, deletion_workflow_id, review_workflow_id
from domain.messages import WithdrawalReason
from domain.phases import Phase, Step
from tests.support.service import Service, eventually, owner_of
from tests.support.tickets import awaiting_identity, no_task_has_failed, under_review

SECRET = "13800138000"
"""What somebody sends by hand may be personal: no error repeats it."""

BINARY = RawValue(Payload(metadata={"encoding": b"binary/plain"}, data=b"\x00" + SECRET.encode()))
NOT_JSON = RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b"{" + SECRET.encode()))

Document = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A workflow that can be started by hand: its name, its id for an account, and a good argument."""

    workflow: str
    id_of: Callable[[str], str]
    good: Callable[[Service, str], Awaitable[Document]]
    wrong_field: str


async def good_request(service: Service, account: str) -> Document:
    return {"request_no": f"C-{uuid4().hex}", "account_id": account, "requested_by": "somebody", "policy": {}}


async def good_review(service: Service, account: str) -> Document:
    view = await (await under_review(service)).view()
    return {"case": view.case.model_dump(mode="json"), "locale": "en", "policy": {}}


async def good_deletion(service: Service, account: str) -> Document:
    return {
        "request_no": f"C-{uuid4().hex}",
        "account_id": account,
        "locale": "en",
        "dossier": {"path": "dossiers/none", "sha256": "0" * 64},
        "ticket": None,
        "final_notice_limit": "PT1H",
    }


async def good_message(service: Service, account: str) -> Document:
    message = {
        "template": "CANCELLATION_OPENED",
        "locale": "en",
        "key": uuid4().hex,
        "params": {"request_no": "C-1", "ends_by": "2030-01-01T00:00:00Z"},
        "account_id": account,
    }
    return {"message": message, "policy": {}}


KINDS = {
    kind.workflow: kind
    for kind in (
        Kind("AccountCancellation", cancellation_workflow_id, good_request, "account_id"),
        Kind("TicketReview", review_workflow_id, good_review, "locale"),
        Kind("AccountDeletion", deletion_workflow_id, good_deletion, "locale"),
        Kind("MessageDelivery", lambda account: f"message-{account}", good_message, "message"),
    )
}

# What stands in for the arguments, made of a good one, and what the failure names.
BROKEN: dict[str, Callable[[Document, Kind], tuple[list[Any], str]]] = {
    "a wrong type": lambda good, kind: ([good | {kind.wrong_field: {"x": SECRET}}], kind.wrong_field),
    "a field missing": lambda good, kind: (
        [{name: value for name, value in good.items() if name != kind.wrong_field}],
        kind.wrong_field,
    ),
    "null": lambda good, kind: ([None], "the input"),
    "a text": lambda good, kind: ([SECRET], "the input"),
    "a list": lambda good, kind: ([[SECRET]], "the input"),
    "no argument": lambda good, kind: ([], "the input"),
    "two arguments": lambda good, kind: ([good, {"x": SECRET}], "the input"),
    "two nulls": lambda good, kind: ([None, None], "the input"),
    "bytes": lambda good, kind: ([BINARY], "the input"),
    "no JSON": lambda good, kind: ([NOT_JSON], "the input"),
}
POLICIES = {"owner_idle_limit": "P3000000D", "hold_ttl": "P2D"}


async def failure_of(handle: WorkflowHandle[Any, Any]) -> ApplicationError:
    with pytest.raises(WorkflowFailureError) as caught:
        await asyncio.wait_for(handle.result(), 15)
    assert isinstance(caught.value.cause, ApplicationError)
    return caught.value.cause


async def assert_fails(service: Service, kind: Kind, account: str, args: list[Any], field: str) -> None:
    handle = await service.client.start_workflow(
        kind.workflow, args=args, id=kind.id_of(account), task_queue=service.task_queue
    )
    failure = await failure_of(handle)
    assert (failure.type, field in failure.message, SECRET in failure.message) == (ErrorType.BAD_INPUT, True, False)
    await no_task_has_failed(handle)


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
async def test_a_start_that_cannot_be_read_ends_at_once_and_says_why(
    service: Service, kind: Kind, broken: Callable[[Document, Kind], tuple[list[Any], str]]
) -> None:
    account = await service.account()
    args, field = broken(await kind.good(service, account), kind)
    await assert_fails(service, kind, account, args, field)
    # Its id is free again.
    assert (await service.start(account)).phase is Phase.AWAITING_IDENTITY


@pytest.mark.parametrize(("field", "value"), POLICIES.items(), ids=POLICIES)
@pytest.mark.parametrize("kind", [KINDS[name] for name in KINDS if name != "AccountDeletion"], ids=lambda k: k.workflow)
async def test_a_policy_outside_its_bounds_ends_at_once_and_says_which_limit(
    service: Service, kind: Kind, field: str, value: str
) -> None:
    account = await service.account()
    good = await kind.good(service, account)
    await assert_fails(service, kind, account, [good | {"policy": {field: value}}], field)
    assert (await service.start(account)).phase is Phase.AWAITING_IDENTITY


async def test_a_field_that_only_a_newer_version_knows_is_passed_over(service: Service) -> None:
    account = await service.account()
    good = await good_request(service, account)
    newer = good | {"of_tomorrow": SECRET, "policy": {"of_tomorrow": SECRET}}
    await service.client.start_workflow(
        "AccountCancellation", newer, id=cancellation_workflow_id(account), task_queue=service.task_queue
    )
    assert (await service.in_phase(account, Phase.AWAITING_IDENTITY)).request_no == good["request_no"]


@pytest.mark.parametrize("kind", [KINDS[n] for n in KINDS if n != "AccountCancellation"], ids=lambda k: k.workflow)
async def test_the_others_run_with_a_field_that_only_a_newer_version_knows(service: Service, kind: Kind) -> None:
    account = await service.account()
    good = await kind.good(service, account)
    handle = await service.client.start_workflow(
        kind.workflow, good | {"of_tomorrow": SECRET}, id=kind.id_of(account), task_queue=service.task_queue
    )
    await eventually(lambda: has_begun(handle), bool)
    description = await handle.describe()
    if description.status is WorkflowExecutionStatus.FAILED:
        assert (await failure_of(handle)).type == ErrorType.AUTHORITY_MISMATCH
    await no_task_has_failed(handle)


async def has_begun(handle: WorkflowHandle[Any, Any]) -> bool:
    """An activity was answered: it runs with what it was given."""
    return any(
        event.HasField("activity_task_completed_event_attributes") for event in (await handle.fetch_history()).events
    )


# Steps


MALFORMED: dict[str, list[Any]] = {
    "null": [None],
    "a text": [SECRET],
    "a wrong type": [{"by": SECRET}],
    "an extra field": [{"by": {"subject": "somebody", "via": "TEMPORAL"}, "extra": SECRET}],
    "no argument": [],
    "two arguments": [{"by": {"subject": "somebody", "via": "TEMPORAL"}}, {"x": SECRET}],
    "bytes": [BINARY],
    "no JSON": [NOT_JSON],
}


async def test_malformed_steps_are_refused_and_the_request_goes_on(service: Service) -> None:
    account = await awaiting_identity(service)
    request = service.request(account)
    for kind, args in MALFORMED.items():
        for update in (*Step, "open"):
            with pytest.raises(WorkflowUpdateFailedError) as caught:
                await asyncio.wait_for(request.execute_update(str(update), args=args), 20)
            assert SECRET not in str(caught.value.cause), (kind, update)
            for signal in ("review_reported", "deletion_reported", "deletion_resumed"):
                await request.signal(signal, args=args)
    await no_task_has_failed(request)
    assert (await service.cancellations.view(account)).phase is Phase.AWAITING_IDENTITY
    await service.cancellations.withdraw(account, WithdrawalReason.CHANGED_MIND, owner_of(account))
    assert (await request.result()).outcome is Phase.WITHDRAWN


async def test_malformed_decisions_are_refused_and_the_review_goes_on(service: Service) -> None:
    case = await under_review(service)
    for args in MALFORMED.values():
        with pytest.raises(WorkflowUpdateFailedError):
            await asyncio.wait_for(case.review.execute_update("decide", args=args), 20)
        for signal in ("approve", "reject", "request_materials", "materials_supplied"):
            await case.review.signal(signal, args=args)
    await case.reject()
    assert (await case.request.result()).outcome is Phase.REJECTED
    await no_task_has_failed(case.review, case.request)
