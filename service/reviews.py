"""The work of support staff: the queue, and decisions."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from temporalio.service import RPCError, RPCStatusCode

from domain.errors import ErrorType, Refusal
from domain.ids import composed_id
from domain.locale import Locale
from domain.messages import (
    DecisionAnswer,
    ReviewView,
)
from domain.notifications import DECISION_TEMPLATES, ticket_params
from domain.tickets import Decision, DecisionKind, DecisionReason, DecisionRequest, IgnoredBecause
from gateways.contract import MessageText, PreviewRequest
from service.base import ANSWER_LIMIT, ServiceBase, described, look
from service.errors import translate_errors
from service.queue import Bucket, Page, count, page
from workflows.ticket_review import TicketReview

_ANY_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)


class Reviews(ServiceBase):
    """Tickets, as staff find and decide them."""

    async def queued(self, bucket: Bucket, size: int, token: str | None = None) -> Page:
        """A page of one bucket of the queue: the first, or the one that `token` of the page before leads to."""
        async with translate_errors("ticket queue"):
            return await page(self._client, bucket, size, token)

    async def queue_count(self, bucket: Bucket) -> int:
        async with translate_errors("ticket queue"):
            return await count(self._client, bucket)

    async def review(self, ticket_no: str) -> ReviewView:
        async with translate_errors(f"ticket {ticket_no}"):
            return await look(self._review(ticket_no), TicketReview.view)

    async def preview_decision_message(
        self, review: ReviewView, kind: DecisionKind, reasons: Sequence[DecisionReason]
    ) -> Mapping[Locale, MessageText]:
        """What the owner would be told of a decision, in the words of the platform that sends it. Nothing is sent."""
        params = ticket_params(review.case, review.clock.due_at if review.clock else None, reasons)
        request = PreviewRequest(template=DECISION_TEMPLATES[kind], params=params)
        async with translate_errors(f"ticket {review.case.ticket.ticket_no}"):
            return (await self._platform.preview_notification(request)).texts

    async def decide(self, kind: DecisionKind, decision: Decision) -> DecisionAnswer:
        """Decide with an answer. The same decision again gets the first answer again, also after the end.

        Under the same id another decision is refused, as a conflict: what counts is what is said, not its name alone.
        """
        said = decision.model_copy(update={"decided_at": _ANY_TIME, "note_ref": None}).content_sha256()
        async with translate_errors(f"ticket {decision.ticket_no}"):
            try:
                return await self._review(decision.ticket_no).execute_update(
                    TicketReview.decide,
                    DecisionRequest(kind=kind, decision=decision),
                    id=composed_id(decision.decision_id, kind, said),
                    rpc_timeout=ANSWER_LIMIT,
                )
            except RPCError as error:
                raise await self._why_not(decision, error) from None

    async def signal_decision(self, kind: DecisionKind, decision: Decision) -> None:
        """Decide without waiting for an answer: goes through while every worker is down."""
        async with translate_errors(f"ticket {decision.ticket_no}"):
            try:
                await self._review(decision.ticket_no).signal(kind.value, decision, rpc_timeout=ANSWER_LIMIT)
            except RPCError as error:
                raise await self._why_not(decision, error) from None

    async def _why_not(self, decision: Decision, error: RPCError) -> Exception:
        """A review ends with its decision: whoever comes later hears who was first."""
        handle = self._review(decision.ticket_no)
        if error.status is not RPCStatusCode.NOT_FOUND or await described(handle) is None:
            return error
        review = await look(handle, TicketReview.view)
        last = review.decisions[-1].decision if review.decisions else None
        because = IgnoredBecause.ALREADY_DECIDED
        if last and last.decision_id == decision.decision_id:
            same = last.says_the_same_as(decision)
            because = IgnoredBecause.DUPLICATE if same else IgnoredBecause.CONFLICT
        return Refusal(
            ErrorType.DECISION_REFUSED,
            f"Decision on ticket {decision.ticket_no} refused: {because}; the ticket is {review.status}"
            + (f", last decided by {last.operator_id}." if last else "."),
            because=because,
            status=review.status,
            decided_by=last.operator_id if last else None,
        )
