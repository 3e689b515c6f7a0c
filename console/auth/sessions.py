"""Sessions in a signed cookie. Nothing is kept here: a session ends with its time, or with the secret."""

import secrets
from datetime import datetime, timedelta
from typing import Final, Literal, Self, TypedDict

from itsdangerous import BadData, URLSafeTimedSerializer
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from console.auth.roles import Principal, Role
from console.settings import ConsoleSettings
from domain.model import Instant, Model

COOKIE: Final = "__Host-session"
"""The prefix makes browsers refuse it without Secure, with a Domain, or for another path."""


class _Attributes(TypedDict):
    path: str
    secure: bool
    httponly: bool
    samesite: Literal["lax"]


ATTRIBUTES: Final[_Attributes] = {"path": "/", "secure": True, "httponly": True, "samesite": "lax"}
"""Of every `__Host-` cookie of ours. Not `strict`: whoever comes back from the provider must keep the cookie."""


class Session(Model):
    """`forgery_token` stands in every form of this session; `began_at` is when the person signed in."""

    principal: Principal
    forgery_token: str
    began_at: Instant

    @classmethod
    def begin(cls, principal: Principal, now: datetime) -> Self:
        """A new one at every sign-in, so that nobody can plant a session and have it signed in later."""
        return cls(principal=principal, forgery_token=secrets.token_urlsafe(32), began_at=now)


class Sessions:
    def __init__(self, settings: ConsoleSettings) -> None:
        self._settings = settings
        self.signer = URLSafeTimedSerializer(settings.secret.get_secret_value(), salt="session")

    def of(self, request: Request, now: datetime) -> Session | None:
        """The session of a request; None when there is none, or it is forged, changed or over."""
        cookie = request.cookies.get(COOKIE)
        if not cookie:
            return None
        try:
            session = Session.model_validate(self.signer.loads(cookie))
        except (BadData, ValidationError):
            return None
        return session if now < session.began_at + self._lifetime(session.principal.role) else None

    def keep(self, session: Session, response: Response) -> None:
        response.set_cookie(
            COOKIE,
            self.signer.dumps(session.model_dump(mode="json")),
            max_age=int(self._lifetime(session.principal.role).total_seconds()),
            **ATTRIBUTES,
        )

    def end(self, response: Response) -> None:
        response.delete_cookie(COOKIE, **ATTRIBUTES)

    def _lifetime(self, role: Role) -> timedelta:
        return self._settings.owner_session if role is Role.OWNER else self._settings.staff_session
