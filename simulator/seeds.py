"""The accounts that a fresh simulator holds, and what each account has. Every person in them is made up."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from domain.accounts import AccountKind, AccountStatus, Channel, RealNameType
from domain.checks import EntitlementKind, Marketplace
from domain.deletion import DeletionPhase
from domain.model import Count, Fen, Model, OpaqueId
from gateways.contract import ClosurePhase
from simulator.database import Database
from simulator.kinds import Product

Row = dict[str, Any]


class AccountSeed(Model):
    """One account. Money in fen; `resources` and `roles` count."""

    id: OpaqueId
    situation: str
    kind: AccountKind = AccountKind.MAIN
    real_name_type: RealNameType = RealNameType.INDIVIDUAL
    restricted: bool = False
    available_fen: Fen = 0
    frozen_fen: Fen = 0
    in_withdrawal_fen: Fen = 0
    offline_fen: Fen = 0
    arrears_fen: Fen = 0
    icp_applications_ever: Count = 0
    icp_active_filings: Count = 0
    closed: bool = False
    channels: tuple[Channel, ...] = tuple(Channel)
    resources: dict[Product, Count] = {}
    roles: dict[Marketplace, Count] = {}


_FILE = tomllib.loads((Path(__file__).parent / "seeds.toml").read_text())
_EVERYBODY_HAS = TypeAdapter(dict[ClosurePhase, list[tuple[str, Fen]]]).validate_python(_FILE["everybody"])
SEEDS = TypeAdapter(tuple[AccountSeed, ...]).validate_python(_FILE["accounts"])

COLUMNS = set(AccountSeed.model_fields) - {"closed", "channels", "resources", "roles"}
"""What stands in the account's own row."""

_REAL_NAMES = {RealNameType.INDIVIDUAL: "示例实名{}", RealNameType.ENTERPRISE: "示例企业{}有限公司"}
_CLOSED = {"status": AccountStatus.CLOSED, "closed_at": datetime(2025, 1, 15, 2, 30, tzinfo=UTC)}


def reset(db: Database) -> None:
    """Back to the seeds. The server's secret stays."""
    tables = db.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('accounts', 'server')")
    for table in (*(row["name"] for row in tables), "accounts"):
        db.change(f"DELETE FROM {table}")  # noqa: S608
    insert_accounts(db, SEEDS)


def insert_accounts(db: Database, seeds: Iterable[AccountSeed]) -> None:
    """Numbered on, so that no two accounts share a phone."""
    first: int = 1 + db.value("SELECT count(*) FROM accounts")
    for number, seed in enumerate(seeds, first):
        own = seed.model_dump(include=COLUMNS)
        db.insert("accounts", {**own, "number": number, **(_CLOSED if seed.closed else {})})
        db.insert("belongings", _belonging(seed.id, None, "JD_GROUP_ACCOUNT", f"jd-{number:06d}"))
        if not seed.closed:
            db.insert("belongings", *_belongings(seed, number))
            db.insert("provider_roles", *(role_of(seed.id, market, count) for market, count in seed.roles.items()))


def _belongings(seed: AccountSeed, number: int) -> Iterator[Row]:
    seen: Counter[str] = Counter()
    for phase, things in _EVERYBODY_HAS.items():
        for kind, value_fen in things:
            seen[kind] += 1
            yield _belonging(seed.id, phase, kind, f"{kind.lower()}-{seen[kind]:05d}", value_fen)
    for product, count in seed.resources.items():
        yield from resources_of(seed.id, product, count)
    yield _belonging(seed.id, DeletionPhase.ERASE_PERSONAL_DATA, "NAME", f"测试用户{number}")
    if real_name := _REAL_NAMES.get(seed.real_name_type):
        yield _belonging(seed.id, DeletionPhase.ERASE_PERSONAL_DATA, "REAL_NAME", real_name.format(number))
    for channel in seed.channels:
        yield contact_of(seed.id, number, channel)


def contact_of(account_id: str, number: int, channel: Channel) -> Row:
    """A made-up, verified address."""
    value = f"138{number:08d}" if channel is Channel.PHONE else f"{account_id}@example.com"
    return _belonging(account_id, DeletionPhase.ERASE_PERSONAL_DATA, channel, value)


def resources_of(account_id: str, product: Product, count: int) -> list[Row]:
    return [_belonging(account_id, DeletionPhase.PURGE_RESOURCES, product)] * count


def vouchers_of(account_id: str, values_fen: Iterable[int]) -> list[Row]:
    return [
        _belonging(
            account_id, DeletionPhase.FORFEIT_ENTITLEMENTS, EntitlementKind.VOUCHER, f"voucher-{n:05d}", value_fen
        )
        for n, value_fen in enumerate(values_fen, 1)
    ]


def role_of(account_id: str, marketplace: Marketplace, businesses: int) -> Row:
    return {"account_id": account_id, "marketplace": marketplace, "businesses_in_progress": businesses}


def _belonging(account_id: str, phase: ClosurePhase | None, kind: str, reference: str = "", value_fen: int = 0) -> Row:
    own = {"kind": kind, "reference": reference, "value_fen": value_fen}
    return {"account_id": account_id, "phase": phase, **own}
