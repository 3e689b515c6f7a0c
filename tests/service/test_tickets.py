"""A ticket filed or completed: what is refused leaves nothing in the vault, what may have been taken stays there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import ValidationError

from domain.accounts import Channel, RealNameType
from domain.actors import Actor, Via
from domain.checks import (
    Arrears,
    Balance,
    Check,
    CheckOutcome,
    EligibilityReport,
    ForfeitList,
    IcpFilings,
    check_arrears,
    check_balance,
    check_icp_filing,
)
from domain.errors import ErrorType, Refusal
from domain.locale import Locale
from domain.messages import CancellationView, ReviewReport
from domain.phases import Phase, Step
from domain.standing import RunEnd
from domain.tickets import BalanceChoice, BalanceWish, ReviewStatus, TicketNeeds, TicketRef
from gateways.errors import GatewayError
from gateways.vault import ObjectVault
from service.cancellation_service import CancellationService
from service.errors import Unreachable
from service.refusals import require
from service.ticket_files import TicketFiles
from service.tickets import Paper, file_ticket, supply_materials
from tests.service.letters.making import LETTERS, pdf

NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
BY = Actor(subject="owner-1", via=Via.API)
ACCOUNT = "a-1"
PASSED = {check: CheckOutcome.of(check, NOW, None, {}) for check in Check}
NO_FORFEITS = ForfeitList(items=(), count=0, total_fen=0)
MONEY = check_balance(Balance(available_fen=100, frozen_fen=0, in_withdrawal_fen=0, offline_fen=0), NOW)
FILINGS = check_icp_filing(IcpFilings(applications_ever=1, active_filings=0), NOW)
UNPAID = check_arrears(Arrears(unpaid_fen=1), NOW)


def report(*outcomes: CheckOutcome, forfeits: ForfeitList | None = NO_FORFEITS) -> EligibilityReport:
    return EligibilityReport.compose("C-1", 1, PASSED | {outcome.check: outcome for outcome in outcomes}, forfeits)


REPORT = report(MONEY, FILINGS)


def view(**changes: Any) -> CancellationView:
    """A request that a ticket may be filed for, of an enterprise with money on its account."""
    whole = CancellationView(
        request_no="C-1",
        account_id=ACCOUNT,
        phase=Phase.BLOCKED,
        due_step=Step.RECHECK,
        withdrawable=True,
        route=None,
        locale=Locale.ZH,
        real_name_type=RealNameType.ENTERPRISE,
        channels=(Channel.PHONE,),
        refusal=None,
        started_at=NOW,
        phase_since=NOW,
        lapses_at=None,
        ends_by=NOW,
        challenge=None,
        identity_verified=True,
        notice_version="2026-11",
        checks_done=REPORT.outcomes,
        report=REPORT,
        ticket_needs=TicketNeeds.of(RealNameType.ENTERPRISE, notice_accepted=True, report=REPORT),
        waivers=(),
        seal_refused=None,
        review=None,
        rejection_reasons=(),
        withdrawal_reason=None,
        deletion=None,
        certificate=None,
        cancels_refused=0,
    )
    return whole.model_copy(update=changes)


def under_review(ticket: TicketRef, status: ReviewStatus = ReviewStatus.UNDER_REVIEW) -> CancellationView:
    return view(phase=Phase(status), review=ReviewReport(ticket=ticket, status=status))


@dataclass
class Answering:
    """A service that shows a request, and answers a filing as it is told: with an error, or by its ticket."""

    shown: CancellationView
    answer: Exception | Callable[[TicketRef], CancellationView] = under_review
    filed: list[TicketRef] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)

    async def taken(self, account_id: str, step: Step, key: str | None) -> None:
        """No step was taken before."""

    async def view(self, account_id: str) -> CancellationView:
        assert account_id == ACCOUNT
        return self.shown

    async def file_ticket(self, _: str, ticket: TicketRef, by: Actor, *, key: str | None) -> CancellationView:
        assert by == BY
        self.filed.append(ticket)
        self.keys.append(key)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer(ticket)

    supply_materials = file_ticket

    @property
    def cancellations(self) -> CancellationService:
        return cast(CancellationService, self)


PAPER = Paper(
    contact_email="zhang.san@example.com",
    contact_phone="13800138000",
    notice_version="2026-11",
    notice_sha256="a" * 64,
    balance=BalanceChoice(wish=BalanceWish.GIVE_UP, amount_fen=100),
)
NEW_LETTER = Paper(notice_version="2026-11", notice_sha256="a" * 64)


@pytest.fixture
def tickets(vault: ObjectVault) -> TicketFiles:
    return TicketFiles(vault, LETTERS)


def stored(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def file(answering: Answering, tickets: TicketFiles, paper: Paper = PAPER, **changes: Any) -> CancellationView:
    options: dict[str, Any] = {"report_digest": REPORT.digest, "by": BY, "now": NOW} | changes
    return await file_ticket(answering.cancellations, tickets, ACCOUNT, paper, pdf(), **options)


async def supply(answering: Answering, tickets: TicketFiles, letter: bytes | None, **options: Any) -> CancellationView:
    return await supply_materials(
        answering.cancellations, tickets, ACCOUNT, NEW_LETTER, letter, by=BY, now=NOW, **options
    )


async def first_ticket(tickets: TicketFiles) -> TicketRef:
    answering = Answering(view())
    await file(answering, tickets)
    return answering.filed[0]


def asking(ticket: TicketRef) -> CancellationView:
    return under_review(ticket, ReviewStatus.AWAITING_MATERIALS)


# --- filed ---

FILED = ["r1-letter.pdf", "r1-original.pdf", "r1.json"]


async def test_a_ticket_carries_what_was_shown_who_filed_it_and_the_word_about_the_money(
    tickets: TicketFiles, folder: Path
) -> None:
    answering = Answering(view())
    answer = await file(answering, tickets, key="key-1")
    [ticket] = answering.filed
    assert answer == under_review(ticket)
    assert answering.keys == ["key-1"]
    form = await tickets.load(ticket)
    assert (form.report_digest, form.balance) == (REPORT.digest, PAPER.balance)
    assert (form.filed_by, form.filed_via, form.filed_at) == (BY.subject, BY.via, NOW)
    assert stored(folder) == FILED


async def test_materials_follow_the_latest_revision_unless_another_is_named(tickets: TicketFiles) -> None:
    first = await first_ticket(tickets)
    answering = Answering(asking(first))
    await supply(answering, tickets, pdf(2))
    await supply(answering, tickets, None, previous=answering.filed[0])
    second, third = [await tickets.load(ticket) for ticket in answering.filed]
    assert (second.revision, second.previous_sha256) == (2, first.sha256)
    assert (third.revision, third.previous_sha256) == (3, answering.filed[0].sha256)
    assert third.letter == second.letter


# --- refused by the request ---

every_type = pytest.mark.parametrize("type", ErrorType)


@every_type
async def test_a_ticket_that_its_request_refuses_leaves_nothing(
    type: ErrorType, tickets: TicketFiles, folder: Path
) -> None:
    refusal = Refusal(type, "no", reason="a rule")
    answering = Answering(view(), refusal)
    with pytest.raises(Refusal) as caught:
        await file(answering, tickets)
    assert caught.value is refusal
    assert len(answering.filed) == 1
    assert stored(folder) == []


@every_type
@pytest.mark.parametrize("letter", [None, pdf(2)], ids=["the earlier letter", "a letter of its own"])
async def test_materials_that_are_refused_leave_the_revision_before_as_it_was(
    type: ErrorType, letter: bytes | None, tickets: TicketFiles, folder: Path
) -> None:
    first = await first_ticket(tickets)
    refusal = Refusal(type, "no")
    with pytest.raises(Refusal) as caught:
        await supply(Answering(asking(first), refusal), tickets, letter)
    assert caught.value is refusal
    assert stored(folder) == FILED
    assert await tickets.read_original(await tickets.load(first)) == pdf()


NOT_ANSWERED = [
    Unreachable("no worker answered"),
    TimeoutError(),
    GatewayError(ErrorType.UNREACHABLE, "", retryable=True),
]


@pytest.mark.parametrize("error", NOT_ANSWERED, ids=repr)
async def test_what_may_have_been_filed_stays(error: Exception, tickets: TicketFiles, folder: Path) -> None:
    answering = Answering(view(), error)
    with pytest.raises(type(error)):
        await file(answering, tickets)
    assert stored(folder) == FILED
    assert (await tickets.load(answering.filed[0])).account_id == ACCOUNT


@pytest.mark.parametrize("error", NOT_ANSWERED, ids=repr)
async def test_materials_that_may_have_arrived_stay(error: Exception, tickets: TicketFiles, folder: Path) -> None:
    with pytest.raises(type(error)):
        await supply(Answering(asking(await first_ticket(tickets)), error), tickets, pdf(2))
    assert stored(folder) == [*FILED, "r2-letter.pdf", "r2-original.pdf", "r2.json"]


# --- the same key again ---


async def test_the_answer_to_an_earlier_filing_of_the_same_key_leaves_no_second_ticket(
    tickets: TicketFiles, folder: Path
) -> None:
    first = await first_ticket(tickets)
    again = Answering(view(), lambda _: under_review(first))
    assert await file(again, tickets, key="key-1") == under_review(first)
    assert again.filed != [first]
    assert stored(folder) == FILED
    assert (await tickets.load(first)).account_id == ACCOUNT


async def test_the_answer_to_earlier_materials_of_the_same_key_leaves_no_second_revision(
    tickets: TicketFiles, folder: Path
) -> None:
    first = await first_ticket(tickets)
    answering = Answering(asking(first))
    await supply(answering, tickets, pdf(2), key="key-2")
    [second] = answering.filed
    await supply(Answering(asking(first), lambda _: under_review(second)), tickets, pdf(2), key="key-2")
    assert stored(folder) == [*FILED, "r2-letter.pdf", "r2-original.pdf", "r2.json"]


async def test_materials_of_which_the_review_has_not_heard_yet_stay(tickets: TicketFiles, folder: Path) -> None:
    first = await first_ticket(tickets)
    late = Answering(asking(first), lambda _: asking(first))
    await supply(late, tickets, None)
    await supply(late, tickets, None, previous=late.filed[0])
    assert stored(folder) == [*FILED, "r2.json", "r3.json"]


# --- refused before the vault is touched ---

FILABLE = {Phase.AWAITING_IDENTITY, Phase.BLOCKED}


@pytest.mark.parametrize("phase", Phase)
async def test_in_a_phase_without_this_step_nothing_is_stored(phase: Phase, tickets: TicketFiles, folder: Path) -> None:
    if phase not in FILABLE:
        answering = Answering(view(phase=phase))
        with pytest.raises(Refusal) as caught:
            await file(answering, tickets)
        assert (caught.value.type, caught.value.details["phase"]) == (ErrorType.WRONG_PHASE, phase)
    if phase is not Phase.AWAITING_MATERIALS:
        with pytest.raises(Refusal) as caught:
            await supply(Answering(view(phase=phase)), tickets, pdf())
        assert caught.value.type is ErrorType.WRONG_PHASE
    assert stored(folder) == []


@pytest.mark.parametrize(
    ("shown", "digest", "type", "details"),
    [
        pytest.param(
            view(phase=Phase.AWAITING_IDENTITY),
            REPORT.digest,
            ErrorType.WRONG_PHASE,
            {"phase": Phase.AWAITING_IDENTITY, "due_step": Step.RECHECK},
            id="a verified channel, so identity first",
        ),
        pytest.param(
            view(run_ended=RunEnd.TERMINATED, due_step=None),
            REPORT.digest,
            ErrorType.WRONG_PHASE,
            {"phase": Phase.BLOCKED, "due_step": None},
            id="ended from outside",
        ),
        pytest.param(view(report=None), REPORT.digest, ErrorType.STALE_REPORT, {"report_digest": None}, id="no report"),
        pytest.param(
            view(), "f" * 64, ErrorType.STALE_REPORT, {"report_digest": REPORT.digest}, id="another report was shown"
        ),
        pytest.param(
            view(report=(unknown := report(CheckOutcome.unknown(Check.RESOURCES, NOW), forfeits=None))),
            unknown.digest,
            ErrorType.NOT_NOW,
            {"could_not_tell": ["RESOURCES", "ENTITLEMENTS"]},
            id="the platform could not tell",
        ),
        pytest.param(
            view(report=(unpaid := report(MONEY, UNPAID))),
            unpaid.digest,
            ErrorType.TICKET_NOT_ALLOWED,
            {"fix_first": ["ARREARS"], "reasons": ["ARREARS_UNPAID"]},
            id="what no ticket can waive",
        ),
    ],
)
async def test_a_filing_that_cannot_succeed_is_refused_before_anything_is_stored(
    shown: CancellationView,
    digest: str,
    type: ErrorType,
    details: dict[str, object],
    tickets: TicketFiles,
    folder: Path,
) -> None:
    answering = Answering(shown)
    with pytest.raises(Refusal) as caught:
        await file(answering, tickets, report_digest=digest)
    assert (caught.value.type, caught.value.details) == (type, details)
    assert (answering.filed, stored(folder)) == ([], [])


def test_without_a_verified_channel_a_ticket_needs_no_identity_before_it() -> None:
    require(view(phase=Phase.AWAITING_IDENTITY, channels=()), Step.FILE_TICKET, report_digest=REPORT.digest)


def test_steps_without_a_report_are_not_held_against_one() -> None:
    require(view(report=None), Step.RECHECK)
    require(view(report=None), Step.WITHDRAW)


async def test_a_ticket_that_lacks_the_word_about_the_money_never_reaches_its_request(
    tickets: TicketFiles, folder: Path
) -> None:
    answering = Answering(view())
    for word in (None, BalanceChoice(wish=BalanceWish.GIVE_UP, amount_fen=99)):
        with pytest.raises(Refusal) as caught:
            await file(answering, tickets, PAPER.model_copy(update={"balance": word}))
        assert caught.value.details == {"missing": ["BALANCE_CHOICE"]}
    assert (answering.filed, stored(folder)) == ([], [])


def test_a_version_of_the_notice_that_is_too_long_is_no_paper() -> None:
    with pytest.raises(ValidationError, match="notice_version"):
        Paper(notice_version="x" * 41, notice_sha256="a" * 64)
