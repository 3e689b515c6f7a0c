"""Settings that would be unsafe stop the start; the development sign-in is there only where it is switched on."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from console.app import create_app, gated_routes
from console.auth.roles import ACCESS, Role
from console.settings import ConsoleSettings
from tests.console.auth.conftest import SECRET
from tests.console.conftest import ORIGIN, Console

UNSAFE: dict[str, tuple[dict[str, Any], str]] = {
    "development for everybody": ({"development_sign_in": True, "host": "0.0.0.0"}, "CONSOLE_HOST"),
    "development on an address of the network": ({"development_sign_in": True, "host": "10.0.0.7"}, "CONSOLE_HOST"),
    "development on a name": ({"development_sign_in": True, "host": "console.internal"}, "CONSOLE_HOST"),
    "development behind a public address": (
        {"development_sign_in": True, "public_url": "https://console.example"},
        "CONSOLE_PUBLIC_URL",
    ),
    "a public address without encryption": ({"public_url": "http://console.example"}, "https://"),
    "a public address with a path": ({"public_url": "https://example.cn/console"}, "without a path"),
    "tokens without keys": ({"token_issuer": "https://tokens.example"}, "CONSOLE_TOKEN_KEYS"),
    "a provider without a secret for it": (
        {"oidc_issuer": "https://id.example", "secret": SECRET},
        "CONSOLE_OIDC_CLIENT_SECRET",
    ),
    "a provider with a passing secret of ours": (
        {"oidc_issuer": "https://id.example", "oidc_client_secret": "s"},
        "CONSOLE_SECRET",
    ),
    "a provider that makes owners": ({"oidc_roles": {"boss": "owner"}}, "CONSOLE_OIDC_ROLES"),
    "a provider that makes backends": ({"oidc_roles": {"boss": "backend"}}, "CONSOLE_OIDC_ROLES"),
    "a short secret": ({"secret": "short"}, "at least 32"),
    "a setting that there is not": ({"developement_sign_in": True}, "Extra inputs"),
}


@pytest.mark.parametrize("case", UNSAFE)
def test_an_unsafe_setting_stops_the_start_and_says_what_to_set(case: str) -> None:
    settings, says = UNSAFE[case]
    with pytest.raises(ValidationError, match=says):
        ConsoleSettings.model_validate(settings)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_development_is_for_loopback_addresses(host: str) -> None:
    shown = f"[{host}]" if ":" in host else host
    settings = ConsoleSettings.model_validate(
        {"development_sign_in": True, "host": host, "public_url": f"http://{shown}:8300"}
    )
    assert settings.development_sign_in


def test_a_secret_is_not_shown() -> None:
    assert SECRET.get_secret_value() not in repr(ConsoleSettings(secret=SECRET))


async def test_the_development_sign_in_is_absent_unless_it_is_switched_on(console: Console) -> None:
    form = {"role": "lead", "subject": "lead-1"}
    async with console.client({"Origin": ORIGIN}) as browser:
        assert (await browser.post("/sign-in/development", data=form)).status_code == 404
        page = await browser.get("/sign-in")
    assert "development" not in page.text.lower()
    assert "sign_in_for_development" not in {route.name for route in gated_routes(console.app)}


async def test_every_page_says_that_the_development_sign_in_is_on(shared: Console) -> None:
    async with shared.signed_in(Role.AGENT) as client:
        for path in ("/sign-in", "/login-link", "/staff", "/staff/calendar", "/owner", "/nowhere"):
            assert "Development sign-in is on" in (await client.get(path)).text, path


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"role": "owner", "subject": "me", "account_id": "acct-clean-phone"}, 303),
        ({"role": "auditor", "subject": "me", "account_id": ""}, 303),
        ({"role": "lead", "subject": "me", "account_id": "acct-clean-phone"}, 303),
        ({"role": "owner", "subject": "me"}, 422),
        ({"role": "backend", "subject": "me"}, 422),
        ({"role": "root", "subject": "me"}, 422),
        ({"role": "agent", "subject": "me@example.cn"}, 422),
        ({}, 422),
    ],
    ids=str,
)
async def test_the_development_sign_in_takes_a_role_and_opaque_ids(
    guarded: Console, form: dict[str, str], status: int
) -> None:
    async with guarded.client({"Origin": ORIGIN}) as browser:
        answer = await browser.post("/sign-in/development", data=form)
    assert answer.status_code == status
    assert ("set-cookie" in answer.headers) == (status == 303)


def test_a_route_that_the_table_does_not_know_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ACCESS, "sign_out")
    with pytest.raises(ValueError, match="sign_out"):
        create_app(ConsoleSettings(), lambda: pytest.fail("not opened"))


def test_keys_that_are_not_there_stop_the_start(tmp_path: Path) -> None:
    settings = ConsoleSettings(token_issuer="https://tokens.example", token_keys=tmp_path / "none.json")
    with pytest.raises(ValueError, match="CONSOLE_TOKEN_KEYS"):
        create_app(settings, lambda: pytest.fail("not opened"))
