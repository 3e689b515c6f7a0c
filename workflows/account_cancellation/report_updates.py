"""The owner's steps from the notice to the last word."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.checks import EligibilityReport
    from domain.deletion import Confirmation, NoticeAcceptance
    from domain.errors import ErrorType
    from domain.messages import (
        AcceptNotice,
        CancellationView,
        Confirm,
        Recheck,
    )
    from domain.notices import CURRENT_NOTICE, is_current
    from domain.notifications import Template
    from domain.phases import Phase, Step


from workflows.account_cancellation.update_base import StepBase, not_now

_AN_HOUR = timedelta(hours=1)


class ReportSteps(StepBase):
    """`accept_notice`, `recheck` and `confirm`."""

    @workflow.update(description="Accept the cancellation notice, by version and SHA-256")
    async def accept_notice(self, step: AcceptNotice) -> CancellationView:
        self.state.require(Step.ACCEPT_NOTICE)
        self.state.notice = NoticeAcceptance(
            version=step.version, sha256=step.sha256, accepted_at=workflow.now(), by=step.by
        )
        self.state.move(Phase.CHECKING)
        return self.state.view()

    @accept_notice.validator
    def _validate_accept_notice(self, step: AcceptNotice) -> None:
        self.state.require(Step.ACCEPT_NOTICE)
        if not is_current(step.version, step.sha256):
            current = CURRENT_NOTICE[self.state.request.locale]
            raise ApplicationError(
                f"The notice in force is version {current.version}; read and accept that one.",
                {"version": current.version, "sha256": current.sha256},
                type=ErrorType.STALE_NOTICE,
            )

    @workflow.update(description="Run the checks again; answers when all are done")
    async def recheck(self, step: Recheck) -> CancellationView:
        state = self.state
        with self._under_way():
            until = await self._begin(Step.RECHECK)
            if not state.allows(Step.RECHECK):
                # By what was known of it: its last channel may be gone by now.
                await self._look(Step.RECHECK, until)
            if state.phase is not Phase.CHECKING:
                if self._is_fresh(state.report):
                    return state.view()
                self._count_recheck()
                state.move(Phase.CHECKING)
            # Without a timer of its own: the checks end by themselves, within the policy's `check_limit`.
            await workflow.wait_condition(lambda: state.phase is not Phase.CHECKING)
            return state.view()

    @recheck.validator
    def _validate_recheck(self, step: Recheck) -> None:
        self._admit(Step.RECHECK)

    def _is_fresh(self, report: EligibilityReport | None) -> bool:
        """Who asks again at once has the answer already. What could not be told is always asked anew."""
        reused_for = self.state.request.policy.outcomes_reused_for
        return report is not None and not report.not_told and workflow.now() - report.checked_at < reused_for

    def _count_recheck(self) -> None:
        state, now = self.state, workflow.now()
        state.rechecks = [at for at in state.rechecks if now - at < _AN_HOUR]
        if len(state.rechecks) >= state.request.policy.rechecks_per_hour:
            raise not_now("Everything was checked very often within the last hour.", state.rechecks[0] + _AN_HOUR)
        state.rechecks.append(now)

    @workflow.update(description="Confirm the latest report: the owner's last word")
    async def confirm(self, step: Confirm) -> CancellationView:
        state = self.state
        self._require_latest_report(step)
        if not state.is_identity_of(step.by):
            by = state.identity.by.subject if state.identity else None
            state.identity = state.challenge = None
            state.move(Phase.AWAITING_IDENTITY)
            why = "too long ago for" if by == step.by.subject else "by somebody else than who says"
            raise ApplicationError(
                f"Identity was proved {why} the last word. Prove it again, then confirm.",
                {"phase": state.phase, "due_step": state.due_step},
                type=ErrorType.IDENTITY_STALE,
            )
        if state.drop_stale_approval():
            state.move(Phase.CHECKING)
            raise ApplicationError(
                "The reviewer's approval is too old to count; everything is checked anew. See what is left to be done.",
                {"phase": state.phase},
                type=ErrorType.STALE_REPORT,
            )
        state.confirmation = Confirmation(report_digest=step.report_digest, confirmed_at=workflow.now(), by=step.by)
        state.agreed_type = state.real_name_type
        state.begin_sealing()
        state.move(Phase.SEALING)
        self.notify_owner(Template.LAST_WORD_RECEIVED)
        return state.view()

    @confirm.validator
    def _require_latest_report(self, step: Confirm) -> None:
        self.state.require(Step.CONFIRM)
        report = self.state.report
        assert report is not None
        if step.report_digest != report.digest:
            raise ApplicationError(
                "This is not the latest report; read the current one and confirm that.",
                {"report_digest": report.digest, "report_number": report.number},
                type=ErrorType.STALE_REPORT,
            )
