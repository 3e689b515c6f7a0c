"""Starting by a key: the same key never starts a second request, not even when the first one is over."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Self

from domain.errors import ErrorType, Refusal
from domain.ids import new_number
from domain.model import Instant, Model, OpaqueId, Sha256Hex
from gateways.errors import GatewayError
from gateways.ports import Vault

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


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
