"""How staff get in, by their OpenID provider, and how everybody gets out."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from console.auth import provider
from console.auth.limits import SIGNING_IN, limited
from console.auth.provider import Provider, SignInFailed
from console.auth.roles import Principal, Role
from console.auth.sessions import ATTRIBUTES, Session, Sessions
from console.pages import page
from console.services import WithServices
from domain.errors import ErrorType, Refusal
from domain.model import TypedId

router = APIRouter(include_in_schema=False)
development_router = APIRouter(include_in_schema=False, dependencies=[Depends(limited(SIGNING_IN))])
"""For a developer's own machine: any role, no password. Exists only where it is switched on."""

_SEE_OTHER: Final = 303


async def _company(request: Request) -> Provider:
    found: Provider | None = request.app.state.provider
    if found is None:
        raise Refusal(ErrorType.NOT_FOUND, "Sign-in with a company account is not set up: set CONSOLE_OIDC_ISSUER.")
    return found


Company = Annotated[Provider, Depends(_company)]


@router.get("/")
async def home(request: Request) -> Response:
    session: Session | None = request.state.session
    if session is None:
        return RedirectResponse("/sign-in", _SEE_OTHER)
    return RedirectResponse("/owner" if session.principal.role is Role.OWNER else "/staff", _SEE_OTHER)


@router.get("/sign-in")
async def sign_in(request: Request) -> Response:
    return page(request, "sign_in.html", company=request.app.state.provider is not None, failed=False)


@router.get("/sign-in/provider", dependencies=[Depends(limited(SIGNING_IN))])
async def sign_in_at_provider(request: Request, company: Company) -> Response:
    return await company.ask(request)


@router.get(provider.CALLBACK, dependencies=[Depends(limited(SIGNING_IN))])
async def signed_in_at_provider(request: Request, services: WithServices, company: Company) -> Response:
    sessions: Sessions = request.app.state.sessions
    try:
        principal = await company.answered(request)
    except SignInFailed:
        response: Response = page(request, "sign_in.html", status=401, company=True, failed=True)
    else:
        response = RedirectResponse("/", _SEE_OTHER)
        sessions.keep(Session.begin(principal, services.now()), response)
    response.delete_cookie(provider.COOKIE, **ATTRIBUTES)
    return response


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """The gate has seen that the form is ours: nobody else's page can sign somebody out."""
    sessions: Sessions = request.app.state.sessions
    response = RedirectResponse("/sign-in", _SEE_OTHER)
    sessions.end(response)
    return response


@development_router.post("/sign-in/development")
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
