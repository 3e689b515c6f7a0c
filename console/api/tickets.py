"""Support staff's work by program: the queue by deadline, a ticket with its form and letter, and the decision."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from console.api.document import TOKEN, VAULT, problems
from console.auth.authorization import Visitor
from console.letters import letter_file
from console.services import Services, WithServices
from domain.accounts import RealNameType
from domain.checks import Check, Reason
from domain.errors import ErrorType, Refusal
from domain.letters import LetterType
from domain.messages import DecisionAnswer, ReviewView
from domain.model import Count, Instant, Model, Sha256Hex, TypedId
from domain.tickets import Decision, DecisionKind, DecisionReason, TicketForm
from service.deciding import decide
from service.queue import MAX_PAGE, Bucket, BucketKind, QueuedTicket, QueueFilter, buckets
from service.ticket_files import MAX_NOTE_CHARACTERS

router = APIRouter(tags=["Tickets"], dependencies=[TOKEN])


class Wanted(Model):
    """Which tickets. Each part narrows the list."""

    real_name_type: RealNameType | SkipJsonSchema[None] = None
    reason: Reason | SkipJsonSchema[None] = Field(None, description="Only tickets that ask for this to be waived.")

    @property
    def filter(self) -> QueueFilter:
        return QueueFilter(real_name_type=self.real_name_type, reason=self.reason)


class Listing(Wanted):
    bucket: Annotated[str, Field(pattern="^[A-Z_]{1,30}(-[0-9]{4}-[0-9]{2}-[0-9]{2})?$")] | SkipJsonSchema[None] = (
        Field(None, description="One bucket alone, by its `key`.", examples=["LATE"])
    )
    limit: int = Field(50, ge=1, le=MAX_PAGE)
    cursor: str | SkipJsonSchema[None] = Field(
        None, max_length=4000, description="`next_cursor` of the page before, with the same filter."
    )


class BucketListed(Model):
    """Tickets that are due together. `due_at` is the day-end that all of them share, where they share one."""

    key: str
    kind: BucketKind
    due_at: Instant | None
    count: Count


class BucketList(Model):
    buckets: tuple[BucketListed, ...]


class TicketPage(Model):
    """Without `next_cursor` these are the last."""

    tickets: tuple[QueuedTicket, ...]
    next_cursor: str | None


class TicketShown(Model):
    """`form` is what was filed, with the contacts; `review` is what is decided by, and what was decided so far."""

    review: ReviewView
    form: TicketForm


class Decide(Model):
    """Who decides, and when, is not in it: that is the token's subject, and now.

    `revision_sha256` and `report_digest` name what the reviewer looked at (`review.case.ticket.sha256` and
    `review.case.report.digest`): a decision about anything else is refused as stale.
    `waived` and `identity_attested` belong to an approval, `reason_codes` to everything else. The same `decision_id`
    again gets the first answer again.
    """

    kind: DecisionKind
    decision_id: TypedId = Field(examples=["D-20261124-0007"])
    revision_sha256: Sha256Hex
    report_digest: Sha256Hex
    reason_codes: tuple[DecisionReason, ...] = ()
    waived: tuple[Check, ...] = ()
    identity_attested: bool = Field(False, strict=True)
    note: str | None = Field(
        None,
        max_length=MAX_NOTE_CHARACTERS,
        pattern=r"[^\s\x00-\x1f]",
        description="Free text for the file. It goes to the vault, and nowhere else.",
    )


@router.get("/ticket-buckets", responses=problems())
async def api_ticket_buckets(services: WithServices, wanted: Annotated[Wanted, Query()]) -> BucketList:
    """How many tickets are due when: late ones, each coming business day, those that wait for their owner."""
    found = buckets(services.calendar, services.now(), wanted.filter)
    return BucketList(
        buckets=tuple(
            [
                BucketListed(
                    key=bucket.key,
                    kind=bucket.kind,
                    due_at=bucket.due_at,
                    count=await services.cancellations.queue_count(bucket),
                )
                for bucket in found
            ]
        )
    )


@router.get("/tickets", responses=problems(ErrorType.NOT_FOUND))
async def api_tickets(services: WithServices, listing: Annotated[Listing, Query()]) -> TicketPage:
    """The open tickets, those that are due first at the head; then those that wait for their owner."""
    queue = buckets(services.calendar, services.now(), listing.filter)
    at, token = _read(listing.cursor)
    names = [bucket.key for bucket in queue]
    for name in filter(None, (listing.bucket, at)):
        if name not in names:
            raise _no_such_page()
    if listing.bucket:
        queue = (queue[names.index(listing.bucket)],)
        if at not in (None, listing.bucket):
            raise _no_such_page()
    elif at:
        queue = queue[names.index(at) :]
    return await _page(services, queue, listing.limit, token)


async def _page(services: Services, queue: tuple[Bucket, ...], limit: int, token: str | None) -> TicketPage:
    found: list[QueuedTicket] = []
    for bucket in queue:
        if len(found) == limit:
            return TicketPage(tickets=tuple(found), next_cursor=_cursor(bucket, None))
        try:
            page = await services.cancellations.queued(bucket, limit - len(found), token)
        except Refusal as refusal:
            raise _no_such_page() if refusal.type is ErrorType.BAD_INPUT else refusal from None
        token = None
        found += page.tickets
        if page.next_token:
            return TicketPage(tickets=tuple(found), next_cursor=_cursor(bucket, page.next_token))
    return TicketPage(tickets=tuple(found), next_cursor=None)


def _cursor(bucket: Bucket, token: str | None) -> str:
    return urlsafe_b64encode(f"{bucket.key} {token or ''}".encode()).decode()


def _read(cursor: str | None) -> tuple[str | None, str | None]:
    """The bucket's key, and the place in it."""
    if cursor is None:
        return None, None
    try:
        key, _, token = urlsafe_b64decode(cursor).decode().partition(" ")
    except ValueError:
        raise _no_such_page() from None
    return key, token or None


def _no_such_page() -> Refusal:
    return Refusal(
        ErrorType.NOT_FOUND,
        "The queue has no such page; a day may have ended since. Begin with the first one (without `cursor`), and take "
        "`bucket` from the list of buckets.",
    )


@router.get("/tickets/{ticket_no}", responses=problems(ErrorType.NOT_FOUND, *VAULT))
async def api_ticket(services: WithServices, ticket_no: TypedId) -> TicketShown:
    """Everything to decide by: the report, what is asked to be waived, the clock, the contacts, earlier decisions."""
    review = await services.cancellations.review(ticket_no)
    return TicketShown(review=review, form=await services.tickets.load(review.case.ticket))


@router.post(
    "/tickets/{ticket_no}/decisions",
    responses=problems(ErrorType.NOT_FOUND, ErrorType.DECISION_REFUSED, ErrorType.VAULT_UNAVAILABLE, body=True),
)
async def api_decide(services: WithServices, visitor: Visitor, ticket_no: TypedId, wish: Decide) -> DecisionAnswer:
    """Decide. A decision that does not count is refused: why (`because`), and who was first (`decided_by`)."""
    decision = Decision(
        decision_id=wish.decision_id,
        ticket_no=ticket_no,
        operator_id=visitor.subject,
        decided_at=services.now(),
        revision_sha256=wish.revision_sha256,
        report_digest=wish.report_digest,
        reason_codes=wish.reason_codes,
        waived=wish.waived,
        identity_attested=wish.identity_attested,
    )
    return await decide(services.cancellations, services.tickets, wish.kind, decision, wish.note)


_LETTER: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}


@router.get(
    "/tickets/{ticket_no}/letter",
    response_class=Response,
    responses={
        200: {"description": "All pages, as pictures.", "content": {LetterType.PDF.value: _LETTER}},
        **problems(ErrorType.NOT_FOUND, *VAULT),
    },
)
async def api_letter(services: WithServices, ticket_no: TypedId) -> Response:
    """The stamped letter of consent as a PDF of pictures of its pages, whatever it was sent as.

    Nothing but what can be seen is in it; verified against its hash. `form.letter.signature` of the ticket says whether
    the original carries an electronic signature.
    """
    form = await services.tickets.load((await services.cancellations.review(ticket_no)).case.ticket)
    return letter_file(form, await services.tickets.read_letter(form))
