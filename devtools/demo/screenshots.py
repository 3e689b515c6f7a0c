"""`make screenshots`: the pictures of the READMEs, taken from the pages of a real stack in both languages."""

import asyncio
import io
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from playwright.async_api import Browser, Page, expect
from rich.console import Console

from console.auth.roles import Role
from devtools.demo.browser import DESKTOP, PHONE, Owner, Reviewer, chromium, sign_in, window
from devtools.demo.later import console_ahead
from devtools.demo.letter import scanned_letter
from devtools.demo.scene import Scene
from devtools.demo.stack import ROOT, Stack
from devtools.demo.stage import Stage
from domain.accounts import RealNameType
from domain.actors import Actor, Via
from domain.locale import Locale
from domain.phases import Phase
from domain.tickets import DecisionKind, DecisionReason
from simulator.edits import Value

FOLDER: Final = ROOT / "docs" / "images"

_SIGNED_IN: Final = Actor(subject=f"{Role.OWNER}-7", via=Via.CONSOLE)
"""Who says the last word on the pages has to be who proved identity."""

_AHEAD: Final = timedelta(days=6)
"""The staff's pictures are taken so long after the first ticket was filed: time enough for it to be late."""

_ICP: Final[dict[str, Value]] = {"icp_applications_ever": 1}
_ENTERPRISE: Final[dict[str, Value]] = {**_ICP, "real_name_type": RealNameType.ENTERPRISE, "available_fen": 6_600}
_QUEUE: Final[tuple[tuple[dict[str, Value], int], ...]] = (
    (_ICP, 0),
    (_ENTERPRISE, 0),
    ({"frozen_fen": 30_000}, 3),
    (_ICP, 4),
    ({**_ICP, "available_fen": 12_850}, 5),
    (_ENTERPRISE, 6),
)
"""What is wrong with each account, and how many days after the first its ticket was complete."""


async def take(folder: Path) -> None:
    with TemporaryDirectory(prefix="screenshots-") as workdir:
        async with Stack.start(Path(workdir), console=True) as stack, chromium() as browser:
            assert stack.console_url is not None
            await _owners(stack, stack.console_url, browser, folder)
            ticket_no = await _fill_queue(stack)
            async with console_ahead(stack, _AHEAD) as later:
                await _staff(later, browser, folder, ticket_no)


async def _owners(stack: Stack, console: str, browser: Browser, folder: Path) -> None:
    four_reasons, clean = await _account(stack, "reasons"), await _account(stack, "clean")
    await stack.store.set_facts(
        four_reasons, **{"arrears_fen": 3_200, "available_fen": 25_600, "provider.CLOUD_MARKET": 1, "resources.vm": 2}
    )
    for account in (four_reasons, clean):
        scene = Scene(stack, _nobody_watches(), account)
        await scene.to_report()
    for locale in Locale:
        async with _signed_in(browser, console, Role.OWNER, four_reasons, locale) as page:
            await Owner(page, locale, stack, four_reasons).is_blocked()
            await _shoot(page, folder, "owner-reasons", locale)
        async with _signed_in(browser, console, Role.OWNER, clean, locale) as page:
            await Owner(page, locale, stack, clean).to_last_word()
            await _shoot(page, folder, "owner-confirm", locale)
        phoning = await _account(stack, f"phone-{locale.lower()}")
        async with _signed_in(browser, console, Role.OWNER, phoning, locale, PHONE) as page:
            owner = Owner(page, locale, stack, phoning)
            await owner.begin()
            await owner.press("通过手机获取验证码", "Send a code by phone")
            await expect(page.get_by_label(owner.say("验证码", "Code"), exact=True)).to_be_focused()
            await _shoot(page, folder, "owner-code", locale)
            await stack.cancellations.verify(phoning, await owner.code(), _SIGNED_IN)
            await page.reload()
            await owner.accept_notice()
            await owner.has_passed()
            await owner.to_last_word()
            await owner.confirm()
            await owner.is_closed()
            await _shoot(page, folder, "owner-closed", locale)


async def _fill_queue(stack: Stack) -> str:
    """Answers the number of the ticket that is looked at closely."""
    number = ""
    for place, (facts, days) in enumerate(_QUEUE):
        account = await _account(stack, f"queue-{place}")
        await stack.store.set_facts(account, **facts)
        scene = Scene(stack, _nobody_watches(), account)
        await scene.to_report()
        letter = scanned_letter(account, stamped=True) if "real_name_type" in facts else None
        number = (await scene.file_ticket(letter)).ticket_no
        if days:
            await _complete_later(scene, timedelta(days=days), letter)
    waiting = Scene(stack, _nobody_watches(), await _account(stack, "queue-materials"))
    await stack.store.set_facts(waiting.account_id, **_ENTERPRISE)
    await waiting.to_report()
    await waiting.file_ticket(scanned_letter(waiting.account_id, stamped=False))
    await waiting.cancellations.decide(
        DecisionKind.REQUEST_MATERIALS, await waiting.decision(DecisionReason.SEAL_MISSING)
    )
    return number


async def _complete_later(scene: Scene, after: timedelta, letter: bytes | None) -> None:
    """The clock stands while materials are awaited, and starts anew when they arrive."""
    await scene.cancellations.decide(
        DecisionKind.REQUEST_MATERIALS, await scene.decision(DecisionReason.CONTACT_UNREACHABLE)
    )
    await scene.reach(Phase.AWAITING_MATERIALS)
    await scene.skipper.fast_forward(scene.review, after)
    await scene.supply(letter or scanned_letter(scene.account_id, stamped=True))
    await scene.reviewed(lambda review: review.clock is not None and review.status.is_open)


async def _staff(console: str, browser: Browser, folder: Path, ticket_no: str) -> None:
    for locale in Locale:
        async with _signed_in(browser, console, Role.AGENT, "", locale) as page:
            agent = Reviewer(page, locale)
            await expect(page.get_by_role("link", name=ticket_no)).to_be_visible()
            await _shoot(page, folder, "staff-queue", locale)
            await agent.open_ticket(ticket_no)
            await agent.unfold("通过", "Approve")
            await _shoot(page, folder, "staff-ticket", locale)


async def _account(stack: Stack, name: str) -> str:
    [account_id] = await stack.store.add_clean_accounts(f"acct-{name}", 1)
    return account_id


@asynccontextmanager
async def _signed_in(
    browser: Browser, console: str, role: Role, account: str, locale: Locale, width: int = DESKTOP
) -> AsyncIterator[Page]:
    async with window(browser, console, locale, width) as page:
        await sign_in(page, role, f"{role}-7", account, locale)
        yield page


async def _shoot(page: Page, folder: Path, name: str, locale: Locale) -> None:
    await page.evaluate("document.fonts.ready")
    await page.screenshot(path=folder / f"{name}.{locale}.png", animations="disabled")


def _nobody_watches() -> Stage:
    return Stage(Console(file=io.StringIO()), Locale.EN, pace=0)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(target))
