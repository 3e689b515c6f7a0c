"""Tickets in the vault, as far as a workflow may know of them."""

from temporalio import activity

from domain.accounts import RealNameType
from domain.actors import Actor
from domain.deletion import NoticeAcceptance
from domain.errors import ErrorType
from domain.model import Instant, Model, OpaqueId, Sha256Hex
from domain.notices import CURRENT_VERSION, is_current
from domain.tickets import BalanceChoice, MissingPart, TicketForm, TicketNeeds, TicketRef, missing_parts
from gateways.errors import GatewayError
from gateways.ports import Vault


class ReadTicketInput(Model):
    """`revises` is the revision that this one must follow; None for a first filing. `needs` is what it must carry."""

    account_id: OpaqueId
    real_name_type: RealNameType
    ticket: TicketRef
    needs: TicketNeeds
    revises: TicketRef | None = None
    at: Instant


class ReadTicketResult(Model):
    """A ticket without its contact data. `acceptance` is the notice that the form says was accepted.

    `report_digest` is the report that was shown to whoever filed it.
    """

    ticket: TicketRef
    missing: tuple[MissingPart, ...]
    acceptance: NoticeAcceptance | None
    balance: BalanceChoice | None
    report_digest: Sha256Hex | None
    filed_by: OpaqueId


class TicketActivities:
    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    @activity.defn
    async def read_ticket(self, input: ReadTicketInput) -> ReadTicketResult:
        """Verify that the form in the vault is this account's, unchanged, and follows the revision before it.

        Raises `TicketMismatch` when it is not, and `StaleNotice` when its statement names a notice that is not in
        force; both are final.
        """
        form = await self._vault.read(input.ticket.record, TicketForm)
        if not _belongs(form, input):
            raise GatewayError(
                ErrorType.TICKET_MISMATCH,
                f"Ticket {input.ticket.ticket_no} revision {input.ticket.revision} is not the one that account "
                f"{input.account_id} can file now; file it again with the account's own data.",
                retryable=False,
            )
        if form.statement and not is_current(form.statement.notice_version, form.statement.notice_sha256):
            raise GatewayError(
                ErrorType.STALE_NOTICE,
                f"The statement of ticket {input.ticket.ticket_no} names a notice that is no longer in force; "
                f"accept version {CURRENT_VERSION} and file again.",
                retryable=False,
            )
        return ReadTicketResult(
            ticket=input.ticket,
            missing=missing_parts(form, input.needs),
            acceptance=_acceptance(form, input.at),
            balance=form.balance,
            report_digest=form.report_digest,
            filed_by=form.filed_by,
        )


def _belongs(form: TicketForm, input: ReadTicketInput) -> bool:
    same = (form.ticket_no, form.revision, form.account_id, form.real_name_type) == (
        input.ticket.ticket_no,
        input.ticket.revision,
        input.account_id,
        input.real_name_type,
    )
    if input.revises is None:
        return same
    return (
        same
        and form.ticket_no == input.revises.ticket_no
        # Greater, not next: a revision that was stored but never reached its request keeps its number.
        and form.revision > input.revises.revision
        and form.previous_sha256 == input.revises.sha256
    )


def _acceptance(form: TicketForm, at: Instant) -> NoticeAcceptance | None:
    """Only what was said: a letter consents to the cancellation, and names no notice."""
    if form.statement is None:
        return None
    return NoticeAcceptance(
        version=form.statement.notice_version,
        sha256=form.statement.notice_sha256,
        accepted_at=at,
        by=Actor(subject=form.filed_by, via=form.filed_via),
    )
