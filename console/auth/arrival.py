"""How owners get in: by a short-lived link that the backend asks for, good for one account and one use."""

from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import HttpUrl

from console.auth.hand_overs import HandOver, HandOvers
from console.auth.limits import ARRIVING, limited
from console.auth.sessions import Session, Sessions
from console.pages import keep_language, page
from console.services import WithServices
from domain.locale import Locale
from domain.model import Instant, Model, TypedId

log = structlog.get_logger()

router = APIRouter(include_in_schema=False, dependencies=[Depends(limited(ARRIVING))])
api_router = APIRouter(tags=["Owners"])

_GONE: Final = 410


class HandOverRequest(Model):
    """`requested_by` is the opaque id of the person at the backend; `locale` the language of the pages."""

    requested_by: TypedId | None = None
    locale: Locale | None = None


class HandOverLink(Model):
    """Redirect the owner to `url` at once: it works once, until `expires_at`. Never log it."""

    url: HttpUrl
    expires_at: Instant


@api_router.post("/cancellations/{account_id}/hand-over", status_code=201)
async def api_hand_over(
    request: Request, services: WithServices, account_id: TypedId, wish: HandOverRequest | None = None
) -> HandOverLink:
    """A link that signs the owner of this account in, for the pages of this account only."""
    wish = wish or HandOverRequest()
    hand_overs: HandOvers = request.app.state.hand_overs
    hand_over = hand_overs.make(account_id, wish.requested_by, wish.locale, services.now())
    url = HttpUrl(f"{services.settings.origin}/arrive?token={hand_overs.token(hand_over)}")
    return HandOverLink(url=url, expires_at=hand_over.expires_at)


@router.get("/arrive")
async def arrive(request: Request, services: WithServices, token: str = "") -> Response:
    """Asks to go on, and uses nothing up: links are also fetched by what only looks ahead, or looks for malware."""
    hand_overs: HandOvers = request.app.state.hand_overs
    hand_over = hand_overs.of(token, services.now())
    return _gone(request) if hand_over is None else _ask(request, hand_over, token)


@router.post("/arrive")
async def arrived(request: Request, services: WithServices, token: Annotated[str, Form()] = "") -> Response:
    hand_overs: HandOvers = request.app.state.hand_overs
    hand_over = hand_overs.use(token, services.now())
    if hand_over is None:
        return _gone(request)
    sessions: Sessions = request.app.state.sessions
    response = Response(status_code=303, headers={"Location": "/owner"})
    sessions.keep(Session.begin(hand_over.principal, services.now()), response)
    if hand_over.locale:
        keep_language(response, hand_over.locale)
    return response


def _ask(request: Request, hand_over: HandOver, token: str) -> Response:
    return page(request, "arrive.html", locale=hand_over.locale, hand_over=hand_over, token=token)


def _gone(request: Request) -> Response:
    log.warning("Refused a hand-over: forged, over or used")
    return page(request, "arrive.html", status=_GONE, hand_over=None)
