"""The queue: late first, by deadline, filtered by the query, and read page by page."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from console.auth.roles import Role
from console.staff.queue_view import PAGE_SIZE
from domain.accounts import RealNameType
from domain.checks import Reason
from domain.tickets import ReviewStatus
from service.queue import BucketKind
from tests.console.conftest import Console
from tests.console.staff.conftest import Filed, coming_days
from tests.console.staff.pages import inline_code, ticket_links, words
from tests.support.service import Service, eventually
from tests.support.tickets import MARGIN, under_review

YESTERDAY = timedelta(days=-1)


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


async def test_a_review_past_its_deadline_is_late_in_the_queue(
    console: Console, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await under_review(service)
    due_at = (await case.clock()).due_at
    await case.skip_to(due_at + MARGIN)
    await eventually(case.view, lambda view: view.overdue)
    just_after = replace(console.app.state.services, now=lambda: due_at + MARGIN)
    monkeypatch.setitem(console.app.state._state, "services", just_after)
    async with console.signed_in(Role.AGENT) as browser:
        assert await shown(browser, "/staff/buckets/LATE", case.ticket_no) == [case.ticket_no]
        row = (await browser.get(f"/staff/tickets/{case.ticket_no}")).text
    assert "LATE by under 1 h" in words(row)
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


async def test_an_auditor_sees_the_queue_and_an_owner_does_not(console: Console) -> None:
    async with console.signed_in(Role.AUDITOR) as auditor, console.owner("acct-1") as owner:
        assert (await auditor.get("/staff")).status_code == 200
        assert (await owner.get("/staff")).status_code == 403
        assert (await owner.get("/staff/live?seen=x")).status_code == 403
    assert (await console.browser.get("/staff")).status_code == 303


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
