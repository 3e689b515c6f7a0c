"""What waits for a reviewer: whole requests, and reviews without one, which are cheaper to have by the thousand."""

import asyncio
from datetime import datetime, timedelta

from devtools.benchmarks.measure import MIB, PARKED_MIB, Samples, in_flight, peak_rss_of, rss_of
from devtools.demo.scene import Scene
from devtools.demo.stack import Stack
from devtools.demo.stage import Stage
from domain.ids import review_workflow_id
from domain.locale import Locale
from domain.messages import AlarmState, ReviewClock, ReviewInput
from domain.phases import Phase
from domain.policy import Policy
from domain.tickets import ReviewCase, ReviewStatus, TicketRef, ticket_path
from workflows import TicketReview
from workflows.common.search_attributes import CANCELLATION_PHASE, TICKET_DUE_AT
from workflows.ticket_review import ContinuedReview

_SETTLE_LIMIT = 60.0
_READY_LIMIT = 900.0
_STARTING = 20


async def park(stack: Stack, number: int, concurrency: int) -> Samples:
    """Bring that many requests under review by the front door, on a worker that has done nothing else before."""
    await stack.worker.stop()
    await stack.worker.start()
    worker = stack.worker.pid
    idle = rss_of(worker)
    accounts = await stack.store.add_clean_accounts("parked", number)
    async with peak_rss_of(worker) as peak:
        await in_flight(accounts, lambda account_id: under_review(stack, account_id), concurrency)
        # Every request and its review is under review, and every review knows its deadline.
        async with asyncio.timeout(_SETTLE_LIMIT):
            while (waiting := await _count_waiting(stack)) < 2 * number:
                await asyncio.sleep(0.2)
    parked = rss_of(worker)
    return {
        "parked: requests": [number],
        "parked: open workflows": [waiting],
        PARKED_MIB: [parked / MIB],
        f"{PARKED_MIB}, idle": [idle / MIB],
        f"{PARKED_MIB}, peak": [max(peak) / MIB],
        "parked: KiB a request": [(parked - idle) / 1024 / number],
    }


async def under_review(stack: Stack, account_id: str) -> str:
    """Bring an account to its review. Answers the ticket's number."""
    await stack.store.set_facts(account_id, icp_applications_ever=1)
    scene = Scene(stack, Stage.unseen(), account_id)
    await scene.to_report()
    await scene.recheck()
    return await scene.file_ticket(None)


async def _count_waiting(stack: Stack) -> int:
    waiting = f"ExecutionStatus = 'Running' AND {CANCELLATION_PHASE.name} = '{Phase.UNDER_REVIEW}'"
    requests = await stack.client.count_workflows(f"WorkflowType = 'AccountCancellation' AND {waiting}")
    reviews = await stack.client.count_workflows(
        f"WorkflowType = 'TicketReview' AND {waiting} AND {TICKET_DUE_AT.name} IS NOT NULL"
    )
    return requests.count + reviews.count


async def park_reviews(stack: Stack, like: ReviewCase, policy: Policy, numbers: list[str], due_at: datetime) -> None:
    """Start a review for each number, and wait until all of them are waiting for their deadline."""
    await in_flight(numbers, lambda number: _park(stack, like, policy, number, due_at), _STARTING)
    window = [f"'{(due_at + timedelta(minutes=minutes)).isoformat()}'" for minutes in (-1, 1)]
    waiting = f"{TICKET_DUE_AT.name} BETWEEN {window[0]} AND {window[1]}"
    async with asyncio.timeout(_READY_LIMIT):
        while (await stack.client.count_workflows(waiting)).count < len(numbers):
            await asyncio.sleep(0.5)


async def _park(stack: Stack, like: ReviewCase, policy: Policy, number: str, due_at: datetime) -> None:
    """A review that the worker goes on with, in the middle of its clock. No request stands behind it."""
    form = (await stack.tickets.load(like.ticket)).model_copy(update={"ticket_no": number})
    stored = await stack.vault.put_evidence(ticket_path(number, 1), form)
    ticket = TicketRef(ticket_no=number, revision=1, sha256=stored.sha256)
    case = like.model_copy(update={"ticket": ticket, "account_id": f"deadline-{number}"})
    filed_at = due_at - timedelta(days=3)
    clock = ReviewClock(
        filed_at=filed_at,
        remind_at=due_at - timedelta(days=1),
        due_at=due_at,
        next_reminder_at=due_at + timedelta(days=1),
        ceiling_at=due_at + timedelta(days=12),
        calendar="benchmark",
        provisional=False,
    )
    review = ContinuedReview(
        review=ReviewInput(case=case, locale=Locale.ZH, policy=policy),
        status=ReviewStatus.UNDER_REVIEW,
        first_filed_at=filed_at,
        clock=clock,
        sounded=AlarmState(reminded=True),
        overdue=False,
        decisions=[],
        ignored=[],
        ignored_count=0,
        messages_sent=0,
    )
    await stack.client.start_workflow(
        TicketReview.run, review, id=review_workflow_id(number), task_queue=stack.task_queue
    )
