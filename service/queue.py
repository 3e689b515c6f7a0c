"""The staff's queue: buckets by deadline, each one filtered query of Temporal's visibility, read page by page.

SQL visibility refuses ORDER BY and answers the newest filing first. Deadlines are day-ends, so everything in a day's
bucket is due at the same instant and needs no sorting; the late ones are read day by day. Nothing ever loads all
tickets, and few queries are made: by default Temporal answers 10 a second for a namespace.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final

from temporalio.client import Client, WorkflowExecution

from domain.accounts import RealNameType
from domain.business_calendar import BusinessCalendar
from domain.checks import Reason
from domain.errors import ErrorType, Refusal
from domain.model import Instant, Model, OpaqueId
from domain.tickets import ReviewStatus
from workflows.common.search_attributes import (
    BLOCKING_REASONS,
    CANCELLATION_OUTCOME,
    CANCELLATION_PHASE,
    REAL_NAME_TYPE,
    SLA_BREACHED,
    TICKET_DUE_AT,
)

MAX_PAGE = 200
"""Tickets in one page at most; Temporal refuses more than 1000."""

_WORKFLOW_ID_PREFIX = "ticket-review-"
_DAYS_AHEAD = 4
"""Day buckets after today's; a 3-business-day deadline never lies further ahead, but a calendar may have moved."""
_DAYS_BACK = 15
"""Late days that are read one by one. By then operations have been alarmed; what is older is read as one."""
_ANSWER_LIMIT = timedelta(seconds=20)
_CHECKSUM_BYTES = 8
_NOTHING_IS_DUE = timedelta(milliseconds=1)
"""No deadline lies so close after another. SQLite takes an instant that is equal to a bound for a later one."""


class BucketKind(StrEnum):
    """In the order of the queue."""

    LATE = "LATE"
    CLOCK_NOT_SET = "CLOCK_NOT_SET"
    """Under review with no deadline computed yet: filed this moment, or something is wrong with the calendar."""
    DUE = "DUE"
    LATER = "LATER"
    AWAITING_MATERIALS = "AWAITING_MATERIALS"


class Span(Model):
    """A part of a bucket: what is due up to an instant, and after the span before it.

    `so_far` asks for it and for everything before it.
    """

    until: Instant
    query: str
    so_far: str


class Bucket(Model):
    """Tickets that are shown together.

    Attributes:
        due_at: the day-end that all its tickets share, where they share one.
        query: all of it.
        spans: the same in pieces, the earliest deadlines first; empty where one piece is enough.
    """

    kind: BucketKind
    due_at: Instant | None = None
    query: str
    spans: tuple[Span, ...] = ()

    @property
    def key(self) -> str:
        """Its name in an address: the kind, and the last day of those that have one."""
        day = f"-{self.due_at.date():%Y-%m-%d}" if self.due_at else ""
        return f"{self.kind}{day}"


class QueueFilter(Model):
    """Which tickets of every bucket are wanted; each part narrows the query, and None lets all through."""

    real_name_type: RealNameType | None = None
    reason: Reason | None = None

    @property
    def conditions(self) -> str:
        wanted = ((REAL_NAME_TYPE, self.real_name_type), (BLOCKING_REASONS, self.reason))
        return "".join(f" AND {attribute.name} = '{value}'" for attribute, value in wanted if value)


EVERY_TICKET: Final = QueueFilter()


class QueuedTicket(Model):
    """What the queue shows of a ticket, from search attributes alone. Without `due_at` its clock is not set yet."""

    ticket_no: OpaqueId
    status: ReviewStatus
    due_at: Instant | None
    breached: bool
    real_name_type: RealNameType | None
    reasons: tuple[str, ...]
    filed_at: Instant


class Page(Model):
    """Some tickets of a bucket. Without `next_token` they are the last; with it there may be more."""

    tickets: tuple[QueuedTicket, ...]
    next_token: str | None = None


def buckets(calendar: BusinessCalendar, now: datetime, wanted: QueueFilter = EVERY_TICKET) -> tuple[Bucket, ...]:
    """Late first, then those without a clock, each coming business day, anything further, those that wait for their
    owner. Every open ticket that is wanted is in exactly one.
    """
    phase, due, outcome = CANCELLATION_PHASE.name, TICKET_DUE_AT.name, CANCELLATION_OUTCOME.name
    open_tickets = f"WorkflowType = 'TicketReview' AND ExecutionStatus = 'Running'{wanted.conditions}"
    reviewing = f"{open_tickets} AND {phase} = '{ReviewStatus.UNDER_REVIEW}'"
    # A review tells its phase together with its first clock.
    timeless = f"{due} IS NULL AND {outcome} IS NULL AND ({phase} IS NULL OR {phase} = '{ReviewStatus.UNDER_REVIEW}')"

    def due_in(after: datetime | None, until: datetime | None) -> str:
        # A range, not an equality: a deadline that a calendar has moved since may end on another day.
        bounds = (
            f" AND {due} {sign} '{_iso(end + _NOTHING_IS_DUE)}'" for sign, end in ((">", after), ("<=", until)) if end
        )
        return reviewing + "".join(bounds)

    past = [now]
    for _ in range(_DAYS_BACK):
        past.insert(0, calendar.previous_day_end(past[0]))
    late = tuple(
        Span(until=until, query=due_in(after, until), so_far=due_in(None, until))
        for after, until in zip([None, *past], past, strict=False)
    )
    found = [
        Bucket(kind=BucketKind.LATE, query=due_in(None, now), spans=late),
        Bucket(kind=BucketKind.CLOCK_NOT_SET, query=f"{open_tickets} AND {timeless}"),
    ]
    day_end = now
    for _ in range(_DAYS_AHEAD):
        earlier, day_end = day_end, calendar.next_day_end(day_end)
        found.append(Bucket(kind=BucketKind.DUE, due_at=day_end, query=due_in(earlier, day_end)))
    found.append(Bucket(kind=BucketKind.LATER, query=due_in(day_end, None)))
    materials = f"{open_tickets} AND {phase} = '{ReviewStatus.AWAITING_MATERIALS}'"
    found.append(Bucket(kind=BucketKind.AWAITING_MATERIALS, query=materials))
    return tuple(found)


async def page(client: Client, bucket: Bucket, size: int, token: str | None = None) -> Page:
    """The first tickets of a bucket, or those that follow a page: `size` (at most `MAX_PAGE`) or fewer.

    A token stays good while time passes and the queue changes.

    Raises:
        Refusal: `BadInput`, the token is none of this bucket's.
    """
    size = min(size, MAX_PAGE)
    until, place = _read(bucket, token)
    if until is None:
        whole, rest = await _listed(client, bucket.query, size, place)
        if not (rest and bucket.spans):
            return Page(tickets=tuple(whole), next_token=_token(bucket, None, rest) if rest else None)
        until = await _earliest(client, bucket.spans)
    # More than one page of different days.
    found: list[QueuedTicket] = []
    for span in bucket.spans:
        if span.until < until:
            continue
        if len(found) == size:
            return Page(tickets=tuple(found), next_token=_token(bucket, span.until, b""))
        tickets, rest = await _listed(client, span.query, size - len(found), place)
        place = b""
        found += tickets
        if rest:
            return Page(tickets=tuple(found), next_token=_token(bucket, span.until, rest))
    return Page(tickets=tuple(found))


async def count(client: Client, bucket: Bucket) -> int:
    return (await client.count_workflows(bucket.query, rpc_timeout=_ANSWER_LIMIT)).count


async def _earliest(client: Client, spans: tuple[Span, ...]) -> datetime:
    """Where the first span with a ticket ends. By halves: most of them are empty, and each question costs."""
    first, last = 0, len(spans) - 1
    while first < last:
        middle = (first + last) // 2
        found, _ = await _listed(client, spans[middle].so_far, 1, b"")
        first, last = (first, middle) if found else (middle + 1, last)
    return spans[first].until


async def _listed(client: Client, query: str, size: int, place: bytes) -> tuple[list[QueuedTicket], bytes]:
    """One page of a query, and where it goes on; an exactly full last page goes on with an empty one."""
    listing = client.list_workflows(query, page_size=size, next_page_token=place, rpc_timeout=_ANSWER_LIMIT)
    await listing.fetch_next_page()
    tickets = [_ticket(execution) for execution in listing.current_page or ()]
    tickets.sort(key=lambda ticket: (ticket.due_at is None, ticket.due_at or ticket.filed_at))
    return tickets, listing.next_page_token or b""


def _token(bucket: Bucket, until: datetime | None, place: bytes) -> str:
    """Where to go on. The span is named by its end, not by its number: midnight may pass between two pages."""
    payload = (_iso(until) if until else "").encode() + b"|" + place
    return urlsafe_b64encode(_checksum(bucket, payload) + payload).decode()


def _read(bucket: Bucket, token: str | None) -> tuple[datetime | None, bytes]:
    if token is None:
        return None, b""
    try:
        raw = urlsafe_b64decode(token)
    except ValueError:
        raw = b""
    checksum, payload = raw[:_CHECKSUM_BYTES], raw[_CHECKSUM_BYTES:]
    if checksum != _checksum(bucket, payload):
        raise Refusal(ErrorType.BAD_INPUT, "This page of the queue does not exist; begin with the first one.")
    until, _, place = payload.partition(b"|")
    return datetime.fromisoformat(until.decode()) if until else None, place


def _checksum(bucket: Bucket, payload: bytes) -> bytes:
    """Temporal answers a token that it did not make with an error of its own, after trying for a long time."""
    return sha256(f"{bucket.kind} {bucket.due_at} ".encode() + payload).digest()[:_CHECKSUM_BYTES]


def _ticket(execution: WorkflowExecution) -> QueuedTicket:
    attributes = execution.typed_search_attributes
    return QueuedTicket(
        ticket_no=execution.id.removeprefix(_WORKFLOW_ID_PREFIX),
        status=ReviewStatus(attributes.get(CANCELLATION_PHASE) or ReviewStatus.UNDER_REVIEW),
        due_at=attributes.get(TICKET_DUE_AT),
        breached=attributes.get(SLA_BREACHED) or False,
        real_name_type=RealNameType(name) if (name := attributes.get(REAL_NAME_TYPE)) else None,
        reasons=tuple(attributes.get(BLOCKING_REASONS) or ()),
        filed_at=execution.start_time,
    )


def _iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
