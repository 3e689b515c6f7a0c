"""Forms that did not come from a page of ours."""

import pytest
from structlog.typing import EventDict

from console.auth.authorization import FORGERY_FIELD, FORGERY_HEADER
from console.auth.roles import Role
from tests.console.conftest import ORIGIN, Console

DECIDE = "/staff/tickets/T20261122-7KQ2M9XT/decisions"
OURS = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}

FOREIGN = {
    "another origin": {"Origin": "https://evil.example"},
    "our host on another port": {"Origin": "http://127.0.0.1:9999"},
    "our host without encryption's scheme": {"Origin": "https://127.0.0.1:8300"},
    "an origin that begins like ours": {"Origin": f"{ORIGIN}.evil.example"},
    "a hidden origin": {"Origin": "null"},
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "another host of the same site": {"Sec-Fetch-Site": "same-site"},
    "our origin from another site": {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
    "another origin that claims to be ours": {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    "no sign at all": {},
}


@pytest.mark.parametrize("case", FOREIGN)
@pytest.mark.parametrize("path", [DECIDE, "/sign-out", "/sign-in/development", "/login-link"])
async def test_a_form_from_elsewhere_is_refused_even_with_the_token(
    shared: Console, logged: list[EventDict], path: str, case: str
) -> None:
    async with shared.signed_in(Role.AGENT) as client:
        del client.headers["Origin"]
        answer = await client.post(path, headers=FOREIGN[case])
    assert answer.status_code == 403
    assert "FormRefused" in answer.text
    assert "set-cookie" not in answer.headers
    assert [line["event"] for line in logged] == ["Refused a forged form"]


@pytest.mark.parametrize("case", FOREIGN)
@pytest.mark.parametrize("path", ["/sign-out", "/sign-in/development", "/login-link"])
async def test_another_site_can_sign_nobody_in_or_out_when_the_browser_keeps_the_cookie_back(
    shared: Console, path: str, case: str
) -> None:
    async with shared.client(FOREIGN[case]) as client:
        answer = await client.post(path, data={"role": "agent", "subject": "attacker"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("token", [None, "", "wrong", "ünknown"])
async def test_a_form_without_the_sessions_own_token_is_refused(shared: Console, token: str | None) -> None:
    fields = {} if token is None else {FORGERY_FIELD: token}
    async with shared.signed_in(Role.AGENT) as client:
        del client.headers[FORGERY_HEADER]
        for path in (DECIDE, "/sign-out"):
            answer = await client.post(path, data=fields, headers=OURS)
            assert answer.status_code == 403
            assert "FormRefused" in answer.text


async def test_a_file_in_the_tokens_place_is_no_token(shared: Console) -> None:
    async with shared.signed_in(Role.AGENT) as client:
        del client.headers[FORGERY_HEADER]
        assert (await client.post("/sign-out", files={FORGERY_FIELD: b"x"})).status_code == 403


async def test_the_token_of_another_session_is_refused(shared: Console) -> None:
    async with shared.signed_in(Role.AGENT) as mine, shared.signed_in(Role.AGENT) as other:
        answer = await mine.post("/sign-out", headers={FORGERY_HEADER: other.headers[FORGERY_HEADER]})
    assert answer.status_code == 403


@pytest.mark.parametrize("sign", [OURS, {"Origin": ORIGIN}, {"Sec-Fetch-Site": "same-origin"}])
async def test_our_own_form_is_taken_with_the_token_in_a_field(shared: Console, sign: dict[str, str]) -> None:
    async with shared.signed_in(Role.AGENT) as client:
        token = client.headers[FORGERY_HEADER]
        del client.headers[FORGERY_HEADER], client.headers["Origin"]
        answer = await client.post("/sign-out", data={FORGERY_FIELD: token}, headers=sign)
    assert answer.headers["Location"] == "/sign-in"


async def test_the_host_header_cannot_make_a_page_look_like_the_api(shared: Console) -> None:
    async with shared.signed_in(Role.AGENT) as client:
        answer = await client.post("/sign-out", headers={"Host": "x/api/v1?", "Origin": "https://evil.example"})
    assert answer.status_code == 403
