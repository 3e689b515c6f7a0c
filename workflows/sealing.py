"""The point of no return: everything up to it can be dropped at any moment, because the hold is a lease."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.sealing import AccountClosed, CloseOrder, HoldOrder, ReleaseOrder, SealingActivities
    from domain.deletion import DeletionInput
    from domain.errors import ErrorType
    from domain.model import VaultRef
    from domain.phases import Phase

from workflows.cancellation_state import CancellationState
from workflows.eligibility import run_checks
from workflows.failures import error_type
from workflows.options import BEST_EFFORT, PATIENT, RELEASE_HOLD_LIMIT


async def seal(state: CancellationState) -> None:
    """Hold, re-check, dossier, close: the first three harm nothing, and `close` is the point of no return.

    A final refusal of any of them leaves the account as it was. A lapsed hold is taken again, as often as the policy
    says; anything else goes back to the owner.
    """
    state.seal_refused = None
    try:
        await _hold_recheck_and_close(state)
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        state.closing = False
        refused = error_type(error)
        if refused != ErrorType.HOLD_LAPSED or state.holds_taken >= state.request.policy.seal_attempts:
            await _back_to_owner(state, refused)
        else:
            await release_hold(state)


async def _hold_recheck_and_close(state: CancellationState) -> None:
    await _hold(state)
    state.still_in(Phase.SEALING)
    sealing_report = await run_checks(state)
    if not sealing_report.is_clear(state.waivers):
        state.report = sealing_report
        await _back_to_owner(state, None)
        return
    dossier = state.dossier(sealing_report)
    state.last_dossier = await workflow.execute_activity_method(
        SealingActivities.write_dossier,
        dossier,
        summary=f"Dossier of {state.request_no}, before anything is destroyed",
        **PATIENT,
    )
    state.still_in(Phase.SEALING)
    closed = await _close(state, state.last_dossier)
    state.deletion_input = DeletionInput.from_dossier(
        dossier, state.last_dossier, closed.closed_at, state.request.policy.final_notice_limit
    )
    state.move(Phase.DELETING)


async def _hold(state: CancellationState) -> None:
    state.holds_taken += 1
    hold = await workflow.execute_activity_method(
        SealingActivities.take_hold,
        HoldOrder(
            account_id=state.account_id,
            hold_id=f"{state.request_no}-{state.holds_taken}",
            ttl_seconds=int(state.request.policy.hold_ttl.total_seconds()),
        ),
        summary=f"Hold {state.account_id} (a lease, lapses by itself)",
        **PATIENT,
    )
    state.hold_token = hold.hold_token


async def _close(state: CancellationState, dossier: VaultRef) -> AccountClosed:
    assert state.hold_token is not None
    # From here a withdrawal is refused: the call may take effect before its answer arrives.
    state.closing = True
    return await workflow.execute_activity_method(
        SealingActivities.close_account,
        CloseOrder(
            account_id=state.account_id,
            request_no=state.request_no,
            hold_token=state.hold_token,
            waivers=tuple(waiver.check for waiver in state.waivers),
            dossier_sha256=dossier.sha256,
        ),
        summary=f"CLOSE {state.account_id}: the point of no return",
        **PATIENT,
    )


async def _back_to_owner(state: CancellationState, refused: str | None) -> None:
    state.confirmation = None
    state.seal_refused = refused
    state.holds_taken = 0
    state.move(Phase.BLOCKED)
    await release_hold(state)


async def release_hold(state: CancellationState) -> None:
    """Give the account back early. When that fails the lease lapses by itself: there is nothing to undo."""
    if state.hold_token is None or state.phase is Phase.CLOSED:
        return
    try:
        await workflow.execute_activity_method(
            SealingActivities.release_hold,
            ReleaseOrder(account_id=state.account_id, hold_token=state.hold_token),
            schedule_to_close_timeout=RELEASE_HOLD_LIMIT,
            summary=f"Release the hold on {state.account_id}",
            **BEST_EFFORT,
        )
    except ActivityError:
        workflow.logger.warning("The hold will lapse by itself", extra={"account_id": state.account_id})
    state.hold_token = None
