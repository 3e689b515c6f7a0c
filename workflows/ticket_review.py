"""TicketReview: one human decision against a 3-business-day clock. Silence is never approval and never rejection."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.review_clock import ReviewClockActivities, ReviewClockOrder
    from domain.errors import ErrorType
    from domain.ids import cancellation_workflow_id
    from domain.messages import (
        DecisionAnswer,
        DecisionRefused,
        MaterialsSupplied,
        ReviewClock,
        ReviewInput,
        ReviewReport,
        ReviewResult,
        ReviewView,
    )
    from domain.notifications import Notification, StaffDesk, Template
    from domain.review_alarms import Alarm, AlarmState, next_alarm
    from domain.tickets import (
        DECIDED_STATUS,
        Decision,
        DecisionKind,
        DecisionRequest,
        IgnoredBecause,
        IgnoredDecision,
        RecordedDecision,
        ReviewStatus,
        TicketRef,
        why_ignored,
    )

from workflows.current_details import show_review
from workflows.forward_only import undisturbed
from workflows.notices import tell
from workflows.options import PATIENT

_NO_TIME = timedelta(0)

_TOLD_BY_DECISION = {
    DecisionKind.REQUEST_MATERIALS: Template.TICKET_MATERIALS_REQUESTED,
    DecisionKind.REJECT: Template.TICKET_REJECTED,
}


@workflow.defn
class TicketReview:
    """Waits for a decision, reminds, escalates, and goes on waiting. Tells its request of every change.

    After the decision it stays for the policy's `review_afterlife`, so that late and second decisions are recorded.
    """

    @workflow.init
    def __init__(self, review: ReviewInput) -> None:
        self._case = review.case
        self._locale = review.locale
        self._policy = review.policy
        self._status = ReviewStatus.UNDER_REVIEW
        self._first_filed_at = self._filed_at = workflow.now()
        self._clock: ReviewClock | None = None
        self._sounded = AlarmState()
        self._overdue = False
        self._decisions: list[RecordedDecision] = []
        self._ignored: list[IgnoredDecision] = []
        self._told_request: ReviewReport | None = None
        self._messages: list[asyncio.Task[bool]] = []

    @workflow.run
    async def run(self, review: ReviewInput) -> ReviewResult:
        return await undisturbed(self._review(), on_cancel_request=self._call_off)

    async def _review(self) -> ReviewResult:
        await self._compute_clock()
        self._tell_contact(Template.TICKET_FILED)
        while self._status.is_open:
            # One thing at a time, and all judged anew: a decision or new materials may come during each of them.
            if self._clock is None:
                await self._compute_clock()
            elif self._report() != self._told_request:
                await self._tell_request()
            elif alarm := await self._next_alarm_or_change():
                await self._sound(alarm)
        await self._tell_request()
        await self._outlive_the_decision()
        return ReviewResult(
            ticket_no=self._case.ticket.ticket_no,
            status=self._status,
            decision=self._decisions[-1] if self._decisions else None,
            overdue=self._overdue,
            ignored=tuple(self._ignored),
        )

    # The clock

    async def _compute_clock(self) -> None:
        """In an activity, so that a calendar which changes later cannot change a replay."""
        filed_at = self._filed_at
        clock = await workflow.execute_activity_method(
            ReviewClockActivities.compute_review_clock,
            ReviewClockOrder(
                filed_at=filed_at, first_filed_at=self._first_filed_at, now=workflow.now(), policy=self._policy
            ),
            summary=f"Deadlines of ticket {self._case.ticket.ticket_no}",
            **PATIENT,
        )
        # New materials may have restarted the clock while this one was computed.
        self._clock = clock if filed_at == self._filed_at else None
        self._show()

    async def _next_alarm_or_change(self) -> Alarm | None:
        """Sleep to the next alarm. None when the case changed first, or when the alarm turned out to be later.

        "Changed" is "not yet told": a decision that arrived while the request was being told must not be slept over.
        """
        clock = self._clock
        assert clock is not None
        upcoming = next_alarm(clock, self._sounded, self._status)
        timeout = max(upcoming[0] - workflow.now(), _NO_TIME) if upcoming else None
        try:
            await workflow.wait_condition(
                lambda: self._report() != self._told_request,
                timeout=timeout,
                timeout_summary=f"{upcoming[1]} ticket {self._case.ticket.ticket_no}" if upcoming else None,
            )
            return None
        except TimeoutError:
            pass
        if clock.provisional:
            # The year's calendar may have been published since: never act on an estimate without a second look.
            await self._compute_clock()
            upcoming = next_alarm(self._clock, self._sounded, self._status) if self._clock else None
        return upcoming[1] if upcoming and upcoming[0] <= workflow.now() else None

    async def _sound(self, alarm: Alarm) -> None:
        match alarm:
            case Alarm.REMIND:
                self._sounded.reminded = True
                self._tell_staff(Template.TICKET_DUE_SOON, StaffDesk.AGENTS)
            case Alarm.ESCALATE:
                self._sounded.escalated = self._overdue = True
                self._tell_staff(Template.TICKET_OVERDUE_LEAD, StaffDesk.DUTY_LEAD)
                self._tell_contact(Template.TICKET_OVERDUE_OWNER)
            case Alarm.REMIND_AGAIN:
                self._tell_staff(Template.TICKET_OVERDUE_LEAD, StaffDesk.DUTY_LEAD)
                await self._compute_clock()
            case Alarm.CEILING:
                self._sounded.ceiling = True
                self._tell_staff(Template.TICKET_CEILING_ALARM, StaffDesk.OPERATIONS)
        self._show()

    # Decisions: three signals and an update, one rule

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
        because = self._why_ignored(kind, decision)
        if because:
            ignored = IgnoredDecision(
                kind=kind,
                decision_id=decision.decision_id,
                operator_id=decision.operator_id,
                because=because,
                received_at=workflow.now(),
            )
            self._ignored.append(ignored)
            workflow.logger.warning("A decision was ignored", extra=ignored.model_dump(mode="json"))
            self._show()
            return ignored
        # By `decided_at`, not by arrival: a worker that was down must make no one late, and no late decision punctual.
        # While materials are awaited the clock stands still, and nobody can be late.
        running = self._clock if self._status is ReviewStatus.UNDER_REVIEW else None
        late = running is not None and decision.decided_at > running.due_at
        recorded = RecordedDecision(kind=kind, decision=decision, received_at=workflow.now(), late=late)
        self._decisions.append(recorded)
        self._overdue = self._overdue or late
        self._status = DECIDED_STATUS[kind]
        if kind is not DecisionKind.APPROVE:
            self._tell_contact(_TOLD_BY_DECISION[kind], reasons=",".join(decision.reason_codes))
        self._show()
        return recorded

    def _why_ignored(self, kind: DecisionKind, decision: Decision) -> IgnoredBecause | None:
        counted = [recorded.decision.decision_id for recorded in self._decisions]
        return why_ignored(self._case, self._status, counted, kind, decision)

    def _refusal(self, because: IgnoredBecause) -> ApplicationError:
        last = self._decisions[-1].decision.operator_id if self._decisions else None
        return ApplicationError(
            f"Decision on ticket {self._case.ticket.ticket_no} refused: {because}; the ticket is {self._status}"
            + (f", last decided by {last}." if last else "."),
            DecisionRefused(because=because, status=self._status, decided_by=last),
            type=ErrorType.DECISION_REFUSED,
        )

    @workflow.signal(description="From the request: the owner supplied the next revision of the ticket")
    def materials_supplied(self, supplied: MaterialsSupplied) -> None:
        """New materials start the 3-day clock anew; the ceiling runs from the first filing."""
        if self._status is not ReviewStatus.AWAITING_MATERIALS:
            return
        self._case = self._case.model_copy(update={"ticket": supplied.ticket})
        self._status = ReviewStatus.UNDER_REVIEW
        self._filed_at = workflow.now()
        self._sounded.restart()
        self._clock = None

    def _call_off(self) -> None:
        """The request ended (withdrawn, lapsed, terminated), or ops asked for it: nothing is left to decide."""
        if self._status.is_open:
            self._status = ReviewStatus.CALLED_OFF
            self._show()

    async def _outlive_the_decision(self) -> None:
        await workflow.sleep(self._policy.review_afterlife, summary="Record late decisions as ignored")
        await asyncio.gather(*self._messages)
        await workflow.wait_condition(workflow.all_handlers_finished)

    # Telling others

    @workflow.query(description="The case, its clock, all decisions and all ignored ones")
    def view(self) -> ReviewView:
        return ReviewView(
            case=self._case,
            status=self._status,
            clock=self._clock,
            overdue=self._overdue,
            ceiling_passed=self._sounded.ceiling,
            decisions=tuple(self._decisions),
            ignored=tuple(self._ignored),
        )

    def _show(self) -> None:
        show_review(self.view())

    def _report(self) -> ReviewReport:
        return ReviewReport(
            ticket=self._case.ticket,
            status=self._status,
            clock=self._clock,
            overdue=self._overdue,
            decision=self._decisions[-1] if self._decisions else None,
        )

    async def _tell_request(self) -> None:
        report = self._report()
        if report == self._told_request:
            return
        self._told_request = report
        request = workflow.get_external_workflow_handle(cancellation_workflow_id(self._case.account_id))
        try:
            await request.signal("review_reported", report)
        except ApplicationError:
            workflow.logger.warning("No request is listening", extra={"ticket_no": self._case.ticket.ticket_no})

    def _tell_contact(self, template: Template, **params: str) -> None:
        self._tell(template, params, ticket=self._case.ticket)

    def _tell_staff(self, template: Template, desk: StaffDesk) -> None:
        self._tell(template, {}, desk=desk)

    def _tell(
        self,
        template: Template,
        params: dict[str, str],
        *,
        ticket: TicketRef | None = None,
        desk: StaffDesk | None = None,
    ) -> None:
        """In the background: a messaging service that is down must not hold up a decision."""
        facts = {"ticket_no": self._case.ticket.ticket_no, "request_no": self._case.request_no}
        if self._clock:
            facts["due_at"] = self._clock.due_at.isoformat()
        message = Notification(
            template=template,
            locale=self._locale,
            key=f"{self._case.ticket.ticket_no}-{template}-{len(self._messages)}",
            params=facts | params,
            ticket=ticket,
            desk=desk,
        )
        self._messages.append(asyncio.create_task(tell(message, self._policy)))
