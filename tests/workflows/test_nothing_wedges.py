"""What must never stop a request or a review: long ids, a silent platform, and floods by hand."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from time import monotonic
from uuid import uuid4

import pytest

from domain.accounts import Channel
from domain.checks import Check
from domain.errors import ErrorType, Refusal
from domain.locale import Locale
from domain.messages import SubmitIdentityProof, WithdrawalReason
from domain.notifications import Template
from domain.phases import Phase, Step
from domain.policy import Policy
from domain.tickets import Decision, DecisionKind, IgnoredBecause
from service.errors import translate_errors
from simulator.kinds import Endpoint, FaultKind
from tests.support.service import Service, eventually, owner_of
from tests.support.tickets import (
    Case,
    fault,
    is_retrying,
    no_task_has_failed,
    own_queue,
    put_unchecked,
    refusal,
    refused_type,
    under_review,
)

# Long ids and numbers


def long(prefix: str, length: int) -> str:
    return prefix + uuid4().hex + "z" * (length - len(prefix) - 32)


async def long_account(service: Service, **facts: int) -> str:
    [account] = await service.store.add_clean_accounts(long("acct-", 64 - len("-00001")), 1)
    if facts:
        await service.store.set_facts(account, **facts)
    return account


async def start(service: Service, account: str, request_no: str, **policy: object) -> None:
    await service.cancellations.start(
        account,
        long("owner-", 64),
        locale=Locale.EN,
        policy=Policy.model_validate({"outcomes_reused_for": 0, "alarms_spread_over": 0, **policy}),
        request_no=request_no,
    )


REQUEST_NUMBERS = {"a UUID": lambda: str(uuid4()), "64 characters": lambda: long("C", 64)}


async def until_told_once_each(service: Service, account: str, *templates: Template) -> None:
    async def told() -> set[Template]:
        return {message.template for message in await service.store.outbox(account)}

    await eventually(told, lambda found: found >= set(templates))


@pytest.mark.parametrize("number", REQUEST_NUMBERS.values(), ids=REQUEST_NUMBERS)
async def test_a_long_number_goes_through_a_withdrawal_and_a_lapse(service: Service, number: Callable[[], str]) -> None:
    account = await long_account(service)
    request = service.request(account)
    await start(service, account, number())
    await service.withdraw(account)
    assert (await request.result()).outcome is Phase.WITHDRAWN
    await no_task_has_failed(request)
    await start(service, account, number())
    await service.env.fast_forward(request)
    assert (await asyncio.wait_for(request.result(), 20)).outcome is Phase.LAPSED
    await no_task_has_failed(request)
    await until_told_once_each(
        service,
        account,
        Template.CANCELLATION_OPENED,
        Template.CANCELLATION_WITHDRAWN,
        Template.CANCELLATION_LAPSING,
        Template.CANCELLATION_LAPSED,
    )


@pytest.mark.parametrize("ticket_length", [40, 64])
@pytest.mark.parametrize("number", REQUEST_NUMBERS.values(), ids=REQUEST_NUMBERS)
async def test_long_numbers_go_through_materials_an_alarm_and_a_stalled_deletion_to_the_certificate(
    service: Service, number: Callable[[], str], ticket_length: int
) -> None:
    account = await long_account(service, icp_applications_ever=1)
    await start(service, account, request_no := number())
    await service.identify(account)
    await service.accept_notice(account)
    await service.recheck(account)
    ticket = await put_unchecked(service, account, ticket_no=long("T", ticket_length))
    await service.cancellations.file_ticket(account, ticket, owner_of(account))
    case = Case(service, account, ticket)
    await case.ask_for_materials()
    await case.supply()
    clock = await eventually(case.view, lambda view: view.clock is not None)
    assert clock.clock is not None
    await case.skip_to(clock.clock.due_at + timedelta(seconds=2))
    await case.until_messages(Template.TICKET_OVERDUE_OWNER)
    stalls = {"problem": ErrorType.ACCOUNT_NOT_CLOSABLE, "status": 409, "account_id": account}
    await service.store.add_fault(Endpoint.PURGE_RESOURCES, FaultKind.ERROR, **stalls)
    await case.approve(operator=long("agent-", 64), decision_id=long("D", 64))
    await service.in_phase(account, Phase.DELETION_STALLED)
    await service.cancellations.resume_deletion(account, long("ops-", 64))
    result = await asyncio.wait_for(case.request.result(), 30)
    assert (result.outcome, result.request_no) == (Phase.CLOSED, request_no)
    assert (await service.cancellations.certificate(request_no, account)).request_no == request_no
    for template in (
        Template.TICKET_FILED,
        Template.TICKET_MATERIALS_REQUESTED,
        Template.TICKET_DUE_SOON,
        Template.TICKET_OVERDUE_LEAD,
        Template.TICKET_APPROVED,
    ):
        await case.until_messages(template)
    await no_task_has_failed(case.request, case.review, service.deletion(account))


# Floods of decisions

FLOOD = 3_000


async def send_ignored(case: Case, template: Decision, first: int, number: int) -> None:
    """Of one shift of senders: each decision under a name of its own."""
    for n in range(first, first + number):
        ignored = template.model_copy(update={"decision_id": f"{template.decision_id[:58]}-{n:05d}"})
        await case.service.cancellations.signal_decision(DecisionKind.APPROVE, ignored)


async def test_three_thousand_ignored_decisions_at_once_are_counted_and_the_right_one_counts(
    idle_service: Service,
) -> None:
    service = own_queue(idle_service)
    async with service.worker():
        case = await under_review(service)
        stale = await case.decision(operator=long("agent-", 64), decision_id=long("D", 64), waived=())
        right = await case.decision(waived=(Check.ICP_FILING,))
    shift = FLOOD // 30
    await asyncio.gather(*(send_ignored(case, stale, n, shift) for n in range(0, FLOOD, shift)))
    async with service.worker():
        view = await eventually(case.view, lambda seen: seen.ignored_count == FLOOD)
        assert len(view.ignored) == 50
        assert {ignored.because for ignored in view.ignored} == {IgnoredBecause.WAIVERS_INCOMPLETE}
        await service.cancellations.decide(DecisionKind.APPROVE, right)
        assert (await asyncio.wait_for(case.request.result(), 30)).outcome is Phase.CLOSED
        result = await case.review.result()
        assert (result.ignored_count, len(result.ignored)) == (FLOOD, 50)
        assert len(result.model_dump_json()) < 30_000
        await no_task_has_failed(case.review, case.request)


# A platform that does not answer


async def codes(service: Service, account: str) -> None:
    await service.cancellations.send_code(account, Channel.PHONE, owner_of(account))


async def proofs(service: Service, account: str) -> None:
    proof = SubmitIdentityProof(challenge_id="challenge-1", proof="proof-1", by=owner_of(account))
    async with translate_errors("proof"):
        await service.request(account).execute_update(Step.SUBMIT_IDENTITY_PROOF.value, proof)


@pytest.mark.parametrize(
    ("endpoint", "step"),
    [(Endpoint.PROFILE, codes), (Endpoint.CREATE_CHALLENGE, codes), (Endpoint.REDEEM, proofs)],
    ids=["profile", "code", "proof"],
)
async def test_ten_steps_that_nobody_answers_end_in_time_and_a_withdrawal_goes_through_meanwhile(
    service: Service, endpoint: Endpoint, step: Callable[[Service, str], Awaitable[None]]
) -> None:
    account = await service.account()
    await service.start(account)
    request = service.request(account)
    async with fault(service, endpoint, FaultKind.ERROR, account_id=account, status=503, retry_after_seconds=3600):
        began = monotonic()
        refusals = await asyncio.gather(*(refusal(step(service, account)) for _ in range(10)))
        assert monotonic() - began < 30
        assert {refused.type for refused in refusals} == {ErrorType.NOT_NOW}
        assert all(int(str(refused.details["retry_after_seconds"])) > 0 for refused in refusals)
    async with fault(service, endpoint, FaultKind.ERROR, account_id=account, status=503, retry_after_seconds=2):
        waiting = [asyncio.create_task(refused_type(step(service, account))) for _ in range(10)]
        await eventually(lambda: is_retrying(request), bool)
        view = await service.withdraw(account, WithdrawalReason.KEEP_SERVICES)
        assert view.phase is Phase.WITHDRAWN
        assert (await asyncio.wait_for(request.result(), 20)).outcome is Phase.WITHDRAWN
        assert set(await asyncio.gather(*waiting)) <= {ErrorType.NOT_NOW, ErrorType.WRONG_PHASE, ErrorType.NOT_FOUND}
    await no_task_has_failed(request)


async def test_a_new_request_begins_at_once_after_a_withdrawal_while_no_message_goes_out(service: Service) -> None:
    account = await service.account()
    await service.start(account)
    async with (
        fault(service, Endpoint.NOTIFY_ACCOUNT, FaultKind.ERROR, account_id=account, status=503),
        fault(service, Endpoint.NOTIFY_CONTACT, FaultKind.ERROR, account_id=account, status=503),
    ):
        for _ in range(3):
            first = (await service.cancellations.view(account)).request_no
            began = monotonic()
            await service.withdraw(account)
            view = await service.start(account)
            assert (view.phase, view.request_no == first) == (Phase.AWAITING_IDENTITY, False)
            assert monotonic() - began < 10
    await service.withdraw(account)
    await until_told_once_each(service, account, Template.CANCELLATION_WITHDRAWN)


# Re-checks in a loop


async def test_who_asks_again_at_once_gets_the_report_that_there_is(service: Service) -> None:
    account = await service.account()
    first = await service.to_report(account, outcomes_reused_for=timedelta(minutes=1))
    asked = len(await service.store.calls(Endpoint.BALANCE, account))
    for _ in range(20):
        assert (await service.recheck(account)).report == first.report
    assert len(await service.store.calls(Endpoint.BALANCE, account)) == asked


async def test_who_asks_too_often_is_told_when_and_may_ask_again_then(service: Service) -> None:
    account = await service.account()
    await service.to_report(account, rechecks_per_hour=3)
    # The one of `to_report` may have met the checks of the notice, and then it counted for none.
    done = 0
    while (refused := await not_now(service, account)) is None:
        done += 1
    assert refused.type is ErrorType.NOT_NOW
    retry_at = datetime.fromisoformat(str(refused.details["retry_at"]))
    assert timedelta(0) < retry_at - datetime.now(UTC) <= timedelta(hours=1)
    assert done in (2, 3)
    # Refused, and nothing else: the report that there is can be confirmed.
    assert (await service.cancellations.view(account)).phase is Phase.AWAITING_CONFIRMATION
    await service.env.fast_forward(service.request(account), timedelta(hours=1))
    assert await not_now(service, account) is None
    await no_task_has_failed(service.request(account))


async def not_now(service: Service, account: str) -> Refusal | None:
    try:
        await service.recheck(account)
    except Refusal as error:
        return error
    return None
