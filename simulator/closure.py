"""The point of no return: a hold that lapses by itself, the closure it can be turned into, and what that destroys.

Only the cloud's own data are destroyed: the owner's account with the group lives on.
"""

import secrets
import sqlite3
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Path, Response
from fastapi.responses import JSONResponse

from domain.accounts import AccountKind, AccountStatus, Hold
from domain.checks import RULES
from domain.deletion import DeletionPhase
from domain.errors import ErrorType
from domain.model import Instant, OpaqueId
from gateways.contract import (
    Closed,
    ClosurePhase,
    ClosureRequest,
    Group,
    HoldRequest,
    PhaseReceipt,
    PhaseRunning,
)
from simulator import facts
from simulator.database import seconds_until, utc_now
from simulator.faults import LongWork
from simulator.kinds import Effect, Endpoint
from simulator.messaging import IdempotencyKey
from simulator.operations import Operations
from simulator.problems import PlatformProblem
from simulator.state import AccountId, Simulator

router = Operations(prefix="/accounts/{account_id}", tags=[Group.CLOSURE])

Phase = Annotated[ClosurePhase, Path()]

_TAKE = """
    INSERT INTO holds (account_id, request_id, token, expires_at) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET token = excluded.token, expires_at = excluded.expires_at
"""
_RELEASE = """
    INSERT INTO holds (account_id, request_id, released) VALUES (?, ?, 1)
    ON CONFLICT DO UPDATE SET released = 1
"""


@router.operation("PUT", "/hold", ErrorType.ACCOUNT_NOT_CLOSABLE, ErrorType.HOLD_RELEASED)
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


@router.operation("DELETE", "/hold/{request_id}", status_code=204)
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


@router.operation("POST", "/closure", ErrorType.ACCOUNT_NOT_CLOSABLE, ErrorType.HOLD_LAPSED)
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


_ANSWERS: dict[str, Any] = {
    "response_model": PhaseReceipt,
    "responses": {
        HTTPStatus.ACCEPTED: {"model": PhaseRunning, "description": "The work goes on. Ask again under the same key."}
    },
}


@router.operation(
    "POST", "/closure/{phase}", ErrorType.ACCOUNT_NOT_CLOSABLE, ErrorType.IDEMPOTENCY_CONFLICT, **_ANSWERS
)
def run_closure_phase(
    account_id: AccountId, phase: Phase, idempotency_key: IdempotencyKey, platform: Simulator, long_work: LongWork
) -> PhaseReceipt | Response:
    """Destroy one kind of data of a closed account, for good.

    The receipt counts what went, by kind. Under another key, once the work is done, it counts nothing and says
    `already_gone`; that is success too. Work that takes long is begun once and answered 202; the same key again says
    how it is getting on, by GET or by repeating this request.
    """
    if platform.account(account_id)["status"] != AccountStatus.CLOSED:
        raise PlatformProblem(ErrorType.ACCOUNT_NOT_CLOSABLE, "The account is open. Close it before deleting its data.")
    if long_work is not None and platform.reply(phase, account_id, idempotency_key) is None:
        begin = "INSERT INTO long_work VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        platform.db.change(begin, account_id, phase, idempotency_key, utc_now() + timedelta(seconds=long_work))
    return _receipt(platform, account_id, phase, idempotency_key)


@router.operation("GET", "/closure/{phase}", ErrorType.PHASE_UNKNOWN, **_ANSWERS)
def phase_status(
    account_id: AccountId, phase: Phase, idempotency_key: IdempotencyKey, platform: Simulator
) -> PhaseReceipt | Response:
    """How the work is getting on that was begun with this key: its receipt, or 202 while it runs. Begins nothing."""
    platform.account(account_id)
    reply = platform.reply(phase, account_id, idempotency_key)
    if reply is not None:
        return PhaseReceipt.model_validate_json(reply["answer"])
    if _long_work_ends_at(platform, account_id, phase, idempotency_key) is None:
        raise PlatformProblem(
            ErrorType.PHASE_UNKNOWN, "Nothing was begun with this key. Begin the phase with a POST, then ask again."
        )
    return _receipt(platform, account_id, phase, idempotency_key)


def _long_work_ends_at(platform: Simulator, account_id: str, phase: ClosurePhase, key: str) -> datetime | None:
    """When the long work under this key ends, or ended; None when it is no long work."""
    begun = "SELECT ends_at FROM long_work WHERE account_id = ? AND phase = ? AND key = ?"
    ends_at: datetime | None = platform.db.value(begun, account_id, phase, key)
    return ends_at


def _receipt(platform: Simulator, account_id: str, phase: ClosurePhase, key: str) -> PhaseReceipt | Response:
    """The receipt, for the work is done now if it was not before; until long work ends, that it is running."""
    ends_at, now = _long_work_ends_at(platform, account_id, phase, key), utc_now()
    if ends_at is not None and ends_at > now:
        running = PhaseRunning(poll_after_seconds=min(seconds_until(ends_at, now), 3600))
        return JSONResponse(running.model_dump(), HTTPStatus.ACCEPTED)

    def destroy() -> PhaseReceipt:
        if phase is DeletionPhase.ERASE_PERSONAL_DATA:
            _forget_contacts(platform, account_id)
        counts = dict(sorted(facts.kinds_of(platform, account_id, phase).items()))
        platform.db.change("DELETE FROM belongings WHERE account_id = ? AND phase = ?", account_id, phase)
        earlier = "SELECT 1 FROM calls WHERE account_id = ? AND endpoint = ?"
        already_gone = not counts and platform.db.row(earlier, account_id, phase) is not None
        return PhaseReceipt(counts=counts, already_gone=already_gone, completed_at=now)

    return platform.once(Endpoint(phase), account_id, key, None, PhaseReceipt, destroy)


def _forget_contacts(platform: Simulator, account_id: str) -> None:
    """The outbox goes on showing which messages went out, in which words, but no longer to which address.

    That includes a ticket's messages to an address of this account's. Challenges, with their masked addresses, go.
    """
    for address in facts.contacts(platform, account_id).values():
        platform.db.change("UPDATE outbox SET destination = NULL WHERE destination = ?", address)
    platform.db.change("UPDATE outbox SET destination = NULL WHERE account_id = ?", account_id)
    platform.db.change("DELETE FROM challenges WHERE account_id = ?", account_id)
