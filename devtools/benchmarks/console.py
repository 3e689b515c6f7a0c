"""The console's pages against the bare Temporal calls behind them, with many open tickets in the queue."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Final

from aiohttp import ClientSession, CookieJar
from rich import box
from rich.console import Console
from rich.table import Table
from temporalio.client import Client

from console.auth.roles import Role
from console.staff.queue_view import PAGE_SIZE, SNAPSHOT_SECONDS
from devtools.benchmarks.figures import Machine, Measurement, Spread
from devtools.benchmarks.parked import under_review
from devtools.benchmarks.routes import WORKER_SETTINGS
from devtools.benchmarks.tickets import open_tickets
from devtools.demo.scene import Scene
from devtools.demo.stack import Stack
from devtools.demo.stage import Stage
from domain.accounts import RealNameType
from domain.business_calendar import CALENDAR
from domain.ids import cancellation_workflow_id, review_workflow_id
from domain.model import Model
from service.queue import BucketKind, QueueFilter, buckets, count, page
from workflows import AccountCancellation, TicketReview

QUEUE: Final = "queue"
LIMIT: Final = 1.5
"""A page's first byte, in times of the bare calls behind it."""
GROWTH_LIMIT: Final = 1.5
"""The queue's first page with the most tickets, in times of the same with the fewest."""

_WARM_UP = 3


class Page(Model):
    """Milliseconds to the first byte of a page, and of the bare calls, asked in turn with it."""

    page: Spread
    bare: Spread

    @property
    def ratios(self) -> tuple[float, float]:
        return _ratios(self.page, self.bare)


class ConsoleResult(Measurement):
    """`pages` by the number of open tickets, and by name."""

    rounds: int
    pages: dict[int, dict[str, Page]]

    @property
    def growth(self) -> tuple[float, float]:
        return _ratios(self.pages[max(self.pages)][QUEUE].page, self.pages[min(self.pages)][QUEUE].page)

    @property
    def met(self) -> bool:
        ratios = [ratio for pages in self.pages.values() for page in pages.values() for ratio in page.ratios]
        return max(ratios) <= LIMIT and max(self.growth) <= GROWTH_LIMIT

    def show(self, console: Console) -> None:
        table = Table(
            *("open tickets", "page", "p50, ms", "p95, ms", "bare p50", "bare p95", "p50 ratio", "p95 ratio"),
            title=f"First byte against the bare calls, {self.rounds} rounds; at most {LIMIT} times",
            box=box.SIMPLE_HEAD,
            title_justify="left",
        )
        for size, pages in self.pages.items():
            for name, one in pages.items():
                times = (one.page.median, one.page.p95, one.bare.median, one.bare.p95)
                held = (_held(ratio, LIMIT) for ratio in one.ratios)
                table.add_row(f"{size:,}", name, *(f"{ms:.1f}" for ms in times), *held)
        console.print(table)
        p50, p95 = (_held(ratio, GROWTH_LIMIT) for ratio in self.growth)
        console.print(
            f"The queue's first page with {max(self.pages):,} tickets in times of {min(self.pages):,}: "
            f"p50 {p50}, p95 {p95} (at most {GROWTH_LIMIT})"
        )


def _ratios(one: Spread, other: Spread) -> tuple[float, float]:
    """Of the median, and of the slowest twentieth."""
    return one.median / other.median, one.p95 / other.p95


def _held(ratio: float, limit: float) -> str:
    return f"[green]{ratio:.2f}[/]" if ratio <= limit else f"[bold red]{ratio:.2f} MISSED[/]"


@dataclass
class Case:
    """A page, and the calls that Temporal has to answer for it whatever the console is made of; milliseconds."""

    browser: ClientSession
    path: str
    calls: Callable[[], Awaitable[object]]
    page: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)

    async def ask(self) -> None:
        """To the first byte: until the headers of the answer are there."""
        begin = time.perf_counter()
        async with self.browser.get(self.path, allow_redirects=False) as answer:
            self.page.append(1000 * (time.perf_counter() - begin))
            await answer.read()
            assert answer.status == HTTPStatus.OK, f"{self.path}: {answer.status}"

    async def call(self) -> None:
        begin = time.perf_counter()
        await self.calls()
        self.bare.append(1000 * (time.perf_counter() - begin))

    def result(self) -> Page:
        return Page(page=Spread.of(self.page[_WARM_UP:]), bare=Spread.of(self.bare[_WARM_UP:]))


@asynccontextmanager
async def _signed_in(console_url: str, role: Role, **account: str) -> AsyncIterator[ClientSession]:
    """One person's browser."""
    # As browsers do on loopback: cookies of an address without a name, and secure ones without TLS.
    jar = CookieJar(unsafe=True, treat_as_secure_origin=console_url)
    async with ClientSession(console_url, cookie_jar=jar, headers={"Accept-Language": "en"}) as browser:
        form = {"role": role.value, "subject": f"bench-{role}", **account}
        headers = {"Origin": console_url}
        await browser.post("/sign-in/development", data=form, headers=headers, allow_redirects=False)
        yield browser


async def measure_console(
    folder: Path, tell: Callable[[str], None], *, sizes: tuple[int, ...], rounds: int
) -> ConsoleResult:
    """The same rounds with each number of open tickets, in one run on one stack."""
    machine = Machine()
    tell("Starting Temporal, simulator, worker and console")
    async with Stack.start(folder, console=True, worker_settings=WORKER_SETTINGS) as stack:
        # What only a worker can answer for: an account that is blocked, and one under review.
        blocked, filed = await stack.store.add_clean_accounts("console", 2)
        await stack.store.set_facts(blocked, arrears_fen=100)
        await Scene(stack, Stage.unseen(), blocked).to_report()
        ticket_no = await under_review(stack, filed)
        assert stack.console_url is not None
        there, measured = 0, {}
        async with (
            _signed_in(stack.console_url, Role.AGENT) as agent,
            _signed_in(stack.console_url, Role.OWNER, account_id=blocked) as owner,
        ):
            for size in sizes:
                tell(f"Opening tickets until there are {size}")
                await open_tickets(stack.client, there, size)
                there = size
                tell(f"{rounds} rounds with {size} open tickets")
                cases = _cases(stack.client, agent, owner, blocked, filed, ticket_no)
                measured[size] = await _rounds(cases, rounds)
    return ConsoleResult(machine=machine, rounds=rounds, pages=measured)


async def _rounds(cases: dict[str, Case], rounds: int) -> dict[str, Page]:
    for turn in range(rounds + _WARM_UP):
        begun = asyncio.get_running_loop().time()
        for case in cases.values():
            # Neither always comes after the other.
            for measured in (case.call, case.ask) if turn % 2 else (case.ask, case.call):
                await measured()
        # The console answers everybody from one look for some seconds: what is measured is the look.
        await asyncio.sleep(max(0.0, begun + 1.1 * SNAPSHOT_SECONDS - asyncio.get_running_loop().time()))
    return {name: case.result() for name, case in cases.items()}


async def first_page(client: Client) -> None:
    """The bare calls behind the queue's first page."""
    found = buckets(CALENDAR, datetime.now(UTC), QueueFilter())
    counts = await asyncio.gather(*(count(client, bucket) for bucket in found))
    room, lists = PAGE_SIZE, []
    for bucket, number in zip(found, counts, strict=True):
        if shown := min(number, room):
            lists.append(page(client, bucket, shown + 1))
            room -= shown
    await asyncio.gather(*lists)


def _cases(
    client: Client, agent: ClientSession, owner: ClientSession, blocked: str, filed: str, ticket_no: str
) -> dict[str, Case]:
    request = client.get_workflow_handle(cancellation_workflow_id(blocked))
    reviewed = client.get_workflow_handle(cancellation_workflow_id(filed))
    review = client.get_workflow_handle(review_workflow_id(ticket_no))
    individuals = QueueFilter(real_name_type=RealNameType.INDIVIDUAL)
    today = next(b for b in buckets(CALENDAR, datetime.now(UTC)) if b.kind is BucketKind.DUE)

    async def bucket() -> None:
        found = buckets(CALENDAR, datetime.now(UTC), individuals)
        [mine] = [b for b in found if b.key == today.key]
        await asyncio.gather(page(client, mine, PAGE_SIZE), *(count(client, each) for each in found))

    async def ticket() -> None:
        # One after the other: the account stands in the first answer; the second tells the owner's language.
        await review.query(TicketReview.view)
        await reviewed.query(AccountCancellation.view)

    individuals_due_today = f"/staff/buckets/{today.key}?real_name_type={RealNameType.INDIVIDUAL}"
    return {
        QUEUE: Case(agent, "/staff", lambda: first_page(client)),
        "bucket": Case(agent, individuals_due_today, bucket),
        "ticket": Case(agent, f"/staff/tickets/{ticket_no}", ticket),
        "owner": Case(owner, "/owner", lambda: request.query(AccountCancellation.view)),
    }
