"""The console's pages against the bare Temporal calls behind them, with many open tickets in the queue."""

import asyncio
import http.client
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from console.auth.roles import Role
from console.staff.queue_view import PAGE_SIZE, SNAPSHOT_SECONDS
from devtools.benchmarks.console_results import QUEUE, ConsoleResult, PageResult
from devtools.benchmarks.console_tickets import open_tickets
from devtools.benchmarks.parked import file_ticket
from devtools.benchmarks.results import Machine, now
from devtools.benchmarks.routes import WORKER_SETTINGS, Clock, ours_over_http
from devtools.demo.stack import Stack
from domain.accounts import RealNameType
from domain.business_calendar import CALENDAR
from domain.ids import cancellation_workflow_id, review_workflow_id
from service.queue import BucketKind, QueueFilter, buckets, count, page
from workflows import AccountCancellation, TicketReview

_WARM_UP = 3


@dataclass(frozen=True)
class Case:
    """A page, and the calls that Temporal has to answer for it whatever the console is made of."""

    name: str
    role: Role
    path: str
    bare: Callable[[], Awaitable[object]]


class Browser:
    """One person, signed in. Time to the first byte is until the headers of the answer are there."""

    def __init__(self, console_url: str, role: Role, account_id: str) -> None:
        address = urlsplit(console_url)
        assert address.hostname is not None
        self._connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        form = {
            "role": role.value,
            "subject": f"bench-{role}",
            **({"account_id": account_id} if role is Role.OWNER else {}),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": console_url}
        self._connection.request("POST", "/sign-in/development", urlencode(form), headers)
        answer = self._connection.getresponse()
        answer.read()
        self._cookie = (answer.getheader("Set-Cookie") or "").split(";")[0]

    def first_byte(self, path: str) -> float:
        """Seconds. Raises `AssertionError` when the page is not the one that was asked for."""
        try:
            return self._ask(path)
        except ConnectionError:
            # The console closes what was idle for some seconds; the next request connects anew, as browsers do.
            self._connection.close()
            return self._ask(path)

    def _ask(self, path: str) -> float:
        begin = time.perf_counter()
        self._connection.request("GET", path, headers={"Cookie": self._cookie, "Accept-Language": "en"})
        answer = self._connection.getresponse()
        seconds = time.perf_counter() - begin
        answer.read()
        assert answer.status == 200, f"{path}: {answer.status}"
        return seconds


async def measure_console(
    folder: Path, sizes: tuple[int, ...], rounds: int, tell: Callable[[str], None]
) -> ConsoleResult:
    """The same rounds with each number of open tickets, in one run on one stack."""
    machine = Machine.this()
    tell("Starting Temporal, simulator, worker and console")
    async with Stack.start(folder, console=True, worker_settings=WORKER_SETTINGS) as stack:
        blocked, filed, ticket_no = await _real_requests(stack)
        cases = _cases(stack, blocked, filed, ticket_no)
        assert stack.console_url is not None
        browsers = {case.name: Browser(stack.console_url, case.role, blocked) for case in cases}
        there, measured = 0, {}
        for size in sizes:
            tell(f"Opening tickets until there are {size}")
            await open_tickets(stack.client, there, size)
            there = size
            tell(f"{rounds} rounds with {size} open tickets")
            measured[size] = await _rounds(cases, browsers, rounds)
    return ConsoleResult(measured_at=now(), machine=machine, rounds=rounds, pages=measured)


async def _rounds(cases: list[Case], browsers: dict[str, Browser], rounds: int) -> tuple[PageResult, ...]:
    pages: dict[str, list[float]] = {case.name: [] for case in cases}
    bare: dict[str, list[float]] = {case.name: [] for case in cases}
    for turn in range(rounds + _WARM_UP):
        begun = asyncio.get_running_loop().time()
        for case in cases:
            if turn % 2:
                bare[case.name].append(await _bare(case))
            pages[case.name].append(await asyncio.to_thread(browsers[case.name].first_byte, case.path))
            # Neither always comes after the other.
            if not turn % 2:
                bare[case.name].append(await _bare(case))
        # The console answers everybody from one look for some seconds: what is measured is the look.
        await asyncio.sleep(max(0.0, begun + 1.1 * SNAPSHOT_SECONDS - asyncio.get_running_loop().time()))
    return tuple(PageResult.of(c.name, pages[c.name][_WARM_UP:], bare[c.name][_WARM_UP:]) for c in cases)


async def _bare(case: Case) -> float:
    begin = time.perf_counter()
    await case.bare()
    return time.perf_counter() - begin


def _cases(stack: Stack, blocked: str, filed: str, ticket_no: str) -> list[Case]:
    client = stack.client
    request = client.get_workflow_handle(cancellation_workflow_id(blocked))
    reviewed = client.get_workflow_handle(cancellation_workflow_id(filed))
    review = client.get_workflow_handle(review_workflow_id(ticket_no))
    everything, individuals = QueueFilter(), QueueFilter(real_name_type=RealNameType.INDIVIDUAL)
    today = next(b for b in buckets(CALENDAR, datetime.now(UTC)) if b.kind is BucketKind.DUE)

    async def queue() -> None:
        found = buckets(CALENDAR, datetime.now(UTC), everything)
        counts = await asyncio.gather(*(count(client, bucket) for bucket in found))
        room, lists = PAGE_SIZE, []
        for bucket, number in zip(found, counts, strict=True):
            if shown := min(number, room):
                lists.append(page(client, bucket, shown + 1))
                room -= shown
        await asyncio.gather(*lists)

    async def bucket() -> None:
        found = buckets(CALENDAR, datetime.now(UTC), individuals)
        [mine] = [b for b in found if b.key == today.key]
        await asyncio.gather(page(client, mine, PAGE_SIZE), *(count(client, each) for each in found))

    async def ticket() -> None:
        # One after the other: the account stands in the first answer; the second tells the owner's language.
        await review.query(TicketReview.view)
        await reviewed.query(AccountCancellation.view)

    return [
        Case(QUEUE, Role.AGENT, "/staff", queue),
        Case("bucket", Role.AGENT, f"/staff/buckets/{today.key}?real_name_type=INDIVIDUAL", bucket),
        Case("ticket", Role.AGENT, f"/staff/tickets/{ticket_no}", ticket),
        Case("owner", Role.OWNER, "/owner", lambda: request.query(AccountCancellation.view)),
    ]


async def _real_requests(stack: Stack) -> tuple[str, str, str]:
    """What only a worker can answer for: an account that is blocked, and one under review with its ticket's number."""
    ours = ours_over_http(stack)
    blocked, filed = await ours.accounts(2)
    await stack.store.set_facts(blocked, arrears_fen=100)
    await stack.store.set_facts(filed, icp_applications_ever=1)
    for account_id in (blocked, filed):
        await ours.to_report(account_id, Clock())
    return blocked, filed, await file_ticket(stack, filed)
