"""The five checks, started together; one slow or dead upstream delays or hides none of the others."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.eligibility import CheckOrder, EligibilityActivities, ForfeitOrder, ForfeitsFound
    from domain.checks import Check, CheckOutcome, EligibilityReport, ForfeitList

from workflows.account_cancellation.state import CancellationState
from workflows.common.activity_options import CHECK_RETRY

_ACTIVITIES = {
    Check.BALANCE: EligibilityActivities.check_balance,
    Check.ARREARS: EligibilityActivities.check_arrears,
    Check.PROVIDER: EligibilityActivities.check_provider,
    Check.ICP_FILING: EligibilityActivities.check_icp_filing,
    Check.RESOURCES: EligibilityActivities.check_resources,
}

CONCURRENT_ACTIVITIES = len(_ACTIVITIES) + 2
"""The checks, the entitlements and the account itself: what a worker must be able to start at once."""


async def run_checks(
    state: CancellationState, *, shown: ForfeitList | None = None, limit: timedelta | None = None
) -> tuple[EligibilityReport, ForfeitsFound | None]:
    """Run all five; `state.checks_done` grows as each finishes. Trouble past the policy's limit is UNKNOWN, no pass.

    `shown` is the list with which the forfeits are compared, `limit` what a person who waits has left.
    """
    account_id, policy = state.account_id, state.request.policy
    order = CheckOrder(account_id=account_id, at=workflow.now())
    check_limit = min(policy.check_limit, limit or policy.check_limit)
    state.reports += 1
    number, state.checks_done = state.reports, {}
    done = state.checks_done

    async def outcome_of(check: Check) -> None:
        try:
            outcome = await workflow.execute_activity_method(
                _ACTIVITIES[check],
                order,
                start_to_close_timeout=policy.check_attempt_limit,
                schedule_to_close_timeout=check_limit,
                retry_policy=CHECK_RETRY,
                summary=f"Check {check} of {account_id}",
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            outcome = CheckOutcome.unknown(check, workflow.now())
        done[check] = outcome

    async def forfeits() -> ForfeitsFound | None:
        try:
            return await workflow.execute_activity_method(
                EligibilityActivities.list_entitlements,
                ForfeitOrder(account_id=account_id, shown=shown),
                start_to_close_timeout=policy.check_attempt_limit,
                schedule_to_close_timeout=check_limit,
                retry_policy=CHECK_RETRY,
                summary=f"What {account_id} would forfeit",
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return None

    found, *_ = await asyncio.gather(forfeits(), *(outcome_of(check) for check in Check))
    report = EligibilityReport.compose(state.request_no, number, done, found.forfeits if found else None)
    return report, found
