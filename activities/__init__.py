"""Whatever touches the world: one module a concern, one model in, one model out.

These are called `*Input` and `*Result`; where there is nothing to add to it, a model of the domain or of the platform
contract goes as it is.
"""

from collections.abc import Callable
from typing import Any

from activities.account import AccountActivities
from activities.deletion import DeletionActivities
from activities.eligibility import EligibilityActivities
from activities.notifications import NotificationActivities
from activities.review_clock import ReviewClockActivities
from activities.sealing import SealingActivities
from activities.tickets import TicketActivities
from domain.business_calendar import BusinessCalendar
from gateways.ports import Platform, Vault


def all_activities(platform: Platform, vault: Vault, calendar: BusinessCalendar) -> list[Callable[..., Any]]:
    """Every activity of the service, bound to its gateways. A test holds this list against every `@activity.defn`."""
    groups = (
        AccountActivities(platform, vault),
        eligibility := EligibilityActivities(platform, vault),
        TicketActivities(vault),
        ReviewClockActivities(calendar),
        NotificationActivities(platform, vault),
        SealingActivities(platform, vault),
        DeletionActivities(platform, vault),
    )
    declared = [
        method
        for group in groups
        for name in dir(group)
        if hasattr(method := getattr(group, name), "__temporal_activity_definition")
    ]
    return [*declared, *eligibility.checks()]
