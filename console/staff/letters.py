"""The letter of a ticket, cleaned: each page as a picture, and all of them as a PDF."""

from fastapi import APIRouter, Request, Response

from console.letters import letter_file, picture
from console.services import Services, WithServices
from console.staff.rendering import StaffRoute
from domain.errors import ErrorType, Refusal
from domain.model import TypedId
from domain.tickets import TicketForm

router = APIRouter(route_class=StaffRoute, prefix="/tickets/{ticket_no}/letter")


@router.get("")
async def staff_letter(services: WithServices, ticket_no: TypedId, revision: int | None = None) -> Response:
    form = await _form(services, ticket_no, revision)
    return letter_file(form, await services.tickets.read_letter(form))


@router.get("/pages/{number}.png")
async def staff_letter_page(
    request: Request, services: WithServices, ticket_no: TypedId, number: int, revision: int | None = None
) -> Response:
    form = await _form(services, ticket_no, revision)
    return await picture(request, services.tickets.letter_page(form, number))


async def _form(services: Services, ticket_no: str, revision: int | None) -> TicketForm:
    """The form under review. A page that shows an earlier one is told, and not shown another letter."""
    ref = (await services.cancellations.review(ticket_no)).case.ticket
    if revision not in (None, ref.revision):
        raise Refusal(ErrorType.NOT_FOUND, f"Ticket {ticket_no} has new materials; load its page again.")
    return await services.tickets.load(ref)
