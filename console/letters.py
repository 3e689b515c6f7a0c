"""A letter for whoever may see it: a page as a picture, and the cleaned PDF as a download."""

from collections.abc import Awaitable

from fastapi import Request, Response

from console.errors import Problem
from console.pages import page
from domain.letters import LetterType
from domain.tickets import TicketForm
from gateways.errors import GatewayError
from service.letters.limited import ProgramFailed


async def picture(request: Request, drawing: Awaitable[bytes]) -> Response:
    """A page that cannot be drawn, or whose letter cannot be read, is a picture that says so in its place."""
    try:
        return Response(await drawing, media_type="image/png")
    except ProgramFailed:
        status, code = 422, ""
    except GatewayError as error:
        problem = Problem.of(error)
        status, code = problem.status, problem.type
    answer = page(request, "letter_cannot_be_shown.svg", status=status, code=code)
    answer.headers["Content-Type"] = "image/svg+xml"
    return answer


def letter_file(form: TicketForm, content: bytes) -> Response:
    name = f"{form.ticket_no}-r{form.revision}-letter.pdf"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, headers=disposition, media_type=LetterType.PDF)
