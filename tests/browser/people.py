"""What the pages must not do while somebody uses them, and what they must let everybody do."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from importlib import resources
from typing import Final
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request

from console.auth.roles import Role
from devtools.demo.browser import DESKTOP, sign_in, window
from domain.locale import Locale

_AXE: Final = (resources.files("axe_playwright_python") / "axe.min.js").read_text()
_SERIOUS: Final = frozenset({"serious", "critical"})
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost"})
_SHOWN_BY_CHROMIUM: Final = "Failed to load resource: the server responded with a status of {status} "
"""What Chromium itself logs about a page that answers with an error status, as a refused form does."""


@dataclass
class Watch:
    """What happened in one person's pages that must not happen; `refusals` are statuses that the person expects."""

    refusals: frozenset[int] = frozenset()
    complaints: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.complaints.append(f"script: {error.error}"))
        context.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        expected = any(message.text.startswith(_SHOWN_BY_CHROMIUM.format(status=status)) for status in self.refusals)
        if message.type in ("error", "warning") and not expected:
            self.complaints.append(f"console {message.type}: {message.text} ({message.location})")

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.hostname not in _LOOPBACK:
            self.complaints.append(f"left this machine: {request.url}")


Visit = Callable[..., AbstractAsyncContextManager[Page]]
"""`async with visit(role, account, ...) as page`; see `visits`."""


def visits(browser: Browser, console_url: str) -> Visit:
    @asynccontextmanager
    async def visit(
        role: Role,
        account: str = "",
        *,
        subject: str | None = None,
        lang: Locale = Locale.EN,
        width: int = DESKTOP,
        refusals: tuple[int, ...] = (),
        scripts: bool = True,
    ) -> AsyncIterator[Page]:
        """Somebody signed in, on the first page they see. Leaving asserts that their pages behaved."""
        watch = Watch(frozenset(refusals))
        async with window(browser, console_url, lang, width, scripts=scripts) as page:
            watch.over(page.context)
            await sign_in(page, role, subject or f"{role}-1", account, lang)
            yield page
        assert watch.complaints == [], "\n".join(watch.complaints)

    return visit


async def accessible(page: Page) -> None:
    """axe-core finds nothing serious or critical, and nothing sticks out sideways."""
    await page.evaluate(_AXE)
    found = (await page.evaluate("axe.run({resultTypes: ['violations']})"))["violations"]
    serious = [(v["id"], [node["target"] for node in v["nodes"]]) for v in found if v["impact"] in _SERIOUS]
    assert serious == [], f"{page.url}: {serious}"
    sideways = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert sideways <= 0, f"{page.url} is {sideways} px wider than the window"


async def tab_to(page: Page, target: Locator, steps: int = 60) -> None:
    """Press Tab until the target has the focus, and see that this shows."""
    for _ in range(steps):
        await page.keyboard.press("Tab")
        if await target.evaluate("element => element === document.activeElement"):
            style, pixels = await target.evaluate(
                "element => (({outlineStyle, outlineWidth}) => [outlineStyle, parseFloat(outlineWidth)])"
                "(getComputedStyle(element))"
            )
            assert style != "none", f"the focus on {target} does not show"
            assert pixels >= 2, f"the focus on {target} hardly shows"
            return
    raise AssertionError(f"{target} cannot be reached by Tab")
