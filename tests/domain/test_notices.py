"""The notice: what is accepted is the hash of the exact bytes of the version in force, in either language."""

import re
from hashlib import sha256
from pathlib import Path

import pytest

import domain.notices
from domain.locale import Locale
from domain.notices import CONSENT_WORDING, CURRENT_NOTICE, CURRENT_VERSION, NOTICES, Notice, is_current

TEXTS = Path(domain.notices.__file__).parent / "texts"

CONDITIONS = {
    Locale.ZH: [
        "持有者",
        "安全、稳定",
        "自愿放弃",
        "没有未结清的费用",
        "没有有效的业务和数据",
        "规避纠纷、监管或法律责任",
    ],
    Locale.EN: [
        "its holder",
        "safe and stable",
        "of your own will",
        "no fee is unpaid",
        "No business or data is in use",
        "avoid a dispute, a regulator or the law",
    ],
}
"""A telling part of each condition of the notice, in order."""

GIVEN_UP = {
    Locale.ZH: ["代金券", "提货券", "资格", "折扣"],
    Locale.EN: ["vouchers", "pick-up vouchers", "qualifications", "discounts"],
}
CANNOT_BE_RESTORED = {Locale.ZH: "不可恢复", Locale.EN: "cannot be restored"}
KINDS_OF_MONEY = {
    Locale.ZH: ["可用", "冻结", "提现中", "线下"],
    Locale.EN: ["available", "frozen", "in withdrawal", "offline"],
}


def conditions_of(notice: Notice) -> list[str]:
    """The numbered items of the section in which the owner confirms."""
    section = notice.text.split("\n## ")[2]
    return [" ".join(item.split()) for item in re.split(r"^\d\. ", section, flags=re.MULTILINE)[1:]]


def test_every_version_is_there_in_both_languages() -> None:
    versions = {folder.name for folder in TEXTS.iterdir()}
    assert set(NOTICES) == {(version, locale) for version in versions for locale in Locale}
    assert CURRENT_VERSION in versions
    assert set(CURRENT_NOTICE) == set(CONSENT_WORDING) == set(Locale)


@pytest.mark.parametrize("notice", list(NOTICES.values()), ids=lambda notice: f"{notice.version} {notice.locale}")
def test_the_hash_of_a_notice_is_that_of_its_exact_bytes(notice: Notice) -> None:
    data = (TEXTS / notice.version / f"{notice.locale}.md").read_bytes()
    assert notice.sha256 == sha256(data).hexdigest()
    assert notice.text.encode() == data


@pytest.mark.parametrize("notice", list(NOTICES.values()), ids=lambda notice: f"{notice.version} {notice.locale}")
def test_a_notice_is_found_by_the_version_that_its_text_names(notice: Notice) -> None:
    assert NOTICES[notice.version, notice.locale] is notice
    assert notice.version in notice.text.splitlines()[0]


def test_no_two_notices_have_the_same_hash() -> None:
    assert len({notice.sha256 for notice in NOTICES.values()}) == len(NOTICES)


@pytest.mark.parametrize("locale", Locale)
def test_the_notice_in_force_is_accepted_in_either_language(locale: Locale) -> None:
    assert is_current(CURRENT_VERSION, CURRENT_NOTICE[locale].sha256)


@pytest.mark.parametrize("locale", Locale)
@pytest.mark.parametrize("version", ["2026-10", "2026-12", "", f"{CURRENT_VERSION} "])
def test_another_version_is_refused_whatever_the_hash(locale: Locale, version: str) -> None:
    assert not is_current(version, CURRENT_NOTICE[locale].sha256)


@pytest.mark.parametrize("locale", Locale)
def test_a_hash_of_anything_but_the_exact_bytes_is_refused(locale: Locale) -> None:
    text = CURRENT_NOTICE[locale].text
    for other in ("", text.rstrip(), text + "\n", text.replace("\n", "\r\n"), "\ufeff" + text):
        assert not is_current(CURRENT_VERSION, sha256(other.encode()).hexdigest())
    assert not is_current(CURRENT_VERSION, CURRENT_NOTICE[locale].sha256.upper())


def test_a_version_that_is_no_longer_in_force_is_refused_with_its_own_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    old = CURRENT_NOTICE[Locale.ZH]
    new = {
        locale: Notice(version="2027-01", locale=locale, text="新", sha256=sha256(locale.encode()).hexdigest())
        for locale in Locale
    }
    monkeypatch.setattr(domain.notices, "CURRENT_VERSION", "2027-01")
    monkeypatch.setattr(domain.notices, "CURRENT_NOTICE", new)
    assert not is_current(old.version, old.sha256)
    assert not is_current("2027-01", old.sha256)
    assert is_current("2027-01", new[Locale.EN].sha256)


@pytest.mark.parametrize("locale", Locale)
def test_the_notice_in_force_names_all_six_conditions(locale: Locale) -> None:
    conditions = conditions_of(CURRENT_NOTICE[locale])
    assert len(conditions) == len(CONDITIONS[locale]) == 6
    for condition, telling in zip(conditions, CONDITIONS[locale], strict=True):
        assert telling in condition


@pytest.mark.parametrize("locale", Locale)
def test_the_notice_in_force_says_what_is_given_up_and_that_nothing_comes_back(locale: Locale) -> None:
    text = CURRENT_NOTICE[locale].text
    assert [word for word in [*GIVEN_UP[locale], CANNOT_BE_RESTORED[locale]] if word not in text] == []


@pytest.mark.parametrize("locale", Locale)
def test_consent_names_every_kind_of_money_and_of_entitlement(locale: Locale) -> None:
    wording = CONSENT_WORDING[locale]
    assert [kind for kind in KINDS_OF_MONEY[locale] if kind not in wording.balance] == []
    assert [kind for kind in GIVEN_UP[locale] if kind not in wording.vouchers] == []
    assert CANNOT_BE_RESTORED[locale] in wording.balance
    assert CANNOT_BE_RESTORED[locale] in wording.vouchers
