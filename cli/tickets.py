"""The work of support staff on manual requests."""

import asyncio
import os
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import structlog
from cyclopts import Parameter
from cyclopts.types import PositiveInt

from cli import ticket_screens
from cli.answers import Answer, UsageError
from cli.parameters import (
    Digest,
    Flag,
    Id,
    Moment,
    OrStdin,
    Several,
    TicketNo,
    or_stdin,
)
from cli.session import open_session
from domain.business_calendar import load
from domain.checks import Check
from domain.letters import LetterOriginal
from domain.model import Model, OpaqueId
from domain.tickets import Decision, DecisionKind, DecisionReason, ReviewStatus
from i18n.time_left import TimeLeft

if TYPE_CHECKING:
    from service.cancellation_service import CancellationService
    from service.queue import Bucket, QueuedTicket

log = structlog.get_logger()

Reasons = Annotated[tuple[DecisionReason, ...], Several, Parameter(name="--reason")]


@Parameter(name="*")
@dataclass(frozen=True)
class By:
    """What every decision carries."""

    operator: Id
    "Opaque id of the reviewer. The applicant cannot decide."
    note: Annotated[str | None, OrStdin] = None
    "Free text for the file, or - for standard input. It goes to the vault; only its reference travels."
    signal: Flag = False
    "Send it without waiting for an answer: goes through while no worker runs."
    decided_at: Moment | None = None
    "ISO 8601 with time zone; now unless given. Whether a decision is late goes by this."
    revision: Digest | None = None
    "Digest of the revision that the reviewer read; the present one unless given."
    report: Digest | None = None
    "Digest of the report that the reviewer read; that of the ticket unless given."
    decision_id: Id | None = None
    "Repeat a decision under its id to get the first answer again; a new id unless given."


class DecisionSent(Model):
    """`status` and `late` are None for a signal, which has no answer."""

    ticket_no: OpaqueId
    decision_id: OpaqueId
    kind: DecisionKind
    status: ReviewStatus | None = None
    late: bool | None = None


class OriginalHandedOut(Model):
    """What was sent with a revision, and now lies in a file."""

    ticket_no: OpaqueId
    revision: int
    original: LetterOriginal


async def list_tickets(*, limit: PositiveInt = 50) -> Answer:
    """List the queue.

    Parameters
    ----------
    limit
        How many tickets to show. The counts are of all.
    """
    from service.queue import buckets  # noqa: PLC0415 - heavy

    now = datetime.now(UTC)
    rows: list[tuple[QueuedTicket, TimeLeft]] = []
    counts: Counter[str] = Counter()
    async with open_session() as session:
        calendar = load(session.settings.calendar_dir)
        for bucket in buckets(calendar, now):
            tickets, in_all = await _first_of(session.cancellations, bucket, limit - len(rows))
            counts[bucket.kind] += in_all
            rows += [(ticket, TimeLeft.of(ticket.status, ticket.due_at, calendar, now)) for ticket in tickets]
    listed = [
        {**ticket.model_dump(mode="json"), "business_days_left": left.days, "late": left.late} for ticket, left in rows
    ]
    total = counts.total()
    return Answer({"tickets": listed, "counts": {**counts, "TOTAL": total}}, partial(ticket_screens.queue, rows, total))


async def _first_of(
    cancellations: "CancellationService", bucket: "Bucket", limit: int
) -> "tuple[list[QueuedTicket], int]":
    """At most `limit` tickets of a bucket, and how many there are in all: counted only where they are not all here."""
    found: list[QueuedTicket] = []
    token = None
    while len(found) < limit:
        page = await cancellations.queued(bucket, limit - len(found), token)
        found += page.tickets
        if (token := page.next_token) is None:
            return found, len(found)
    return found, await cancellations.queue_count(bucket)


async def show(ticket_no: TicketNo, /) -> Answer:
    """Show a ticket."""
    async with open_session() as session:
        review = await session.cancellations.review(ticket_no)
        calendar = load(session.settings.calendar_dir)
    due_at = review.clock.due_at if review.clock else None
    left = TimeLeft.of(review.status, due_at, calendar, datetime.now(UTC))
    return Answer(review, partial(ticket_screens.review, review, left))


async def original(ticket_no: TicketNo, /, *, operator: Id, out: Path) -> Answer:
    """Hand out the letter as it was sent.

    Parameters
    ----------
    operator
        Opaque id of the lead who answers for it.
    out
        Where to put it; a file that is there is left as it is.
    """
    async with open_session() as session:
        form = await session.tickets.load((await session.cancellations.review(ticket_no)).case.ticket)
        content = await session.tickets.read_original(form)
    assert form.letter is not None
    log.warning("Handed out the original of a letter", ticket_no=ticket_no, operator=operator)
    try:
        await asyncio.to_thread(_write_new, out, content)
    except OSError as error:
        raise UsageError(f"--out cannot be written ({type(error).__name__}): name a new file in a folder.") from None
    handed_out = OriginalHandedOut(ticket_no=ticket_no, revision=form.revision, original=form.letter.original)
    return Answer(handed_out, partial(ticket_screens.original, out))


def _write_new(file: Path, content: bytes) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
        written.write(content)


async def approve(
    ticket_no: TicketNo,
    /,
    *,
    by: By,
    waive: Annotated[tuple[Check, ...] | None, Several] = None,
    attest_identity: Flag = False,
) -> Answer:
    """Approve a ticket.

    Parameters
    ----------
    waive
        The checks to set aside, such as BALANCE,ICP_FILING; all that the ticket asks for unless given.
    attest_identity
        Identity was established by other means; required where no phone or e-mail is verified.
    """
    return await _decide(DecisionKind.APPROVE, ticket_no, by, waive=waive, attested=attest_identity)


async def reject(ticket_no: TicketNo, /, *, by: By, reason: Reasons = ()) -> Answer:
    """Reject a ticket.

    Parameters
    ----------
    reason
        At least one, by commas or repeated.
    """
    return await _decide(DecisionKind.REJECT, ticket_no, by, reasons=reason)


async def request_materials(ticket_no: TicketNo, /, *, by: By, reason: Reasons = ()) -> Answer:
    """Request materials.

    Parameters
    ----------
    reason
        What is wrong or missing; at least one, by commas or repeated.
    """
    return await _decide(DecisionKind.REQUEST_MATERIALS, ticket_no, by, reasons=reason)


async def _decide(
    kind: DecisionKind,
    ticket_no: str,
    by: By,
    *,
    reasons: tuple[DecisionReason, ...] = (),
    waive: tuple[Check, ...] | None = (),
    attested: bool = False,
) -> Answer:
    from service.deciding import decide  # noqa: PLC0415 - heavy

    note = or_stdin(by.note) if by.note else None
    async with open_session() as session:
        revision, report = by.revision, by.report
        if waive is None or revision is None or report is None:
            # Needs a worker, which a signal that says everything can do without.
            case = (await session.cancellations.review(ticket_no)).case
            waive = tuple(waiver.check for waiver in case.waivers_asked) if waive is None else waive
            revision, report = revision or case.ticket.sha256, report or case.report.digest
        decision = Decision(
            decision_id=by.decision_id or str(uuid4()),
            ticket_no=ticket_no,
            operator_id=by.operator,
            decided_at=by.decided_at or datetime.now(UTC),
            revision_sha256=revision,
            report_digest=report,
            reason_codes=reasons,
            waived=waive,
            identity_attested=attested,
        )
        sent = DecisionSent(ticket_no=ticket_no, decision_id=decision.decision_id, kind=kind)
        if by.signal:
            if note:
                decision = decision.model_copy(update={"note_ref": await session.tickets.put_note(ticket_no, note)})
            await session.cancellations.signal_decision(kind, decision)
        else:
            answer = await decide(session.cancellations, session.tickets, kind, decision, note)
            sent = sent.model_copy(update={"status": answer.status, "late": answer.late})
    return Answer(sent, partial(ticket_screens.decision, ticket_no, sent.status, sent.late))
