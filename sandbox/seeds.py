"""The accounts that a fresh sandbox holds: one for each situation of the process. Every person in them is made up."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from domain.accounts import AccountKind, AccountStatus, Channel, RealNameType
from domain.checks import EntitlementKind, Marketplace
from sandbox.kinds import BindingKind, CredentialKind, PersonalKind, Product
from sandbox.tables import (
    AccountRow,
    Base,
    BindingRow,
    CredentialRow,
    EntitlementRow,
    JdGroupAccountRow,
    PersonalDataRow,
    ProviderRoleRow,
    ResourceRow,
    ServerStateRow,
)

BOTH_CHANNELS = (Channel.PHONE, Channel.EMAIL)

_CREDENTIALS = (CredentialKind.ACCESS_KEY, CredentialKind.ACCESS_KEY, CredentialKind.SUB_USER, CredentialKind.SESSION)
_BINDINGS = (BindingKind.WECHAT, BindingKind.GITHUB)
_ENTITLEMENTS = (
    (EntitlementKind.VOUCHER, 5_000),
    (EntitlementKind.PICKUP_VOUCHER, 12_800),
    (EntitlementKind.QUALIFICATION, 0),
    (EntitlementKind.DISCOUNT, 0),
)
_FREE_RESOURCES = (Product.KEY_PAIR, Product.SECURITY_GROUP)

Rows = Iterator[tuple[type[Base], dict[str, Any]]]


@dataclass(frozen=True)
class AccountSeed:
    """One account. Money in fen; `resources` are billable, the free ones come by themselves."""

    id: str
    situation: str
    kind: AccountKind = AccountKind.MAIN
    real_name_type: RealNameType = RealNameType.INDIVIDUAL
    channels: tuple[Channel, ...] = BOTH_CHANNELS
    restricted: bool = False
    closed: bool = False
    available_fen: int = 0
    frozen_fen: int = 0
    in_withdrawal_fen: int = 0
    offline_fen: int = 0
    arrears_fen: int = 0
    icp_applications_ever: int = 0
    icp_active_filings: int = 0
    resources: dict[Product, int] = field(default_factory=dict)
    roles: dict[Marketplace, int] = field(default_factory=dict)


SEEDS = (
    AccountSeed("acct-clean-phone", "nothing in the way; verified by phone", channels=(Channel.PHONE,)),
    AccountSeed(
        "acct-clean-email",
        "nothing in the way; verified by e-mail, no real name",
        real_name_type=RealNameType.NONE,
        channels=(Channel.EMAIL,),
    ),
    AccountSeed("acct-no-channel", "neither phone nor e-mail bound: by ticket only", channels=()),
    AccountSeed("acct-balance", "a balance that can be withdrawn", available_fen=12_850),
    AccountSeed(
        "acct-frozen", "frozen money and money paid in offline: by ticket", frozen_fen=30_000, offline_fen=50_000
    ),
    AccountSeed("acct-arrears", "arrears to pay", arrears_fen=4_599),
    AccountSeed(
        "acct-arrears-balance", "arrears and a balance: pay, then withdraw", available_fen=8_800, arrears_fen=1_200
    ),
    AccountSeed(
        "acct-provider",
        "marketplace provider with business going on",
        roles={Marketplace.CLOUD_MARKET: 2, Marketplace.YUNDING: 0},
    ),
    AccountSeed("acct-icp", "applied for an ICP filing once, since cancelled: by ticket", icp_applications_ever=1),
    AccountSeed(
        "acct-resources",
        "active billable resources",
        resources={Product.VM: 2, Product.DISK: 3, Product.EIP: 1},
    ),
    AccountSeed(
        "acct-everything",
        "all five conditions broken at once",
        available_fen=10_000,
        frozen_fen=2_000,
        in_withdrawal_fen=3_000,
        offline_fen=40_000,
        arrears_fen=600,
        icp_applications_ever=2,
        icp_active_filings=1,
        resources={Product.VM: 1, Product.RDS: 1, Product.CDN: 2},
        roles={Marketplace.CLOUD_MARKET: 1, Marketplace.WANXIANG: 1, Marketplace.YUNDING: 1},
    ),
    AccountSeed(
        "acct-enterprise",
        "enterprise with an ICP filing and a balance it gives up: by ticket, with the stamped letter",
        real_name_type=RealNameType.ENTERPRISE,
        available_fen=6_600,
        offline_fen=20_000,
        icp_applications_ever=1,
        icp_active_filings=1,
    ),
    AccountSeed("acct-sub-user", "a sub-user: refused", kind=AccountKind.SUB_USER),
    AccountSeed("acct-closed", "closed already: refused", closed=True),
    AccountSeed("acct-restricted", "restricted: refused", restricted=True),
    AccountSeed(
        "acct-four-reasons",
        "balance, arrears, provider and resources, to be put right one by one",
        available_fen=25_600,
        arrears_fen=3_200,
        resources={Product.VM: 1, Product.EIP: 1},
        roles={Marketplace.CLOUD_MARKET: 1},
    ),
)


def seed(tx: Connection) -> None:
    insert_accounts(tx, SEEDS)


def reset(tx: Connection) -> None:
    """Back to the seeds: every row goes, but the server key, which running servers have read."""
    for table in reversed(Base.metadata.sorted_tables):
        if table is not ServerStateRow.__table__:
            tx.execute(delete(table))
    seed(tx)


def insert_accounts(tx: Connection, seeds: Iterable[AccountSeed]) -> None:
    # Numbered on, so that no two accounts share a phone.
    first = 1 + (tx.scalar(select(func.count()).select_from(AccountRow)) or 0)
    batches: dict[type[Base], list[dict[str, Any]]] = {}
    for number, account in enumerate(seeds, first):
        for table, values in _rows(account, number):
            batches.setdefault(table, []).append(values)
    for table, rows in batches.items():
        tx.execute(insert(table), rows)


def phone_of(number: int) -> str:
    return f"138{number:08d}"


def _rows(seed: AccountSeed, number: int) -> Rows:
    yield (
        AccountRow,
        {
            "id": seed.id,
            "number": number,
            "situation": seed.situation,
            "kind": seed.kind,
            "real_name_type": seed.real_name_type,
            "status": AccountStatus.CLOSED if seed.closed else AccountStatus.ACTIVE,
            "restricted": seed.restricted,
            "available_fen": seed.available_fen,
            "frozen_fen": seed.frozen_fen,
            "in_withdrawal_fen": seed.in_withdrawal_fen,
            "offline_fen": seed.offline_fen,
            "arrears_fen": seed.arrears_fen,
            "icp_applications_ever": seed.icp_applications_ever,
            "icp_active_filings": seed.icp_active_filings,
            "closure_request_id": None,
            "closed_at": datetime(2025, 1, 15, 2, 30, tzinfo=UTC) if seed.closed else None,
            "dossier_sha256": None,
        },
    )
    yield JdGroupAccountRow, {"account_id": seed.id, "pin": f"jd-{number:06d}"}
    if not seed.closed:
        for table, values in _belongings(seed, number):
            yield table, {"account_id": seed.id, **values}


def _belongings(seed: AccountSeed, number: int) -> Rows:
    yield from _personal_data(seed, number)
    for n, credential in enumerate(_CREDENTIALS, 1):
        yield CredentialRow, {"kind": credential, "reference": f"cred-{number}-{n}"}
    for binding in _BINDINGS:
        yield BindingRow, {"kind": binding, "reference": f"bind-{number}-{binding.lower()}"}
    for n, (entitlement, value) in enumerate(_ENTITLEMENTS, 1):
        yield EntitlementRow, {"kind": entitlement, "reference": f"ent-{number}-{n}", "value_fen": value}
    for product in _FREE_RESOURCES:
        yield ResourceRow, {"kind": product, "billable": False}
    for product, count in seed.resources.items():
        for _ in range(count):
            yield ResourceRow, {"kind": product, "billable": True}
    for marketplace, businesses in seed.roles.items():
        yield ProviderRoleRow, {"marketplace": marketplace, "businesses_in_progress": businesses}


def _personal_data(seed: AccountSeed, number: int) -> Rows:
    yield PersonalDataRow, {"kind": PersonalKind.NAME, "value": f"测试用户{number}", "verified": True}
    if seed.real_name_type is not RealNameType.NONE:
        real_name = (
            f"示例实名{number}" if seed.real_name_type is RealNameType.INDIVIDUAL else f"示例企业{number}有限公司"
        )
        yield PersonalDataRow, {"kind": PersonalKind.REAL_NAME, "value": real_name, "verified": True}
    for channel in seed.channels:
        yield PersonalDataRow, contact(seed.id, number, channel)


def contact(account_id: str, number: int, channel: Channel) -> dict[str, Any]:
    """A made-up, verified address."""
    value = phone_of(number) if channel is Channel.PHONE else f"{account_id}@example.com"
    return {"kind": PersonalKind[channel], "value": value, "verified": True}
