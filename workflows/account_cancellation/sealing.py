"""The point of no return. Up to it everything can be dropped at any moment, because the hold is a lease.

Once a `close` has been sent only the platform's own record of the closure decides what has happened: an error is never
"nothing happened", and a hold that is given back for good is what makes "not closed" final.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.account import AccountActivities, ReadAccountResult
    from activities.eligibility import ListEntitlementsResult
    from activities.sealing import CloseAccountInput, ReleaseHoldInput, SealingActivities, TakeHoldInput
    from domain.accounts import Hold, RealNameType, refusal_reason
    from domain.checks import EligibilityReport, Verdict
    from domain.deletion import DeletionInput, Dossier
    from domain.errors import ErrorType
    from domain.model import Instant, VaultRef
    from domain.phases import Phase
    from domain.standing import Changes, SealingTrouble
    from domain.tickets import CLOCK_SKEW

from workflows.account_cancellation.eligibility import run_checks
from workflows.account_cancellation.state import CancellationState
from workflows.common.activity_options import (
    BEST_EFFORT,
    CLOSING,
    LONGEST_ROUND,
    PATIENT,
    PAUSE,
    RELEASE_HOLD_LIMIT,
    SEALING_ROUND,
)
from workflows.common.failures import error_type, is_final, keep_trying, rest


async def seal(state: CancellationState, may_continue_as_new: Callable[[], bool]) -> Phase | None:
    """Hold, re-check, dossier, close. The answer is the phase that comes next.

    A lapsed hold is taken again, as often as the policy says, and so it is after trouble of the platform's, as long as
    that lasts. Anything else that stands in the way goes back to the owner, with what it is. None between two attempts
    when the history has grown long: the account is not held then, and the workflow can continue as new.
    """
    lapsed, pause = 0, PAUSE
    while True:
        try:
            if (next_phase := await _hold(state)) or (next_phase := await _recheck_and_close(state)):
                return next_phase
        except _NotClosed as answer:
            lapsed += answer.error == ErrorType.HOLD_LAPSED
            if answer.is_final and (answer.error != ErrorType.HOLD_LAPSED or lapsed >= _seal_attempts(state)):
                return await _back(state, answer.error)
            if not answer.is_final:
                _note(state, answer.error, 1, workflow.now())
                if may_continue_as_new():
                    return None
                await state.during(workflow.sleep(pause, summary="The platform did not close: try again"))
                pause = min(2 * pause, LONGEST_ROUND)


class _NotClosed(Exception):
    """The platform's record says that the account is open, and no `close` of ours can land any more."""

    def __init__(self, error: str, *, is_final: bool) -> None:
        super().__init__(error)
        self.error, self.is_final = error, is_final


def _seal_attempts(state: CancellationState) -> int:
    return state.request.policy.seal_attempts


# The steps


async def _hold(state: CancellationState) -> Phase | None:
    """Take the hold. The next phase when the account cannot be held."""
    ttl = int(state.request.policy.hold_ttl.total_seconds())
    released = 0
    # One of ours that could not be given back would stand in the way of the next until it lapses.
    await state.during(release_hold(state))
    while True:
        hold_id = state.next_hold()

        async def take(limit: timedelta, hold_id: str = hold_id) -> Hold:
            return await workflow.execute_activity_method(
                SealingActivities.take_hold,
                TakeHoldInput(account_id=state.account_id, hold_id=hold_id, ttl_seconds=ttl),
                schedule_to_close_timeout=limit,
                summary=f"Hold {state.account_id} (a lease, lapses by itself)",
                **PATIENT,
            )

        try:
            hold = await state.during(_patiently(state, take))
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            if error_type(error) == ErrorType.HOLD_RELEASED:
                # Of an earlier life of this request, which ops have reset: take the next one. A life has few of them.
                released += 1
                if released >= _seal_attempts(state):
                    _note(state, ErrorType.HOLD_RELEASED, 1, workflow.now())
                    await state.during(workflow.sleep(PAUSE, summary="The platform takes every hold for released"))
                continue
            return await _back(state, error_type(error))
        state.hold_token, state.hold_expires_at = hold.hold_token, hold.expires_at
        return None


async def _recheck_and_close(state: CancellationState) -> Phase | None:
    """Everything anew under the hold; then the dossier, and the close."""
    shown = state.report.entitlements if state.report else None
    reading = _patiently(state, lambda limit: read_account(state, limit))
    try:
        found, (report, forfeits) = await state.during(asyncio.gather(reading, run_checks(state, shown=shown)))
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        return await _back(state, error_type(error), look=False)
    if closed := state.learn(found):
        return closed
    if reason := refusal_reason(found.profile):
        return await _back(state, reason, look=False)
    if state.drop_stale_approval() and not state.confirmation:
        state.report = report
        state.changed = Changes(approval_expired=True, real_name_type=_other_type(state))
        return await _back(state, None, look=False)
    if changed := _changes(state, report, forfeits):
        state.report, state.changed = report, changed
        return await _back(state, None, look=False)
    dossier = state.dossier(report)
    try:
        state.last_dossier = ref = await state.during(_patiently(state, lambda limit: _write(dossier, limit)))
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        return await _back(state, error_type(error), look=False)
    # An owner who is about to withdraw is waited for: after the next line it is too late.
    await state.during(workflow.wait_condition(lambda: not state.withdrawing))
    return await _close(state, dossier, ref)


async def _close(state: CancellationState, dossier: Dossier, ref: VaultRef) -> Phase:
    """Send the `close`. Nothing can be withdrawn until it is known what has become of it."""
    assert state.hold_token is not None
    state.closing = True
    state.show()
    try:
        await workflow.execute_activity_method(
            SealingActivities.close_account,
            CloseAccountInput(
                account_id=state.account_id,
                request_no=state.request_no,
                hold_token=state.hold_token,
                waivers=tuple(waiver.check for waiver in state.waivers),
                dossier_sha256=ref.sha256,
            ),
            summary=f"CLOSE {state.account_id}: the point of no return",
            **CLOSING,
        )
    except ActivityError as error:
        found = await _settle(state)
        if next_phase := state.learn(found):
            return next_phase
        state.closing = False
        raise _NotClosed(error_type(error), is_final=is_final(error)) from None
    policy = state.request.policy
    state.closed_request_no = state.request_no
    state.deletion_input = DeletionInput.from_dossier(dossier, ref, policy.final_notice_limit, policy.stuck_after)
    return Phase.DELETING


async def _settle(state: CancellationState) -> ReadAccountResult:
    """The account as it is once no `close` of ours can land on it any more. Asks for as long as it takes."""
    assert state.hold_expires_at is not None
    # A release is final at the platform. Should it never come through, the lease ends by itself.
    while workflow.now() < state.hold_expires_at + CLOCK_SKEW:
        if await release_hold(state):
            break
        await workflow.sleep(PAUSE, summary="The hold may still be alive: release it")
    since, limit = workflow.now(), SEALING_ROUND
    while True:
        failed: ActivityError | None = None
        try:
            found = await read_account(state, limit)
            if found.profile is not None:
                return found
        except ActivityError as error:
            failed = error
        _note(state, error_type(failed) if failed else ErrorType.ACCOUNT_UNKNOWN, 1, since)
        if failed is None or is_final(failed):
            await workflow.sleep(limit, summary="It is not known whether the account is closed: ask again")
        else:
            await rest(failed, LONGEST_ROUND)
        limit = min(2 * limit, LONGEST_ROUND)


# Shared by the steps


async def _patiently(state: CancellationState, attempt: Any) -> Any:
    """Try until the other side is back; what it fails on meanwhile is shown."""
    stuck_after = state.request.policy.stuck_after
    rounds = min(SEALING_ROUND, stuck_after), LONGEST_ROUND
    return await keep_trying(attempt, rounds, lambda *trouble: _note(state, *trouble))


def _note(state: CancellationState, error: str, attempts: int, since: Instant) -> None:
    earlier = state.trouble
    since = earlier.since if earlier else since
    state.trouble = SealingTrouble(
        error_type=error,
        attempts=attempts + (earlier.attempts if earlier else 0),
        since=since,
        stuck=workflow.now() - since >= state.request.policy.stuck_after,
    )
    state.show()


async def read_account(state: CancellationState, limit: timedelta) -> ReadAccountResult:
    return await workflow.execute_activity_method(
        AccountActivities.read_account,
        state.read_account_input,
        schedule_to_close_timeout=limit,
        summary=f"Read account {state.account_id}",
        **PATIENT,
    )


async def _write(dossier: Dossier, limit: timedelta) -> VaultRef:
    return await workflow.execute_activity_method(
        SealingActivities.write_dossier,
        dossier,
        schedule_to_close_timeout=limit,
        summary=f"Dossier of {dossier.request_no}, before anything is destroyed",
        **PATIENT,
    )


def _changes(
    state: CancellationState, report: EligibilityReport, forfeits: ListEntitlementsResult | None
) -> Changes | None:
    """What is there beyond what was shown and confirmed or waived; None when there is nothing."""
    left = report.reasons_left(state.waivers)
    changes = Changes(
        checks=tuple(o.check for o in left if o.verdict is Verdict.BLOCKED),
        entitlements=forfeits.added if forfeits else (),
        entitlements_added=forfeits.added_count if forfeits else 0,
        real_name_type=_other_type(state),
        could_not_tell=report.not_told,
    )
    return None if changes == Changes() else changes


def _other_type(state: CancellationState) -> RealNameType | None:
    """What the account has become since its owner, or a reviewer, agreed to the end of another kind."""
    return None if state.real_name_type is state.agreed_type else state.real_name_type


async def _back(state: CancellationState, refused: str | None, *, look: bool = True) -> Phase:
    """Give the account back, and the turn to its owner; unless the platform says that the account is closed."""
    await state.during(release_hold(state))
    if look:
        try:
            found = await state.during(_patiently(state, lambda limit: read_account(state, limit)))
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
        else:
            if closed := state.learn(found):
                return closed
    state.seal_refused = refused
    return state.back_to_owner()


async def release_hold(state: CancellationState) -> bool:
    """Give the account back early, for good. False when that does not come through: then the lease lapses by itself."""
    if state.hold_id is None:
        return True
    try:
        await workflow.execute_activity_method(
            SealingActivities.release_hold,
            ReleaseHoldInput(account_id=state.account_id, hold_id=state.hold_id),
            schedule_to_close_timeout=RELEASE_HOLD_LIMIT,
            summary=f"Release the hold on {state.account_id}",
            **BEST_EFFORT,
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        workflow.logger.warning("The hold will lapse by itself", extra={"account_id": state.account_id})
        return False
    state.hold_id = None
    return True
