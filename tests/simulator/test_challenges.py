"""Codes and proofs: counted, limited, single use, and nowhere kept in clear."""

import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from httpx2 import AsyncClient

from domain.errors import ErrorType
from simulator.kinds import Effect, Endpoint
from simulator.store import SimulatorStore
from tests.simulator.conftest import Caller, assert_problem, at_once, opened


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


async def test_a_code_becomes_a_proof_and_the_proof_is_redeemed(
    call: Caller, http: AsyncClient, store: SimulatorStore, account: str
) -> None:
    created = (await call.challenge(account)).json()
    shown = (await http.get(f"/challenges/{created['challenge_id']}")).json()
    assert shown["tries_left"] == 5
    assert {key: shown[key] for key in ("expires_at", "resend_after")} == {
        key: created[key] for key in ("expires_at", "resend_after")
    }
    code = await store.latest_code(account)
    assert len(code) == 6
    assert code.isdigit()
    proof = (await call.answer(created["challenge_id"], code)).json()["proof"]
    redeemed = await call.redeem(account, created["challenge_id"], proof)
    assert redeemed.status_code == 200
    assert redeemed.json()["channel"] == "PHONE"


@pytest.mark.parametrize(("channel", "shown"), [("PHONE", r"138\*\*\*\*\d{4}"), ("EMAIL", r"a\*\*\*@example\.com")])
async def test_a_destination_is_shown_masked(
    call: Caller, http: AsyncClient, account: str, channel: str, shown: str
) -> None:
    created = (await call.challenge(account, channel=channel)).json()
    masked = (await http.get(f"/challenges/{created['challenge_id']}")).json()["masked_destination"]
    assert re.fullmatch(shown, masked)


async def test_the_code_goes_to_the_chosen_channel_only(call: Caller, store: SimulatorStore, account: str) -> None:
    created = await call.challenge(account, channel="EMAIL")
    [message] = await store.outbox(account)
    assert (message.carrier, message.destination) == ("EMAIL", f"{account}@example.com")
    assert message.params["code"] in message.text
    assert message.params["code"] not in created.text


async def test_the_same_request_again_is_the_same_challenge_and_sends_nothing(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    first, *others = await at_once(*(call.challenge(account, "same") for _ in range(4)))
    assert {other.content for other in others} == {first.content}
    assert len(await store.outbox(account)) == 1
    effects = Counter(c.effect for c in await store.calls(Endpoint.CREATE_CHALLENGE, account))
    assert effects == {Effect.APPLIED: 1, Effect.REPLAYED: 3}


async def test_the_same_request_id_with_another_channel_is_a_conflict(call: Caller, account: str) -> None:
    await call.challenge(account, "same", "PHONE")
    assert_problem(await call.challenge(account, "same", "EMAIL"), ErrorType.IDEMPOTENCY_CONFLICT)


async def test_a_channel_that_is_not_verified_gets_no_code(call: Caller) -> None:
    assert_problem(await call.challenge("acct-clean-email", "r", "PHONE"), ErrorType.CHANNEL_NOT_VERIFIED)
    assert_problem(await call.challenge("acct-no-channel", "r", "EMAIL"), ErrorType.CHANNEL_NOT_VERIFIED)


async def test_a_closed_or_unknown_account_gets_no_code(call: Caller) -> None:
    assert_problem(await call.challenge("acct-closed"), ErrorType.ACCOUNT_NOT_CLOSABLE)
    assert_problem(await call.challenge("acct-nobody"), ErrorType.ACCOUNT_UNKNOWN)


async def test_wrong_codes_are_counted_down_to_a_lock_that_even_the_right_code_cannot_open(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    challenge_id = (await call.challenge(account)).json()["challenge_id"]
    code = await store.latest_code(account)
    for left in (4, 3, 2, 1):
        problem = assert_problem(await call.answer(challenge_id, wrong(code)), ErrorType.CODE_WRONG)
        assert problem["tries_left"] == left
    assert assert_problem(await call.answer(challenge_id, wrong(code)), ErrorType.CODE_LOCKED)["tries_left"] == 0
    assert_problem(await call.answer(challenge_id, code), ErrorType.CODE_LOCKED)


async def test_answers_that_arrive_at_once_get_no_extra_try(call: Caller, store: SimulatorStore, account: str) -> None:
    challenge_id = (await call.challenge(account)).json()["challenge_id"]
    code = await store.latest_code(account)
    answers = await at_once(*(call.answer(challenge_id, wrong(code)) for _ in range(20)))
    lefts = [answer.json()["tries_left"] for answer in answers if answer.status_code == 422]
    assert sorted(lefts) == [1, 2, 3, 4]
    assert Counter(answer.status_code for answer in answers) == {422: 4, 423: 16}


async def test_right_answers_that_arrive_at_once_yield_one_proof(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    challenge_id = (await call.challenge(account)).json()["challenge_id"]
    code = await store.latest_code(account)
    answers = await at_once(*(call.answer(challenge_id, code) for _ in range(6)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 5}
    assert len(await store.calls(Endpoint.ANSWER_CHALLENGE, account)) == 1


async def test_a_right_code_leaves_the_tries_as_they_were_and_works_once(
    call: Caller, http: AsyncClient, store: SimulatorStore, account: str
) -> None:
    challenge_id = (await call.challenge(account)).json()["challenge_id"]
    code = await store.latest_code(account)
    await call.answer(challenge_id, wrong(code))
    assert (await call.answer(challenge_id, code)).status_code == 200
    assert (await http.get(f"/challenges/{challenge_id}")).json()["tries_left"] == 4
    assert_problem(await call.answer(challenge_id, code), ErrorType.PROOF_USED)


async def test_a_code_expires(call: Caller, store: SimulatorStore, account: str) -> None:
    challenge_id = (await call.challenge(account)).json()["challenge_id"]
    code = await store.latest_code(account)
    await store.let_time_pass(account, timedelta(seconds=301))
    assert_problem(await call.answer(challenge_id, code), ErrorType.CODE_EXPIRED)


async def test_an_unknown_challenge_is_said_to_be_unknown(call: Caller, http: AsyncClient) -> None:
    assert_problem(await call.answer("chl-none", "000000"), ErrorType.CHALLENGE_UNKNOWN)
    assert_problem(await http.get("/challenges/chl-none"), ErrorType.CHALLENGE_UNKNOWN)


async def test_one_accounts_code_does_not_answer_anothers_challenge(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    [other] = await store.add_clean_accounts(f"{account}-x", 1)
    challenge_id = (await call.challenge(account)).json()["challenge_id"]
    mine = await store.latest_code(account)
    theirs = mine
    while theirs == mine:  # one time in a million they are the same
        await call.challenge(other, f"r-{theirs}")
        theirs = await store.latest_code(other)
        await store.let_time_pass(other, timedelta(minutes=2))
    assert_problem(await call.answer(challenge_id, theirs), ErrorType.CODE_WRONG)


async def test_a_second_code_has_to_wait_and_is_told_how_long(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    await call.challenge(account, "r1")
    problem = assert_problem(await call.challenge(account, "r2"), ErrorType.RESEND_TOO_SOON)
    assert 0 < problem["retry_after_seconds"] <= 60
    assert (await call.challenge(account, "r3", "EMAIL")).status_code == 200
    await store.let_time_pass(account, timedelta(seconds=60))
    assert (await call.challenge(account, "r4")).status_code == 200
    assert len(await store.outbox(account)) == 3


@pytest_asyncio.fixture(scope="module")
async def hurried(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Caller, SimulatorStore]]:
    """A platform without a delay between codes, which time passing would take into another day."""
    async with opened(str(tmp_path_factory.mktemp("hurried") / "platform.db"), resend_delay_seconds=0) as hurried:
        yield hurried


async def test_an_account_gets_ten_codes_a_day(hurried: tuple[Caller, SimulatorStore]) -> None:
    call, store = hurried
    [account] = await store.add_clean_accounts("acct-ten-codes", 1)
    for n in range(10):
        assert (await call.challenge(account, f"r{n}", ("PHONE", "EMAIL")[n % 2])).status_code == 200
    problem = assert_problem(await call.challenge(account, "r10"), ErrorType.DAILY_CODE_LIMIT)
    assert 0 < problem["retry_after_seconds"] <= 86_400
    await store.let_time_pass(account, timedelta(days=1))
    assert (await call.challenge(account, "r11")).status_code == 200


async def test_new_codes_do_not_bring_unlimited_tries(hurried: tuple[Caller, SimulatorStore]) -> None:
    call, store = hurried
    [account] = await store.add_clean_accounts("acct-five-codes", 1)
    sent = [(await call.challenge(account, f"r{n}")).json()["challenge_id"] for n in range(5)]
    code = await store.latest_code(account)
    for challenge_id in sent[:4]:
        for _ in range(5):
            await call.answer(challenge_id, "not it")
    locked = assert_problem(await call.answer(sent[4], code), ErrorType.CODE_LOCKED)
    assert 0 < locked["retry_after_seconds"] <= 86_400
    assert_problem(await call.challenge(account, "r5"), ErrorType.DAILY_CODE_LIMIT)


async def _proof(call: Caller, store: SimulatorStore, account: str) -> tuple[str, str]:
    challenge_id = (await call.challenge(account)).json()["challenge_id"]
    return challenge_id, (await call.answer(challenge_id, await store.latest_code(account))).json()["proof"]


async def test_redeeming_is_repeated_by_the_same_request_and_refused_to_another(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    challenge_id, proof = await _proof(call, store, account)
    first, *others = await at_once(*(call.redeem(account, challenge_id, proof, "same") for _ in range(3)))
    assert first.status_code == 200
    assert {other.content for other in others} == {first.content}
    assert_problem(await call.redeem(account, challenge_id, proof, "another"), ErrorType.PROOF_USED)
    applied = [c for c in await store.calls(Endpoint.REDEEM, account) if c.effect is Effect.APPLIED]
    assert len(applied) == 1


async def test_two_requests_that_redeem_at_once_do_not_both_get_it(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    challenge_id, proof = await _proof(call, store, account)
    answers = await at_once(*(call.redeem(account, challenge_id, proof, f"r{n}") for n in range(5)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 4}


async def test_a_proof_belongs_to_its_account_and_its_challenge(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    [other] = await store.add_clean_accounts(f"{account}-x", 1)
    challenge_id, proof = await _proof(call, store, account)
    others_challenge, _ = await _proof(call, store, other)
    assert_problem(await call.redeem(other, challenge_id, proof), ErrorType.PROOF_INVALID)
    assert_problem(await call.redeem(account, others_challenge, proof), ErrorType.PROOF_INVALID)
    assert_problem(await call.redeem(account, challenge_id, "0" * 64), ErrorType.PROOF_INVALID)
    assert_problem(await call.redeem(account, "chl-none", proof), ErrorType.PROOF_INVALID)
    assert (await call.redeem(account, challenge_id, proof)).status_code == 200


async def test_an_unanswered_challenge_has_no_proof(call: Caller, account: str) -> None:
    challenge_id = (await call.challenge(account)).json()["challenge_id"]
    assert_problem(await call.redeem(account, challenge_id, "0" * 64), ErrorType.PROOF_INVALID)


async def test_a_proof_expires(call: Caller, store: SimulatorStore, account: str) -> None:
    challenge_id, proof = await _proof(call, store, account)
    await store.let_time_pass(account, timedelta(seconds=301))
    assert_problem(await call.redeem(account, challenge_id, proof), ErrorType.PROOF_EXPIRED)


async def test_neither_code_nor_proof_is_in_the_database_but_for_the_carriers_outbox(
    tmp_path: Path,
) -> None:
    database = str(tmp_path / "platform.db")
    async with opened(database) as (call, store):
        challenge_id, proof = await _proof(call, store, "acct-clean-phone")
        await call.redeem("acct-clean-phone", challenge_id, proof)
        code = await store.latest_code("acct-clean-phone")
    with closing(sqlite3.connect(database)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        kept = [v for t in tables if t != "outbox" for row in db.execute(f"SELECT * FROM {t}") for v in row]
    assert challenge_id in kept
    assert code not in kept
    assert proof not in kept
