"""From the basket to Stripe's page and back, in a real browser, with the stand-in that `STRIPE_STANDIN=1` starts."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from sqlalchemy.ext.asyncio import create_async_engine

from app import embedded
from tests.ground.browsers import PHONE
from tests.ground.databases import copy_of_template
from tests.ground.servers import RunningMarket, free_port, market_run
from tests.orders import factories
from tests.orders.factories import Stall

pytestmark = pytest.mark.journey


@pytest.fixture
async def card_market(test_server: embedded.Server, tmp_path: Path) -> AsyncIterator[RunningMarket]:
    """A market of its own, with the stand-in as its third child."""
    async with copy_of_template(test_server, f"paid_{os.getpid()}") as database_url:
        ports = {"STRIPE_STANDIN": "1", "STRIPE_STANDIN_PORT": str(free_port()), "WEB_PROCESSES": "1"}
        with market_run(tmp_path, DATABASE_URL=database_url, **ports) as market:
            engine = create_async_engine(database_url)
            yield RunningMarket(market.url, database_url, tmp_path, engine)
            await engine.dispose()


async def stall(market: RunningMarket) -> Stall:
    async with market.session() as session:
        return await factories.stall(session)


async def test_a_buyer_fails_comes_back_pays_and_sees_it(card_market: RunningMarket, browser: Browser) -> None:
    sold = await stall(card_market)
    context = await browser.new_context(base_url=card_market.url, viewport={"width": PHONE, "height": 740})
    context.set_default_timeout(60_000)
    page = await context.new_page()
    await _order_by_card(page, card_market, sold)

    await page.get_by_role("button", name="Pay now").click()
    await page.get_by_role("button", name="Fail").click()
    await page.get_by_role("button", name="Come back without paying").click()
    await expect(page.get_by_role("button", name="Pay now")).to_be_visible()

    await page.get_by_role("button", name="Pay now").click()
    await expect(page.get_by_text("open")).to_be_visible()
    await page.get_by_role("button", name="Pay by PromptPay").click()
    await expect(page.get_by_text("Your payment is confirmed. The groups are packing.")).to_be_visible()
    await page.goto(f"{page.url.partition('?')[0]}/receipt")
    await expect(page.get_by_text("Card or PromptPay, through Stripe")).to_be_visible()
    await context.close()


async def _order_by_card(page: Page, market: RunningMarket, sold: Stall) -> None:
    await page.context.request.post(
        f"{market.url}/basket/add", form={"variant_id": str(sold.variant.id), "quantity": "2"}
    )
    await page.goto("/en/checkout")
    await page.get_by_label("Your name").fill("Mali")
    await page.get_by_label("Phone").fill("089 111 2222")
    await page.locator("input[value=pickup_group]").check()
    await page.get_by_label("Card or PromptPay, through Stripe").check()
    await page.get_by_role("button", name="Order 1 item · ฿100").click()
    await expect(page.get_by_role("heading", name="Pay ฿100 by card or PromptPay")).to_be_visible()
