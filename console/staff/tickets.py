"""One ticket: everything a reviewer decides by, and its letter, each page as a picture and all of them as a PDF."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from console.auth.authorization import Visitor
from console.auth.roles import REVIEWERS, Principal
from console.letters import letter_file, picture
from console.pages import not_listed, page
from console.services import Services, WithServices
from console.staff.decision_form import Draft, reasons_for
from console.staff.rendering import StaffRoute, caches
from console.staff.ticket_detail import TicketDetail, owner_message, stamp, ticket_detail
from domain.checks import Marketplace
from domain.errors import ErrorType, Refusal
from domain.ids import cancellation_workflow_id, review_workflow_id
from domain.model import TypedId
from domain.notices import CURRENT_NOTICE
from domain.tickets import DecisionKind, ReviewStatus, TicketForm

router = APIRouter(route_class=StaffRoute, prefix="/tickets/{ticket_no}")


@router.get("")
async def staff_ticket(
    request: Request, services: WithServices, visitor: Visitor, ticket_no: TypedId, decided: TypedId | None = None
) -> Response:
    try:
        case = await ticket_detail(services, ticket_no)
    except Refusal as refusal:
        if refusal.type is not ErrorType.NOT_FOUND:
            raise
        return page(request, "staff/ticket_not_found.html", status=404, ticket_no=ticket_no)
    mine = next((r for r in case.review.decisions if r.decision.decision_id == decided), None)
    return await show(request, services, visitor, case, mine=mine)


@router.get("/live")
async def staff_ticket_live(request: Request, services: WithServices, ticket_no: TypedId, seen: str) -> Response:
    """A word when somebody else has changed the ticket since its page was loaded; nothing while nobody has."""
    review = await caches(request).looks.get(ticket_no, lambda: services.cancellations.review(ticket_no))
    if stamp(review) == seen:
        return Response(status_code=204)
    return page(request, "staff/ticket_changed.html", review=review, last=review.decisions[-1:])


@router.get("/letter")
async def staff_letter(services: WithServices, ticket_no: TypedId, revision: int | None = None) -> Response:
    form = await _form(services, ticket_no, revision)
    return letter_file(form, await services.tickets.read_letter(form))


@router.get("/letter/pages/{number}.png")
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


async def show(
    request: Request, services: Services, visitor: Principal, case: TicketDetail, *, status: int = 200, **more: Any
) -> HTMLResponse:
    """`more` is what has just happened: `draft`, `preview`, `problem`, `because`, `first`, `mine`."""
    review = case.review
    happened: Mapping[str, Any] = {
        "draft": Draft(),
        "preview": None,
        "problem": None,
        "because": None,
        "first": None,
        "mine": None,
        **more,
    }
    kinds = {
        ReviewStatus.UNDER_REVIEW: tuple(DecisionKind),
        # There is nothing new to approve, and nothing more to ask for.
        ReviewStatus.AWAITING_MATERIALS: (DecisionKind.REJECT,),
    }.get(review.status, ())
    may_decide = visitor.role in REVIEWERS
    is_applicant = visitor.subject in review.case.applicants
    approval = None
    if DecisionKind.APPROVE in kinds and may_decide and not is_applicant:
        approval = await owner_message(services, case, DecisionKind.APPROVE)
    return page(
        request,
        "staff/ticket.html",
        status=status,
        case=case,
        review=review,
        form=case.form,
        kinds=kinds,
        may_decide=may_decide,
        is_applicant=is_applicant,
        decision_id=str(uuid4()),
        reasons_of={kind: reasons_for(kind, review.case.real_name_type) for kind in kinds},
        marketplaces={market.value: market for market in Marketplace},
        current_notices={notice.version for notice in CURRENT_NOTICE.values()},
        not_listed=not_listed,
        approval=approval,
        temporal_ui=_temporal_pages(services, case),
        **happened,
    )


def _temporal_pages(services: Services, case: TicketDetail) -> dict[str, str]:
    base = services.settings.temporal_ui_url
    if base is None:
        return {}
    workflows = f"{str(base).rstrip('/')}/namespaces/{services.client.namespace}/workflows"
    return {
        "review": f"{workflows}/{review_workflow_id(case.review.case.ticket.ticket_no)}",
        "request": f"{workflows}/{cancellation_workflow_id(case.review.case.account_id)}",
    }
