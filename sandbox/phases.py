"""What closure destroys, phase by phase. Only the cloud's own data: the owner's account with the group lives on."""

from collections import Counter
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.accounts import AccountStatus
from domain.errors import ErrorType
from gateways.contract import ClosurePhase, Group, PhaseReceipt
from sandbox.database import utc_now
from sandbox.faults import FaultyRoute
from sandbox.kinds import Effect, Endpoint
from sandbox.messaging import IdempotencyKey
from sandbox.openapi import ACCOUNT_PROBLEMS, problems
from sandbox.problems import PlatformProblem
from sandbox.state import AccountId, Platform, lock_account
from sandbox.tables import (
    BindingRow,
    CallRow,
    ChallengeRow,
    CredentialRow,
    EntitlementRow,
    OutboxRow,
    PersonalDataRow,
    ResourceRow,
)

router = APIRouter(prefix="/accounts/{account_id}/closure", route_class=FaultyRoute, tags=[Group.CLOSURE])

TABLES: dict[ClosurePhase, Any] = {
    ClosurePhase.REVOKE_CREDENTIALS: CredentialRow,
    ClosurePhase.UNBIND_THIRD_PARTIES: BindingRow,
    ClosurePhase.FORFEIT_ENTITLEMENTS: EntitlementRow,
    ClosurePhase.PURGE_RESOURCES: ResourceRow,
    ClosurePhase.ERASE_PERSONAL_DATA: PersonalDataRow,
}


@router.post(
    "/{phase}",
    name="run-closure-phase",
    responses=problems(*ACCOUNT_PROBLEMS, ErrorType.ACCOUNT_NOT_CLOSABLE, ErrorType.IDEMPOTENCY_CONFLICT),
)
async def run_closure_phase(
    account_id: AccountId, phase: ClosurePhase, idempotency_key: IdempotencyKey, platform: Platform
) -> PhaseReceipt:
    """Destroy one kind of data of a closed account, for good.

    The receipt counts what went, by kind. Under another key, once the work is done, it counts nothing and says
    `already_gone`; that is success too.
    """
    async with platform.write() as tx:
        account = await lock_account(tx, account_id)
        if account.status is not AccountStatus.CLOSED:
            raise PlatformProblem(
                ErrorType.ACCOUNT_NOT_CLOSABLE, "The account is open. Close it before deleting its data."
            )

        async def destroy() -> tuple[PhaseReceipt, Effect]:
            now = utc_now()
            counts = await _destroy(tx, account_id, phase, now)
            already_gone = not counts and await _ran_before(tx, account_id, phase)
            receipt = PhaseReceipt(counts=counts, already_gone=already_gone, completed_at=now)
            return receipt, Effect.ALREADY_GONE if already_gone else Effect.APPLIED

        return await platform.once(tx, Endpoint(phase), account_id, idempotency_key, None, PhaseReceipt, destroy)


async def _destroy(tx: AsyncConnection, account_id: str, phase: ClosurePhase, now: datetime) -> dict[str, int]:
    table = TABLES[phase]
    if phase is ClosurePhase.ERASE_PERSONAL_DATA:
        await _forget_contacts(tx, account_id)
    gone = await tx.execute(delete(table).where(table.account_id == account_id).returning(table.kind))
    return dict(sorted(Counter(kind.lower() for kind in gone.scalars()).items()))


async def _forget_contacts(tx: AsyncConnection, account_id: str) -> None:
    """The outbox goes on showing which messages went out, in which words, but no longer to which address.

    That includes a ticket's messages to an address of this account's. Challenges, with their masked addresses, go.
    """
    addresses = select(PersonalDataRow.value).where(PersonalDataRow.account_id == account_id)
    mine = or_(OutboxRow.account_id == account_id, OutboxRow.destination.in_(addresses))
    await tx.execute(update(OutboxRow).where(mine).values(destination=None))
    await tx.execute(delete(ChallengeRow).where(ChallengeRow.account_id == account_id))


async def _ran_before(tx: AsyncConnection, account_id: str, phase: ClosurePhase) -> bool:
    earlier = select(CallRow.id).where(CallRow.account_id == account_id, CallRow.endpoint == Endpoint(phase)).limit(1)
    return await tx.scalar(earlier) is not None
