"""The seeded accounts show every situation of the process, and what is changed by hand shows at once."""

from datetime import UTC, datetime

import pytest
from httpx2 import AsyncClient

from domain.accounts import AccountProfile, RefusalReason, refusal_reason
from domain.checks import RULES, Check, Entitlements, Reason
from domain.errors import ErrorType
from gateways.contract import READS
from simulator.problems import PlatformProblem
from simulator.store import SimulatorStore
from tests.simulator.conftest import assert_problem

NOW = datetime.now(UTC)


async def reasons(http: AsyncClient, account_id: str) -> dict[Check, Reason]:
    """The domain's checks on what the platform answers."""
    found = {}
    for check, rule in RULES.items():
        answered = await http.get(f"/accounts/{account_id}/{READS[check].path}")
        outcome = rule.judge(rule.answer.model_validate_json(answered.content), NOW)
        if outcome.reason:
            found[check] = outcome.reason
    return found


async def profile(http: AsyncClient, account_id: str) -> AccountProfile:
    return AccountProfile.model_validate_json((await http.get(f"/accounts/{account_id}")).content)


BALANCE = {Check.BALANCE: Reason.BALANCE_WITHDRAWABLE}
FROZEN = {Check.BALANCE: Reason.BALANCE_NOT_WITHDRAWABLE}
ARREARS = {Check.ARREARS: Reason.ARREARS_UNPAID}
PROVIDER = {Check.PROVIDER: Reason.PROVIDER_BUSINESS_ACTIVE}
ICP = {Check.ICP_FILING: Reason.ICP_FILING_EVER_APPLIED}
RESOURCES = {Check.RESOURCES: Reason.RESOURCES_ACTIVE}


@pytest.mark.parametrize(
    ("account_id", "expected"),
    [
        ("acct-clean-phone", {}),
        ("acct-clean-email", {}),
        ("acct-no-channel", {}),
        ("acct-balance", BALANCE),
        ("acct-frozen", FROZEN),
        ("acct-arrears", ARREARS),
        ("acct-arrears-balance", ARREARS | BALANCE),
        ("acct-provider", PROVIDER),
        ("acct-icp", ICP),
        ("acct-resources", RESOURCES),
        ("acct-enterprise", FROZEN | ICP),
        ("acct-four-reasons", BALANCE | ARREARS | PROVIDER | RESOURCES),
    ],
)
async def test_a_seeded_account_is_blocked_by_exactly_what_it_stands_for(
    http: AsyncClient, account_id: str, expected: dict[Check, Reason]
) -> None:
    assert await reasons(http, account_id) == expected


async def test_one_seeded_account_is_blocked_by_everything(http: AsyncClient) -> None:
    assert list(await reasons(http, "acct-everything")) == list(Check)


@pytest.mark.parametrize(
    ("account_id", "channels", "real_name_type"),
    [
        ("acct-clean-phone", ["PHONE"], "INDIVIDUAL"),
        ("acct-clean-email", ["EMAIL"], "NONE"),
        ("acct-no-channel", [], "INDIVIDUAL"),
        ("acct-enterprise", ["PHONE", "EMAIL"], "ENTERPRISE"),
    ],
)
async def test_a_profile_tells_kinds_of_contact_and_never_an_address(
    http: AsyncClient, account_id: str, channels: list[str], real_name_type: str
) -> None:
    response = await http.get(f"/accounts/{account_id}")
    assert response.json()["channels"] == channels
    assert response.json()["real_name_type"] == real_name_type
    assert "138" not in response.text
    assert "@" not in response.text


@pytest.mark.parametrize(
    ("account_id", "reason"),
    [
        ("acct-sub-user", RefusalReason.SUB_USER),
        ("acct-closed", RefusalReason.ALREADY_CLOSED),
        ("acct-restricted", RefusalReason.RESTRICTED),
        ("acct-clean-phone", None),
    ],
)
async def test_the_accounts_that_are_refused_at_the_start_look_like_it(
    http: AsyncClient, account_id: str, reason: RefusalReason | None
) -> None:
    assert refusal_reason(await profile(http, account_id)) is reason


async def test_a_clean_account_still_has_something_to_forfeit(http: AsyncClient) -> None:
    found = Entitlements.model_validate_json((await http.get("/accounts/acct-clean-phone/entitlements")).content)
    assert [item.value_fen for item in found.items] == [5_000, 12_800, 0, 0]


@pytest.mark.parametrize("fact", ["", "/entitlements", *(f"/{read.path}" for read in READS.values())])
async def test_an_unknown_account_is_a_problem_of_its_own_type(http: AsyncClient, fact: str) -> None:
    assert_problem(await http.get(f"/accounts/acct-nobody{fact}"), ErrorType.ACCOUNT_UNKNOWN)


async def test_an_invalid_request_is_told_where_and_why_but_not_what_it_said(http: AsyncClient) -> None:
    body = {"channel": "13812345678", "request_id": "r", "extra": "someone@example.org"}
    response = await http.post("/accounts/acct-clean-phone/challenges", json=body)
    problem = assert_problem(response, ErrorType.REQUEST_INVALID)
    assert {error["at"] for error in problem["errors"]} == {"body.channel", "body.extra"}
    assert "13812345678" not in response.text
    assert "someone@" not in response.text


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nothing", 404), ("PATCH", "/accounts/acct-clean-phone", 405)]
)
async def test_an_unknown_route_is_a_problem_document_too(
    http: AsyncClient, method: str, path: str, status: int
) -> None:
    response = await http.request(method, path)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {"type": "about:blank", "title": response.reason_phrase, "status": status}


async def test_the_server_is_healthy(http: AsyncClient) -> None:
    assert (await http.get("/healthz")).json() == {"status": "ok"}


async def test_four_reasons_are_put_right_one_by_one(http: AsyncClient, store: SimulatorStore, account: str) -> None:
    broken = {"available_fen": 100, "arrears_fen": 200, "resources.vm": 2, "provider.CLOUD_MARKET": 1}
    await store.set_facts(account, **broken)
    assert await reasons(http, account) == BALANCE | ARREARS | PROVIDER | RESOURCES
    left = set(broken)
    for field in broken:
        await store.set_facts(account, **{field: 0})
        left.remove(field)
        assert len(await reasons(http, account)) == len(left)


async def test_every_kind_of_fact_can_be_set(http: AsyncClient, store: SimulatorStore, account: str) -> None:
    await store.set_facts(
        account,
        frozen_fen="7",
        offline_fen=8,
        icp_applications_ever=3,
        icp_active_filings=1,
        restricted="true",
        real_name_type="ENTERPRISE",
        kind="SUB_USER",
        channels="EMAIL",
        **{"resources.rds": 2},
    )
    state = await store.account(account)
    balance = state.facts[Check.BALANCE]
    assert (balance["frozen_fen"], balance["offline_fen"]) == (7, 8)
    assert state.facts[Check.ICP_FILING] == {"applications_ever": 3, "active_filings": 1}
    assert state.profile.restricted
    assert state.profile == await profile(http, account)
    assert state.profile.channels == ("EMAIL",)
    assert state.facts[Check.RESOURCES] == {"active": [{"product": "rds", "count": 2}]}


@pytest.mark.parametrize(
    "facts",
    [{"available_fen": -1}, {"resources.unicorn": 1}, {"nonsense": 1}, {"channels": "PIGEON"}, {"restricted": "maybe"}],
)
async def test_a_fact_that_cannot_be_is_refused_and_changes_nothing(
    store: SimulatorStore, account: str, facts: dict[str, int | str]
) -> None:
    before = await store.account(account)
    with pytest.raises(PlatformProblem, match=next(iter(facts))):
        await store.set_facts(account, arrears_fen=5, **facts)
    assert await store.account(account) == before


async def test_facts_of_an_unknown_account_cannot_be_set(store: SimulatorStore) -> None:
    with pytest.raises(PlatformProblem) as refused:
        await store.set_facts("acct-nobody", arrears_fen=0)
    assert refused.value.type is ErrorType.ACCOUNT_UNKNOWN


async def test_clean_accounts_are_made_by_the_number_and_only_once(store: SimulatorStore) -> None:
    first = await store.add_clean_accounts("acct-bulk", 3)
    assert first == ["acct-bulk-00001", "acct-bulk-00002", "acct-bulk-00003"]
    await store.set_facts(first[0], arrears_fen=1)
    assert await store.add_clean_accounts("acct-bulk", 4) == [*first, "acct-bulk-00004"]
    assert (await store.account(first[0])).facts[Check.ARREARS] == {"unpaid_fen": 1}
