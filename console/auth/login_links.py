"""One-time login links: what a backend signs somebody in with; good for one account, once, and not for long."""

import secrets
from datetime import datetime
from typing import Final

from itsdangerous import BadData, URLSafeSerializer
from pydantic import ValidationError

from console.auth.roles import Principal, Role
from console.settings import ConsoleSettings
from domain.locale import Locale
from domain.model import Instant, Model, OpaqueId

_MOST_REMEMBERED: Final = 100_000
"""A used one is remembered until it is over. With the default of a minute, this many arrivals a minute."""


class LoginGrant(Model):
    """`id` is what makes it usable once; `owner` is the person's opaque id at the backend."""

    id: str
    account_id: OpaqueId
    owner: OpaqueId
    locale: Locale | None
    expires_at: Instant

    @property
    def principal(self) -> Principal:
        return Principal(role=Role.OWNER, subject=self.owner, account_id=self.account_id)


class LoginLinks:
    """Remembers used ones in this process only; several processes each take a link once."""

    def __init__(self, settings: ConsoleSettings) -> None:
        self._lifetime = settings.login_link_lifetime
        self._signer = URLSafeSerializer(settings.secret.get_secret_value(), salt="login-link")
        self._used: dict[str, datetime] = {}

    def make(self, account_id: str, owner: str | None, locale: Locale | None, now: datetime) -> LoginGrant:
        return LoginGrant(
            id=secrets.token_urlsafe(16),
            account_id=account_id,
            owner=owner or f"owner-of-{account_id}"[:64],
            locale=locale,
            expires_at=now + self._lifetime,
        )

    def token(self, grant: LoginGrant) -> str:
        token = self._signer.dumps(grant.model_dump(mode="json"))
        assert isinstance(token, str)
        return token

    def of(self, token: str, now: datetime) -> LoginGrant | None:
        """The login link of a token; None when it is forged, changed, over or used."""
        try:
            grant = LoginGrant.model_validate(self._signer.loads(token))
        except (BadData, ValidationError):
            return None
        return grant if now < grant.expires_at and grant.id not in self._used else None

    def use(self, token: str, now: datetime) -> LoginGrant | None:
        """As `of`, and never again."""
        grant = self.of(token, now)
        if grant is None:
            return None
        self._used = {used: until for used, until in self._used.items() if now < until}
        if len(self._used) >= _MOST_REMEMBERED:
            return None
        self._used[grant.id] = grant.expires_at
        return grant

    def __len__(self) -> int:
        """How many used ones are remembered."""
        return len(self._used)
