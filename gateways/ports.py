"""What activities need from other systems, as Protocols; the adapters live beside this file.

Every method raises `gateways.errors.GatewayError`: retryable or not, by its stable type.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from domain.accounts import AccountProfile, Challenge, Hold
from domain.checks import Check, Entitlements
from domain.model import Model, VaultRef
from gateways.contract import (
    Accepted,
    AccountNotification,
    ChallengeRequest,
    Closed,
    ClosurePhase,
    ClosureRequest,
    ContactNotification,
    HoldRequest,
    NotificationPreview,
    PhaseReceipt,
    PhaseRunning,
    PreviewRequest,
    Redeemed,
    RedeemRequest,
)

M = TypeVar("M", bound=Model)


class Platform(Protocol):
    """The cloud's own services (docs/platform-contract.yaml). Idempotency keys make every POST safe to repeat."""

    async def profile(self, account_id: str) -> AccountProfile: ...
    async def create_challenge(self, account_id: str, request: ChallengeRequest) -> Challenge: ...
    async def redeem_proof(self, account_id: str, request: RedeemRequest) -> Redeemed: ...
    async def facts(self, account_id: str, check: Check) -> Model:
        """What a check is judged by: the answer that `domain.checks.RULES` has for it."""
        ...

    async def entitlements(self, account_id: str) -> Entitlements: ...
    async def take_hold(self, account_id: str, request: HoldRequest) -> Hold: ...
    async def release_hold(self, account_id: str, hold_id: str) -> None:
        """Give the hold back for good, by the `request_id` that it was or will be asked for with, taken yet or not."""
        ...

    async def close(self, account_id: str, request: ClosureRequest) -> Closed: ...
    async def run_closure_phase(
        self, account_id: str, phase: ClosurePhase, idempotency_key: str
    ) -> PhaseReceipt | PhaseRunning:
        """Have a phase done. Long work goes on by itself: ask after it with the same key, or repeat the call."""
        ...

    async def closure_phase_status(
        self, account_id: str, phase: ClosurePhase, idempotency_key: str
    ) -> PhaseReceipt | PhaseRunning:
        """How the phase is getting on that was begun with this key; `PHASE_UNKNOWN` when none was."""
        ...

    async def notify_account(
        self, account_id: str, notification: AccountNotification, idempotency_key: str
    ) -> Accepted: ...
    async def notify_contact(self, notification: ContactNotification, idempotency_key: str) -> Accepted: ...
    async def preview_notification(self, request: PreviewRequest) -> NotificationPreview:
        """What a recipient would read, worded by whoever words what is sent. Nothing is sent or kept."""
        ...


class Vault(Protocol):
    """The object store. Evidence is create-only: writing the same bytes again is success, other bytes an error.

    What has been written, or found, is there for good: no power failure after the answer takes it away.
    """

    async def put_evidence(self, path: str, record: Model) -> VaultRef: ...
    async def put_blob(self, path: str, data: bytes, media_type: str) -> VaultRef: ...
    async def read(self, ref: VaultRef, model: type[M]) -> M:
        """Read and verify the hash; `GatewayError(VAULT_RECORD_CHANGED)` when it does not match."""
        ...

    async def find(self, path: str, model: type[M]) -> tuple[M, VaultRef] | None: ...
    async def read_blob(self, ref: VaultRef) -> bytes: ...
    async def look(self, ref: VaultRef, size_bytes: int) -> None:
        """Raise what `read_blob` would, without reading: told by the size alone, so other bytes may pass."""
        ...

    async def list(self, prefix: str) -> Sequence[str]: ...
    async def discard(self, path: str) -> None:
        """Remove a record; gone already is success.

        Only for a form (and its letter) whose filing its request has refused, so that no contact data lies there for
        nothing, and for the draft of a letter. Evidence is never discarded: `ValueError` for a path outside `tickets/`.
        """
        ...
