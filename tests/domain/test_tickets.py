"""The manual route: what a ticket must carry, and every reason for which a decision does not count."""

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain, combinations, product

import pytest
from pydantic import ValidationError

from domain.accounts import RealNameType
from domain.checks import (
    Balance,
    Check,
    CheckOutcome,
    EligibilityReport,
    Entitlements,
    IcpFilings,
    check_balance,
    check_icp_filing,
)
from domain.tickets import (
    DECIDED_STATUS,
    Decision,
    DecisionKind,
    DecisionReason,
    IgnoredBecause,
    Letter,
    LetterType,
    MissingPart,
    ReviewCase,
    ReviewStatus,
    Statement,
    TicketForm,
    TicketRef,
    missing_parts,
    why_ignored,
)

AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TICKET = TicketRef(ticket_no="T-1", revision=1, sha256="a" * 64)
ACCOUNT, REQUESTER, REVIEWER = "acc-1", "person-1", "agent-1"
ASKED = (Check.BALANCE, Check.ICP_FILING)
COUNTED = ["d-before"]


class Flaw(StrEnum):
    """All that can be wrong with a decision or missing from it."""

    SENT_BEFORE = "sent before"
    OTHER_TICKET = "other ticket"
    BY_THE_ACCOUNT = "by the account"
    BY_THE_REQUESTER = "by the requester"
    NO_REASONS = "no reasons"
    NOTHING_WAIVED = "nothing waived"
    ONE_WAIVED_OF_TWO = "one waived of two"
    NOT_ATTESTED = "identity neither verified nor attested"


Flaws = frozenset[Flaw]
CONTRADICTIONS = [{Flaw.BY_THE_ACCOUNT, Flaw.BY_THE_REQUESTER}, {Flaw.NOTHING_WAIVED, Flaw.ONE_WAIVED_OF_TWO}]


def every_set_of_flaws() -> Iterator[Flaws]:
    for flaws in chain.from_iterable(combinations(Flaw, n) for n in range(len(Flaw) + 1)):
        if not any(contradiction <= set(flaws) for contradiction in CONTRADICTIONS):
            yield frozenset(flaws)


def report() -> EligibilityReport:
    """Blocked by exactly the two checks that a ticket can waive."""
    money = Balance(available_fen=100, frozen_fen=0, in_withdrawal_fen=0, offline_fen=0)
    outcomes = {check: CheckOutcome.of(check, AT, None, {}) for check in Check} | {
        Check.BALANCE: check_balance(money, AT),
        Check.ICP_FILING: check_icp_filing(IcpFilings(applications_ever=1, active_filings=0), AT),
    }
    return EligibilityReport.compose("C-1", 1, outcomes, Entitlements(items=()))


def case(*, identity_verified: bool = True) -> ReviewCase:
    return ReviewCase(
        request_no="C-1",
        account_id=ACCOUNT,
        ticket=TICKET,
        real_name_type=RealNameType.ENTERPRISE,
        report=report(),
        identity_verified=identity_verified,
        applicants=(ACCOUNT, REQUESTER),
    )


def decision(
    flaws: Flaws = frozenset(), *, waived: tuple[Check, ...] = ASKED, identity_attested: bool = False
) -> Decision:
    """A decision with exactly these flaws and otherwise one that counts, whatever its kind."""
    operator_id = REVIEWER
    if Flaw.BY_THE_ACCOUNT in flaws:
        operator_id = ACCOUNT
    if Flaw.BY_THE_REQUESTER in flaws:
        operator_id = REQUESTER
    if Flaw.NOTHING_WAIVED in flaws:
        waived = ()
    if Flaw.ONE_WAIVED_OF_TWO in flaws:
        waived = (Check.ICP_FILING,)
    return Decision(
        decision_id=COUNTED[0] if Flaw.SENT_BEFORE in flaws else "d-new",
        ticket_no="T-2" if Flaw.OTHER_TICKET in flaws else TICKET.ticket_no,
        operator_id=operator_id,
        decided_at=AT,
        reason_codes=() if Flaw.NO_REASONS in flaws else (DecisionReason.SEAL_MISSING,),
        waived=waived,
        identity_attested=identity_attested,
    )


def because(status: ReviewStatus, kind: DecisionKind, flaws: Flaws) -> IgnoredBecause | None:
    return why_ignored(case(identity_verified=Flaw.NOT_ATTESTED not in flaws), status, COUNTED, kind, decision(flaws))


def complaints(status: ReviewStatus, kind: DecisionKind, flaws: Flaws) -> Iterator[IgnoredBecause]:
    """Everything that can be said against a decision, the weightiest first."""
    approval, waiting = kind is DecisionKind.APPROVE, status is ReviewStatus.AWAITING_MATERIALS
    against = {
        IgnoredBecause.DUPLICATE: Flaw.SENT_BEFORE in flaws,
        IgnoredBecause.WRONG_TICKET: Flaw.OTHER_TICKET in flaws,
        IgnoredBecause.ALREADY_DECIDED: status not in (ReviewStatus.UNDER_REVIEW, ReviewStatus.AWAITING_MATERIALS),
        IgnoredBecause.SELF_APPROVAL: bool(flaws & {Flaw.BY_THE_ACCOUNT, Flaw.BY_THE_REQUESTER}),
        IgnoredBecause.WRONG_PHASE: waiting and kind in (DecisionKind.APPROVE, DecisionKind.REQUEST_MATERIALS),
        IgnoredBecause.REASONS_MISSING: not approval and Flaw.NO_REASONS in flaws,
        IgnoredBecause.WAIVERS_INCOMPLETE: approval and bool(flaws & {Flaw.NOTHING_WAIVED, Flaw.ONE_WAIVED_OF_TWO}),
        IgnoredBecause.IDENTITY_NOT_ATTESTED: approval and Flaw.NOT_ATTESTED in flaws,
    }
    assert set(against) == set(IgnoredBecause)
    return (complaint for complaint, applies in against.items() if applies)


# --- decisions ---


@pytest.mark.parametrize(("status", "kind"), list(product(ReviewStatus, DecisionKind)))
def test_a_decision_counts_exactly_when_nothing_is_against_it_and_else_the_weightiest_reason_is_recorded(
    status: ReviewStatus, kind: DecisionKind
) -> None:
    for flaws in every_set_of_flaws():
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
@pytest.mark.parametrize("flaw", [Flaw.BY_THE_ACCOUNT, Flaw.BY_THE_REQUESTER])
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


def test_a_decision_that_was_ignored_may_be_sent_again() -> None:
    assert why_ignored(case(), ReviewStatus.UNDER_REVIEW, [], DecisionKind.REJECT, decision()) is None
    assert (
        why_ignored(case(), ReviewStatus.UNDER_REVIEW, ["d-new"], DecisionKind.REJECT, decision())
        is IgnoredBecause.DUPLICATE
    )


def test_a_case_asks_for_the_waivers_of_the_report_that_staff_see() -> None:
    assert case().waivers_asked == report().waivers_needed()
    assert tuple(waiver.check for waiver in case().waivers_asked) == ASKED


@pytest.mark.parametrize("kind", DecisionKind)
def test_a_decision_that_counts_leads_to_a_status_of_its_own(kind: DecisionKind) -> None:
    leads_to = {"approve": "APPROVED", "reject": "REJECTED", "request_materials": "AWAITING_MATERIALS"}
    assert DECIDED_STATUS[kind] == leads_to[kind]


def test_a_review_is_open_while_somebody_has_something_to_do() -> None:
    assert [status for status in ReviewStatus if status.is_open] == ["UNDER_REVIEW", "AWAITING_MATERIALS"]


# --- the form ---


@pytest.mark.parametrize("real_name_type", RealNameType)
@pytest.mark.parametrize("lacking", [*chain.from_iterable(combinations(MissingPart, n) for n in range(5))])
def test_a_ticket_needs_both_contacts_and_by_real_name_type_a_letter_or_a_statement(
    real_name_type: RealNameType, lacking: tuple[MissingPart, ...]
) -> None:
    letter = Letter(path="letters/T-1/r1", sha256="b" * 64, media_type=LetterType.PDF, size_bytes=1000, pages=1)
    statement = Statement(notice_version="2026-11", notice_sha256="c" * 64)
    form = TicketForm(
        ticket_no="T-1",
        revision=1,
        account_id=ACCOUNT,
        real_name_type=real_name_type,
        contact_email="" if MissingPart.CONTACT_EMAIL in lacking else "owner@example.com",
        contact_phone="" if MissingPart.CONTACT_PHONE in lacking else "+8613800138000",
        statement=None if MissingPart.STATEMENT in lacking else statement,
        letter=None if MissingPart.STAMPED_LETTER in lacking else letter,
        filed_by=REQUESTER,
        filed_at=AT,
    )
    not_needed = {
        RealNameType.NONE: MissingPart.STAMPED_LETTER,
        RealNameType.INDIVIDUAL: MissingPart.STAMPED_LETTER,
        RealNameType.ENTERPRISE: MissingPart.STATEMENT,
    }
    assert missing_parts(form) == tuple(part for part in lacking if part is not not_needed[real_name_type])
    assert form.category == "账号与认证"


def test_a_ticket_has_no_other_category() -> None:
    with pytest.raises(ValidationError, match="category"):
        TicketForm.model_validate({"category": "其他"})


def test_each_revision_of_a_ticket_has_its_own_record_with_its_own_hash() -> None:
    second = TicketRef(ticket_no="T-1", revision=2, sha256="d" * 64)
    assert (TICKET.record.path, TICKET.record.sha256) == ("tickets/T-1/r1.json", "a" * 64)
    assert (second.record.path, second.record.sha256) == ("tickets/T-1/r2.json", "d" * 64)
