"""Too often: who is counted, and what they are told."""

from datetime import UTC, datetime

import httpx2
import pytest
from fastapi import Depends, FastAPI, Request
from structlog.typing import EventDict

from console.auth.limits import ANSWERING_CODES, OPENING_LOGIN_LINKS, SENDING_CODES, SIGNING_IN, Limit, Limiter, limited
from console.auth.roles import Principal, Role
from console.settings import ConsoleSettings
from domain.errors import ErrorType, Refusal
from tests.console.auth.conftest import Issuer
from tests.console.conftest import ORIGIN, Console


def _amount(limit: Limit) -> int:
    item = limit.per_account or limit.per_address
    assert item
    return item.amount


async def _goes(limiter: Limiter, limit: Limit, account_id: str | None, address: str | None) -> bool:
    try:
        await limiter.hit(limit, account_id=account_id, address=address)
    except Refusal as refusal:
        return refusal.type is not ErrorType.RATE_LIMITED
    return True


async def _fill(limiter: Limiter, limit: Limit, account_id: str | None, address: str | None) -> int:
    """How often it went before it was too often."""
    done = 0
    while await _goes(limiter, limit, account_id, address):
        done += 1
        assert done < 1000, "never too often"
    return done


@pytest.mark.parametrize("limit", [SENDING_CODES, ANSWERING_CODES], ids=lambda limit: limit.name)
async def test_codes_are_counted_by_account_and_by_address(guarded_settings: ConsoleSettings, limit: Limit) -> None:
    assert limit.per_account
    assert limit.per_address
    limiter = Limiter(guarded_settings)
    assert await _fill(limiter, limit, "acct-1", None) == limit.per_account.amount
    assert await _fill(limiter, limit, "acct-2", None) == limit.per_account.amount, "each account has its own share"
    assert await _fill(limiter, limit, None, "198.51.100.7") == limit.per_address.amount
    with pytest.raises(Refusal):
        await limiter.hit(limit, account_id="acct-3", address="198.51.100.7")
    await limiter.hit(limit, account_id="acct-3", address="198.51.100.8")


async def test_each_limit_counts_for_itself(guarded_settings: ConsoleSettings) -> None:
    limiter = Limiter(guarded_settings)
    await _fill(limiter, SENDING_CODES, "acct-1", None)
    await limiter.hit(ANSWERING_CODES, account_id="acct-1", address=None)


async def test_a_flood_of_addresses_does_not_fill_the_memory(guarded_settings: ConsoleSettings) -> None:
    limiter = Limiter(guarded_settings)
    buckets = {limiter.bucket(f"2001:db8:{high:x}:{low:x}::/64") for high in range(300) for low in range(300)}
    assert 10_000 < len(buckets) <= 1 << 14


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("198.51.100.7", "198.51.100.8", False),
    ],
)
async def test_whoever_has_an_ipv6_network_has_one_share(
    guarded_settings: ConsoleSettings, one: str, other: str, *, same: bool
) -> None:
    app = FastAPI()
    app.state.limiter = Limiter(guarded_settings)

    async def nobody(request: Request) -> None:
        request.state.principal = None

    @app.get("/", dependencies=[Depends(nobody), Depends(limited(SIGNING_IN))])
    async def page() -> str:
        return "in"

    async def visit(address: str) -> None:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app, client=(address, 1)), base_url=ORIGIN) as who:
            await who.get("/")

    for _ in range(_amount(SIGNING_IN)):
        await visit(one)
    if same:
        with pytest.raises(Refusal):
            await visit(other)
    else:
        await visit(other)


async def test_signing_in_too_often_gets_a_page_that_says_when_to_come_back(
    guarded: Console, logged: list[EventDict]
) -> None:
    form = {"role": "agent", "subject": "agent-1"}
    async with guarded.client({"Origin": ORIGIN}) as browser:
        for _ in range(_amount(SIGNING_IN)):
            assert (await browser.post("/sign-in/development", data=form)).status_code == 303
        answer = await browser.post("/sign-in/development", data=form)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert "set-cookie" not in answer.headers
    assert "Try again in" in answer.text
    assert logged == [{"event": "Refused: too often", "limit": "sign-in", "share": "address", "log_level": "warning"}]


async def test_the_provider_is_not_asked_too_often(guarded: Console) -> None:
    async with guarded.client({}) as browser:
        answers = [(await browser.get("/sign-in/provider")).status_code for _ in range(_amount(SIGNING_IN) + 1)]
    assert answers == [404] * _amount(SIGNING_IN) + [429]


async def test_arriving_too_often_is_refused(guarded: Console) -> None:
    async with guarded.client({}) as browser:
        answers = [(await browser.get("/login-link")).status_code for _ in range(_amount(OPENING_LOGIN_LINKS) + 1)]
    assert answers == [410] * _amount(OPENING_LOGIN_LINKS) + [429]


async def test_an_owner_cannot_have_codes_sent_without_end(guarded: Console) -> None:
    account = await guarded.service.account()
    await guarded.service.start(account)
    async with guarded.owner(account) as owner:
        answers = [(await owner.post("/owner/code", data={"channel": "PHONE"})) for _ in range(6)]
    assert ["RateLimited" in answer.text for answer in answers] == [False] * 5 + [True]
    assert answers[-1].status_code == 429


async def test_a_backend_is_limited_by_account_and_not_by_its_own_address(guarded: Console, issuer: Issuer) -> None:
    accounts = [f"acct-{number}" for number in range(30)]
    async with guarded.client({"Authorization": f"Bearer {issuer.token(datetime.now(UTC))}"}) as backend:
        for account in accounts:
            path = f"/api/v1/cancellations/{account}/code"
            answers = [await backend.post(path, json={"channel": "PHONE"}) for _ in range(6)]
            assert [answer.status_code == 429 for answer in answers] == [False] * 5 + [True]
            assert answers[-1].json()["type"].endswith(":RateLimited")
            assert answers[-1].json()["retry_after_seconds"] == int(answers[-1].headers["Retry-After"])


def test_an_owners_account_is_that_of_the_session() -> None:
    with pytest.raises(ValueError, match="owner"):
        Principal(role=Role.OWNER, subject="owner-1")
    with pytest.raises(ValueError, match="owner"):
        Principal(role=Role.AGENT, subject="agent-1", account_id="acct-1")
