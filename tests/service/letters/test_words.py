"""What senders of letters are told: the template, and why one was refused."""

import re

import pytest

from domain.locale import Locale
from service.letters.problems import LetterProblem, refusal, words
from service.letters.template import template_letter


def test_every_problem_says_what_to_do_in_both_languages() -> None:
    for problem in LetterProblem:
        zh, en = words(problem, Locale.ZH), words(problem, Locale.EN)
        assert zh.startswith(("文件", "图片", "暂不"))
        assert zh.endswith("。")
        assert zh.count("。") == 2
        assert not re.search(r"[\u4e00-\u9fff]", en)
        assert en.count(". ") == 1
        assert refusal(problem).message == en
    assert len({words(problem, Locale.EN) for problem in LetterProblem}) == len(LetterProblem)


@pytest.mark.parametrize(
    ("locale", "parts"), [(Locale.ZH, ("同意书", "公章", "须知")), (Locale.EN, ("consent", "seal", "notice"))]
)
def test_the_template_can_be_had_in_both_languages(locale: Locale, parts: tuple[str, ...]) -> None:
    text = template_letter(locale)
    assert all(part in text for part in parts)
