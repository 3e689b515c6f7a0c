"""A decision with free text for the file: one way for the console, the API and the command line."""

from domain.errors import Refusal
from domain.messages import DecisionAnswer
from domain.tickets import Decision, DecisionKind, why_ignored
from service.cancellation_service import CancellationService
from service.ticket_files import TicketFiles


async def decide(
    cancellations: CancellationService, tickets: TicketFiles, kind: DecisionKind, decision: Decision, note: str | None
) -> DecisionAnswer:
    """Decide. A decision that will not count leaves no note in the vault; the review itself says why it does not."""
    if note:
        review = await cancellations.review(decision.ticket_no)
        if why_ignored(review.case, review.status, review.decisions, kind, decision) is None:
            note_ref = await tickets.put_note(decision.ticket_no, note)
            try:
                return await cancellations.decide(kind, decision.model_copy(update={"note_ref": note_ref}))
            except Refusal:
                # Somebody else was first after all.
                await tickets.discard_note(decision.ticket_no, note_ref)
                raise
    return await cancellations.decide(kind, decision)
