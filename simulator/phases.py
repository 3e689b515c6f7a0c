"""What closure destroys, phase by phase. Only the cloud's own data: the owner's account with the group lives on."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse

from domain.accounts import AccountStatus
from domain.errors import ErrorType
from gateways.contract import ClosurePhase, Group, PhaseReceipt, PhaseRunning
from simulator.code_limits import seconds_until
from simulator.database import utc_now
from simulator.facts import contacts, kinds_of
from simulator.faults import LongWork
from simulator.kinds import Endpoint
from simulator.messaging import IdempotencyKey
from simulator.operations import Operations
from simulator.problems import PlatformProblem
from simulator.state import AccountId, Simulator

router = Operations("/accounts/{account_id}/closure/{phase}")

_ANSWERS: dict[str, Any] = {
    "response_model": PhaseReceipt,
    "responses": {
        HTTPStatus.ACCEPTED: {"model": PhaseRunning, "description": "The work goes on. Ask again under the same key."}
    },
}


@router.operation(
    "POST",
    "",
    "run-closure-phase",
    Group.CLOSURE,
    ErrorType.ACCOUNT_NOT_CLOSABLE,
    ErrorType.IDEMPOTENCY_CONFLICT,
    **_ANSWERS,
)
def run_closure_phase(
    account_id: AccountId,
    phase: ClosurePhase,
    idempotency_key: IdempotencyKey,
    platform: Simulator,
    long_work: LongWork,
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


@router.operation("GET", "", Endpoint.PHASE_STATUS, Group.CLOSURE, ErrorType.PHASE_UNKNOWN, **_ANSWERS)
def phase_status(
    account_id: AccountId, phase: ClosurePhase, idempotency_key: IdempotencyKey, platform: Simulator
) -> PhaseReceipt | Response:
    """How the work is getting on that was begun with this key: its receipt, or 202 while it runs. Begins nothing."""
    platform.account(account_id)
    reply = platform.reply(phase, account_id, idempotency_key)
    if reply is not None:
        return PhaseReceipt.model_validate_json(reply["answer"])
    if _ends_at(platform, account_id, phase, idempotency_key) is None:
        raise PlatformProblem(
            ErrorType.PHASE_UNKNOWN, "Nothing was begun with this key. Begin the phase with a POST, then ask again."
        )
    return _receipt(platform, account_id, phase, idempotency_key)


def _ends_at(platform: Simulator, account_id: str, phase: ClosurePhase, key: str) -> datetime | None:
    """When the long work under this key ends, or ended; None when it is no long work."""
    begun = "SELECT ends_at FROM long_work WHERE account_id = ? AND phase = ? AND key = ?"
    ends_at: datetime | None = platform.db.value(begun, account_id, phase, key)
    return ends_at


def _receipt(platform: Simulator, account_id: str, phase: ClosurePhase, key: str) -> PhaseReceipt | Response:
    """The receipt, for the work is done now if it was not before; until long work ends, that it is running."""

    def destroy() -> PhaseReceipt:
        if phase is ClosurePhase.ERASE_PERSONAL_DATA:
            _forget_contacts(platform, account_id)
        counts = dict(sorted(kinds_of(platform, account_id, phase).items()))
        platform.db.change("DELETE FROM belongings WHERE account_id = ? AND phase = ?", account_id, phase)
        earlier = "SELECT 1 FROM calls WHERE account_id = ? AND endpoint = ?"
        already_gone = not counts and platform.db.row(earlier, account_id, phase) is not None
        return PhaseReceipt(counts=counts, already_gone=already_gone, completed_at=utc_now())

    ends_at, now = _ends_at(platform, account_id, phase, key), utc_now()
    if ends_at is not None and ends_at > now:
        running = PhaseRunning(poll_after_seconds=min(seconds_until(ends_at, now), 3600))
        return JSONResponse(running.model_dump(), HTTPStatus.ACCEPTED)
    return platform.once(Endpoint(phase), account_id, key, None, PhaseReceipt, destroy)


def _forget_contacts(platform: Simulator, account_id: str) -> None:
    """The outbox goes on showing which messages went out, in which words, but no longer to which address.

    That includes a ticket's messages to an address of this account's. Challenges, with their masked addresses, go.
    """
    for address in contacts(platform, account_id).values():
        platform.db.change("UPDATE outbox SET destination = NULL WHERE destination = ?", address)
    platform.db.change("UPDATE outbox SET destination = NULL WHERE account_id = ?", account_id)
    platform.db.change("DELETE FROM challenges WHERE account_id = ?", account_id)
