"""Routes: one page for wherever the request stands, and one small form for every step."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Form, Request, Response
from pydantic import SecretStr

from console.auth.authorization import OwnAccount
from console.auth.limits import ANSWERING_CODES, SENDING_CODES, limited
from console.errors import EXPECTED, Problem
from console.owner import drafts, tickets
from console.owner.acting import OwnerActing
from console.owner.rendering import HOME, ask_again, home, look, render, show, take, unavailable
from console.owner.stages import may_start, stage_of
from console.pages import language
from console.services import WithServices
from domain.accounts import Channel
from domain.errors import ErrorType
from domain.locale import Locale
from domain.messages import WithdrawalReason
from domain.model import Sha256Hex, as_meant
from domain.phases import Phase, Step
from service.start_keys import start_once

router = APIRouter()

_NO_CODE: Final = SecretStr("")
_STARTED_BEFORE: Final = frozenset({ErrorType.IDEMPOTENCY_CONFLICT, ErrorType.ALREADY_OVER})
"""By this very form, in another language or long ago."""


@router.get("")
async def owner_page(request: Request, services: WithServices, account: OwnAccount) -> Response:
    return await show(request, services, account)


@router.get("/live")
async def owner_live(request: Request, services: WithServices, account: OwnAccount, phase: str, seen: str) -> Response:
    """The part of the page that moves by itself; nothing when it is as it was seen. In another phase: the page anew."""
    situation = await look(services, account)
    stage = stage_of(situation.view)
    if situation.view is None or situation.view.phase != phase or stage.every is None:
        # Not a reload: the page may be the answer to a form, which would be sent again.
        return Response(status_code=204, headers={"HX-Redirect": HOME})
    if situation.fingerprint == seen:
        return Response(status_code=204)
    return render(request, situation, template="live")


@router.post("/start")
async def owner_start(request: Request, services: WithServices, account: OwnAccount, acting: OwnerActing) -> Response:
    """Start a request, unless there is one: a second click must not start another after the first has ended."""
    by, locale = acting.by, Locale.nearest(language(request))
    try:
        view = (await look(services, account)).view
        if acting.is_about(view) and may_start(view):
            await start_once(
                services.cancellations, acting.key, account, by.subject, via=by.via, locale=locale, now=services.now()
            )
    except EXPECTED as error:
        problem = Problem.of(error)
        return home() if problem.type in _STARTED_BEFORE else unavailable(request, problem)
    return home()


@router.post("/code")
async def owner_send_code(
    request: Request,
    services: WithServices,
    account: OwnAccount,
    acting: OwnerActing,
    channel: Annotated[Channel, Form()],
) -> Response:
    async def send() -> None:
        await limited(SENDING_CODES)(request)
        await services.cancellations.send_code(account, channel, acting.by, key=acting.key)

    return await take(request, services, account, acting, Step.SEND_CODE, send())


@router.post("/code-answer")
async def owner_answer_code(
    request: Request,
    services: WithServices,
    account: OwnAccount,
    acting: OwnerActing,
    code: Annotated[SecretStr, Form()] = _NO_CODE,
) -> Response:
    digits = "".join(as_meant(code.get_secret_value()).split())
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 12):
        problem = Problem(ErrorType.BAD_INPUT, "Enter the digits of the code.", {"field": "code"})
        return await ask_again(request, services, account, Step.SUBMIT_IDENTITY_PROOF, problem)

    async def answer() -> None:
        await limited(ANSWERING_CODES)(request)
        await services.cancellations.verify(account, digits, acting.by, key=acting.key)

    return await take(request, services, account, acting, Step.SUBMIT_IDENTITY_PROOF, answer())


@router.post("/notice")
async def owner_accept_notice(
    request: Request,
    services: WithServices,
    account: OwnAccount,
    acting: OwnerActing,
    version: Annotated[str, Form(max_length=40)],
    sha256: Annotated[Sha256Hex, Form()],
) -> Response:
    """Accept the text that was shown; when another one is in force by now, that one is shown."""
    accepting = services.cancellations.accept_notice(account, version, sha256, acting.by, key=acting.key)
    return await take(request, services, account, acting, Step.ACCEPT_NOTICE, accepting)


@router.post("/recheck")
async def owner_recheck(request: Request, services: WithServices, account: OwnAccount, acting: OwnerActing) -> Response:
    checking = services.cancellations.begin_recheck(account, acting.by, key=acting.key)
    return await take(request, services, account, acting, Step.RECHECK, checking)


@router.get("/confirm")
async def owner_confirm_page(request: Request, services: WithServices, account: OwnAccount) -> Response:
    try:
        situation = await look(services, account)
    except EXPECTED as error:
        return unavailable(request, Problem.of(error))
    if situation.view is None or situation.view.phase is not Phase.AWAITING_CONFIRMATION:
        return home()
    return render(request, situation, template="confirm")


@router.post("/confirm")
async def owner_confirm(
    request: Request,
    services: WithServices,
    account: OwnAccount,
    acting: OwnerActing,
    report: Annotated[Sha256Hex, Form()],
    typed_account: Annotated[str, Form()] = "",
) -> Response:
    if as_meant(typed_account) != account:
        problem = Problem(ErrorType.BAD_INPUT, "This is not the id of this account.", {"field": "typed_account"})
        return await ask_again(request, services, account, Step.CONFIRM, problem, template="confirm")
    confirming = services.cancellations.confirm(account, report, acting.by, key=acting.key)
    return await take(request, services, account, acting, Step.CONFIRM, confirming, template="confirm")


@router.post("/withdraw")
async def owner_withdraw(
    request: Request,
    services: WithServices,
    account: OwnAccount,
    acting: OwnerActing,
    reason: Annotated[WithdrawalReason, Form()] = WithdrawalReason.CHANGED_MIND,
) -> Response:
    async def withdraw() -> None:
        await services.cancellations.withdraw(account, reason, acting.by, key=acting.key)
        await services.tickets.drafts.discard(account)

    return await take(request, services, account, acting, Step.WITHDRAW, withdraw())


@router.get("/certificate")
async def owner_certificate(
    request: Request, services: WithServices, account: OwnAccount, format: Literal["html", "json"] = "html"
) -> Response:
    try:
        situation = await look(services, account)
    except EXPECTED as error:
        return unavailable(request, Problem.of(error))
    if situation.view is None or situation.view.phase is not Phase.CLOSED:
        return home()
    certificate = situation.certificate
    if certificate is None:
        assert situation.problem is not None
        return unavailable(request, situation.problem)
    if format == "json":
        return Response(
            certificate.model_dump_json(indent=2),
            headers={
                "Content-Disposition": f'attachment; filename="certificate-{certificate.request_no}.json"',
                "Cache-Control": "no-store",
            },
            media_type="application/json",
        )
    return render(request, situation, template="certificate")


router.include_router(tickets.router)
router.include_router(drafts.router)


async def page_of_form(request: Request) -> Response:
    """A refused form leaves its address in the browser, to be reloaded or asked for in the other language."""
    query = f"?{request.url.query}" if request.url.query else ""
    return Response(status_code=303, headers={"Location": HOME + query})


for _form in ("start", "code", "code-answer", "notice", "recheck", "withdraw", "materials"):
    router.add_api_route(f"/{_form}", page_of_form, name="owner_page")
