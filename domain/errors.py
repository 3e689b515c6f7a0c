"""The stable error types that cross a border, the same in Temporal, on the command line and in the REST API."""

from enum import StrEnum


class ErrorType(StrEnum):
    """`ApplicationError.type` of every refusal. Callers decide on these, never on message text."""

    WRONG_PHASE = "WrongPhase"
    NO_VERIFIED_CHANNEL = "NoVerifiedChannel"
    CHANNEL_NOT_VERIFIED = "ChannelNotVerified"
    STALE_NOTICE = "StaleNotice"
    STALE_REPORT = "StaleReport"
    TICKET_NOT_ALLOWED = "TicketNotAllowed"
    TICKET_INCOMPLETE = "TicketIncomplete"
    TICKET_MISMATCH = "TicketMismatch"
    LETTER_REFUSED = "LetterRefused"
    POINT_OF_NO_RETURN = "PointOfNoReturn"
    DECISION_REFUSED = "DecisionRefused"
    NOT_STALLED = "NotStalled"
    NOT_NOW = "NotNow"
    IDENTITY_STALE = "IdentityStale"
    AUTHORITY_MISMATCH = "AuthorityMismatch"
    NOT_FOUND = "NotFound"
    ALREADY_OVER = "AlreadyOver"
    BAD_INPUT = "BadInput"
    UNREACHABLE = "Unreachable"

    # From the console, to whoever asks.
    NOT_SIGNED_IN = "NotSignedIn"
    NOT_ALLOWED = "NotAllowed"
    FORM_REFUSED = "FormRefused"
    TOO_LARGE = "TooLarge"

    # From the platform; the same words are the last part of its problem `type` URIs.
    ACCOUNT_UNKNOWN = "AccountUnknown"
    ACCOUNT_NOT_CLOSABLE = "AccountNotClosable"
    CODE_WRONG = "CodeWrong"
    CODE_EXPIRED = "CodeExpired"
    CODE_LOCKED = "CodeLocked"
    CHALLENGE_UNKNOWN = "ChallengeUnknown"
    RESEND_TOO_SOON = "ResendTooSoon"
    DAILY_CODE_LIMIT = "DailyCodeLimit"
    PROOF_INVALID = "ProofInvalid"
    PROOF_USED = "ProofUsed"
    PROOF_EXPIRED = "ProofExpired"
    HOLD_LAPSED = "HoldLapsed"
    HOLD_RELEASED = "HoldReleased"
    PHASE_UNKNOWN = "PhaseUnknown"
    CREDENTIALS_REFUSED = "CredentialsRefused"
    IDEMPOTENCY_CONFLICT = "IdempotencyConflict"
    REQUEST_INVALID = "RequestInvalid"
    RATE_LIMITED = "RateLimited"
    SERVICE_UNAVAILABLE = "ServiceUnavailable"
    INTERNAL_ERROR = "InternalError"
    ANSWER_UNREADABLE = "AnswerUnreadable"
    UNEXPECTED_ANSWER = "UnexpectedAnswer"

    # From the vault.
    VAULT_RECORD_MISSING = "VaultRecordMissing"
    VAULT_RECORD_CHANGED = "VaultRecordChanged"
    VAULT_RECORD_FOREIGN = "VaultRecordForeign"
    VAULT_UNAVAILABLE = "VaultUnavailable"


NO_ANSWER = frozenset(
    {
        ErrorType.RATE_LIMITED,
        ErrorType.INTERNAL_ERROR,
        ErrorType.SERVICE_UNAVAILABLE,
        ErrorType.UNREACHABLE,
        ErrorType.ANSWER_UNREADABLE,
        ErrorType.CREDENTIALS_REFUSED,
        ErrorType.VAULT_UNAVAILABLE,
    }
)
"""Another system did not answer, or not usably: this heals by itself, and no rule has said no."""


class Refusal(Exception):
    """A rule said no: what, why, and what to do. Carries no personal data.

    Attributes:
        type: the stable type.
        message: what happened and the next step, in English.
        details: machine-readable facts (seconds left, the phase, the due step).
    """

    def __init__(self, type: ErrorType, message: str, **details: object) -> None:
        super().__init__(message)
        self.type = type
        self.message = message
        self.details = details
