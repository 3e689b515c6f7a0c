"""`make screenshots`: the pictures of the READMEs, taken from the pages of a real stack in both languages."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from playwright.async_api import Browser

from console.auth.roles import Role
from devtools.demo.browser import DESKTOP, PHONE, chromium, console_ahead, sign_in, window
from devtools.demo.letter import scanned_letter
from devtools.demo.scene import Scene
from devtools.demo.stack import ROOT, Stack
from devtools.demo.stage import Stage
from domain.accounts import RealNameType
from domain.locale import Locale
from domain.phases import Phase
from domain.tickets import DecisionKind, DecisionReason
from simulator.edits import Value

FOLDER: Final = ROOT / "docs" / "images"

_AHEAD: Final = timedelta(days=6)
"""The staff's pictures are taken so long after the first ticket was filed: time enough for it to be late."""

_REASONS: Final[dict[str, Value]] = {
    "arrears_fen": 3_200,
    "available_fen": 25_600,
    "provider.CLOUD_MARKET": 1,
    "resources.vm": 2,
}
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
            blocked, clean, closed = [
                await _reported(stack, f"{n}", facts) for n, facts in enumerate((_REASONS, {}, {}))
            ]
            await closed.confirm()
            await closed.watch_deletion()
            asked = await _scene(stack, "asked", {})
            await asked.ask()
            for name, scene, path, width in (
                ("owner-reasons", blocked, "/owner", DESKTOP),
                ("owner-confirm", clean, "/owner/confirm", DESKTOP),
                ("owner-code", asked, "/owner", PHONE),
                ("owner-closed", closed, "/owner", PHONE),
            ):
                await _shoot(browser, stack.console_url, Role.OWNER, scene.account_id, path, width, folder / name)
            ticket = f"/staff/tickets/{await _fill_queue(stack)}"
            async with console_ahead(stack, _AHEAD) as later:
                for name, path in (("staff-queue", "/staff"), ("staff-ticket", ticket)):
                    await _shoot(browser, later, Role.AGENT, "", path, DESKTOP, folder / name)


async def _shoot(browser: Browser, console: str, role: Role, account: str, path: str, width: int, to: Path) -> None:
    """A page as somebody signed in sees it, in both languages, with the first decision unfolded."""
    for locale in Locale:
        async with window(browser, console, locale, width) as page:
            await sign_in(page, role, f"{role}-7", account, locale)
            await page.goto(path)
            for unfolded in (await page.locator("details.decision summary").all())[:1]:
                await unfolded.click()
            await page.evaluate("document.fonts.ready")
            await page.screenshot(path=f"{to}.{locale}.png", animations="disabled")


async def _fill_queue(stack: Stack) -> str:
    """Answers the number of the ticket that is looked at closely: the last that is under review."""
    number = ""
    for place, (facts, days) in enumerate(_QUEUE):
        scene = await _reported(stack, f"queue-{place}", facts)
        letter = scanned_letter(scene.account_id, stamped=True)
        number = await scene.file_ticket(letter if "real_name_type" in facts else None)
        if days:
            # The clock stands while materials are awaited, and starts anew when they arrive.
            await _ask_for_materials(scene, DecisionReason.CONTACT_UNREACHABLE)
            await scene.skipper.fast_forward(scene.review, timedelta(days=days))
            await scene.supply(letter)
            await scene.reviewed(lambda review: review.clock is not None and review.status.is_open)
    waiting = await _reported(stack, "queue-materials", _ENTERPRISE)
    await waiting.file_ticket(scanned_letter(waiting.account_id, stamped=False))
    await _ask_for_materials(waiting, DecisionReason.SEAL_MISSING)
    return number


async def _ask_for_materials(scene: Scene, reason: DecisionReason) -> None:
    await scene.cancellations.decide(DecisionKind.REQUEST_MATERIALS, await scene.decision(reason))
    await scene.reach(Phase.AWAITING_MATERIALS)


async def _reported(stack: Stack, name: str, facts: dict[str, Value]) -> Scene:
    scene = await _scene(stack, name, facts)
    await scene.to_report()
    return scene


async def _scene(stack: Stack, name: str, facts: dict[str, Value]) -> Scene:
    """A fresh account with nothing in the way but the facts, and nobody who watches."""
    [account_id] = await stack.store.add_clean_accounts(f"acct-{name}", 1)
    if facts:
        await stack.store.set_facts(account_id, **facts)
    return Scene(stack, Stage.unseen(), account_id)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(target))
