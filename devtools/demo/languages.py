"""The stories are told in the two languages of the notice: they are for developers, and have no catalogue."""

from domain.locale import Locale


def pick(locale: Locale, zh: str, en: str) -> str:
    return zh if locale is Locale.ZH else en
