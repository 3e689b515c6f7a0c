"""Live updates: shared by all viewers, and told as well when they cannot be had."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime

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

from console.auth.roles import Role
from console.services import Services
from console.settings import ConsoleSettings
from console.staff.rendering import StaffCaches
from domain.business_calendar import CALENDAR
from domain.checks import Reason
from service.cancellation_service import CancellationService
from service.queue import buckets
from service.ticket_files import TicketFiles
from tests.console.conftest import Console, console_on
from tests.console.staff.conftest import Filed, coming_days
from tests.console.staff.pages import live_address, ticket_links, words
from tests.support.service import Service, eventually


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
        cancellations=CancellationService(
            client, service.task_queue, service.platform, service.challenges, service.vault
        ),
        tickets=TicketFiles(service.vault),
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
        # A corner of the queue in which nobody files.
        page = (await lead.get("/staff?real_name_type=NONE&reason=BALANCE_IN_WITHDRAWAL")).text
        visibility.asked.clear()
        answer = await lead.get(live_address(page))
    assert (answer.status_code, answer.content) == (204, b"")
    assert visibility.asked["list"] == 0


async def test_nobody_looks_and_nothing_is_asked(counting: tuple[Console, Counting]) -> None:
    _, visibility = counting
    assert visibility.asked == Counter()


async def test_a_new_ticket_appears_without_a_reload(agent: httpx2.AsyncClient, filed: Filed) -> None:
    page = (await agent.get("/staff?reason=BALANCE_IN_WITHDRAWAL")).text
    address = live_address(page)
    number = await filed(coming_days()[0], reasons=(Reason.BALANCE_IN_WITHDRAWAL,))
    answer = await eventually(lambda: agent.get(address), lambda answer: answer.status_code == 200)
    assert number in ticket_links(answer.text)
    assert "<html" not in answer.text


async def test_while_temporal_is_away_the_pages_say_so_and_come_back(service: Service) -> None:
    nobody = await Client.connect("127.0.0.1:1", lazy=True)
    async with console_on(service, ConsoleSettings()) as console:
        there = console.app.state.services
        async with console.signed_in(Role.AGENT) as browser:
            seen = (await browser.get("/staff")).text
            console.app.state.services = seen_through(service, nobody)
            console.app.state.staff_caches = StaffCaches()
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
            console.app.state.staff_caches = StaffCaches()
            _, _, rest = away.text.partition('hx-get="')
            assert 'id="queue-live"' in (await browser.get(rest.partition('"')[0].replace("&amp;", "&"))).text


async def test_a_session_that_ended_leads_a_moving_page_to_the_sign_in(console: Console) -> None:
    answer = await console.browser.get("/staff/live?seen=x", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/sign-in"
