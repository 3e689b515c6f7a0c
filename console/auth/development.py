"""A sign-in for a developer's own machine: any role, no password. Exists only where it is switched on."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response

from console.auth.limits import SIGNING_IN, limited
from console.auth.roles import Principal, Role
from console.auth.sessions import Session, Sessions
from console.services import WithServices
from domain.errors import ErrorType, Refusal
from domain.model import TypedId

router = APIRouter(include_in_schema=False, dependencies=[Depends(limited(SIGNING_IN))])


@router.post("/sign-in/development")
async def sign_in_for_development(
    request: Request,
    services: WithServices,
    role: Annotated[Role, Form()],
    subject: Annotated[TypedId, Form()],
    account_id: Annotated[TypedId | None, Form()] = None,
) -> Response:
    if role is Role.BACKEND:
        raise Refusal(ErrorType.BAD_INPUT, "A backend has no pages: it sends a service token to the API.")
    if role is Role.OWNER and account_id is None:
        raise Refusal(ErrorType.BAD_INPUT, "An owner needs an account id, such as acct-clean-phone.")
    principal = Principal(role=role, subject=subject, account_id=account_id if role is Role.OWNER else None)
    sessions: Sessions = request.app.state.sessions
    response = Response(status_code=303, headers={"Location": "/"})
    sessions.keep(Session.begin(principal, services.now()), response)
    return response
