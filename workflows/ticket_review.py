"""TicketReview: one human decision against a 3-business-day clock. Silence is never approval and never rejection."""

from pydantic import BaseModel, ConfigDict
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.tickets import ReadTicketInput, TicketActivities
    from domain.ids import cancellation_workflow_id
    from domain.messages import (
        UNREADABLE,
        AlarmState,
        MaterialsSupplied,
        ReviewClock,
        ReviewInput,
        ReviewReport,
        ReviewResult,
        ReviewView,
        UnreadableInput,
    )
    from domain.model import Instant
    from domain.notifications import DECISION_TEMPLATES, StaffDesk, Template
    from domain.review_alarms import Alarm
    from domain.tickets import (
        IgnoredDecision,
        RecordedDecision,
        ReviewStatus,
        TicketNeeds,
        TicketRef,
    )

from workflows.account_cancellation.promise import PromiseClock
from workflows.common.activity_options import PATIENT
from workflows.common.cancellation import shield_from_cancellation
from workflows.common.child_signals import FromChildren
from workflows.common.messenger import Messenger
from workflows.common.status import publish_review_status
from workflows.common.unreadable import unreadable
from workflows.review_decisions import ReviewDecisions


class ContinuedReview(BaseModel):
    """With what a review continues as new."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    review: ReviewInput
    status: ReviewStatus
    first_filed_at: Instant
    clock: ReviewClock | None
    sounded: AlarmState
    overdue: bool
    decisions: list[RecordedDecision]
    ignored: list[IgnoredDecision]
    ignored_count: int
    messages_sent: int


@workflow.defn
class TicketReview(ReviewDecisions):
    """Waits for a decision, reminds, escalates, and goes on waiting. Its result is the decision.

    It tells its request of every change meanwhile, which moves the owner's turn at most.
    """

    @workflow.init
    def __init__(self, start: ReviewInput | ContinuedReview | UnreadableInput = UNREADABLE) -> None:
        super().__init__()
        self._supplied: TicketRef | None = None
        self._told_request: ReviewReport | None = None
        if isinstance(start, UnreadableInput):
            self._unreadable = unreadable(ReviewInput, start.given)
            return
        earlier = start if isinstance(start, ContinuedReview) else None
        review = start.review if isinstance(start, ContinuedReview) else start
        self._review = review
        self._case = review.case
        self._is_new = earlier is None
        ticket_no = self._case.ticket.ticket_no
        if earlier is None:
            self._clock = PromiseClock(ticket_no, review.policy, workflow.now())
        else:
            self._status, self._overdue = earlier.status, earlier.overdue
            self._decisions, self._ignored = list(earlier.decisions), list(earlier.ignored)
            self._ignored_count = earlier.ignored_count
            self._clock = PromiseClock(ticket_no, review.policy, earlier.first_filed_at, earlier.clock, earlier.sounded)
        sent = earlier.messages_sent if earlier else 0
        self._messenger = Messenger(self._case.account_id, ticket_no, review.locale, review.policy, sent)

    @workflow.run
    async def run(self, start: ReviewInput | ContinuedReview | UnreadableInput = UNREADABLE) -> ReviewResult:
        if self._unreadable:
            raise self._unreadable
        return await shield_from_cancellation(self._decided(), on_cancel_request=self._call_off)

    async def _decided(self) -> ReviewResult:
        if self._is_new:
            await self._clock.compute()
            self._tell_contact(Template.TICKET_FILED)
        while self._status.is_open:
            # One thing at a time, and all judged anew: a decision or new materials may come during each of them.
            self._render()
            if self._supplied:
                await self._look_at_materials(self._supplied)
            elif self._clock.deadlines is None:
                await self._clock.compute()
                self._is_shown = False
            elif self._report() != self._told_request:
                await self._tell_request()
            elif workflow.info().is_continue_as_new_suggested() and self._messenger.is_idle:
                await workflow.wait_condition(workflow.all_handlers_finished)
                if self._is_quiet:
                    workflow.continue_as_new(self._carried())
            else:
                if alarm := await self._clock.next_alarm(lambda: self._status, lambda: not self._is_quiet):
                    self._sound(alarm)
                self._is_shown = False
        await self._messenger.give_up()
        await self._leave_word()
        await workflow.wait_condition(workflow.all_handlers_finished)
        self._render()
        return self._result()

    @property
    def _is_quiet(self) -> bool:
        """Nothing is left to be done for what is known, nor to be rendered.

        "Changed" is "not yet told": a decision that arrived while the request was being told must not be slept over.
        """
        return self._report() == self._told_request and self._supplied is None and self._is_shown

    def _sound(self, alarm: Alarm) -> None:
        match alarm:
            case Alarm.REMIND:
                self._tell_staff(Template.TICKET_DUE_SOON, StaffDesk.AGENTS)
            case Alarm.ESCALATE:
                self._overdue = True
                self._tell_staff(Template.TICKET_OVERDUE_LEAD, StaffDesk.DUTY_LEAD)
                self._tell_contact(Template.TICKET_OVERDUE_OWNER)
            case Alarm.REMIND_AGAIN:
                self._tell_staff(Template.TICKET_OVERDUE_LEAD, StaffDesk.DUTY_LEAD)
            case Alarm.CEILING:
                self._tell_staff(Template.TICKET_CEILING_ALARM, StaffDesk.OPERATIONS)

    @workflow.signal(description="From the request: the owner supplied the next revision of the ticket")
    def materials_supplied(self, supplied: MaterialsSupplied) -> None:
        """Only a hint: the revision itself is looked at before anything is decided by it."""
        if self._status is ReviewStatus.AWAITING_MATERIALS:
            self._supplied = supplied.ticket

    async def _look_at_materials(self, ticket: TicketRef) -> None:
        """New materials start the 3-day clock anew; the ceiling runs from the first filing."""
        case = self._case
        try:
            facts = await workflow.execute_activity_method(
                TicketActivities.read_ticket,
                ReadTicketInput(
                    account_id=case.account_id,
                    real_name_type=case.real_name_type,
                    ticket=ticket,
                    needs=TicketNeeds.of(
                        case.real_name_type, notice_accepted=case.identity_verified, report=case.report
                    ),
                    revises=case.ticket,
                    at=workflow.now(),
                ),
                summary=f"Read ticket {ticket.ticket_no} revision {ticket.revision}",
                **PATIENT,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.warning(
                "Materials that cannot be right were passed over", extra={"ticket_no": ticket.ticket_no}
            )
            facts = None
        if self._supplied == ticket:
            self._supplied = None
        if facts is None or facts.missing or self._status is not ReviewStatus.AWAITING_MATERIALS:
            return
        self._case = case.revised(facts.ticket, facts.balance, facts.filed_by)
        self._status = ReviewStatus.UNDER_REVIEW
        self._clock.restart()
        self._is_shown = False

    def _call_off(self) -> None:
        """The request ended (withdrawn, lapsed, terminated), or ops asked for it: nothing is left to decide."""
        if self._status.is_open:
            self._status = ReviewStatus.CALLED_OFF
            self._is_shown = False

    # Telling others

    @workflow.query(description="The case, its clock, all decisions and the last ignored ones")
    def view(self) -> ReviewView:
        if self._unreadable:
            raise self._unreadable
        return ReviewView(
            case=self._case,
            status=self._status,
            clock=self._clock.deadlines,
            overdue=self._overdue,
            ceiling_passed=self._clock.sounded.ceiling,
            decisions=tuple(self._decisions),
            ignored=tuple(self._ignored),
            ignored_count=self._ignored_count,
        )

    def _render(self) -> None:
        """Once a task, however many decisions came in it: three thousand of them must not take longer than it may."""
        if not self._is_shown:
            self._is_shown = True
            publish_review_status(self.view())

    def _report(self) -> ReviewReport:
        return ReviewReport(
            ticket=self._case.ticket,
            status=self._status,
            clock=self._clock.deadlines,
            overdue=self._overdue,
            decision=self._decisions[-1] if self._decisions else None,
        )

    def _result(self) -> ReviewResult:
        return ReviewResult(
            **dict(self._report()),
            first_filed_at=self._clock.first_filed_at,
            sounded=self._clock.sounded,
            ignored=tuple(self._ignored),
            ignored_count=self._ignored_count,
        )

    def _carried(self) -> ContinuedReview:
        return ContinuedReview(
            review=self._review.model_copy(update={"case": self._case}),
            status=self._status,
            first_filed_at=self._clock.first_filed_at,
            clock=self._clock.deadlines,
            sounded=self._clock.sounded,
            overdue=self._overdue,
            decisions=self._decisions,
            ignored=self._ignored,
            ignored_count=self._ignored_count,
            messages_sent=self._messenger.sent,
        )

    async def _tell_request(self) -> None:
        report = self._report()
        self._told_request = report
        request = workflow.get_external_workflow_handle(cancellation_workflow_id(self._case.account_id))
        try:
            await request.signal(FromChildren.review_reported, report)
        except ApplicationError:
            workflow.logger.warning("No request is listening", extra={"ticket_no": self._case.ticket.ticket_no})

    async def _leave_word(self) -> None:
        """The answer to the owner must arrive although this review ends now, and the request goes on meanwhile."""
        last = self._decisions[-1] if self._decisions else None
        if last is None or self._status is ReviewStatus.CALLED_OFF:
            return
        params = self._params(last.decision.reason_codes)
        await self._messenger.leave(DECISION_TEMPLATES[last.kind], params, ticket=self._case.ticket)

    def _tell_staff(self, template: Template, desk: StaffDesk) -> None:
        self._messenger.send(template, self._params(), desk=desk)
