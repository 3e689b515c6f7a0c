"""Proofs: what a right code is worth. Single use, bound to its account and challenge, kept as a keyed hash only."""

import hmac

from fastapi import APIRouter
from sqlalchemy import Connection, select, update

from domain.errors import ErrorType
from gateways.contract import Group, Redeemed, RedeemRequest
from sandbox.database import utc_now
from sandbox.faults import FaultyRoute
from sandbox.kinds import Effect, Endpoint
from sandbox.openapi import ACCOUNT_PROBLEMS, problems
from sandbox.problems import PlatformProblem
from sandbox.state import AccountId, Platform, Sandbox, lock_account
from sandbox.tables import ChallengeRow

router = APIRouter(route_class=FaultyRoute, tags=[Group.IDENTITY])


@router.post(
    "/accounts/{account_id}/proofs/redeem",
    name=Endpoint.REDEEM,
    responses=problems(
        *ACCOUNT_PROBLEMS,
        ErrorType.PROOF_INVALID,
        ErrorType.PROOF_USED,
        ErrorType.PROOF_EXPIRED,
        ErrorType.IDEMPOTENCY_CONFLICT,
    ),
)
async def redeem(account_id: AccountId, request: RedeemRequest, platform: Platform) -> Redeemed:
    """Use up a proof, which belongs to its account and challenge. The same `request_id` again gets the same answer."""
    with platform.write() as tx:
        lock_account(tx, account_id)

        def use_up() -> tuple[Redeemed, Effect]:
            return _redeem(tx, platform, account_id, request), Effect.APPLIED

        return platform.once(tx, Endpoint.REDEEM, account_id, request.request_id, request, Redeemed, use_up)


def _redeem(tx: Connection, platform: Sandbox, account_id: str, request: RedeemRequest) -> Redeemed:
    now = utc_now()
    found = tx.execute(select(*ChallengeRow.__table__.c).filter_by(id=request.challenge_id, account_id=account_id))
    challenge = found.one_or_none()
    proof_hash = platform.keyed_hash("proof", request.challenge_id, request.proof)
    if challenge is None or not hmac.compare_digest(challenge.proof_hash or "", proof_hash):
        raise PlatformProblem(
            ErrorType.PROOF_INVALID, "Not a proof of this account and challenge. Answer the challenge first."
        )
    if challenge.redeemed_at is not None:
        raise PlatformProblem(ErrorType.PROOF_USED, "This proof has been redeemed. Ask for a new code to start again.")
    if challenge.proof_expires_at <= now:
        raise PlatformProblem(ErrorType.PROOF_EXPIRED, "This proof has expired. Ask for a new code to start again.")
    tx.execute(update(ChallengeRow).where(ChallengeRow.id == request.challenge_id).values(redeemed_at=now))
    return Redeemed(verified_at=challenge.answered_at, channel=challenge.channel)
