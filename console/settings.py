"""Settings of the console, from `CONSOLE_*` variables. What it shares with the worker is in `CANCELLATION_*`."""

import ipaddress
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, HttpUrl, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from console.auth.roles import STAFF, Role
from i18n.catalogue import known_language


class ConsoleSettings(BaseSettings):
    """Raises `ValidationError` when a combination would be unsafe."""

    model_config = SettingsConfigDict(env_prefix="CONSOLE_", frozen=True, extra="forbid", hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: int = 8300
    public_url: HttpUrl = HttpUrl("http://127.0.0.1:8300")
    """Where browsers find it: the only origin from which forms are taken, and the base of every link it hands out."""

    secret: SecretStr = Field(default_factory=lambda: SecretStr(secrets.token_urlsafe(48)), min_length=32)
    """Signs sessions and login links. Without one, each process makes its own: sessions then end with the process."""

    temporal_ui_url: HttpUrl | None = None
    """Temporal's pages, which a ticket's page links to."""

    development_sign_in: bool = False
    """Anybody may take any role, without a password. Only on a loopback address, and every page says so."""

    oidc_issuer: HttpUrl | None = None
    """The staff's OpenID provider; its discovery document is at `/.well-known/openid-configuration` below it."""
    oidc_client_id: str = "account-cancellation"
    oidc_client_secret: SecretStr | None = None
    oidc_roles_claim: str = "roles"
    oidc_roles: dict[str, Role] = {"agent": Role.AGENT, "lead": Role.LEAD, "auditor": Role.AUDITOR}
    """What the provider calls the roles, as JSON. Who has several gets the highest: lead, agent, auditor."""

    token_issuer: str | None = None
    """The issuer of the service tokens that programs send; without one the API answers nobody."""
    token_audience: str = "account-cancellation"
    token_keys: Path | None = None
    """A file with the issuer's public keys, as a JSON Web Key Set."""

    language: Annotated[str, AfterValidator(known_language)] = "zh-CN"
    """The tag of the language of pages for a browser that wishes for none that there is."""

    staff_session: timedelta = timedelta(hours=8)
    owner_session: timedelta = timedelta(hours=2)
    login_link_lifetime: timedelta = timedelta(seconds=60)
    """How long the link counts with which a backend sends an owner here."""

    @property
    def origin(self) -> str:
        return str(self.public_url).rstrip("/")

    @model_validator(mode="after")
    def _safe(self) -> Self:
        public_host = self.public_url.host or ""
        if self.public_url.path not in (None, "/") or self.public_url.query or self.public_url.fragment:
            raise ValueError("forms are taken from an origin: set CONSOLE_PUBLIC_URL without a path")
        if self.public_url.scheme != "https" and not _is_loopback(public_host):
            raise ValueError("browsers keep a session on HTTPS only: set CONSOLE_PUBLIC_URL to an https:// address")
        if self.development_sign_in and not (_is_loopback(self.host) and _is_loopback(public_host)):
            raise ValueError(
                "the development sign-in needs loopback addresses: set CONSOLE_HOST=127.0.0.1 and a CONSOLE_PUBLIC_URL "
                "on it, or leave it off"
            )
        if self.token_issuer and self.token_keys is None:
            raise ValueError("service tokens need the issuer's keys: set CONSOLE_TOKEN_KEYS to its JWKS file")
        if self.oidc_issuer and self.oidc_client_secret is None:
            raise ValueError("sign-in by OpenID Connect needs CONSOLE_OIDC_CLIENT_SECRET")
        if self.oidc_issuer and "secret" not in self.model_fields_set:
            raise ValueError("staff's ids are made with the secret and must last: set CONSOLE_SECRET")
        if not set(self.oidc_roles.values()) <= STAFF:
            raise ValueError("a provider gives the roles agent, lead and auditor only: mend CONSOLE_OIDC_ROLES")
        return self


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
