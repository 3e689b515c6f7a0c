"""Hold, closure and the phases of deletion: forward only, once only, and only what belongs to the cloud."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from httpx2 import AsyncClient

from domain.accounts import AccountProfile
from domain.deletion import DeletionPhase
from domain.errors import ErrorType
from gateways.contract import CLOSURE_PHASES, ClosurePhase
from simulator.kinds import Effect, Endpoint, FaultKind
from simulator.store import SimulatorStore
from tests.simulator.conftest import Caller, assert_problem, at_once, opened


async def test_a_hold_is_renewed_under_its_token(call: Caller, store: SimulatorStore, account: str) -> None:
    first = (await call.hold(account, "r1", 60)).json()
    second = (await call.hold(account, "r1", 600)).json()
    assert second["hold_token"] == first["hold_token"]
    assert second["expires_at"] > first["expires_at"]
    effects = [c.effect for c in await store.calls(Endpoint.TAKE_HOLD, account)]
    assert effects == [Effect.APPLIED, Effect.REPLAYED]


async def test_one_account_has_one_live_hold(call: Caller, account: str) -> None:
    answers = await at_once(*(call.hold(account, f"r{n}") for n in range(6)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 5}
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert 0 < assert_problem(refused, ErrorType.ACCOUNT_NOT_CLOSABLE)["retry_after_seconds"] <= 60


async def test_a_lapsed_hold_makes_way_and_comes_back_under_a_new_token(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    first = (await call.hold(account, "r1", 60)).json()["hold_token"]
    await store.let_time_pass(account, timedelta(seconds=61))
    again = (await call.hold(account, "r1", 60)).json()["hold_token"]
    assert again != first
    await store.let_time_pass(account, timedelta(seconds=61))
    assert (await call.hold(account, "r2")).status_code == 200


async def test_releasing_is_for_good_and_repeating_it_is_success(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    token = (await call.hold(account, "r1")).json()["hold_token"]
    assert [(await call.release(account, "r1")).status_code for _ in range(2)] == [204, 204]
    assert (await store.account(account)).held_until is None
    effects = [c.effect for c in await store.calls(Endpoint.RELEASE_HOLD, account)]
    assert effects == [Effect.APPLIED, Effect.ALREADY_GONE]
    assert_problem(await call.hold(account, "r1"), ErrorType.HOLD_RELEASED)
    assert_problem(await call.close(account, token), ErrorType.HOLD_LAPSED)
    assert (await call.hold(account, "r2")).status_code == 200


async def test_a_hold_released_before_it_arrives_is_never_taken(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    assert (await call.release(account, "late")).status_code == 204
    assert [c.effect for c in await store.calls(Endpoint.RELEASE_HOLD, account)] == [Effect.APPLIED]
    assert_problem(await call.hold(account, "late"), ErrorType.HOLD_RELEASED)
    assert (await store.account(account)).held_until is None


async def test_releasing_leaves_the_hold_of_another_request_alone(call: Caller, account: str) -> None:
    token = (await call.hold(account, "r2")).json()["hold_token"]
    assert (await call.release(account, "r1")).status_code == 204
    assert (await call.close(account, token)).status_code == 200


async def test_a_hold_that_lapsed_before_it_was_released_does_not_come_back(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    await call.hold(account, "r1", 60)
    await store.let_time_pass(account, timedelta(seconds=61))
    assert (await call.release(account, "r1")).status_code == 204
    assert_problem(await call.hold(account, "r1"), ErrorType.HOLD_RELEASED)


async def test_a_hold_that_races_its_release_is_gone_afterwards_whoever_wins(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    requests = [f"r{n}" for n in range(8)]
    answers = await at_once(
        *(work for request in requests for work in (call.hold(account, request), call.release(account, request)))
    )
    assert {answer.status_code for answer in answers} <= {200, 204, 409}
    assert (await store.account(account)).held_until is None


async def test_a_release_outlives_closure_and_erasure(call: Caller, account: str) -> None:
    await call.release(account, "r1")
    token = (await call.hold(account, "r2")).json()["hold_token"]
    assert (await call.close(account, token)).status_code == 200
    await call.phase(account, "erase-personal-data")
    assert_problem(await call.hold(account, "r1"), ErrorType.HOLD_RELEASED)
    assert (await call.release(account, "r2")).status_code == 204


async def test_releasing_what_nobody_can_hold_is_success_too(call: Caller) -> None:
    assert (await call.release("acct-nobody")).status_code == 204
    assert_problem(await call.release("acct-clean-phone", "-"), ErrorType.REQUEST_INVALID)


async def test_a_hold_that_is_not_there_to_take_is_refused(call: Caller) -> None:
    assert_problem(await call.hold("acct-closed"), ErrorType.ACCOUNT_NOT_CLOSABLE)
    assert_problem(await call.hold("acct-nobody"), ErrorType.ACCOUNT_UNKNOWN)
    assert_problem(await call.hold("acct-balance", ttl_seconds=0), ErrorType.REQUEST_INVALID)


async def test_closing_turns_the_hold_into_closure_and_says_on_what(
    call: Caller, http: AsyncClient, store: SimulatorStore, account: str
) -> None:
    token = (await call.hold(account)).json()["hold_token"]
    closed = (await call.close(account, token, "req-7")).json()
    profile = AccountProfile.model_validate_json((await http.get(f"/accounts/{account}")).content)
    assert profile.status == "CLOSED"
    assert profile.closure is not None
    assert profile.closure.model_dump(mode="json") == {"request_id": "req-7", "dossier_sha256": "ab" * 32, **closed}
    assert (await store.account(account)).held_until is None


async def test_closing_again_answers_the_first_closure_with_no_hold_left(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    token = (await call.hold(account)).json()["hold_token"]
    first, *others = await at_once(*(call.close(account, token) for _ in range(4)))
    assert first.status_code == 200
    assert {other.content for other in others} == {first.content}
    effects = Counter(c.effect for c in await store.calls(Endpoint.CLOSE, account))
    assert effects == {Effect.APPLIED: 1, Effect.REPLAYED: 3}


async def test_another_request_cannot_close_what_is_closed(call: Caller, account: str) -> None:
    token = (await call.hold(account)).json()["hold_token"]
    await call.close(account, token, "r1")
    assert_problem(await call.close(account, token, "r2"), ErrorType.ACCOUNT_NOT_CLOSABLE)
    assert_problem(await call.hold(account, "r2"), ErrorType.ACCOUNT_NOT_CLOSABLE)


async def test_closing_needs_a_live_hold_with_this_token(call: Caller, store: SimulatorStore, account: str) -> None:
    assert_problem(await call.close(account, "hold-none"), ErrorType.HOLD_LAPSED)
    token = (await call.hold(account)).json()["hold_token"]
    assert_problem(await call.close(account, "hold-other"), ErrorType.HOLD_LAPSED)
    await store.let_time_pass(account, timedelta(seconds=61))
    assert_problem(await call.close(account, token), ErrorType.HOLD_LAPSED)
    assert (await store.account(account)).profile.closure is None


@pytest.mark.parametrize(
    ("facts", "waivers", "status"),
    [
        ({"available_fen": 1}, [], 409),
        ({"available_fen": 1}, ["BALANCE"], 200),
        ({"icp_applications_ever": 1}, ["BALANCE"], 409),
        ({"icp_applications_ever": 1, "frozen_fen": 9}, ["BALANCE", "ICP_FILING"], 200),
        ({"arrears_fen": 1}, ["ARREARS"], 409),
        ({"resources.vm": 1}, ["RESOURCES"], 409),
        ({"provider.YUNDING": 1}, ["PROVIDER"], 409),
        ({"provider.YUNDING": 0}, [], 200),
    ],
)
async def test_the_platform_closes_only_what_nothing_unwaived_or_unwaivable_blocks(
    call: Caller, store: SimulatorStore, account: str, facts: dict[str, int], waivers: list[str], status: int
) -> None:
    await store.set_facts(account, **facts)
    token = (await call.hold(account)).json()["hold_token"]
    answer = await call.close(account, token, "r1", *waivers)
    assert answer.status_code == status
    if status == 409:
        assert_problem(answer, ErrorType.ACCOUNT_NOT_CLOSABLE)
    assert ((await store.account(account)).profile.closure is not None) is (status == 200)


@pytest.mark.parametrize("facts", [{"restricted": True}, {"kind": "SUB_USER"}])
async def test_a_restricted_account_or_a_sub_user_is_not_closed(
    call: Caller, store: SimulatorStore, account: str, facts: dict[str, str | bool]
) -> None:
    await store.set_facts(account, **facts)
    token = (await call.hold(account)).json()["hold_token"]
    assert_problem(await call.close(account, token), ErrorType.ACCOUNT_NOT_CLOSABLE)


COUNTS = {
    DeletionPhase.REVOKE_CREDENTIALS: {"access_key": 2, "session": 1, "sub_user": 1},
    DeletionPhase.UNBIND_THIRD_PARTIES: {"github": 1, "wechat": 1},
    DeletionPhase.FORFEIT_ENTITLEMENTS: {"discount": 1, "pickup_voucher": 1, "qualification": 1, "voucher": 1},
    DeletionPhase.PURGE_RESOURCES: {"key-pair": 1, "security-group": 1},
    DeletionPhase.ERASE_PERSONAL_DATA: {"email": 1, "name": 1, "phone": 1, "real_name": 1},
}


@pytest.mark.parametrize("phase", CLOSURE_PHASES)
async def test_a_phase_really_deletes_its_kind_of_data_and_nothing_else_and_counts_it(
    call: Caller, store: SimulatorStore, account: str, phase: ClosurePhase
) -> None:
    assert (await store.account(account)).left == COUNTS
    await call.hold_and_close(account)
    receipt = (await call.phase(account, phase)).json()
    assert (receipt["counts"], receipt["already_gone"]) == (COUNTS[phase], False)
    state = await store.account(account)
    assert state.left == {**COUNTS, phase: {}}
    assert state.jd_group_accounts == 1


async def test_a_phase_under_the_same_key_answers_the_first_receipt(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    await call.hold_and_close(account)
    first, *others = await at_once(*(call.phase(account, "purge-resources", "same:key") for _ in range(5)))
    assert {other.content for other in others} == {first.content}
    effects = Counter(c.effect for c in await store.calls(Endpoint.PURGE_RESOURCES, account))
    assert effects == {Effect.APPLIED: 1, Effect.REPLAYED: 4}


async def test_a_phase_under_another_key_finds_everything_gone(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    await call.hold_and_close(account)
    await call.phase(account, "revoke-credentials", "k1")
    receipt = (await call.phase(account, "revoke-credentials", "k2")).json()
    assert receipt["already_gone"]
    assert sum(receipt["counts"].values()) == 0
    effects = [c.effect for c in await store.calls(Endpoint.REVOKE_CREDENTIALS, account)]
    assert effects == [Effect.APPLIED, Effect.ALREADY_GONE]


async def test_a_phase_with_nothing_to_do_is_not_taken_for_one_that_was_done_before(
    call: Caller, store: SimulatorStore
) -> None:
    [account] = await store.add_clean_accounts("acct-nothing-left", 1)
    await call.hold_and_close(account)
    await call.phase(account, "erase-personal-data")
    assert not (await call.phase("acct-closed", "erase-personal-data")).json()["already_gone"]


async def test_long_work_is_begun_once_and_done_once(call: Caller, store: SimulatorStore, account: str) -> None:
    await call.hold_and_close(account)
    await store.add_fault(Endpoint.PURGE_RESOURCES, FaultKind.LONG_WORK, account_id=account, seconds=7200)
    begun = await call.phase(account, "purge-resources")
    assert (begun.status_code, begun.json()) == (202, {"poll_after_seconds": 3600})
    await store.let_time_pass(account, timedelta(hours=1, seconds=1))
    for again in (await call.phase(account, "purge-resources"), await call.phase_status(account, "purge-resources")):
        assert again.status_code == 202
        assert 3000 < again.json()["poll_after_seconds"] < 3600
    assert (await store.account(account)).left == COUNTS
    assert await store.calls(Endpoint.PURGE_RESOURCES, account) == []
    await store.let_time_pass(account, timedelta(hours=1))
    first, *others = await at_once(
        *(ask(account, "purge-resources") for ask in (call.phase_status, call.phase) for _ in range(3))
    )
    assert first.status_code == 200
    assert {other.content for other in others} == {first.content}
    assert first.json()["counts"] == COUNTS[DeletionPhase.PURGE_RESOURCES]
    effects = Counter(c.effect for c in await store.calls(Endpoint.PURGE_RESOURCES, account))
    assert effects[Effect.APPLIED] == 1
    assert set(effects) <= {Effect.APPLIED, Effect.REPLAYED}


async def test_long_work_under_one_key_is_nothing_to_another_key(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    await call.hold_and_close(account)
    await store.add_fault(Endpoint.PURGE_RESOURCES, FaultKind.LONG_WORK, account_id=account, seconds=60)
    assert (await call.phase(account, "purge-resources", "k1")).status_code == 202
    assert_problem(await call.phase_status(account, "purge-resources", "k2"), ErrorType.PHASE_UNKNOWN)
    assert not (await call.phase(account, "purge-resources", "k2")).json()["already_gone"]
    await store.let_time_pass(account, timedelta(seconds=61))
    assert (await call.phase_status(account, "purge-resources", "k1")).json()["already_gone"]


async def test_work_that_is_done_is_not_begun_again_as_long_work(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    await call.hold_and_close(account)
    first = await call.phase(account, "purge-resources")
    await store.add_fault(Endpoint.PURGE_RESOURCES, FaultKind.LONG_WORK, account_id=account, seconds=60)
    again = await call.phase(account, "purge-resources")
    assert (again.status_code, again.content) == (200, first.content)


async def test_a_phase_that_took_no_time_can_be_asked_after_and_its_status_begins_nothing(
    call: Caller, http: AsyncClient, store: SimulatorStore, account: str
) -> None:
    assert_problem(await call.phase_status(account, "purge-resources"), ErrorType.PHASE_UNKNOWN)
    await call.hold_and_close(account)
    assert_problem(await call.phase_status(account, "purge-resources"), ErrorType.PHASE_UNKNOWN)
    assert (await store.account(account)).left == COUNTS
    receipt = await call.phase(account, "purge-resources")
    asked = await call.phase_status(account, "purge-resources")
    assert (asked.status_code, asked.json()) == (200, receipt.json())
    assert len(await store.calls(Endpoint.PURGE_RESOURCES, account)) == 1
    assert_problem(await call.phase_status("acct-nobody", "purge-resources"), ErrorType.ACCOUNT_UNKNOWN)
    assert_problem(await http.get(f"/accounts/{account}/closure/purge-resources"), ErrorType.REQUEST_INVALID)


async def test_long_work_outlives_the_process_that_began_it(tmp_path: Path) -> None:
    database, account = str(tmp_path / "platform.db"), "acct-clean-phone"
    async with opened(database) as (call, store):
        await call.hold_and_close(account)
        await store.add_fault(Endpoint.PURGE_RESOURCES, FaultKind.LONG_WORK, account_id=account, seconds=60)
        await call.phase(account, "purge-resources")
    async with opened(database) as (call, store):
        assert (await call.phase_status(account, "purge-resources")).status_code == 202
        await store.let_time_pass(account, timedelta(seconds=61))
        receipt = (await call.phase_status(account, "purge-resources")).json()
    assert receipt["counts"] == COUNTS[DeletionPhase.PURGE_RESOURCES]


async def test_a_fault_of_a_phase_does_not_strike_those_who_ask_how_it_is_getting_on(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    await call.hold_and_close(account)
    await store.add_fault(Endpoint.PURGE_RESOURCES, FaultKind.ERROR, account_id=account)
    await store.add_fault(Endpoint.PHASE_STATUS, FaultKind.ERROR, account_id=account, status=503)
    assert (await call.phase_status(account, "purge-resources")).status_code == 503
    assert_problem(await call.phase_status(account, "purge-resources"), ErrorType.PHASE_UNKNOWN)
    assert (await call.phase(account, "purge-resources")).status_code == 500


@pytest.mark.parametrize("phase", CLOSURE_PHASES)
async def test_no_phase_touches_an_open_account(
    call: Caller, store: SimulatorStore, account: str, phase: ClosurePhase
) -> None:
    assert_problem(await call.phase(account, phase), ErrorType.ACCOUNT_NOT_CLOSABLE)
    assert (await store.account(account)).left == COUNTS


async def test_a_phase_needs_a_key_and_a_name_that_exists(call: Caller, http: AsyncClient) -> None:
    keyless = await http.post("/accounts/acct-closed/closure/purge-resources")
    problem = assert_problem(keyless, ErrorType.REQUEST_INVALID)
    assert problem["errors"][0]["at"].lower() == "header.idempotency-key"
    assert_problem(await call.phase("acct-closed", "make-coffee"), ErrorType.REQUEST_INVALID)
    assert_problem(await call.phase("acct-nobody", "purge-resources"), ErrorType.ACCOUNT_UNKNOWN)


async def test_erasing_takes_the_addresses_out_of_the_outbox_and_leaves_the_messages(
    call: Caller, http: AsyncClient, store: SimulatorStore, account: str
) -> None:
    challenge_id = (await call.challenge(account)).json()["challenge_id"]
    phone = (await store.outbox(account))[0].destination
    assert phone is not None
    ticket = {"kind": "ticket", "email": f"ticket-of-{account}@example.com", "phone": phone}
    await call.notify_contact(ticket, f"{account}:ticket")
    await call.hold_and_close(account)
    await call.notify(account)
    before = await store.outbox(account)
    await call.phase(account, "erase-personal-data")
    after = await store.outbox(account)
    assert [message.destination for message in after] == [None, None, None]
    assert [message.text for message in after] == [message.text for message in before]
    everywhere = {message.destination for message in await store.outbox()}
    assert phone not in everywhere
    assert ticket["email"] in everywhere, "an address that was never the account's is the carrier's own record"
    assert_problem(await http.get(f"/challenges/{challenge_id}"), ErrorType.CHALLENGE_UNKNOWN)
    assert (await store.account(account)).profile.channels == ()
    assert (await call.notify(account, "k2")).json() == {"delivered": 0}
