"""How a request follows the review of its ticket, up to the answer that the manual route promises."""

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.exceptions import (
    ChildWorkflowError,
)

with workflow.unsafe.imports_passed_through():
    from domain.messages import ReviewReport, ReviewResult
    from domain.notifications import StaffDesk, Template
    from domain.phases import Phase
    from domain.review_alarms import Alarm
    from domain.standing import ReviewEnd
    from domain.tickets import ReviewStatus, why_ignored

from workflows.account_cancellation.promise import PromiseClock
from workflows.account_cancellation.update_base import StepBase


class ReviewFollowing(StepBase):
    """The review of a request's ticket: its result, and the clock that runs on when it is approved."""

    async def _follow_review(self) -> Phase:
        review = self._review
        if review is None:
            # Only a request that was reset by ops has lost its review; the owner has the turn again.
            return self._review_ended(ReviewEnd.ENDED_FROM_OUTSIDE)
        await self.state.during(workflow.wait_condition(review.done))
        return self._outcome_of(review)

    def _outcome_of(self, review: workflow.ChildWorkflowHandle[Any, ReviewResult]) -> Phase:
        """A review's result is the one word about it that counts, and it is judged by the same rule as a decision."""
        state = self.state
        assert state.case is not None
        try:
            result = review.result()
        except (ChildWorkflowError, asyncio.CancelledError):
            return self._review_ended(ReviewEnd.ENDED_FROM_OUTSIDE)
        state.review, state.overdue = result, result.overdue
        decision = result.decision
        if result.status is ReviewStatus.CALLED_OFF or decision is None:
            return self._review_ended(ReviewEnd.CALLED_OFF)
        case = state.case
        if result.status is ReviewStatus.REJECTED:
            # A rejection of what was filed before may cross the next revision on its way to the review.
            case = case.model_copy(update={"ticket": result.ticket})
        if why_ignored(case, ReviewStatus.UNDER_REVIEW, (), decision.kind, decision.decision):
            return self._review_ended(ReviewEnd.NOT_CREDIBLE)
        if result.status is ReviewStatus.REJECTED:
            state.rejection_reasons = decision.decision.reason_codes
            return Phase.REJECTED
        state.approve(result, decision)
        return Phase.SEALING

    def _review_ended(self, how: ReviewEnd) -> Phase:
        self.state.review_ended, self._review = how, None
        return self.state.back_to_owner()

    def _moved_by_review(self) -> Phase | None:
        """A review can end while materials are awaited: by a rejection, by ops, or approved at once when they came."""
        if self.state.phase is not Phase.AWAITING_MATERIALS or not self._review_is_done():
            return None
        return Phase.UNDER_REVIEW

    def _review_is_done(self) -> bool:
        return self._review is None or self._review.done()

    @workflow.signal(description="From the ticket's review: its status and clock")
    def review_reported(self, report: ReviewReport) -> None:
        """Whose turn it is, and the clock. A forged one can do no more: the outcome is the review's result."""
        state = self.state
        if state.case is None or report.ticket != state.case.ticket or not report.status.is_open:
            return
        if report.status is ReviewStatus.AWAITING_MATERIALS:
            decision = report.decision
            if decision is None or why_ignored(
                state.case, ReviewStatus.UNDER_REVIEW, (), decision.kind, decision.decision
            ):
                return
        state.review = report
        state.overdue = report.overdue
        match (state.phase, report.status):
            case (Phase.UNDER_REVIEW, ReviewStatus.AWAITING_MATERIALS):
                state.move(Phase.AWAITING_MATERIALS)
            case (Phase.AWAITING_MATERIALS, ReviewStatus.UNDER_REVIEW):
                state.move(Phase.UNDER_REVIEW)
            case _:
                state.show()

    async def _keep_promise(self) -> None:
        """Completion or an answer within the deadline: an approved request that hangs is due, late and escalated."""
        state = self.state
        review = state.approved_review
        if review is None or review.clock is None or state.confirmation:
            # Who confirms has had an answer: that the approved request could not be carried out.
            return
        promise = PromiseClock(
            review.ticket.ticket_no, state.request.policy, review.first_filed_at, review.clock, review.sounded
        )
        while True:
            alarm = await promise.next_alarm(lambda: ReviewStatus.UNDER_REVIEW, lambda: False)
            state.approved_review = review.model_copy(update={"clock": promise.deadlines, "sounded": promise.sounded})
            match alarm:
                case Alarm.ESCALATE:
                    state.overdue = True
                    self._tell_staff(Template.TICKET_OVERDUE_LEAD, StaffDesk.DUTY_LEAD, promise)
                    self._messenger.send(
                        Template.TICKET_OVERDUE_OWNER, self._promise_facts(promise), ticket=review.ticket
                    )
                    state.show()
                case Alarm.REMIND_AGAIN:
                    self._tell_staff(Template.TICKET_OVERDUE_LEAD, StaffDesk.DUTY_LEAD, promise)
                case Alarm.CEILING:
                    self._tell_staff(Template.TICKET_CEILING_ALARM, StaffDesk.OPERATIONS, promise)
                case Alarm.REMIND:
                    self._tell_staff(Template.TICKET_DUE_SOON, StaffDesk.AGENTS, promise)

    def _tell_staff(self, template: Template, desk: StaffDesk, promise: PromiseClock) -> None:
        self._messenger.send(template, self._promise_facts(promise), desk=desk)

    def _promise_facts(self, promise: PromiseClock) -> dict[str, str]:
        state = self.state
        assert state.approved_review is not None
        facts = {"ticket_no": state.approved_review.ticket.ticket_no, "request_no": state.request_no}
        return facts | ({"due_at": promise.deadlines.due_at.isoformat()} if promise.deadlines else {})
