"""The one gate that every route stands behind: who is asking, and whether the table lets them.

Programs come with a bearer token and only to the API; people come with a session and only to the pages. So a browser
can never be tricked into using the API, and the API needs no defence against forged forms.
"""

import hmac
from collections.abc import AsyncIterator
from typing import Annotated, Final, Literal

import structlog
from fastapi import Depends, Request

from console.auth.roles import Principal, may
from console.auth.sessions import Session, Sessions
from console.auth.tokens import ServiceTokens
from console.services import WithServices

log = structlog.get_logger()

API: Final = "/api/"
FORGERY_FIELD: Final = "csrf"
FORGERY_HEADER: Final = "X-CSRF-Token"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class NotSignedIn(Exception):
    """Nobody is asking, or nobody we can believe. For people: sign in; for programs: send a valid token."""


class NotAllowed(Exception):
    """Somebody is asking who may not do this."""


class Forged(Exception):
    """A form that did not come from a page of ours, in this session."""


async def authorize(request: Request, services: WithServices) -> AsyncIterator[None]:
    """Sets `request.state.principal` and `.session`. Raises `NotSignedIn`, `NotAllowed` or `Forged`.

    The log says which route was refused to which role: never the address, a token or what was sent.
    """
    try:
        await _decide(request, services)
        yield
    finally:
        # The files of a form that was read for its token only.
        await request.close()


async def _decide(request: Request, services: WithServices) -> None:
    route = request.scope["route"].name
    session = None
    # Not `request.url.path`: that is made with the Host header, which is the caller's to choose.
    of_api = request.scope["path"].startswith(API)
    if of_api:
        tokens: ServiceTokens = request.app.state.tokens
        principal = tokens.principal(request, services.now())
    else:
        sessions: Sessions = request.app.state.sessions
        session = sessions.of(request, services.now())
        principal = session.principal if session else None
    request.state.principal, request.state.session = principal, session
    who = {"role": principal.role, "subject": principal.subject} if principal else {"role": None}
    if not may(principal.role if principal else None, route):
        log.warning("Refused", route=route, **who)
        raise NotAllowed if principal else NotSignedIn
    if not of_api and request.method not in _SAFE:
        wrong = await _forged_sign(request, session, services.settings.origin)
        if wrong:
            log.warning("Refused a forged form", route=route, sign=wrong, **who)
            raise Forged


async def _forged_sign(request: Request, session: Session | None, origin: str) -> Literal["origin", "token"] | None:
    """Which of two independent signs is not ours: where the browser says the form was sent from, or the token that only
    our pages know. None when the form is ours.

    Without a session there is no token; the first sign still keeps others from signing somebody in or out.
    """
    said = [
        request.headers[name] == ours
        for name, ours in (("Origin", origin), ("Sec-Fetch-Site", "same-origin"))
        if name in request.headers
    ]
    if not said or not all(said):
        return "origin"
    if session is None:
        return None
    token = request.headers.get(FORGERY_HEADER) or (await request.form()).get(FORGERY_FIELD)
    known = isinstance(token, str) and hmac.compare_digest(token.encode(), session.forgery_token.encode())
    return None if known else "token"


async def _visitor(request: Request) -> Principal:
    principal: Principal | None = request.state.principal
    assert principal is not None, "the table lets nobody without a role come here"
    return principal


Visitor = Annotated[Principal, Depends(_visitor)]
"""Who is asking, on a route that asks for a role."""


async def _own_account(visitor: Visitor) -> str:
    assert visitor.account_id is not None, "an owner's session names the account"
    return visitor.account_id


OwnAccount = Annotated[str, Depends(_own_account)]
"""The account of the owner who is asking. It comes from the session and never from the request."""
