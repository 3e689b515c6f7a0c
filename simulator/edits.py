"""Changing the pretended world by hand: facts that owners and other departments would change."""

from pydantic import TypeAdapter, ValidationError

from domain.accounts import Channel
from domain.checks import EntitlementKind, Marketplace
from domain.errors import ErrorType
from domain.model import Count
from simulator import seeds
from simulator.kinds import Product
from simulator.problems import PlatformProblem
from simulator.state import Simulator

Value = int | bool | str

_COLUMNS = seeds.COLUMNS - {"id", "situation"}

FIELDS = (
    *sorted(_COLUMNS),
    *(f"resources.{product}" for product in Product),
    *(f"provider.{marketplace}" for marketplace in Marketplace),
    "channels",
    "vouchers",
)
"""What can be set. `channels` and `vouchers` are lists: `PHONE,EMAIL`, or values in fen such as `5000,100`."""


def set_facts(platform: Simulator, account_id: str, facts: dict[str, Value]) -> None:
    """Set fields of an account.

    Raises:
        PlatformProblem: `ACCOUNT_UNKNOWN`; `REQUEST_INVALID`: there is no such field, or the value does not fit it.
    """
    platform.account(account_id)
    for field, value in facts.items():
        try:
            _set(platform, account_id, field, value)
        except (ValidationError, KeyError, ValueError) as error:
            detail = f"{field}={value!r} cannot be set. Fields: {', '.join(FIELDS)}."
            raise PlatformProblem(ErrorType.REQUEST_INVALID, detail) from error


def _set(platform: Simulator, account_id: str, field: str, value: Value) -> None:
    group, _, name = field.partition(".")
    db, listed = platform.db, [part for part in str(value).split(",") if part]
    if group == "resources":
        product, number = Product(name), _count(value)
        db.change("DELETE FROM belongings WHERE account_id = ? AND kind = ?", account_id, product)
        db.insert("belongings", *seeds.resources_of(account_id, product, number))
    elif group == "provider":
        role = seeds.role_of(account_id, Marketplace(name), _count(value))
        db.change("INSERT OR REPLACE INTO provider_roles VALUES (?, ?, ?)", *role.values())
    elif field == "channels":
        # A number that no seed has, so that addresses stay unique.
        contacts = [seeds.contact_of(account_id, 99_999_999, Channel(name)) for name in listed]
        db.change("DELETE FROM belongings WHERE account_id = ? AND kind IN ('PHONE', 'EMAIL')", account_id)
        db.insert("belongings", *contacts)
    elif field == "vouchers":
        vouchers = seeds.vouchers_of(account_id, map(_count, listed))
        db.change("DELETE FROM belongings WHERE account_id = ? AND kind = ?", account_id, EntitlementKind.VOUCHER)
        db.insert("belongings", *vouchers)
    elif field in _COLUMNS:
        parsed = getattr(seeds.AccountSeed.model_validate({"id": account_id, "situation": "", field: value}), field)
        db.change(f"UPDATE accounts SET {field} = ? WHERE id = ?", parsed, account_id)  # noqa: S608
    else:
        raise KeyError(field)


def _count(value: Value) -> int:
    count: int = TypeAdapter(Count).validate_python(value)
    return count
