"""The conditions of docs/process.md, judged: from what the platform says of an account to an outcome."""

from domain.checks import (
    Arrears,
    Balance,
    Check,
    CheckItem,
    CheckOutcome,
    Figure,
    IcpFilings,
    ProviderRoles,
    Reason,
    Resources,
)
from domain.model import Instant


def check_balance(balance: Balance, at: Instant) -> CheckOutcome:
    """Blocked by any money at all. The remedy follows the hardest part of it."""
    if balance.frozen_fen or balance.offline_fen:
        reason = Reason.BALANCE_NOT_WITHDRAWABLE
    elif balance.available_fen:
        reason = Reason.BALANCE_WITHDRAWABLE
    elif balance.in_withdrawal_fen:
        reason = Reason.BALANCE_IN_WITHDRAWAL
    else:
        reason = None
    figures = {
        Figure.AVAILABLE_FEN: balance.available_fen,
        Figure.FROZEN_FEN: balance.frozen_fen,
        Figure.IN_WITHDRAWAL_FEN: balance.in_withdrawal_fen,
        Figure.OFFLINE_FEN: balance.offline_fen,
    }
    return CheckOutcome.of(Check.BALANCE, at, reason, figures)


def check_arrears(arrears: Arrears, at: Instant) -> CheckOutcome:
    """Blocked by any unpaid amount."""
    reason = Reason.ARREARS_UNPAID if arrears.unpaid_fen else None
    return CheckOutcome.of(Check.ARREARS, at, reason, {Figure.ARREARS_FEN: arrears.unpaid_fen})


def check_provider(roles: ProviderRoles, at: Instant) -> CheckOutcome:
    """Blocked when a provider role has business in progress."""
    busy = tuple(role for role in roles.roles if role.businesses_in_progress)
    total = sum(role.businesses_in_progress for role in busy)
    return CheckOutcome.of(
        Check.PROVIDER,
        at,
        Reason.PROVIDER_BUSINESS_ACTIVE if busy else None,
        {Figure.BUSINESSES_IN_PROGRESS: total},
        tuple(CheckItem(code=role.marketplace, count=role.businesses_in_progress) for role in busy),
    )


def check_icp_filing(filings: IcpFilings, at: Instant) -> CheckOutcome:
    """Blocked when a filing was ever applied for, cancelled or not."""
    reason = Reason.ICP_FILING_EVER_APPLIED if filings.applications_ever else None
    return CheckOutcome.of(Check.ICP_FILING, at, reason, {Figure.APPLICATIONS_EVER: filings.applications_ever})


def check_resources(resources: Resources, at: Instant) -> CheckOutcome:
    """Blocked by any active billable resource or service."""
    active = tuple(CheckItem(code=r.product, count=r.count) for r in resources.active if r.count)
    reason = Reason.RESOURCES_ACTIVE if active else None
    return CheckOutcome.of(
        Check.RESOURCES, at, reason, {Figure.ACTIVE_RESOURCES: sum(item.count for item in active)}, active
    )
