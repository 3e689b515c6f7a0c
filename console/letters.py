"""A letter for whoever may see it: a page as a picture, and the cleaned PDF as a download."""

from collections.abc import Awaitable, Mapping
from typing import Final

from fastapi import Request, Response

from console.pages import page
from domain.letters import LetterType
from domain.tickets import TicketForm
from runtime.letters.limited import ProgramFailed

_PRIVATE: Final[Mapping[str, str]] = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


async def picture(request: Request, drawing: Awaitable[bytes]) -> Response:
    try:
        png = await drawing
    except ProgramFailed:
        # A picture that says so: it stands where the page would.
        answer = page(request, "letter_cannot_be_shown.svg", status=422, headers=_PRIVATE)
        answer.headers["Content-Type"] = "image/svg+xml"
        return answer
    return Response(png, headers=dict(_PRIVATE), media_type="image/png")


def letter_file(form: TicketForm, content: bytes) -> Response:
    name = f"{form.ticket_no}-r{form.revision}-letter.pdf"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, headers={**_PRIVATE, **disposition}, media_type=LetterType.PDF)
