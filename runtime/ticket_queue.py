"""The staff's queue: day buckets, each one filtered query of Temporal's visibility, read page by page.

Deadlines are day-ends, so everything in a day's bucket is due at the same instant, and no sorting is needed (SQL
visibility refuses ORDER BY). Nothing ever loads all tickets.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from enum import StrEnum

from temporalio.client import Client, WorkflowExecution

from domain.accounts import RealNameType
from domain.business_calendar import BusinessCalendar
from domain.model import Instant, Model, OpaqueId
from domain.tickets import ReviewStatus
from workflows.search_attributes import (
    BLOCKING_REASONS,
    CANCELLATION_PHASE,
    REAL_NAME_TYPE,
    SLA_BREACHED,
    TICKET_DUE_AT,
)

_WORKFLOW_ID_PREFIX = "ticket-review-"
_DAYS_AHEAD = 4
"""Day buckets after today's; a 3-business-day deadline never lies further ahead, but a calendar may have moved."""


class BucketKind(StrEnum):
    LATE = "LATE"
    DUE = "DUE"
    LATER = "LATER"
    AWAITING_MATERIALS = "AWAITING_MATERIALS"


class Bucket(Model):
    """One query. `due_at` is the day-end that all its tickets share, where they share one."""

    kind: BucketKind
    due_at: Instant | None
    query: str


class QueuedTicket(Model):
    """What the queue shows of a ticket, from search attributes alone."""

    ticket_no: OpaqueId
    status: ReviewStatus
    due_at: Instant | None
    breached: bool
    real_name_type: RealNameType | None
    reasons: tuple[str, ...]
    filed_at: Instant


def buckets(calendar: BusinessCalendar, now: datetime) -> tuple[Bucket, ...]:
    """Late first, then each coming business day, then anything further, then those that wait for their owner."""
    open_tickets = "WorkflowType = 'TicketReview' AND ExecutionStatus = 'Running'"
    reviewing = f"{open_tickets} AND {CANCELLATION_PHASE.name} = '{ReviewStatus.UNDER_REVIEW}'"
    due = TICKET_DUE_AT.name
    found = [Bucket(kind=BucketKind.LATE, due_at=None, query=f"{reviewing} AND {due} <= '{_iso(now)}'")]
    day_end = now
    for _ in range(_DAYS_AHEAD):
        earlier, day_end = day_end, calendar.next_day_end(day_end)
        # A range, not an equality: a deadline that a calendar has moved since may end on another day.
        span = f"{due} > '{_iso(earlier)}' AND {due} <= '{_iso(day_end)}'"
        found.append(Bucket(kind=BucketKind.DUE, due_at=day_end, query=f"{reviewing} AND {span}"))
    found.append(Bucket(kind=BucketKind.LATER, due_at=None, query=f"{reviewing} AND {due} > '{_iso(day_end)}'"))
    materials = f"{open_tickets} AND {CANCELLATION_PHASE.name} = '{ReviewStatus.AWAITING_MATERIALS}'"
    found.append(Bucket(kind=BucketKind.AWAITING_MATERIALS, due_at=None, query=materials))
    return tuple(found)


async def tickets_in(client: Client, bucket: Bucket, limit: int) -> list[QueuedTicket]:
    """At most `limit` tickets of one bucket. The late ones, whose days differ, come earliest first."""
    found = [_ticket(execution) async for execution in _executions(client, bucket.query, limit)]
    return sorted(found, key=lambda ticket: (ticket.due_at is None, ticket.due_at or ticket.filed_at))


async def count(client: Client, bucket: Bucket) -> int:
    return (await client.count_workflows(bucket.query)).count


async def _executions(client: Client, query: str, limit: int) -> AsyncIterator[WorkflowExecution]:
    async for execution in client.list_workflows(query, page_size=min(limit, 200), limit=limit):
        yield execution


def _ticket(execution: WorkflowExecution) -> QueuedTicket:
    attributes = execution.typed_search_attributes
    return QueuedTicket(
        ticket_no=execution.id.removeprefix(_WORKFLOW_ID_PREFIX),
        status=ReviewStatus(attributes[CANCELLATION_PHASE]),
        due_at=attributes.get(TICKET_DUE_AT),
        breached=attributes.get(SLA_BREACHED) or False,
        real_name_type=RealNameType(name) if (name := attributes.get(REAL_NAME_TYPE)) else None,
        reasons=tuple(attributes.get(BLOCKING_REASONS) or ()),
        filed_at=execution.start_time,
    )


def _iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
