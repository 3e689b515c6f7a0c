"""From an account to the page that is right for it now, and from a step back to that page."""

from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import Any, Final

from fastapi import Request, Response

from console.errors import EXPECTED, Problem, retry_after
from console.owner import wording
from console.owner.acting import ByForm
from console.owner.stages import is_by_ticket, lost_its_approval, may_file_ticket, stage_of, was_ended
from console.pages import language, not_listed, page
from console.services import Services
from domain.checks import Check, CheckOutcome
from domain.deletion import DELETION_STAGES, Certificate, DeletionPhase, DeletionView, Verification, retained_records
from domain.errors import ErrorType, Refusal
from domain.letters import LetterType
from domain.locale import Locale
from domain.messages import CancellationView, WithdrawalReason
from domain.notices import CONSENT_WORDING, CURRENT_NOTICE
from domain.phases import STEP_PHASES, Phase, Step
from domain.policy import Policy
from domain.tickets import BalanceWish, MissingPart
from gateways.contract import ChallengeShown
from i18n.texts import CODE_SENT, SEND_CODE, kind_name
from service.letters.drafts import KEPT_FOR, LetterDraft
from service.letters.problems import MAX_BYTES, MAX_PAGES

HOME: Final = "/owner"

_TOLD_ANYWHERE: Final = frozenset({ErrorType.POINT_OF_NO_RETURN, ErrorType.IDENTITY_STALE})
"""What an owner has to hear although the form it belongs to is gone."""

_REASONS_TO_WITHDRAW: Final = tuple(r for r in WithdrawalReason if r is not WithdrawalReason.OPERATOR_CANCELLED)


@dataclass(frozen=True)
class Situation:
    """The request, or None, and what its page shows besides; `problem` says that this could not be had."""

    view: CancellationView | None
    challenge: ChallengeShown | None = None
    deletion: DeletionView | None = None
    certificate: Certificate | None = None
    problem: Problem | None = None

    @property
    def fingerprint(self) -> str:
        """Changes whenever there is something new to see."""
        seen = (model.model_dump_json() for model in (self.view, self.deletion) if model)
        return sha256("".join(seen).encode()).hexdigest()[:16]


async def look(services: Services, account: str) -> Situation:
    """Raises `Unreachable` when the request itself cannot be read; a problem with the rest is part of the answer."""
    cancellations = services.cancellations
    try:
        view = await cancellations.view(account)
    except Refusal as error:
        if error.type is not ErrorType.NOT_FOUND:
            raise
        return Situation(None)
    if was_ended(view):
        return Situation(view)
    try:
        match view.phase:
            case Phase.AWAITING_IDENTITY if view.challenge:
                return Situation(view, challenge=await cancellations.show_challenge(view.challenge.challenge_id))
            case Phase.DELETING | Phase.DELETION_STALLED if not view.stalled:
                return Situation(view, deletion=await cancellations.deletion(account))
            case Phase.CLOSED:
                return Situation(view, certificate=await cancellations.certificate(view.request_no, account))
            case _:
                return Situation(view)
    except EXPECTED as error:
        return Situation(view, problem=Problem.of(error))


def render(
    request: Request,
    situation: Situation,
    *,
    template: str | None = None,
    problem: Problem | None = None,
    typed: dict[str, str] | None = None,
    draft: LetterDraft | None = None,
) -> Response:
    """The page of a situation. `typed` is what a form had in it when it was sent, never a code; `draft` its letter."""
    services: Services = request.app.state.services
    locale, view, stage = language(request), situation.view, stage_of(situation.view)
    shown = problem or situation.problem
    return page(
        request,
        f"owner/{template or stage.template}.html",
        status=problem.status if problem else 200,
        headers=retry_after(problem) if problem else None,
        stage=stage,
        view=view,
        challenge=situation.challenge,
        deletion=situation.deletion,
        certificate=situation.certificate,
        problem=wording.OwnerProblem(shown.type, shown.message, shown.details) if shown else None,
        typed=typed or {},
        draft=draft,
        seen=situation.fingerprint,
        notice=CURRENT_NOTICE[Locale.nearest(locale)],
        consent=CONSENT_WORDING[Locale.nearest(locale)],
        by_ticket=is_by_ticket(view),
        waived=partial(_is_waived, view),
        may_file=view is not None and may_file_ticket(view),
        approval_lost=view is not None and lost_its_approval(view),
        checks=tuple(Check),
        part=MissingPart,
        wishes=tuple(BalanceWish),
        max_age_days=Policy().request_max_age.days,
        max_letter_bytes=MAX_BYTES,
        max_letter_pages=MAX_PAGES,
        letter_types=",".join(LetterType),
        draft_kept_hours=KEPT_FOR // timedelta(hours=1),
        deletion_stages=DELETION_STAGES,
        deletion_phases=tuple(DeletionPhase),
        verifications=tuple(Verification),
        retained=retained_records,
        reasons_to_withdraw=_REASONS_TO_WITHDRAW,
        name=partial(kind_name, locale=locale),
        code_sent=CODE_SENT,
        send_code=SEND_CODE,
        age=partial(wording.age, now=services.now(), locale=locale),
        not_listed=not_listed,
        not_told=partial(wording.not_told, locale=locale),
        why_not_closed=partial(wording.why_not_closed, locale=locale),
        html=wording.html,
    )


def _is_waived(view: CancellationView | None, outcome: CheckOutcome) -> bool:
    return view is not None and any(waiver.covers(outcome) for waiver in view.waivers)


def unavailable(request: Request, problem: Problem) -> Response:
    return page(request, "owner/unavailable.html", status=problem.status, problem=problem)


def home() -> Response:
    """See the page that is right now: after every step, and whenever an address does not fit the phase."""
    return Response(status_code=303, headers={"Location": HOME})


async def show(request: Request, services: Services, account: str) -> Response:
    try:
        return render(request, await look(services, account))
    except EXPECTED as error:
        return unavailable(request, Problem.of(error))


async def take(
    request: Request,
    services: Services,
    account: str,
    acting: ByForm,
    step: Step,
    taking: Coroutine[Any, Any, object],
    *,
    template: str | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    """Take a step, then see the page that is right now. A refusal is shown beside its form."""
    try:
        if acting.is_about(await services.cancellations.view(account)):
            await taking
    except EXPECTED as error:
        return await ask_again(request, services, account, step, Problem.of(error), template=template, typed=typed)
    finally:
        taking.close()
    return home()


async def ask_again(
    request: Request,
    services: Services,
    account: str,
    step: Step,
    problem: Problem | None,
    *,
    template: str | None = None,
    typed: dict[str, str] | None = None,
    draft: LetterDraft | None = None,
) -> Response:
    """The form again, with what is wrong; without a problem, what it has in it is only to be looked at.

    A step whose time is over (a double click, an old tab) needs no word.
    """
    try:
        situation = await look(services, account)
    except EXPECTED as error:
        return unavailable(request, Problem.of(error))
    view = situation.view
    if view is None or was_ended(view):
        return home()
    if view.phase not in STEP_PHASES[step]:
        return render(request, situation, problem=problem) if problem and problem.type in _TOLD_ANYWHERE else home()
    return render(request, situation, template=template, problem=problem, typed=typed, draft=draft)
