"""Starting: the same request while it runs, and never a second one by the same key."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from console.auth.roles import Role
from domain.accounts import RefusalReason
from domain.errors import ErrorType, Refusal
from domain.locale import Locale
from domain.phases import Phase
from service.start_keys import KEY_COUNTS_FOR, StartRecord, start_once
from tests.console.api.conftest import Api, refused


def new_key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


async def withdraw(api: Api, account: str) -> None:
    answer = await api.backend.post(f"/cancellations/{account}/withdrawal", json={"reason_code": "CHANGED_MIND"})
    assert answer.json()["phase"] == Phase.WITHDRAWN
    # The answer comes a moment before the end.
    await api.service.request(account).result()


async def test_a_start_while_a_request_runs_finds_that_one(api: Api) -> None:
    account = await api.service.account()
    first, second = await api.start(account), await api.start(account)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert "Location" not in second.headers


async def test_a_start_after_the_end_starts_anew(api: Api) -> None:
    account = await api.service.account()
    first = await api.start(account)
    await withdraw(api, account)
    second = await api.start(account)
    assert second.status_code == 201
    assert second.json()["request_no"] != first.json()["request_no"]


async def test_the_same_key_gets_the_same_answer_also_after_the_end(api: Api) -> None:
    account, key = await api.service.account(), new_key()
    first, again = await api.start(account, **key), await api.start(account, **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.headers["Location"] == again.headers["Location"]
    await withdraw(api, account)
    after = await api.start(account, **key)
    assert after.status_code == 201
    assert (after.json()["request_no"], after.json()["phase"]) == (first.json()["request_no"], Phase.WITHDRAWN)
    with_new_key = await api.start(account, **new_key())
    assert with_new_key.json()["request_no"] != first.json()["request_no"]
    # The old key stands for its own request no more, and still starts nothing.
    old = await api.start(account, **key)
    assert (old.status_code, old.json()["request_no"]) == (200, with_new_key.json()["request_no"])


async def test_a_key_that_found_a_running_request_starts_nothing_when_that_is_over(api: Api) -> None:
    account, key = await api.service.account(), new_key()
    running = (await api.start(account)).json()["request_no"]
    found = await api.start(account, **key)
    assert (found.status_code, found.json()["request_no"]) == (200, running)
    await withdraw(api, account)
    after = await api.start(account, **key)
    assert (after.status_code, after.json()["request_no"]) == (200, running)


async def test_the_key_of_a_refused_request_starts_no_other(api: Api) -> None:
    account, key = await api.service.account(restricted=True), new_key()
    first = await api.start(account, **key)
    assert (first.status_code, first.json()["refusal"]) == (201, RefusalReason.RESTRICTED)
    assert (await api.start(account, **key)).json() == first.json()


async def test_many_at_once_with_one_key_start_one_request(api: Api) -> None:
    account, key = await api.service.account(), new_key()
    answers = await asyncio.gather(*(api.start(account, **key) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["request_no"] for answer in answers}) == 1


async def test_a_key_with_another_body_is_refused_and_starts_nothing(api: Api) -> None:
    account, other, key = await api.service.account(), await api.service.account(), new_key()
    await api.start(account, **key)
    refused(await api.start(other, **key), ErrorType.IDEMPOTENCY_CONFLICT)
    refused(await api.backend.get(f"/cancellations/{other}"), ErrorType.NOT_FOUND)
    body = {"account_id": account, "requested_by": "somebody-else"}
    refused(await api.backend.post("/cancellations", json=body, headers=key), ErrorType.IDEMPOTENCY_CONFLICT)


async def test_keys_of_two_programs_are_two_keys(api: Api) -> None:
    account, other, key = await api.service.account(), await api.service.account(), new_key()
    await api.start(account, **key)
    async with api.client(Role.BACKEND, "another-backend") as another:
        body = {"account_id": other, "requested_by": "user-1"}
        assert (await another.post("/cancellations", json=body, headers=key)).status_code == 201


@pytest.mark.parametrize("key", ["", "with blank", "x" * 256, "schlüssel"])
async def test_a_key_that_is_none_is_refused(key: str, api: Api) -> None:
    account = await api.service.account()
    body = {"account_id": account, "requested_by": "user-1"}
    headers = {b"Idempotency-Key": key.encode()}
    refused(await api.backend.post("/cancellations", json=body, headers=headers), ErrorType.BAD_INPUT)


async def test_a_key_whose_start_was_cut_off_starts_later_but_not_for_ever(api: Api) -> None:
    """The process may die between keeping the key and starting."""
    cancellations, vault = api.service.cancellations, api.service.vault
    now = datetime.now(UTC)
    account, key = await api.service.account(), str(uuid4())
    record, _ = await StartRecord.claim(vault, key, account, f"user-1 {Locale.EN}", now)
    view, own = await start_once(
        cancellations, key, account, "user-1", locale=Locale.EN, now=now + timedelta(seconds=1)
    )
    assert (view.request_no, own) == (record.request_no, True)

    account, key = await api.service.account(), str(uuid4())
    await StartRecord.claim(vault, key, account, f"user-1 {Locale.EN}", now)
    late = now + KEY_COUNTS_FOR + timedelta(seconds=1)
    with pytest.raises(Refusal) as caught:
        await start_once(cancellations, key, account, "user-1", locale=Locale.EN, now=late)
    assert caught.value.type is ErrorType.ALREADY_OVER


async def test_a_key_that_was_cut_off_does_not_take_an_earlier_request_for_its_own(api: Api) -> None:
    account, key = await api.service.account(), str(uuid4())
    earlier = (await api.start(account)).json()["request_no"]
    await withdraw(api, account)
    closed = (await api.service.request(account).describe()).close_time
    assert closed is not None
    now = closed + timedelta(seconds=1)
    await StartRecord.claim(api.service.vault, key, account, f"user-1 {Locale.EN}", now)
    view, own = await start_once(api.service.cancellations, key, account, "user-1", locale=Locale.EN, now=now)
    assert own
    assert view.request_no != earlier
