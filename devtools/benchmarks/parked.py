"""What a request costs that waits for a reviewer: for days, and a thousand at a time."""

import asyncio
from datetime import UTC, datetime

from devtools.benchmarks.measure import in_flight, peak_rss_of, rss_of
from devtools.benchmarks.results import MIB, Parked
from devtools.benchmarks.routes import NOTICE, Clock, ours_over_http, owner_of
from devtools.demo.stack import Stack
from domain.phases import Phase
from service import tickets
from service.tickets import Paper
from workflows.common.search_attributes import CANCELLATION_PHASE, TICKET_DUE_AT

_SETTLE_LIMIT = 60.0


async def park(stack: Stack, number: int, concurrency: int) -> Parked:
    """Bring that many requests under review by the front door, on a worker that has done nothing else before."""
    await stack.worker.stop()
    await stack.worker.start()
    worker = stack.worker.pid
    assert worker is not None
    idle = rss_of(worker)
    ours = ours_over_http(stack)
    accounts = await ours.accounts(number)
    for account_id in accounts:
        await stack.store.set_facts(account_id, icp_applications_ever=1)

    async def file(account_id: str) -> None:
        await ours.to_report(account_id, Clock())
        await file_ticket(stack, account_id)

    async with peak_rss_of(worker) as peak:
        await in_flight(accounts, file, concurrency)
        await _until_all_wait(stack, number)
    parked = rss_of(worker)
    return Parked(
        requests=number,
        open_workflows=await _count_waiting(stack),
        worker_mib=parked / MIB,
        idle_worker_mib=idle / MIB,
        peak_worker_mib=max(peak) / MIB,
        kib_per_request=(parked - idle) / 1024 / number,
    )


async def file_ticket(stack: Stack, account_id: str) -> str:
    """File a manual request for a blocked account; its number is answered."""
    report = (await stack.cancellations.view(account_id)).report
    assert report is not None
    paper = Paper(
        contact_email="owner@example.com",
        contact_phone="13800138000",
        statement_accepted=True,
        notice_version=NOTICE.version,
        notice_sha256=NOTICE.sha256,
    )
    view = await tickets.file_ticket(
        stack.cancellations,
        stack.tickets,
        account_id,
        paper,
        None,
        report_digest=report.digest,
        by=owner_of(account_id),
        now=datetime.now(UTC),
    )
    assert view.phase is Phase.UNDER_REVIEW, view
    assert view.review is not None
    return view.review.ticket.ticket_no


async def _until_all_wait(stack: Stack, number: int) -> None:
    """Until every request and its review is under review, and every review knows its deadline."""
    async with asyncio.timeout(_SETTLE_LIMIT):
        while await _count_waiting(stack) < 2 * number:
            await asyncio.sleep(0.2)


async def _count_waiting(stack: Stack) -> int:
    waiting = f"ExecutionStatus = 'Running' AND {CANCELLATION_PHASE.name} = '{Phase.UNDER_REVIEW}'"
    requests = await stack.client.count_workflows(f"WorkflowType = 'AccountCancellation' AND {waiting}")
    reviews = await stack.client.count_workflows(
        f"WorkflowType = 'TicketReview' AND {waiting} AND {TICKET_DUE_AT.name} IS NOT NULL"
    )
    return requests.count + reviews.count
