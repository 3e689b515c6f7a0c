"""What the platform knows of an account: its profile, what each check is judged by, its entitlements."""

from collections.abc import Callable

from domain.accounts import AccountProfile, Channel, Closure
from domain.checks import (
    ActiveResource,
    Arrears,
    Balance,
    Check,
    Entitlement,
    Entitlements,
    IcpFilings,
    ProviderRole,
    ProviderRoles,
    Resources,
)
from domain.deletion import DeletionPhase
from domain.model import Model
from gateways.contract import READS, ClosurePhase, Group
from simulator.database import as_model
from simulator.kinds import Product
from simulator.operations import Operations, Work
from simulator.state import AccountId, Simulator

router = Operations(prefix="/accounts/{account_id}")

_PRODUCTS = frozenset(Product)

FACTS: dict[Check, Callable[[AccountId, Simulator], Model]] = {}
"""What each check is judged by."""


def _judges(check: Check) -> Callable[[Work], Work]:
    """Serve what a check is judged by where the contract has it."""
    group, path = READS[check]

    def register(work: Work) -> Work:
        FACTS[check] = work
        return router.operation("GET", f"/{path}", tags=[group])(work)

    return register


@router.operation("GET", "", tags=[Group.IDENTITY])
def profile(account_id: AccountId, platform: Simulator) -> AccountProfile:
    """Kinds and states only: which channels are verified, never their addresses.

    `closure` says for which request, on which dossier and when it was closed. It stays when all else is erased: a
    certificate's dates come from it.
    """
    account = platform.account(account_id)
    request_id = account["closure_request_id"]
    return as_model(
        AccountProfile,
        account,
        account_id=account_id,
        channels=tuple(contacts(platform, account_id)),
        closure=as_model(Closure, account, request_id=request_id) if request_id else None,
    )


def contacts(platform: Simulator, account_id: str) -> dict[Channel, str]:
    """The verified addresses."""
    personal = "SELECT kind, reference FROM belongings WHERE account_id = ? AND phase = ?"
    found = dict(map(tuple, platform.db.rows(personal, account_id, DeletionPhase.ERASE_PERSONAL_DATA)))
    return {channel: found[channel] for channel in Channel if channel in found}


@_judges(Check.BALANCE)
def balance(account_id: AccountId, platform: Simulator) -> Balance:
    """Money in fen: what can be withdrawn, what is frozen, what is on its way out, what was paid in offline."""
    return as_model(Balance, platform.account(account_id))


@_judges(Check.ARREARS)
def arrears(account_id: AccountId, platform: Simulator) -> Arrears:
    """Everything unpaid, in fen."""
    return Arrears(unpaid_fen=platform.account(account_id)["arrears_fen"])


@_judges(Check.PROVIDER)
def provider_roles(account_id: AccountId, platform: Simulator) -> ProviderRoles:
    """Where the account is a provider (云市场, 万象, 云鼎) and how many businesses are going on."""
    platform.account(account_id)
    rows = platform.db.rows("SELECT * FROM provider_roles WHERE account_id = ? ORDER BY marketplace", account_id)
    return ProviderRoles(roles=tuple(as_model(ProviderRole, row) for row in rows))


@_judges(Check.ICP_FILING)
def icp_filings(account_id: AccountId, platform: Simulator) -> IcpFilings:
    """How often a filing was ever applied for (cancelled ones count), and how many are active."""
    account = platform.account(account_id)
    return IcpFilings(applications_ever=account["icp_applications_ever"], active_filings=account["icp_active_filings"])


@_judges(Check.RESOURCES)
def resources(account_id: AccountId, platform: Simulator) -> Resources:
    """Active billable resources and services, by product."""
    platform.account(account_id)
    counts = kinds_of(platform, account_id, DeletionPhase.PURGE_RESOURCES)
    active = (ActiveResource(product=kind, count=count) for kind, count in counts.items() if kind in _PRODUCTS)
    return Resources(active=tuple(active))


@router.operation("GET", "/entitlements", tags=[Group.BILLING])
def entitlements(account_id: AccountId, platform: Simulator) -> Entitlements:
    """Vouchers, qualifications and discounts: everything that closing the account gives up, item by item."""
    platform.account(account_id)
    mine = "SELECT * FROM belongings WHERE account_id = ? AND phase = ? ORDER BY id"
    rows = platform.db.rows(mine, account_id, DeletionPhase.FORFEIT_ENTITLEMENTS)
    return Entitlements(items=tuple(as_model(Entitlement, row, entitlement_id=row["reference"]) for row in rows))


def kinds_of(platform: Simulator, account_id: str, phase: ClosurePhase) -> dict[str, int]:
    """What this phase would destroy, counted by kind in lower case."""
    mine = "SELECT lower(kind), count(*) FROM belongings WHERE account_id = ? AND phase = ? GROUP BY 1 ORDER BY min(id)"
    return dict(map(tuple, platform.db.rows(mine, account_id, phase)))
