"""The two languages of everything that people read."""

from enum import StrEnum


class Locale(StrEnum):
    ZH = "zh-CN"
    EN = "en"


def pick(locale: Locale, zh: str, en: str) -> str:
    return zh if locale is Locale.ZH else en
