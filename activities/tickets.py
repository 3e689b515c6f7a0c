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


class TicketOrder(Model):
    """`revises` is the revision that this one must follow; None for a first filing. `needs` is what it must carry."""

    account_id: OpaqueId
    real_name_type: RealNameType
    ticket: TicketRef
    needs: TicketNeeds
    revises: TicketRef | None = None
    at: Instant


class TicketFacts(Model):
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
    async def read_ticket(self, order: TicketOrder) -> TicketFacts:
        """Verify that the form in the vault is this account's, unchanged, and follows the revision before it.

        Raises `TicketMismatch` when it is not, and `StaleNotice` when its statement names a notice that is not in
        force; both are final.
        """
        form = await self._vault.read(order.ticket.record, TicketForm)
        if not _belongs(form, order):
            raise GatewayError(
                ErrorType.TICKET_MISMATCH,
                f"Ticket {order.ticket.ticket_no} revision {order.ticket.revision} is not the one that account "
                f"{order.account_id} can file now; file it again with the account's own data.",
                retryable=False,
            )
        if form.statement and not is_current(form.statement.notice_version, form.statement.notice_sha256):
            raise GatewayError(
                ErrorType.STALE_NOTICE,
                f"The statement of ticket {order.ticket.ticket_no} names a notice that is no longer in force; "
                f"accept version {CURRENT_VERSION} and file again.",
                retryable=False,
            )
        return TicketFacts(
            ticket=order.ticket,
            missing=missing_parts(form, order.needs),
            acceptance=_acceptance(form, order.at),
            balance=form.balance,
            report_digest=form.report_digest,
            filed_by=form.filed_by,
        )


def _belongs(form: TicketForm, order: TicketOrder) -> bool:
    same = (form.ticket_no, form.revision, form.account_id, form.real_name_type) == (
        order.ticket.ticket_no,
        order.ticket.revision,
        order.account_id,
        order.real_name_type,
    )
    if order.revises is None:
        return same
    return (
        same
        and form.ticket_no == order.revises.ticket_no
        # Greater, not next: a revision that was stored but never reached its request keeps its number.
        and form.revision > order.revises.revision
        and form.previous_sha256 == order.revises.sha256
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
