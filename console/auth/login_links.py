"""One-time login links, by which owners get in: a backend asks for one, good for one account, once, for a minute."""

import secrets
from datetime import datetime
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Depends, Form, Request, Response
from itsdangerous import BadData, URLSafeSerializer
from pydantic import AfterValidator, Field, HttpUrl, ValidationError

from console.auth.limits import OPENING_LOGIN_LINKS, limited
from console.auth.roles import Principal, Role
from console.auth.sessions import Session, Sessions
from console.pages import keep_language, page
from console.services import WithServices
from console.settings import ConsoleSettings
from domain.model import Instant, Model, OpaqueId, TypedId
from i18n.catalogue import catalogues, known_language

log = structlog.get_logger()

router = APIRouter(include_in_schema=False, dependencies=[Depends(limited(OPENING_LOGIN_LINKS))])
api_router = APIRouter(tags=["Owners"])

_GONE: Final = 410
_MOST_REMEMBERED: Final = 100_000
"""A used one is remembered until it is over. With the default of a minute, this many arrivals a minute."""

KnownLanguage = Annotated[
    str, AfterValidator(known_language), Field(json_schema_extra=lambda schema: schema.update(enum=[*catalogues()]))
]


class LoginGrant(Model):
    """`id` is what makes it usable once; `owner` is the person's opaque id at the backend."""

    id: str
    account_id: OpaqueId
    owner: OpaqueId
    locale: str | None
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

    def make(self, account_id: str, owner: str | None, locale: str | None, now: datetime) -> LoginGrant:
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


class LoginLinkRequest(Model):
    """`requested_by` is the opaque id of the person at the backend; `locale` the language of the pages."""

    requested_by: TypedId | None = None
    locale: KnownLanguage | None = None


class LoginLink(Model):
    """Redirect the owner to `url` at once: it works once, until `expires_at`. Never log it."""

    url: HttpUrl
    expires_at: Instant


@api_router.post("/cancellations/{account_id}/login-link", status_code=201)
async def api_login_link(
    request: Request, services: WithServices, account_id: TypedId, wish: LoginLinkRequest | None = None
) -> LoginLink:
    """A link that signs the owner of this account in, for the pages of this account only."""
    wish = wish or LoginLinkRequest()
    login_links: LoginLinks = request.app.state.login_links
    grant = login_links.make(account_id, wish.requested_by, wish.locale, services.now())
    url = HttpUrl(f"{services.settings.origin}/login-link?token={login_links.token(grant)}")
    return LoginLink(url=url, expires_at=grant.expires_at)


@router.get("/login-link")
async def open_login_link(request: Request, services: WithServices, token: str = "") -> Response:
    """Asks to go on, and uses nothing up: links are also fetched by what only looks ahead, or looks for malware."""
    login_links: LoginLinks = request.app.state.login_links
    grant = login_links.of(token, services.now())
    return _gone(request) if grant is None else _ask(request, grant, token)


@router.post("/login-link")
async def use_login_link(request: Request, services: WithServices, token: Annotated[str, Form()] = "") -> Response:
    login_links: LoginLinks = request.app.state.login_links
    grant = login_links.use(token, services.now())
    if grant is None:
        return _gone(request)
    sessions: Sessions = request.app.state.sessions
    response = Response(status_code=303, headers={"Location": "/owner"})
    sessions.keep(Session.begin(grant.principal, services.now()), response)
    if grant.locale:
        keep_language(response, grant.locale)
    return response


def _ask(request: Request, grant: LoginGrant, token: str) -> Response:
    return page(request, "login_link.html", locale=grant.locale, grant=grant, token=token)


def _gone(request: Request) -> Response:
    log.warning("Refused a login link: forged, over or used")
    return page(request, "login_link.html", status=_GONE, grant=None)
