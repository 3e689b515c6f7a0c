"""The eligibility checks: what blocks, what the owner does about it, what an approved ticket may waive.

The conditions of the public guide, each with the place of its rule, are in docs/process.md.
"""

from collections.abc import Callable
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any, NamedTuple, Self

from pydantic import Field

from domain.model import Count, Fen, Instant, Model, OpaqueId, Sha256Hex, VaultRef


class Check(StrEnum):
    """In the order in which reports show them."""

    BALANCE = "BALANCE"
    ARREARS = "ARREARS"
    PROVIDER = "PROVIDER"
    ICP_FILING = "ICP_FILING"
    RESOURCES = "RESOURCES"


ENTITLEMENTS = "ENTITLEMENTS"
"""Stands beside the checks where it is told what the platform could not say."""


class Verdict(StrEnum):
    """UNKNOWN means "could not tell, try again": never a pass, and never a fault of the owner's."""

    PASSED = "PASSED"
    BLOCKED = "BLOCKED"
    UNKNOWN = "UNKNOWN"


class Remedy(StrEnum):
    SELF_SERVICE = "SELF_SERVICE"
    BUSINESS_CONTACT = "BUSINESS_CONTACT"
    MANUAL_TICKET = "MANUAL_TICKET"


class Reason(StrEnum):
    """Stable codes of why a check did not pass."""

    BALANCE_WITHDRAWABLE = "BALANCE_WITHDRAWABLE"
    BALANCE_IN_WITHDRAWAL = "BALANCE_IN_WITHDRAWAL"
    BALANCE_NOT_WITHDRAWABLE = "BALANCE_NOT_WITHDRAWABLE"
    ARREARS_UNPAID = "ARREARS_UNPAID"
    PROVIDER_BUSINESS_ACTIVE = "PROVIDER_BUSINESS_ACTIVE"
    ICP_FILING_EVER_APPLIED = "ICP_FILING_EVER_APPLIED"
    RESOURCES_ACTIVE = "RESOURCES_ACTIVE"
    COULD_NOT_TELL = "COULD_NOT_TELL"


REMEDIES: dict[Reason, Remedy] = {
    Reason.BALANCE_WITHDRAWABLE: Remedy.SELF_SERVICE,
    Reason.BALANCE_IN_WITHDRAWAL: Remedy.SELF_SERVICE,
    # Frozen money and offline payments cannot be withdrawn by the owner.
    Reason.BALANCE_NOT_WITHDRAWABLE: Remedy.MANUAL_TICKET,
    Reason.ARREARS_UNPAID: Remedy.SELF_SERVICE,
    Reason.PROVIDER_BUSINESS_ACTIVE: Remedy.BUSINESS_CONTACT,
    # "Ever applied": cancelling the filing does not bring self-service back.
    Reason.ICP_FILING_EVER_APPLIED: Remedy.MANUAL_TICKET,
    Reason.RESOURCES_ACTIVE: Remedy.SELF_SERVICE,
    Reason.COULD_NOT_TELL: Remedy.SELF_SERVICE,
}


class Figure(StrEnum):
    """The numbers behind a verdict; names ending in `_fen` are money in fen, the others are counts."""

    AVAILABLE_FEN = "available_fen"
    FROZEN_FEN = "frozen_fen"
    IN_WITHDRAWAL_FEN = "in_withdrawal_fen"
    OFFLINE_FEN = "offline_fen"
    ARREARS_FEN = "arrears_fen"
    BUSINESSES_IN_PROGRESS = "businesses_in_progress"
    APPLICATIONS_EVER = "applications_ever"
    ACTIVE_RESOURCES = "active_resources"


class CheckItem(Model):
    """One line of detail: a product, a marketplace, and how many."""

    code: OpaqueId
    count: Count


MAX_LISTED = 20
"""How many lines of a list travel in a report. The whole of a longer one lies in the vault."""


class CheckOutcome(Model):
    """`listed` is where all the `items` are, when there are too many of them to carry along."""

    check: Check
    verdict: Verdict
    reason: Reason | None = None
    figures: dict[Figure, Count] = {}
    items: tuple[CheckItem, ...] = ()
    listed: VaultRef | None = None
    checked_at: Instant

    @property
    def remedy(self) -> Remedy | None:
        return REMEDIES[self.reason] if self.reason else None

    @property
    def waivable(self) -> bool:
        """True for a known, waivable reason. What could not be told cannot be waived either."""
        return self.verdict is Verdict.BLOCKED and self.check in WAIVABLE

    @property
    def total_fen(self) -> int:
        """All the money in it, in fen."""
        return sum(value for figure, value in self.figures.items() if figure.endswith("_fen"))

    @classmethod
    def unknown(cls, check: Check, at: Instant) -> Self:
        return cls(check=check, verdict=Verdict.UNKNOWN, reason=Reason.COULD_NOT_TELL, checked_at=at)

    @classmethod
    def of(
        cls,
        check: Check,
        at: Instant,
        reason: Reason | None,
        figures: dict[Figure, int],
        items: tuple[CheckItem, ...] = (),
    ) -> Self:
        verdict = Verdict.BLOCKED if reason else Verdict.PASSED
        return cls(check=check, verdict=verdict, reason=reason, figures=figures, items=items, checked_at=at)


class Balance(Model):
    available_fen: Fen
    frozen_fen: Fen
    in_withdrawal_fen: Fen
    offline_fen: Fen


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


class Arrears(Model):
    unpaid_fen: Fen


def check_arrears(arrears: Arrears, at: Instant) -> CheckOutcome:
    """Blocked by any unpaid amount."""
    reason = Reason.ARREARS_UNPAID if arrears.unpaid_fen else None
    return CheckOutcome.of(Check.ARREARS, at, reason, {Figure.ARREARS_FEN: arrears.unpaid_fen})


class Marketplace(StrEnum):
    """云市场, 万象 and 云鼎."""

    CLOUD_MARKET = "CLOUD_MARKET"
    WANXIANG = "WANXIANG"
    YUNDING = "YUNDING"


class ProviderRole(Model):
    marketplace: Marketplace
    businesses_in_progress: Count


class ProviderRoles(Model):
    roles: tuple[ProviderRole, ...]


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


class IcpFilings(Model):
    applications_ever: Count
    active_filings: Count


def check_icp_filing(filings: IcpFilings, at: Instant) -> CheckOutcome:
    """Blocked when a filing was ever applied for, cancelled or not."""
    reason = Reason.ICP_FILING_EVER_APPLIED if filings.applications_ever else None
    return CheckOutcome.of(Check.ICP_FILING, at, reason, {Figure.APPLICATIONS_EVER: filings.applications_ever})


class ActiveResource(Model):
    product: OpaqueId
    count: Count


class Resources(Model):
    """Active billable resources and services, by product."""

    active: tuple[ActiveResource, ...]


def check_resources(resources: Resources, at: Instant) -> CheckOutcome:
    """Blocked by any active billable resource or service."""
    active = tuple(CheckItem(code=r.product, count=r.count) for r in resources.active if r.count)
    reason = Reason.RESOURCES_ACTIVE if active else None
    return CheckOutcome.of(
        Check.RESOURCES, at, reason, {Figure.ACTIVE_RESOURCES: sum(item.count for item in active)}, active
    )


class Rule(NamedTuple):
    """How a check is judged: by what answer of the platform's, when that blocks, and whether a ticket may waive it."""

    answer: type[Model]
    judge: Callable[[Any, Instant], CheckOutcome]
    waivable: bool = False


RULES: dict[Check, Rule] = {
    Check.BALANCE: Rule(Balance, check_balance, waivable=True),
    Check.ARREARS: Rule(Arrears, check_arrears),
    Check.PROVIDER: Rule(ProviderRoles, check_provider),
    Check.ICP_FILING: Rule(IcpFilings, check_icp_filing, waivable=True),
    Check.RESOURCES: Rule(Resources, check_resources),
}

WAIVABLE = frozenset(check for check, rule in RULES.items() if rule.waivable)
"""What an approved ticket may waive. Everything else must be put right first."""


class EntitlementKind(StrEnum):
    """What counts as given up on closure: 代金券, 提货券, 资格, 折扣."""

    VOUCHER = "VOUCHER"
    PICKUP_VOUCHER = "PICKUP_VOUCHER"
    QUALIFICATION = "QUALIFICATION"
    DISCOUNT = "DISCOUNT"


class Entitlement(Model):
    entitlement_id: OpaqueId
    kind: EntitlementKind
    value_fen: Fen = 0


class Entitlements(Model):
    """Everything that is forfeited when the account closes, item by item."""

    items: tuple[Entitlement, ...]


class ForfeitList(Model):
    """What is forfeited, as a report carries it: the first `MAX_LISTED` items, how many and how much in all.

    `listed` is where the whole list is, when it is longer; its hash stands for every item of it.
    """

    items: tuple[Entitlement, ...]
    count: Count
    total_fen: Fen
    listed: VaultRef | None = None

    @classmethod
    def of(cls, all: Entitlements, listed: VaultRef | None) -> Self:
        return cls(
            items=all.items[:MAX_LISTED],
            count=len(all.items),
            total_fen=sum(item.value_fen for item in all.items),
            listed=listed,
        )


def added_since(shown: Entitlements, found: Entitlements) -> tuple[Entitlement, ...]:
    """What there is beyond what was shown: new items, and items that have grown. Nobody has agreed to lose these."""
    known = {item.entitlement_id: item for item in shown.items}
    return tuple(
        item
        for item in found.items
        if (before := known.get(item.entitlement_id)) is None
        or before.kind is not item.kind
        or item.value_fen > before.value_fen
    )


class Waiver(Model):
    """One reason that an approved ticket set aside, with the figures that the reviewer saw."""

    check: Check
    figures: dict[Figure, Count]

    def covers(self, outcome: CheckOutcome) -> bool:
        """True while no figure has grown: more money than was waived is a new fact."""
        return (
            outcome.waivable
            and outcome.check is self.check
            and all(value <= self.figures.get(figure, 0) for figure, value in outcome.figures.items())
        )


class EligibilityReport(Model):
    """The outcomes, in order, and what would be forfeited. `digest` is what the owner confirms.

    It has an outcome of each check that there was when it was made: an old one may lack a check that came later, which
    the report under the hold then has. `entitlements` is None when they could not be listed; nobody can agree to
    forfeit what was not shown.
    """

    number: int
    outcomes: Annotated[tuple[CheckOutcome, ...], Field(min_length=1)]
    entitlements: ForfeitList | None
    digest: Sha256Hex

    @classmethod
    def compose(
        cls, request_no: str, number: int, outcomes: dict[Check, CheckOutcome], entitlements: ForfeitList | None
    ) -> Self:
        draft = cls(
            number=number,
            outcomes=tuple(outcomes[check] for check in Check if check in outcomes),
            entitlements=entitlements,
            digest="0" * 64,
        )
        # The number makes each digest belong to one report, so that an older one can never be confirmed.
        return draft.model_copy(
            update={"digest": sha256(f"{request_no}:{draft.content_sha256()}".encode()).hexdigest()}
        )

    def reasons_left(self, waivers: tuple[Waiver, ...] = ()) -> tuple[CheckOutcome, ...]:
        """Outcomes that still stand in the way, in order: neither passed nor covered by a waiver."""
        return tuple(
            outcome
            for outcome in self.outcomes
            if outcome.verdict is not Verdict.PASSED and not any(waiver.covers(outcome) for waiver in waivers)
        )

    def is_clear(self, waivers: tuple[Waiver, ...] = ()) -> bool:
        return self.entitlements is not None and not self.reasons_left(waivers)

    def must_be_fixed_first(self) -> tuple[CheckOutcome, ...]:
        """What no ticket can waive. A ticket may be filed when this is empty."""
        return tuple(outcome for outcome in self.reasons_left() if not outcome.waivable)

    def waivers_needed(self) -> tuple[Waiver, ...]:
        return tuple(Waiver(check=o.check, figures=o.figures) for o in self.outcomes if o.waivable)

    @property
    def money_fen(self) -> int:
        """What an owner would give up or have returned, in fen; 0 when there is none, or when it could not be told."""
        blocked = (outcome for outcome in self.outcomes if outcome.verdict is Verdict.BLOCKED)
        return sum(outcome.total_fen for outcome in blocked if outcome.check is Check.BALANCE)

    @property
    def checked_at(self) -> Instant:
        return min(outcome.checked_at for outcome in self.outcomes)

    @property
    def not_told(self) -> tuple[str, ...]:
        """What the platform could not say: the checks that are UNKNOWN, and the list of forfeits. Never the owner's."""
        unknown = [str(o.check) for o in self.outcomes if o.verdict is Verdict.UNKNOWN]
        return (*unknown, *(() if self.entitlements else (ENTITLEMENTS,)))

    @property
    def pay_before_withdrawing(self) -> bool:
        """Arrears block withdrawals, so with both the order is: pay, then withdraw."""
        blocked = {o.check for o in self.outcomes if o.verdict is Verdict.BLOCKED}
        return {Check.ARREARS, Check.BALANCE} <= blocked
