"""The one gate that every route stands behind: who is asking, and whether the table lets them.

Programs come with a bearer token and only to the API; people come with a session and only to the pages. So a browser
can never be tricked into using the API, and the API needs no defence against forged forms.
"""

import hmac
from typing import Annotated, Final

import structlog
from fastapi import Depends, Request

from console.access.roles import ACCESS, EVERYBODY, Principal, may
from console.access.sessions import Session, Sessions
from console.access.tokens import ServiceTokens
from console.services import Desk

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


async def authorize(request: Request, desk: Desk) -> None:
    """Sets `request.state.principal` and `.session`. Raises `NotSignedIn`, `NotAllowed` or `Forged`."""
    route = request.scope["route"].name
    session = None
    if request.url.path.startswith(API):
        tokens: ServiceTokens = request.app.state.tokens
        principal = tokens.principal(request)
    else:
        sessions: Sessions = request.app.state.sessions
        session = sessions.of(request, desk.now())
        principal = session.principal if session else None
    request.state.principal, request.state.session = principal, session
    if not may(principal.role if principal else None, route):
        log.warning("Refused", route=route, role=principal and principal.role, subject=principal and principal.subject)
        raise NotAllowed if principal else NotSignedIn
    if session and request.method not in _SAFE and ACCESS[route] is not EVERYBODY:
        await _refuse_forgery(request, session, desk.settings.origin)


async def _refuse_forgery(request: Request, session: Session, origin: str) -> None:
    """Two independent signs that the form is ours: where it was sent from, and the token that only our pages know."""
    sent_from = request.headers.get("Origin")
    ours = sent_from == origin if sent_from else request.headers.get("Sec-Fetch-Site") == "same-origin"
    token = request.headers.get(FORGERY_HEADER) or (await request.form()).get(FORGERY_FIELD)
    if not (ours and isinstance(token, str) and hmac.compare_digest(token.encode(), session.forgery_token.encode())):
        log.warning("Refused a forged form", route=request.scope["route"].name, subject=session.principal.subject)
        raise Forged


def _visitor(request: Request) -> Principal:
    principal: Principal | None = request.state.principal
    assert principal is not None, "the table lets nobody without a role come here"
    return principal


Visitor = Annotated[Principal, Depends(_visitor)]
"""Who is asking, on a route that asks for a role."""


def _own_account(visitor: Visitor) -> str:
    assert visitor.account_id is not None, "an owner's session names the account"
    return visitor.account_id


OwnAccount = Annotated[str, Depends(_own_account)]
"""The account of the owner who is asking. It comes from the session and never from the request."""
