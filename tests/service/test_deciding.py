"""A decision with free text: what counts keeps its note, and what does not leaves none in the vault."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from domain.accounts import RealNameType
from domain.errors import ErrorType, Refusal
from domain.messages import DecisionAnswer, ReviewView
from domain.tickets import (
    DECIDED_STATUS,
    Decision,
    DecisionKind,
    DecisionReason,
    RecordedDecision,
    ReviewCase,
    ReviewStatus,
    TicketRef,
)
from gateways.vault import ObjectVault
from service.cancellation_service import CancellationService
from service.deciding import decide
from service.errors import Unreachable
from service.ticket_files import TicketFiles
from tests.activities.papers import report

NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
NOTE = "张三来电：公章不清晰。"
TICKET = TicketRef(ticket_no="T-1", revision=1, sha256="a" * 64)
CASE = ReviewCase(
    request_no="C-1",
    account_id="a-1",
    ticket=TICKET,
    real_name_type=RealNameType.INDIVIDUAL,
    report=report(),
    identity_verified=True,
    applicants=("a-1", "owner-1"),
)
GOOD = Decision(
    decision_id="D-1",
    ticket_no="T-1",
    operator_id="agent-1",
    decided_at=NOW,
    revision_sha256=TICKET.sha256,
    report_digest=CASE.report.digest,
    reason_codes=(DecisionReason.SEE_NOTE,),
)


@dataclass
class Answering:
    decisions: tuple[RecordedDecision, ...] = ()
    error: Exception | None = None
    decided: list[tuple[DecisionKind, Decision]] = field(default_factory=list)

    async def review(self, ticket_no: str) -> ReviewView:
        if ticket_no != TICKET.ticket_no:
            raise Refusal(ErrorType.NOT_FOUND, "There is no such ticket.")
        return ReviewView(
            case=CASE,
            status=ReviewStatus.UNDER_REVIEW,
            clock=None,
            overdue=False,
            ceiling_passed=False,
            decisions=self.decisions,
            ignored=(),
        )

    async def decide(self, kind: DecisionKind, decision: Decision) -> DecisionAnswer:
        self.decided.append((kind, decision))
        if self.error:
            raise self.error
        return DecisionAnswer(ticket_no="T-1", status=DECIDED_STATUS[kind], late=False)


@pytest.fixture
def tickets(vault: ObjectVault) -> TicketFiles:
    return TicketFiles(vault)


def notes(folder: Path) -> list[str]:
    return [path.stem for path in folder.rglob("*") if path.is_file()]


async def send(
    answering: Answering, tickets: TicketFiles, kind: DecisionKind, note: str | None, **changes: Any
) -> Decision:
    await decide(cast(CancellationService, answering), tickets, kind, GOOD.model_copy(update=changes), note)
    return answering.decided[-1][1]


@pytest.mark.parametrize("kind", DecisionKind)
async def test_a_decision_that_counts_carries_the_reference_of_its_note(
    kind: DecisionKind, tickets: TicketFiles, folder: Path
) -> None:
    sent = await send(Answering(), tickets, kind, NOTE)
    assert sent.note_ref is not None
    assert notes(folder) == [sent.note_ref]
    assert await tickets.read_note("T-1", sent.note_ref) == NOTE
    assert sent.says_the_same_as(GOOD)


@pytest.mark.parametrize("note", [None, ""])
async def test_without_words_nothing_is_kept(note: str | None, tickets: TicketFiles, folder: Path) -> None:
    assert (await send(Answering(), tickets, DecisionKind.REJECT, note)).note_ref is None
    assert notes(folder) == []


@pytest.mark.parametrize(
    "flaw",
    [
        {"operator_id": "owner-1"},
        {"revision_sha256": "f" * 64},
        {"report_digest": "f" * 64},
        {"reason_codes": ()},
    ],
    ids=lambda flaw: next(iter(flaw)),
)
async def test_a_decision_that_will_not_count_leaves_no_note_and_the_review_says_why(
    flaw: dict[str, object], tickets: TicketFiles, folder: Path
) -> None:
    answering = Answering()
    await send(answering, tickets, DecisionKind.REJECT, NOTE, **flaw)
    assert len(answering.decided) == 1
    assert notes(folder) == []


@pytest.mark.parametrize("change", [{}, {"operator_id": "agent-2"}], ids=["the same", "another under its id"])
async def test_a_decision_sent_again_leaves_no_second_note(
    change: dict[str, object], tickets: TicketFiles, folder: Path
) -> None:
    before = RecordedDecision(kind=DecisionKind.REQUEST_MATERIALS, decision=GOOD, received_at=NOW, late=False)
    await send(Answering((before,)), tickets, DecisionKind.REQUEST_MATERIALS, NOTE, **change)
    assert notes(folder) == []


async def test_a_ticket_that_does_not_exist_keeps_no_note(tickets: TicketFiles, folder: Path) -> None:
    with pytest.raises(Refusal):
        await send(Answering(), tickets, DecisionKind.REJECT, NOTE, ticket_no="T-2")
    assert notes(folder) == []


async def test_a_decision_that_comes_second_after_all_takes_its_note_back(tickets: TicketFiles, folder: Path) -> None:
    answering = Answering(error=Refusal(ErrorType.DECISION_REFUSED, "somebody was first"))
    with pytest.raises(Refusal, match="somebody was first"):
        await send(answering, tickets, DecisionKind.REJECT, NOTE)
    assert answering.decided[0][1].note_ref is not None
    assert notes(folder) == []


async def test_a_decision_that_may_have_arrived_keeps_its_note(tickets: TicketFiles, folder: Path) -> None:
    answering = Answering(error=Unreachable("no worker answered"))
    with pytest.raises(Unreachable):
        await send(answering, tickets, DecisionKind.REJECT, NOTE)
    assert notes(folder) == [answering.decided[0][1].note_ref]
