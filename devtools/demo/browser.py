"""Debian's Chromium on the pages of a console, and a console some days ahead."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

import uvicorn
from playwright.async_api import Browser, Page, async_playwright, expect
from pydantic import HttpUrl

from console.app import create_app
from console.auth.roles import Role
from console.services import Services
from console.settings import ConsoleSettings
from devtools.demo.languages import pick
from devtools.demo.programs import free_port
from devtools.demo.stack import Stack
from domain.business_calendar import CALENDAR
from domain.locale import Locale

PHONE, DESKTOP = 375, 1280
"""Widths in CSS pixels."""

PATIENCE_MS: Final = 20_000
"""How long anything may take to appear that happens without a person."""

_CHROMIUM: Final = "/usr/bin/chromium-headless-shell"
"""Without the window of the full browser, which takes more of a machine than the pages do."""

_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Whatever a page asked for outside this machine would not even find an address.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def window(
    browser: Browser, console_url: str, lang: Locale, width: int, *, scripts: bool = True
) -> AsyncIterator[Page]:
    """A page of a browser of its own: no cookie is shared with another."""
    height = 812 if width == PHONE else 900
    context = await browser.new_context(
        base_url=console_url,
        locale=lang,
        viewport={"width": width, "height": height},
        timezone_id="Asia/Shanghai",
        java_script_enabled=scripts,
    )
    context.set_default_timeout(PATIENCE_MS)
    try:
        yield await context.new_page()
    finally:
        await context.close()


async def sign_in(page: Page, role: Role, subject: str, account: str, lang: Locale) -> None:
    """By the development sign-in, which only a console on loopback has."""
    await page.goto("/sign-in")
    await page.locator(f"input[name=role][value={role}]").check()
    await page.get_by_label(pick(lang, "您的编号", "Your id")).fill(subject)
    if account:
        await page.get_by_label(pick(lang, "账号（仅所有者）", "Account (owners only)")).fill(account)
    await page.get_by_role("button", name=pick(lang, "登录", "Sign in")).click()
    await page.wait_for_url("**/owner" if role is Role.OWNER else "**/staff")


@asynccontextmanager
async def console_ahead(stack: Stack, ahead: timedelta) -> AsyncIterator[str]:
    """A console on the same stack, later: its address. What staff will see when time has passed, without waiting."""
    port = free_port()
    settings = ConsoleSettings(port=port, public_url=HttpUrl(f"http://127.0.0.1:{port}"), development_sign_in=True)

    @asynccontextmanager
    async def services() -> AsyncIterator[Services]:
        yield Services(
            stack.cancellations, stack.tickets, stack.client, CALENDAR, settings, now=lambda: datetime.now(UTC) + ahead
        )

    server = uvicorn.Server(
        uvicorn.Config(create_app(settings, services), port=port, log_config=None, access_log=False)
    )
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.03)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving
