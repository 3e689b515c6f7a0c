"""Starting by a key: the same key never starts a second request, not even when the first one is over."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Self

from domain.actors import Via
from domain.errors import ErrorType, Refusal
from domain.ids import new_number
from domain.locale import Locale
from domain.messages import CancellationView
from domain.model import Instant, Model, OpaqueId, Sha256Hex
from gateways.errors import GatewayError
from gateways.ports import Vault
from service.cancellation_service import CancellationService
from service.errors import translate_errors

KEY_COUNTS_FOR: Final = timedelta(hours=24)
"""How long a key that was used can still start the request for which it was first used (which a crash prevented)."""


class StartRecord(Model):
    """What a key stands for: create-only in the vault, under a hash of the key, before anything is started."""

    account_id: OpaqueId
    body_sha256: Sha256Hex
    request_no: OpaqueId
    at: Instant

    @classmethod
    async def claim(cls, vault: Vault, key: str | None, account_id: str, body: str, now: datetime) -> tuple[Self, bool]:
        """The record of this key, and whether it was there already. Without a key nothing is kept.

        Raises `Refusal` (IDEMPOTENCY_CONFLICT) when it was used with another body.
        """
        record = cls(
            account_id=account_id, body_sha256=_hash(f"{account_id} {body}"), request_no=new_number("C", now), at=now
        )
        if key is None:
            return record, False
        # Hashed: a caller may put anything into a key.
        path = f"start-keys/{_hash(key)}.json"
        found = await vault.find(path, cls)
        if found is None:
            try:
                await vault.put_evidence(path, record)
            except GatewayError as error:
                # Somebody with the same key was quicker by a moment.
                if error.type is not ErrorType.VAULT_RECORD_CHANGED or (found := await vault.find(path, cls)) is None:
                    raise
            else:
                return record, False
        earlier, _ = found
        if earlier.body_sha256 != record.body_sha256:
            raise Refusal(
                ErrorType.IDEMPOTENCY_CONFLICT,
                "This Idempotency-Key was used with another body: use a new key for a new request.",
            )
        return earlier, True


async def start_once(
    cancellations: CancellationService,
    key: str | None,
    account_id: str,
    requested_by: str,
    *,
    locale: Locale,
    now: datetime,
    via: Via = Via.TEMPORAL,
) -> tuple[CancellationView, bool]:
    """As `start`, for a caller who repeats. `key` says whose it is, too; without one the call stands alone.

    Answers whether the request is this key's own, and not one that was running. Raises `Refusal`:
    `IdempotencyConflict` when the key was used for something else, `AlreadyOver` when what it stood for is long gone.
    """
    async with translate_errors(f"request of account {account_id}"):
        record, used = await StartRecord.claim(cancellations.vault, key, account_id, f"{requested_by} {locale}", now)
    if used and (found := await _stands_for(cancellations, record)):
        return found, found.request_no == record.request_no
    if used and now > record.at + KEY_COUNTS_FOR:
        raise Refusal(ErrorType.ALREADY_OVER, "The request of this key is long over: use a new key to start.")
    view = await cancellations.start(account_id, requested_by, via=via, locale=locale, request_no=record.request_no)
    return view, view.request_no == record.request_no


async def _stands_for(cancellations: CancellationService, record: StartRecord) -> CancellationView | None:
    """The latest request, if it is the key's own, was open when the key was first used, or came after it."""
    try:
        latest = await cancellations.describe(record.account_id)
    except Refusal as refusal:
        if refusal.type is ErrorType.NOT_FOUND:
            return None
        raise
    view = await cancellations.view(record.account_id)
    is_older = latest.close_time is not None and latest.close_time < record.at
    return None if is_older and view.request_no != record.request_no else view


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
