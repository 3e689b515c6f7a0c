"""A manual request, filed or completed: one way for the owner's pages, the API, the command line and the demo."""

from datetime import datetime

from pydantic import Field

from domain.actors import Actor
from domain.errors import Refusal
from domain.messages import CancellationView
from domain.model import Model, Sha256Hex
from domain.phases import Step
from domain.tickets import BalanceChoice, TicketRef
from service.cancellation_service import CancellationService
from service.refusals import require
from service.ticket_files import HandedLetter, TicketChanges, TicketFiles, TicketSubmission


class Paper(Model):
    """What somebody hands in. A contact that is None stays as it was; `balance` is the word about the money."""

    contact_email: str | None = None
    contact_phone: str | None = None
    statement_accepted: bool = False
    notice_version: str = Field(max_length=40)
    notice_sha256: Sha256Hex
    balance: BalanceChoice | None = None


async def file_ticket(
    cancellations: CancellationService,
    tickets: TicketFiles,
    account_id: str,
    paper: Paper,
    letter: HandedLetter | None,
    *,
    report_digest: str,
    by: Actor,
    now: datetime,
    key: str | None = None,
) -> CancellationView:
    """File a ticket about the report that was shown. What is refused leaves nothing in the vault but the letter's
    draft, which goes with the filing. Raises as `TicketFiles` does.
    """
    if taken := await cancellations.taken(account_id, Step.FILE_TICKET, key):
        return taken
    view = await cancellations.view(account_id)
    require(view, Step.FILE_TICKET, report_digest=report_digest)
    assert view.real_name_type is not None
    assert view.ticket_needs is not None
    draft = TicketSubmission(
        account_id=account_id,
        real_name_type=view.real_name_type,
        report_digest=report_digest,
        contact_email=paper.contact_email or "",
        contact_phone=paper.contact_phone or "",
        statement_accepted=paper.statement_accepted,
        notice_version=paper.notice_version,
        notice_sha256=paper.notice_sha256,
        balance=paper.balance,
        by=by,
    )
    ticket = await tickets.file(draft, letter, needs=view.ticket_needs, now=now)
    try:
        answer = await cancellations.file_ticket(account_id, ticket, by, key=key)
    except Refusal:
        await tickets.discard(ticket)
        raise
    if answer.review and answer.review.ticket != ticket:
        # The same key again, and so the answer to the filing before this one: this ticket is nobody's.
        await tickets.discard(ticket)
    await tickets.drafts.discard(account_id)
    return answer


async def supply_materials(
    cancellations: CancellationService,
    tickets: TicketFiles,
    account_id: str,
    paper: Paper,
    letter: HandedLetter | None,
    *,
    by: Actor,
    now: datetime,
    previous: TicketRef | None = None,
    key: str | None = None,
) -> CancellationView:
    """File the next revision of the open ticket; `previous` is the one that it follows, the latest unless given."""
    if taken := await cancellations.taken(account_id, Step.SUPPLY_MATERIALS, key):
        return taken
    view = await cancellations.view(account_id)
    require(view, Step.SUPPLY_MATERIALS)
    assert view.review is not None
    assert view.ticket_needs is not None
    changes = TicketChanges(
        contact_email=paper.contact_email,
        contact_phone=paper.contact_phone,
        statement_accepted=paper.statement_accepted,
        notice_version=paper.notice_version,
        notice_sha256=paper.notice_sha256,
        balance=paper.balance,
        by=by,
    )
    previous = previous or view.review.ticket
    ticket = await tickets.supply(previous, changes, letter, needs=view.ticket_needs, now=now)
    try:
        answer = await cancellations.supply_materials(account_id, ticket, by, key=key)
    except Refusal:
        await tickets.discard(ticket)
        raise
    if answer.review and answer.review.ticket != ticket and answer.review.ticket.revision > previous.revision:
        # As above. While the review has not yet heard of this one, it still shows the one before, or an earlier one.
        await tickets.discard(ticket)
    await tickets.drafts.discard(account_id)
    return answer
