"""Owners on their own: no staff takes part."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import expect

from console.auth.roles import Role
from devtools.demo.browser import PHONE
from devtools.demo.stack import Stack
from domain.checks import Check
from domain.ids import cancellation_workflow_id
from domain.locale import Locale
from domain.phases import Phase
from domain.policy import Policy
from simulator.kinds import Endpoint, FaultKind
from tests.browser.accounts import new_account
from tests.browser.people import Visit, accessible, tab_to
from tests.browser.readers import Owner


async def test_a_clean_individual_goes_from_the_first_page_to_the_certificate_on_a_phone_in_chinese(
    stack: Stack, visit: Visit
) -> None:
    account = await new_account(stack)
    async with visit(Role.OWNER, account, lang=Locale.ZH, width=PHONE) as page:
        owner = Owner(page, Locale.ZH, stack, account)
        await accessible(page)
        await owner.begin()
        await accessible(page)
        await owner.identify()
        await accessible(page)
        async with broken(stack, Endpoint.ICP_FILINGS, account):
            await owner.accept_notice()
            await owner.is_at("正在检测注销条件", "")
            await expect(page.get_by_text(f"已完成 {len(Check) - 1} / {len(Check)} 项")).to_be_visible()
            await accessible(page)
        await owner.has_passed()
        await accessible(page)
        await owner.to_last_word()
        await expect(page.get_by_role("listitem").filter(has_text="代金券")).to_contain_text("¥50.00")
        await owner.reads("我知悉并同意：账号注销后，代金券、提货券、资格与折扣均视为放弃，且不可恢复。", "")
        await accessible(page)
        async with broken(stack, Endpoint.ERASE_PERSONAL_DATA, account):
            await owner.confirm()
            await owner.is_at("账号已关闭，正在删除数据", "")
            await expect(page.get_by_role("button", name="撤回注销申请")).to_have_count(0)
            await accessible(page)
        await owner.is_closed()
        await accessible(page)
        async with page.expect_download() as download:
            await owner.follow("下载证明（JSON）", "")
        file = await (await download.value).path()
        assert json.loads(await asyncio.to_thread(file.read_text))["account_id"] == account
    assert (await stack.cancellations.view(account)).phase is Phase.CLOSED


@asynccontextmanager
async def broken(stack: Stack, endpoint: Endpoint, account: str) -> AsyncIterator[None]:
    """What waits for this endpoint can be looked at for as long as it takes; then it heals."""
    await stack.store.add_fault(endpoint, FaultKind.ERROR, account_id=account, times=None)
    yield
    await stack.store.clear_faults()


async def put_right(stack: Stack, account: str, fact: str) -> None:
    """It takes people longer than the moment for which a report is given out again."""
    await stack.store.set_facts(account, **{fact: 0})
    await asyncio.sleep(Policy().outcomes_reused_for.total_seconds())


async def test_four_reasons_stand_there_at_once_and_are_put_right_one_by_one(stack: Stack, visit: Visit) -> None:
    facts = {"arrears_fen": 3_200, "available_fen": 25_600, "provider.CLOUD_MARKET": 1, "resources.vm": 2}
    account = await new_account(stack, **facts)
    async with visit(Role.OWNER, account) as page:
        owner = Owner(page, Locale.EN, stack, account)
        await owner.to_checks()
        await owner.is_blocked()
        for words in ("Conditions not met: 4.", "Pay first, then withdraw.", "¥32.00", "¥256.00", "Virtual machines"):
            await expect(page.get_by_text(words).first).to_be_visible()
        await accessible(page)
        for left, fact in ((3, "arrears_fen"), (2, "available_fen"), (1, "provider.CLOUD_MARKET")):
            await put_right(stack, account, fact)
            await owner.press("", "Check again")
            await expect(page.get_by_text(f"Conditions not met: {left}.")).to_be_visible()
        await put_right(stack, account, "resources.vm")
        await owner.press("", "Check again")
        await owner.has_passed()
        await owner.to_last_word()
        await owner.confirm()
        await owner.is_closed()


async def test_the_whole_way_goes_by_keyboard_alone_with_the_focus_in_sight(stack: Stack, visit: Visit) -> None:
    account = await new_account(stack)
    async with visit(Role.OWNER, account) as page:
        owner = Owner(page, Locale.EN, stack, account)

        async def press(name: str, key: str = "Enter") -> None:
            await tab_to(page, page.get_by_role("button", name=name, exact=True))
            await page.keyboard.press(key)

        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        await page.keyboard.press("Enter")
        await press("Start")
        await owner.is_at("", "Verify it's you")
        await press("Send a code by phone", "Space")
        await expect(page.get_by_label("Code", exact=True)).to_be_focused()
        await page.keyboard.type(await owner.code())
        await page.keyboard.press("Enter")
        await owner.is_at("", "Read the notice")
        await tab_to(page, page.get_by_role("region", name="The whole notice"))
        await page.keyboard.press("PageDown")
        await press("I have read it and accept it")
        await owner.has_passed()
        await tab_to(page, page.get_by_role("link", name="Continue to confirm"))
        await page.keyboard.press("Enter")
        await owner.is_at("", "Confirm once more")
        await tab_to(page, page.get_by_label("To confirm, type the account id"))
        await page.keyboard.type(account)
        await press("Close this account for good", "Space")
        await owner.is_closed()


async def test_who_comes_back_another_day_on_another_machine_finds_the_step_they_left(
    stack: Stack, visit: Visit
) -> None:
    account = await new_account(stack, arrears_fen=100)
    async with visit(Role.OWNER, account) as page:
        await Owner(page, Locale.EN, stack, account).begin()
    async with visit(Role.OWNER, account, lang=Locale.ZH) as page:
        owner = Owner(page, Locale.ZH, stack, account)
        await owner.is_at("验证您的身份", "")
        await owner.identify()
        await owner.accept_notice()
        await owner.is_blocked()
    async with visit(Role.OWNER, account, width=PHONE) as page:
        owner = Owner(page, Locale.EN, stack, account)
        await owner.is_blocked()
        await owner.page.reload()
        await owner.is_blocked()


async def test_a_wrong_code_is_told_beside_its_field_and_the_right_one_still_counts(stack: Stack, visit: Visit) -> None:
    account = await new_account(stack)
    async with visit(Role.OWNER, account, refusals=(409, 422)) as page:
        owner = Owner(page, Locale.EN, stack, account)
        await owner.begin()
        await owner.press("", "Send a code by phone")
        field = page.get_by_label("Code", exact=True)
        right = await owner.code()
        await field.fill("".join(str((int(digit) + 1) % 10) for digit in right))
        await owner.press("", "Verify")
        await expect(page.get_by_role("alert")).to_be_visible()
        await expect(page.get_by_text("4 tries left")).to_be_visible()
        await accessible(page)
        await field.fill(right)
        await owner.press("", "Verify")
        await owner.is_at("", "Read the notice")


async def test_who_has_changed_their_mind_withdraws_and_may_start_again(stack: Stack, visit: Visit) -> None:
    account = await new_account(stack)
    async with visit(Role.OWNER, account) as page:
        owner = Owner(page, Locale.EN, stack, account)
        await owner.begin()
        first = (await stack.cancellations.view(account)).request_no
        await page.get_by_text("Say why (optional)").click()
        await page.get_by_label("Reason").select_option("The services are still needed")
        await owner.press("", "Withdraw the request")
        await owner.is_at("", "The request is withdrawn")
        await expect(page.get_by_text("the services are still needed")).to_be_visible()
        await accessible(page)
        await owner.press("", "Start again")
        await owner.is_at("", "Verify it's you")
        assert (await stack.cancellations.view(account)).request_no != first


async def test_while_the_service_is_down_the_page_says_so_and_nothing_is_lost(stack: Stack, visit: Visit) -> None:
    account = await new_account(stack)
    async with visit(Role.OWNER, account, refusals=(503,)) as page:
        owner = Owner(page, Locale.EN, stack, account)
        await owner.begin()
        await stack.worker.stop()
        try:
            await page.reload(timeout=60_000)
            await owner.is_at("", "The service is not answering just now")
            await expect(page.get_by_text("Your request is not lost")).to_be_visible()
            await accessible(page)
        finally:
            await stack.worker.start()
        await owner.follow("", "Try again")
        await owner.is_at("", "Verify it's you")


async def test_without_a_channel_an_owner_sees_the_report_files_about_it_and_starts_again_after_a_terminate(
    stack: Stack, visit: Visit
) -> None:
    account = await new_account(stack, channels="", frozen_fen=1_200)
    async with visit(Role.OWNER, account, width=PHONE) as page:
        owner = Owner(page, Locale.EN, stack, account)
        await owner.begin()
        await expect(page.get_by_role("heading", name="Balance not met")).to_be_visible()
        await accessible(page)
        await owner.follow("", "Contact support: file a ticket")
        await owner.is_at("", "File a ticket")
        await accessible(page)
        await owner.give_contact()
        await page.get_by_label("I state that I have read and accept").check()
        await page.get_by_label("Have it returned: ¥12.00").check()
        await owner.press("", "File the ticket")
        await owner.is_under_review()
        await stack.client.get_workflow_handle(cancellation_workflow_id(account)).terminate("by a test")
        # By itself, without a reload.
        await owner.is_at("", "The request was interrupted")
        await accessible(page)
        await owner.press("", "Start again")
        await owner.is_at("", "Verify it's you")
