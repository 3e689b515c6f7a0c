"""The queue: late first, by deadline, filtered by the query, page by page, and alive at little cost."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from temporalio.client import (
    Client,
    CountWorkflowsInput,
    Interceptor,
    ListWorkflowsInput,
    OutboundInterceptor,
    WorkflowExecutionAsyncIterator,
    WorkflowExecutionCount,
)
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from console.access.roles import Role
from console.services import Services
from console.settings import ConsoleSettings
from console.staff.board import PAGE_SIZE
from console.staff.showing import StaffRoom
from domain.accounts import RealNameType
from domain.business_calendar import CALENDAR
from domain.checks import Reason
from domain.ids import review_workflow_id
from domain.tickets import ReviewStatus
from runtime.front_desk import FrontDesk
from runtime.intake import TicketIntake
from runtime.ticket_queue import BucketKind, buckets
from tests.console.conftest import Console, console_on
from tests.console.staff.pages import inline_code, ticket_links, words
from tests.service import Service, eventually
from tests.workflows.tickets import MARGIN, under_review
from workflows.search_attributes import BLOCKING_REASONS, CANCELLATION_PHASE, REAL_NAME_TYPE, TICKET_DUE_AT

YESTERDAY = timedelta(days=-1)


@dataclass
class Filed:
    """Reviews without a worker, of which a queue sees the search attributes."""

    client: Client
    numbers: list[str]

    async def __call__(
        self,
        due_at: datetime,
        status: ReviewStatus = ReviewStatus.UNDER_REVIEW,
        real_name_type: RealNameType = RealNameType.INDIVIDUAL,
        reasons: tuple[Reason, ...] = (Reason.ICP_FILING_EVER_APPLIED,),
    ) -> str:
        ticket_no = f"T-page-{uuid4().hex[:12]}"
        self.numbers.append(ticket_no)
        pairs: list[SearchAttributePair[Any]] = [
            SearchAttributePair(CANCELLATION_PHASE, status),
            SearchAttributePair(TICKET_DUE_AT, due_at),
            SearchAttributePair(REAL_NAME_TYPE, real_name_type),
            SearchAttributePair(BLOCKING_REASONS, list(reasons)),
        ]
        await self.client.start_workflow(
            "TicketReview",
            id=review_workflow_id(ticket_no),
            task_queue="nobody",
            search_attributes=TypedSearchAttributes(pairs),
        )
        return ticket_no


@pytest.fixture
async def filed(service: Service) -> AsyncIterator[Filed]:
    filed = Filed(service.client, [])
    yield filed
    for ticket_no in filed.numbers:
        await service.client.get_workflow_handle(review_workflow_id(ticket_no)).terminate("by a test")


@pytest.fixture
async def agent(console: Console) -> AsyncIterator[httpx2.AsyncClient]:
    async with console.signed_in(Role.AGENT) as browser:
        yield browser


def coming_days() -> list[datetime]:
    return [b.due_at for b in buckets(CALENDAR, datetime.now(UTC)) if b.due_at]


def day_key(due_at: datetime) -> str:
    return f"DUE-{due_at:%Y-%m-%d}"


async def all_pages(browser: httpx2.AsyncClient, address: str) -> list[list[str]]:
    """The tickets of a bucket, from the first page to the last, by the links on the pages."""
    pages = []
    following: str | None = address
    while following:
        answer = await browser.get(following)
        assert answer.status_code == 200
        pages.append(ticket_links(answer.text))
        _, _, rest = answer.text.partition('rel="next" href="')
        following = rest.partition('"')[0].replace("&amp;", "&") or None
    return pages


async def shown(browser: httpx2.AsyncClient, address: str, *numbers: str) -> list[str]:
    """The tickets of these that are on any page of an address, in order, as soon as all are."""

    async def mine() -> list[str]:
        return [no for page in await all_pages(browser, address) for no in page if no in numbers]

    return await eventually(mine, lambda found: len(found) >= len(numbers))


async def test_every_bucket_is_counted_and_leads_to_its_tickets(agent: httpx2.AsyncClient, filed: Filed) -> None:
    today, tomorrow, *_ = coming_days()
    late = await filed(datetime.now(UTC) + YESTERDAY)
    due, next_due = await filed(today), await filed(tomorrow)
    waiting = await filed(today, ReviewStatus.AWAITING_MATERIALS)
    for key, number in (("LATE", late), (day_key(today), due), (day_key(tomorrow), next_due)):
        assert await shown(agent, f"/staff/buckets/{key}", number) == [number]
    assert await shown(agent, "/staff/buckets/AWAITING_MATERIALS", waiting) == [waiting]
    queue = await agent.get("/staff")
    for key in ("LATE", "CLOCK_NOT_SET", day_key(today), day_key(tomorrow), "LATER", "AWAITING_MATERIALS"):
        assert f'href="/staff/buckets/{key}?' in queue.text


async def test_late_tickets_come_first_and_are_marked_in_words(agent: httpx2.AsyncClient, filed: Filed) -> None:
    now = datetime.now(UTC)
    due = await filed(coming_days()[0])
    later, earlier = await filed(now - timedelta(days=2)), await filed(now - timedelta(days=9))
    await shown(agent, f"/staff/buckets/{day_key(coming_days()[0])}", due)
    found = await shown(agent, "/staff/buckets/LATE", later, earlier)
    assert found == [earlier, later]
    queue = (await agent.get("/staff")).text
    order = [kind for kind in ("part-LATE", "part-DUE") if kind in queue]
    assert order[0] == "part-LATE"
    assert queue.index("part-LATE") < queue.index(f"part-{day_key(coming_days()[0])}")
    assert "LATE by" in words(queue)
    assert 'class="late"' in queue


async def test_a_review_past_its_deadline_is_late_in_the_queue(agent: httpx2.AsyncClient, service: Service) -> None:
    case = await under_review(service)
    clock = await case.clock()
    days = (await agent.get(f"/staff/buckets/{day_key(clock.due_at)}")).text
    assert "business day" in words(days) or "due today" in words(days)
    await case.skip_to(clock.due_at + MARGIN)
    view = await eventually(case.view, lambda view: view.overdue)
    assert view.status is ReviewStatus.UNDER_REVIEW
    await case.reject()


async def test_time_left_is_told_in_business_days_and_hours(agent: httpx2.AsyncClient, filed: Filed) -> None:
    number = await filed(coming_days()[3])
    key = day_key(coming_days()[3])
    await shown(agent, f"/staff/buckets/{key}", number)
    page = words((await agent.get(f"/staff/buckets/{key}")).text)
    assert "business days" in page
    assert " left" in page


async def test_filters_become_part_of_the_query(agent: httpx2.AsyncClient, filed: Filed) -> None:
    due = coming_days()[2]
    enterprise = await filed(due, real_name_type=RealNameType.ENTERPRISE, reasons=(Reason.BALANCE_NOT_WITHDRAWABLE,))
    individual = await filed(due)
    bucket = f"/staff/buckets/{day_key(due)}"
    assert set(await shown(agent, bucket, enterprise, individual)) == {enterprise, individual}
    assert await shown(agent, f"{bucket}?real_name_type=ENTERPRISE", enterprise) == [enterprise]
    assert individual not in str(await all_pages(agent, f"{bucket}?real_name_type=ENTERPRISE"))
    assert await shown(agent, f"{bucket}?reason=ICP_FILING_EVER_APPLIED&real_name_type=", individual) == [individual]
    assert enterprise not in str(await all_pages(agent, f"{bucket}?reason=ICP_FILING_EVER_APPLIED"))


async def test_the_state_filter_shows_one_kind_of_bucket(agent: httpx2.AsyncClient, filed: Filed) -> None:
    waiting = await filed(coming_days()[0], ReviewStatus.AWAITING_MATERIALS)
    await filed(datetime.now(UTC) + YESTERDAY)
    await shown(agent, "/staff/buckets/AWAITING_MATERIALS", waiting)
    page = (await agent.get("/staff?state=AWAITING_MATERIALS&reason=&real_name_type=")).text
    assert "part-AWAITING_MATERIALS" in page
    assert "part-LATE" not in page


async def test_nothing_matches_is_said_with_a_way_out(agent: httpx2.AsyncClient) -> None:
    page = words((await agent.get("/staff?state=LATER&real_name_type=NONE&reason=BALANCE_IN_WITHDRAWAL")).text)
    assert "No ticket matches the filter" in page
    assert "Clear the filter" in page


async def test_a_word_that_is_no_filter_is_bad_input(agent: httpx2.AsyncClient) -> None:
    answer = await agent.get("/staff?reason=' OR 1=1")
    assert answer.status_code == 422
    assert "OR 1=1" not in answer.text


async def test_a_long_bucket_is_read_page_by_page(agent: httpx2.AsyncClient, filed: Filed) -> None:
    due = coming_days()[1]
    numbers = [await filed(due) for _ in range(PAGE_SIZE + 3)]
    found = await shown(agent, f"/staff/buckets/{day_key(due)}", *numbers)
    assert sorted(found) == sorted(numbers)
    pages = await all_pages(agent, f"/staff/buckets/{day_key(due)}")
    assert len(pages) > 1
    assert all(len(page) <= PAGE_SIZE for page in pages)


async def test_the_first_page_shows_no_more_than_a_page(agent: httpx2.AsyncClient, filed: Filed) -> None:
    for _ in range(PAGE_SIZE + 1):
        await filed(coming_days()[1])
    page = await eventually(lambda: agent.get("/staff"), lambda answer: "See all" in answer.text)
    assert len(ticket_links(page.text)) <= PAGE_SIZE


async def test_a_bucket_that_is_gone_leads_back_to_the_queue(agent: httpx2.AsyncClient) -> None:
    answer = await agent.get("/staff/buckets/DUE-2020-01-01")
    assert answer.status_code == 404
    assert 'href="/staff"' in answer.text


async def test_a_cursor_of_somebody_elses_making_is_refused(agent: httpx2.AsyncClient) -> None:
    answer = await agent.get("/staff/buckets/LATE?cursor=bm9uc2Vuc2U=")
    assert answer.status_code == 422
    assert "begin with the first one" in words(answer.text)


# Live


class Counting(Interceptor, OutboundInterceptor):
    """Counts what Temporal's visibility is asked."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        OutboundInterceptor.__init__(self, next)
        return self

    async def count_workflows(self, input: CountWorkflowsInput) -> WorkflowExecutionCount:
        self.asked["count"] += 1
        return await super().count_workflows(input)

    def list_workflows(self, input: ListWorkflowsInput) -> WorkflowExecutionAsyncIterator:
        self.asked["list"] += 1
        return super().list_workflows(input)


def seen_through(service: Service, client: Client) -> Services:
    """What a console works with, when it reaches Temporal by this client."""
    return Services(
        desk=FrontDesk(client, service.task_queue, service.platform, service.challenges, service.vault),
        intake=TicketIntake(service.vault),
        client=client,
        calendar=service.calendar,
        settings=ConsoleSettings(),
    )


@pytest.fixture
async def counting(service: Service) -> AsyncIterator[tuple[Console, Counting]]:
    counting = Counting()
    config = service.client.config()
    config["interceptors"] = [counting]
    async with console_on(service, ConsoleSettings()) as console:
        console.app.state.services = seen_through(service, Client(**config))
        yield console, counting


async def test_many_viewers_cost_one_count_a_bucket(counting: tuple[Console, Counting]) -> None:
    console, visibility = counting
    viewers = [console.signed_in(Role.AGENT, subject=f"agent-{n}") for n in range(12)]
    answers = await asyncio.gather(*(viewer.get("/staff/live?seen=x") for viewer in viewers))
    assert {answer.status_code for answer in answers} == {200}
    number = len(buckets(CALENDAR, datetime.now(UTC)))
    assert visibility.asked["count"] == number
    assert visibility.asked["list"] <= number
    for viewer in viewers:
        await viewer.aclose()


async def test_nothing_changed_costs_no_list_and_sends_nothing(counting: tuple[Console, Counting]) -> None:
    console, visibility = counting
    async with console.signed_in(Role.LEAD) as lead:
        page = (await lead.get("/staff")).text
        _, _, rest = page.partition('hx-get="/staff/live?')
        address = "/staff/live?" + rest.partition('"')[0].replace("&amp;", "&")
        visibility.asked.clear()
        answer = await lead.get(address)
        # Others file tickets meanwhile; as long as nothing did change, nothing is sent.
        assert answer.status_code in (200, 204)
        if answer.status_code == 204:
            assert answer.content == b""
            assert visibility.asked["list"] == 0


async def test_nobody_looks_and_nothing_is_asked(counting: tuple[Console, Counting]) -> None:
    _, visibility = counting
    assert visibility.asked == Counter()


async def test_a_new_ticket_appears_without_a_reload(agent: httpx2.AsyncClient, filed: Filed) -> None:
    page = (await agent.get("/staff?reason=BALANCE_IN_WITHDRAWAL")).text
    _, _, rest = page.partition('hx-get="/staff/live?')
    address = "/staff/live?" + rest.partition('"')[0].replace("&amp;", "&")
    number = await filed(coming_days()[0], reasons=(Reason.BALANCE_IN_WITHDRAWAL,))
    answer = await eventually(lambda: agent.get(address), lambda answer: answer.status_code == 200)
    assert number in ticket_links(answer.text)
    assert "<html" not in answer.text


async def test_an_auditor_sees_the_queue_and_an_owner_does_not(console: Console) -> None:
    async with console.signed_in(Role.AUDITOR) as auditor, console.owner("acct-1") as owner:
        assert (await auditor.get("/staff")).status_code == 200
        assert (await owner.get("/staff")).status_code == 403
        assert (await owner.get("/staff/live?seen=x")).status_code == 403
    assert (await console.browser.get("/staff")).status_code == 303


async def test_while_temporal_is_away_the_pages_say_so_and_come_back(service: Service) -> None:
    nobody = await Client.connect("127.0.0.1:1", lazy=True)
    async with console_on(service, ConsoleSettings()) as console:
        there = console.app.state.services
        async with console.signed_in(Role.AGENT) as browser:
            seen = (await browser.get("/staff")).text
            console.app.state.services = seen_through(service, nobody)
            console.app.state.staff_room = StaffRoom()
            for address in ("/staff", "/staff/buckets/LATE", "/staff/tickets/T20990101-NOTTHERE"):
                answer = await browser.get(address)
                assert answer.status_code == 503
                assert "Nothing is lost" in words(answer.text)
            away = await browser.get("/staff/live?seen=x")
            # Beside the rows, which stay.
            assert (away.status_code, away.headers["hx-retarget"]) == (200, "#queue-away")
            assert 'id="queue-away"' in seen
            assert "Live updates are interrupted" in words(away.text)
            console.app.state.services = there
            console.app.state.staff_room = StaffRoom()
            _, _, rest = away.text.partition('hx-get="')
            assert 'id="queue-live"' in (await browser.get(rest.partition('"')[0].replace("&amp;", "&"))).text


async def test_a_session_that_ended_leads_a_moving_page_to_the_sign_in(console: Console) -> None:
    answer = await console.browser.get("/staff/live?seen=x", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/sign-in"


async def test_the_queue_is_in_both_languages_and_strict(console: Console, filed: Filed) -> None:
    await filed(datetime.now(UTC) + YESTERDAY)
    async with console.signed_in(Role.AGENT) as browser:
        for language, title in (("zh-CN", "工单队列"), ("en", "Queue")):
            page = await browser.get(f"/staff?lang={language}")
            assert title in words(page.text)
            assert inline_code(page.text) == []


@pytest.mark.parametrize("kind", BucketKind)
async def test_every_state_can_be_chosen(agent: httpx2.AsyncClient, kind: BucketKind) -> None:
    answer = await agent.get(f"/staff?state={kind}")
    assert answer.status_code == 200
    assert f'value="{kind}" selected' in answer.text
