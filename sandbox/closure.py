"""The point of no return: a hold that lapses by itself, and the closure that it can be turned into."""

import secrets
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy import Connection, delete, insert, select, update

from domain.accounts import AccountKind, AccountStatus
from domain.errors import ErrorType
from domain.model import Instant, OpaqueId
from gateways.contract import Closed, ClosureRequest, Group, Hold, HoldRequest
from sandbox.code_limits import seconds_until
from sandbox.database import AnyRow, utc_now
from sandbox.facts import check_all
from sandbox.faults import FaultyRoute
from sandbox.kinds import Effect, Endpoint
from sandbox.openapi import ACCOUNT_PROBLEMS, COMMON_PROBLEMS, problems
from sandbox.problems import PlatformProblem
from sandbox.state import AccountId, Platform, lock_account, lock_account_if_any, record_call
from sandbox.tables import AccountRow, HoldRow, ReleasedHoldRow

router = APIRouter(prefix="/accounts/{account_id}", route_class=FaultyRoute, tags=[Group.CLOSURE])


@router.put(
    "/hold",
    name=Endpoint.TAKE_HOLD,
    responses=problems(*ACCOUNT_PROBLEMS, ErrorType.ACCOUNT_NOT_CLOSABLE, ErrorType.HOLD_RELEASED),
)
async def take_hold(account_id: AccountId, request: HoldRequest, platform: Platform) -> Hold:
    """Take a lease on the account, or renew it: a live hold keeps its token, a lapsed one comes back under a new token.

    One live hold an account: another request's is refused with `AccountNotClosable` and the seconds that it still has.
    A `request_id` that has been released is refused for good with `HoldReleased`, however late this request arrives.
    """
    with platform.write() as tx:
        account = lock_account(tx, account_id)
        if _was_released(tx, account_id, request.request_id):
            raise PlatformProblem(
                ErrorType.HOLD_RELEASED, "This hold was released, which is final. Take one under a new request id."
            )
        if account.status is AccountStatus.CLOSED:
            raise PlatformProblem(
                ErrorType.ACCOUNT_NOT_CLOSABLE, "The account is closed already; there is nothing to hold."
            )
        now = utc_now()
        live = _live_hold(tx, account_id, now)
        if live is not None and live.request_id != request.request_id:
            raise PlatformProblem(
                ErrorType.ACCOUNT_NOT_CLOSABLE,
                "Another request holds this account. Wait until its hold has lapsed or is released.",
                retry_after_seconds=seconds_until(live.expires_at, now),
            )
        hold = Hold(
            hold_token=live.token if live is not None else f"hold-{secrets.token_hex(16)}",
            expires_at=now + timedelta(seconds=request.ttl_seconds),
        )
        tx.execute(delete(HoldRow).where(HoldRow.account_id == account_id))
        tx.execute(
            insert(HoldRow).values(
                account_id=account_id, request_id=request.request_id, token=hold.hold_token, expires_at=hold.expires_at
            )
        )
        effect = Effect.REPLAYED if live is not None else Effect.APPLIED
        record_call(tx, Endpoint.TAKE_HOLD, account_id, request.request_id, effect)
        return hold


@router.delete("/hold/{request_id}", name=Endpoint.RELEASE_HOLD, status_code=204, responses=problems(*COMMON_PROBLEMS))
async def release_hold(account_id: AccountId, request_id: Annotated[OpaqueId, Path()], platform: Platform) -> None:
    """Give the lease back, for good, by the `request_id` that it was asked for with.

    Success also for a hold that has lapsed, is released already or was never taken: a request for it that is still on
    its way is refused when it arrives (`HoldReleased`).
    """
    with platform.write() as tx:
        # Under the lock a request for the same hold comes before or after this one, and never in between.
        account = lock_account_if_any(tx, account_id)
        effect = Effect.ALREADY_GONE
        if account is not None and not _was_released(tx, account_id, request_id):
            tx.execute(insert(ReleasedHoldRow).values(account_id=account_id, request_id=request_id))
            tx.execute(delete(HoldRow).where(HoldRow.account_id == account_id, HoldRow.request_id == request_id))
            effect = Effect.APPLIED
        record_call(tx, Endpoint.RELEASE_HOLD, account_id, request_id, effect)


@router.post(
    "/closure",
    name=Endpoint.CLOSE,
    responses=problems(*ACCOUNT_PROBLEMS, ErrorType.ACCOUNT_NOT_CLOSABLE, ErrorType.HOLD_LAPSED),
)
async def close(account_id: AccountId, request: ClosureRequest, platform: Platform) -> Closed:
    """Turn a live hold into closure, for good. The same `request_id` again gets the first answer, lapsed hold or not.

    The platform looks again for itself: a check that blocks and is not waived, or cannot be, refuses the closure.
    """
    with platform.write() as tx:
        account = lock_account(tx, account_id)
        if account.closed_at is not None and account.closure_request_id == request.request_id:
            record_call(tx, Endpoint.CLOSE, account_id, request.request_id, Effect.REPLAYED)
            return Closed(closed_at=account.closed_at)
        now = utc_now()
        _refuse_unclosable(account)
        hold = _live_hold(tx, account_id, now)
        if hold is None or hold.token != request.hold_token:
            raise PlatformProblem(ErrorType.HOLD_LAPSED, "No live hold with this token. Take a hold and check again.")
        _refuse_blocked(tx, account, request, now)
        tx.execute(
            update(AccountRow)
            .where(AccountRow.id == account_id)
            .values(
                status=AccountStatus.CLOSED,
                closed_at=now,
                closure_request_id=request.request_id,
                dossier_sha256=request.dossier_sha256,
            )
        )
        tx.execute(delete(HoldRow).where(HoldRow.account_id == account_id))
        record_call(tx, Endpoint.CLOSE, account_id, request.request_id, Effect.APPLIED)
        return Closed(closed_at=now)


def _refuse_unclosable(account: AnyRow) -> None:
    if account.status is AccountStatus.CLOSED:
        why = "The account was closed by another request."
    elif account.kind is AccountKind.SUB_USER:
        why = "A sub-user cannot be closed; its main account can."
    elif account.restricted:
        why = "The account is restricted. The restriction has to be lifted first."
    else:
        return
    raise PlatformProblem(ErrorType.ACCOUNT_NOT_CLOSABLE, why)


def _refuse_blocked(tx: Connection, account: AnyRow, request: ClosureRequest, now: Instant) -> None:
    outcomes = check_all(tx, account, now).values()
    blocking = [o.check for o in outcomes if o.reason and not (o.waivable and o.check in request.waivers)]
    if blocking:
        raise PlatformProblem(
            ErrorType.ACCOUNT_NOT_CLOSABLE,
            f"Still in the way: {', '.join(blocking)}. Release the hold and check again.",
        )


def _was_released(tx: Connection, account_id: str, request_id: str) -> bool:
    released = select(ReleasedHoldRow.request_id).filter_by(account_id=account_id, request_id=request_id)
    return tx.scalar(released) is not None


def _live_hold(tx: Connection, account_id: str, now: Instant) -> AnyRow | None:
    live = (HoldRow.account_id == account_id, HoldRow.expires_at > now)
    return tx.execute(select(*HoldRow.__table__.c).where(*live)).one_or_none()
