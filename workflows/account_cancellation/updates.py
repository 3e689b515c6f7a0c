"""The owner's eight steps as updates, each with its validator, and the query that shows where the request stands."""

from contextlib import suppress

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.account import AccountActivities
    from domain.messages import (
        CancellationView,
        Open,
        Withdraw,
        WithdrawalReason,
    )
    from domain.phases import Phase, Step

from workflows.account_cancellation.identity_updates import IdentitySteps
from workflows.account_cancellation.report_updates import ReportSteps
from workflows.account_cancellation.ticket_updates import TicketSteps
from workflows.common.activity_options import ANSWER_OWNER, LOOK_LIMIT
from workflows.common.waiting import happens


class OwnerSteps(IdentitySteps, ReportSteps, TicketSteps):
    """Base of `AccountCancellation`: what the owner can do."""

    @workflow.query(description="The whole request at a glance")
    def view(self) -> CancellationView:
        return self.state.view()

    @workflow.update(description="With the start: answers with the first phase, once the account has been read")
    async def open(self, _: Open) -> CancellationView:
        state = self.state
        # Without a verified channel the report is a part of the opening: it is what comes first to be seen.
        await happens(lambda: state.phase not in (Phase.OPENING, Phase.CHECKING), LOOK_LIMIT, "The first phase")
        return state.view()

    @open.validator
    def _validate_open(self, _: Open) -> None:
        self._refuse_to_fill_up()

    @workflow.update(description="Withdraw the request, at any time before the point of no return")
    async def withdraw(self, step: Withdraw) -> CancellationView:
        self.state.require(Step.WITHDRAW)
        await self.withdraw_for(step.reason_code)
        return self.state.view()

    @withdraw.validator
    def _validate_withdraw(self, step: Withdraw) -> None:
        self.state.require(Step.WITHDRAW)

    async def withdraw_for(self, reason: WithdrawalReason) -> None:
        """End the request; unless the account turns out to be closed, which a reset by ops can make it forget.

        A platform that does not answer soon holds up nobody: what a withdrawal says of the account is nothing.
        """
        state = self.state
        state.withdrawing += 1
        try:
            with suppress(ActivityError):
                found = await workflow.execute_activity_method(
                    AccountActivities.read_account,
                    state.read_account_input,
                    schedule_to_close_timeout=LOOK_LIMIT,
                    summary=f"Read account {state.account_id}: only an open one can be kept",
                    **ANSWER_OWNER,
                )
                state.require(Step.WITHDRAW)
                if closed := state.learn(found):
                    state.move(closed)
            state.require(Step.WITHDRAW)
            state.withdrawal_reason = reason
            state.move(Phase.WITHDRAWN)
        finally:
            state.withdrawing -= 1
