"""Workflow ids and numbers, each made in one place. All opaque: none is derived from a person."""

import secrets
from datetime import datetime
from hashlib import sha256

from domain.business_calendar import SHANGHAI

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without 0/O and 1/I, which people confuse when they read a number over the phone."""


_LONGEST = 64
"""Of an `OpaqueId`."""


def composed_id(*parts: object) -> str:
    """One opaque id out of several: readable where it fits, cut and hashed where it does not.

    Different parts never make the same id: a dot in a part would be taken for one between two parts, so that such
    parts are hashed, too, and two dots stand before a hash, which nobody can put there as a part.
    """
    texts = [str(part) for part in parts]
    plain = ".".join(texts)
    if len(plain) <= _LONGEST and not any("." in text for text in texts):
        return plain
    digest = sha256("\0".join(texts).encode()).hexdigest()[:32]
    return f"{plain[: _LONGEST - 34]}..{digest}"


def hold_id(request_no: str, number: int) -> str:
    """Of the request's n-th hold on its account. A released id never comes back to life, so that none is used twice."""
    return composed_id(request_no, "hold", number)


def message_key(account_id: str, about: str, template: str, number: int) -> str:
    """Of the n-th message about a request or a ticket. By account, too: a caller may give two of them one number."""
    return composed_id(account_id, about, template, number)


def cancellation_workflow_id(account_id: str) -> str:
    return f"account-cancellation-{account_id}"


def review_workflow_id(ticket_no: str) -> str:
    return f"ticket-review-{ticket_no}"


def deletion_workflow_id(account_id: str) -> str:
    return f"account-deletion-{account_id}"


def message_workflow_id(key: str) -> str:
    return f"account-message-{key}"


def deletion_task_queue(task_queue: str) -> str:
    """Deletions have a queue of their own: a purge that takes hours holds no slot that an owner waits for."""
    return f"{task_queue}-deletion"


def new_number(prefix: str, now: datetime) -> str:
    """A number people can read out, such as `C20261122-7KQ2M9XT`: prefix, Shanghai date, eight random characters."""
    random = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"{prefix}{now.astimezone(SHANGHAI):%Y%m%d}-{random}"
