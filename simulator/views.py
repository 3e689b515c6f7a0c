"""What the demo and the tests see of the pretend platform, and its owner at the command line."""

from datetime import datetime
from typing import Any

from domain.accounts import AccountProfile
from domain.checks import Check, Entitlements
from domain.locale import Locale
from domain.model import Model
from domain.notifications import StaffDesk, Template
from gateways.contract import ClosurePhase
from simulator.kinds import Carrier, Effect, Endpoint

ADMIN = "/_admin"
"""The path under which the running simulator answers with them."""


class OutboxMessage(Model):
    """A message that would have gone out. `destination` is None for a desk, and after its owner's data were erased."""

    at: datetime
    account_id: str | None
    carrier: Carrier
    destination: str | None
    desk: StaffDesk | None
    template: Template
    locale: Locale
    params: dict[str, str]
    subject: str
    text: str


class Call(Model):
    """A request that was obeyed. Refused requests and reads are not recorded."""

    at: datetime
    endpoint: Endpoint
    account_id: str | None
    key: str
    effect: Effect


class AccountListed(Model):
    """An account and what it shows."""

    situation: str
    profile: AccountProfile


class AccountState(AccountListed):
    """Everything that the platform knows of one account.

    `facts` is what each check is judged by; `left` counts what the phases of deletion would still find.
    """

    facts: dict[Check, dict[str, Any]]
    entitlements: Entitlements
    held_until: datetime | None
    left: dict[ClosurePhase, dict[str, int]]
    jd_group_accounts: int
