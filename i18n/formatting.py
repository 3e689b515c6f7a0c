"""Instants as people read them, in Asia/Shanghai."""

from datetime import datetime, timedelta

from domain.business_calendar import SHANGHAI


def time(instant: datetime) -> str:
    return f"{instant.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


def day_end_or_time(instant: datetime) -> str:
    """Midnight is 24:00 of the day that ends, as people speak of deadlines."""
    local = instant.astimezone(SHANGHAI)
    if local.strftime("%H:%M:%S") == "00:00:00":
        return f"{local - timedelta(days=1):%Y-%m-%d} 24:00"
    return f"{local:%Y-%m-%d %H:%M}"
