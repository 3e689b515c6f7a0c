"""Service tokens: what makes one good, and every way in which it can be bad."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from structlog.typing import EventDict

from console.auth.roles import Role
from console.auth.tokens import SCOPES, ServiceTokens
from console.settings import ConsoleSettings
from tests.console.auth.conftest import ISSUER, Issuer
from tests.console.conftest import Console

LOGIN_LINK = "/api/v1/cancellations/acct-1/login-link"


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def _status(console: Console, token: str, scheme: str = "Bearer") -> int:
    async with console.client({"Authorization": f"{scheme} {token}"}) as client:
        return (await client.post(LOGIN_LINK)).status_code


async def test_a_good_token_is_taken_by_either_kind_of_key(guarded: Console, issuer: Issuer) -> None:
    now = datetime.now(UTC)
    by_curve = jwt.encode({"alg": "ES256", "kid": "ec-1"}, issuer.claims(now), issuer.curve_key)
    assert await _status(guarded, issuer.token(now)) == 201
    assert await _status(guarded, by_curve, scheme="bearer") == 201
    assert await _status(guarded, issuer.token(now, aud=["elsewhere", "account-cancellation"])) == 201
    assert await _status(guarded, issuer.token(now, "openid cancellation:backend profile")) == 201
    at = int(now.timestamp())
    assert await _status(guarded, issuer.token(now, iat=at + 10, nbf=at + 10)) == 201, "clocks differ a little"


WRONG_CLAIMS: dict[str, tuple[Callable[[int], dict[str, Any]], str]] = {
    "another issuer": (lambda now: {"iss": "https://other.example"}, "invalid_claim"),
    "no issuer": (lambda now: {"iss": None}, "missing_claim"),
    "another audience": (lambda now: {"aud": "another-service"}, "invalid_claim"),
    "no audience": (lambda now: {"aud": None}, "missing_claim"),
    "expired": (lambda now: {"iat": now - 700, "exp": now - 100}, "expired_token"),
    "never expires": (lambda now: {"exp": None}, "missing_claim"),
    "expiry is no number": (lambda now: {"exp": "tomorrow"}, "invalid_claim"),
    "lives too long": (lambda now: {"exp": now + 86400}, "invalid_claim"),
    "no time of issue": (lambda now: {"iat": None}, "missing_claim"),
    "issued in the future": (lambda now: {"iat": now + 300}, "invalid_claim"),
    "not yet": (lambda now: {"nbf": now + 300}, "invalid_claim"),
    "no scope": (lambda now: {"scope": None}, "missing_claim"),
    "a scope of another service": (lambda now: {"scope": "orders:write"}, "missing_claim"),
    "the scope of an owner": (lambda now: {"scope": "cancellation:owner"}, "missing_claim"),
    "two scopes of ours": (lambda now: {"scope": "cancellation:backend cancellation:auditor"}, "invalid_claim"),
    "scopes as a list": (lambda now: {"scope": ["cancellation:backend"]}, "invalid_claim"),
    "no subject": (lambda now: {"sub": None}, "missing_claim"),
    "a subject that is an e-mail": (lambda now: {"sub": "zhang@example.cn"}, "invalid_claim"),
    "a subject that is no text": (lambda now: {"sub": 7}, "invalid_claim"),
}


@pytest.mark.parametrize("case", WRONG_CLAIMS)
async def test_a_token_with_a_wrong_claim_is_refused(
    guarded: Console, issuer: Issuer, logged: list[EventDict], case: str
) -> None:
    now = datetime.now(UTC)
    changes, reason = WRONG_CLAIMS[case]
    token = jwt.encode(
        {"alg": "RS256", "kid": "rsa-1"},
        {
            name: value
            for name, value in {**issuer.claims(now), **changes(int(now.timestamp()))}.items()
            if value is not None
        },
        issuer.key,
    )
    assert await _status(guarded, token) == 401
    assert reason in [line["reason"] for line in logged if line["event"] == "Refused a service token"]
    assert token not in str(logged)
    assert "zhang" not in str(logged)


def _unsigned(issuer: Issuer, now: datetime) -> str:
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(issuer.claims(now))}."


def _signed_with_the_public_key(issuer: Issuer, now: datetime) -> str:
    signed = f"{_part({'alg': 'HS256', 'kid': 'rsa-1'})}.{_part(issuer.claims(now))}"
    signature = hmac.digest(issuer.key.as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _by_an_unknown_key(issuer: Issuer, now: datetime) -> str:
    stranger = RSAKey.generate_key(2048, {"kid": "rsa-9"})
    return jwt.encode({"alg": "RS256", "kid": "rsa-9"}, issuer.claims(now), stranger)


def _by_a_stranger_under_a_known_name(issuer: Issuer, now: datetime) -> str:
    stranger = RSAKey.generate_key(2048, {"kid": "rsa-1"})
    return jwt.encode({"alg": "RS256", "kid": "rsa-1"}, issuer.claims(now), stranger)


def _with_a_key_of_its_own(issuer: Issuer, now: datetime) -> str:
    stranger = RSAKey.generate_key(2048)
    return jwt.encode({"alg": "RS256", "jwk": stranger.as_dict(private=False)}, issuer.claims(now), stranger)


def _changed(issuer: Issuer, now: datetime) -> str:
    head, _, signature = issuer.token(now, "cancellation:auditor").split(".")
    return f"{head}.{_part(issuer.claims(now))}.{signature}"


def _critical(issuer: Issuer, now: datetime) -> str:
    head = _part({"alg": "RS256", "kid": "rsa-1", "crit": ["unheard-of"], "unheard-of": True})
    return f"{head}.{issuer.token(now).split('.', 1)[1]}"


FORGERIES: dict[str, Callable[[Issuer, datetime], str]] = {
    "unsigned": _unsigned,
    "signed with the public key as a shared one": _signed_with_the_public_key,
    "by an unknown key": _by_an_unknown_key,
    "by a stranger under a known key's name": _by_a_stranger_under_a_known_name,
    "brings its own key": _with_a_key_of_its_own,
    "changed claims": _changed,
    "asks for what we do not understand": _critical,
    "no token at all": lambda issuer, now: "not-a-token",
    "lists in place of objects": lambda issuer, now: f"{_part([])}.{_part([])}.AA",
    "empty": lambda issuer, now: "",
    "cut off": lambda issuer, now: issuer.token(now)[:-4],
    "two at once": lambda issuer, now: f"{issuer.token(now)} {issuer.token(now)}",
}


@pytest.mark.parametrize("case", FORGERIES)
async def test_a_forged_token_is_refused(guarded: Console, issuer: Issuer, logged: list[EventDict], case: str) -> None:
    token = FORGERIES[case](issuer, datetime.now(UTC))
    async with guarded.client({"Authorization": f"Bearer {token}"}) as client:
        answer = await client.post(LOGIN_LINK)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["type"].endswith(":NotSignedIn")
    events = [line["event"] for line in logged]
    assert events == ["Refused a service token", "Refused"]
    assert len(token) < 4 or token not in str(logged)


async def test_a_token_under_another_scheme_is_none(guarded: Console, issuer: Issuer) -> None:
    assert await _status(guarded, issuer.token(datetime.now(UTC)), scheme="Basic") == 401


async def test_without_an_issuer_the_api_answers_nobody(console: Console, issuer: Issuer) -> None:
    assert await _status(console, issuer.token(datetime.now(UTC))) == 401


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"keys": []}', '{"keys": [{"kty": "RSA"}]}'])
def test_keys_that_cannot_be_read_stop_the_start_and_say_which_setting(
    issuer: Issuer, tmp_path_factory: pytest.TempPathFactory, content: str
) -> None:
    file = tmp_path_factory.mktemp("keys") / "keys.json"
    file.write_text(content)
    with pytest.raises(ValueError, match="CONSOLE_TOKEN_KEYS"):
        ServiceTokens(ConsoleSettings(token_issuer=ISSUER, token_keys=file))


def test_every_role_but_the_owners_has_a_scope() -> None:
    assert set(SCOPES.values()) == set(Role) - {Role.OWNER}
