"""The owner's way in: a link of the backend's, for one account, once, and for a moment only."""

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from itsdangerous import URLSafeSerializer
from pydantic import SecretStr
from structlog.typing import EventDict

from console.auth.login_links import LoginLinks
from console.auth.roles import Role
from console.auth.sessions import COOKIE
from console.settings import ConsoleSettings
from domain.locale import Locale
from tests.console.auth.conftest import SECRET, Issuer
from tests.console.conftest import ORIGIN, Console


async def _link(console: Console, issuer: Issuer, account_id: str = "acct-1", **wish: str) -> str:
    """The path and query of a link that the backend asked for."""
    async with console.client({"Authorization": f"Bearer {issuer.token(datetime.now(UTC))}"}) as backend:
        answer = await backend.post(f"/api/v1/cancellations/{account_id}/login-link", json=wish)
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    url = str(answer.json()["url"])
    assert url.startswith(f"{ORIGIN}/login-link?token=")
    left = datetime.fromisoformat(answer.json()["expires_at"]) - datetime.now(UTC)
    assert timedelta(0) < left <= console.settings.login_link_lifetime
    return url.removeprefix(ORIGIN)


def _token(link: str) -> str:
    return parse_qs(urlsplit(link).query)["token"][0]


async def _go_on(browser: httpx2.AsyncClient, token: str) -> httpx2.Response:
    return await browser.post("/login-link", data={"token": token}, headers={"Origin": ORIGIN})


async def test_an_owner_arrives_by_the_form_of_the_page_and_sees_their_account(
    guarded: Console, issuer: Issuer
) -> None:
    link = await _link(guarded, issuer, "acct-1", requested_by="person-1", locale="en")
    async with guarded.client({}) as browser:
        page = await browser.get(link)
        assert "acct-1" in page.text
        assert "set-cookie" not in page.headers
        token = re.search(r'name="token" value="([^"]+)"', page.text)
        assert token
        answer = await _go_on(browser, html.unescape(token[1]))
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/owner"
    cookies = answer.headers.get_list("set-cookie")
    assert [cookie.split("=", 1)[0] for cookie in cookies] == [COOKIE, "language"]
    session = cookies[0].split(";")[0].split("=", 1)[1]
    async with guarded.client({"Cookie": f"{COOKIE}={session}"}) as owner:
        assert (await owner.get("/")).headers["Location"] == "/owner"
        assert "person-1" in (await owner.get("/sign-in")).text
        assert (await owner.get("/staff")).status_code == 403


async def test_looking_ahead_burns_nothing(guarded: Console, issuer: Issuer) -> None:
    link = await _link(guarded, issuer)
    async with guarded.client({}) as browser:
        for _ in range(3):
            assert (await browser.get(link)).status_code == 200
            assert (await browser.head(link)).status_code in (200, 405)
        assert (await _go_on(browser, _token(link))).status_code == 303


async def test_a_link_is_used_once(guarded: Console, issuer: Issuer) -> None:
    link = await _link(guarded, issuer)
    async with guarded.client({}) as browser:
        assert (await _go_on(browser, _token(link))).status_code == 303
        again = await _go_on(browser, _token(link))
        assert again.status_code == 410
        assert "set-cookie" not in again.headers
        assert "no longer valid" in again.text
        assert (await browser.get(link)).status_code == 410


async def test_each_link_is_its_own(guarded: Console, issuer: Issuer) -> None:
    first, second = await _link(guarded, issuer), await _link(guarded, issuer)
    async with guarded.client({}) as browser:
        assert (await _go_on(browser, _token(first))).status_code == 303
        assert (await _go_on(browser, _token(second))).status_code == 303


def _over(settings: ConsoleSettings) -> str:
    login_links = LoginLinks(settings)
    then = datetime.now(UTC) - settings.login_link_lifetime
    return login_links.token(login_links.make("acct-1", None, None, then))


def _of_another_secret(settings: ConsoleSettings) -> str:
    other = LoginLinks(settings.model_copy(update={"secret": SecretStr("another-secret-of-forty-characters-01234")}))
    return other.token(other.make("acct-1", None, None, datetime.now(UTC)))


def _for_another_account(settings: ConsoleSettings) -> str:
    login_links, now = LoginLinks(settings), datetime.now(UTC)
    mine, theirs = (login_links.token(login_links.make(account, None, None, now)) for account in ("acct-1", "acct-2"))
    return f"{theirs.rsplit('.', 1)[0]}.{mine.rsplit('.', 1)[1]}"


def _of_another_purpose(settings: ConsoleSettings) -> str:
    grant = LoginLinks(settings).make("acct-1", None, None, datetime.now(UTC)).model_dump(mode="json")
    return str(URLSafeSerializer(SECRET.get_secret_value(), salt="session").dumps(grant))


def _with_a_role(settings: ConsoleSettings) -> str:
    grant = LoginLinks(settings).make("acct-1", None, None, datetime.now(UTC)).model_dump(mode="json")
    return str(URLSafeSerializer(SECRET.get_secret_value(), salt="login-link").dumps({**grant, "role": "lead"}))


BAD: dict[str, Callable[[ConsoleSettings], str]] = {
    "over": _over,
    "of another secret": _of_another_secret,
    "for another account, with the signature of mine": _for_another_account,
    "signed for another purpose": _of_another_purpose,
    "with more than belongs in it": _with_a_role,
    "none": lambda settings: "",
    "junk": lambda settings: "....",
}


@pytest.mark.parametrize("case", BAD)
async def test_a_bad_link_opens_nothing_and_says_what_to_do(
    guarded: Console, logged: list[EventDict], case: str
) -> None:
    token = BAD[case](guarded.settings)
    async with guarded.client({}) as browser:
        for answer in (await browser.get("/login-link", params={"token": token}), await _go_on(browser, token)):
            assert answer.status_code == 410
            assert "Go back to the security settings" in answer.text
            assert "set-cookie" not in answer.headers
    assert [line["event"] for line in logged] == ["Refused a login link: forged, over or used"] * 2
    assert len(token) < 5 or token not in str(logged)


async def test_whoever_is_signed_in_is_asked_and_becomes_the_owner(guarded: Console, issuer: Issuer) -> None:
    link = await _link(guarded, issuer, "acct-1", locale="en")
    async with guarded.signed_in(Role.AGENT, subject="agent-1") as browser:
        page = await browser.get(link)
        assert "agent-1" in page.text
        assert "instead" in page.text
        assert browser.headers["X-CSRF-Token"] in page.text
        assert (await _go_on(browser, _token(link))).headers["Location"] == "/owner"


async def test_the_backend_chooses_the_language_and_nothing_else_about_the_link(
    guarded: Console, issuer: Issuer
) -> None:
    link = await _link(guarded, issuer, "acct-1", locale="zh-CN")
    async with guarded.client({}) as browser:
        assert "继续办理账号注销" in (await browser.get(link)).text
        answer = await _go_on(browser, _token(link))
    assert any(cookie.startswith("language=zh-CN") for cookie in answer.headers.get_list("set-cookie"))


@pytest.mark.parametrize(
    ("account", "wish"),
    [
        ("acct-1", {"requested_by": "zhang@example.cn"}),
        ("acct-1", {"locale": "de"}),
        ("acct-1", {"account_id": "acct-2"}),
        ("+8613800138000", {}),
    ],
)
async def test_a_wish_that_cannot_be_met_is_refused(
    guarded: Console, issuer: Issuer, account: str, wish: dict[str, str]
) -> None:
    async with guarded.client({"Authorization": f"Bearer {issuer.token(datetime.now(UTC))}"}) as backend:
        answer = await backend.post(f"/api/v1/cancellations/{account}/login-link", json=wish)
    assert answer.status_code == 422
    assert answer.json()["type"].endswith(":BadInput")


def test_an_owners_default_id_is_never_too_long(guarded_settings: ConsoleSettings) -> None:
    grant = LoginLinks(guarded_settings).make("a" * 64, None, Locale.ZH, datetime.now(UTC))
    assert grant.owner == ("owner-of-" + "a" * 64)[:64]


def test_used_links_are_forgotten_when_they_are_over(guarded_settings: ConsoleSettings) -> None:
    login_links, now = LoginLinks(guarded_settings), datetime.now(UTC)
    for _ in range(20):
        assert login_links.use(login_links.token(login_links.make("acct-1", None, None, now)), now)
    later = now + guarded_settings.login_link_lifetime
    assert login_links.use(login_links.token(login_links.make("acct-1", None, None, later)), later)
    assert len(login_links) == 1
