"""The point of no return: the order of destruction, how long records stay, and a dossier that suffices by itself."""

from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.accounts import Channel, RealNameType
from domain.actors import Actor, Via
from domain.checks import (
    Balance,
    Check,
    CheckOutcome,
    EligibilityReport,
    Entitlement,
    EntitlementKind,
    Entitlements,
    ForfeitList,
    check_balance,
)
from domain.deletion import (
    DELETION_STAGES,
    RETENTION_YEARS,
    Certificate,
    Confirmation,
    DeletionInput,
    DeletionPhase,
    Dossier,
    IdentityEvidence,
    IdentityMethod,
    NoticeAcceptance,
    Receipt,
    RetentionRule,
    certificate_path,
    certificates_of,
    dossier_path,
    retained_records,
)
from domain.locale import Locale
from domain.model import VaultRef
from domain.tickets import BalanceChoice, BalanceWish, Decision, DecisionKind, RecordedDecision, TicketRef

# On a busy machine a test is slow, not wrong.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
CLOSED_AT = datetime(2026, 11, 22, 10, 5, tzinfo=UTC)
OWNER, AGENT = Actor(subject="person-1", via=Via.CONSOLE), Actor(subject="agent-1", via=Via.API)
TICKET = TicketRef(ticket_no="T-1", revision=2, sha256="a" * 64)
VOUCHER = Entitlement(entitlement_id="v-1", kind=EntitlementKind.VOUCHER, value_fen=5_000)

opaque_ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)
instants = st.datetimes(datetime(2024, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def report(number: int) -> EligibilityReport:
    money = Balance(available_fen=100, frozen_fen=0, in_withdrawal_fen=0, offline_fen=0)
    outcomes = {check: CheckOutcome.of(check, AT, None, {}) for check in Check} | {
        Check.BALANCE: check_balance(money, AT)
    }
    return EligibilityReport.compose("C-1", number, outcomes, ForfeitList.of(Entitlements(items=(VOUCHER,)), None))


SELF_SERVICE = Dossier(
    request_no="C-1",
    account_id="acc-1",
    real_name_type=RealNameType.INDIVIDUAL,
    locale=Locale.ZH,
    identity=IdentityEvidence(
        method=IdentityMethod.CODE, channel=Channel.PHONE, evidence_id="challenge-1", verified_at=AT, by=OWNER
    ),
    notice=NoticeAcceptance(version="2026-11", sha256="b" * 64, accepted_at=AT, by=OWNER),
    confirmation=Confirmation(report_digest=report(1).digest, confirmed_at=AT, by=OWNER),
    ticket=None,
    decision=None,
    report=report(1),
    sealing_report=report(2),
    waivers=(),
    balance_consent="",
    voucher_consent="我知悉并同意",
    sealed_at=AT,
    previous=None,
)
BY_TICKET = SELF_SERVICE.model_copy(
    update={
        "locale": Locale.EN,
        "identity": IdentityEvidence(
            method=IdentityMethod.ATTESTED, channel=None, evidence_id="decision-1", verified_at=AT, by=AGENT
        ),
        "confirmation": None,
        "ticket": TICKET,
        "decision": RecordedDecision(
            kind=DecisionKind.APPROVE,
            decision=Decision(
                decision_id="decision-1",
                ticket_no="T-1",
                operator_id="agent-1",
                decided_at=AT,
                revision_sha256=TICKET.sha256,
                report_digest=report(1).digest,
                waived=(Check.BALANCE,),
                identity_attested=True,
            ),
            received_at=AT,
            late=False,
        ),
        "waivers": report(1).waivers_needed(),
        "balance": BalanceChoice(wish=BalanceWish.GIVE_UP, amount_fen=100),
        "balance_consent": "I give up the whole balance",
        "previous": VaultRef(path="dossiers/acc-1/first.json", sha256="c" * 64),
    }
)
DOSSIERS = [pytest.param(SELF_SERVICE, id="self-service"), pytest.param(BY_TICKET, id="by ticket")]


# --- the stages ---


def test_every_phase_of_deletion_has_its_place_in_exactly_one_stage() -> None:
    assert sorted(chain.from_iterable(DELETION_STAGES)) == sorted(DeletionPhase)


def test_the_account_is_told_before_its_contacts_are_erased_and_the_certificate_comes_last() -> None:
    together, *in_turn = DELETION_STAGES
    assert set(together) == {"revoke-credentials", "unbind-third-parties", "forfeit-entitlements", "purge-resources"}
    assert in_turn == [("send-final-notice",), ("erase-personal-data",), ("issue-certificate",)]


# --- what stays ---


def test_every_rule_of_retention_keeps_something_and_for_whole_years() -> None:
    assert {rule for rule, _ in RETENTION_YEARS.values()} == set(RetentionRule)
    assert RETENTION_YEARS == {
        "transactions": (RetentionRule.ECOMMERCE_LAW_31, 3),
        "invoices": (RetentionRule.INVOICE_MEASURES_28, 5),
        "access-logs": (RetentionRule.CYBERSECURITY_LAW_23, 1),
        "cancellation-evidence": (RetentionRule.PIPL_56_EVIDENCE_OF_CONSENT, 3),
    }


@pytest.mark.parametrize(
    ("closed_at", "kept_until"),
    [
        pytest.param(
            "2026-11-22T10:05:00.000001",
            {
                "access-logs": "2027-11-22T10:05:00.000001",
                "transactions": "2029-11-22T10:05:00.000001",
                "cancellation-evidence": "2029-11-22T10:05:00.000001",
                "invoices": "2031-11-22T10:05:00.000001",
            },
            id="an ordinary day",
        ),
        pytest.param(
            "2028-02-29T23:59:59",
            {
                "access-logs": "2029-03-01T23:59:59",
                "transactions": "2031-03-01T23:59:59",
                "cancellation-evidence": "2031-03-01T23:59:59",
                "invoices": "2033-03-01T23:59:59",
            },
            id="29 February, never a day too short",
        ),
        pytest.param(
            "2027-02-28T00:00:00",
            {
                "access-logs": "2028-02-28T00:00:00",
                "transactions": "2030-02-28T00:00:00",
                "cancellation-evidence": "2030-02-28T00:00:00",
                "invoices": "2032-02-28T00:00:00",
            },
            id="28 February",
        ),
    ],
)
def test_records_are_kept_to_the_same_day_years_later(closed_at: str, kept_until: dict[str, str]) -> None:
    records = retained_records(datetime.fromisoformat(closed_at).replace(tzinfo=UTC))
    assert {record.record_class: record.keep_until for record in records} == {
        name: datetime.fromisoformat(until).replace(tzinfo=UTC) for name, until in kept_until.items()
    }


@unhurried
@given(instants)
def test_nothing_is_kept_for_less_than_its_years_or_for_a_day_more(closed_at: datetime) -> None:
    for record in retained_records(closed_at):
        rule, years = RETENTION_YEARS[record.record_class]
        assert (record.rule, record.keep_years) == (rule, years)
        leap_days = record.keep_until - closed_at - timedelta(days=365 * years)
        assert timedelta(0) <= leap_days <= timedelta(days=(years + 3) // 4)
        assert record.keep_until.year == closed_at.year + years


# --- dossier and certificate ---


@pytest.mark.parametrize("dossier", DOSSIERS)
def test_a_deletion_can_be_had_from_the_dossier_alone(dossier: Dossier) -> None:
    ref = VaultRef(path=dossier_path(dossier.account_id, dossier.content_sha256()), sha256=dossier.content_sha256())
    read_again = Dossier.model_validate_json(dossier.model_dump_json())
    assert read_again == dossier
    assert read_again.content_sha256() == ref.sha256

    limits = (timedelta(hours=24), timedelta(hours=2))
    deletion = DeletionInput.from_dossier(read_again, ref, *limits)
    assert deletion == DeletionInput.from_dossier(dossier, ref, *limits)
    assert deletion == DeletionInput(
        request_no="C-1",
        account_id="acc-1",
        locale=dossier.locale,
        dossier=ref,
        ticket=dossier.ticket,
        final_notice_limit=timedelta(hours=24),
        stuck_after=timedelta(hours=2),
    )
    assert DeletionInput.model_validate_json(deletion.model_dump_json()) == deletion


@given(opaque_ids, opaque_ids, opaque_ids, opaque_ids)
def test_no_two_accounts_or_requests_share_a_certificate_and_each_is_found_in_its_folder(
    request_no: str, account_id: str, other_no: str, other_account: str
) -> None:
    path = certificate_path(request_no, account_id)
    assert path.startswith(f"{certificates_of(request_no)}/")
    same = (request_no, account_id) == (other_no, other_account)
    assert (path == certificate_path(other_no, other_account)) == same


def test_another_dossier_of_the_same_account_lies_elsewhere() -> None:
    paths = {dossier_path("acc-1", dossier.content_sha256()) for dossier in (SELF_SERVICE, BY_TICKET)}
    assert len(paths) == 2
    assert all(path.startswith("dossiers/acc-1/") for path in paths)


def test_a_certificate_is_found_by_its_request_number_and_comes_back_whole() -> None:
    certificate = Certificate(
        request_no="C-1",
        account_id="acc-1",
        notice_version="2026-11",
        notice_sha256="b" * 64,
        closed_at=CLOSED_AT,
        issued_at=CLOSED_AT,
        receipts=tuple(Receipt(phase=phase, counts={"deleted": 2}, completed_at=CLOSED_AT) for phase in DeletionPhase),
        forfeited=(VOUCHER,),
        waived=BY_TICKET.waivers,
        retained=retained_records(CLOSED_AT),
        previous=VaultRef(path="dossiers/acc-1/first.json", sha256="c" * 64),
    )
    assert certificate_path(certificate.request_no, certificate.account_id) == "certificates/C-1/acc-1.json"
    assert Certificate.model_validate_json(certificate.model_dump_json()) == certificate
