"""Every code that a page may have to show has words in both languages; so has every error."""

import re
from enum import StrEnum

import pytest

from console.errors import STATUS, Problem, problem_response
from console.owner import wording
from domain import accounts, checks, deletion, letters, messages, standing, tickets
from domain.checks import ENTITLEMENTS, Check
from domain.errors import ErrorType
from domain.locale import Locale
from i18n.texts import text

SHOWN: tuple[type[StrEnum], ...] = (
    checks.Check,
    checks.Verdict,
    deletion.DeletionPhase,
    deletion.Verification,
    standing.ReviewEnd,
    standing.RunEnd,
    messages.WithdrawalReason,
    tickets.BalanceWish,
    tickets.DecisionReason,
    tickets.IgnoredBecause,
    tickets.MissingPart,
    tickets.ReviewStatus,
    letters.SignatureCheck,
)
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize("code", [code for kind in SHOWN for code in kind], ids=lambda code: f"{type(code)}.{code}")
def test_every_code_has_words(code: StrEnum) -> None:
    zh, en = text(code, Locale.ZH), text(code, Locale.EN)
    assert CHINESE.search(zh.title)
    assert en.title
    assert not CHINESE.search(f"{en.title}{en.advice}")
    assert bool(zh.advice) == bool(en.advice)


@pytest.mark.parametrize("code", [*standing.ReviewEnd, tickets.MissingPart.BALANCE_CHOICE, tickets.BalanceWish.RETURN])
def test_where_somebody_has_to_act_it_is_said_what_to_do(code: StrEnum) -> None:
    assert all(text(code, locale).advice for locale in Locale)


@pytest.mark.parametrize("type", ErrorType)
def test_every_error_has_words_for_owners_and_a_status(type: ErrorType) -> None:
    trouble = wording.OwnerProblem(type, "What to do.")
    assert CHINESE.search(trouble.words(Locale.ZH))
    assert trouble.words(Locale.EN)
    assert 400 <= trouble.status < 600
    assert text(type, Locale.ZH).title.endswith("。")


@pytest.mark.parametrize("type", [*accounts.RefusalReason, *ErrorType])
def test_whatever_kept_an_account_open_has_words(type: StrEnum) -> None:
    assert CHINESE.search(wording.why_not_closed(type, Locale.ZH))
    assert not CHINESE.search(wording.why_not_closed(type, Locale.EN))


def test_whatever_could_not_be_told_has_a_name() -> None:
    everything = (*Check, ENTITLEMENTS)
    assert len(wording.not_told(everything, Locale.ZH).split("、")) == len(everything)
    assert len(wording.not_told(everything, Locale.EN).split(", ")) == len(everything)


def test_not_now_always_says_when_to_try_again() -> None:
    assert STATUS[ErrorType.NOT_NOW] == 503
    assert (
        problem_response(Problem(ErrorType.NOT_NOW, "later", {"retry_after_seconds": 7})).headers["Retry-After"] == "7"
    )
    assert int(problem_response(Problem(ErrorType.NOT_NOW, "later")).headers["Retry-After"]) > 0
    assert "Retry-After" not in problem_response(Problem(ErrorType.WRONG_PHASE, "no")).headers
