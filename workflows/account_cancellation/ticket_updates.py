"""The owner's steps of the manual route: a ticket filed, and what the reviewer asks for."""

from contextlib import suppress

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, ChildWorkflowError, WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from activities.tickets import ReadTicketInput, ReadTicketResult, TicketActivities
    from domain.actors import Actor
    from domain.checks import EligibilityReport
    from domain.errors import ErrorType
    from domain.ids import review_workflow_id
    from domain.messages import (
        CancellationView,
        FileTicket,
        MaterialsSupplied,
        ReviewInput,
        ReviewReport,
        SupplyMaterials,
    )
    from domain.model import Instant
    from domain.phases import Phase, Step
    from domain.tickets import ReviewCase, ReviewStatus, TicketRef
    from workflows.ticket_review import TicketReview

from workflows.account_cancellation.eligibility import run_checks
from workflows.account_cancellation.update_base import StepBase, left_of
from workflows.common.activity_options import ANSWER_OWNER
from workflows.common.waiting import happens


class TicketSteps(StepBase):
    """`file_ticket` and `supply_materials`."""

    @workflow.update(description="File a manual request; the form is in the vault already")
    async def file_ticket(self, step: FileTicket) -> CancellationView:
        # One filing at a time: two could both find the phase right and start two reviews.
        with self._under_way():
            until = await self._begin(Step.FILE_TICKET)
            async with self._filing:
                await self._look(Step.FILE_TICKET, until)
                facts = await self._read_ticket(step.ticket, None, Step.FILE_TICKET, until)
                shown = self.state.report
                if shown is None or facts.report_digest != shown.digest:
                    raise _not_as_shown(shown)
                checking = run_checks(self.state, shown=shown.entitlements, limit=left_of(until))
                report, forfeits = await self._answer(checking, Step.FILE_TICKET)
                self.state.require(Step.FILE_TICKET)
                self._refuse_unless_waivable(shown, report)
                if self.state.report is not shown or _is_more(shown, report) or (forfeits and forfeits.added_count):
                    self._show_report(report)
                    raise _not_as_shown(report)
                await self._start_review(facts, shown, step.by)
                return self.state.view()

    @file_ticket.validator
    def _validate_file_ticket(self, step: FileTicket) -> None:
        self._admit(Step.FILE_TICKET)

    def _show_report(self, report: EligibilityReport) -> None:
        self.state.report = report
        self.state.show()

    def _refuse_unless_waivable(self, shown: EligibilityReport, report: EligibilityReport) -> None:
        """A ticket can waive balance and filings; everything else is put right first."""
        if report.not_told:
            self._show_report(report)
            raise ApplicationError(
                f"The platform could not tell {', '.join(report.not_told)} just now, which is no fault of the owner's: "
                "file again in a little while. Nothing was kept.",
                {"could_not_tell": list(report.not_told)},
                type=ErrorType.NOT_NOW,
            )
        first = report.must_be_fixed_first()
        if first:
            self._show_report(report)
            raise ApplicationError(
                f"A ticket cannot waive {', '.join(o.check for o in first)}: put that right first, then file again.",
                {"fix_first": [o.check for o in first], "reasons": [o.reason for o in first]},
                type=ErrorType.TICKET_NOT_ALLOWED,
            )
        if self.state.identity is not None and not report.reasons_left():
            self._show_report(report)
            raise ApplicationError(
                "Nothing blocks this account any more: re-check and confirm instead of filing a ticket.",
                {"due_step": Step.RECHECK},
                type=ErrorType.TICKET_NOT_ALLOWED,
            )

    async def _start_review(self, facts: ReadTicketResult, report: EligibilityReport, by: Actor) -> None:
        state = self.state
        assert state.real_name_type is not None
        case = ReviewCase(
            request_no=state.request_no,
            account_id=state.account_id,
            ticket=facts.ticket,
            real_name_type=state.real_name_type,
            report=report,
            identity_verified=state.has_proved_identity,
            applicants=self._applicants(facts.filed_by, by.subject),
            balance=facts.balance,
        )
        try:
            review = await workflow.start_child_workflow(
                TicketReview.run,
                ReviewInput(case=case, locale=state.request.locale, policy=state.request.policy),
                id=review_workflow_id(facts.ticket.ticket_no),
                # A request that ends, however it ends, calls its open review off.
                parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
                # A ticket is decided once, also after its review has ended.
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                static_summary=f"Ticket {facts.ticket.ticket_no} of {state.account_id}",
            )
        except (WorkflowAlreadyStartedError, ChildWorkflowError):
            raise ApplicationError(
                f"Ticket {facts.ticket.ticket_no} has been filed before; file a new one.",
                type=ErrorType.TICKET_NOT_ALLOWED,
            ) from None
        if not state.allows(Step.FILE_TICKET):
            review.cancel()
            state.require(Step.FILE_TICKET)
        # A re-check may have come in between; what is waived is what the reviewer sees.
        state.report = report
        state.acceptance_in_ticket = facts.acceptance
        state.case, state.review_ended, self._review = case, None, review
        state.review = ReviewReport(ticket=facts.ticket, status=ReviewStatus.UNDER_REVIEW)
        state.move(Phase.UNDER_REVIEW)

    def _applicants(self, *who: str) -> tuple[str, ...]:
        """All who asked, proved identity or filed: none of them may decide."""
        state = self.state
        proved = (state.identity.by.subject,) if state.identity else ()
        return tuple(dict.fromkeys((state.account_id, state.request.requested_by, *proved, *who)))

    @workflow.update(description="Supply what the reviewer asked for: the next revision of the ticket")
    async def supply_materials(self, step: SupplyMaterials) -> CancellationView:
        state = self.state
        # One revision at a time: the other one is refused, and hears which revision stands.
        with self._under_way():
            until = await self._begin(Step.SUPPLY_MATERIALS)
            async with self._filing:
                await self._look(Step.SUPPLY_MATERIALS, until)
                case = state.case
                assert case is not None
                facts = await self._read_ticket(step.ticket, case.ticket, Step.SUPPLY_MATERIALS, until)
                state.require(Step.SUPPLY_MATERIALS)
                state.acceptance_in_ticket = facts.acceptance or state.acceptance_in_ticket
                state.case = case.revised(facts.ticket, facts.balance, facts.filed_by, step.by.subject)
                handle = workflow.get_external_workflow_handle(review_workflow_id(step.ticket.ticket_no))
                with suppress(ApplicationError):  # it has just ended; its result tells how
                    await handle.signal(TicketReview.materials_supplied, MaterialsSupplied(ticket=step.ticket))
                # It is on its way: whether the review says so in time or not, nothing is refused any more.
                await happens(
                    lambda: self._has_arrived(step.ticket), left_of(until), "The review looks at the materials"
                )
                return state.view()

    def _has_arrived(self, ticket: TicketRef) -> bool:
        """The review has reported this revision, or has ended. It may be waiting for the next one by then."""
        reported = self.state.review and self.state.review.ticket == ticket
        return bool(reported) or self.state.phase is not Phase.AWAITING_MATERIALS

    @supply_materials.validator
    def _validate_supply_materials(self, step: SupplyMaterials) -> None:
        self._admit(Step.SUPPLY_MATERIALS)

    async def _read_ticket(
        self, ticket: TicketRef, revises: TicketRef | None, step: Step, until: Instant
    ) -> ReadTicketResult:
        state = self.state
        needs = state.ticket_needs
        assert state.real_name_type is not None
        assert needs is not None
        facts = await self._answer(
            workflow.execute_activity_method(
                TicketActivities.read_ticket,
                ReadTicketInput(
                    account_id=state.account_id,
                    real_name_type=state.real_name_type,
                    ticket=ticket,
                    needs=needs,
                    revises=revises,
                    at=workflow.now(),
                ),
                schedule_to_close_timeout=left_of(until),
                summary=f"Read ticket {ticket.ticket_no} revision {ticket.revision}",
                **ANSWER_OWNER,
            ),
            step,
        )
        if facts.missing:
            raise ApplicationError(
                f"The ticket lacks {', '.join(facts.missing)}; complete it and file it again.",
                {"missing": facts.missing, "balance_fen": needs.balance_fen},
                type=ErrorType.TICKET_INCOMPLETE,
            )
        return facts


def _is_more(shown: EligibilityReport, found: EligibilityReport) -> bool:
    """Whether more would be given up than was shown: nobody has agreed to that."""
    return bool(found.reasons_left(shown.waivers_needed()))


def _not_as_shown(report: EligibilityReport | None) -> ApplicationError:
    """Nobody gives up what was not shown."""
    return ApplicationError(
        "The account is not as it was when the ticket was written. See the latest report, then file again."
        if report
        else "See the report of the checks first: nobody gives up what was not shown.",
        {"report_digest": report.digest if report else None, "due_step": Step.RECHECK if report is None else None},
        type=ErrorType.STALE_REPORT,
    )
