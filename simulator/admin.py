"""What is no part of the contract: the hand that changes the pretended world, and looks behind it."""

import json
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Body

from domain.deletion import DeletionPhase
from gateways.contract import CLOSURE_PHASES
from simulator import edits, facts, seeds
from simulator.closure import live_hold
from simulator.database import as_model, utc_now
from simulator.faults import ActiveFault, Fault
from simulator.kinds import Endpoint
from simulator.operations import Transaction
from simulator.state import Simulator
from simulator.views import ADMIN, AccountListed, AccountState, Call, OutboxMessage

router = APIRouter(include_in_schema=False, route_class=Transaction)


@router.get("/healthz")
def healthz(platform: Simulator) -> dict[str, str]:
    platform.db.value("SELECT 1")
    return {"status": "ok"}


@router.get(ADMIN + "/accounts")
def accounts(platform: Simulator) -> list[AccountListed]:
    rows = platform.db.rows("SELECT id, situation FROM accounts ORDER BY number")
    return [AccountListed(situation=row["situation"], profile=facts.profile(row["id"], platform)) for row in rows]


@router.get(ADMIN + "/accounts/{account_id}")
def account(account_id: str, platform: Simulator) -> AccountState:
    hold = live_hold(platform, account_id, utc_now())
    group = "SELECT count(*) FROM belongings WHERE account_id = ? AND phase IS NULL"
    return AccountState(
        situation=platform.account(account_id)["situation"],
        profile=facts.profile(account_id, platform),
        facts={check: read(account_id, platform).model_dump(mode="json") for check, read in facts.FACTS.items()},
        entitlements=facts.entitlements(account_id, platform),
        held_until=hold["expires_at"] if hold else None,
        left={phase: facts.kinds_of(platform, account_id, phase) for phase in CLOSURE_PHASES},
        jd_group_accounts=platform.db.value(group, account_id),
    )


@router.get(ADMIN + "/accounts/{account_id}/personal-data")
def personal_data(account_id: str, platform: Simulator) -> list[str]:
    mine = "SELECT reference FROM belongings WHERE account_id = ? AND phase = ?"
    return [row["reference"] for row in platform.db.rows(mine, account_id, DeletionPhase.ERASE_PERSONAL_DATA)]


@router.post(ADMIN + "/accounts")
def add_clean_accounts(
    prefix: Annotated[str, Body()], number: Annotated[int, Body()], platform: Simulator
) -> list[str]:
    ids = [f"{prefix}-{n:05d}" for n in range(1, number + 1)]
    there = {row["id"] for row in platform.db.rows("SELECT id FROM accounts")}
    new = (seeds.AccountSeed(id=one, situation="nothing in the way") for one in ids if one not in there)
    seeds.insert_accounts(platform.db, new)
    return ids


@router.patch(ADMIN + "/accounts/{account_id}")
def set_facts(account_id: str, changes: dict[str, edits.Value], platform: Simulator) -> None:
    edits.set_facts(platform, account_id, changes)


@router.post(ADMIN + "/accounts/{account_id}/time")
def let_time_pass(account_id: str, duration: Annotated[timedelta, Body()], platform: Simulator) -> None:
    """What was to happen to this account later happens earlier, and what happened has been longer ago."""
    by = duration // timedelta(microseconds=1)
    for table in ("challenges", "holds", "long_work"):
        moments = platform.db.rows("SELECT name FROM pragma_table_info(?) WHERE type = 'MOMENT'", table)
        older = ", ".join(f"{row['name']} = {row['name']} - {by}" for row in moments)
        platform.db.change(f"UPDATE {table} SET {older} WHERE account_id = ?", account_id)  # noqa: S608


@router.get(ADMIN + "/outbox")
def outbox(platform: Simulator, account_id: str | None = None) -> list[OutboxMessage]:
    rows = platform.db.rows("SELECT * FROM outbox WHERE ?1 IS NULL OR account_id = ?1 ORDER BY id", account_id)
    return [as_model(OutboxMessage, row, params=json.loads(row["params"])) for row in rows]


@router.get(ADMIN + "/calls")
def calls(platform: Simulator, endpoint: Endpoint | None = None, account_id: str | None = None) -> list[Call]:
    matching = "(?1 IS NULL OR endpoint = ?1) AND (?2 IS NULL OR account_id = ?2)"
    rows = platform.db.rows(f"SELECT * FROM calls WHERE {matching} ORDER BY id", endpoint, account_id)  # noqa: S608
    return [as_model(Call, row) for row in rows]


@router.get(ADMIN + "/arrivals")
def arrivals(platform: Simulator) -> dict[int, int]:
    return platform.arrived


@router.get(ADMIN + "/faults")
def faults(platform: Simulator) -> list[ActiveFault]:
    return platform.faults.active


@router.post(ADMIN + "/faults")
def add_fault(fault: Fault, platform: Simulator) -> ActiveFault:
    return platform.faults.add(fault)


@router.post(ADMIN + "/faults/{fault_id}/open")
def open_gate(fault_id: int, platform: Simulator) -> None:
    platform.faults.open(fault_id)


@router.delete(ADMIN + "/faults")
def clear_faults(platform: Simulator) -> None:
    platform.faults.clear()


@router.post(ADMIN + "/reset")
def reset(platform: Simulator) -> None:
    platform.faults.clear()
    seeds.reset(platform.db)
