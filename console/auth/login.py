"""How owners get in: by a short-lived link that the backend asks for, good for one account and one use."""

from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import HttpUrl

from console.auth.limits import OPENING_LOGIN_LINKS, limited
from console.auth.login_links import LoginGrant, LoginLinks
from console.auth.sessions import Session, Sessions
from console.pages import keep_language, page
from console.services import WithServices
from domain.locale import Locale
from domain.model import Instant, Model, TypedId

log = structlog.get_logger()

router = APIRouter(include_in_schema=False, dependencies=[Depends(limited(OPENING_LOGIN_LINKS))])
api_router = APIRouter(tags=["Owners"])

_GONE: Final = 410


class LoginLinkRequest(Model):
    """`requested_by` is the opaque id of the person at the backend; `locale` the language of the pages."""

    requested_by: TypedId | None = None
    locale: Locale | None = None


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
