"""A letter for whoever may see it: a page as a picture, and the cleaned PDF as a download."""

from collections.abc import Awaitable

from fastapi import Request, Response

from console.errors import EXPECTED, Problem
from console.pages import page
from domain.errors import ErrorType
from domain.letters import LetterType
from domain.tickets import TicketForm


async def picture(request: Request, drawing: Awaitable[bytes]) -> Response:
    """A page that cannot be drawn, or whose letter cannot be read, is a picture that says so in its place."""
    try:
        return Response(await drawing, media_type="image/png")
    except EXPECTED as error:
        problem = Problem.of(error)
        if problem.type is ErrorType.NOT_FOUND:
            raise
    answer = page(request, "letter_cannot_be_shown.svg", status=problem.status, code=problem.type)
    answer.headers["Content-Type"] = "image/svg+xml"
    return answer


def letter_file(form: TicketForm, content: bytes) -> Response:
    name = f"{form.ticket_no}-r{form.revision}-letter.pdf"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, headers=disposition, media_type=LetterType.PDF)
