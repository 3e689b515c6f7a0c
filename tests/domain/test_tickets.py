"""The manual route: what a ticket must carry, and every reason for which a decision does not count."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import chain, combinations, product
from typing import Any

import pytest
from pydantic import ValidationError

from domain.accounts import RealNameType
from domain.actors import Via
from domain.checks import (
    Balance,
    Check,
    CheckOutcome,
    EligibilityReport,
    ForfeitList,
    IcpFilings,
    check_balance,
    check_icp_filing,
)
from domain.letters import Letter, LetterOriginal, LetterType
from domain.tickets import (
    CLOCK_SKEW,
    DECIDED_STATUS,
    BalanceChoice,
    BalanceWish,
    Decision,
    DecisionKind,
    DecisionReason,
    IgnoredBecause,
    MissingPart,
    RecordedDecision,
    ReviewCase,
    ReviewStatus,
    Statement,
    TicketForm,
    TicketNeeds,
    TicketRef,
    is_time_plausible,
    missing_parts,
    why_ignored,
)

AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TICKET = TicketRef(ticket_no="T-1", revision=1, sha256="a" * 64)
ACCOUNT, REQUESTER, SUPPLIER, REVIEWER = "acc-1", "person-1", "person-2", "agent-1"
ASKED = (Check.BALANCE, Check.ICP_FILING)
GIVE_UP = BalanceChoice(wish=BalanceWish.GIVE_UP, amount_fen=100)
RETURN = BalanceChoice(wish=BalanceWish.RETURN, amount_fen=100)


class Flaw(StrEnum):
    """All that can be wrong with a decision or missing from it."""

    SENT_BEFORE = "sent before"
    SAYS_SOMETHING_ELSE_THIS_TIME = "says something else this time"
    OTHER_TICKET = "other ticket"
    BY_THE_ACCOUNT = "by the account"
    BY_THE_REQUESTER = "by the requester"
    BY_WHO_SUPPLIED_MATERIALS = "by who supplied materials"
    OTHER_REVISION = "other revision"
    OTHER_REPORT = "other report"
    NO_REASONS = "no reasons"
    NOTHING_WAIVED = "nothing waived"
    ONE_WAIVED_OF_TWO = "one waived of two"
    NOT_ATTESTED = "identity neither verified nor attested"


Flaws = frozenset[Flaw]
APPLICANTS = {
    Flaw.BY_THE_ACCOUNT: ACCOUNT,
    Flaw.BY_THE_REQUESTER: REQUESTER,
    Flaw.BY_WHO_SUPPLIED_MATERIALS: SUPPLIER,
}
CONTRADICTIONS = [
    *(set(pair) for pair in combinations(APPLICANTS, 2)),
    {Flaw.NOTHING_WAIVED, Flaw.ONE_WAIVED_OF_TWO},
]


def every_set_of_flaws() -> Iterator[Flaws]:
    for flaws in chain.from_iterable(combinations(Flaw, n) for n in range(len(Flaw) + 1)):
        said_before = Flaw.SENT_BEFORE in flaws or Flaw.SAYS_SOMETHING_ELSE_THIS_TIME not in flaws
        if said_before and not any(contradiction <= set(flaws) for contradiction in CONTRADICTIONS):
            yield frozenset(flaws)


EVERY_SET_OF_FLAWS = list(every_set_of_flaws())


def report(money_fen: int = 100, filings: int = 1) -> EligibilityReport:
    """Blocked by exactly the two checks that a ticket can waive."""
    money = Balance(available_fen=money_fen, frozen_fen=0, in_withdrawal_fen=0, offline_fen=0)
    outcomes = {check: CheckOutcome.of(check, AT, None, {}) for check in Check} | {
        Check.BALANCE: check_balance(money, AT),
        Check.ICP_FILING: check_icp_filing(IcpFilings(applications_ever=filings, active_filings=0), AT),
    }
    return EligibilityReport.compose("C-1", 1, outcomes, ForfeitList(items=(), count=0, total_fen=0))


REPORT = report()


def case(*, identity_verified: bool = True, balance: BalanceChoice | None = GIVE_UP) -> ReviewCase:
    first = ReviewCase(
        request_no="C-1",
        account_id=ACCOUNT,
        ticket=TICKET.model_copy(update={"sha256": "9" * 64}),
        real_name_type=RealNameType.ENTERPRISE,
        report=REPORT,
        identity_verified=identity_verified,
        applicants=(ACCOUNT, REQUESTER),
    )
    return first.revised(TICKET, balance, SUPPLIER)


def decision(
    flaws: Flaws = frozenset(), *, waived: tuple[Check, ...] = ASKED, identity_attested: bool = False
) -> Decision:
    """A decision with exactly these flaws and otherwise one that counts, whatever its kind."""
    if Flaw.NOTHING_WAIVED in flaws:
        waived = ()
    if Flaw.ONE_WAIVED_OF_TWO in flaws:
        waived = (Check.ICP_FILING,)
    return Decision(
        decision_id="d-1",
        ticket_no="T-2" if Flaw.OTHER_TICKET in flaws else TICKET.ticket_no,
        operator_id=next((who for flaw, who in APPLICANTS.items() if flaw in flaws), REVIEWER),
        decided_at=AT,
        revision_sha256="f" * 64 if Flaw.OTHER_REVISION in flaws else TICKET.sha256,
        report_digest="f" * 64 if Flaw.OTHER_REPORT in flaws else REPORT.digest,
        reason_codes=() if Flaw.NO_REASONS in flaws else (DecisionReason.SEAL_MISSING,),
        waived=waived,
        identity_attested=identity_attested,
    )


def counted(kind: DecisionKind, decision: Decision) -> RecordedDecision:
    return RecordedDecision(kind=kind, decision=decision, received_at=AT, late=False)


EARLIER = counted(DecisionKind.REQUEST_MATERIALS, decision().model_copy(update={"decision_id": "d-0"}))
"""Another one, of another id: it never matters."""


def because(status: ReviewStatus, kind: DecisionKind, flaws: Flaws) -> IgnoredBecause | None:
    sent = decision(flaws)
    before = [EARLIER]
    if Flaw.SENT_BEFORE in flaws:
        other = {"operator_id": "agent-9"} if Flaw.SAYS_SOMETHING_ELSE_THIS_TIME in flaws else {}
        before.append(counted(kind, sent.model_copy(update=other)))
    return why_ignored(case(identity_verified=Flaw.NOT_ATTESTED not in flaws), status, before, kind, sent)


def complaints(status: ReviewStatus, kind: DecisionKind, flaws: Flaws) -> Iterator[IgnoredBecause]:
    """Everything that can be said against a decision, the weightiest first."""
    approval, waiting = kind is DecisionKind.APPROVE, status is ReviewStatus.AWAITING_MATERIALS
    against = {
        IgnoredBecause.CONFLICT: Flaw.SAYS_SOMETHING_ELSE_THIS_TIME in flaws,
        IgnoredBecause.DUPLICATE: Flaw.SENT_BEFORE in flaws,
        IgnoredBecause.WRONG_TICKET: Flaw.OTHER_TICKET in flaws,
        IgnoredBecause.ALREADY_DECIDED: status not in (ReviewStatus.UNDER_REVIEW, ReviewStatus.AWAITING_MATERIALS),
        IgnoredBecause.SELF_APPROVAL: bool(flaws & set(APPLICANTS)),
        IgnoredBecause.STALE: bool(flaws & {Flaw.OTHER_REVISION, Flaw.OTHER_REPORT}),
        IgnoredBecause.WRONG_PHASE: waiting and kind in (DecisionKind.APPROVE, DecisionKind.REQUEST_MATERIALS),
        IgnoredBecause.REASONS_MISSING: not approval and Flaw.NO_REASONS in flaws,
        IgnoredBecause.WAIVERS_INCOMPLETE: approval and bool(flaws & {Flaw.NOTHING_WAIVED, Flaw.ONE_WAIVED_OF_TWO}),
        IgnoredBecause.IDENTITY_NOT_ATTESTED: approval and Flaw.NOT_ATTESTED in flaws,
    }
    # Times are judged apart: they do not depend on the case.
    assert set(against) == set(IgnoredBecause) - {IgnoredBecause.TIME_IMPLAUSIBLE}
    return (complaint for complaint, applies in against.items() if applies)


# --- decisions ---


@pytest.mark.parametrize(("status", "kind"), list(product(ReviewStatus, DecisionKind)))
def test_a_decision_counts_exactly_when_nothing_is_against_it_and_else_the_weightiest_reason_is_recorded(
    status: ReviewStatus, kind: DecisionKind
) -> None:
    for flaws in EVERY_SET_OF_FLAWS:
        assert because(status, kind, flaws) is next(complaints(status, kind, flaws), None), sorted(flaws)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (ReviewStatus.UNDER_REVIEW, DecisionKind.APPROVE),
        (ReviewStatus.UNDER_REVIEW, DecisionKind.REJECT),
        (ReviewStatus.UNDER_REVIEW, DecisionKind.REQUEST_MATERIALS),
        (ReviewStatus.AWAITING_MATERIALS, DecisionKind.REJECT),
    ],
)
def test_a_flawless_decision_counts_where_it_has_its_place(status: ReviewStatus, kind: DecisionKind) -> None:
    assert because(status, kind, frozenset()) is None


@pytest.mark.parametrize("status", [ReviewStatus.APPROVED, ReviewStatus.REJECTED, ReviewStatus.CALLED_OFF])
@pytest.mark.parametrize("kind", DecisionKind)
def test_nothing_counts_after_the_end(status: ReviewStatus, kind: DecisionKind) -> None:
    assert because(status, kind, frozenset()) is IgnoredBecause.ALREADY_DECIDED


@pytest.mark.parametrize("kind", DecisionKind)
@pytest.mark.parametrize("flaw", APPLICANTS)
def test_nobody_decides_on_their_own_request_not_even_against_it(kind: DecisionKind, flaw: Flaw) -> None:
    assert because(ReviewStatus.UNDER_REVIEW, kind, frozenset({flaw})) is IgnoredBecause.SELF_APPROVAL


def test_an_approval_needs_no_reasons_and_a_rejection_no_waivers_and_no_identity() -> None:
    under_review = ReviewStatus.UNDER_REVIEW
    assert because(under_review, DecisionKind.APPROVE, frozenset({Flaw.NO_REASONS})) is None
    for kind in (DecisionKind.REJECT, DecisionKind.REQUEST_MATERIALS):
        assert because(under_review, kind, frozenset({Flaw.NOTHING_WAIVED, Flaw.NOT_ATTESTED})) is None


@pytest.mark.parametrize(
    ("waived", "complete"),
    [
        ((Check.ICP_FILING, Check.BALANCE), True),
        (tuple(Check), True),
        ((Check.BALANCE,), False),
        ((Check.ICP_FILING,), False),
        ((Check.ARREARS, Check.PROVIDER, Check.RESOURCES), False),
    ],
)
def test_an_approval_names_every_check_that_it_sets_aside(waived: tuple[Check, ...], complete: bool) -> None:
    approval = decision(waived=waived)
    found = why_ignored(case(), ReviewStatus.UNDER_REVIEW, [], DecisionKind.APPROVE, approval)
    assert found is (None if complete else IgnoredBecause.WAIVERS_INCOMPLETE)


@pytest.mark.parametrize(("verified", "attested"), list(product([True, False], repeat=2)))
def test_an_approval_attests_identity_unless_it_was_verified(verified: bool, attested: bool) -> None:
    approval = decision(identity_attested=attested)
    found = why_ignored(case(identity_verified=verified), ReviewStatus.UNDER_REVIEW, [], DecisionKind.APPROVE, approval)
    assert found is (None if verified or attested else IgnoredBecause.IDENTITY_NOT_ATTESTED)


UNSAID = {"decided_at": AT + timedelta(hours=1), "note_ref": "note-1"}
SAID: dict[str, Any] = {
    "ticket_no": "T-2",
    "operator_id": "agent-9",
    "revision_sha256": "f" * 64,
    "report_digest": "f" * 64,
    "reason_codes": (DecisionReason.SEAL_MISSING, DecisionReason.SEE_NOTE),
    "waived": (Check.ICP_FILING, Check.BALANCE),
    "identity_attested": True,
}


def test_every_field_of_a_decision_is_said_or_is_made_anew_by_each_sending() -> None:
    assert {"decision_id", *SAID, *UNSAID} == set(Decision.model_fields)


@pytest.mark.parametrize("kind", DecisionKind)
@pytest.mark.parametrize("status", ReviewStatus)
def test_under_one_id_a_decision_is_a_duplicate_however_often_it_is_stamped_and_else_a_conflict(
    status: ReviewStatus, kind: DecisionKind
) -> None:
    def again(now: DecisionKind, **changes: object) -> IgnoredBecause | None:
        before = [EARLIER, counted(kind, decision())]
        return why_ignored(case(), status, before, now, decision().model_copy(update=changes))

    for name, value in UNSAID.items():
        assert again(kind, **{name: value}) is IgnoredBecause.DUPLICATE
    for name, value in SAID.items():
        assert again(kind, **{name: value}) is IgnoredBecause.CONFLICT
    for other in DecisionKind:
        assert again(other) is (IgnoredBecause.DUPLICATE if other is kind else IgnoredBecause.CONFLICT)


def test_a_decision_that_was_ignored_may_be_sent_again() -> None:
    assert why_ignored(case(), ReviewStatus.UNDER_REVIEW, [], DecisionKind.REJECT, decision()) is None


@pytest.mark.parametrize("kind", DecisionKind)
@pytest.mark.parametrize("field", ["revision_sha256", "report_digest"])
def test_a_decision_about_another_revision_or_report_is_stale_even_a_rejection(kind: DecisionKind, field: str) -> None:
    other = decision().model_copy(update={field: "f" * 64})
    assert why_ignored(case(), ReviewStatus.UNDER_REVIEW, [], kind, other) is IgnoredBecause.STALE


def test_a_case_asks_for_the_waivers_of_the_report_that_staff_see() -> None:
    assert case().waivers_asked == REPORT.waivers_needed()
    assert tuple(waiver.check for waiver in case().waivers_asked) == ASKED


@pytest.mark.parametrize(("balance", "asked"), [(GIVE_UP, ASKED), (RETURN, ASKED[1:]), (None, ASKED[1:])])
def test_money_is_set_aside_only_for_an_owner_who_gives_it_up(
    balance: BalanceChoice | None, asked: tuple[Check, ...]
) -> None:
    of_balance = case(balance=balance)
    assert tuple(waiver.check for waiver in of_balance.waivers_asked) == asked
    for waived in chain.from_iterable(combinations(Check, n) for n in range(len(Check) + 1)):
        found = why_ignored(of_balance, ReviewStatus.UNDER_REVIEW, [], DecisionKind.APPROVE, decision(waived=waived))
        assert found is (None if set(asked) <= set(waived) else IgnoredBecause.WAIVERS_INCOMPLETE)


def test_who_supplies_a_revision_becomes_an_applicant_and_its_word_on_the_money_counts() -> None:
    second = TicketRef(ticket_no="T-1", revision=2, sha256="d" * 64)
    revised = case().revised(second, RETURN, REQUESTER)
    assert (revised.ticket, revised.balance) == (second, RETURN)
    assert revised.applicants == (ACCOUNT, REQUESTER, SUPPLIER)
    assert why_ignored(revised, ReviewStatus.UNDER_REVIEW, [], DecisionKind.REJECT, decision()) is IgnoredBecause.STALE


@pytest.mark.parametrize(
    ("before_filing", "after_arrival", "plausible"),
    [
        (CLOCK_SKEW, None, True),
        (CLOCK_SKEW + timedelta(microseconds=1), None, False),
        (timedelta(0), None, True),
        (None, timedelta(0), True),
        (None, CLOCK_SKEW, True),
        (None, CLOCK_SKEW + timedelta(microseconds=1), False),
        (timedelta(days=365), None, False),
        (None, timedelta(days=365), False),
    ],
)
def test_nobody_decides_before_the_filing_or_after_the_arrival_but_for_what_clocks_differ(
    before_filing: timedelta | None, after_arrival: timedelta | None, plausible: bool
) -> None:
    filed_at, now = AT, AT + timedelta(days=2)
    decided_at = now + after_arrival if before_filing is None and after_arrival is not None else filed_at
    if before_filing is not None:
        decided_at = filed_at - before_filing
    decided = decision().model_copy(update={"decided_at": decided_at})
    assert is_time_plausible(decided, filed_at, now) is plausible


@pytest.mark.parametrize("kind", DecisionKind)
def test_a_decision_that_counts_leads_to_a_status_of_its_own(kind: DecisionKind) -> None:
    leads_to = {"approve": "APPROVED", "reject": "REJECTED", "request_materials": "AWAITING_MATERIALS"}
    assert DECIDED_STATUS[kind] == leads_to[kind]


def test_a_review_is_open_while_somebody_has_something_to_do() -> None:
    assert [status for status in ReviewStatus if status.is_open] == ["UNDER_REVIEW", "AWAITING_MATERIALS"]


# --- the form ---

SUBSETS_OF_PARTS = [*chain.from_iterable(combinations(MissingPart, n) for n in range(len(MissingPart) + 1))]
MONEY = [None, *(report(fen) for fen in (0, 100))]


LETTER = Letter(
    path="tickets/T-1/r1-letter.pdf",
    sha256="b" * 64,
    size_bytes=2000,
    pages=1,
    original=LetterOriginal(
        path="tickets/T-1/r1-original.jpg", sha256="e" * 64, media_type=LetterType.JPEG, size_bytes=1000
    ),
)


def form(lacking: tuple[MissingPart, ...] = (), **changes: object) -> TicketForm:
    whole = TicketForm(
        ticket_no="T-1",
        revision=1,
        account_id=ACCOUNT,
        real_name_type=RealNameType.ENTERPRISE,
        contact_email="owner@example.com",
        contact_phone="+8613800138000",
        statement=Statement(notice_version="2026-11", notice_sha256="c" * 64),
        letter=LETTER,
        balance=GIVE_UP,
        report_digest=REPORT.digest,
        filed_by=REQUESTER,
        filed_via=Via.CONSOLE,
        filed_at=AT,
    )
    nothing: dict[MissingPart, dict[str, object]] = {
        MissingPart.CONTACT_EMAIL: {"contact_email": ""},
        MissingPart.CONTACT_PHONE: {"contact_phone": ""},
        MissingPart.STATEMENT: {"statement": None},
        MissingPart.STAMPED_LETTER: {"letter": None},
        MissingPart.BALANCE_CHOICE: {"balance": None},
    }
    for part in lacking:
        changes = nothing[part] | changes
    return whole.model_copy(update=changes)


@pytest.mark.parametrize(("type", "accepted"), list(product(RealNameType, (True, False))))
def test_what_a_ticket_needs_follows_from_the_real_name_type_the_notice_and_the_money(
    type: RealNameType, accepted: bool
) -> None:
    for shown, money in zip(MONEY, (None, None, 100), strict=True):
        needs = TicketNeeds.of(type, notice_accepted=accepted, report=shown)
        # Without a verified channel no notice was accepted before: an enterprise then says so on the ticket.
        statement = type is not RealNameType.ENTERPRISE or not accepted
        assert needs == TicketNeeds(statement=statement, letter=type is RealNameType.ENTERPRISE, balance_fen=money)


@pytest.mark.parametrize(("type", "accepted"), list(product(RealNameType, (True, False))))
@pytest.mark.parametrize("shown", MONEY, ids=["no report", "no money", "money"])
def test_a_ticket_lacks_exactly_what_it_needs_and_does_not_carry(
    type: RealNameType, accepted: bool, shown: EligibilityReport | None
) -> None:
    needs = TicketNeeds.of(type, notice_accepted=accepted, report=shown)
    needed = {
        MissingPart.CONTACT_EMAIL,
        MissingPart.CONTACT_PHONE,
        *([MissingPart.STATEMENT] if needs.statement else []),
        *([MissingPart.STAMPED_LETTER] if needs.letter else []),
        *([MissingPart.BALANCE_CHOICE] if needs.balance_fen else []),
    }
    for lacking in SUBSETS_OF_PARTS:
        missing = missing_parts(form(lacking), needs)
        assert len(missing) == len(set(missing))
        assert set(missing) == needed & set(lacking)


def test_a_balance_that_could_not_be_told_needs_no_word_about_it() -> None:
    outcomes = {o.check: o for o in REPORT.outcomes} | {Check.BALANCE: CheckOutcome.unknown(Check.BALANCE, AT)}
    untold = EligibilityReport.compose("C-1", 2, outcomes, None)
    assert TicketNeeds.of(RealNameType.NONE, notice_accepted=False, report=untold).balance_fen is None


@pytest.mark.parametrize("wish", BalanceWish)
@pytest.mark.parametrize(("word", "enough"), [(99, False), (100, True), (101, False), (0, False)])
def test_a_word_about_another_sum_than_was_shown_is_no_word(wish: BalanceWish, word: int, enough: bool) -> None:
    needs = TicketNeeds.of(RealNameType.INDIVIDUAL, notice_accepted=True, report=REPORT)
    said = form(balance=BalanceChoice(wish=wish, amount_fen=word))
    assert missing_parts(said, needs) == (() if enough else (MissingPart.BALANCE_CHOICE,))


def test_a_ticket_has_no_other_category() -> None:
    assert form().category == "账号与认证"
    with pytest.raises(ValidationError, match="category"):
        TicketForm.model_validate({"category": "其他"})


def test_each_revision_of_a_ticket_has_its_own_record_with_its_own_hash() -> None:
    second = TicketRef(ticket_no="T-1", revision=2, sha256="d" * 64)
    assert (TICKET.record.path, TICKET.record.sha256) == ("tickets/T-1/r1.json", "a" * 64)
    assert (second.record.path, second.record.sha256) == ("tickets/T-1/r2.json", "d" * 64)
