"""The sandbox from behind, for the demo and the tests: its accounts, its outbox, its faults, and what it did."""

from datetime import datetime, timedelta
from itertools import groupby
from types import TracebackType
from typing import Any, Self

from sqlalchemy import func, select, update

from domain.accounts import AccountProfile
from domain.checks import Arrears, Balance, Entitlements, IcpFilings, ProviderRoles, Resources
from domain.locale import Locale
from domain.model import Model
from domain.notifications import StaffDesk, Template
from gateways.contract import ClosurePhase
from sandbox import edits, facts, faults, seeds
from sandbox.database import AnyRow, UtcDateTime
from sandbox.faults import Fault
from sandbox.kinds import Carrier, Effect, Endpoint, FaultKind
from sandbox.phases import TABLES
from sandbox.settings import DEFAULT_DATABASE, Settings
from sandbox.state import Sandbox
from sandbox.tables import (
    AccountRow,
    CallRow,
    ChallengeRow,
    FaultRow,
    HoldRow,
    JdGroupAccountRow,
    LongWorkRow,
    OutboxRow,
)


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


class ActiveFault(Model):
    """A fault as it stands: `times_left` None is for ever, 0 is healed; `endpoint` "*" is every endpoint.

    `arrived` counts the requests that have come to a gate, `opened` says that it lets everybody through.
    """

    id: int
    endpoint: str
    account_id: str | None
    kind: FaultKind
    after: bool
    times_left: int | None
    arrived: int
    opened: bool


class AccountListed(Model):
    """An account and what it shows."""

    situation: str
    profile: AccountProfile


class AccountState(Model):
    """Everything that the platform knows of one account; `left` counts what the phases of deletion would still find."""

    situation: str
    profile: AccountProfile
    balance: Balance
    arrears: Arrears
    provider_roles: ProviderRoles
    icp_filings: IcpFilings
    resources: Resources
    entitlements: Entitlements
    held_until: datetime | None
    left: dict[ClosurePhase, dict[str, int]]
    jd_group_accounts: int


class SandboxStore:
    """Works on the database itself, whether or not a server runs on it. Use it as an async context manager."""

    def __init__(self, database: str = DEFAULT_DATABASE) -> None:
        self._sandbox = Sandbox(Settings(database_url=database))

    async def __aenter__(self) -> Self:
        self._sandbox.open()
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._sandbox.close()

    async def accounts(self) -> list[AccountListed]:
        """Every account, in the order in which they were made."""
        rows = groupby(self._all(facts.ALL_PROFILES), key=lambda row: (row.id, row.situation))
        return [AccountListed(situation=situation, profile=facts.profile_of(list(own))) for (_, situation), own in rows]

    async def account(self, account_id: str) -> AccountState:
        """One account.

        Raises:
            PlatformProblem: `ACCOUNT_UNKNOWN`.
        """
        connection = self._sandbox.connection
        row = facts.read_account(connection, account_id)
        hold = select(HoldRow.expires_at).where(HoldRow.account_id == account_id)
        group = select(func.count()).where(JdGroupAccountRow.account_id == account_id)
        left = {}
        for phase, table in TABLES.items():
            kinds = select(table.kind, func.count()).where(table.account_id == account_id).group_by(table.kind)
            left[phase] = {kind.lower(): count for kind, count in connection.execute(kinds)}
        return AccountState(
            situation=row.situation,
            profile=facts.read_profile(connection, account_id),
            balance=facts.balance_of(row),
            arrears=facts.arrears_of(row),
            provider_roles=facts.read_provider_roles(connection, account_id),
            icp_filings=facts.icp_filings_of(row),
            resources=facts.read_resources(connection, account_id),
            entitlements=facts.read_entitlements(connection, account_id),
            held_until=connection.scalar(hold),
            left=left,
            jd_group_accounts=connection.scalar(group) or 0,
        )

    async def add_clean_accounts(self, prefix: str, number: int) -> list[str]:
        """Accounts with nothing in the way, `<prefix>-00001` and so on; those that exist are left as they are."""
        ids = [f"{prefix}-{n:05d}" for n in range(1, number + 1)]
        with self._sandbox.write() as tx:
            there = set(tx.scalars(select(AccountRow.id).where(AccountRow.id.startswith(f"{prefix}-"))))
            new = [seeds.AccountSeed(account_id, "nothing in the way") for account_id in ids if account_id not in there]
            seeds.insert_accounts(tx, new)
        return ids

    async def set_facts(self, account_id: str, **changes: edits.Value) -> None:
        """Change the world: `available_fen=0`, `restricted=True`, `**{"resources.vm": 0}`; `edits.FIELDS` lists all.

        Raises:
            PlatformProblem: `ACCOUNT_UNKNOWN`.
            BadFact: there is no such field, or the value does not fit it.
        """
        with self._sandbox.write() as tx:
            edits.set_facts(tx, account_id, changes)

    async def let_time_pass(self, account_id: str, duration: timedelta) -> None:
        """Make this account's challenges, proofs, hold and long work older, so that nobody has to wait for them."""
        with self._sandbox.write() as tx:
            for table in (ChallengeRow, HoldRow, LongWorkRow):
                columns = [c for c in table.__table__.c if isinstance(c.type, UtcDateTime)]
                key = next(iter(table.__table__.primary_key))
                rows = tx.execute(select(key, *columns).where(table.account_id == account_id))
                for first, *times in rows.all():
                    older = {c.name: at - duration for c, at in zip(columns, times, strict=True) if at is not None}
                    tx.execute(update(table).where(key == first).values(older))

    async def add_fault(self, endpoint: Endpoint | str | None, kind: FaultKind | str, **how: Any) -> int:
        """Make trouble; `how` are the other fields of `Fault`. Answers the fault's id.

        Raises:
            pydantic.ValidationError: there is no such endpoint or kind of fault, or a field does not fit.
        """
        with self._sandbox.write() as tx:
            return faults.add_fault(tx, Fault.model_validate({"endpoint": endpoint, "kind": kind, **how}))

    async def open_gate(self, fault_id: int) -> None:
        """Let through the requests that wait at this gate, and all later ones.

        Raises:
            NoSuchGate: no fault has this id, or it is of another kind.
        """
        with self._sandbox.write() as tx:
            faults.open_gate(tx, fault_id)

    async def waiting_at(self, fault_id: int) -> int:
        """How many requests have arrived at this gate so far; 0 for one that is gone."""
        arrived = select(FaultRow.arrived).where(FaultRow.id == fault_id)
        return self._sandbox.connection.scalar(arrived) or 0

    async def faults(self) -> list[ActiveFault]:
        columns = [FaultRow.__table__.c[name] for name in ActiveFault.model_fields]
        return [ActiveFault(**row._mapping) for row in self._all(select(*columns).order_by(FaultRow.id))]

    async def clear_faults(self) -> None:
        """Heal everything, and let through whoever waits at a gate."""
        with self._sandbox.write() as tx:
            faults.clear_faults(tx)

    async def outbox(self, account_id: str | None = None) -> list[OutboxMessage]:
        """Messages in the order in which they went out; those of one account, or all."""
        names = list(OutboxMessage.model_fields)
        statement = select(*(OutboxRow.__table__.c[name] for name in names)).order_by(OutboxRow.id)
        if account_id is not None:
            statement = statement.where(OutboxRow.account_id == account_id)
        return [OutboxMessage(**row._mapping) for row in self._all(statement)]

    async def latest_code(self, account_id: str) -> str:
        """The code that was last sent to this account.

        Raises:
            LookupError: none was sent.
        """
        codes = [m.params["code"] for m in await self.outbox(account_id) if m.template is Template.IDENTITY_CODE]
        if not codes:
            raise LookupError(f"no code was sent to {account_id}")
        return codes[-1]

    async def calls(self, endpoint: Endpoint | str | None = None, account_id: str | None = None) -> list[Call]:
        """What was obeyed, in order: `APPLIED` really changed something, the other effects did not."""
        statement = select(CallRow.at, CallRow.endpoint, CallRow.account_id, CallRow.key, CallRow.effect)
        if endpoint is not None:
            statement = statement.where(CallRow.endpoint == Endpoint(endpoint))
        if account_id is not None:
            statement = statement.where(CallRow.account_id == account_id)
        return [Call(**row._mapping) for row in self._all(statement.order_by(CallRow.id))]

    async def reset(self) -> None:
        """Back to the seeds. A running server goes on working."""
        with self._sandbox.write() as tx:
            seeds.reset(tx)

    def _all(self, statement: Any) -> list[AnyRow]:
        return list(self._sandbox.connection.execute(statement).all())
