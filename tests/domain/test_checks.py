"""The checks and their report: what blocks, who can put it right, what a ticket may waive, what is confirmed."""

from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from domain.checks import (
    ENTITLEMENTS,
    MAX_LISTED,
    REMEDIES,
    ActiveResource,
    Arrears,
    Balance,
    Check,
    CheckOutcome,
    EligibilityReport,
    Entitlement,
    EntitlementKind,
    Entitlements,
    Figure,
    ForfeitList,
    IcpFilings,
    Marketplace,
    ProviderRole,
    ProviderRoles,
    Reason,
    Remedy,
    Resources,
    Verdict,
    Waiver,
    added_since,
    check_arrears,
    check_balance,
    check_icp_filing,
    check_provider,
    check_resources,
)
from domain.model import VaultRef

# On a busy machine a test is slow, not wrong.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
NOTHING = ForfeitList(items=(), count=0, total_fen=0)
VOUCHER = Entitlement(entitlement_id="v-1", kind=EntitlementKind.VOUCHER, value_fen=5_000)
A_VOUCHER = ForfeitList(items=(VOUCHER,), count=1, total_fen=5_000)
LISTED = VaultRef(path="lists/acc-1/all.json", sha256="a" * 64)


def balance(available: int = 0, frozen: int = 0, in_withdrawal: int = 0, offline: int = 0) -> CheckOutcome:
    money = Balance(available_fen=available, frozen_fen=frozen, in_withdrawal_fen=in_withdrawal, offline_fen=offline)
    return check_balance(money, AT)


def arrears(unpaid: int = 0) -> CheckOutcome:
    return check_arrears(Arrears(unpaid_fen=unpaid), AT)


def provider(*businesses: int) -> CheckOutcome:
    roles = zip(Marketplace, businesses, strict=False)
    return check_provider(
        ProviderRoles(roles=tuple(ProviderRole(marketplace=m, businesses_in_progress=n) for m, n in roles)), AT
    )


def icp_filing(ever: int = 0, active: int = 0) -> CheckOutcome:
    return check_icp_filing(IcpFilings(applications_ever=ever, active_filings=active), AT)


def resources(*numbers: int) -> CheckOutcome:
    active = tuple(ActiveResource(product=f"product-{n}", count=count) for n, count in enumerate(numbers))
    return check_resources(Resources(active=active), AT)


def compose(
    outcomes: dict[Check, CheckOutcome], number: int = 1, no: str = "C-1", entitlements: ForfeitList | None = NOTHING
) -> EligibilityReport:
    return EligibilityReport.compose(no, number, outcomes, entitlements)


ALL_PASSED = {check: CheckOutcome.of(check, AT, None, {}) for check in Check}
WAIVE_ALL = tuple(Waiver(check=check, figures=dict.fromkeys(Figure, 10**12)) for check in Check)

fen = st.integers(0, 10**12)
# Few different numbers, so that more, the same and less than was waived all come up.
few = st.integers(0, 2)
OUTCOMES_OF: dict[Check, st.SearchStrategy[CheckOutcome]] = {
    Check.BALANCE: st.builds(balance, few, few, few, few),
    Check.ARREARS: st.builds(arrears, few),
    Check.PROVIDER: st.builds(provider, few),
    Check.ICP_FILING: st.builds(icp_filing, few),
    Check.RESOURCES: st.builds(resources, few),
}
checks = st.sampled_from(Check)
unknown = st.builds(CheckOutcome.unknown, checks, st.just(AT))
outcomes_by_check = st.fixed_dictionaries(
    {check: st.one_of(known, st.just(CheckOutcome.unknown(check, AT))) for check, known in OUTCOMES_OF.items()}
)
reports = st.builds(compose, outcomes_by_check)
waived_figures = st.dictionaries(st.sampled_from(Figure), few)
waivers = st.builds(Waiver, check=checks, figures=waived_figures) | st.sampled_from(WAIVE_ALL)
some_waivers = st.lists(waivers, max_size=5).map(tuple)


# --- each check ---


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        pytest.param(balance(available=1), Reason.BALANCE_WITHDRAWABLE, id="one fen to withdraw"),
        pytest.param(balance(in_withdrawal=1), Reason.BALANCE_IN_WITHDRAWAL, id="one fen on its way out"),
        pytest.param(balance(frozen=1), Reason.BALANCE_NOT_WITHDRAWABLE, id="one fen frozen"),
        pytest.param(balance(offline=1), Reason.BALANCE_NOT_WITHDRAWABLE, id="one fen paid in offline"),
        pytest.param(arrears(1), Reason.ARREARS_UNPAID, id="one fen unpaid"),
        pytest.param(provider(0, 0, 1), Reason.PROVIDER_BUSINESS_ACTIVE, id="business on one marketplace"),
        pytest.param(icp_filing(ever=1, active=0), Reason.ICP_FILING_EVER_APPLIED, id="a filing cancelled since"),
        pytest.param(resources(0, 1), Reason.RESOURCES_ACTIVE, id="one resource"),
    ],
)
def test_what_blocks_names_its_reason(outcome: CheckOutcome, reason: Reason) -> None:
    assert (outcome.verdict, outcome.reason, outcome.checked_at) == (Verdict.BLOCKED, reason, AT)


@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param(balance(), id="no money"),
        pytest.param(arrears(), id="nothing unpaid"),
        pytest.param(provider(), id="no provider"),
        pytest.param(provider(0, 0, 0), id="a provider on every marketplace, without business"),
        pytest.param(icp_filing(), id="no filing ever"),
        pytest.param(resources(), id="no resources"),
        pytest.param(resources(0, 0), id="products listed with nothing in them"),
    ],
)
def test_what_passes_has_no_reason_no_remedy_and_nothing_to_waive(outcome: CheckOutcome) -> None:
    assert (outcome.verdict, outcome.reason, outcome.remedy, outcome.items) == (Verdict.PASSED, None, None, ())
    assert not outcome.waivable


def test_each_reason_has_the_remedy_of_the_process() -> None:
    assert REMEDIES == {
        Reason.BALANCE_WITHDRAWABLE: Remedy.SELF_SERVICE,
        Reason.BALANCE_IN_WITHDRAWAL: Remedy.SELF_SERVICE,
        Reason.BALANCE_NOT_WITHDRAWABLE: Remedy.MANUAL_TICKET,
        Reason.ARREARS_UNPAID: Remedy.SELF_SERVICE,
        Reason.PROVIDER_BUSINESS_ACTIVE: Remedy.BUSINESS_CONTACT,
        Reason.ICP_FILING_EVER_APPLIED: Remedy.MANUAL_TICKET,
        Reason.RESOURCES_ACTIVE: Remedy.SELF_SERVICE,
        Reason.COULD_NOT_TELL: Remedy.SELF_SERVICE,
    }


@unhurried
@given(fen, fen, fen, fen)
def test_any_money_in_any_category_blocks_and_none_at_all_passes(a: int, f: int, w: int, o: int) -> None:
    outcome = balance(available=a, frozen=f, in_withdrawal=w, offline=o)
    assert (outcome.verdict is Verdict.BLOCKED) == (a + f + w + o > 0)
    assert outcome.figures == {"available_fen": a, "frozen_fen": f, "in_withdrawal_fen": w, "offline_fen": o}


@unhurried
@given(few, few, few, few)
def test_the_remedy_of_a_balance_follows_the_hardest_part_of_it(a: int, f: int, w: int, o: int) -> None:
    outcome = balance(available=a, frozen=f, in_withdrawal=w, offline=o)
    assert (outcome.remedy is Remedy.MANUAL_TICKET) == (f + o > 0)
    assert (outcome.reason is Reason.BALANCE_WITHDRAWABLE) == (f + o == 0 < a)
    assert (outcome.reason is Reason.BALANCE_IN_WITHDRAWAL) == (f + o + a == 0 < w)


@unhurried
@given(few, few, few)
def test_a_provider_is_blocked_by_business_and_shown_where_it_goes_on(market: int, wanxiang: int, yunding: int) -> None:
    outcome = provider(market, wanxiang, yunding)
    total = market + wanxiang + yunding
    assert (outcome.verdict is Verdict.BLOCKED) == (total > 0)
    assert outcome.figures == {"businesses_in_progress": total}
    shown = {"CLOUD_MARKET": market, "WANXIANG": wanxiang, "YUNDING": yunding}
    assert {item.code: item.count for item in outcome.items} == {code: n for code, n in shown.items() if n}


@unhurried
@given(few, few)
def test_a_filing_that_was_ever_applied_for_blocks_however_many_are_active(ever: int, active: int) -> None:
    outcome = icp_filing(ever, active)
    assert (outcome.verdict is Verdict.BLOCKED) == (ever > 0)
    assert outcome.figures == {"applications_ever": ever}


@unhurried
@given(st.lists(few, max_size=5))
def test_resources_block_by_their_total_and_are_shown_by_product(numbers: list[int]) -> None:
    outcome = resources(*numbers)
    assert (outcome.verdict is Verdict.BLOCKED) == (sum(numbers) > 0)
    assert outcome.figures == {"active_resources": sum(numbers)}
    assert {item.code: item.count for item in outcome.items} == {f"product-{i}": n for i, n in enumerate(numbers) if n}


# --- waivers ---


@unhurried
@given(st.one_of(*OUTCOMES_OF.values()))
def test_a_ticket_may_waive_blocking_balance_and_filings_and_nothing_else(outcome: CheckOutcome) -> None:
    blocked = outcome.verdict is Verdict.BLOCKED
    assert outcome.waivable == (blocked and outcome.check in (Check.BALANCE, Check.ICP_FILING))


@unhurried
@given(few, few, few, few, waived_figures)
def test_a_waiver_covers_a_balance_exactly_while_no_figure_has_grown(
    a: int, f: int, w: int, o: int, waived: dict[Figure, int]
) -> None:
    now = {Figure.AVAILABLE_FEN: a, Figure.FROZEN_FEN: f, Figure.IN_WITHDRAWAL_FEN: w, Figure.OFFLINE_FEN: o}
    assume(any(now.values()))
    grown = [figure for figure, amount in now.items() if amount > waived.get(figure, 0)]
    assert Waiver(check=Check.BALANCE, figures=waived).covers(balance(a, f, w, o)) == (not grown)


def test_money_that_moves_to_another_category_is_not_waived() -> None:
    waiver = Waiver(check=Check.BALANCE, figures=balance(available=100).figures)
    assert waiver.covers(balance(available=99))
    assert not waiver.covers(balance(available=101))
    assert not waiver.covers(balance(frozen=100))


@unhurried
@given(waivers, st.one_of(*OUTCOMES_OF.values(), unknown))
def test_a_waiver_covers_only_its_own_check_and_never_what_could_not_be_told(
    waiver: Waiver, outcome: CheckOutcome
) -> None:
    if waiver.check is not outcome.check or not outcome.waivable:
        assert not waiver.covers(outcome)
    if outcome.verdict is Verdict.UNKNOWN:
        assert not outcome.waivable


# --- the report ---


@unhurried
@given(outcomes_by_check, st.permutations(list(Check)))
def test_a_report_keeps_its_order_whatever_the_order_of_the_outcomes(
    outcomes: dict[Check, CheckOutcome], order: list[Check]
) -> None:
    report = compose({check: outcomes[check] for check in order})
    assert [outcome.check for outcome in report.outcomes] == list(Check)
    assert report == compose(outcomes)


@unhurried
@given(outcomes_by_check, st.sets(checks, min_size=1))
def test_a_report_with_fewer_checks_is_read_and_judged_by_those_it_has(
    outcomes: dict[Check, CheckOutcome], some: set[Check]
) -> None:
    report = compose({check: outcomes[check] for check in some})
    assert EligibilityReport.model_validate_json(report.model_dump_json()) == report
    assert [outcome.check for outcome in report.outcomes] == [check for check in Check if check in some]
    whole = compose(outcomes)
    assert report.reasons_left() == tuple(outcome for outcome in whole.reasons_left() if outcome.check in some)
    assert report.money_fen == (whole.money_fen if Check.BALANCE in some else 0)
    assert set(report.not_told) <= set(whole.not_told)


@unhurried
@given(reports, some_waivers)
def test_reasons_left_are_in_order_what_neither_passed_nor_is_covered(
    report: EligibilityReport, given_waivers: tuple[Waiver, ...]
) -> None:
    left = report.reasons_left(given_waivers)
    assert left == tuple(outcome for outcome in report.outcomes if outcome in left)
    for outcome in report.outcomes:
        settled = outcome.verdict is Verdict.PASSED or any(waiver.covers(outcome) for waiver in given_waivers)
        assert (outcome in left) != settled


@unhurried
@given(reports, some_waivers, some_waivers)
def test_another_waiver_never_brings_a_reason_back(
    report: EligibilityReport, some: tuple[Waiver, ...], more: tuple[Waiver, ...]
) -> None:
    fewer = report.reasons_left(some + more)
    assert [outcome for outcome in fewer if outcome not in report.reasons_left(some)] == []


@unhurried
@given(reports)
def test_what_must_be_fixed_first_is_what_no_ticket_can_waive(report: EligibilityReport) -> None:
    assert report.must_be_fixed_first() == tuple(outcome for outcome in report.reasons_left() if not outcome.waivable)
    assert report.must_be_fixed_first() == report.reasons_left(report.waivers_needed())
    assert {waiver.check for waiver in report.waivers_needed()} == {o.check for o in report.outcomes if o.waivable}


@pytest.mark.parametrize("check", Check)
def test_a_report_is_clear_when_all_passed_and_never_with_an_unknown(check: Check) -> None:
    assert compose(ALL_PASSED).is_clear()
    unknown = CheckOutcome.unknown(check, AT)
    assert (unknown.verdict, unknown.reason, unknown.remedy) == ("UNKNOWN", "COULD_NOT_TELL", "SELF_SERVICE")
    report = compose(ALL_PASSED | {check: unknown})
    assert report.must_be_fixed_first() == report.reasons_left(WAIVE_ALL) == (unknown,)
    assert not report.is_clear(WAIVE_ALL)


def test_a_report_is_not_clear_while_it_is_unknown_what_would_be_given_up() -> None:
    assert compose(ALL_PASSED, entitlements=A_VOUCHER).is_clear()
    assert not compose(ALL_PASSED, entitlements=None).is_clear(WAIVE_ALL)


@unhurried
@given(reports)
def test_with_arrears_and_a_balance_the_order_is_to_pay_and_then_to_withdraw(report: EligibilityReport) -> None:
    money, unpaid = report.outcomes[:2]
    assert report.pay_before_withdrawing == (money.verdict is unpaid.verdict is Verdict.BLOCKED)


@unhurried
@given(outcomes_by_check, outcomes_by_check)
def test_a_digest_belongs_to_one_request_one_number_and_one_content(
    outcomes: dict[Check, CheckOutcome], others: dict[Check, CheckOutcome]
) -> None:
    report = compose(outcomes)
    assert compose(outcomes).digest == report.digest
    assert compose(outcomes, number=2).digest != report.digest
    assert compose(outcomes, no="C-2").digest != report.digest
    assert compose(outcomes, entitlements=A_VOUCHER).digest != report.digest
    assert compose(outcomes, entitlements=None).digest != report.digest
    assert (compose(others).digest == report.digest) == (others == outcomes)


@unhurried
@given(outcomes_by_check, few)
def test_a_longer_list_in_the_vault_belongs_to_the_digest(outcomes: dict[Check, CheckOutcome], value: int) -> None:
    """Item 21 and those after it are agreed to by the hash of the whole list."""
    forfeits = A_VOUCHER.model_copy(update={"listed": LISTED})
    others = A_VOUCHER.model_copy(update={"listed": LISTED.model_copy(update={"sha256": f"{value}" * 64})})
    assert compose(outcomes, entitlements=forfeits).digest != compose(outcomes, entitlements=others).digest
    listed = outcomes[Check.RESOURCES].model_copy(update={"listed": LISTED})
    assert compose(outcomes).digest != compose(outcomes | {Check.RESOURCES: listed}).digest


# --- what the platform could not say, and the money ---


@unhurried
@given(outcomes_by_check, st.sampled_from([None, NOTHING, A_VOUCHER]))
def test_what_could_not_be_told_is_named_in_the_order_of_the_report_and_blocks_it(
    outcomes: dict[Check, CheckOutcome], forfeits: ForfeitList | None
) -> None:
    report = compose(outcomes, entitlements=forfeits)
    unknown = [check for check in Check if outcomes[check].verdict is Verdict.UNKNOWN]
    assert report.not_told == (*unknown, *([ENTITLEMENTS] if forfeits is None else []))
    assert not (report.not_told and report.is_clear(WAIVE_ALL))


def test_an_empty_list_of_forfeits_was_told() -> None:
    assert compose(ALL_PASSED, entitlements=NOTHING).not_told == ()
    assert compose(ALL_PASSED, entitlements=None).not_told == (ENTITLEMENTS,)


@unhurried
@given(fen, fen, fen, fen)
def test_the_money_is_the_sum_of_all_its_categories(a: int, f: int, w: int, o: int) -> None:
    outcome = balance(available=a, frozen=f, in_withdrawal=w, offline=o)
    assert outcome.total_fen == a + f + w + o
    assert compose(ALL_PASSED | {Check.BALANCE: outcome}).money_fen == a + f + w + o


@unhurried
@given(fen, few, few, few)
def test_arrears_and_counts_are_no_money_of_the_owners(unpaid: int, businesses: int, filings: int, active: int) -> None:
    others = {
        Check.ARREARS: arrears(unpaid),
        Check.PROVIDER: provider(businesses),
        Check.ICP_FILING: icp_filing(filings),
        Check.RESOURCES: resources(active),
    }
    assert compose(ALL_PASSED | others).money_fen == 0
    assert (provider(businesses).total_fen, icp_filing(filings).total_fen, resources(active).total_fen) == (0, 0, 0)


def test_a_balance_that_could_not_be_told_is_no_money_and_is_not_told() -> None:
    report = compose(ALL_PASSED | {Check.BALANCE: CheckOutcome.unknown(Check.BALANCE, AT)})
    assert report.money_fen == 0
    assert report.not_told == (Check.BALANCE,)


# --- what is forfeited ---

items = st.builds(
    Entitlement,
    entitlement_id=st.integers(0, 30).map(lambda n: f"e-{n}"),
    kind=st.sampled_from(EntitlementKind),
    value_fen=fen,
)
holdings = st.lists(items, max_size=40, unique_by=lambda item: item.entitlement_id).map(
    lambda found: Entitlements(items=tuple(found))
)


@unhurried
@given(holdings, st.sampled_from([None, LISTED]))
def test_a_report_carries_the_first_of_a_long_list_and_what_all_of_it_comes_to(
    all: Entitlements, listed: VaultRef | None
) -> None:
    forfeits = ForfeitList.of(all, listed)
    assert forfeits.items == all.items[:MAX_LISTED]
    assert (forfeits.count, forfeits.listed) == (len(all.items), listed)
    assert forfeits.total_fen == sum(item.value_fen for item in all.items)


@unhurried
@given(holdings, st.data())
def test_nothing_is_added_by_what_goes_shrinks_or_changes_its_place(shown: Entitlements, data: st.DataObject) -> None:
    left = data.draw(st.lists(st.sampled_from(shown.items), unique=True)) if shown.items else []
    found = tuple(item.model_copy(update={"value_fen": data.draw(st.integers(0, item.value_fen))}) for item in left)
    assert added_since(shown, Entitlements(items=found)) == ()


@unhurried
@given(holdings, holdings)
def test_added_is_exactly_what_is_new_worth_more_or_of_another_kind(shown: Entitlements, found: Entitlements) -> None:
    def was_shown(item: Entitlement) -> bool:
        return any(
            (known.entitlement_id, known.kind) == (item.entitlement_id, item.kind) and item.value_fen <= known.value_fen
            for known in shown.items
        )

    assert added_since(shown, found) == tuple(item for item in found.items if not was_shown(item))


@unhurried
@given(holdings, holdings, st.randoms(use_true_random=False))
def test_the_order_of_neither_list_matters(shown: Entitlements, found: Entitlements, random: Random) -> None:
    def shuffled(all: Entitlements) -> Entitlements:
        return Entitlements(items=tuple(random.sample(all.items, len(all.items))))

    assert set(added_since(shuffled(shown), shuffled(found))) == set(added_since(shown, found))


@unhurried
@given(holdings.filter(lambda all: bool(all.items)), st.data())
def test_one_fen_more_or_another_kind_is_added(shown: Entitlements, data: st.DataObject) -> None:
    item = data.draw(st.sampled_from(shown.items))
    other_kind = data.draw(st.sampled_from([kind for kind in EntitlementKind if kind is not item.kind]))
    for change in ({"value_fen": item.value_fen + 1}, {"kind": other_kind}):
        changed = item.model_copy(update=change)
        found = Entitlements(items=tuple(changed if one is item else one for one in shown.items))
        assert added_since(shown, found) == (changed,)
