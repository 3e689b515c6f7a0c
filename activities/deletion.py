"""The phases of deletion. Each is idempotent, and "already gone" is success. Only `AccountDeletion` calls them."""

import asyncio
from datetime import timedelta
from enum import StrEnum

from temporalio import activity

from activities.account import certificate_of
from activities.eligibility import all_forfeits
from activities.failures import permanent_key
from domain.accounts import Closure
from domain.deletion import (
    Certificate,
    DeletionInput,
    DeletionPhase,
    Dossier,
    Receipt,
    certificate_path,
    dossier_path,
    retained_records,
)
from domain.errors import ErrorType
from domain.model import Instant, Model, VaultRef
from domain.notifications import Template
from domain.tickets import TicketForm
from gateways.contract import (
    AccountNotification,
    ClosurePhase,
    ContactNotification,
    PhaseReceipt,
    PhaseRunning,
    TicketContact,
)
from gateways.errors import GatewayError
from gateways.ports import Platform, Vault

POLLED_FOR = timedelta(minutes=20)
"""How long one attempt watches work that takes hours at the platform. Then it says so, and is asked again."""


class PhaseInput(Model):
    deletion: DeletionInput
    at: Instant


class PhaseResult(Model):
    """`receipt` is None while the platform is still at it: no trouble, and not the end."""

    receipt: Receipt | None


class Mismatch(StrEnum):
    """Where a deletion's input says something else than the platform's record of the closure, or than the dossier."""

    NOT_CLOSED = "NOT_CLOSED"
    CLOSED_BY_ANOTHER_REQUEST = "CLOSED_BY_ANOTHER_REQUEST"
    CLOSED_ON_ANOTHER_DOSSIER = "CLOSED_ON_ANOTHER_DOSSIER"
    DOSSIER_OF_ANOTHER = "DOSSIER_OF_ANOTHER"


class VerifyAuthorityResult(Model):
    """Either a mismatch, or nothing speaks against the deletion: then `closed_at` is the platform's own."""

    mismatch: Mismatch | None = None
    closed_at: Instant | None = None


class SendFinalNoticeInput(Model):
    deletion: DeletionInput
    closed_at: Instant
    at: Instant


class IssueCertificateInput(Model):
    deletion: DeletionInput
    closed_at: Instant
    receipts: tuple[Receipt, ...]
    at: Instant


class IssueCertificateResult(Model):
    receipt: Receipt
    certificate: VaultRef


class DeletionActivities:
    def __init__(self, platform: Platform, vault: Vault) -> None:
        self._platform = platform
        self._vault = vault

    @activity.defn
    async def verify_authority(self, input: PhaseInput) -> VerifyAuthorityResult:
        """Hold the deletion's input against the platform's own record of the closure, and against the dossier.

        A dossier that is missing or changed is an error, for operations to put right: the account *is* closed. So is an
        account that the platform does not know: without its record nobody can say whether and when it was closed.
        """
        deletion = input.deletion
        closure = (await self._platform.profile(deletion.account_id)).closure
        if closure is None:
            return VerifyAuthorityResult(mismatch=Mismatch.NOT_CLOSED)
        if mismatch := _against_closure(deletion, closure):
            return VerifyAuthorityResult(mismatch=mismatch)
        dossier = await self._vault.read(deletion.dossier, Dossier)
        limits = deletion.final_notice_limit, deletion.stuck_after
        if deletion != DeletionInput.from_dossier(dossier, deletion.dossier, *limits):
            return VerifyAuthorityResult(mismatch=Mismatch.DOSSIER_OF_ANOTHER)
        return VerifyAuthorityResult(closed_at=closure.closed_at)

    @activity.defn
    async def revoke_credentials(self, input: PhaseInput) -> PhaseResult:
        """Access keys, sub-users, sessions, and access granted to other accounts."""
        return await self._run(input, DeletionPhase.REVOKE_CREDENTIALS)

    @activity.defn
    async def unbind_third_parties(self, input: PhaseInput) -> PhaseResult:
        """Undo the bindings on this side; the third party's own account lives on."""
        return await self._run(input, DeletionPhase.UNBIND_THIRD_PARTIES)

    @activity.defn
    async def forfeit_entitlements(self, input: PhaseInput) -> PhaseResult:
        return await self._run(input, DeletionPhase.FORFEIT_ENTITLEMENTS)

    @activity.defn
    async def purge_resources(self, input: PhaseInput) -> PhaseResult:
        return await self._run(input, DeletionPhase.PURGE_RESOURCES)

    @activity.defn
    async def erase_personal_data(self, input: PhaseInput) -> PhaseResult:
        return await self._run(input, DeletionPhase.ERASE_PERSONAL_DATA)

    async def _run(self, input: PhaseInput, phase: ClosurePhase) -> PhaseResult:
        account_id, key = input.deletion.account_id, permanent_key()
        clock = asyncio.get_running_loop().time
        # Well before it would count as stuck: work that is under way is no trouble.
        until = clock() + min(POLLED_FOR, input.deletion.stuck_after / 2).total_seconds()
        try:
            done = await self._platform.run_closure_phase(account_id, phase, key)
            while isinstance(done, PhaseRunning) and (left := until - clock()) > 0:
                await _beat_for(min(done.poll_after_seconds, left))
                done = await self._look(account_id, phase, key)
        except GatewayError as error:
            if error.type is ErrorType.ACCOUNT_UNKNOWN:
                # Past the closure there is only one reason for it: everything is gone already.
                return PhaseResult(receipt=Receipt(phase=phase, already_gone=True, completed_at=input.at))
            raise
        if isinstance(done, PhaseRunning):
            return PhaseResult(receipt=None)
        return PhaseResult(
            receipt=Receipt(
                phase=phase, counts=done.counts, already_gone=done.already_gone, completed_at=done.completed_at
            )
        )

    async def _look(self, account_id: str, phase: ClosurePhase, key: str) -> PhaseReceipt | PhaseRunning:
        try:
            return await self._platform.closure_phase_status(account_id, phase, key)
        except GatewayError as error:
            if error.type is ErrorType.PHASE_UNKNOWN:
                # The platform has lost it, and under the same key nothing is begun twice.
                return await self._platform.run_closure_phase(account_id, phase, key)
            raise

    @activity.defn
    async def send_final_notice(self, input: SendFinalNoticeInput) -> Receipt:
        """Tell the owner that the account is gone, at the bound contacts and at the ticket's, while these exist."""
        deletion = input.deletion
        params = {"request_no": deletion.request_no, "closed_at": input.closed_at.isoformat()}
        messages = await self._notify_account(
            deletion.account_id,
            AccountNotification(template=Template.ACCOUNT_CLOSED, locale=deletion.locale, params=params),
        )
        if deletion.ticket is not None:
            form = await self._vault.read(deletion.ticket.record, TicketForm)
            told = await self._platform.notify_contact(
                ContactNotification(
                    template=Template.ACCOUNT_CLOSED,
                    locale=deletion.locale,
                    params=params,
                    contact=TicketContact(email=form.contact_email, phone=form.contact_phone),
                ),
                f"{permanent_key()}:ticket",
            )
            messages += told.delivered
        return Receipt(phase=DeletionPhase.SEND_FINAL_NOTICE, counts={"messages": messages}, completed_at=input.at)

    async def _notify_account(self, account_id: str, message: AccountNotification) -> int:
        try:
            return (await self._platform.notify_account(account_id, message, permanent_key())).delivered
        except GatewayError as error:
            if error.type is ErrorType.ACCOUNT_UNKNOWN:
                return 0
            raise

    @activity.defn
    async def issue_certificate(self, input: IssueCertificateInput) -> IssueCertificateResult:
        """Write the certificate once. A repeat, by a retry or after a restart, answers the first one."""
        deletion = input.deletion
        found = await certificate_of(self._vault, deletion)
        if found is not None:
            first, ref = found
            return IssueCertificateResult(receipt=_certificate_receipt(first.issued_at, again=True), certificate=ref)
        dossier = await self._vault.read(deletion.dossier, Dossier)
        forfeits = dossier.sealing_report.entitlements
        certificate = Certificate(
            request_no=deletion.request_no,
            account_id=deletion.account_id,
            notice_version=dossier.notice.version,
            notice_sha256=dossier.notice.sha256,
            closed_at=input.closed_at,
            issued_at=input.at,
            receipts=input.receipts,
            forfeited=(await all_forfeits(self._vault, forfeits)).items if forfeits else (),
            waived=dossier.waivers,
            retained=retained_records(input.closed_at),
            previous=deletion.dossier,
        )
        ref = await self._vault.put_evidence(certificate_path(deletion.request_no, deletion.account_id), certificate)
        return IssueCertificateResult(receipt=_certificate_receipt(input.at, again=False), certificate=ref)


def _against_closure(deletion: DeletionInput, closure: Closure) -> Mismatch | None:
    if closure.request_id != deletion.request_no:
        return Mismatch.CLOSED_BY_ANOTHER_REQUEST
    # The place, too: the certificate names it, and a copy elsewhere may go away.
    path = dossier_path(deletion.account_id, closure.dossier_sha256)
    if deletion.dossier != VaultRef(path=path, sha256=closure.dossier_sha256):
        return Mismatch.CLOSED_ON_ANOTHER_DOSSIER
    return None


async def _beat_for(seconds: float) -> None:
    """Wait, and say now and then that this attempt is alive: a killed worker's is taken up by another one soon."""
    while seconds > 0:
        activity.heartbeat()
        await asyncio.sleep(min(seconds, 5))
        seconds -= 5
    activity.heartbeat()


def _certificate_receipt(at: Instant, *, again: bool) -> Receipt:
    return Receipt(
        phase=DeletionPhase.ISSUE_CERTIFICATE, counts={"certificates": 1}, already_gone=again, completed_at=at
    )
