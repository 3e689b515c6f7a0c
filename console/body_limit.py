"""How much may be sent. The framework's own limit answers in plain text, whatever the error handlers say."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """Reading more than `max_bytes` of a body raises a 413, which is answered as every other refusal is."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared, read = _declared(scope), 0

        async def limited() -> Message:
            nonlocal read
            # What is declared is refused before it is read; what is not, when there is too much of it.
            if declared <= self._max_bytes:
                message = await receive()
                read += len(message.get("body", b""))
                if read <= self._max_bytes:
                    return message
            raise HTTPException(413)

        await self._app(scope, limited, send)


def _declared(scope: Scope) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"")
    return int(length) if length.isdigit() else 0
