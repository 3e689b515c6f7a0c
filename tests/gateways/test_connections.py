"""Connections to the platform: whom they go through, what they carry, how long they wait, and who gets them back."""

import asyncio

import pytest

from domain.checks import Balance, Check, Resources
from domain.errors import ErrorType
from gateways.contract import Group
from gateways.platform import HttpPlatform
from gateways.ports import Platform
from tests.gateways.upstream import BALANCE, HANG, Upstream, answer, refused


async def test_a_connection_that_nobody_accepts_is_worth_another_try(unused_tcp_port: int) -> None:
    urls = dict.fromkeys(Group, f"http://127.0.0.1:{unused_tcp_port}")
    async with HttpPlatform(urls) as platform:
        error = await refused(platform.facts("a-1", Check.BALANCE))
    assert (error.type, error.retryable) == (ErrorType.UNREACHABLE, True)
    assert str(unused_tcp_port) not in str(error)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(HANG, id="silence"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le" + HANG, id="half a head"),
        pytest.param(answer(200, BALANCE)[:-10] + HANG, id="half a body"),
    ],
)
async def test_the_timeout_covers_the_whole_call(reply: bytes, upstream: Upstream) -> None:
    upstream.reply = reply
    async with HttpPlatform(upstream.urls, timeout=0.2) as platform:
        error = await refused(platform.facts("a-1", Check.BALANCE))
    assert (error.type, error.retryable) == (ErrorType.UNREACHABLE, True)


async def test_a_cancelled_call_gives_its_connection_back(upstream: Upstream) -> None:
    async with HttpPlatform(upstream.urls, timeout=60, connections=1) as platform:
        upstream.reply = HANG
        call = asyncio.create_task(platform.facts("a-1", Check.BALANCE))
        async with asyncio.timeout(30):
            while not upstream.requests:
                await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        upstream.reply = answer(200, BALANCE)
        assert await platform.facts("a-1", Check.BALANCE) == Balance.model_validate(BALANCE)


async def test_a_group_that_hangs_takes_no_connection_from_the_others(upstream: Upstream) -> None:
    async with HttpPlatform(upstream.urls, timeout=60, connections=1) as platform:
        upstream.reply = HANG
        hanging = asyncio.create_task(platform.facts("a-1", Check.BALANCE))
        async with asyncio.timeout(30):
            while not upstream.requests:
                await asyncio.sleep(0)
            upstream.reply = answer(200, {"active": []})
            assert await platform.facts("a-1", Check.RESOURCES) == Resources(active=())
        hanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging


async def test_no_cookie_is_carried_from_one_account_to_the_next(upstream: Upstream, platform: Platform) -> None:
    upstream.reply = answer(200, BALANCE, Set_Cookie="session=a-1; Path=/")
    await platform.facts("a-1", Check.BALANCE)
    await platform.facts("a-2", Check.BALANCE)
    assert [request.headers.get("cookie") for request in upstream.requests] == [None, None]


async def test_calls_go_through_the_proxy_that_the_environment_names(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{upstream.port}")
    monkeypatch.setenv("no_proxy", "direct.invalid")
    upstream.reply = answer(200, BALANCE)
    urls = dict.fromkeys(Group, "http://platform.invalid") | {Group.IDENTITY: "http://direct.invalid"}
    async with HttpPlatform(urls) as platform:
        await platform.facts("a-1", Check.BALANCE)
        assert (await refused(platform.profile("a-1"))).type is ErrorType.UNREACHABLE
    assert [request.path for request in upstream.requests] == ["http://platform.invalid/accounts/a-1/balance"]


async def test_a_call_takes_no_other_thread(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client looks for proxies there, if it is asked to: four fifths of what a call costs."""
    upstream.reply = answer(200, BALANCE)
    async with HttpPlatform(upstream.urls) as platform:
        monkeypatch.setattr(asyncio.get_running_loop(), "run_in_executor", None)
        await platform.facts("a-1", Check.BALANCE)


@pytest.mark.parametrize("url", ["", "127.0.0.1:80", "ftp://127.0.0.1", "http://"])
async def test_a_group_without_a_usable_url_is_refused_at_the_start(url: str) -> None:
    urls = dict.fromkeys(Group, "http://127.0.0.1:1") | {Group.ICP: url}
    with pytest.raises(ValueError, match="icp"):
        HttpPlatform(urls)
    del urls[Group.ICP]
    with pytest.raises(ValueError, match="icp"):
        HttpPlatform(urls)
