"""A console that takes service tokens and the development sign-in, and whatever an attacker could send to it."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from pydantic import SecretStr

from console.auth.limits import Limiter
from console.auth.login_links import LoginLinks
from console.auth.provider import Provider
from console.auth.sessions import Sessions
from console.auth.tokens import ServiceTokens
from console.settings import ConsoleSettings
from tests.console.conftest import Console

ISSUER = "https://tokens.example"
AUDIENCE = "account-cancellation"
SECRET = SecretStr("of-the-tests-and-of-nothing-else-0123456789")

OpenConsole = Callable[[ConsoleSettings], AbstractAsyncContextManager[Console]]


class Issuer:
    """Signs service tokens with its own key; `keys` is what the console gets to know."""

    def __init__(self, file: Path) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "rsa-1"})
        self.curve_key = ECKey.generate_key("P-256", {"kid": "ec-1"})
        self.file = file
        file.write_text(json.dumps(KeySet([self.key, self.curve_key]).as_dict(private=False)))

    def claims(self, now: datetime, scope: str = "cancellation:backend", **changes: Any) -> dict[str, Any]:
        """Of a good token; a change to None leaves the claim out."""
        at = int(now.timestamp())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "shop-backend", "iat": at, "exp": at + 600, "scope": scope}
        return {name: value for name, value in {**claims, **changes}.items() if value is not None}

    def token(self, now: datetime, scope: str = "cancellation:backend", **changes: Any) -> str:
        return jwt.encode({"alg": "RS256", "kid": "rsa-1"}, self.claims(now, scope, **changes), self.key)


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer") / "keys.json")


@pytest.fixture(scope="session")
def guarded_settings(issuer: Issuer) -> ConsoleSettings:
    return ConsoleSettings(
        secret=SECRET, development_sign_in=True, token_issuer=ISSUER, token_audience=AUDIENCE, token_keys=issuer.file
    )


@pytest.fixture(scope="session")
async def shared(open_console: OpenConsole, guarded_settings: ConsoleSettings) -> AsyncIterator[Console]:
    async with open_console(guarded_settings) as running:
        yield running


@pytest.fixture
async def guarded(shared: Console, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Console]:
    """With nothing remembered, so that no test uses up another's limits."""
    async with forgetful(shared, monkeypatch) as console:
        yield console


@asynccontextmanager
async def forgetful(console: Console, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Console]:
    """The same application, which takes long to make, with all of its memories made afresh."""
    memories = {"sessions": Sessions, "tokens": ServiceTokens, "limiter": Limiter, "login_links": LoginLinks}
    if console.settings.oidc_issuer:
        memories["provider"] = Provider
    for name, memory in memories.items():
        monkeypatch.setitem(console.app.state._state, name, memory(console.settings))
    async with console.client({}) as browser:
        yield replace(console, browser=browser)


@pytest.fixture
def logged() -> Iterator[list[structlog.typing.EventDict]]:
    with structlog.testing.capture_logs() as lines:
        yield lines
