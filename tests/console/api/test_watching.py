"""The status with its ETag, and the answer that is held back until there is something new."""

import asyncio

import httpx2
import pytest

from domain.accounts import Channel
from domain.errors import ErrorType
from domain.phases import Phase
from tests.console.api.conftest import Api, client_of, refused
from tests.console.api.live import listening
from tests.support.service import eventually, owner_of
from tests.support.tickets import awaiting_confirmation, awaiting_identity


async def known(api: Api, account: str) -> dict[str, str]:
    answer = await api.backend.get(f"/cancellations/{account}")
    return {"If-None-Match": answer.headers["ETag"]}


async def test_a_known_status_is_not_sent_again(api: Api) -> None:
    account = await awaiting_identity(api.service)
    tag = await known(api, account)
    for given in (tag["If-None-Match"], f'"other", {tag["If-None-Match"]}', f"W/{tag['If-None-Match']}", "*"):
        same = await api.backend.get(f"/cancellations/{account}", headers={"If-None-Match": given})
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["ETag"] == tag["If-None-Match"]
    await api.service.identify(account)
    other = await api.backend.get(f"/cancellations/{account}", headers=tag)
    assert (other.status_code, other.json()["phase"]) == (200, Phase.AWAITING_NOTICE)
    assert other.headers["ETag"] != tag["If-None-Match"]


async def test_a_held_answer_comes_with_the_change(api: Api) -> None:
    account = await awaiting_identity(api.service)
    tag = await known(api, account)
    held = asyncio.create_task(api.backend.get(f"/cancellations/{account}?wait=30s", headers=tag))
    done, _ = await asyncio.wait([held], timeout=1)
    assert not done
    await api.service.cancellations.send_code(account, Channel.PHONE, owner_of(account))
    answer = await asyncio.wait_for(held, 20)
    assert answer.status_code == 200
    assert answer.headers["ETag"] != tag["If-None-Match"]


async def test_who_goes_on_waiting_sees_a_request_to_its_end(api: Api) -> None:
    account = await awaiting_confirmation(api.service)
    answer = await api.backend.get(f"/cancellations/{account}")
    await api.service.confirm(account)
    seen = []
    while answer.json()["phase"] != Phase.CLOSED:
        tag = {"If-None-Match": answer.headers["ETag"]}
        answer = await api.backend.get(f"/cancellations/{account}?wait=10s", headers=tag)
        assert answer.status_code == 200
        seen.append(answer.json()["phase"])
    assert seen[-1:] == [Phase.CLOSED]


async def test_a_held_answer_ends_with_its_time(api: Api) -> None:
    account = await awaiting_identity(api.service)
    answer = await api.backend.get(f"/cancellations/{account}?wait=1s", headers=await known(api, account))
    assert answer.status_code == 304


async def test_nothing_is_held_for_who_knows_nothing_yet_or_something_else(api: Api) -> None:
    account = await awaiting_identity(api.service)
    for headers in ({}, {"If-None-Match": '"old"'}):
        answer = await asyncio.wait_for(api.backend.get(f"/cancellations/{account}?wait=30s", headers=headers), 20)
        assert answer.status_code == 200


@pytest.mark.parametrize("wait", ["31s", "20", "-1s", "1m", "1.5s", ""])
async def test_a_wait_that_is_none_is_refused(wait: str, api: Api) -> None:
    account = await awaiting_identity(api.service)
    refused(await api.backend.get(f"/cancellations/{account}", params={"wait": wait}), ErrorType.BAD_INPUT)


async def quiet(api: Api, account: str) -> int:
    """The length of the request's history, once what it has to tell at first is told."""
    known = -1
    while (now := (await api.service.request(account).describe()).history_length) != known:
        known = now
        await asyncio.sleep(0.5)
    return known


async def test_waiting_asks_no_worker(api: Api) -> None:
    """While somebody waits and nothing happens, Temporal alone is asked: only the two first looks are a worker's."""
    account = await awaiting_identity(api.service)
    before = await quiet(api, account)
    tag = await known(api, account)
    asked: list[str] = []
    cancellations = api.console.app.state.services.cancellations
    view = type(cancellations).view

    async def counted(self: object, account_id: str) -> object:
        asked.append(account_id)
        return await view(self, account_id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(cancellations), "view", counted)
        await api.backend.get(f"/cancellations/{account}?wait=2s", headers=tag)
    assert asked == [account, account]
    assert (await api.service.request(account).describe()).history_length == before


async def test_a_held_answer_is_given_up_when_its_client_goes_away(api: Api) -> None:
    account = await awaiting_identity(api.service)
    async with listening(api.console.app) as url, client_of(api.console, dict(api.backend.headers)) as local:
        tag = {"If-None-Match": (await local.get(f"/cancellations/{account}")).headers["ETag"]}
        headers = {**tag, "Authorization": api.backend.headers["Authorization"]}
        running = asyncio.all_tasks()
        async with httpx2.AsyncClient() as client:
            with pytest.raises(httpx2.ReadTimeout):
                await client.get(f"{url}/api/v1/cancellations/{account}?wait=30s", headers=headers, timeout=1)

        async def held() -> list[str]:
            return [task.get_name() for task in asyncio.all_tasks() - running if "RequestResponseCycle" in repr(task)]

        assert await eventually(held, lambda left: not left, 10) == []


async def test_a_held_answer_is_given_when_the_server_stops(api: Api) -> None:
    account = await awaiting_identity(api.service)
    headers = {**(await known(api, account)), "Authorization": api.backend.headers["Authorization"]}
    async with httpx2.AsyncClient(timeout=60) as client:
        async with listening(api.console.app) as url:
            held = asyncio.create_task(client.get(f"{url}/api/v1/cancellations/{account}?wait=30s", headers=headers))
            done, _ = await asyncio.wait([held], timeout=1)
            assert not done
        # A server that gives up waiting for its answers closes the connection without one.
        assert (await held).status_code == 304


async def test_a_status_of_nobody_is_not_found(api: Api) -> None:
    refused(await api.backend.get("/cancellations/nobody-here?wait=1s"), ErrorType.NOT_FOUND)
