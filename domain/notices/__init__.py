"""The cancellation notice (《注销须知》) by version and language. Its SHA-256 is what an owner accepts.

A text never changes under its version: a change of wording is a new folder under `texts/`, and `CURRENT_VERSION` moves
on. Old versions stay, so that an accepted notice can always be shown again.
"""

from hashlib import sha256
from importlib.resources import files

from domain.locale import Locale
from domain.model import Model, Sha256Hex

CURRENT_VERSION = "2026-11"


class Notice(Model):
    version: str
    locale: Locale
    text: str
    sha256: Sha256Hex


class ConsentWording(Model):
    """The words with which an owner gives things up; kept in the dossier, because consent is to a wording."""

    balance: str
    vouchers: str


def _read_all() -> dict[tuple[str, Locale], Notice]:
    notices = {}
    for folder in files(__name__).joinpath("texts").iterdir():
        for locale in Locale:
            data = folder.joinpath(f"{locale}.md").read_bytes()
            notices[folder.name, locale] = Notice(
                version=folder.name, locale=locale, text=data.decode(), sha256=sha256(data).hexdigest()
            )
    return notices


NOTICES: dict[tuple[str, Locale], Notice] = _read_all()
CURRENT_NOTICE: dict[Locale, Notice] = {locale: NOTICES[CURRENT_VERSION, locale] for locale in Locale}

CONSENT_WORDING: dict[Locale, ConsentWording] = {
    Locale.ZH: ConsentWording(
        balance="我自愿放弃该账号下的全部余额，包括可用、冻结、提现中及线下汇入的款项，并知悉放弃后不可恢复。",
        vouchers="我知悉并同意：账号注销后，代金券、提货券、资格与折扣均视为放弃，且不可恢复。",
    ),
    Locale.EN: ConsentWording(
        balance="I give up the whole balance of this account, available, frozen, in withdrawal and paid in offline, "
        "and I know that it cannot be restored.",
        vouchers="I know and agree that vouchers, pick-up vouchers, qualifications and discounts count as given up "
        "when the account is cancelled, and cannot be restored.",
    ),
}


def is_current(version: str, sha256: str) -> bool:
    """True when this is the notice in force, in either language."""
    return version == CURRENT_VERSION and any(notice.sha256 == sha256 for notice in CURRENT_NOTICE.values())
