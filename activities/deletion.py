"""The phases of deletion. Each is idempotent, and "already gone" is success. Only `AccountDeletion` calls them."""

from temporalio import activity

from activities.failures import permanent_key
from domain.deletion import (
    Certificate,
    DeletionInput,
    DeletionPhase,
    Dossier,
    Receipt,
    certificate_path,
    retained_records,
)
from domain.model import Instant, Model, VaultRef
from domain.notifications import Template
from domain.tickets import TicketForm
from gateways.contract import AccountNotification, ClosurePhase, ContactNotification, TicketContact
from gateways.ports import Platform, Vault


class PhaseOrder(Model):
    deletion: DeletionInput
    at: Instant


class CertificateOrder(Model):
    deletion: DeletionInput
    receipts: tuple[Receipt, ...]
    at: Instant


class CertificateIssued(Model):
    receipt: Receipt
    certificate: VaultRef


class DeletionActivities:
    def __init__(self, platform: Platform, vault: Vault) -> None:
        self._platform = platform
        self._vault = vault

    @activity.defn
    async def revoke_credentials(self, order: PhaseOrder) -> Receipt:
        """Access keys, sub-users, sessions, and access granted to other accounts."""
        return await self._run(order, DeletionPhase.REVOKE_CREDENTIALS)

    @activity.defn
    async def unbind_third_parties(self, order: PhaseOrder) -> Receipt:
        """Undo the bindings on this side; the third party's own account lives on."""
        return await self._run(order, DeletionPhase.UNBIND_THIRD_PARTIES)

    @activity.defn
    async def forfeit_entitlements(self, order: PhaseOrder) -> Receipt:
        return await self._run(order, DeletionPhase.FORFEIT_ENTITLEMENTS)

    @activity.defn
    async def purge_resources(self, order: PhaseOrder) -> Receipt:
        return await self._run(order, DeletionPhase.PURGE_RESOURCES)

    @activity.defn
    async def erase_personal_data(self, order: PhaseOrder) -> Receipt:
        return await self._run(order, DeletionPhase.ERASE_PERSONAL_DATA)

    async def _run(self, order: PhaseOrder, phase: DeletionPhase) -> Receipt:
        done = await self._platform.run_closure_phase(
            order.deletion.account_id, ClosurePhase(phase.value), permanent_key()
        )
        return Receipt(phase=phase, counts=done.counts, already_gone=done.already_gone, completed_at=done.completed_at)

    @activity.defn
    async def send_final_notice(self, order: PhaseOrder) -> Receipt:
        """Tell the owner that the account is gone, at the bound contacts and at the ticket's, while these exist."""
        deletion = order.deletion
        params = {"request_no": deletion.request_no, "closed_at": deletion.closed_at.isoformat()}
        told = await self._platform.notify_account(
            deletion.account_id,
            AccountNotification(template=Template.ACCOUNT_CLOSED, locale=deletion.locale, params=params),
            permanent_key(),
        )
        messages = told.delivered
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
        return Receipt(phase=DeletionPhase.SEND_FINAL_NOTICE, counts={"messages": messages}, completed_at=order.at)

    @activity.defn
    async def issue_certificate(self, order: CertificateOrder) -> CertificateIssued:
        """Write the certificate once. A repeat, by a retry or after a restart, answers the first one."""
        deletion = order.deletion
        path = certificate_path(deletion.request_no)
        found = await self._vault.find(path, Certificate)
        if found is not None:
            first, ref = found
            return CertificateIssued(receipt=_certificate_receipt(first.issued_at, again=True), certificate=ref)
        dossier = await self._vault.read(deletion.dossier, Dossier)
        entitlements = dossier.sealing_report.entitlements
        certificate = Certificate(
            request_no=deletion.request_no,
            account_id=deletion.account_id,
            notice_version=dossier.notice.version,
            notice_sha256=dossier.notice.sha256,
            closed_at=deletion.closed_at,
            issued_at=order.at,
            receipts=order.receipts,
            forfeited=entitlements.items if entitlements else (),
            waived=dossier.waivers,
            retained=retained_records(deletion.closed_at),
            previous=deletion.dossier,
        )
        ref = await self._vault.put_evidence(path, certificate)
        return CertificateIssued(receipt=_certificate_receipt(order.at, again=False), certificate=ref)


def _certificate_receipt(at: Instant, *, again: bool) -> Receipt:
    return Receipt(
        phase=DeletionPhase.ISSUE_CERTIFICATE, counts={"certificates": 1}, already_gone=again, completed_at=at
    )
