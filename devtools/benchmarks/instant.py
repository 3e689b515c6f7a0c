"""A platform that answers at once, in the process that asks: what is left of a request's time is our own code's.

It knows every account as clean, and keeps nothing but what the worker asks it about again, the closures; so it may live
in worker and client at once. Its answers are as long as the simulator's, so that payloads do not differ.
"""

from datetime import UTC, datetime, timedelta
from secrets import token_hex

from pydantic import SecretStr

from domain.accounts import AccountKind, AccountProfile, AccountStatus, Challenge, Channel, Closure, Hold, RealNameType
from domain.checks import RULES, Check, Entitlement, EntitlementKind, Entitlements
from domain.locale import Locale
from domain.model import Model
from gateways.contract import (
    Accepted,
    AccountNotification,
    ChallengeRequest,
    Closed,
    ClosurePhase,
    ClosureRequest,
    ContactNotification,
    HoldRequest,
    MessageText,
    NotificationPreview,
    PhaseReceipt,
    PreviewRequest,
    ProofIssued,
    Redeemed,
    RedeemRequest,
)
from gateways.platform import ChallengePlatform


def _now() -> datetime:
    return datetime.now(UTC)


def nothing(check: Check) -> Model:
    """What a check is judged by, of an account that has none of it: whatever is counted is 0, every list is empty."""
    answer = RULES[check].answer
    return answer(**{name: 0 if field.annotation is int else () for name, field in answer.model_fields.items()})


class InstantPlatform:
    """`gateways.ports.Platform`."""

    def __init__(self) -> None:
        self._closures: dict[str, Closure] = {}

    async def profile(self, account_id: str) -> AccountProfile:
        closure = self._closures.get(account_id)
        return AccountProfile(
            account_id=account_id,
            kind=AccountKind.MAIN,
            real_name_type=RealNameType.INDIVIDUAL,
            channels=(Channel.PHONE, Channel.EMAIL),
            status=AccountStatus.CLOSED if closure else AccountStatus.ACTIVE,
            restricted=False,
            closure=closure,
        )

    async def create_challenge(self, account_id: str, request: ChallengeRequest) -> Challenge:
        return Challenge(
            challenge_id=f"chl-{token_hex(12)}",
            expires_at=_now() + timedelta(minutes=5),
            resend_after=_now() + timedelta(minutes=1),
        )

    async def redeem_proof(self, account_id: str, request: RedeemRequest) -> Redeemed:
        return Redeemed(verified_at=_now(), channel=Channel.PHONE)

    async def facts(self, account_id: str, check: Check) -> Model:
        return nothing(check)

    async def entitlements(self, account_id: str) -> Entitlements:
        kinds = enumerate(EntitlementKind, 1)
        return Entitlements(
            items=tuple(Entitlement(entitlement_id=f"ent-{account_id}-{n}", kind=kind) for n, kind in kinds)
        )

    async def take_hold(self, account_id: str, request: HoldRequest) -> Hold:
        return Hold(hold_token=f"hold-{token_hex(12)}", expires_at=_now() + timedelta(seconds=request.ttl_seconds))

    async def release_hold(self, account_id: str, hold_id: str) -> None:
        pass

    async def close(self, account_id: str, request: ClosureRequest) -> Closed:
        closed = Closed(closed_at=_now())
        self._closures[account_id] = Closure(
            request_id=request.request_id, closed_at=closed.closed_at, dossier_sha256=request.dossier_sha256
        )
        return closed

    async def run_closure_phase(self, account_id: str, phase: ClosurePhase, idempotency_key: str) -> PhaseReceipt:
        return PhaseReceipt(counts={"access_key": 2, "session": 1}, already_gone=False, completed_at=_now())

    async def closure_phase_status(self, account_id: str, phase: ClosurePhase, idempotency_key: str) -> PhaseReceipt:
        return await self.run_closure_phase(account_id, phase, idempotency_key)

    async def notify_account(
        self, account_id: str, notification: AccountNotification, idempotency_key: str
    ) -> Accepted:
        return Accepted(delivered=2)

    async def notify_contact(self, notification: ContactNotification, idempotency_key: str) -> Accepted:
        return Accepted(delivered=2)

    async def preview_notification(self, request: PreviewRequest) -> NotificationPreview:
        return NotificationPreview(texts=dict.fromkeys(Locale, MessageText(subject=request.template, text="-")))


class InstantChallenges(ChallengePlatform):
    """Takes any code."""

    def __init__(self) -> None:
        pass

    async def answer_challenge(self, challenge_id: str, code: SecretStr) -> ProofIssued:
        return ProofIssued(proof=token_hex(16))
