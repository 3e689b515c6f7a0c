"""Owners and staff, each in a browser of their own: tickets from filing to decision."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from playwright.async_api import Browser, Page, expect

from console.auth.roles import Role
from devtools.demo.browser import PHONE, console_ahead
from devtools.demo.scene import Scene
from devtools.demo.stack import Stack
from devtools.demo.stage import Stage
from devtools.demo.ticket_clock import pass_deadline
from domain.accounts import RealNameType
from domain.locale import Locale
from domain.phases import Phase
from domain.tickets import ReviewStatus
from tests.browser.accounts import new_account
from tests.browser.people import Visit, accessible, visits
from tests.browser.readers import Owner, Reviewer


async def test_an_enterprise_files_is_asked_for_the_seal_supplies_it_and_is_closed_by_an_agent_in_chinese(
    stack: Stack, visit: Visit
) -> None:
    account = await new_account(
        stack, real_name_type=RealNameType.ENTERPRISE, icp_applications_ever=1, available_fen=6_600
    )
    async with visit(Role.OWNER, account, lang=Locale.ZH) as page, visit(Role.AGENT, lang=Locale.ZH) as desk:
        owner, agent = Owner(page, Locale.ZH, stack, account), Reviewer(desk, Locale.ZH)
        await owner.to_checks()
        await owner.is_blocked()
        await owner.reads("账户曾发起备案申请", "")
        await owner.follow("提交人工工单", "")
        await owner.is_at("提交人工工单", "")
        await accessible(page)
        await owner.give_contact()
        await owner.choose_letter(stamped=False)
        await page.get_by_label("放弃余额：¥66.00").check()
        async with slow_line(page):
            await owner.press("下一步：核对同意书", "")
            await expect(page.get_by_role("progressbar", name="上传进度")).to_be_visible()
        await owner.sees_letter()
        await accessible(page)
        await owner.press("确认无误，提交工单", "")
        ticket_no = await owner.is_under_review()
        await owner.reads("我们会在", "")
        await accessible(page)

        await agent.open_ticket(ticket_no)
        await expect(desk.get_by_role("img", name="同意书第 1 页")).to_be_visible()
        await agent.reads("owner@example.com", "")
        await agent.reads("用户对余额的意愿", "")
        await accessible(desk)
        await agent.ask_for_materials("同意书未盖公章", "")
        await agent.is_recorded()
        await agent.reads("正在等待用户补充材料，计时暂停。", "")

        # By itself, without a reload.
        await owner.is_at("请补充材料", "")
        await owner.reads("请加盖公章后重新上传。", "")
        await accessible(page)
        await owner.choose_letter(stamped=True)
        await owner.press("提交材料", "")
        await owner.sees_letter()
        await owner.press("确认无误，提交材料", "")
        assert await owner.is_under_review() == ticket_no

        await agent.reads("此工单刚刚有变化：", "")
        await agent.follow("重新加载", "")
        await agent.approve()
        await agent.is_recorded()
        await accessible(desk)
    async with visit(Role.OWNER, account, lang=Locale.ZH) as page:
        owner = Owner(page, Locale.ZH, stack, account)
        await owner.is_closed()
        await owner.reads("经人工审核一并放弃：", "")
    assert (await stack.cancellations.view(account)).phase is Phase.CLOSED


@asynccontextmanager
async def slow_line(page: Page) -> AsyncIterator[None]:
    """An upload takes long enough to be seen."""
    session = await page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 40_000}
    await session.send("Network.emulateNetworkConditions", slow)
    yield
    await session.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    await session.detach()


async def test_an_enterprise_sees_its_letter_and_files_it_without_scripts(stack: Stack, visit: Visit) -> None:
    account = await new_account(stack, real_name_type=RealNameType.ENTERPRISE, icp_applications_ever=1)
    await unseen(stack, account).to_report()
    async with visit(Role.OWNER, account, scripts=False) as page:
        ticket_no = await Owner(page, Locale.EN, stack, account).file_ticket(letter=True)
        # Only for whoever has none.
        await expect(page.get_by_role("link", name="Reload")).to_be_visible()
    assert (await stack.cancellations.review(ticket_no)).status is ReviewStatus.UNDER_REVIEW


async def test_a_ticket_that_nobody_answers_is_late_for_all_to_see_and_its_rejection_is_read_by_the_owner(
    stack: Stack, browser: Browser, visit: Visit
) -> None:
    account = await new_account(stack, icp_applications_ever=1)
    async with visit(Role.OWNER, account, width=PHONE) as page:
        owner = Owner(page, Locale.EN, stack, account)
        await owner.to_checks()
        ticket_no = await owner.file_ticket(letter=False)
    skipped = await let_the_deadline_pass(stack, account)
    async with visit(Role.OWNER, account, width=PHONE) as page:
        await Owner(page, Locale.EN, stack, account).reads("", "We are late, and we are sorry.")
        await accessible(page)
    async with console_ahead(stack, skipped) as later, visits(browser, later)(Role.LEAD) as desk:
        lead = Reviewer(desk, Locale.EN)
        late = desk.get_by_role("region", name="Late")
        await expect(late.get_by_role("link", name=ticket_no)).to_be_visible()
        await expect(late.get_by_role("row").filter(has_text=ticket_no)).to_contain_text("LATE by")
        await accessible(desk)
        await lead.open_ticket(ticket_no)
        await lead.reads("", "The owner has been told that we are late.")
        await lead.reject("", "a dispute is open")
        await lead.is_recorded()
        await lead.reads("", "given late")
        await accessible(desk)
    async with visit(Role.OWNER, account, width=PHONE) as page:
        owner = Owner(page, Locale.EN, stack, account)
        await owner.is_at("", "The review did not approve it")
        await expect(page.get_by_role("heading", name="A dispute is open")).to_be_visible()
        await owner.reads("", "Settle the dispute first.")
        await accessible(page)


def unseen(stack: Stack, account: str) -> Scene:
    return Scene(stack, Stage.unseen(), account)


async def let_the_deadline_pass(stack: Stack, account: str) -> timedelta:
    """Three business days on the ticket's own clock, as the demo passes them."""
    scene = unseen(stack, account)
    scene.request_no = (await scene.refresh()).request_no
    review = await scene.reviewed(lambda review: review.clock is not None)
    assert review.clock is not None
    await pass_deadline(scene, review.clock)
    assert scene.skipped is not None
    return scene.skipped


async def test_of_two_agents_at_once_the_first_decides_and_the_second_is_told_who_was_first(
    stack: Stack, visit: Visit
) -> None:
    account = await new_account(stack, icp_applications_ever=1)
    async with visit(Role.OWNER, account) as page:
        owner = Owner(page, Locale.EN, stack, account)
        await owner.to_checks()
        ticket_no = await owner.file_ticket(letter=False)
    async with (
        visit(Role.AGENT, subject="agent-quick") as one,
        visit(Role.AGENT, subject="agent-slow", lang=Locale.ZH, refusals=(409,)) as other,
    ):
        quick, slow = Reviewer(one, Locale.EN), Reviewer(other, Locale.ZH)
        await quick.open_ticket(ticket_no)
        await slow.open_ticket(ticket_no)
        await quick.reject("", "a dispute is open")
        await quick.is_recorded()
        await slow.approve()
        await slow.reads("已有人先作出决定：agent-quick", "")
        await accessible(other)
    assert (await stack.cancellations.review(ticket_no)).status is ReviewStatus.REJECTED


async def test_an_auditor_sees_everything_and_has_nothing_to_decide_with(stack: Stack, visit: Visit) -> None:
    account = await new_account(stack, icp_applications_ever=1)
    async with visit(Role.OWNER, account) as page:
        owner = Owner(page, Locale.EN, stack, account)
        await owner.to_checks()
        ticket_no = await owner.file_ticket(letter=False)
    async with visit(Role.AUDITOR, width=PHONE) as page:
        auditor = Reviewer(page, Locale.EN)
        await accessible(page)
        await auditor.open_ticket(ticket_no)
        await auditor.reads("", "owner@example.com")
        await auditor.reads("", "Your role reads everything and decides nothing.")
        await expect(page.get_by_role("button", name="Approve and close the account")).to_have_count(0)
        await accessible(page)
        await auditor.follow("", "Business days")
        await auditor.is_at("", f"Business days {datetime.now(UTC).year}")
        await accessible(page)
