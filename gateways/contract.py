"""The platform contract on the wire: JSON over HTTP, UTC, money in integer fen. In full: docs/platform-contract.yaml.

Both sides import it: the HTTP adapter, and the pretend platform that the demo and the tests run against. Answers that
workflows know, too (`AccountProfile`, `Challenge`, what a check is judged by, `Entitlements`, `Hold`), are the domain's
own models.
"""

from enum import StrEnum
from typing import Annotated, Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from typing_extensions import TypeAliasType

from domain.accounts import Channel
from domain.checks import Check
from domain.deletion import DeletionPhase
from domain.errors import ErrorType
from domain.locale import Locale
from domain.model import Count, Instant, Model, OpaqueId, Sha256Hex
from domain.notifications import StaffDesk, Template

PROBLEM_PREFIX = "urn:account-platform:problem:"
"""A problem's `type` is this prefix and an `ErrorType`."""

PROBLEM_MEDIA_TYPE = "application/problem+json"


class Group(StrEnum):
    """A group of endpoints that a real cloud serves from a service, and a base URL, of its own."""

    IDENTITY = "identity"
    BILLING = "billing"
    MARKETPLACE = "marketplace"
    ICP = "icp"
    RESOURCES = "resources"
    CLOSURE = "closure"
    MESSAGING = "messaging"


class Read(NamedTuple):
    """Where the platform says what a check is judged by: `GET /accounts/{id}/{path}`. The answer is in `RULES`."""

    group: Group
    path: str


READS: dict[Check, Read] = {
    Check.BALANCE: Read(Group.BILLING, "balance"),
    Check.ARREARS: Read(Group.BILLING, "arrears"),
    Check.PROVIDER: Read(Group.MARKETPLACE, "provider-roles"),
    Check.ICP_FILING: Read(Group.ICP, "icp-filings"),
    Check.RESOURCES: Read(Group.RESOURCES, "resources"),
}


class Problem(BaseModel):
    """RFC 9457. Extra members are allowed by the standard and ignored, but for those named here."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    type: str
    title: str
    status: int
    detail: str = ""
    tries_left: Count | None = None
    retry_after_seconds: Count | None = None

    @property
    def error_type(self) -> ErrorType | None:
        """The stable type, or None for a problem this contract does not name."""
        return {f"{PROBLEM_PREFIX}{named}": named for named in PROBLEM_STATUS}.get(self.type)


PROBLEM_STATUS: dict[ErrorType, int] = {
    ErrorType.ACCOUNT_UNKNOWN: 404,
    ErrorType.CHALLENGE_UNKNOWN: 404,
    ErrorType.PHASE_UNKNOWN: 404,
    ErrorType.CHANNEL_NOT_VERIFIED: 409,
    ErrorType.ACCOUNT_NOT_CLOSABLE: 409,
    ErrorType.HOLD_LAPSED: 409,
    ErrorType.HOLD_RELEASED: 409,
    ErrorType.PROOF_USED: 409,
    ErrorType.IDEMPOTENCY_CONFLICT: 409,
    ErrorType.CODE_EXPIRED: 410,
    ErrorType.PROOF_EXPIRED: 410,
    ErrorType.CODE_WRONG: 422,
    ErrorType.PROOF_INVALID: 422,
    ErrorType.REQUEST_INVALID: 422,
    ErrorType.CODE_LOCKED: 423,
    # Not 429: waiting is the owner's to do, so an adapter must not retry these by itself.
    ErrorType.RESEND_TOO_SOON: 409,
    ErrorType.DAILY_CODE_LIMIT: 409,
    ErrorType.RATE_LIMITED: 429,
    ErrorType.INTERNAL_ERROR: 500,
    ErrorType.SERVICE_UNAVAILABLE: 503,
}

RETRYABLE_PROBLEMS = frozenset({ErrorType.RATE_LIMITED, ErrorType.INTERNAL_ERROR, ErrorType.SERVICE_UNAVAILABLE})
"""Problems that can heal by themselves. Every other named problem is final."""


class ChallengeRequest(Model):
    channel: Channel
    request_id: OpaqueId


class ChallengeShown(Model):
    """For the console and the command line only; never handed to a workflow."""

    masked_destination: str
    tries_left: Count
    expires_at: Instant
    resend_after: Instant


class CodeAnswer(Model):
    code: SecretStr = Field(max_length=12)


class ProofIssued(Model):
    """A single-use proof that the code was right, bound to its challenge and account."""

    proof: OpaqueId


class RedeemRequest(Model):
    challenge_id: OpaqueId
    proof: OpaqueId
    request_id: OpaqueId


class Redeemed(Model):
    verified_at: Instant
    channel: Channel


class HoldRequest(Model):
    """`request_id` names the hold: it is released by it, and never taken again after that."""

    request_id: OpaqueId
    ttl_seconds: int = Field(gt=0, le=86_400)


class ClosureRequest(Model):
    """Turns a live hold into closure. The same `request_id` again answers the first closure, lapsed hold or not."""

    request_id: OpaqueId
    hold_token: OpaqueId
    waivers: tuple[Check, ...]
    dossier_sha256: Sha256Hex


class Closed(Model):
    closed_at: Instant


_PlatformPhase = Literal[
    DeletionPhase.REVOKE_CREDENTIALS,
    DeletionPhase.UNBIND_THIRD_PARTIES,
    DeletionPhase.FORFEIT_ENTITLEMENTS,
    DeletionPhase.PURGE_RESOURCES,
    DeletionPhase.ERASE_PERSONAL_DATA,
]

CLOSURE_PHASES: tuple[_PlatformPhase, ...] = get_args(_PlatformPhase)
"""The phases of a deletion that the platform does; the others are the service's own."""

ClosurePhase = TypeAliasType(
    "ClosurePhase",
    Annotated[
        _PlatformPhase,
        Field(
            title="ClosurePhase",
            description="Last part of `/accounts/{id}/closure/{phase}`: POST to have it done, GET to see how it went.",
        ),
    ],
)
"""One of them. A type with a name, so that the contract's document has it in one place."""


class PhaseReceipt(Model):
    """Counts of what went, by kind. The same Idempotency-Key answers the first receipt again."""

    counts: dict[OpaqueId, Count] = Field(max_length=100)
    already_gone: bool
    completed_at: Instant


class PhaseRunning(Model):
    """The phase was begun and takes its time (202). Ask again, with the same Idempotency-Key, after this long."""

    poll_after_seconds: int = Field(ge=1, le=3600)


class TicketContact(Model):
    """The contact that a ticket names. Read from the vault and sent on; never in Temporal."""

    kind: Literal["ticket"] = "ticket"
    email: str
    phone: str


class StaffContact(Model):
    kind: Literal["staff"] = "staff"
    desk: StaffDesk


class AccountNotification(Model):
    """To the account's bound contacts. `params` are opaque ids, codes and times, no personal data."""

    template: Template
    locale: Locale
    params: dict[str, str]


class ContactNotification(Model):
    template: Template
    locale: Locale
    params: dict[str, str]
    contact: TicketContact | StaffContact = Field(discriminator="kind")


class PreviewRequest(Model):
    """A notification without its recipient, and without a language: the answer has all of them."""

    template: Template
    params: dict[str, str]


class MessageText(Model):
    subject: str = Field(max_length=200)
    text: str = Field(max_length=5_000)


class NotificationPreview(Model):
    """What a recipient would read, in every language of the platform's wording."""

    texts: dict[Locale, MessageText] = Field(min_length=len(Locale))


class Accepted(Model):
    """`delivered` counts the messages handed to carriers."""

    delivered: Count
