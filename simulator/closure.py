"""The point of no return: a hold that lapses by itself, and the closure that it can be turned into."""

import secrets
import sqlite3
from datetime import timedelta
from typing import Annotated

from fastapi import Path

from domain.accounts import AccountKind, AccountStatus
from domain.checks import RULES
from domain.errors import ErrorType
from domain.model import Instant, OpaqueId
from gateways.contract import Closed, ClosureRequest, Group, Hold, HoldRequest
from simulator import facts
from simulator.code_limits import seconds_until
from simulator.database import utc_now
from simulator.kinds import Effect, Endpoint
from simulator.operations import Operations
from simulator.problems import PlatformProblem
from simulator.state import AccountId, Simulator

router = Operations("/accounts/{account_id}")

_TAKE = """
    INSERT INTO holds (account_id, request_id, token, expires_at) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET token = excluded.token, expires_at = excluded.expires_at
"""
_RELEASE = """
    INSERT INTO holds (account_id, request_id, released) VALUES (?, ?, 1)
    ON CONFLICT DO UPDATE SET released = 1
"""


@router.operation(
    "PUT", "/hold", Endpoint.TAKE_HOLD, Group.CLOSURE, ErrorType.ACCOUNT_NOT_CLOSABLE, ErrorType.HOLD_RELEASED
)
def take_hold(account_id: AccountId, request: HoldRequest, platform: Simulator) -> Hold:
    """Take a lease on the account, or renew it: a live hold keeps its token, a lapsed one comes back under a new token.

    One live hold an account: another request's is refused with `AccountNotClosable` and the seconds that it still has.
    A `request_id` that has been released is refused for good with `HoldReleased`, however late this request arrives.
    """
    account = platform.account(account_id)
    if _was_released(platform, account_id, request.request_id):
        raise PlatformProblem(
            ErrorType.HOLD_RELEASED, "This hold was released, which is final. Take one under a new request id."
        )
    if account["status"] == AccountStatus.CLOSED:
        raise PlatformProblem(ErrorType.ACCOUNT_NOT_CLOSABLE, "The account is closed; there is nothing to hold.")
    now = utc_now()
    live = live_hold(platform, account_id, now)
    if live is not None and live["request_id"] != request.request_id:
        raise PlatformProblem(
            ErrorType.ACCOUNT_NOT_CLOSABLE,
            "Another request holds this account. Wait until its hold has lapsed or is released.",
            retry_after_seconds=seconds_until(live["expires_at"], now),
        )
    hold = Hold(
        hold_token=live["token"] if live is not None else f"hold-{secrets.token_hex(16)}",
        expires_at=now + timedelta(seconds=request.ttl_seconds),
    )
    platform.db.change(_TAKE, account_id, request.request_id, hold.hold_token, hold.expires_at)
    effect = Effect.REPLAYED if live is not None else Effect.APPLIED
    platform.record(Endpoint.TAKE_HOLD, account_id, request.request_id, effect)
    return hold


@router.operation("DELETE", "/hold/{request_id}", Endpoint.RELEASE_HOLD, Group.CLOSURE, status_code=204)
def release_hold(account_id: AccountId, request_id: Annotated[OpaqueId, Path()], platform: Simulator) -> None:
    """Give the lease back, for good, by the `request_id` that it was asked for with.

    Success also for a hold that has lapsed, is released already or was never taken: a request for it that is still on
    its way is refused when it arrives (`HoldReleased`).
    """
    effect = Effect.ALREADY_GONE
    exists = platform.db.row("SELECT 1 FROM accounts WHERE id = ?", account_id) is not None
    if exists and not _was_released(platform, account_id, request_id):
        platform.db.change(_RELEASE, account_id, request_id)
        effect = Effect.APPLIED
    platform.record(Endpoint.RELEASE_HOLD, account_id, request_id, effect)


@router.operation(
    "POST", "/closure", Endpoint.CLOSE, Group.CLOSURE, ErrorType.ACCOUNT_NOT_CLOSABLE, ErrorType.HOLD_LAPSED
)
def close(account_id: AccountId, request: ClosureRequest, platform: Simulator) -> Closed:
    """Turn a live hold into closure, for good. The same `request_id` again gets the first answer, lapsed hold or not.

    The platform looks again for itself: a check that blocks and is not waived, or cannot be, refuses the closure.
    """
    account = platform.account(account_id)
    if account["closure_request_id"] == request.request_id:
        platform.record(Endpoint.CLOSE, account_id, request.request_id, Effect.REPLAYED)
        return Closed(closed_at=account["closed_at"])
    now = utc_now()
    _refuse_unclosable(account)
    hold = live_hold(platform, account_id, now)
    if hold is None or hold["token"] != request.hold_token:
        raise PlatformProblem(ErrorType.HOLD_LAPSED, "No live hold with this token. Take a hold and check again.")
    _refuse_blocked(platform, account_id, request, now)
    platform.db.change(
        "UPDATE accounts SET status = ?, closed_at = ?, closure_request_id = ?, dossier_sha256 = ? WHERE id = ?",
        *(AccountStatus.CLOSED, now, request.request_id, request.dossier_sha256, account_id),
    )
    platform.db.change("DELETE FROM holds WHERE account_id = ? AND NOT released", account_id)
    platform.record(Endpoint.CLOSE, account_id, request.request_id, Effect.APPLIED)
    return Closed(closed_at=now)


def _refuse_unclosable(account: sqlite3.Row) -> None:
    if account["status"] == AccountStatus.CLOSED:
        why = "The account was closed by another request."
    elif account["kind"] == AccountKind.SUB_USER:
        why = "A sub-user cannot be closed; its main account can."
    elif account["restricted"]:
        why = "The account is restricted. The restriction has to be lifted first."
    else:
        return
    raise PlatformProblem(ErrorType.ACCOUNT_NOT_CLOSABLE, why)


def _refuse_blocked(platform: Simulator, account_id: str, request: ClosureRequest, now: Instant) -> None:
    outcomes = (RULES[check].judge(read(account_id, platform), now) for check, read in facts.FACTS.items())
    blocking = [o.check for o in outcomes if o.reason and not (o.waivable and o.check in request.waivers)]
    if blocking:
        raise PlatformProblem(
            ErrorType.ACCOUNT_NOT_CLOSABLE,
            f"Still in the way: {', '.join(blocking)}. Release the hold and check again.",
        )


def _was_released(platform: Simulator, account_id: str, request_id: str) -> bool:
    released = "SELECT released FROM holds WHERE account_id = ? AND request_id = ?"
    return bool(platform.db.value(released, account_id, request_id))


def live_hold(platform: Simulator, account_id: str, now: Instant) -> sqlite3.Row | None:
    """The one hold that keeps the account from changing."""
    live = "SELECT * FROM holds WHERE account_id = ? AND NOT released AND expires_at > ?"
    return platform.db.row(live, account_id, now)
