"""Staff sign in at a real OpenID provider; only an answer to what this browser asked is believed."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from pydantic import HttpUrl, SecretStr
from structlog.typing import EventDict

from console.auth.provider import COOKIE as UNDER_WAY
from console.auth.roles import Role
from console.auth.sessions import COOKIE, Session
from console.settings import ConsoleSettings
from tests.console.auth.conftest import SECRET, OpenConsole, forgetful
from tests.console.auth.provider import at_provider, provider_process
from tests.console.conftest import ORIGIN, Console


def _settings(issuer: str) -> ConsoleSettings:
    return ConsoleSettings(
        secret=SECRET,
        oidc_issuer=HttpUrl(issuer),
        oidc_client_secret=SecretStr("of-the-tests"),
        oidc_client_id="console",
    )


@pytest.fixture(scope="module")
async def provider() -> AsyncIterator[str]:
    async with provider_process() as issuer:
        yield issuer


@pytest.fixture(scope="module")
async def with_provider(open_console: OpenConsole, provider: str) -> AsyncIterator[Console]:
    async with open_console(_settings(provider)) as running:
        yield running


@pytest.fixture
async def company(with_provider: Console, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Console]:
    async with forgetful(with_provider, monkeypatch) as console:
        yield console


class Browser:
    """Keeps cookies by hand: the test's connection is not HTTPS, and the library would send none of ours."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.cookies: dict[str, str] = {}

    async def get(self, path: str) -> httpx2.Response:
        sent = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        async with self._console.client({"Cookie": sent}) as client:
            answer = await client.get(path)
        for cookie in answer.headers.get_list("set-cookie"):
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value.strip('"')
        return answer

    async def begin(self) -> str:
        """The address at the provider."""
        answer = await self.get("/sign-in/provider")
        assert answer.status_code == 302
        return str(answer.headers["Location"])

    async def sign_in(self, sub: str) -> httpx2.Response:
        return await self.get(await at_provider(await self.begin(), sub=sub))

    @property
    def session(self) -> Session:
        signer = self._console.app.state.sessions.signer
        return Session.model_validate(signer.loads(self.cookies[COOKIE]))


async def test_an_agent_signs_in_and_only_a_role_and_an_id_stay(company: Console, logged: list[EventDict]) -> None:
    browser = Browser(company)
    answer = await browser.sign_in("agent-7")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/"
    assert browser.session.principal.model_dump() == {"role": Role.AGENT, "subject": "agent-7", "account_id": None}
    assert not browser.cookies[UNDER_WAY], "what the sign-in needed is gone"
    assert (await browser.get("/")).headers["Location"] == "/staff"
    assert "wang@example.cn" not in str(logged)


async def test_the_provider_is_asked_with_state_nonce_and_a_hashed_verifier(company: Console) -> None:
    browser = Browser(company)
    asked = parse_qs(urlsplit(await browser.begin()).query)
    assert asked["response_type"] == ["code"]
    assert asked["scope"] == ["openid"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [f"{ORIGIN}/sign-in/provider/callback"]
    assert {"state", "nonce", "code_challenge"} <= set(asked)
    assert (await Browser(company).begin()) != (await Browser(company).begin())


async def test_of_several_roles_the_highest_counts_and_an_email_becomes_an_id(company: Console) -> None:
    browser, again = Browser(company), Browser(company)
    await browser.sign_in("lead@example.cn")
    await again.sign_in("lead@example.cn")
    who = browser.session.principal
    assert who.role is Role.LEAD
    assert who.subject.startswith("staff-")
    assert len(who.subject) == len("staff-") + 16
    assert again.session.principal == who, "the same at each sign-in"


async def test_digits_may_be_a_phone_and_become_an_id(company: Console) -> None:
    browser = Browser(company)
    await browser.sign_in("13800138000")
    assert browser.session.principal.role is Role.AUDITOR
    assert browser.session.principal.subject.startswith("staff-")


@pytest.mark.parametrize("sub", ["visitor-1", "odd-1", "nobody-1", "stranger@example.cn"])
async def test_without_a_role_of_ours_nobody_gets_in(company: Console, logged: list[EventDict], sub: str) -> None:
    browser = Browser(company)
    answer = await browser.sign_in(sub)
    assert answer.status_code == 403
    assert "NotAllowed" in answer.text
    assert COOKIE not in browser.cookies
    assert [line["event"] for line in logged] == ["Refused a sign-in: no role of ours"]
    assert "stranger" not in str(logged)


async def _refused(browser: Browser, path: str) -> None:
    answer = await browser.get(path)
    assert answer.status_code == 401
    assert "not finished" in answer.text
    assert COOKIE not in browser.cookies


async def test_whoever_says_no_at_the_provider_can_try_again(company: Console) -> None:
    browser = Browser(company)
    await _refused(browser, await at_provider(await browser.begin(), action="deny"))
    assert (await browser.sign_in("agent-7")).status_code == 303


async def test_an_answer_to_another_browser_is_refused(company: Console, logged: list[EventDict]) -> None:
    attacker, victim = Browser(company), Browser(company)
    planted = await at_provider(await attacker.begin(), sub="agent-7")
    await _refused(victim, planted)
    await victim.begin()
    await _refused(victim, planted)
    assert {line["event"] for line in logged} == {"Refused a sign-in"}
    assert parse_qs(urlsplit(planted).query)["code"][0] not in str(logged)


async def test_the_code_of_another_sign_in_is_refused(company: Console, logged: list[EventDict]) -> None:
    attacker, victim = Browser(company), Browser(company)
    planted = parse_qs(urlsplit(await at_provider(await attacker.begin(), sub="agent-7")).query)["code"][0]
    state = parse_qs(urlsplit(await victim.begin()).query)["state"][0]
    await _refused(victim, f"/sign-in/provider/callback?code={planted}&state={state}")
    assert [line["error_type"] for line in logged] == ["InvalidClaimError"], "the nonce"


async def test_an_answer_counts_once(company: Console) -> None:
    browser = Browser(company)
    back = await at_provider(await browser.begin(), sub="agent-7")
    under_way = browser.cookies[UNDER_WAY]
    assert (await browser.get(back)).status_code == 303
    browser.cookies = {UNDER_WAY: under_way}
    await _refused(browser, back)


@pytest.mark.parametrize("query", ["", "?code=1", "?state=1", "?code=1&state=1", "?error=access_denied&state=x"])
async def test_an_answer_that_nobody_asked_for_is_refused(company: Console, query: str) -> None:
    await _refused(Browser(company), f"/sign-in/provider/callback{query}")


async def test_the_cookie_of_a_sign_in_under_way_cannot_be_changed(company: Console) -> None:
    browser = Browser(company)
    back = await at_provider(await browser.begin(), sub="agent-7")
    browser.cookies[UNDER_WAY] = browser.cookies[UNDER_WAY][:-2] + "AA"
    await _refused(browser, back)


async def test_a_sign_in_replaces_the_session_that_was_there(company: Console) -> None:
    async with company.signed_in(Role.AUDITOR, subject="planted") as client:
        planted = client.headers["Cookie"].split("=", 1)[1]
    browser = Browser(company)
    browser.cookies[COOKIE] = planted
    before = browser.session
    await browser.sign_in("agent-7")
    assert browser.cookies[COOKIE] != planted
    assert browser.session.forgery_token != before.forgery_token


async def test_a_provider_that_is_down_is_said_to_be_down(open_console: OpenConsole, logged: list[EventDict]) -> None:
    async with open_console(_settings("http://127.0.0.1:1")) as console:
        answer = await Browser(console).get("/sign-in/provider")
    assert answer.status_code == 503
    assert "The sign-in provider did not answer" in answer.text
    assert [line["event"] for line in logged] == ["The sign-in provider cannot be used"]


async def test_what_is_no_provider_is_not_believed(open_console: OpenConsole, provider: str) -> None:
    async with open_console(_settings(f"{provider}/elsewhere")) as console:
        assert (await Browser(console).get("/sign-in/provider")).status_code == 503


async def test_a_provider_under_another_name_is_not_believed(
    open_console: OpenConsole, provider: str, logged: list[EventDict]
) -> None:
    async with open_console(_settings(provider.replace("://", "://other@"))) as console:
        browser = Browser(console)
        await _refused(browser, await at_provider(await browser.begin(), sub="agent-7"))
    assert [line["error_type"] for line in logged] == ["InvalidClaimError"]


async def test_the_sign_in_page_offers_the_company_account_only_where_there_is_one(
    company: Console, console: Console
) -> None:
    assert 'href="/sign-in/provider"' in (await company.browser.get("/sign-in")).text
    assert 'href="/sign-in/provider"' not in (await console.browser.get("/sign-in")).text
    assert (await console.browser.get("/sign-in/provider")).status_code == 404
