"""Decisions on a ticket: three signals and an update, one rule."""

from collections.abc import Sequence

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.errors import ErrorType
    from domain.messages import (
        DecisionAnswer,
        DecisionRefused,
    )
    from domain.notifications import DECISION_TEMPLATES, Template, ticket_params
    from domain.tickets import (
        DECIDED_STATUS,
        Decision,
        DecisionKind,
        DecisionReason,
        DecisionRequest,
        IgnoredBecause,
        IgnoredDecision,
        RecordedDecision,
        ReviewCase,
        ReviewStatus,
        is_time_plausible,
        why_ignored,
    )

from workflows.account_cancellation.promise import PromiseClock
from workflows.common.messenger import Messenger

IGNORED_KEPT = 50
"""Of the decisions that did not count so many are kept; all are counted. A flood of them must not become a burden."""


class ReviewDecisions:
    """Base of `TicketReview`: what has been decided, what was ignored, and why."""

    _case: ReviewCase
    _clock: PromiseClock
    _messenger: Messenger

    def __init__(self) -> None:
        self._unreadable: ApplicationError | None = None
        self._status = ReviewStatus.UNDER_REVIEW
        self._overdue = False
        self._decisions: list[RecordedDecision] = []
        self._ignored: list[IgnoredDecision] = []
        self._ignored_count = 0
        self._is_shown = False

    @workflow.signal(description="Approve the ticket; names what is waived")
    def approve(self, decision: Decision) -> None:
        self._decide(DecisionKind.APPROVE, decision)

    @workflow.signal(description="Reject the ticket, with reasons")
    def reject(self, decision: Decision) -> None:
        self._decide(DecisionKind.REJECT, decision)

    @workflow.signal(description="Ask the owner for materials, naming what is missing")
    def request_materials(self, decision: Decision) -> None:
        self._decide(DecisionKind.REQUEST_MATERIALS, decision)

    @workflow.update(description="Decide, with an answer: the same rules as the signals")
    def decide(self, request: DecisionRequest) -> DecisionAnswer:
        outcome = self._decide(request.kind, request.decision)
        if isinstance(outcome, IgnoredDecision):
            raise self._refusal(outcome.because)
        return DecisionAnswer(ticket_no=request.decision.ticket_no, status=self._status, late=outcome.late)

    @decide.validator
    def _validate_decide(self, request: DecisionRequest) -> None:
        because = self._why_ignored(request.kind, request.decision)
        if because:
            raise self._refusal(because)

    def _decide(self, kind: DecisionKind, decision: Decision) -> RecordedDecision | IgnoredDecision:
        """Record a decision as counted or as ignored. Never waits, so two decisions can never interleave."""
        self._is_shown = False
        because = self._why_ignored(kind, decision)
        if because:
            ignored = IgnoredDecision(
                kind=kind,
                decision_id=decision.decision_id,
                operator_id=decision.operator_id,
                because=because,
                received_at=workflow.now(),
            )
            self._ignored_count += 1
            self._ignored = [*self._ignored[-(IGNORED_KEPT - 1) :], ignored]
            if self._ignored_count <= IGNORED_KEPT:
                # A line for each of thousands that come at once would take longer than a workflow task may.
                workflow.logger.warning("A decision was ignored", extra=ignored.model_dump(mode="json"))
            return ignored
        # By `decided_at`, not by arrival: a worker that was down must make no one late, and no late decision punctual.
        # While materials are awaited the clock stands still, and nobody can be late.
        running = self._clock.deadlines if self._status is ReviewStatus.UNDER_REVIEW else None
        late = running is not None and decision.decided_at > running.due_at
        recorded = RecordedDecision(kind=kind, decision=decision, received_at=workflow.now(), late=late)
        self._decisions.append(recorded)
        self._overdue = self._overdue or late
        self._status = DECIDED_STATUS[kind]
        if self._status.is_open:
            self._tell_contact(DECISION_TEMPLATES[kind], decision.reason_codes)
        return recorded

    def _why_ignored(self, kind: DecisionKind, decision: Decision) -> IgnoredBecause | None:
        if self._unreadable:
            raise self._unreadable
        because = why_ignored(self._case, self._status, self._decisions, kind, decision)
        if because is None and not is_time_plausible(decision, self._clock.filed_at, workflow.now()):
            return IgnoredBecause.TIME_IMPLAUSIBLE
        return because

    def _refusal(self, because: IgnoredBecause) -> ApplicationError:
        last = self._decisions[-1].decision.operator_id if self._decisions else None
        return ApplicationError(
            f"Decision on ticket {self._case.ticket.ticket_no} refused: {because}; the ticket is {self._status}"
            + (f", last decided by {last}." if last else "."),
            DecisionRefused(because=because, status=self._status, decided_by=last),
            type=ErrorType.DECISION_REFUSED,
        )

    def _tell_contact(self, template: Template, reasons: Sequence[DecisionReason] = ()) -> None:
        self._messenger.send(template, self._params(reasons), ticket=self._case.ticket)

    def _params(self, reasons: Sequence[DecisionReason] = ()) -> dict[str, str]:
        deadlines = self._clock.deadlines
        return ticket_params(self._case, deadlines.due_at if deadlines else None, reasons)
