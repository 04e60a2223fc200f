"""A real browser for journeys: Chromium, as a phone or a desk, in Thai or English, with JavaScript or without."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Protocol

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from app.language import Language
from tests.ground.chromium import FLAGS, executable
from tests.ground.servers import RunningMarket

PHONE, DESK = 360, 1280
PATIENCE_MS = 60_000
"""A busy machine is slow, not wrong."""
expect.set_options(timeout=PATIENCE_MS)


class OpenPage(Protocol):
    """Open a page of the running market in a browser of its own (no cookies shared with another one)."""

    def __call__(
        self, *, width: int = PHONE, lang: Language = "th", javascript: bool = True, dark: bool = False
    ) -> Awaitable[Page]: ...


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = await asyncio.to_thread(executable)
    if path is None:
        pytest.fail("No Chromium starts here: run tests/install_browser.sh, which says what is missing.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        await browser.close()


@pytest.fixture
async def open_page(browser: Browser, server: RunningMarket) -> AsyncIterator[OpenPage]:
    """Pages of this test's market, which is empty but for what the test puts in."""
    async with pages_of(browser, server.url) as opened:
        yield opened


@pytest.fixture
async def open_stocked_page(browser: Browser, stocked: RunningMarket) -> AsyncIterator[OpenPage]:
    """Pages of the demo market."""
    async with pages_of(browser, stocked.url) as opened:
        yield opened


@asynccontextmanager
async def pages_of(browser: Browser, url: str) -> AsyncIterator[OpenPage]:
    """Pages of the market at `url`; an error in a page's own script, or a request to another host, fails the test."""
    troubles: list[str] = []
    contexts = []

    async def opened(*, width: int = PHONE, lang: Language = "th", javascript: bool = True, dark: bool = False) -> Page:
        context = await browser.new_context(
            base_url=url,
            viewport={"width": width, "height": 740 if width == PHONE else 900},
            locale="th-TH" if lang == "th" else "en-GB",
            timezone_id="Asia/Bangkok",
            java_script_enabled=javascript,
            has_touch=width == PHONE,
            color_scheme="dark" if dark else "light",
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: troubles.append(f"script: {error}"))
        page.on("request", lambda sent: troubles.extend(_foreign(sent.url, url)))
        return page

    yield opened
    for context in contexts:
        await context.close()
    assert troubles == []


@pytest.fixture
async def page(open_page: OpenPage) -> Page:
    """A phone that reads Thai."""
    return await open_page()


def _foreign(url: str, home: str) -> list[str]:
    return [] if url.startswith((home, "data:", "blob:", "about:")) else [f"asked another host: {url}"]
