"""Changing the pretended world by hand: facts that owners and other departments would change."""

from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, delete, insert, update

from domain.accounts import AccountKind, Channel, RealNameType
from domain.checks import Marketplace
from domain.model import Count, Fen
from sandbox.kinds import PersonalKind, Product
from sandbox.seeds import contact
from sandbox.state import lock_account
from sandbox.tables import AccountRow, PersonalDataRow, ProviderRoleRow, ResourceRow

Value = int | bool | str

_COLUMNS: dict[str, TypeAdapter[Any]] = {
    **{
        name: TypeAdapter(Fen)
        for name in ("available_fen", "frozen_fen", "in_withdrawal_fen", "offline_fen", "arrears_fen")
    },
    "icp_applications_ever": TypeAdapter(Count),
    "icp_active_filings": TypeAdapter(Count),
    "restricted": TypeAdapter(bool),
    "kind": TypeAdapter(AccountKind),
    "real_name_type": TypeAdapter(RealNameType),
}

FIELDS = (
    *_COLUMNS,
    *(f"resources.{product}" for product in Product),
    *(f"provider.{marketplace}" for marketplace in Marketplace),
    "channels",
)
"""What can be set. `channels` is a list such as `PHONE,EMAIL`, or empty for none verified."""


class BadFact(ValueError):
    """A field that cannot be set, or not to this value."""


def set_facts(tx: Connection, account_id: str, facts: dict[str, Value]) -> None:
    """Set fields of an account.

    Raises:
        PlatformProblem: `ACCOUNT_UNKNOWN`.
        BadFact: there is no such field, or the value does not fit it.
    """
    lock_account(tx, account_id)
    for field, value in facts.items():
        try:
            _set(tx, account_id, field, value)
        except (ValidationError, KeyError, ValueError) as error:
            raise BadFact(f"{field}={value!r} cannot be set. Fields: {', '.join(FIELDS)}.") from error


def _set(tx: Connection, account_id: str, field: str, value: Value) -> None:
    group, _, name = field.partition(".")
    if group == "resources":
        _set_resources(tx, account_id, Product(name), _count(value))
    elif group == "provider":
        _set_provider(tx, account_id, Marketplace(name), _count(value))
    elif field == "channels":
        _set_channels(tx, account_id, [Channel(name) for name in str(value).split(",") if name])
    else:
        parsed = _COLUMNS[field].validate_python(value)
        tx.execute(update(AccountRow).where(AccountRow.id == account_id).values({field: parsed}))


def _count(value: Value) -> int:
    count: int = TypeAdapter(Count).validate_python(value)
    return count


def _set_resources(tx: Connection, account_id: str, product: Product, count: int) -> None:
    billable = {"account_id": account_id, "kind": product, "billable": True}
    tx.execute(delete(ResourceRow).filter_by(**billable))
    if count:
        tx.execute(insert(ResourceRow), [billable] * count)


def _set_provider(tx: Connection, account_id: str, marketplace: Marketplace, count: int) -> None:
    role = {"account_id": account_id, "marketplace": marketplace}
    tx.execute(delete(ProviderRoleRow).filter_by(**role))
    tx.execute(insert(ProviderRoleRow).values(**role, businesses_in_progress=count))


def _set_channels(tx: Connection, account_id: str, channels: list[Channel]) -> None:
    contacts = [PersonalKind[channel] for channel in Channel]
    tx.execute(
        delete(PersonalDataRow).where(PersonalDataRow.account_id == account_id, PersonalDataRow.kind.in_(contacts))
    )
    for channel in channels:
        # A number that no seed has, so that addresses stay unique.
        tx.execute(insert(PersonalDataRow).values(account_id=account_id, **contact(account_id, 99_999_999, channel)))
