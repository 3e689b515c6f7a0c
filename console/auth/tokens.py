"""Service tokens of programs: JSON Web Tokens of one issuer, verified by its public keys."""

import json
import re
from datetime import datetime, timedelta
from typing import Final

import structlog
from joserfc import jwt
from joserfc.errors import ClaimError, InvalidClaimError, JoseError, MissingClaimError
from joserfc.jwk import KeySet
from pydantic import ValidationError
from starlette.requests import Request

from console.auth.roles import Principal, Role
from console.settings import ConsoleSettings

log = structlog.get_logger()

SCOPES: Final = {f"cancellation:{role}": role for role in (Role.BACKEND, Role.AGENT, Role.LEAD, Role.AUDITOR)}
"""What a token may be good for. It names exactly one: two roles would be more rights than the table knows."""

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Asymmetric ones only: with a shared one, a public key would do to sign."""

LONGEST_LIFE: Final = timedelta(hours=1)
"""From issue to expiry. A token cannot be called back, so it must not live long."""

_LEEWAY: Final = timedelta(seconds=30)
_BEARER: Final = re.compile(r"Bearer +([\w.~+/=-]+)", re.ASCII | re.IGNORECASE)


class ServiceTokens:
    """Raises `ValueError` when the file of keys cannot be used. Other keys come with a new start."""

    def __init__(self, settings: ConsoleSettings) -> None:
        self._issuer, self._audience = settings.token_issuer, settings.token_audience
        self._keys: KeySet | None = None
        if settings.token_issuer and settings.token_keys:
            try:
                self._keys = KeySet.import_key_set(json.loads(settings.token_keys.read_bytes()))
            except (OSError, ValueError, KeyError, TypeError, JoseError) as error:
                raise ValueError(
                    f"CONSOLE_TOKEN_KEYS cannot be used ({type(error).__name__}): name a readable JSON Web Key Set"
                ) from error

    def principal(self, request: Request, now: datetime) -> Principal | None:
        """Whom the request's bearer token names; None without one, or when it cannot be believed."""
        header = request.headers.get("Authorization")
        if header is None:
            return None
        try:
            return self._verified(header, now)
        except ClaimError as error:
            _refuse(error.error, claim=error.claim)
        except JoseError as error:
            _refuse(error.error)
        except ValidationError:
            _refuse("invalid_claim", claim="sub")
        except (ValueError, TypeError):
            _refuse("unreadable")
        return None

    def _verified(self, header: str, now: datetime) -> Principal:
        bearer = _BEARER.fullmatch(header)
        if bearer is None or self._keys is None or self._issuer is None:
            raise ValueError
        claims = jwt.decode(bearer[1], self._keys, algorithms=ALGORITHMS).claims
        jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=int(_LEEWAY.total_seconds()),
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
            sub={"essential": True},
            iat={"essential": True},
            exp={"essential": True},
            scope={"essential": True},
        ).validate(claims)
        if claims["exp"] - claims["iat"] > LONGEST_LIFE.total_seconds():
            raise InvalidClaimError("exp")
        if not isinstance(claims["scope"], str):
            raise InvalidClaimError("scope")
        roles = [SCOPES[scope] for scope in claims["scope"].split(" ") if scope in SCOPES]
        if not roles:
            raise MissingClaimError("scope")
        if len(roles) > 1:
            raise InvalidClaimError("scope")
        return Principal(role=roles[0], subject=claims["sub"])


def _refuse(reason: str, **facts: str) -> None:
    log.warning("Refused a service token", reason=reason, **facts)
