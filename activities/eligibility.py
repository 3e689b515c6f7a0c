"""The eligibility checks, and the list of what would be forfeited. Reads only.

What is long goes to the vault, so that histories do not grow with the size of an account.
"""

from collections.abc import Awaitable, Callable

from temporalio import activity

from domain.checks import (
    MAX_LISTED,
    RULES,
    Check,
    CheckItem,
    CheckOutcome,
    Entitlement,
    Entitlements,
    ForfeitList,
    added_since,
)
from domain.model import Count, Instant, Model, OpaqueId, VaultRef
from gateways.contract import READS
from gateways.ports import Platform, Vault


class CheckInput(Model):
    """`at` is the workflow's time, so that an outcome's age is reckoned by one clock."""

    account_id: OpaqueId
    at: Instant


class ListEntitlementsInput(Model):
    """`shown` is what the owner has agreed to lose, once there is such a list."""

    account_id: OpaqueId
    shown: ForfeitList | None = None


class ListEntitlementsResult(Model):
    """`added` are the first of the items beyond what was shown, `added_count` is how many there are."""

    forfeits: ForfeitList
    added: tuple[Entitlement, ...] = ()
    added_count: Count = 0


class _Items(Model):
    items: tuple[CheckItem, ...]


async def all_forfeits(vault: Vault, forfeits: ForfeitList) -> Entitlements:
    """The whole list, from wherever it is."""
    if forfeits.listed is None:
        return Entitlements(items=forfeits.items)
    return await vault.read(forfeits.listed, Entitlements)


def check_activity(check: Check) -> str:
    """The activity of a check: each has one of its own, so that it is seen, timed and tried again by itself."""
    return f"check_{check.lower()}"


class EligibilityActivities:
    def __init__(self, platform: Platform, vault: Vault) -> None:
        self._platform = platform
        self._vault = vault

    def checks(self) -> list[Callable[[CheckInput], Awaitable[CheckOutcome]]]:
        """The activities that check."""
        return [self._activity_of(check) for check in Check]

    def _activity_of(self, check: Check) -> Callable[[CheckInput], Awaitable[CheckOutcome]]:
        if check not in RULES or check not in READS:
            # At the start of a worker, and not in every report.
            raise NotImplementedError(f"{check} lacks its line in domain.checks.RULES or gateways.contract.READS")

        @activity.defn(name=check_activity(check))
        async def run_check(input: CheckInput) -> CheckOutcome:
            return await self.check(check, input)

        return run_check

    async def check(self, check: Check, input: CheckInput) -> CheckOutcome:
        """What the platform says of an account, judged."""
        outcome = RULES[check].judge(await self._platform.facts(input.account_id, check), input.at)
        if len(outcome.items) <= MAX_LISTED:
            return outcome
        listed = await self._keep(input.account_id, _Items(items=outcome.items))
        return outcome.model_copy(update={"items": outcome.items[:MAX_LISTED], "listed": listed})

    @activity.defn
    async def list_entitlements(self, input: ListEntitlementsInput) -> ListEntitlementsResult:
        found = await self._platform.entitlements(input.account_id)
        listed = await self._keep(input.account_id, found) if len(found.items) > MAX_LISTED else None
        forfeits = ForfeitList.of(found, listed)
        if input.shown is None or input.shown == forfeits:
            return ListEntitlementsResult(forfeits=forfeits)
        added = added_since(await all_forfeits(self._vault, input.shown), found)
        return ListEntitlementsResult(forfeits=forfeits, added=added[:MAX_LISTED], added_count=len(added))

    async def _keep(self, account_id: str, record: Model) -> VaultRef:
        """Named by its content: the same list again is the same file."""
        return await self._vault.put_evidence(f"lists/{account_id}/{record.content_sha256()}.json", record)
