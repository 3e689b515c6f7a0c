"""The checks, started together; one slow or dead upstream delays or hides none of the others."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.eligibility import (
        CheckInput,
        EligibilityActivities,
        ListEntitlementsInput,
        ListEntitlementsResult,
        check_activity,
    )
    from domain.checks import Check, CheckOutcome, EligibilityReport, ForfeitList

from workflows.account_cancellation.state import CancellationState
from workflows.common.activity_options import CHECK_RETRY

CONCURRENT_ACTIVITIES = len(Check) + 2
"""The checks, the entitlements and the account itself: what a worker must be able to start at once."""

UNMARKED = frozenset({Check.BALANCE, Check.ARREARS, Check.PROVIDER, Check.ICP_FILING, Check.RESOURCES})
"""The checks that histories have without a marker. A later one is none of them: see `_missing`."""


async def run_checks(
    state: CancellationState, *, shown: ForfeitList | None = None, limit: timedelta | None = None
) -> tuple[EligibilityReport, ListEntitlementsResult | None]:
    """Run all; `state.checks_done` grows as each finishes. Trouble past the policy's limit is UNKNOWN, no pass.

    `shown` is the list with which the forfeits are compared, `limit` what a person who waits has left.
    """
    account_id, policy = state.account_id, state.request.policy
    check_input = CheckInput(account_id=account_id, at=workflow.now())
    check_limit = min(policy.check_limit, limit or policy.check_limit)
    state.reports += 1
    number, state.checks_done = state.reports, {}
    done = state.checks_done

    async def run(check: Check) -> None:
        try:
            outcome = await workflow.execute_activity(
                check_activity(check),
                check_input,
                result_type=CheckOutcome,
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

    async def forfeits() -> ListEntitlementsResult | None:
        try:
            return await workflow.execute_activity_method(
                EligibilityActivities.list_entitlements,
                ListEntitlementsInput(account_id=account_id, shown=shown),
                start_to_close_timeout=policy.check_attempt_limit,
                schedule_to_close_timeout=check_limit,
                retry_policy=CHECK_RETRY,
                summary=f"What {account_id} would forfeit",
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return None

    found, *_ = await asyncio.gather(forfeits(), *(run(check) for check in _missing(state, number)))
    # A deployment that came meanwhile may have brought a check along.
    while missing := _missing(state, number):
        await asyncio.gather(*(run(check) for check in missing))
    report = EligibilityReport.compose(state.request_no, number, done, found.forfeits if found else None)
    return report, found


def _missing(state: CancellationState, number: int) -> list[Check]:
    """What is still to be run for this report. A replay runs what was run then, and no check that came later.

    `patched` answers the same for a whole run. So it is asked anew at each point where a check may join, until a report
    has it: what was begun before there was the check is not closed without it.
    """
    done = state.checks_done
    joined = UNMARKED.union(outcome.check for outcome in state.report.outcomes) if state.report else UNMARKED
    return [
        check
        for check in Check
        if check not in done and (check in joined or workflow.patched(f"{check}-in-report-{number}-after-{len(done)}"))
    ]
