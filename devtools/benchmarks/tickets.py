"""Open tickets by the thousand, as cheaply as Temporal takes them: reviews that no worker ever works on."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import cycle, islice
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
_SETTLE_LIMIT = 120.0


async def open_tickets(client: Client, there: int, wanted: int) -> None:
    """Add to those that are there already until so many are open, and wait until Temporal finds them all."""
    due_at = _due_times()

    async def open_one(number: str) -> None:
        due = due_at[int(number) % len(due_at)]
        pairs: list[SearchAttributePair[Any]] = [
            SearchAttributePair(CANCELLATION_PHASE, ReviewStatus.AWAITING_MATERIALS.value),
            SearchAttributePair(REAL_NAME_TYPE, RealNameType.INDIVIDUAL.value),
            SearchAttributePair(BLOCKING_REASONS, [Reason.ICP_FILING_EVER_APPLIED.value]),
        ]
        if due:
            pairs[0] = SearchAttributePair(CANCELLATION_PHASE, ReviewStatus.UNDER_REVIEW.value)
            pairs.append(SearchAttributePair(TICKET_DUE_AT, due))
            pairs.append(SearchAttributePair(SLA_BREACHED, due < datetime.now(UTC)))
        await client.start_workflow(
            "TicketReview",
            id=review_workflow_id(f"B{number}"),
            task_queue=_TASK_QUEUE,
            search_attributes=TypedSearchAttributes(pairs),
        )

    await in_flight([f"{number:06d}" for number in range(there, wanted)], open_one, _IN_FLIGHT)
    mine = f"TaskQueue = '{_TASK_QUEUE}' AND ExecutionStatus = 'Running'"
    async with asyncio.timeout(_SETTLE_LIMIT):
        while (await client.count_workflows(mine)).count < wanted:
            await asyncio.sleep(0.2)


def _due_times() -> Sequence[datetime | None]:
    """Of a hundred tickets as they lie in the queue on an ordinary day.

    A few are late, by one business day or more; the others are due at the next three day-ends, or, without a time,
    wait for their owners.
    """
    past, ahead = [datetime.now(UTC)], [datetime.now(UTC)]
    for _ in range(_LATE):
        past.append(CALENDAR.previous_day_end(past[-1]))
        ahead.append(CALENDAR.next_day_end(ahead[-1]))
    return [*past[1:], *islice(cycle([*ahead[1:], None]), 100 - _LATE)]
