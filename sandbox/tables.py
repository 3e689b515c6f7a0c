"""The pretend cloud's tables. Money is integer fen; times are UTC."""

from datetime import datetime
from enum import Enum as PyEnum
from typing import Annotated, Any, ClassVar

from sqlalchemy import JSON, BigInteger, Enum, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from domain.accounts import AccountKind, AccountStatus, Channel, RealNameType
from domain.checks import EntitlementKind, Marketplace
from domain.errors import ErrorType
from domain.locale import Locale
from domain.notifications import StaffDesk, Template
from gateways.contract import ClosurePhase
from sandbox.database import UtcDateTime
from sandbox.kinds import BindingKind, Carrier, CredentialKind, Effect, Endpoint, FaultKind, PersonalKind, Product

Id = Annotated[str, mapped_column(String(64))]
Money = Annotated[int, mapped_column(BigInteger, default=0)]
Hash = Annotated[str, mapped_column(String(64))]
Serial = Annotated[int, mapped_column(primary_key=True, autoincrement=True)]
AccountRef = Annotated[str, mapped_column(ForeignKey("accounts.id"), index=True)]


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        PyEnum: Enum(PyEnum, native_enum=False, length=40),
        dict[str, str]: JSON,
    }


class AccountRow(Base):
    __tablename__ = "accounts"

    id: Mapped[Id] = mapped_column(primary_key=True)
    number: Mapped[int]
    situation: Mapped[str] = mapped_column(Text)
    kind: Mapped[AccountKind]
    real_name_type: Mapped[RealNameType]
    status: Mapped[AccountStatus]
    restricted: Mapped[bool]
    available_fen: Mapped[Money]
    frozen_fen: Mapped[Money]
    in_withdrawal_fen: Mapped[Money]
    offline_fen: Mapped[Money]
    arrears_fen: Mapped[Money]
    icp_applications_ever: Mapped[int]
    icp_active_filings: Mapped[int]
    closure_request_id: Mapped[Id | None]
    closed_at: Mapped[datetime | None]
    dossier_sha256: Mapped[Hash | None]


class PersonalDataRow(Base):
    __tablename__ = "personal_data"

    id: Mapped[Serial]
    account_id: Mapped[AccountRef]
    kind: Mapped[PersonalKind]
    value: Mapped[str] = mapped_column(Text)
    verified: Mapped[bool]


class CredentialRow(Base):
    __tablename__ = "credentials"

    id: Mapped[Serial]
    account_id: Mapped[AccountRef]
    kind: Mapped[CredentialKind]
    reference: Mapped[Id]


class BindingRow(Base):
    __tablename__ = "third_party_bindings"

    id: Mapped[Serial]
    account_id: Mapped[AccountRef]
    kind: Mapped[BindingKind]
    reference: Mapped[Id]


class EntitlementRow(Base):
    __tablename__ = "entitlements"

    id: Mapped[Serial]
    account_id: Mapped[AccountRef]
    kind: Mapped[EntitlementKind]
    reference: Mapped[Id]
    value_fen: Mapped[Money]


class ResourceRow(Base):
    """One resource. Those that are not billable do not stand in the way of closure, but go with the account."""

    __tablename__ = "resources"

    id: Mapped[Serial]
    account_id: Mapped[AccountRef]
    kind: Mapped[Product]
    billable: Mapped[bool]


class ProviderRoleRow(Base):
    __tablename__ = "provider_roles"

    account_id: Mapped[AccountRef] = mapped_column(primary_key=True)
    marketplace: Mapped[Marketplace] = mapped_column(primary_key=True)
    businesses_in_progress: Mapped[int]


class JdGroupAccountRow(Base):
    """The owner's account with the group at large. Cancelling the cloud account leaves it alone."""

    __tablename__ = "jd_group_accounts"

    account_id: Mapped[AccountRef] = mapped_column(primary_key=True)
    pin: Mapped[Id]


class HoldRow(Base):
    """The one lease an account can have."""

    __tablename__ = "holds"

    account_id: Mapped[AccountRef] = mapped_column(primary_key=True)
    request_id: Mapped[Id]
    token: Mapped[Id]
    expires_at: Mapped[datetime]


class ReleasedHoldRow(Base):
    """A hold that was given back, or never was and never may be. It outlives the account's closure."""

    __tablename__ = "released_holds"

    account_id: Mapped[AccountRef] = mapped_column(primary_key=True)
    request_id: Mapped[Id] = mapped_column(primary_key=True)


class LongWorkRow(Base):
    """A phase of deletion that takes its time. What it destroys is gone once somebody looks after `ends_at`."""

    __tablename__ = "long_work"

    id: Mapped[Serial]
    account_id: Mapped[AccountRef]
    phase: Mapped[ClosurePhase]
    key: Mapped[str] = mapped_column(String(255))
    ends_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("account_id", "phase", "key"),)


class ChallengeRow(Base):
    """A code that was sent. Neither it nor the proof is here, only their keyed hashes."""

    __tablename__ = "challenges"

    id: Mapped[Id] = mapped_column(primary_key=True)
    account_id: Mapped[AccountRef]
    channel: Mapped[Channel]
    masked_destination: Mapped[str] = mapped_column(Text)
    code_hash: Mapped[Hash]
    tries: Mapped[int]
    wrong_answers: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    resend_after: Mapped[datetime]
    expires_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    proof_hash: Mapped[Hash | None]
    proof_expires_at: Mapped[datetime | None]
    redeemed_at: Mapped[datetime | None]


class ReplyRow(Base):
    """What was answered to a request that must be obeyed once. `account_id` is empty where the request names none."""

    __tablename__ = "replies"

    endpoint: Mapped[str] = mapped_column(String(40), primary_key=True)
    account_id: Mapped[Id] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[Hash]
    answer: Mapped[str] = mapped_column(Text, default="")


class CallRow(Base):
    """A request that was obeyed, or found obeyed already. Append-only."""

    __tablename__ = "calls"

    id: Mapped[Serial]
    at: Mapped[datetime]
    endpoint: Mapped[Endpoint]
    account_id: Mapped[Id | None]
    key: Mapped[str] = mapped_column(String(255))
    effect: Mapped[Effect]

    __table_args__ = (Index("calls_by_account", "account_id", "endpoint"),)


class OutboxRow(Base):
    """A message handed to a carrier. `destination` is None for a staff desk, and once its owner's data are erased."""

    __tablename__ = "outbox"

    id: Mapped[Serial]
    at: Mapped[datetime]
    account_id: Mapped[Id | None] = mapped_column(index=True)
    carrier: Mapped[Carrier]
    destination: Mapped[str | None] = mapped_column(Text, index=True)
    desk: Mapped[StaffDesk | None]
    template: Mapped[Template]
    locale: Mapped[Locale]
    params: Mapped[dict[str, str]]
    subject: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)


class FaultRow(Base):
    """Trouble to be made. `times_left` None is for ever, 0 is healed; `arrived` counts requests at a gate."""

    __tablename__ = "faults"

    id: Mapped[Serial]
    endpoint: Mapped[str] = mapped_column(String(40), index=True)
    account_id: Mapped[Id | None]
    kind: Mapped[FaultKind]
    after: Mapped[bool]
    times_left: Mapped[int | None]
    seconds: Mapped[float]
    problem: Mapped[ErrorType | None]
    status: Mapped[int | None]
    retry_after_seconds: Mapped[int | None]
    arrived: Mapped[int] = mapped_column(default=0)
    opened: Mapped[bool] = mapped_column(default=False)


class ServerStateRow(Base):
    __tablename__ = "server_state"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
