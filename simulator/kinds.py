"""The closed lists that only the simulator needs."""

from enum import StrEnum


class Endpoint(StrEnum):
    """One name for each operation of the contract, for faults and for the call log."""

    PROFILE = "profile"
    CREATE_CHALLENGE = "create-challenge"
    SHOW_CHALLENGE = "show-challenge"
    ANSWER_CHALLENGE = "answer-challenge"
    REDEEM = "redeem"
    BALANCE = "balance"
    ARREARS = "arrears"
    PROVIDER_ROLES = "provider-roles"
    ICP_FILINGS = "icp-filings"
    RESOURCES = "resources"
    ENTITLEMENTS = "entitlements"
    TAKE_HOLD = "take-hold"
    RELEASE_HOLD = "release-hold"
    CLOSE = "close"
    REVOKE_CREDENTIALS = "revoke-credentials"
    UNBIND_THIRD_PARTIES = "unbind-third-parties"
    FORFEIT_ENTITLEMENTS = "forfeit-entitlements"
    PURGE_RESOURCES = "purge-resources"
    ERASE_PERSONAL_DATA = "erase-personal-data"
    PHASE_STATUS = "phase-status"
    NOTIFY_ACCOUNT = "notify-account"
    NOTIFY_CONTACT = "notify-contact"
    PREVIEW_NOTIFICATION = "preview-notification"


class Effect(StrEnum):
    """What a call changed: something; nothing, being a repeat of a request; nothing, there being nothing left to do."""

    APPLIED = "APPLIED"
    REPLAYED = "REPLAYED"
    ALREADY_GONE = "ALREADY_GONE"


class FaultKind(StrEnum):
    """What goes wrong.

    LATENCY waits, then works. GATE does too, but until it is opened. ERROR and GARBAGE do no work. DROP works, then
    hangs up. DUPLICATE works twice. LONG_WORK begins a phase of deletion that goes on after the answer.
    """

    LATENCY = "LATENCY"
    GATE = "GATE"
    ERROR = "ERROR"
    DROP = "DROP"
    DUPLICATE = "DUPLICATE"
    LONG_WORK = "LONG_WORK"
    GARBAGE = "GARBAGE"


class Carrier(StrEnum):
    SMS = "SMS"
    EMAIL = "EMAIL"
    DESK = "DESK"


class Product(StrEnum):
    """Cloud products that cost money, and so stand in the way of closure."""

    VM = "vm"
    DISK = "disk"
    EIP = "eip"
    RDS = "rds"
    OSS = "oss"
    CDN = "cdn"
