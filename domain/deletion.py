"""What the point of no return consists of: the dossier before it, the stages of deletion, the certificate after it."""

from datetime import timedelta
from enum import StrEnum
from typing import Self

from domain.accounts import Channel, RealNameType
from domain.checks import EligibilityReport, Entitlement, Waiver
from domain.locale import Locale
from domain.model import Count, Instant, Model, OpaqueId, Sha256Hex, VaultRef
from domain.tickets import RecordedDecision, TicketRef


class IdentityMethod(StrEnum):
    CODE = "CODE"
    ATTESTED = "ATTESTED"


class IdentityEvidence(Model):
    """How identity was proven: a code to a verified channel, or a reviewer's attestation in a decision.

    `evidence_id` is the challenge's or the decision's id.
    """

    method: IdentityMethod
    channel: Channel | None
    evidence_id: OpaqueId
    verified_at: Instant


class NoticeAcceptance(Model):
    version: str
    sha256: Sha256Hex
    accepted_at: Instant


class Confirmation(Model):
    report_digest: Sha256Hex
    confirmed_at: Instant


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
    return f"dossiers/{account_id}/{sha256}.json"


def certificate_path(request_no: str) -> str:
    return f"certificates/{request_no}.json"


class DeletionInput(Model):
    """Everything a deletion needs, all of it to be had from the dossier: a lost history cannot lose a deletion."""

    request_no: OpaqueId
    account_id: OpaqueId
    locale: Locale
    closed_at: Instant
    dossier: VaultRef
    ticket: TicketRef | None
    final_notice_limit: timedelta

    @classmethod
    def from_dossier(cls, dossier: Dossier, ref: VaultRef, closed_at: Instant, final_notice_limit: timedelta) -> Self:
        return cls(
            request_no=dossier.request_no,
            account_id=dossier.account_id,
            locale=dossier.locale,
            closed_at=closed_at,
            dossier=ref,
            ticket=dossier.ticket,
            final_notice_limit=final_notice_limit,
        )


class DeletionStatus(StrEnum):
    RUNNING = "RUNNING"
    STALLED = "STALLED"
    FINISHED = "FINISHED"


class StalledPhase(Model):
    phase: DeletionPhase
    error_type: str
    since: Instant


class DeletionView(Model):
    account_id: OpaqueId
    request_no: OpaqueId
    status: DeletionStatus
    receipts: tuple[Receipt, ...] = ()
    stalled: tuple[StalledPhase, ...] = ()
    certificate: VaultRef | None = None
    cancels_refused: Count = 0
