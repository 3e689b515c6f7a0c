"""Open tickets by the thousand, as cheaply as Temporal takes them: reviews that no worker ever works on."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import cycle
from typing import Any

from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from devtools.benchmarks.measure import in_flight
from domain.accounts import RealNameType
from domain.business_calendar import CALENDAR
from domain.checks import Reason
from domain.ids import review_workflow_id
from domain.tickets import ReviewStatus
from workflows.common.search_attributes import (
    BLOCKING_REASONS,
    CANCELLATION_PHASE,
    REAL_NAME_TYPE,
    SLA_BREACHED,
    TICKET_DUE_AT,
)

_TASK_QUEUE = "benchmark-without-a-worker"
_IN_FLIGHT = 50
_LATE = 3
"""Of a hundred; the others are due at the next three day-ends, or wait for their owners."""
_SETTLE_LIMIT = 120.0

Place = tuple[ReviewStatus, datetime | None]


async def open_tickets(client: Client, there: int, wanted: int) -> None:
    """Add to those that are there already until so many are open, and wait until Temporal finds them all."""
    hundred = _places()
    places = {f"B{number:06d}": hundred[number % len(hundred)] for number in range(there, wanted)}

    async def open_one(ticket_no: str) -> None:
        status, due_at = places[ticket_no]
        pairs: list[SearchAttributePair[Any]] = [
            SearchAttributePair(CANCELLATION_PHASE, status.value),
            SearchAttributePair(REAL_NAME_TYPE, RealNameType.INDIVIDUAL.value),
            SearchAttributePair(BLOCKING_REASONS, [Reason.ICP_FILING_EVER_APPLIED.value]),
        ]
        if due_at:
            late = due_at < datetime.now(UTC)
            pairs.append(SearchAttributePair(TICKET_DUE_AT, due_at))
            pairs.append(SearchAttributePair(SLA_BREACHED, late))
        await client.start_workflow(
            "TicketReview",
            id=review_workflow_id(ticket_no),
            task_queue=_TASK_QUEUE,
            search_attributes=TypedSearchAttributes(pairs),
        )

    await in_flight(list(places), open_one, _IN_FLIGHT)
    mine = f"TaskQueue = '{_TASK_QUEUE}' AND ExecutionStatus = 'Running'"
    async with asyncio.timeout(_SETTLE_LIMIT):
        while (await client.count_workflows(mine)).count < wanted:
            await asyncio.sleep(0.2)


def _places() -> Sequence[Place]:
    """A hundred tickets as they lie in the queue on an ordinary day."""
    return [*_late(), *_ahead()]


def _late() -> Iterator[Place]:
    due_at = datetime.now(UTC)
    for _ in range(_LATE):
        due_at = CALENDAR.previous_day_end(due_at)
        yield ReviewStatus.UNDER_REVIEW, due_at


def _ahead() -> Iterator[Place]:
    first = CALENDAR.next_day_end(datetime.now(UTC))
    second = CALENDAR.next_day_end(first)
    third = CALENDAR.next_day_end(second)
    by_day: tuple[Place, ...] = (
        (ReviewStatus.UNDER_REVIEW, first),
        (ReviewStatus.UNDER_REVIEW, second),
        (ReviewStatus.UNDER_REVIEW, third),
        (ReviewStatus.AWAITING_MATERIALS, None),
    )
    for _, place in zip(range(100 - _LATE), cycle(by_day), strict=False):
        yield place
