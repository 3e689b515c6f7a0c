"""What closure destroys, phase by phase. Only the cloud's own data: the owner's account with the group lives on."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from sqlalchemy import Connection, delete, insert, or_, select, update

from domain.accounts import AccountStatus
from domain.errors import ErrorType
from gateways.contract import ClosurePhase, Group, PhaseReceipt, PhaseRunning
from sandbox.code_limits import seconds_until
from sandbox.database import utc_now
from sandbox.faults import FaultyRoute, LongWork
from sandbox.kinds import Effect, Endpoint
from sandbox.messaging import IdempotencyKey
from sandbox.openapi import ACCOUNT_PROBLEMS, problems
from sandbox.problems import PlatformProblem
from sandbox.state import AccountId, Platform, Sandbox, lock_account
from sandbox.tables import (
    BindingRow,
    CallRow,
    ChallengeRow,
    CredentialRow,
    EntitlementRow,
    LongWorkRow,
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


RUNNING: dict[int | str, dict[str, Any]] = {
    HTTPStatus.ACCEPTED: {"model": PhaseRunning, "description": "The work goes on. Ask again under the same key."}
}


@router.post(
    "/{phase}",
    name="run-closure-phase",
    response_model=PhaseReceipt,
    responses=RUNNING | problems(*ACCOUNT_PROBLEMS, ErrorType.ACCOUNT_NOT_CLOSABLE, ErrorType.IDEMPOTENCY_CONFLICT),
)
async def run_closure_phase(
    account_id: AccountId,
    phase: ClosurePhase,
    idempotency_key: IdempotencyKey,
    platform: Platform,
    long_work: LongWork,
) -> PhaseReceipt | Response:
    """Destroy one kind of data of a closed account, for good.

    The receipt counts what went, by kind. Under another key, once the work is done, it counts nothing and says
    `already_gone`; that is success too. Work that takes long is begun once and answered 202; the same key again says
    how it is getting on, by GET or by repeating this request.
    """
    with platform.write() as tx:
        account = lock_account(tx, account_id)
        if account.status is not AccountStatus.CLOSED:
            raise PlatformProblem(
                ErrorType.ACCOUNT_NOT_CLOSABLE, "The account is open. Close it before deleting its data."
            )
        work = _Work(platform, tx, account_id, phase, idempotency_key)
        ends_at = work.ends_at()
        if ends_at is None and long_work is not None and work.first_receipt() is None:
            ends_at = work.begin(long_work)
        return work.finish(ends_at)


@router.get(
    "/{phase}",
    name=Endpoint.PHASE_STATUS,
    response_model=PhaseReceipt,
    responses=RUNNING | problems(*ACCOUNT_PROBLEMS, ErrorType.PHASE_UNKNOWN),
)
async def phase_status(
    account_id: AccountId, phase: ClosurePhase, idempotency_key: IdempotencyKey, platform: Platform
) -> PhaseReceipt | Response:
    """How the work is getting on that was begun with this key: its receipt, or 202 while it runs. Begins nothing."""
    with platform.write() as tx:
        lock_account(tx, account_id)
        work = _Work(platform, tx, account_id, phase, idempotency_key)
        receipt = work.first_receipt()
        if receipt is not None:
            return receipt
        ends_at = work.ends_at()
        if ends_at is None:
            raise PlatformProblem(
                ErrorType.PHASE_UNKNOWN, "Nothing was begun with this key. Begin the phase with a POST, then ask again."
            )
        return work.finish(ends_at)


@dataclass(frozen=True)
class _Work:
    """One phase of one account under one key. The account is locked, so what is read here stays true."""

    platform: Sandbox
    tx: Connection
    account_id: str
    phase: ClosurePhase
    key: str

    def first_receipt(self) -> PhaseReceipt | None:
        endpoint = Endpoint(self.phase)
        return self.platform.first_reply(self.tx, endpoint, self.account_id, self.key, PhaseReceipt)

    def ends_at(self) -> datetime | None:
        """When the long work ends, or ended; None when no long work was begun."""
        mine = {"account_id": self.account_id, "phase": self.phase, "key": self.key}
        ends_at: datetime | None = self.tx.scalar(select(LongWorkRow.ends_at).filter_by(**mine))
        return ends_at

    def begin(self, seconds: float) -> datetime:
        ends_at = utc_now() + timedelta(seconds=seconds)
        work = {"account_id": self.account_id, "phase": self.phase, "key": self.key, "ends_at": ends_at}
        self.tx.execute(insert(LongWorkRow).values(**work))
        return ends_at

    def finish(self, ends_at: datetime | None) -> PhaseReceipt | Response:
        """The receipt, for the work is done now if it was not before; until `ends_at`, that it is running."""
        now = utc_now()
        if ends_at is not None and ends_at > now:
            running = PhaseRunning(poll_after_seconds=min(seconds_until(ends_at, now), 3600))
            return JSONResponse(running.model_dump(), HTTPStatus.ACCEPTED)
        endpoint = Endpoint(self.phase)
        return self.platform.once(self.tx, endpoint, self.account_id, self.key, None, PhaseReceipt, self._destroy)

    def _destroy(self) -> tuple[PhaseReceipt, Effect]:
        counts = _destroy(self.tx, self.account_id, self.phase)
        already_gone = not counts and _ran_before(self.tx, self.account_id, self.phase)
        receipt = PhaseReceipt(counts=counts, already_gone=already_gone, completed_at=utc_now())
        return receipt, Effect.ALREADY_GONE if already_gone else Effect.APPLIED


def _destroy(tx: Connection, account_id: str, phase: ClosurePhase) -> dict[str, int]:
    table = TABLES[phase]
    if phase is ClosurePhase.ERASE_PERSONAL_DATA:
        _forget_contacts(tx, account_id)
    gone = tx.execute(delete(table).where(table.account_id == account_id).returning(table.kind))
    return dict(sorted(Counter(kind.lower() for kind in gone.scalars()).items()))


def _forget_contacts(tx: Connection, account_id: str) -> None:
    """The outbox goes on showing which messages went out, in which words, but no longer to which address.

    That includes a ticket's messages to an address of this account's. Challenges, with their masked addresses, go.
    """
    addresses = select(PersonalDataRow.value).where(PersonalDataRow.account_id == account_id)
    mine = or_(OutboxRow.account_id == account_id, OutboxRow.destination.in_(addresses))
    tx.execute(update(OutboxRow).where(mine).values(destination=None))
    tx.execute(delete(ChallengeRow).where(ChallengeRow.account_id == account_id))


def _ran_before(tx: Connection, account_id: str, phase: ClosurePhase) -> bool:
    earlier = select(CallRow.id).where(CallRow.account_id == account_id, CallRow.endpoint == Endpoint(phase)).limit(1)
    return tx.scalar(earlier) is not None
