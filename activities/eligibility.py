"""The five eligibility checks, and the list of what would be forfeited. Reads only."""

from temporalio import activity

from domain import checks
from domain.checks import CheckOutcome, Entitlements
from domain.model import Instant, Model, OpaqueId
from gateways.ports import Platform


class CheckOrder(Model):
    """`at` is the workflow's time, so that an outcome's age is reckoned by one clock."""

    account_id: OpaqueId
    at: Instant


class EligibilityActivities:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    @activity.defn
    async def check_balance(self, order: CheckOrder) -> CheckOutcome:
        return checks.check_balance(await self._platform.balance(order.account_id), order.at)

    @activity.defn
    async def check_arrears(self, order: CheckOrder) -> CheckOutcome:
        return checks.check_arrears(await self._platform.arrears(order.account_id), order.at)

    @activity.defn
    async def check_provider(self, order: CheckOrder) -> CheckOutcome:
        return checks.check_provider(await self._platform.provider_roles(order.account_id), order.at)

    @activity.defn
    async def check_icp_filing(self, order: CheckOrder) -> CheckOutcome:
        return checks.check_icp_filing(await self._platform.icp_filings(order.account_id), order.at)

    @activity.defn
    async def check_resources(self, order: CheckOrder) -> CheckOutcome:
        return checks.check_resources(await self._platform.resources(order.account_id), order.at)

    @activity.defn
    async def list_entitlements(self, order: CheckOrder) -> Entitlements:
        return await self._platform.entitlements(order.account_id)
