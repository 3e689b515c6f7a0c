"""Everything that a ticket's page tells; what cannot be read just now is told as such, and hides nothing else."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

import structlog

from console.errors import EXPECTED, Problem
from console.services import Services
from domain.locale import Locale
from domain.messages import ReviewView
from domain.tickets import DecisionKind, DecisionReason, IgnoredDecision, RecordedDecision, TicketForm
from gateways.contract import MessageText
from i18n.time_left import TimeLeft

T = TypeVar("T")

log = structlog.get_logger()

PATIENCE_SECONDS: Final = 2.0
"""A page that is of use without a preview does not wait for it as long as for what it needs."""


@dataclass(frozen=True)
class Event:
    """One line of the history: a decision that counted, or one that did not."""

    at: datetime
    counted: RecordedDecision | None = None
    ignored: IgnoredDecision | None = None
    note: str | None = None
    note_missing: bool = False


@dataclass(frozen=True)
class TicketDetail:
    """`form` and `owner_locale` are None when they could not be read; `form_problem` and `letter_problem` say why."""

    review: ReviewView
    left: TimeLeft
    form: TicketForm | None
    form_problem: Problem | None
    letter_problem: Problem | None
    owner_locale: Locale | None
    history: tuple[Event, ...]

    @property
    def stamp(self) -> str:
        return stamp(self.review)


def stamp(review: ReviewView) -> str:
    """Changes with everything that somebody else can do to a ticket."""
    counts = f"{len(review.decisions)}.{review.ignored_count}"
    return f"{review.status}.{review.case.ticket.revision}.{counts}.{'late' if review.overdue else 'in-time'}"


async def ticket_detail(services: Services, ticket_no: str) -> TicketDetail:
    """Raises what `CancellationService.review` does: without the review there is nothing to show."""
    review = await services.cancellations.review(ticket_no)
    (form, form_problem), (request, _), history = await asyncio.gather(
        _attempt(services.tickets.load(review.case.ticket)),
        _attempt(services.cancellations.view(review.case.account_id)),
        _history(services, review),
    )
    letter_problem = None
    if form and form.letter:
        _, letter_problem = await _attempt(services.tickets.look_for_letter(form))
    due_at = review.clock.due_at if review.clock else None
    return TicketDetail(
        review=review,
        left=TimeLeft.of(review.status, due_at, services.calendar, services.now()),
        form=form,
        form_problem=form_problem,
        letter_problem=letter_problem,
        owner_locale=request.locale if request else None,
        history=history,
    )


async def _history(services: Services, review: ReviewView) -> tuple[Event, ...]:
    ignored = [Event(at=one.received_at, ignored=one) for one in review.ignored]
    counted = await asyncio.gather(*(_counted(services, one) for one in review.decisions))
    return tuple(sorted([*counted, *ignored], key=lambda event: event.at))


async def _counted(services: Services, recorded: RecordedDecision) -> Event:
    note_ref = recorded.decision.note_ref
    note, problem = None, None
    if note_ref:
        note, problem = await _attempt(services.tickets.read_note(recorded.decision.ticket_no, note_ref))
    return Event(at=recorded.received_at, counted=recorded, note=note, note_missing=problem is not None)


async def _attempt(reading: Awaitable[T]) -> tuple[T | None, Problem | None]:
    try:
        return await reading, None
    except EXPECTED as error:
        return None, Problem.of(error)


@dataclass(frozen=True)
class OwnerMessage:
    """In the owner's language, or in Chinese while that is not known. `message` is None while there is no preview."""

    locale: Locale
    is_language_known: bool
    message: MessageText | None
    lacks_reasons: bool


async def owner_message(
    services: Services, case: TicketDetail, kind: DecisionKind, reasons: Sequence[DecisionReason] = ()
) -> OwnerMessage:
    """Of each kind of decision; an approval has no reasons to give."""
    locale = case.owner_locale or Locale.ZH
    message = None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            texts = await services.cancellations.preview_decision_message(case.review, kind, reasons)
        message = texts[locale]
    except (TimeoutError, *EXPECTED) as error:
        log.warning("No preview of the owner's message", error_type=getattr(error, "type", type(error).__name__))
    return OwnerMessage(
        locale=locale,
        is_language_known=case.owner_locale is not None,
        message=message,
        lacks_reasons=kind is not DecisionKind.APPROVE and not reasons,
    )
