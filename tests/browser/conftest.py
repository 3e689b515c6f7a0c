"""One stack with a console, one browser, for the session."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from devtools.demo.browser import chromium
from devtools.demo.stack import Stack
from tests.browser.people import Visit, visits


@pytest_asyncio.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    async with Stack.start(tmp_path_factory.mktemp("browser"), console=True) as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest.fixture
def visit(browser: Browser, stack: Stack) -> Visit:
    assert stack.console_url is not None
    return visits(browser, stack.console_url)
