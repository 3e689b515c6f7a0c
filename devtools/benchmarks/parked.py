"""What a request costs that waits for a reviewer: for days, and a thousand at a time."""

import asyncio

from devtools.benchmarks.measure import MIB, PARKED_MIB, Samples, in_flight, peak_rss_of, rss_of
from devtools.demo.scene import Scene
from devtools.demo.stack import Stack
from devtools.demo.stage import Stage
from domain.phases import Phase
from workflows.common.search_attributes import CANCELLATION_PHASE, TICKET_DUE_AT

_SETTLE_LIMIT = 60.0


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
