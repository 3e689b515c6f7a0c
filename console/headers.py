"""Headers of every answer: of pages, problems, static files, and of what fails before or beyond the routes."""

from typing import Final, cast
from urllib.parse import parse_qs

from fastapi import FastAPI
from secure import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
)
from secure.middleware import SecureASGIMiddleware
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.settings import ConsoleSettings

_NONE, _SELF = "'none'", "'self'"
_TWO_YEARS: Final = 63_072_000
_FOR_EVER: Final = "public, max-age=31536000, immutable"


def security_headers(*, https: bool) -> Secure:
    """Nothing inline, nothing from elsewhere, in nobody's frame."""
    policy = ContentSecurityPolicy().default_src(_NONE).base_uri(_NONE).frame_ancestors(_NONE)
    return Secure(
        csp=policy.script_src(_SELF).style_src(_SELF).img_src(_SELF).connect_src(_SELF).form_action(_SELF),
        xcto=XContentTypeOptions().nosniff(),
        # Not `no-referrer`: browsers then send `Origin: null` with our own forms, which are refused without an origin.
        referrer=ReferrerPolicy().same_origin(),
        permissions=PermissionsPolicy().camera().geolocation().microphone().usb().add_directive("payment"),
        coop=CrossOriginOpenerPolicy().same_origin(),
        corp=CrossOriginResourcePolicy().same_origin(),
        hsts=StrictTransportSecurity().max_age(_TWO_YEARS) if https else None,
    )


class CacheControl:
    """A static file that is asked for by its content's version never changes; all else may be somebody's own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                versioned = scope["path"].startswith("/static/") and b"v" in parse_qs(scope["query_string"])
                kept = _FOR_EVER if versioned and message["status"] in (200, 304) else "no-store"
                MutableHeaders(scope=message).setdefault("Cache-Control", kept)
            await send(message)

        await self._app(scope, receive, send_with_header)


def install(app: FastAPI, settings: ConsoleSettings) -> None:
    """Around everything, also around the framework's own answers to a bug and to a body that is too large.

    To be called last: the stack is built here, and takes no more middleware or error handlers.
    """
    secure = security_headers(https=settings.public_url.scheme == "https")
    stack = SecureASGIMiddleware(CacheControl(app.build_middleware_stack()), secure=secure)
    app.middleware_stack = cast("ASGIApp", stack)
