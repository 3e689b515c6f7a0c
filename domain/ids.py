"""Workflow ids and numbers, each made in one place. All opaque: none is derived from a person."""

import secrets
from datetime import datetime

from domain.business_calendar import SHANGHAI

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without 0/O and 1/I, which people confuse when they read a number over the phone."""


def cancellation_workflow_id(account_id: str) -> str:
    return f"account-cancellation-{account_id}"


def review_workflow_id(ticket_no: str) -> str:
    return f"ticket-review-{ticket_no}"


def deletion_workflow_id(account_id: str) -> str:
    return f"account-deletion-{account_id}"


def new_number(prefix: str, now: datetime) -> str:
    """A number people can read out, such as `C20261122-7KQ2M9XT`: prefix, Shanghai date, eight random characters."""
    random = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"{prefix}{now.astimezone(SHANGHAI):%Y%m%d}-{random}"
