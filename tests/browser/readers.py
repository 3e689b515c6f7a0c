"""Owners and reviewers in front of a browser, who read what stands on the page and press it."""

from dataclasses import dataclass

from playwright.async_api import FilePayload, Locator, Page, expect

from devtools.demo.languages import pick
from devtools.demo.letter import scanned_letter
from devtools.demo.stack import Stack
from domain.locale import Locale


@dataclass
class Reader:
    """Somebody at a page, in one language."""

    page: Page
    locale: Locale

    def say(self, zh: str, en: str) -> str:
        return pick(self.locale, zh, en)

    def button(self, zh: str, en: str) -> Locator:
        return self.page.get_by_role("button", name=self.say(zh, en), exact=True)

    async def press(self, zh: str, en: str) -> None:
        await self.button(zh, en).click()

    async def follow(self, zh: str, en: str) -> None:
        await self.page.get_by_role("link", name=self.say(zh, en), exact=True).click()

    async def is_at(self, zh: str, en: str) -> None:
        """Wait for the page with this heading."""
        await expect(self.page.get_by_role("heading", level=1)).to_have_text(self.say(zh, en))

    async def reads(self, zh: str, en: str) -> None:
        """Wait for words that are on the page, somewhere."""
        await expect(self.page.get_by_text(self.say(zh, en)).first).to_be_visible()


@dataclass
class Owner(Reader):
    stack: Stack
    account: str

    async def code(self) -> str:
        """What arrived, as the owner would read it from the phone."""
        return await self.stack.store.latest_code(self.account)

    async def begin(self) -> None:
        await self.is_at("申请注销云账号", "Cancel this cloud account")
        await self.press("开始", "Start")
        await self.is_at("验证您的身份", "Verify it's you")

    async def identify(self) -> None:
        await self.press("通过手机获取验证码", "Send a code by phone")
        field = self.page.get_by_label(self.say("验证码", "Code"), exact=True)
        await expect(field).to_be_focused()
        await field.fill(await self.code())
        await self.press("验证", "Verify")
        await self.is_at("阅读注销须知", "Read the notice")

    async def accept_notice(self) -> None:
        await self.press("我已阅读并同意", "I have read it and accept it")

    async def to_checks(self) -> None:
        await self.begin()
        await self.identify()
        await self.accept_notice()

    async def is_blocked(self) -> None:
        await self.is_at("还不能注销", "It cannot be closed yet")

    async def has_passed(self) -> None:
        await self.is_at("条件全部满足", "All conditions are met")

    async def to_last_word(self) -> None:
        await self.follow("前往最终确认", "Continue to confirm")
        await self.is_at("最终确认", "Confirm once more")

    async def confirm(self) -> None:
        await self.page.get_by_label(self.say("请输入账号 ID 以确认", "To confirm, type the account id")).fill(
            self.account
        )
        await self.press("确认注销账号", "Close this account for good")

    async def is_closed(self) -> None:
        await self.is_at("账号已注销", "The account is closed")
        await expect(
            self.page.get_by_role("heading", name=self.say("注销证明", "Certificate of closure"))
        ).to_be_visible()

    async def choose_letter(self, *, stamped: bool) -> None:
        label = self.say("加盖公章的《注销账号同意书》扫描件", "Scan of the letter of consent with the company’s seal")
        scan = FilePayload(
            name="letter.pdf", mimeType="application/pdf", buffer=scanned_letter(self.account, stamped=stamped)
        )
        await self.page.get_by_label(label).set_input_files(scan)

    async def sees_letter(self) -> None:
        """Wait for its first page, as it was drawn."""
        await self.reads("审核人员将看到的同意书", "This is what the reviewer sees")
        page = self.page.get_by_role("img", name=self.say("同意书第 1 页", "Page 1 of the letter"))
        await page.scroll_into_view_if_needed()
        await expect(page).to_have_js_property("complete", True)
        assert await page.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0

    async def give_contact(self) -> None:
        await self.page.get_by_label(self.say("联系邮箱", "Contact e-mail")).fill("owner@example.com")
        await self.page.get_by_label(self.say("联系电话", "Contact phone")).fill("138 0013 8000")

    async def file_ticket(self, *, letter: bool) -> str:
        """From the reasons to the review. Answers the ticket's number."""
        await self.is_blocked()
        await self.follow("提交人工工单", "File a ticket")
        await self.is_at("提交人工工单", "File a ticket")
        await self.give_contact()
        if letter:
            await self.choose_letter(stamped=False)
            await self.press("下一步：核对同意书", "Next: see the pages")
            await self.sees_letter()
            await self.press("确认无误，提交工单", "The pages are right: file the ticket")
        else:
            await self.page.get_by_label(
                self.say("我声明：已阅读并同意", "I state that I have read and accept")
            ).check()
            await self.press("提交工单", "File the ticket")
        return await self.is_under_review()

    async def is_under_review(self) -> str:
        await self.is_at("人工审核中", "Staff are looking at it")
        review = (await self.stack.cancellations.view(self.account)).review
        assert review is not None
        return review.ticket.ticket_no


@dataclass
class Reviewer(Reader):
    async def open_ticket(self, ticket_no: str) -> None:
        """From the queue, in which it appears by itself."""
        await self.page.get_by_role("link", name=ticket_no).click()
        await self.is_at(f"工单 {ticket_no}", f"Ticket {ticket_no}")

    async def unfold(self, zh: str, en: str) -> None:
        await self.page.locator("summary").filter(has_text=self.say(zh, en)).click()

    async def approve(self) -> None:
        await self.unfold("通过", "Approve")
        group = self.page.get_by_role("group", name=self.say("确认豁免", "Set aside"))
        for box in await group.get_by_role("checkbox").all():
            await box.check()
        await self.press("通过并注销账号", "Approve and close the account")

    async def reject(self, zh: str, en: str) -> None:
        await self.unfold("驳回", "Reject")
        await self.page.get_by_role("checkbox", name=self.say(zh, en)).check()
        await self.press("驳回并告知用户", "Reject and tell the owner")

    async def ask_for_materials(self, zh: str, en: str) -> None:
        await self.unfold("要求补充材料", "Ask for materials")
        await self.page.get_by_role("checkbox", name=self.say(zh, en)).check()
        await self.press("要求补充材料", "Ask for materials")

    async def is_recorded(self) -> None:
        await self.reads("您的决定已记录", "Your decision is recorded")
