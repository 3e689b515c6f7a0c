"""What the point of no return consists of: the dossier before it, the stages of deletion, the certificate after it."""

from datetime import timedelta
from enum import StrEnum
from typing import Self

from pydantic import ConfigDict

from domain.accounts import Channel, RealNameType
from domain.actors import Actor
from domain.checks import EligibilityReport, Entitlement, Waiver
from domain.locale import Locale
from domain.model import Count, Instant, Model, OpaqueId, Sha256Hex, VaultRef
from domain.tickets import BalanceChoice, RecordedDecision, TicketRef


class IdentityMethod(StrEnum):
    CODE = "CODE"
    ATTESTED = "ATTESTED"


class IdentityEvidence(Model):
    """How identity was proven: a code to a verified channel, or a reviewer's attestation in a decision.

    `evidence_id` is the challenge's or the decision's id; `by` is whose identity it is.
    """

    method: IdentityMethod
    channel: Channel | None
    evidence_id: OpaqueId
    verified_at: Instant
    by: Actor


class NoticeAcceptance(Model):
    version: str
    sha256: Sha256Hex
    accepted_at: Instant
    by: Actor


class Confirmation(Model):
    report_digest: Sha256Hex
    confirmed_at: Instant
    by: Actor


class Dossier(Model):
    """Why this account may be destroyed. In the vault before the first destructive call; chained to the one before."""

    request_no: OpaqueId
    account_id: OpaqueId
    real_name_type: RealNameType
    locale: Locale
    identity: IdentityEvidence
    notice: NoticeAcceptance
    confirmation: Confirmation | None
    ticket: TicketRef | None
    decision: RecordedDecision | None
    balance: BalanceChoice | None = None
    report: EligibilityReport
    sealing_report: EligibilityReport
    waivers: tuple[Waiver, ...]
    balance_consent: str
    voucher_consent: str
    sealed_at: Instant
    previous: VaultRef | None


class DeletionPhase(StrEnum):
    """The value is the id of its activity, so that the idempotency key of a phase is the same in every run."""

    REVOKE_CREDENTIALS = "revoke-credentials"
    UNBIND_THIRD_PARTIES = "unbind-third-parties"
    FORFEIT_ENTITLEMENTS = "forfeit-entitlements"
    PURGE_RESOURCES = "purge-resources"
    SEND_FINAL_NOTICE = "send-final-notice"
    ERASE_PERSONAL_DATA = "erase-personal-data"
    ISSUE_CERTIFICATE = "issue-certificate"


class Verification(StrEnum):
    """What comes before every phase, and destroys nothing; it can stall and be stuck like these."""

    VERIFY_AUTHORITY = "verify-authority"
    """That id, input, dossier and the platform's closure name the same account and request."""


DELETION_STAGES: tuple[tuple[DeletionPhase, ...], ...] = (
    (
        DeletionPhase.REVOKE_CREDENTIALS,
        DeletionPhase.UNBIND_THIRD_PARTIES,
        DeletionPhase.FORFEIT_ENTITLEMENTS,
        DeletionPhase.PURGE_RESOURCES,
    ),
    # Contact data must still exist when the last message goes out.
    (DeletionPhase.SEND_FINAL_NOTICE,),
    (DeletionPhase.ERASE_PERSONAL_DATA,),
    (DeletionPhase.ISSUE_CERTIFICATE,),
)
"""Stages run one after the other; the phases of a stage run together."""


class Receipt(Model):
    """What one phase did. `already_gone` is success: an earlier attempt, or somebody else, had done it.

    `given_up` is only ever set on the final notice, the one phase that may be abandoned.
    """

    phase: DeletionPhase
    counts: dict[str, Count] = {}
    already_gone: bool = False
    given_up: bool = False
    completed_at: Instant


class RetentionRule(StrEnum):
    """Why a class of records outlives the account; storage only (PIPL art. 47)."""

    ECOMMERCE_LAW_31 = "ECOMMERCE_LAW_31"
    INVOICE_MEASURES_28 = "INVOICE_MEASURES_28"
    CYBERSECURITY_LAW_23 = "CYBERSECURITY_LAW_23"
    PIPL_56_EVIDENCE_OF_CONSENT = "PIPL_56_EVIDENCE_OF_CONSENT"


class RetainedRecord(Model):
    record_class: str
    rule: RetentionRule
    keep_years: int
    keep_until: Instant


RETENTION_YEARS: dict[str, tuple[RetentionRule, int]] = {
    "transactions": (RetentionRule.ECOMMERCE_LAW_31, 3),
    "invoices": (RetentionRule.INVOICE_MEASURES_28, 5),
    # The law says at least six months; whole years keep the date unmistakable.
    "access-logs": (RetentionRule.CYBERSECURITY_LAW_23, 1),
    "cancellation-evidence": (RetentionRule.PIPL_56_EVIDENCE_OF_CONSENT, 3),
}
"""What stays, by which rule, for how many years after closure (terms to be confirmed by counsel before production)."""


def retained_records(closed_at: Instant) -> tuple[RetainedRecord, ...]:
    return tuple(
        RetainedRecord(record_class=name, rule=rule, keep_years=years, keep_until=_years_after(closed_at, years))
        for name, (rule, years) in RETENTION_YEARS.items()
    )


def _years_after(instant: Instant, years: int) -> Instant:
    try:
        return instant.replace(year=instant.year + years)
    except ValueError:  # 29 February
        return instant.replace(year=instant.year + years, month=3, day=1)


class Certificate(Model):
    """Proof of the closure, by request number. Counts and items, no personal data."""

    request_no: OpaqueId
    account_id: OpaqueId
    notice_version: str
    notice_sha256: Sha256Hex
    closed_at: Instant
    issued_at: Instant
    receipts: tuple[Receipt, ...]
    forfeited: tuple[Entitlement, ...]
    waived: tuple[Waiver, ...]
    retained: tuple[RetainedRecord, ...]
    previous: VaultRef


def dossier_path(account_id: str, sha256: str) -> str:
    """Where a dossier lies, named by its content: a repeat writes the same file, and a closure leads to its dossier."""
    return f"{dossiers_of(account_id)}/{sha256}.json"


def certificate_path(request_no: str, account_id: str) -> str:
    """By both: callers make request numbers, and two accounts may come to have the same."""
    return f"{certificates_of(request_no)}/{account_id}.json"


def certificates_of(request_no: str) -> str:
    """The folder of the certificates under a request number: one, unless a caller used the number twice."""
    return f"certificates/{request_no}"


def dossiers_of(account_id: str) -> str:
    return f"dossiers/{account_id}"


class DeletionInput(Model):
    """Everything a deletion needs, all of it to be had from the dossier: a lost history cannot lose a deletion.

    When the account was closed is not in it: the platform says that, and nobody else.
    A field that only a newer version knows is passed over.
    """

    model_config = ConfigDict(extra="ignore")

    request_no: OpaqueId
    account_id: OpaqueId
    locale: Locale
    dossier: VaultRef
    ticket: TicketRef | None
    final_notice_limit: timedelta
    stuck_after: timedelta = timedelta(hours=1)

    @classmethod
    def from_dossier(
        cls, dossier: Dossier, ref: VaultRef, final_notice_limit: timedelta, stuck_after: timedelta
    ) -> Self:
        return cls(
            request_no=dossier.request_no,
            account_id=dossier.account_id,
            locale=dossier.locale,
            dossier=ref,
            ticket=dossier.ticket,
            final_notice_limit=final_notice_limit,
            stuck_after=stuck_after,
        )


class DeletionStatus(StrEnum):
    RUNNING = "RUNNING"
    STUCK = "STUCK"
    """It goes on trying, and has done nothing else for the policy's `stuck_after`."""
    STALLED = "STALLED"
    """It waits for operations to put something right and to resume it."""
    FINISHED = "FINISHED"


class StalledPhase(Model):
    """A phase that waits for operations. `since` is the first of its failures, however often it was resumed."""

    phase: DeletionPhase | Verification
    error_type: str
    since: Instant


class StuckPhase(Model):
    """A phase that only retries. `since` is its first attempt, `attempts` and `error_type` are as last heard."""

    phase: DeletionPhase | Verification
    error_type: str
    attempts: Count
    since: Instant


class DeletionView(Model):
    account_id: OpaqueId
    request_no: OpaqueId
    status: DeletionStatus
    receipts: tuple[Receipt, ...] = ()
    stalled: tuple[StalledPhase, ...] = ()
    stuck: tuple[StuckPhase, ...] = ()
    certificate: VaultRef | None = None
    cancels_refused: Count = 0
