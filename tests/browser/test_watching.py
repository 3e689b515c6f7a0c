"""What the other tests rely on: a page that misbehaves is found out."""

import pytest
from playwright.async_api import Browser

from console.auth.roles import Role
from devtools.demo.browser import DESKTOP, window
from devtools.demo.stack import Stack
from domain.locale import Locale
from tests.browser.people import Visit, Watch, accessible
from tests.support.service import eventually


@pytest.mark.parametrize(
    ("misdeed", "noted"),
    [
        ("console.error('something is wrong')", "something is wrong"),
        ("throw new Error('a bug')", "a bug"),
        ("document.body.setAttribute('style', 'color: red')", "Content Security Policy"),
        ("location.assign('http://elsewhere.invalid/')", "left this machine: http://elsewhere.invalid/"),
        ("fetch('/nowhere')", "status of 404"),
    ],
)
async def test_what_a_page_must_not_do_is_noted(browser: Browser, stack: Stack, misdeed: str, noted: str) -> None:
    assert stack.console_url is not None
    watch = Watch(frozenset({409}))
    async with window(browser, stack.console_url, Locale.EN, DESKTOP) as page:
        watch.over(page.context)
        await page.goto("/sign-in")
        # Later, when nobody waits for its answer any more: it may lead away from the page.
        await page.evaluate(f"void setTimeout(() => {{ {misdeed} }})")

        async def complaints() -> list[str]:
            return watch.complaints

        await eventually(complaints, lambda found: any(noted in one for one in found))


@pytest.mark.parametrize(
    ("defect", "found"),
    [
        ("main.innerHTML += '<img src=/static/icon.svg>'", "image-alt"),
        ("main.innerHTML += '<input type=text>'", "label"),
        ("main.style.width = '3000px'", "wider than the window"),
    ],
)
async def test_what_not_everybody_can_use_is_found(visit: Visit, defect: str, found: str) -> None:
    async with visit(Role.AUDITOR) as page:
        await page.evaluate(f"const main = document.querySelector('main'); main.style.maxWidth = 'none'; {defect}")
        with pytest.raises(AssertionError, match=found):
            await accessible(page)
