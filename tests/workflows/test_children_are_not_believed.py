"""What requests and reviews hear of each other is a hint at most, whoever sends it; and runs that end from outside."""

from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import WorkflowHandle
from temporalio.exceptions import ApplicationError

from domain import accounts
from domain.checks import Check
from domain.deletion import DeletionStatus, DeletionView
from domain.errors import ErrorType
from domain.messages import CancellationView, MaterialsSupplied, ReviewReport
from domain.model import VaultRef
from domain.notifications import StaffDesk, Template
from domain.phases import Phase, Step
from domain.standing import ReviewEnd, RunEnd
from domain.tickets import Decision, DecisionKind, DecisionReason, RecordedDecision, ReviewStatus, TicketRef
from simulator.kinds import Endpoint, FaultKind
from tests.support.service import Service, decision, eventually, owner_of
from tests.support.tickets import (
    Case,
    assert_replays,
    awaiting_confirmation,
    awaiting_identity,
    blocked,
    fault,
    file,
    next_revision,
    put_unchecked,
    refused_type,
    under_review,
)

REASON = DecisionReason.DISPUTE_OPEN


def recorded(kind: DecisionKind, made: Decision) -> RecordedDecision:
    return RecordedDecision(kind=kind, decision=made, received_at=datetime.now(UTC), late=False)


def turn_of(view: CancellationView) -> dict[str, Any]:
    """All that a forged word could have moved."""
    told = {"phase", "phase_since", "due_step", "waivers", "identity_verified", "rejection_reasons", "review_ended"}
    return view.model_dump(include=told | {"certificate", "report", "route"})


# A review's word


@pytest.mark.parametrize("status", [ReviewStatus.APPROVED, ReviewStatus.REJECTED, ReviewStatus.CALLED_OFF])
async def test_a_decision_that_is_only_reported_moves_nothing(service: Service, status: ReviewStatus) -> None:
    case = await under_review(service)
    before = turn_of(await service.cancellations.view(case.account_id))
    kind = DecisionKind.APPROVE if status is ReviewStatus.APPROVED else DecisionKind.REJECT
    for operator in (case.account_id, owner_of(case.account_id).subject, "agent-9"):
        made = await case.decision(REASON, operator=operator, waived=(Check.ICP_FILING,), attested=True)
        report = ReviewReport(ticket=case.ticket, status=status, decision=recorded(kind, made))
        await case.request.signal("review_reported", report)
    assert turn_of(await service.cancellations.view(case.account_id)) == before
    # Only the review itself knows, and it knows of nothing.
    assert (await case.view()).decisions == ()
    await case.reject(DecisionReason.LEGAL_HOLD)
    assert (await case.request.result()).rejection_reasons == (DecisionReason.LEGAL_HOLD,)


async def test_materials_that_no_reviewer_can_have_asked_for_are_not_awaited(service: Service) -> None:
    case = await under_review(service)
    review = await case.view()
    before = turn_of(await service.cancellations.view(case.account_id))
    sound = decision(review, REASON, operator="agent-9")
    unsound: dict[str, tuple[str, object]] = {
        "without reasons": ("reason_codes", ()),
        "by the account": ("operator_id", case.account_id),
        "by its owner": ("operator_id", owner_of(case.account_id).subject),
        "for another ticket": ("ticket_no", "T-other"),
        "for another revision": ("revision_sha256", "0" * 64),
        "for another report": ("report_digest", "0" * 64),
    }
    for what, (field, value) in unsound.items():
        made = recorded(DecisionKind.REQUEST_MATERIALS, sound.model_copy(update={field: value}))
        report = ReviewReport(ticket=case.ticket, status=ReviewStatus.AWAITING_MATERIALS, decision=made)
        await case.request.signal("review_reported", report)
        assert turn_of(await service.cancellations.view(case.account_id)) == before, what
    undecided = ReviewReport(ticket=case.ticket, status=ReviewStatus.AWAITING_MATERIALS)
    await case.request.signal("review_reported", undecided)
    made = recorded(DecisionKind.REQUEST_MATERIALS, sound)
    others: tuple[dict[str, object], ...] = ({"ticket_no": "T-other"}, {"revision": 2}, {"sha256": "0" * 64})
    for other in others:
        ticket = case.ticket.model_copy(update=other)
        await case.request.signal("review_reported", undecided.model_copy(update={"ticket": ticket, "decision": made}))
    assert turn_of(await service.cancellations.view(case.account_id)) == before
    await case.approve()
    assert (await case.request.result()).outcome is Phase.CLOSED


# A deletion's word


async def certificate_of_another(service: Service) -> tuple[str, VaultRef]:
    """Whose deletion is done, and its certificate."""
    account = await awaiting_confirmation(service)
    await service.confirm(account)
    certificate = (await service.request(account).result()).certificate
    assert certificate is not None
    return account, certificate


async def report_the_end(service: Service, account: str, other: str, certificate: VaultRef) -> None:
    """As the account's own deletion would, and as another account's has."""
    numbers = {one: (await service.cancellations.view(one)).request_no for one in (account, other)}
    for of in (account, other):
        for number in numbers.values():
            finished = DeletionView(
                account_id=of, request_no=number, status=DeletionStatus.FINISHED, certificate=certificate
            )
            await service.request(account).signal("deletion_reported", finished)


async def test_a_deletion_that_is_only_reported_closes_no_request(service: Service) -> None:
    other, certificate = await certificate_of_another(service)
    case = await under_review(service)
    waiting = [await awaiting_identity(service), await blocked(service), await awaiting_confirmation(service)]
    for account in (*waiting, case.account_id):
        before = turn_of(await service.cancellations.view(account))
        await report_the_end(service, account, other, certificate)
        view = await service.cancellations.view(account)
        assert (turn_of(view), view.deletion) == (before, None)


@pytest.mark.parametrize(
    ("held_up", "phase"), [(Endpoint.TAKE_HOLD, Phase.SEALING), (Endpoint.ERASE_PERSONAL_DATA, Phase.DELETING)]
)
async def test_a_request_on_its_way_to_the_end_does_not_believe_it_either(
    service: Service, held_up: Endpoint, phase: Phase
) -> None:
    other, certificate = await certificate_of_another(service)
    account = await awaiting_confirmation(service)
    gate = await service.store.add_fault(held_up, FaultKind.GATE, account_id=account, times=None)
    await service.confirm(account)
    await eventually(lambda: service.store.waiting_at(gate), bool)
    await report_the_end(service, account, other, certificate)
    view = await service.cancellations.view(account)
    assert (view.phase, view.certificate) == (phase, None)
    await service.store.clear_faults()
    result = await service.request(account).result()
    assert result.outcome is Phase.CLOSED
    assert result.certificate not in (None, certificate)
    assert (await service.cancellations.certificate_of_account(account)).account_id == account


# A request's word to its review


async def looks(review: WorkflowHandle[Any, Any]) -> int:
    """How often this review has read a ticket, and is done with it."""
    events = (await review.fetch_history()).events
    reads = {
        event.event_id
        for event in events
        if event.activity_task_scheduled_event_attributes.activity_type.name == "read_ticket"
    }
    return sum(
        attributes.scheduled_event_id in reads
        for event in events
        for attributes in (event.activity_task_completed_event_attributes, event.activity_task_failed_event_attributes)
    )


async def test_materials_that_are_not_the_next_revision_change_nothing(service: Service) -> None:
    case = await under_review(service)
    await case.ask_for_materials()
    await case.supply()
    second = (await case.view()).case.ticket
    await case.ask_for_materials()
    elsewhere = await under_review(service)
    wrong: dict[str, TicketRef] = {
        "invented": second.model_copy(update={"revision": 3, "sha256": "0" * 64}),
        "another account's": elsewhere.ticket,
        "the next of another account's": await next_revision(service, elsewhere.ticket),
        "an older one": case.ticket,
        "the one that stands": second,
        "unchained": await put_unchecked(
            service, case.account_id, ticket_no=case.ticket_no, revision=4, previous_sha256=case.ticket.sha256
        ),
    }
    before = await case.view()
    done = await looks(case.review)
    for what, ticket in wrong.items():
        await case.review.signal("materials_supplied", MaterialsSupplied(ticket=ticket))
        done = await eventually(lambda: looks(case.review), done.__lt__)
        assert await case.view() == before, what
    assert (await service.cancellations.view(case.account_id)).phase is Phase.AWAITING_MATERIALS
    # The owner's own are looked at all the same.
    assert (await case.supply()).phase is Phase.UNDER_REVIEW
    await case.approve()
    assert (await case.request.result()).outcome is Phase.CLOSED
    await assert_replays(case.request, case.review)


# Ended from outside


async def given_back(case: Case, phase: Phase, due: Step) -> None:
    """Have ops terminate the review, and see that the owner has the turn at once."""
    await case.review.terminate("by a test")
    view = await case.in_phase(phase)
    assert (view.review_ended, view.due_step) == (ReviewEnd.ENDED_FROM_OUTSIDE, due)


@pytest.mark.parametrize("materials_awaited", [False, True], ids=["under review", "awaiting materials"])
async def test_a_review_that_ops_end_gives_the_turn_back_each_time(service: Service, materials_awaited: bool) -> None:
    case = await under_review(service)
    for _ in range(2):
        if materials_awaited:
            await case.ask_for_materials()
        await given_back(case, Phase.BLOCKED, Step.RECHECK)
        case = await file(service, case.account_id)
        assert (await service.cancellations.view(case.account_id)).review_ended is None
        await case.clock()
    await case.approve()
    assert (await case.request.result()).outcome is Phase.CLOSED
    await assert_replays(case.request)


async def test_without_a_channel_too_a_new_ticket_follows_a_review_that_ops_ended(service: Service) -> None:
    account = await service.account(channels="")
    await service.start(account)
    case = await file(service, account)
    await given_back(case, Phase.AWAITING_IDENTITY, Step.FILE_TICKET)
    again = await file(service, account)
    await again.approve(waived=(), attested=True)
    assert (await again.request.result()).outcome is Phase.CLOSED


async def told_of_stalling(service: Service, request_no: str) -> list[StaffDesk | None]:
    return [
        message.desk
        for message in await service.store.outbox()
        if message.template is Template.DELETION_STALLED and message.params["request_no"] == request_no
    ]


async def test_a_deletion_that_ops_end_parks_the_request_each_time_and_resume_finishes_it(service: Service) -> None:
    account = await awaiting_confirmation(service)
    async with fault(service, Endpoint.ERASE_PERSONAL_DATA, FaultKind.ERROR, account_id=account, status=503):
        request_no = (await service.confirm(account)).request_no
        for told in ([StaffDesk.OPERATIONS], [StaffDesk.OPERATIONS] * 2):
            # All but the erasure is done before it is ended, and is not done again.
            await service.in_phase(account, Phase.DELETING)
            await eventually(lambda: service.cancellations.deletion(account), lambda view: len(view.receipts) == 5)
            await service.deletion(account).terminate("by a test")
            assert (await service.in_phase(account, Phase.DELETION_STALLED)).stalled is not None
            await eventually(lambda: told_of_stalling(service, request_no), told.__eq__)
            if len(told) == 1:
                await service.cancellations.resume_deletion(account, "ops-1")
    await service.cancellations.resume_deletion(account, "ops-1")
    assert (await service.request(account).result()).outcome is Phase.CLOSED


async def assert_is_over(service: Service, ended: CancellationView, how: RunEnd) -> None:
    account = ended.account_id
    assert (ended.run_ended, ended.due_step, ended.withdrawable) == (how, None, False)
    for step in (service.recheck(account), service.withdraw(account), service.accept_notice(account)):
        assert await refused_type(step) is ErrorType.NOT_FOUND


async def test_a_request_that_ops_end_is_seen_to_be_and_calls_its_review_off(service: Service) -> None:
    case = await under_review(service)
    await case.request.terminate("by a test")
    ended = await service.cancellations.view(case.account_id)
    await assert_is_over(service, ended, RunEnd.TERMINATED)
    assert (await case.until_review(ReviewStatus.CALLED_OFF)).decisions == ()
    anew = await service.start(case.account_id)
    assert (anew.phase, anew.run_ended) == (Phase.AWAITING_IDENTITY, None)
    assert anew.request_no != ended.request_no


async def test_a_request_that_failed_is_seen_to_have_and_a_start_begins_anew(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ApplicationError("a bug", non_retryable=True)

    account = await service.account()
    with monkeypatch.context() as broken:
        broken.setattr(accounts, "refusal_reason", fail)
        await service.client.start_workflow(
            "AccountCancellation",
            {"request_no": "C-failed", "account_id": account, "requested_by": "owner-7"},
            id=service.request(account).id,
            task_queue=service.task_queue,
        )
        ended = await eventually(lambda: service.cancellations.view(account), lambda view: view.run_ended is not None)
        await assert_is_over(service, ended, RunEnd.FAILED)
    anew = await service.start(account)
    assert (anew.phase, anew.run_ended) == (Phase.AWAITING_IDENTITY, None)
    assert anew.request_no != ended.request_no
