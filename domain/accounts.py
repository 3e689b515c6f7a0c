"""The account as the platform describes it: kinds and states only, nothing that names a person."""

from enum import StrEnum

from domain.model import Instant, Model, OpaqueId, Sha256Hex


class AccountKind(StrEnum):
    MAIN = "MAIN"
    SUB_USER = "SUB_USER"


class AccountStatus(StrEnum):
    ACTIVE = "ACTIVE"
    CLOSED = "CLOSED"


class RealNameType(StrEnum):
    """实名认证: none, individual or enterprise. It decides what a ticket must carry."""

    NONE = "NONE"
    INDIVIDUAL = "INDIVIDUAL"
    ENTERPRISE = "ENTERPRISE"


class Channel(StrEnum):
    """The two ways to prove identity: a code to a verified phone number or e-mail address."""

    PHONE = "PHONE"
    EMAIL = "EMAIL"


class Challenge(Model):
    challenge_id: OpaqueId
    expires_at: Instant
    resend_after: Instant


class Hold(Model):
    """A lease on the account: no new orders, resources or top-ups until it lapses or is released."""

    hold_token: OpaqueId
    expires_at: Instant


class Closure(Model):
    """What the platform recorded when it closed an account: by which request, on which dossier."""

    request_id: OpaqueId
    closed_at: Instant
    dossier_sha256: Sha256Hex


class AccountProfile(Model):
    """`channels` holds the kinds of verified contact only; addresses never leave the platform."""

    account_id: OpaqueId
    kind: AccountKind
    real_name_type: RealNameType
    channels: tuple[Channel, ...]
    status: AccountStatus
    restricted: bool
    closure: Closure | None = None


class RefusalReason(StrEnum):
    """Why a request is refused before anything is started downstream."""

    UNKNOWN_ACCOUNT = "UNKNOWN_ACCOUNT"
    SUB_USER = "SUB_USER"
    ALREADY_CLOSED = "ALREADY_CLOSED"
    RESTRICTED = "RESTRICTED"
    ACCOUNT_UNREADABLE = "ACCOUNT_UNREADABLE"
    """The platform gave an answer that cannot be used (a wrong address, a broken contract). Ops' to put right."""


def refusal_reason(profile: AccountProfile | None) -> RefusalReason | None:
    """The reason to refuse this account, or None. Only the main account of an open, unrestricted account may ask."""
    if profile is None:
        return RefusalReason.UNKNOWN_ACCOUNT
    if profile.kind is AccountKind.SUB_USER:
        return RefusalReason.SUB_USER
    if profile.status is AccountStatus.CLOSED:
        return RefusalReason.ALREADY_CLOSED
    if profile.restricted:
        return RefusalReason.RESTRICTED
    return None
