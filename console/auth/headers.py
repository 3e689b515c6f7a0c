"""Headers of every answer: of pages, problems, static files, and of what fails before or beyond the routes."""

from typing import Final
from urllib.parse import parse_qs

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.settings import ConsoleSettings

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing inline, nothing from elsewhere, in nobody's frame."""

_ALWAYS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: browsers then send `Origin: null` with our own forms, which the gate must refuse.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HSTS: Final = "max-age=63072000"
_FOR_EVER: Final = "public, max-age=31536000, immutable"


class SecurityHeaders:
    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._always = {**_ALWAYS, "Strict-Transport-Security": _HSTS} if https else _ALWAYS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._always)
                headers.setdefault("Cache-Control", _cache_control(scope, message["status"]))
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _cache_control(scope: Scope, status: int) -> str:
    """A static file that is asked for by its content's version never changes; everything else may be somebody's own."""
    versioned = scope["path"].startswith("/static/") and b"v" in parse_qs(scope["query_string"])
    return _FOR_EVER if versioned and status in (200, 304) else "no-store"


def install(app: FastAPI, settings: ConsoleSettings) -> None:
    """Around everything, also around the framework's own answers to a bug and to a body that is too large.

    To be called last: the stack is built here, and takes no more middleware or error handlers.
    """
    app.middleware_stack = SecurityHeaders(app.build_middleware_stack(), https=settings.public_url.scheme == "https")
