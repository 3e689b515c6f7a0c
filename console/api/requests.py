"""The owner's steps, passed on by the cloud's backend: one route a step, and each answers with the whole request."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BeforeValidator, Field, Secret, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from console.acting import Acting
from console.api.acting import StartKey, Step
from console.api.document import TOKEN, VAULT, problems
from console.api.filing import ONLY_FILING, ONLY_MATERIALS, Filing, Materials
from console.api.watching import IfNoneMatch, Wait, watched
from console.auth.authorization import Visitor
from console.auth.limits import ANSWERING_CODES, SENDING_CODES, limited
from console.services import WithServices
from domain.accounts import Channel
from domain.actors import Via
from domain.deletion import Certificate
from domain.errors import ErrorType, Refusal
from domain.locale import Locale
from domain.messages import CancellationView, WithdrawalReason
from domain.model import Model, Sha256Hex, TypedId, as_meant
from gateways.contract import ChallengeShown
from service.cancellation_service import challenge_of
from service.start_keys import start_once
from service.tickets import file_ticket, supply_materials

router = APIRouter(tags=["Requests"], dependencies=[TOKEN])

_STEP: Final = (ErrorType.NOT_FOUND, ErrorType.WRONG_PHASE, ErrorType.NOT_NOW)
_TICKET: Final = (*_STEP, ErrorType.TICKET_INCOMPLETE, ErrorType.LETTER_REFUSED, ErrorType.TICKET_MISMATCH, *VAULT)


class Start(Model):
    """`requested_by` is the opaque id of the person who asks; they can never decide a ticket of this request."""

    account_id: TypedId = Field(examples=["acct-clean-phone"])
    requested_by: TypedId = Field(examples=["user-42"])
    locale: Locale = Locale.ZH


class CodeRequest(Model):
    channel: Channel


class CodeAnswer(Model):
    code: Secret[Annotated[str, StringConstraints(pattern="^[0-9]{4,12}$"), BeforeValidator(as_meant)]]


class NoticeAccepted(Model):
    version: str = Field(max_length=40)
    sha256: Sha256Hex


class LastWord(Model):
    report_digest: Sha256Hex


class Withdrawal(Model):
    reason_code: WithdrawalReason = WithdrawalReason.CHANGED_MIND


@router.post(
    "/cancellations",
    status_code=201,
    responses={
        200: {"model": CancellationView, "description": "Another request of this account was running; this is it."},
        201: {
            "description": "Started, by this call or by an earlier one with the same key.",
            "headers": {"Location": {"description": "Its status.", "schema": {"type": "string"}, "required": True}},
        },
        **problems(ErrorType.IDEMPOTENCY_CONFLICT, ErrorType.ALREADY_OVER, *VAULT, body=True),
    },
)
async def api_start(
    request: Request,
    response: Response,
    services: WithServices,
    visitor: Visitor,
    start: Start,
    idempotency_key: StartKey = None,
) -> CancellationView:
    """Start a request, or find the one that runs. A refused account is an answer too: `phase` is then `REFUSED`.

    A request that operations have ended (`run_ended`) stands in nobody's way. A closed account answers with the request
    that closed it: `phase` is then `CLOSED`.
    """
    key = Acting.of(visitor, Via.API, idempotency_key).key
    view, own = await start_once(
        services.cancellations,
        key,
        start.account_id,
        start.requested_by,
        via=Via.API,
        locale=start.locale,
        now=services.now(),
    )
    if own:
        response.headers["Location"] = request.url_for("api_status", account_id=start.account_id).path
    else:
        response.status_code = 200
    return view


@router.get(
    "/cancellations/{account_id}",
    response_model=CancellationView,
    responses={
        200: {
            "headers": {"ETag": {"description": "Of this very status.", "schema": {"type": "string"}, "required": True}}
        },
        304: {"description": "The status is the known one still."},
        **problems(ErrorType.NOT_FOUND),
    },
)
async def api_status(
    request: Request, services: WithServices, account_id: TypedId, waiting: Wait, if_none_match: IfNoneMatch = None
) -> Response:
    """Where the account's latest request stands: whose turn it is, the report, the review, the deletion."""
    return await watched(request, services, account_id, if_none_match, waiting.seconds)


@router.post(
    "/cancellations/{account_id}/code",
    dependencies=[Depends(limited(SENDING_CODES))],
    responses=problems(
        *_STEP,
        ErrorType.NO_VERIFIED_CHANNEL,
        ErrorType.CHANNEL_NOT_VERIFIED,
        ErrorType.RESEND_TOO_SOON,
        ErrorType.DAILY_CODE_LIMIT,
        ErrorType.RATE_LIMITED,
        body=True,
    ),
)
async def api_send_code(services: WithServices, step: Step, account_id: TypedId, code: CodeRequest) -> CancellationView:
    """Send an identity code to the owner's verified phone or e-mail."""
    return await services.cancellations.send_code(account_id, code.channel, step.by, key=step.key)


@router.get(
    "/cancellations/{account_id}/challenge",
    responses=problems(*_STEP, ErrorType.CHALLENGE_UNKNOWN, ErrorType.RATE_LIMITED),
)
async def api_challenge(services: WithServices, account_id: TypedId) -> ChallengeShown:
    """Where the code went, masked, for the owner's own eyes; how many tries are left, and when another can be sent."""
    challenge = challenge_of(await services.cancellations.view(account_id))
    return await services.cancellations.show_challenge(challenge.challenge_id)


@router.post(
    "/cancellations/{account_id}/code/answer",
    dependencies=[Depends(limited(ANSWERING_CODES))],
    responses=problems(
        *_STEP,
        ErrorType.CODE_WRONG,
        ErrorType.CODE_EXPIRED,
        ErrorType.CODE_LOCKED,
        ErrorType.CHALLENGE_UNKNOWN,
        ErrorType.PROOF_INVALID,
        ErrorType.PROOF_USED,
        ErrorType.PROOF_EXPIRED,
        ErrorType.RATE_LIMITED,
        body=True,
    ),
)
async def api_answer_code(
    services: WithServices, step: Step, account_id: TypedId, answer: CodeAnswer
) -> CancellationView:
    """Pass on the code that the owner typed. It goes to the platform, and is kept nowhere."""
    return await services.cancellations.verify(account_id, answer.code.get_secret_value(), step.by, key=step.key)


@router.post("/cancellations/{account_id}/notice", responses=problems(*_STEP, ErrorType.STALE_NOTICE, body=True))
async def api_accept_notice(
    services: WithServices, step: Step, account_id: TypedId, notice: NoticeAccepted
) -> CancellationView:
    """The owner has read and accepted the notice in force. The checks start."""
    return await services.cancellations.accept_notice(account_id, notice.version, notice.sha256, step.by, key=step.key)


@router.post("/cancellations/{account_id}/recheck", responses=problems(*_STEP))
async def api_recheck(services: WithServices, step: Step, account_id: TypedId) -> CancellationView:
    """Run the checks, or wait for those that run; answers with the complete report.

    What the platform could not tell is `UNKNOWN`, or has no `entitlements`: not the owner's fault, try again.
    """
    return await services.cancellations.recheck(account_id, step.by, key=step.key)


@router.post(
    "/cancellations/{account_id}/confirmation",
    responses=problems(*_STEP, ErrorType.STALE_REPORT, ErrorType.IDENTITY_STALE, body=True),
)
async def api_confirm(
    services: WithServices, step: Step, account_id: TypedId, confirmation: LastWord
) -> CancellationView:
    """The owner's last word, about the report that they were shown (`report.digest`). Then there is no way back.

    It is for whoever proved identity, and proved it lately (`identity_expires_at`); else identity is due again.
    """
    return await services.cancellations.confirm(account_id, confirmation.report_digest, step.by, key=step.key)


@router.post(
    "/cancellations/{account_id}/withdrawal", responses=problems(*_STEP, ErrorType.POINT_OF_NO_RETURN, body=True)
)
async def api_withdraw(
    services: WithServices, step: Step, account_id: TypedId, withdrawal: Withdrawal
) -> CancellationView:
    """End the request, as long as the account is not being closed."""
    return await services.cancellations.withdraw(account_id, withdrawal.reason_code, step.by, key=step.key)


@router.post(
    "/cancellations/{account_id}/tickets",
    dependencies=[ONLY_FILING],
    responses=problems(*_TICKET, ErrorType.TICKET_NOT_ALLOWED, ErrorType.STALE_REPORT, body=True),
)
async def api_file_ticket(services: WithServices, step: Step, account_id: TypedId, filing: Filing) -> CancellationView:
    """File a manual request about the report that its owner was shown. `ticket_needs` says what it has to carry.

    It is reviewed within three business days; what came in goes to the vault alone, and what is refused goes nowhere.
    """
    return await file_ticket(
        services.cancellations,
        services.tickets,
        account_id,
        filing.paper,
        filing.letter,
        report_digest=filing.report_digest,
        by=step.by,
        now=services.now(),
        key=step.key,
    )


@router.post(
    "/cancellations/{account_id}/tickets/{ticket_no}/materials",
    dependencies=[ONLY_MATERIALS],
    responses=problems(*_TICKET, body=True),
)
async def api_supply_materials(
    services: WithServices, step: Step, account_id: TypedId, ticket_no: TypedId, materials: Materials
) -> CancellationView:
    """Supply what the reviewer asked for: the next revision. What is not sent stays as it was."""
    view = await services.cancellations.view(account_id)
    if view.review is None or view.review.ticket.ticket_no != ticket_no:
        raise Refusal(ErrorType.NOT_FOUND, f"The open ticket of account {account_id} is not {ticket_no}.")
    return await supply_materials(
        services.cancellations,
        services.tickets,
        account_id,
        materials.paper,
        materials.letter,
        by=step.by,
        now=services.now(),
        key=step.key,
    )


_CERTIFICATE: Final = (ErrorType.NOT_FOUND, ErrorType.VAULT_RECORD_FOREIGN, *VAULT)


@router.get("/certificates/{request_no}", responses=problems(*_CERTIFICATE))
async def api_certificate(
    services: WithServices,
    request_no: TypedId,
    account_id: Annotated[
        TypedId | SkipJsonSchema[None],
        Query(description="Needed only where a caller has used one request number for several accounts."),
    ] = None,
) -> Certificate:
    """Proof of the closure; there once `phase` is `CLOSED`. Its hash chain is verified on the way."""
    return await services.cancellations.certificate(request_no, account_id)


@router.get("/cancellations/{account_id}/certificate", responses=problems(*_CERTIFICATE))
async def api_certificate_of_account(services: WithServices, account_id: TypedId) -> Certificate:
    """The same by account, whatever the request's number was, and however long ago it was closed."""
    return await services.cancellations.certificate_of_account(account_id)
