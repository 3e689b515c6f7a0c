"""Decisions on a ticket: which count, which are ignored and recorded, which are refused; signals and update alike."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain.accounts import AccountStatus
from domain.checks import Check
from domain.errors import ErrorType
from domain.messages import DecisionAnswer, ReviewView
from domain.notifications import Template
from domain.phases import Phase
from domain.tickets import (
    DECIDED_STATUS,
    Decision,
    DecisionKind,
    DecisionReason,
    DecisionRequest,
    IgnoredBecause,
    ReviewStatus,
)
from simulator.kinds import Endpoint, FaultKind
from tests.support.service import Service, decision
from tests.support.tickets import (
    assert_replays,
    blocked,
    fault,
    file,
    own_queue,
    refusal,
    refused_type,
    under_review,
    update_failure,
)
from workflows import TicketReview
from workflows.common.search_attributes import CANCELLATION_OUTCOME, CANCELLATION_PHASE

APPROVE, REJECT, REQUEST_MATERIALS = DecisionKind
REASON = DecisionReason.DISPUTE_OPEN

Make = Callable[[ReviewView], Decision]


def sound(review: ReviewView, kind: DecisionKind, **how: Any) -> Decision:
    """A decision of this kind with nothing wrong about it."""
    waived = (Check.ICP_FILING,) if kind is APPROVE else ()
    return decision(review, *(() if kind is APPROVE else (REASON,)), waived=waived, **how)


def but(review: ReviewView, **changes: object) -> Decision:
    return sound(review, APPROVE).model_copy(update=changes)


UNSOUND: dict[str, tuple[IgnoredBecause, DecisionKind, Make]] = {
    "for another ticket": (IgnoredBecause.WRONG_TICKET, APPROVE, lambda review: but(review, ticket_no="T-other")),
    "by the account itself": (
        IgnoredBecause.SELF_APPROVAL,
        APPROVE,
        lambda review: sound(review, APPROVE, operator=review.case.account_id),
    ),
    "by who asked for it": (
        IgnoredBecause.SELF_APPROVAL,
        REJECT,
        lambda review: sound(review, REJECT, operator=f"owner-of-{review.case.account_id}"),
    ),
    "about another revision": (IgnoredBecause.STALE, APPROVE, lambda review: but(review, revision_sha256="0" * 64)),
    "about another report": (IgnoredBecause.STALE, APPROVE, lambda review: but(review, report_digest="0" * 64)),
    "from before it was filed": (
        IgnoredBecause.TIME_IMPLAUSIBLE,
        APPROVE,
        lambda review: but(review, decided_at=datetime.now(UTC) - timedelta(hours=1)),
    ),
    "from tomorrow": (
        IgnoredBecause.TIME_IMPLAUSIBLE,
        REJECT,
        lambda review: sound(review, REJECT, decided_at=datetime.now(UTC) + timedelta(days=1)),
    ),
    "rejected without reasons": (IgnoredBecause.REASONS_MISSING, REJECT, decision),
    "materials without reasons": (IgnoredBecause.REASONS_MISSING, REQUEST_MATERIALS, decision),
    "without the waiver": (IgnoredBecause.WAIVERS_INCOMPLETE, APPROVE, decision),
    "with another waiver": (
        IgnoredBecause.WAIVERS_INCOMPLETE,
        APPROVE,
        lambda review: decision(review, waived=(Check.BALANCE,)),
    ),
}


async def test_an_unsound_decision_is_ignored_and_recorded_or_refused(service: Service) -> None:
    case = await under_review(service)
    for number, (what, (because, kind, make)) in enumerate(UNSOUND.items(), 1):
        unsound = make(await case.view())
        # By signal: ignored, and recorded with the reason. Sent by handle, since the desk goes by the ticket's number.
        await case.review.signal(kind.value, unsound)
        view = await case.until_ignored(number)
        ignored = view.ignored[-1]
        assert (ignored.kind, ignored.because) == (kind, because), what
        assert (ignored.decision_id, ignored.operator_id) == (unsound.decision_id, unsound.operator_id), what
        # By update: refused with the same reason, and without a trace in the workflow.
        request = DecisionRequest(kind=kind, decision=unsound)
        error = await update_failure(case.review.execute_update(TicketReview.decide, request))
        assert error.type == ErrorType.DECISION_REFUSED, what
        assert error.details[0] == {"because": because, "status": ReviewStatus.UNDER_REVIEW, "decided_by": None}, what
    after = await case.view()
    assert (after.status, after.decisions, len(after.ignored)) == (ReviewStatus.UNDER_REVIEW, (), len(UNSOUND))
    assert (await service.cancellations.view(case.account_id)).phase is Phase.UNDER_REVIEW


async def test_an_approval_without_attestation_is_ignored_where_nobody_was_identified(service: Service) -> None:
    account = await service.account(channels="")
    await service.start(account)
    case = await file(service, account)
    await case.signal(APPROVE)
    view = await case.until_ignored()
    assert [ignored.because for ignored in view.ignored] == [IgnoredBecause.IDENTITY_NOT_ATTESTED]
    refused = await refusal(case.approve(waived=()))
    assert refused.details["because"] == IgnoredBecause.IDENTITY_NOT_ATTESTED


@pytest.mark.parametrize("by_signal", [True, False], ids=["signal", "update"])
@pytest.mark.parametrize("kind", DecisionKind)
async def test_signals_and_update_decide_alike(service: Service, kind: DecisionKind, by_signal: bool) -> None:
    case = await under_review(service)
    made = sound(await case.view(), kind)
    if by_signal:
        await service.cancellations.signal_decision(kind, made)
    else:
        answer = await service.cancellations.decide(kind, made)
        assert answer == DecisionAnswer(ticket_no=case.ticket_no, status=DECIDED_STATUS[kind], late=False)
    view = await case.until_review(DECIDED_STATUS[kind])
    [recorded] = view.decisions
    assert (recorded.kind, recorded.decision, recorded.late) == (kind, made, False)
    expected = {APPROVE: Phase.CLOSED, REJECT: Phase.REJECTED, REQUEST_MATERIALS: Phase.AWAITING_MATERIALS}
    await case.in_phase(expected[kind])


async def test_while_materials_are_awaited_only_a_rejection_counts(service: Service) -> None:
    case = await under_review(service)
    await case.ask_for_materials()
    for kind in (APPROVE, REQUEST_MATERIALS):
        review = await case.view()
        refused = await refusal(service.cancellations.decide(kind, sound(review, kind, operator="agent-8")))
        assert refused.details["because"] == IgnoredBecause.WRONG_PHASE
        # It is said who asked for the materials.
        assert refused.details["decided_by"] == "agent-7"
        await service.cancellations.signal_decision(kind, sound(review, kind))
    view = await case.until_ignored(2)
    assert {ignored.because for ignored in view.ignored} == {IgnoredBecause.WRONG_PHASE}
    await case.reject()


# Twice, and after the end


async def test_the_same_decision_by_signal_twice_counts_once(service: Service) -> None:
    case = await under_review(service)
    for _ in range(2):
        await case.signal(REQUEST_MATERIALS, REASON, decision_id="D-once")
    view = await case.until_ignored()
    assert [recorded.decision.decision_id for recorded in view.decisions] == ["D-once"]
    assert [ignored.because for ignored in view.ignored] == [IgnoredBecause.DUPLICATE]
    # The id stays used, by whatever way it comes: with anything else it is a conflict.
    other = sound(view, REJECT, decision_id="D-once")
    error = await update_failure(
        case.review.execute_update(TicketReview.decide, DecisionRequest(kind=REJECT, decision=other))
    )
    assert error.details[0]["because"] == IgnoredBecause.CONFLICT
    assert (await refusal(service.cancellations.decide(REJECT, other))).details["because"] == IgnoredBecause.CONFLICT


async def test_asking_again_for_the_same_decision_gets_the_first_answer_for_ever(service: Service) -> None:
    case = await under_review(service)
    made = sound(await case.view(), REJECT)
    first = await service.cancellations.decide(REJECT, made)
    result = await case.review.result()
    # As a sender repeats it: with the time, and the note, of the repetition.
    for again in (made, made.model_copy(update={"decided_at": datetime.now(UTC), "note_ref": "n-2"})):
        assert await service.cancellations.decide(REJECT, again) == first
    other = made.model_copy(update={"reason_codes": (DecisionReason.LEGAL_HOLD,)})
    assert (await refusal(service.cancellations.decide(REJECT, other))).details["because"] == IgnoredBecause.CONFLICT
    # Nothing of this was counted, or ignored, a second time.
    assert (result.decision and result.decision.decision, result.ignored) == (made, ())


async def test_after_the_decision_another_one_is_refused_with_who_was_first(service: Service) -> None:
    case = await under_review(service)
    await case.reject(operator="agent-1")
    await case.request.result()
    for attempt in (case.approve(operator="agent-3"), case.signal(APPROVE, operator="agent-2")):
        refused = await refusal(attempt)
        assert refused.type is ErrorType.DECISION_REFUSED
        assert refused.details == {
            "because": IgnoredBecause.ALREADY_DECIDED,
            "status": ReviewStatus.REJECTED,
            "decided_by": "agent-1",
        }
        assert "agent-1" in refused.message
    assert (await service.store.account(case.account_id)).profile.status is AccountStatus.ACTIVE
    # What was decided, and by whom, is still to be read.
    assert [recorded.decision.operator_id for recorded in (await case.view()).decisions] == ["agent-1"]
    await assert_replays(case.review)


async def test_a_ticket_that_was_never_filed_takes_no_decision(service: Service) -> None:
    case = await under_review(service)
    never = sound(await case.view(), REJECT).model_copy(update={"ticket_no": "T-never-filed"})
    assert await refused_type(service.cancellations.decide(REJECT, never)) is ErrorType.NOT_FOUND
    assert await refused_type(service.cancellations.signal_decision(REJECT, never)) is ErrorType.NOT_FOUND


async def test_a_decided_review_leaves_the_queue_with_its_outcome(service: Service) -> None:
    case = await under_review(service)
    before = (await case.review.describe()).typed_search_attributes
    assert (before.get(CANCELLATION_PHASE), before.get(CANCELLATION_OUTCOME)) == (ReviewStatus.UNDER_REVIEW, None)
    await case.reject()
    await case.review.result()
    after = (await case.review.describe()).typed_search_attributes
    assert (after.get(CANCELLATION_PHASE), after.get(CANCELLATION_OUTCOME)) == (None, ReviewStatus.REJECTED)


# Sent by hand, and without a worker


NONSENSE: tuple[tuple[str, object], ...] = (
    ("approve", {"yes": True}),
    ("approve", "yes, please"),
    ("approve", 7),
    ("approve", None),
    ("reject", {"decision_id": "D", "ticket_no": "T", "operator_id": "a", "decided_at": "yesterday"}),
    ("request_materials", [1, 2, 3]),
    ("materials_supplied", {"ticket": "T"}),
    ("aprove", {"ticket_no": "T"}),
)


async def test_a_malformed_signal_wedges_neither_review_nor_request(service: Service) -> None:
    case = await under_review(service)
    for name, argument in NONSENSE:
        await case.review.signal(name, argument)
        await case.request.signal(name, argument)
    for name in ("approve", "review_reported", "deletion_reported"):
        await case.review.signal(name, args=[])
        await case.request.signal(name, args=[{}, {}])
    extra = sound(await case.view(), APPROVE).model_dump(mode="json") | {"comment": "free text has no place here"}
    await case.review.signal("approve", extra)
    view = await case.view()
    assert (view.status, view.decisions, view.ignored) == (ReviewStatus.UNDER_REVIEW, (), ())
    assert (await service.cancellations.view(case.account_id)).phase is Phase.UNDER_REVIEW
    await case.approve()
    assert (await case.request.result()).outcome is Phase.CLOSED
    await assert_replays(case.review, case.request)


async def test_a_malformed_update_is_refused_and_wedges_nothing(service: Service) -> None:
    case = await under_review(service)
    for argument in ({"kind": "approve"}, "approve", {"kind": "shred", "decision": {}}, None):
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await case.review.execute_update("decide", argument, rpc_timeout=timedelta(seconds=20))
        assert isinstance(caught.value.cause, ApplicationError)
    with pytest.raises(WorkflowUpdateFailedError):
        await case.review.execute_update("decree", {}, rpc_timeout=timedelta(seconds=20))
    for name in ("file_ticket", "withdraw", "supply_materials"):
        with pytest.raises(WorkflowUpdateFailedError):
            await case.request.execute_update(name, {"nonsense": 1}, rpc_timeout=timedelta(seconds=20))
    await case.reject()
    assert (await case.request.result()).outcome is Phase.REJECTED


async def test_reports_for_another_ticket_or_without_a_decision_move_nothing(service: Service) -> None:
    case = await under_review(service)
    reported = (await service.cancellations.view(case.account_id)).review
    assert reported is not None
    other = reported.ticket.model_copy(update={"ticket_no": "T-other"})
    await case.request.signal("review_reported", reported.model_copy(update={"status": "APPROVED"}))
    await case.request.signal("review_reported", reported.model_copy(update={"status": "REJECTED"}))
    await case.request.signal("review_reported", reported.model_copy(update={"ticket": other, "status": "REJECTED"}))
    assert (await service.cancellations.view(case.account_id)).phase is Phase.UNDER_REVIEW
    await case.approve()
    assert (await case.request.result()).outcome is Phase.CLOSED


async def test_a_decision_sent_while_no_worker_runs_counts_later(idle_service: Service) -> None:
    service = own_queue(idle_service)
    async with service.worker():
        case = await under_review(service)
        made = sound(await case.view(), APPROVE)
    await service.cancellations.signal_decision(APPROVE, made)
    async with service.worker():
        assert (await case.request.result()).outcome is Phase.CLOSED
        [recorded] = (await case.view()).decisions
        assert not recorded.late


async def test_a_messaging_service_that_is_down_delays_no_decision(service: Service) -> None:
    account = await blocked(service)
    async with fault(service, Endpoint.NOTIFY_CONTACT, FaultKind.ERROR, status=503):
        case = await file(service, account)
        await case.clock()
        await case.ask_for_materials()
        assert (await case.supply()).phase is Phase.UNDER_REVIEW
        await case.reject()
        assert (await asyncio.wait_for(case.request.result(), 20)).outcome is Phase.REJECTED
        assert await case.messages(Template.TICKET_REJECTED) == []
    # It is told as soon as that is possible again.
    await case.until_messages(Template.TICKET_REJECTED, 2)
