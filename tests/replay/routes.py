"""Every route a request can take, played on the real server. `record.py` writes their histories down."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from temporalio.client import WorkflowHandle

from domain.accounts import RealNameType
from domain.checks import Check
from domain.deletion import DeletionStatus
from domain.errors import ErrorType
from domain.ids import message_workflow_id
from domain.phases import Phase
from domain.tickets import DecisionKind, DecisionReason, ReviewStatus
from simulator.kinds import Endpoint, FaultKind
from tests.support.service import Service, eventually
from tests.support.tickets import MARGIN, Case, blocked, file, file_in_vault, under_review

Handle = WorkflowHandle[Any, Any]
Route = Callable[[Service], Awaitable[list[Handle]]]


async def self_service(service: Service) -> list[Handle]:
    account = await service.account()
    await service.to_report(account)
    await service.confirm(account)
    await service.request(account).result()
    return [service.request(account), service.deletion(account)]


async def blocked_then_closed(service: Service) -> list[Handle]:
    account = await service.account(available_fen=100, arrears_fen=200, **{"resources.vm": 3})
    await service.to_report(account)
    await service.store.set_facts(account, available_fen=0, arrears_fen=0, **{"resources.vm": 0})
    await service.recheck(account)
    await service.confirm(account)
    await service.request(account).result()
    return [service.request(account)]


async def changed_under_the_hold(service: Service) -> list[Handle]:
    account = await service.account()
    await service.to_report(account)
    await service.store.set_facts(account, arrears_fen=1)
    await service.confirm(account)
    await service.in_phase(account, Phase.BLOCKED)
    await service.store.set_facts(account, arrears_fen=0)
    await service.recheck(account)
    await service.confirm(account)
    await service.request(account).result()
    return [service.request(account)]


async def lapsed_hold(service: Service) -> list[Handle]:
    account = await service.account()
    await service.to_report(account)
    await service.store.add_fault(
        Endpoint.CLOSE, FaultKind.ERROR, account_id=account, problem=ErrorType.HOLD_LAPSED, status=409, times=3
    )
    await service.confirm(account)
    await service.in_phase(account, Phase.BLOCKED)
    await service.recheck(account)
    await service.confirm(account)
    await service.request(account).result()
    return [service.request(account)]


async def unknown_upstream(service: Service) -> list[Handle]:
    account = await service.account()
    await service.store.add_fault(Endpoint.BALANCE, FaultKind.ERROR, account_id=account, status=503, times=None)
    await service.to_report(account, check_limit=timedelta(seconds=1))
    await service.store.clear_faults()
    await service.withdraw(account)
    await service.request(account).result()
    return [service.request(account)]


async def refused(service: Service) -> list[Handle]:
    await service.start("acct-sub-user")
    await service.request("acct-sub-user").result()
    return [service.request("acct-sub-user")]


async def withdrawn_under_review(service: Service) -> list[Handle]:
    case = await under_review(service)
    await service.withdraw(case.account_id)
    await case.request.result()
    await case.until_review(ReviewStatus.CALLED_OFF)
    return [case.request, await ended(case), await last_message(service, case.account_id)]


async def review_called_off_alone(service: Service) -> list[Handle]:
    case = await under_review(service)
    await case.ask_for_materials()
    await case.review.cancel()
    await case.in_phase(Phase.BLOCKED)
    again = await file(service, case.account_id)
    await again.clock()
    await again.approve()
    await case.request.result()
    return [case.request, await ended(case)]


async def cancelled_by_ops(service: Service) -> list[Handle]:
    account = await service.account()
    await service.start(account)
    await service.request(account).cancel()
    await service.request(account).result()
    return [service.request(account)]


async def lapsed(service: Service) -> list[Handle]:
    account = await service.account()
    await service.start(account)
    await service.env.fast_forward(service.request(account))
    await service.request(account).result()
    return [service.request(account)]


async def enterprise_with_materials(service: Service) -> list[Handle]:
    account = await service.account(
        real_name_type=RealNameType.ENTERPRISE, icp_applications_ever=1, available_fen=8_800
    )
    await service.to_report(account)
    case = await file(service, account, await file_in_vault(service, account, RealNameType.ENTERPRISE))
    await case.clock()
    await case.ask_for_materials()
    await case.supply()
    await case.approve(waived=(Check.BALANCE, Check.ICP_FILING))
    await case.request.result()
    return [case.request, await ended(case), service.deletion(account)]


async def no_channel(service: Service) -> list[Handle]:
    account = await service.account(channels="")
    await service.start(account)
    case = await file(service, account)
    await case.approve(waived=(), attested=True)
    await case.request.result()
    return [case.request, await ended(case)]


async def overdue_then_rejected(service: Service) -> list[Handle]:
    case = await under_review(service)
    clock = await case.clock()
    await case.skip_to(clock.next_reminder_at + MARGIN)
    await eventually(case.view, lambda view: view.overdue)
    await case.signal(
        DecisionKind.REJECT, DecisionReason.DISPUTE_OPEN, decided_at=await service.env.get_current_time(case.review)
    )
    await case.request.result()
    return [case.request, await ended(case)]


async def past_the_ceiling(service: Service) -> list[Handle]:
    case = await under_review(service)
    await case.skip_to((await case.clock()).ceiling_at + MARGIN)
    await eventually(case.view, lambda view: view.ceiling_passed)
    await case.reject()
    await case.request.result()
    return [await ended(case)]


async def stalled_and_resumed(service: Service) -> list[Handle]:
    account = await service.account()
    await service.to_report(account)
    await service.store.add_fault(
        Endpoint.PURGE_RESOURCES,
        FaultKind.ERROR,
        account_id=account,
        problem=ErrorType.ACCOUNT_NOT_CLOSABLE,
        status=409,
    )
    await service.confirm(account)
    await service.in_phase(account, Phase.DELETION_STALLED)
    await service.deletion(account).cancel()
    await eventually(lambda: service.cancellations.deletion(account), lambda view: view.cancels_refused == 1)
    await service.cancellations.resume_deletion(account, "ops-1")
    await service.request(account).result()
    return [service.request(account), service.deletion(account)]


async def terminated_and_picked_up(service: Service) -> list[Handle]:
    account = await service.account()
    await service.to_report(account)
    await service.store.add_fault(
        Endpoint.ERASE_PERSONAL_DATA, FaultKind.ERROR, account_id=account, status=503, times=None
    )
    await service.confirm(account)
    await service.in_phase(account, Phase.DELETING)
    await eventually(lambda: service.cancellations.deletion(account), lambda view: len(view.receipts) == 5)
    await service.deletion(account).terminate("recorded")
    await service.in_phase(account, Phase.DELETION_STALLED)
    await service.store.clear_faults()
    assert (await service.cancellations.resume_deletion(account, "ops-1")).status is not DeletionStatus.STALLED
    await service.request(account).result()
    return [service.request(account), service.deletion(account)]


async def blocked_again_after_approval(service: Service) -> list[Handle]:
    account = await blocked(service)
    case = await file(service, account)
    await case.clock()
    await service.store.set_facts(account, arrears_fen=7)
    await case.approve()
    await service.in_phase(account, Phase.BLOCKED)
    await service.store.set_facts(account, arrears_fen=0)
    await service.recheck(account)
    await service.confirm(account)
    await case.request.result()
    return [case.request]


async def ended(case: Case) -> Handle:
    """The review, at its own end: it has left its last word."""
    await case.review.result()
    return case.review


async def last_message(service: Service, account_id: str) -> Handle:
    """The workflow that brings the message with which the account's request has ended."""

    async def found() -> list[str]:
        listed = service.client.list_workflows("WorkflowType = 'MessageDelivery'")
        return [one.id async for one in listed if one.id.startswith(message_workflow_id(account_id))]

    [message] = await eventually(found, bool)
    handle = service.client.get_workflow_handle(message)
    await handle.result()
    return handle


ROUTES: dict[str, Route] = {
    route.__name__: route
    for route in (
        self_service,
        blocked_then_closed,
        changed_under_the_hold,
        lapsed_hold,
        unknown_upstream,
        refused,
        cancelled_by_ops,
        lapsed,
        enterprise_with_materials,
        withdrawn_under_review,
        review_called_off_alone,
        no_channel,
        overdue_then_rejected,
        past_the_ceiling,
        stalled_and_resumed,
        terminated_and_picked_up,
        blocked_again_after_approval,
    )
}
