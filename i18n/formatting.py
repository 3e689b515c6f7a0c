"""Instants, money and counts as people read them. Instants are told in Asia/Shanghai, where the deadlines end."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

from babel.dates import format_date, format_datetime, format_timedelta, get_day_names
from babel.numbers import format_decimal

from domain.business_calendar import SHANGHAI
from domain.checks import Figure
from i18n.catalogue import translate


def _tag(language: str) -> str:
    return language.replace("-", "_")


def time(instant: datetime, language: str) -> str:
    """To the second and in ISO's order in every language, as it stands in Temporal and in logs."""
    return format_datetime(instant, "yyyy-MM-dd HH:mm:ss", tzinfo=SHANGHAI, locale=_tag(language))


def day_end_or_time(instant: datetime, language: str) -> str:
    """Midnight is 24:00 of the day that ends, as people speak of deadlines."""
    local = instant.astimezone(SHANGHAI)
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return format_datetime(local - timedelta(days=1), "yyyy-MM-dd 24:00", locale=_tag(language))
    return format_datetime(local, "yyyy-MM-dd HH:mm", locale=_tag(language))


def ago(passed: timedelta, language: str) -> str:
    """How long ago, roughly: "3 days ago"."""
    if passed < timedelta(minutes=1):
        return translate(language, "just now")
    return format_timedelta(-passed, granularity="minute", add_direction=True, threshold=1, locale=_tag(language))


def month_name(day: date, language: str) -> str:
    return format_date(day, "LLLL", locale=_tag(language))


def weekdays(language: str) -> list[tuple[str, str]]:
    """Monday to Sunday, short and in full."""
    short, full = (get_day_names(width, "stand-alone", _tag(language)) for width in ("short", "wide"))
    return [(short[day], full[day]) for day in range(7)]


def yuan(fen: int, language: str) -> str:
    """Money: 12850 fen is ¥128.50."""
    return format_decimal(Decimal(fen) / 100, "¥#,##0.00;¥-#,##0.00", locale=_tag(language))


def amount(figure: Figure, value: int, language: str) -> str:
    """The value of a figure: money in yuan, a count as it is."""
    return yuan(value, language) if figure.endswith("_fen") else format_decimal(value, locale=_tag(language))


def listed(words: Iterable[str], language: str) -> str:
    """One after the other, without an "and"."""
    return translate(language, ", ").join(words)


def labelled(label: str, value: str, language: str) -> str:
    return translate(language, "%(label)s: %(value)s", label=label, value=value)


def capitalized(words: str) -> str:
    """The first letter only: the rest may hold names."""
    return words[:1].upper() + words[1:]
