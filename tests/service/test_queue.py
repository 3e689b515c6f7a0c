"""The staff's queue on a real server's visibility: every open ticket in one bucket, the earliest deadlines first."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.testing import WorkflowEnvironment

from domain.business_calendar import CALENDAR, BusinessCalendar
from domain.errors import ErrorType, Refusal
from domain.ids import review_workflow_id
from domain.tickets import ReviewStatus
from service.queue import Bucket, BucketKind, QueuedTicket, buckets, count, page
from tests.support.service import Service, eventually
from tests.support.tickets import blocked, file, own_queue
from workflows.common.search_attributes import CANCELLATION_OUTCOME, CANCELLATION_PHASE, TICKET_DUE_AT

# A Saturday at noon in Shanghai, some days after the holidays of National Day.
NOW = datetime(2026, 10, 24, 4, 0, tzinfo=UTC)
LATE_DAYS = [datetime(2026, 10, day, 16, 0, tzinfo=UTC) for day in (23, 22, 21, 20, 19)]
MONTHS_AGO = [datetime(2026, 5, day, 16, 0, tzinfo=UTC) for day in (8, 6, 7)]


@dataclass
class Queue:
    """Reviews that no worker takes up: a queue sees nothing of them but their search attributes."""

    client: Client
    filed: list[str]

    async def file(self, *pairs: SearchAttributePair[Any]) -> str:
        ticket_no = f"T-queue-{uuid4().hex[:12]}"
        self.filed.append(ticket_no)
        await self.client.start_workflow(
            "TicketReview",
            id=review_workflow_id(ticket_no),
            task_queue="nobody",
            search_attributes=TypedSearchAttributes(list(pairs)),
        )
        return ticket_no

    async def under_review(self, due_at: datetime) -> str:
        phase = SearchAttributePair(CANCELLATION_PHASE, ReviewStatus.UNDER_REVIEW)
        return await self.file(phase, SearchAttributePair(TICKET_DUE_AT, due_at))

    async def pages(self, kind: BucketKind, size: int, now: datetime = NOW) -> list[list[QueuedTicket]]:
        """One bucket from its first page to its last, each page asked for a second later than the one before."""
        found = []
        token = None
        while True:
            answer = await page(self.client, bucket_of(kind, now), size, token)
            found.append(list(answer.tickets))
            if (token := answer.next_token) is None:
                return found
            now += timedelta(seconds=1)

    async def placed(self) -> list[tuple[str, BucketKind]]:
        """Where the tickets of this test are; those of others are left out."""
        return [
            (ticket.ticket_no, bucket.kind)
            for bucket in buckets(CALENDAR, NOW)
            for ticket in (await page(self.client, bucket, 200)).tickets
            if ticket.ticket_no in self.filed
        ]

    async def visible(self, number: int) -> list[tuple[str, BucketKind]]:
        """The same as soon as there are so many: visibility is a moment behind."""
        return await eventually(self.placed, lambda found: len(found) >= number)

    def mine(self, pages: Iterable[Iterable[QueuedTicket]]) -> list[str]:
        return [ticket.ticket_no for tickets in pages for ticket in tickets if ticket.ticket_no in self.filed]


@pytest.fixture
async def queue(temporal: WorkflowEnvironment) -> AsyncIterator[Queue]:
    queue = Queue(temporal.client, [])
    yield queue
    for ticket_no in queue.filed:
        await temporal.client.get_workflow_handle(review_workflow_id(ticket_no)).terminate("by a test")


def bucket_of(kind: BucketKind, now: datetime = NOW) -> Bucket:
    return next(bucket for bucket in buckets(CALENDAR, now) if bucket.kind is kind)


async def test_every_open_ticket_is_in_exactly_one_bucket(queue: Queue) -> None:
    where = {
        await queue.under_review(MONTHS_AGO[0]): BucketKind.LATE,
        await queue.under_review(LATE_DAYS[0]): BucketKind.LATE,
        await queue.under_review(NOW): BucketKind.LATE,
        await queue.file(): BucketKind.CLOCK_NOT_SET,
        await queue.file(SearchAttributePair(CANCELLATION_PHASE, ReviewStatus.UNDER_REVIEW)): BucketKind.CLOCK_NOT_SET,
        await queue.under_review(NOW + timedelta(seconds=1)): BucketKind.DUE,
        await queue.under_review(datetime(2026, 10, 26, 16, tzinfo=UTC)): BucketKind.DUE,
        await queue.under_review(datetime(2026, 12, 1, 16, tzinfo=UTC)): BucketKind.LATER,
        await queue.file(SearchAttributePair(CANCELLATION_PHASE, ReviewStatus.AWAITING_MATERIALS)): (
            BucketKind.AWAITING_MATERIALS
        ),
        await queue.file(
            SearchAttributePair(CANCELLATION_PHASE, ReviewStatus.AWAITING_MATERIALS),
            SearchAttributePair(TICKET_DUE_AT, LATE_DAYS[0]),
        ): BucketKind.AWAITING_MATERIALS,
    }
    decided = await queue.file(SearchAttributePair(CANCELLATION_OUTCOME, ReviewStatus.APPROVED))
    found = await queue.visible(len(where))
    assert sorted(found) == sorted(where.items())
    assert decided not in dict(found)


def test_buckets_come_in_the_order_of_the_queue_and_days_have_their_end() -> None:
    found = buckets(CALENDAR, NOW)
    kinds = [bucket.kind for bucket in found]
    assert kinds == sorted(kinds, key=list(BucketKind).index)
    assert set(kinds) == set(BucketKind)
    # Sunday is off; Monday is the first day that ends.
    due = [bucket.due_at for bucket in found if bucket.kind is BucketKind.DUE]
    assert due[:2] == [datetime(2026, 10, 26, 16, tzinfo=UTC), datetime(2026, 10, 27, 16, tzinfo=UTC)]


@pytest.mark.parametrize("size", [1, 2, 4, 200])
async def test_the_late_ones_come_earliest_first_whatever_the_page_size(queue: Queue, size: int) -> None:
    # Filed in an order of their own, and several on a day.
    mine = {await queue.under_review(due_at) for due_at in (*LATE_DAYS, MONTHS_AGO[0], *LATE_DAYS[1:3], LATE_DAYS[1])}
    await queue.visible(len(mine))
    pages = await queue.pages(BucketKind.LATE, size)
    assert all(len(tickets) <= size for tickets in pages)
    assert all(len(tickets) == size for tickets in pages[:-2]), "short before the end"
    shown = [ticket.due_at for tickets in pages for ticket in tickets if ticket.due_at]
    assert shown == sorted(shown)
    assert sorted(queue.mine(pages)) == sorted(mine)


async def test_what_is_very_late_is_shown_before_the_rest(queue: Queue) -> None:
    ancient = {await queue.under_review(due_at) for due_at in MONTHS_AGO}
    recent = await queue.under_review(LATE_DAYS[0])
    await queue.visible(4)
    *first, last = queue.mine(await queue.pages(BucketKind.LATE, 1))
    assert (set(first), last) == (ancient, recent)


async def test_midnight_between_two_pages_neither_hides_nor_repeats_a_ticket(queue: Queue) -> None:
    mine = {await queue.under_review(due_at) for due_at in (*LATE_DAYS, LATE_DAYS[0], LATE_DAYS[0])}
    await queue.visible(len(mine))
    answers = [await page(queue.client, bucket_of(BucketKind.LATE), 6)]
    while token := answers[-1].next_token:
        answers.append(await page(queue.client, bucket_of(BucketKind.LATE, NOW + timedelta(days=4)), 2, token))
    assert len(answers) > 1
    assert sorted(queue.mine(answer.tickets for answer in answers)) == sorted(mine)


async def test_any_bucket_is_paged_and_counted(queue: Queue) -> None:
    mine = {await queue.under_review(datetime(2026, 10, 26, 16, tzinfo=UTC)) for _ in range(5)}
    await queue.visible(len(mine))
    pages = await queue.pages(BucketKind.DUE, 2)
    assert sorted(queue.mine(pages)) == sorted(mine)
    assert sum(map(len, pages)) == await count(queue.client, bucket_of(BucketKind.DUE))


async def test_a_full_page_that_is_the_last_leads_to_an_empty_one_at_most(queue: Queue) -> None:
    for _ in range(2):
        await queue.under_review(datetime(2027, 3, 1, 16, tzinfo=UTC))
    await queue.visible(2)
    number = await count(queue.client, bucket_of(BucketKind.LATER))
    first, *more = await queue.pages(BucketKind.LATER, number)
    assert len(first) == number
    assert more in ([], [[]])


async def test_a_token_of_one_bucket_is_none_of_another(queue: Queue) -> None:
    for _ in range(2):
        await queue.under_review(LATE_DAYS[0])
    await queue.visible(2)
    token = (await page(queue.client, bucket_of(BucketKind.LATE), 1)).next_token
    with pytest.raises(Refusal):
        await page(queue.client, bucket_of(BucketKind.DUE), 1, token)


@pytest.mark.parametrize("token", ["", "!", "é", "bm9uc2Vuc2U=", "fA==", "fG5vbnNlbnNl", "MjAyNi0xMC0yNHw=", "eHx5"])
@pytest.mark.parametrize("kind", [BucketKind.LATE, BucketKind.DUE])
async def test_a_token_of_somebody_elses_making_is_refused(queue: Queue, kind: BucketKind, token: str) -> None:
    with pytest.raises(Refusal) as caught:
        await page(queue.client, bucket_of(kind), 10, token)
    assert caught.value.type is ErrorType.BAD_INPUT
    assert "begin with the first" in caught.value.message


async def test_a_ticket_whose_clock_cannot_be_computed_is_in_the_queue(idle_service: Service) -> None:
    service = own_queue(idle_service, calendar=BusinessCalendar({2024: CALENDAR.year(2024)}))
    async with service.worker():
        account = await blocked(service)
        case = await file(service, account)
        now = datetime.now(UTC)

        async def without_clock() -> list[QueuedTicket]:
            answer = await page(service.client, bucket_of(BucketKind.CLOCK_NOT_SET, now), 200)
            return [ticket for ticket in answer.tickets if ticket.ticket_no == case.ticket_no]

        [ticket] = await eventually(without_clock, bool)
        assert (ticket.status, ticket.due_at, ticket.breached) == (ReviewStatus.UNDER_REVIEW, None, False)
        await service.request(account).terminate("by a test")
        await case.review.terminate("by a test")
