"""Headers on every kind of answer, also on what fails before or beyond the routes."""

from datetime import UTC, datetime

import httpx2
import pytest
from pydantic import HttpUrl

from console.auth.roles import Role
from console.pages import static_url
from console.settings import ConsoleSettings
from service.letters.problems import MAX_BYTES
from tests.console.auth.conftest import Issuer, OpenConsole
from tests.console.conftest import Console

BIG = b"x" * (MAX_BYTES + 200_000)

ANSWERS: dict[str, tuple[str, str, int]] = {
    "a page": ("GET", "/sign-in", 200),
    "a way on": ("GET", "/", 303),
    "a refusal on a page": ("GET", "/staff/nowhere/at/all", 404),
    "a method that there is not": ("DELETE", "/sign-in", 405),
    "a forged form": ("POST", "/sign-out", 403),
    "a link that is over": ("GET", "/login-link", 410),
    "nobody at the api": ("POST", "/api/v1/cancellations", 401),
    "no such path of the api": ("GET", "/api/v1/nothing", 404),
    "the description of the api": ("GET", "/api/v1/openapi.json", 200),
    "health": ("GET", "/healthz", 200),
    "a static file": ("GET", static_url("style.css"), 200),
    "no static file": ("GET", "/static/nothing.css?v=1", 404),
}


def _assert_closed(answer: httpx2.Response) -> None:
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert {value for name, value in policy.items() if name.endswith("-src") and name != "default-src"} == {"'self'"}
    assert policy["form-action"] == "'self'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert "server" not in answer.headers


@pytest.mark.parametrize("case", ANSWERS)
async def test_every_answer_forbids_what_our_pages_do_not_need(shared: Console, case: str) -> None:
    method, path, status = ANSWERS[case]
    answer = await shared.browser.request(method, path)
    assert answer.status_code == status
    _assert_closed(answer)
    kept = answer.headers["Cache-Control"]
    assert kept == ("public, max-age=31536000, immutable" if case == "a static file" else "no-store")


async def test_a_body_that_is_too_large_is_answered_like_everything_else(shared: Console, issuer: Issuer) -> None:
    token = issuer.token(datetime.now(UTC))
    async with shared.client({"Authorization": f"Bearer {token}", "Content-Type": "application/json"}) as client:
        answer = await client.post("/api/v1/cancellations", content=BIG)
    assert answer.status_code == 413
    _assert_closed(answer)
    async with shared.signed_in(Role.AGENT) as client:
        del client.headers["X-CSRF-Token"]
        answer = await client.post(
            "/sign-out", content=BIG, headers={"Content-Type": "multipart/form-data; boundary=x"}
        )
    assert answer.status_code == 413
    _assert_closed(answer)


async def test_a_bug_is_answered_like_everything_else(guarded: Console) -> None:
    class Broken:
        def of(self, *_: object) -> None:
            raise LookupError("planted-secret")

    guarded.app.state.sessions = Broken()
    answer = await guarded.browser.get("/staff")
    assert answer.status_code == 500
    assert "planted-secret" not in answer.text
    _assert_closed(answer)


async def test_a_static_file_without_a_version_may_change(shared: Console) -> None:
    assert (await shared.browser.get("/static/style.css")).headers["Cache-Control"] == "no-store"


async def test_browsers_are_told_to_stay_on_https_only_where_there_is_https(
    shared: Console, open_console: OpenConsole
) -> None:
    assert "Strict-Transport-Security" not in (await shared.browser.get("/healthz")).headers
    async with open_console(ConsoleSettings(public_url=HttpUrl("https://console.example"))) as public:
        answer = await public.browser.get("/healthz")
    assert answer.headers["Strict-Transport-Security"] == "max-age=63072000"


@pytest.mark.parametrize("path", ["/sign-in", "/login-link", "/nowhere"])
async def test_no_page_has_anything_inline(shared: Console, path: str) -> None:
    async with shared.signed_in(Role.AGENT) as client:
        text = (await client.get(path)).text
    for forbidden in ("<style", " style=", " onclick=", " onload=", "javascript:", "<script>"):
        assert forbidden not in text
    assert text.count("<script") == text.count('<script src="/static/')


async def test_a_console_with_temporal_is_ready(shared: Console) -> None:
    ready = await shared.browser.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
