"""The staff's OpenID provider: authorization code with PKCE, state and nonce, by Authlib. A role and an id stay."""

import hmac
from typing import Any, Final

import httpx2
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from fastapi import Request, Response
from itsdangerous import BadData, URLSafeTimedSerializer
from joserfc.errors import JoseError
from pydantic import TypeAdapter, ValidationError

from console.auth.authorization import NotAllowed
from console.auth.roles import Principal, Role
from console.auth.sessions import ATTRIBUTES
from console.settings import ConsoleSettings
from domain.errors import ErrorType, Refusal
from domain.model import OpaqueId

log = structlog.get_logger()

CALLBACK: Final = "/sign-in/provider/callback"
COOKIE: Final = "__Host-sign-in"
"""State, nonce and code verifier of one sign-in under way, for this browser only."""

_UNDER_WAY_SECONDS: Final = 600
_TIMEOUT_SECONDS: Final = 10
_HIGHEST_FIRST: Final = (Role.LEAD, Role.AGENT, Role.AUDITOR)
_OPAQUE_ID: Final[TypeAdapter[str]] = TypeAdapter(OpaqueId)


class SignInFailed(Exception):
    """The provider said no, or what came back is not an answer to what this browser asked."""


class Provider:
    def __init__(self, settings: ConsoleSettings) -> None:
        assert settings.oidc_issuer
        assert settings.oidc_client_secret
        self._settings = settings
        self._issuer = str(settings.oidc_issuer).rstrip("/")
        self._secret = settings.secret.get_secret_value()
        self._signer = URLSafeTimedSerializer(self._secret, salt="sign-in")
        self._client: Any = OAuth().register(
            "provider",
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret.get_secret_value(),
            server_metadata_url=f"{self._issuer}/.well-known/openid-configuration",
            client_kwargs={"scope": "openid", "code_challenge_method": "S256", "timeout": _TIMEOUT_SECONDS},
        )

    async def ask(self, request: Request) -> Response:
        """Sends the browser to the provider. Raises `Refusal` (UNREACHABLE)."""
        under_way = request.scope["session"] = {}
        try:
            response: Response = await self._client.authorize_redirect(request, f"{self._settings.origin}{CALLBACK}")
        except _UNUSABLE as error:
            raise _unreachable(error) from error
        response.set_cookie(COOKIE, self._signer.dumps(under_way), max_age=_UNDER_WAY_SECONDS, **ATTRIBUTES)
        return response

    async def answered(self, request: Request) -> Principal:
        """Who comes back. Raises `SignInFailed`, `NotAllowed` without a role of ours, `Refusal` (UNREACHABLE)."""
        try:
            request.scope["session"] = self._signer.loads(request.cookies.get(COOKIE, ""), max_age=_UNDER_WAY_SECONDS)
            token = await self._client.authorize_access_token(
                request,
                claims_options={
                    "iss": {"essential": True, "values": [self._issuer, f"{self._issuer}/"]},
                    "aud": {"essential": True, "value": self._settings.oidc_client_id},
                },
            )
            return self._principal(token["userinfo"])
        except _UNUSABLE as error:
            raise _unreachable(error) from error
        except (AuthlibBaseError, BadData, JoseError, KeyError, ValidationError) as error:
            # The provider's own description may name the person.
            log.warning("Refused a sign-in", error_type=type(error).__name__)
            raise SignInFailed from error

    def _principal(self, claims: dict[str, Any]) -> Principal:
        claimed = claims.get(self._settings.oidc_roles_claim, [])
        named = claimed.split() if isinstance(claimed, str) else claimed if isinstance(claimed, list) else []
        known = self._settings.oidc_roles
        roles = {known[name] for name in named if isinstance(name, str) and name in known}
        subject = self._opaque(claims["sub"])
        for role in _HIGHEST_FIRST:
            if role in roles:
                return Principal(role=role, subject=subject)
        log.warning("Refused a sign-in: no role of ours", subject=subject)
        raise NotAllowed

    def _opaque(self, subject: str) -> str:
        """The provider's id of a person if it says nothing about them; else one of ours, the same at each sign-in."""
        try:
            if not subject.isdigit():  # which may be a phone
                return _OPAQUE_ID.validate_python(subject)
        except ValidationError:
            pass
        digest = hmac.digest(self._secret.encode(), f"staff {self._issuer} {subject}".encode(), "sha256")
        return f"staff-{digest.hex()[:16]}"


_UNUSABLE: Final = (httpx2.HTTPError, httpx2.InvalidURL, RuntimeError)
"""Down, slow, or not a provider: Authlib raises `RuntimeError` when the discovery document lacks an address."""


def _unreachable(error: Exception) -> Refusal:
    log.error("The sign-in provider cannot be used", error_type=type(error).__name__)
    return Refusal(ErrorType.UNREACHABLE, "The sign-in provider did not answer. Nothing is lost: try again in a while.")
