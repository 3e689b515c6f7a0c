"""The catalogue is complete: nobody meets a code, or the other language, where words belong."""

from enum import StrEnum

import pytest

from domain import accounts, checks, deletion, messages, phases, standing, tickets
from domain.checks import Figure
from domain.locale import Locale
from domain.notifications import Template
from i18n.formatting import amount, yuan
from i18n.texts import text

EXPLAINED: tuple[type[StrEnum], ...] = (
    accounts.Channel,
    accounts.RealNameType,
    accounts.RefusalReason,
    checks.Check,
    checks.EntitlementKind,
    checks.Figure,
    checks.Marketplace,
    checks.Reason,
    checks.Remedy,
    checks.Verdict,
    deletion.DeletionPhase,
    deletion.DeletionStatus,
    deletion.RetentionRule,
    deletion.Verification,
    standing.ReviewEnd,
    messages.Route,
    standing.RunEnd,
    messages.WithdrawalReason,
    phases.Phase,
    phases.Step,
    tickets.BalanceWish,
    tickets.DecisionReason,
    tickets.IgnoredBecause,
    tickets.MissingPart,
    tickets.ReviewStatus,
)
NEED_ADVICE: tuple[type[StrEnum], ...] = (
    accounts.RefusalReason,
    checks.Reason,
    checks.Remedy,
    tickets.DecisionReason,
    tickets.MissingPart,
)


def is_chinese(words: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in words)


@pytest.mark.parametrize(
    "code", [code for codes in EXPLAINED for code in codes], ids=lambda c: f"{type(c).__name__}-{c}"
)
def test_every_code_has_a_title_in_both_languages_and_advice_in_both_or_neither(code: StrEnum) -> None:
    chinese, english = text(code, Locale.ZH), text(code, Locale.EN)
    assert is_chinese(chinese.title)
    assert english.title
    assert not is_chinese(english.title + english.advice)
    assert is_chinese(chinese.advice) == bool(english.advice)


@pytest.mark.parametrize(
    "code", [code for codes in NEED_ADVICE for code in codes], ids=lambda c: f"{type(c).__name__}-{c}"
)
def test_a_reason_always_comes_with_what_to_do(code: StrEnum) -> None:
    assert text(code, Locale.EN).advice.endswith(".")
    assert text(code, Locale.ZH).advice.endswith("。")


def test_codes_of_different_lists_keep_their_own_words_though_their_values_are_equal() -> None:
    assert str(phases.Phase.BLOCKED) == str(checks.Verdict.BLOCKED)
    assert text(phases.Phase.BLOCKED, Locale.ZH) != text(checks.Verdict.BLOCKED, Locale.ZH)


def test_a_list_that_is_not_for_people_has_no_words() -> None:
    with pytest.raises(KeyError):
        text(Template.IDENTITY_CODE, Locale.EN)


@pytest.mark.parametrize("locale", Locale)
@pytest.mark.parametrize(
    ("fen", "shown"), [(0, "¥0.00"), (5, "¥0.05"), (12850, "¥128.50"), (123456700, "¥1,234,567.00")]
)
def test_money_is_shown_in_yuan(fen: int, shown: str, locale: Locale) -> None:
    assert yuan(fen, locale) == shown
    assert amount(Figure.ARREARS_FEN, fen, locale) == shown
    assert amount(Figure.ACTIVE_RESOURCES, fen, locale) == f"{fen:,}"
