"""What the platform knows of an account: profile, money, roles, filings, resources, entitlements."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, select, true

from domain.accounts import AccountProfile, Channel, Closure
from domain.checking import check_arrears, check_balance, check_icp_filing, check_provider, check_resources
from domain.checks import (
    ActiveResource,
    Arrears,
    Balance,
    Check,
    CheckOutcome,
    Entitlement,
    Entitlements,
    IcpFilings,
    ProviderRole,
    ProviderRoles,
    Resources,
)
from domain.model import Instant
from gateways.contract import Group
from sandbox.database import AnyRow
from sandbox.faults import FaultyRoute
from sandbox.kinds import Endpoint, PersonalKind
from sandbox.openapi import ACCOUNT_PROBLEMS, problems
from sandbox.state import AccountId, Platform, account_unknown
from sandbox.tables import AccountRow, EntitlementRow, PersonalDataRow, ProviderRoleRow, ResourceRow

router = APIRouter(prefix="/accounts/{account_id}", route_class=FaultyRoute, responses=problems(*ACCOUNT_PROBLEMS))


def verified_contact() -> ColumnElement[bool]:
    """The rows of personal data by which a channel counts as verified."""
    return and_(PersonalDataRow.verified, PersonalDataRow.kind.in_([PersonalKind[channel] for channel in Channel]))


@router.get("", name=Endpoint.PROFILE, tags=[Group.IDENTITY])
async def profile(account_id: AccountId, platform: Platform) -> AccountProfile:
    """Kinds and states only: which channels are verified, never their addresses.

    `closure` says for which request, on which dossier and when it was closed. It stays when all else is erased: a
    certificate's dates come from it.
    """
    return read_profile(platform.connection, account_id)


@router.get("/balance", name=Endpoint.BALANCE, tags=[Group.BILLING])
async def balance(account_id: AccountId, platform: Platform) -> Balance:
    """Money in fen: what can be withdrawn, what is frozen, what is on its way out, what was paid in offline."""
    return balance_of(read_account(platform.connection, account_id))


@router.get("/arrears", name=Endpoint.ARREARS, tags=[Group.BILLING])
async def arrears(account_id: AccountId, platform: Platform) -> Arrears:
    """Everything unpaid, in fen."""
    return arrears_of(read_account(platform.connection, account_id))


@router.get("/provider-roles", name=Endpoint.PROVIDER_ROLES, tags=[Group.MARKETPLACE])
async def provider_roles(account_id: AccountId, platform: Platform) -> ProviderRoles:
    """Where the account is a provider (云市场, 万象, 云鼎) and how many businesses are going on."""
    return read_provider_roles(platform.connection, account_id)


@router.get("/icp-filings", name=Endpoint.ICP_FILINGS, tags=[Group.ICP])
async def icp_filings(account_id: AccountId, platform: Platform) -> IcpFilings:
    """How often a filing was ever applied for (cancelled ones count), and how many are active."""
    return icp_filings_of(read_account(platform.connection, account_id))


@router.get("/resources", name=Endpoint.RESOURCES, tags=[Group.RESOURCES])
async def resources(account_id: AccountId, platform: Platform) -> Resources:
    """Active billable resources and services, by product."""
    return read_resources(platform.connection, account_id)


@router.get("/entitlements", name=Endpoint.ENTITLEMENTS, tags=[Group.BILLING])
async def entitlements(account_id: AccountId, platform: Platform) -> Entitlements:
    """Vouchers, qualifications and discounts: everything that closing the account gives up, item by item."""
    return read_entitlements(platform.connection, account_id)


def check_all(connection: Connection, account: AnyRow, at: Instant) -> dict[Check, CheckOutcome]:
    """The five checks by the rules of the domain, on what this account is now."""
    outcomes = (
        check_balance(balance_of(account), at),
        check_arrears(arrears_of(account), at),
        check_provider(read_provider_roles(connection, account.id), at),
        check_icp_filing(icp_filings_of(account), at),
        check_resources(read_resources(connection, account.id), at),
    )
    return {outcome.check: outcome for outcome in outcomes}


def _closure_of(account: AnyRow) -> Closure | None:
    if account.closure_request_id is None:
        return None
    return Closure(
        request_id=account.closure_request_id, closed_at=account.closed_at, dossier_sha256=account.dossier_sha256
    )


def balance_of(account: AnyRow) -> Balance:
    return Balance(
        available_fen=account.available_fen,
        frozen_fen=account.frozen_fen,
        in_withdrawal_fen=account.in_withdrawal_fen,
        offline_fen=account.offline_fen,
    )


def arrears_of(account: AnyRow) -> Arrears:
    return Arrears(unpaid_fen=account.arrears_fen)


def icp_filings_of(account: AnyRow) -> IcpFilings:
    return IcpFilings(applications_ever=account.icp_applications_ever, active_filings=account.icp_active_filings)


def _owned(table: type[Any], *columns: Any, where: ColumnElement[bool] | None = None) -> Select[*tuple[Any, ...]]:
    """What an account has in a table; one row of None where it has nothing, and no row for an unknown account."""
    return (
        select(*columns)
        .select_from(AccountRow)
        .outerjoin(table, and_(table.account_id == AccountRow.id, true() if where is None else where))
        .where(AccountRow.id == bindparam("account_id"))
        .order_by(*table.__table__.primary_key)
    )


# Built once: building a statement takes several times as long as running it.
_ACCOUNT = select(*AccountRow.__table__.c).where(AccountRow.id == bindparam("account_id"))
ALL_PROFILES = (
    select(*AccountRow.__table__.c, PersonalDataRow.kind.label("contact"))
    .outerjoin(PersonalDataRow, and_(PersonalDataRow.account_id == AccountRow.id, verified_contact()))
    .order_by(AccountRow.number)
)
_PROFILE = ALL_PROFILES.where(AccountRow.id == bindparam("account_id"))
_ENTITLEMENTS = _owned(EntitlementRow, EntitlementRow.reference, EntitlementRow.kind, EntitlementRow.value_fen)
_ROLES = _owned(ProviderRoleRow, ProviderRoleRow.marketplace, ProviderRoleRow.businesses_in_progress)
_RESOURCES = _owned(ResourceRow, ResourceRow.kind, where=and_(ResourceRow.billable))


def read_account(connection: Connection, account_id: str) -> AnyRow:
    return _rows(connection, _ACCOUNT, account_id)[0]


def read_profile(connection: Connection, account_id: str) -> AccountProfile:
    return profile_of(_rows(connection, _PROFILE, account_id))


def profile_of(rows: Sequence[AnyRow]) -> AccountProfile:
    """From the account's row, once for each verified contact."""
    account = rows[0]
    contacts = {row.contact for row in rows}
    return AccountProfile(
        account_id=account.id,
        kind=account.kind,
        real_name_type=account.real_name_type,
        channels=tuple(channel for channel in Channel if PersonalKind[channel] in contacts),
        status=account.status,
        restricted=account.restricted,
        closure=_closure_of(account),
    )


def read_entitlements(connection: Connection, account_id: str) -> Entitlements:
    rows = _rows(connection, _ENTITLEMENTS, account_id)
    return Entitlements(
        items=tuple(
            Entitlement(entitlement_id=row.reference, kind=row.kind, value_fen=row.value_fen)
            for row in rows
            if row.reference
        )
    )


def read_provider_roles(connection: Connection, account_id: str) -> ProviderRoles:
    rows = _rows(connection, _ROLES, account_id)
    return ProviderRoles(
        roles=tuple(
            ProviderRole(marketplace=row.marketplace, businesses_in_progress=row.businesses_in_progress)
            for row in rows
            if row.marketplace
        )
    )


def read_resources(connection: Connection, account_id: str) -> Resources:
    rows = _rows(connection, _RESOURCES, account_id)
    numbers = Counter(row.kind for row in rows if row.kind)
    return Resources(active=tuple(ActiveResource(product=kind, count=number) for kind, number in numbers.items()))


def _rows(connection: Connection, statement: Select[*tuple[Any, ...]], account_id: str) -> Sequence[AnyRow]:
    rows = connection.execute(statement, {"account_id": account_id}).all()
    if not rows:
        raise account_unknown()
    return rows
