"""Deciding a ticket, and what the owner will read of it before it is decided."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from console.auth.authorization import Visitor
from console.auth.roles import Principal
from console.errors import EXPECTED, Problem
from console.pages import page
from console.services import Services, WithServices
from console.staff.decision_form import DecisionForm, PreviewForm
from console.staff.rendering import StaffRoute, is_fragment
from console.staff.ticket_detail import owner_message, ticket_detail
from console.staff.tickets import show
from domain.errors import ErrorType
from domain.model import TypedId
from domain.tickets import Decision, IgnoredBecause
from service.deciding import decide

router = APIRouter(route_class=StaffRoute, prefix="/tickets/{ticket_no}")

_SOMEBODY_WAS_FIRST = (IgnoredBecause.ALREADY_DECIDED, IgnoredBecause.WRONG_PHASE)


@router.post("/preview")
async def staff_decision_preview(
    request: Request,
    services: WithServices,
    visitor: Visitor,
    ticket_no: TypedId,
    chosen: Annotated[PreviewForm, Form()],
) -> Response:
    case = await ticket_detail(services, ticket_no)
    message = await owner_message(services, case, chosen.kind, chosen.reason_codes)
    if is_fragment(request):
        return page(request, "staff/preview.html", preview=message)
    return await show(request, services, visitor, case, draft=chosen, preview=message)


@router.post("/decisions")
async def staff_decide(
    request: Request,
    services: WithServices,
    visitor: Visitor,
    ticket_no: TypedId,
    form: Annotated[DecisionForm, Form()],
) -> Response:
    """Decide as the reviewer who is signed in, at this moment. What is refused is told beside the form."""
    try:
        await _decide(services, visitor, ticket_no, form)
    except EXPECTED as error:
        return await _refused(request, services, visitor, ticket_no, form, Problem.of(error))
    where = request.app.url_path_for("staff_ticket", ticket_no=ticket_no)
    return Response(status_code=303, headers={"Location": f"{where}?decided={form.decision_id}"})


async def _decide(services: Services, visitor: Principal, ticket_no: str, form: DecisionForm) -> None:
    decision = Decision(
        decision_id=form.decision_id,
        ticket_no=ticket_no,
        operator_id=visitor.subject,
        decided_at=services.now(),
        revision_sha256=form.revision_sha256,
        report_digest=form.report_digest,
        reason_codes=form.reason_codes,
        waived=form.waived,
        identity_attested=form.identity_attested,
    )
    await decide(services.cancellations, services.tickets, form.kind, decision, form.note.replace("\r\n", "\n").strip())


async def _refused(
    request: Request, services: Services, visitor: Principal, ticket_no: str, form: DecisionForm, problem: Problem
) -> Response:
    """The ticket as it is now, with what was chosen, and why it did not count: above all, who was first."""
    case = await ticket_detail(services, ticket_no)
    because = None
    first = None
    if problem.type is ErrorType.DECISION_REFUSED:
        because = IgnoredBecause(problem.details["because"])
        if because in _SOMEBODY_WAS_FIRST and case.review.decisions:
            first = case.review.decisions[-1]
    return await show(
        request,
        services,
        visitor,
        case,
        status=problem.status,
        draft=form,
        problem=None if because else problem,
        because=because,
        first=first,
    )
