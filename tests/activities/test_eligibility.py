"""Reads that stay small however large an account is: what is long lies in the vault, under its own hash."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.eligibility import CheckInput, EligibilityActivities, ListEntitlementsInput, all_forfeits
from devtools.benchmarks.instant import nothing
from domain.checks import (
    MAX_LISTED,
    ActiveResource,
    Check,
    CheckOutcome,
    Entitlements,
    ForfeitList,
    Marketplace,
    ProviderRole,
    ProviderRoles,
    Reason,
    Resources,
    Verdict,
    added_since,
)
from domain.errors import ErrorType
from domain.model import VaultRef
from gateways.errors import GatewayError
from gateways.vault import ObjectVault
from tests.activities.papers import ACCOUNT, AT, NO_ANSWER, platform, report, size, vault, vouchers

INPUT = CheckInput(account_id=ACCOUNT, at=AT)
SMALL = 4096
"""Bytes: some dozens of these are in the history of every request."""


def lists(records: ObjectVault, items: Entitlements) -> EligibilityActivities:
    return EligibilityActivities(platform(entitlements=items).platform, records)


async def test_5000_vouchers_make_a_small_payload_and_lie_in_the_vault_as_a_whole() -> None:
    records = vault()
    everything = Entitlements(items=vouchers(5000))
    found = await lists(records, everything).list_entitlements(ListEntitlementsInput(account_id=ACCOUNT))
    assert size(found) < SMALL
    assert size(report(found.forfeits)) < 2 * SMALL
    assert found.forfeits.items == everything.items[:MAX_LISTED]
    assert (found.forfeits.count, found.forfeits.total_fen) == (5000, 500_000)
    assert await all_forfeits(records, found.forfeits) == everything
    assert (found.added, found.added_count) == ((), 0)


@pytest.mark.parametrize(("number", "kept"), [(0, False), (MAX_LISTED, False), (MAX_LISTED + 1, True)])
async def test_only_a_list_that_is_too_long_to_travel_goes_to_the_vault(number: int, kept: bool) -> None:
    records = vault()
    items = Entitlements(items=vouchers(number))
    found = await lists(records, items).list_entitlements(ListEntitlementsInput(account_id=ACCOUNT))
    assert (found.forfeits.listed is not None) == kept
    assert len(await records.list("lists")) == kept
    assert await all_forfeits(records, found.forfeits) == items


async def test_the_same_list_again_is_the_same_file_and_nothing_is_added() -> None:
    records = vault()
    activities = lists(records, Entitlements(items=vouchers(5000)))
    shown = (await activities.list_entitlements(ListEntitlementsInput(account_id=ACCOUNT))).forfeits
    again = await activities.list_entitlements(ListEntitlementsInput(account_id=ACCOUNT, shown=shown))
    assert again.forfeits == shown
    assert again.added_count == 0
    assert len(await records.list("lists")) == 1


async def test_what_was_shown_is_compared_item_by_item_across_the_vault() -> None:
    """All of it is beyond the first items, which are the same before and after."""
    records = vault()
    before = vouchers(5000)
    shown = (
        await lists(records, Entitlements(items=before)).list_entitlements(ListEntitlementsInput(account_id=ACCOUNT))
    ).forfeits
    grown = before[4321].model_copy(update={"value_fen": 101})
    new = tuple(item.model_copy(update={"entitlement_id": f"new-{n}"}) for n, item in enumerate(vouchers(100)))
    after = Entitlements(items=(*before[:4321], grown, *before[4400:], *new))
    found = await lists(records, after).list_entitlements(ListEntitlementsInput(account_id=ACCOUNT, shown=shown))
    assert found.added_count == 101
    assert found.added == (grown, *new)[:MAX_LISTED]
    assert size(found) < 2 * SMALL


async def test_another_order_of_the_same_5000_items_adds_nothing() -> None:
    records = vault()
    items = vouchers(5000)
    shown = (
        await lists(records, Entitlements(items=items)).list_entitlements(ListEntitlementsInput(account_id=ACCOUNT))
    ).forfeits
    shuffled = Entitlements(items=tuple(Random(7).sample(items, len(items))))
    found = await lists(records, shuffled).list_entitlements(ListEntitlementsInput(account_id=ACCOUNT, shown=shown))
    assert found.added_count == 0


@given(st.integers(0, 45), st.integers(0, 45), st.integers(0, 45))
async def test_long_and_short_lists_are_compared_as_the_rule_says(start: int, shown_to: int, found_to: int) -> None:
    records = vault()
    before = Entitlements(items=vouchers(shown_to))
    after = Entitlements(items=vouchers(found_to)[min(start, found_to) :])
    shown = (await lists(records, before).list_entitlements(ListEntitlementsInput(account_id=ACCOUNT))).forfeits
    found = await lists(records, after).list_entitlements(ListEntitlementsInput(account_id=ACCOUNT, shown=shown))
    expected = added_since(before, after)
    assert (found.added, found.added_count) == (expected[:MAX_LISTED], len(expected))


async def test_a_shown_list_that_is_not_in_the_vault_is_an_error_and_never_nothing_added() -> None:
    listed = VaultRef(path=f"lists/{ACCOUNT}/{'e' * 64}.json", sha256="e" * 64)
    shown = ForfeitList(items=vouchers(20), count=21, total_fen=2100, listed=listed)
    with pytest.raises(GatewayError) as caught:
        await lists(vault(), Entitlements(items=vouchers(21))).list_entitlements(
            ListEntitlementsInput(account_id=ACCOUNT, shown=shown)
        )
    assert caught.value.type is ErrorType.VAULT_RECORD_MISSING


# --- the lines of a check ---


async def resources(records: ObjectVault, number: int) -> CheckOutcome:
    active = tuple(ActiveResource(product=f"product-{n}", count=n + 1) for n in range(number))
    stub = platform(facts=Resources(active=active))
    return await EligibilityActivities(stub.platform, records).check(Check.RESOURCES, INPUT)


@pytest.mark.parametrize("number", [1, MAX_LISTED, MAX_LISTED + 1, 5000])
async def test_the_first_products_travel_and_more_of_them_lie_in_the_vault(number: int) -> None:
    records = vault()
    outcome = await resources(records, number)
    assert (outcome.verdict, outcome.reason) == (Verdict.BLOCKED, Reason.RESOURCES_ACTIVE)
    assert outcome.figures == {"active_resources": number * (number + 1) // 2}, "of all of them"
    assert [item.code for item in outcome.items] == [f"product-{n}" for n in range(min(number, MAX_LISTED))]
    assert size(outcome) < SMALL
    if number <= MAX_LISTED:
        assert outcome.listed is None
        assert await records.list("lists") == []
    else:
        assert outcome.listed is not None
        kept = (await records.read_blob(outcome.listed)).decode()
        assert kept.count('"code"') == number
    assert await resources(records, number) == outcome


async def test_more_provider_roles_than_there_are_marketplaces_are_bounded_too() -> None:
    roles = tuple(ProviderRole(marketplace=Marketplace.YUNDING, businesses_in_progress=1) for _ in range(30))
    records = vault()
    stub = platform(facts=ProviderRoles(roles=roles))
    outcome = await EligibilityActivities(stub.platform, records).check(Check.PROVIDER, INPUT)
    assert outcome.figures == {"businesses_in_progress": 30}
    assert len(outcome.items) == MAX_LISTED
    assert outcome.listed is not None


@pytest.mark.parametrize("check", Check)
async def test_a_platform_that_does_not_answer_is_an_error_and_never_a_pass(check: Check) -> None:
    silent = EligibilityActivities(platform(facts=NO_ANSWER).platform, vault())
    with pytest.raises(GatewayError):
        await silent.check(check, INPUT)


async def test_each_check_is_an_activity_of_its_own_that_asks_for_its_own_facts() -> None:
    stub = platform(facts=[nothing(check) for check in Check])
    activities = EligibilityActivities(stub.platform, vault()).checks()
    outcomes = [await check(INPUT) for check in activities]
    assert [(outcome.check, outcome.verdict) for outcome in outcomes] == [(check, Verdict.PASSED) for check in Check]
    assert stub.called("facts") == [(ACCOUNT, check) for check in Check]
