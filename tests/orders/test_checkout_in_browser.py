"""What the checkout does better with script, on a phone."""

import asyncio

import pytest
from playwright.async_api import Page, Route, expect

from tests.ground.browsers import OpenPage
from tests.ground.servers import RunningMarket
from tests.orders import factories
from tests.orders.factories import Stall

pytestmark = pytest.mark.journey


@pytest.fixture
async def stall(server: RunningMarket) -> Stall:
    async with server.session() as session:
        return await factories.stall(session)


async def filled(page: Page, server: RunningMarket, stall: Stall) -> Page:
    await page.context.request.post(
        f"{server.url}/basket/add", form={"variant_id": str(stall.variant.id), "quantity": "2"}
    )
    await page.goto("/checkout")
    await page.get_by_label("ชื่อของคุณ").fill("มะลิ")
    return page


async def test_another_delivery_changes_total_and_ways_to_pay_at_once(
    page: Page, server: RunningMarket, stall: Stall
) -> None:
    await filled(page, server, stall)
    await expect(page.get_by_role("button", name="สั่งซื้อ 1 รายการ ฿140")).to_be_visible()

    await page.get_by_label("รับเองที่กลุ่ม").check()

    await expect(page.get_by_role("button", name="สั่งซื้อ 1 รายการ ฿100")).to_be_visible()
    await expect(page.get_by_label("บ้านเลขที่ หมู่ ซอย ถนน")).to_be_hidden()
    assert await page.get_by_label("ชื่อของคุณ").input_value() == "มะลิ"
    await page.get_by_label("เบอร์โทร").fill("0891112222")
    await page.get_by_label("เงินสดตอนรับสินค้า").check()
    await page.get_by_role("button", name="สั่งซื้อ 1 รายการ ฿100").click()
    await expect(page.get_by_text("กรุณามารับสินค้าภายใน")).to_be_visible()


async def test_a_way_to_pay_that_is_chosen_while_the_total_is_looked_up_stays_chosen(
    page: Page, server: RunningMarket, stall: Stall
) -> None:
    await filled(page, server, stall)
    await page.get_by_label("รับเองที่กลุ่ม").check()
    await expect(page.get_by_role("button", name="สั่งซื้อ 1 รายการ ฿100")).to_be_visible()
    await page.get_by_label("เงินสดตอนรับสินค้า").check()
    may_answer = asyncio.Event()

    async def answer_late(route: Route) -> None:
        await may_answer.wait()
        await route.continue_()

    await page.route("**/checkout", answer_late)
    await page.locator("input[value=parcel]").check()
    await page.get_by_label("พร้อมเพย์").check()
    fresh = await page.query_selector("#fresh-pay")
    may_answer.set()
    assert fresh is not None
    await fresh.wait_for_element_state("hidden")
    assert await page.get_by_label("พร้อมเพย์").is_checked()


async def test_the_tambon_is_chosen_while_the_postcode_is_typed(
    page: Page, server: RunningMarket, stall: Stall
) -> None:
    await filled(page, server, stall)
    await page.get_by_label("เบอร์โทร").fill("0891112222")
    await page.get_by_label("บ้านเลขที่ หมู่ ซอย ถนน").fill("12 หมู่ 3")

    await page.get_by_label("รหัสไปรษณีย์หรือตำบล").press_sequentially("31110")
    await page.get_by_label("ตำบล อำเภอ จังหวัด").select_option("310427")
    await page.get_by_role("button", name="สั่งซื้อ 1 รายการ ฿140").click()

    await expect(page.get_by_text("12 หมู่ 3 ต.หนองโสน อ.นางรอง")).to_be_visible()


async def test_all_of_it_works_without_script(open_page: OpenPage, server: RunningMarket, stall: Stall) -> None:
    page = await filled(await open_page(javascript=False), server, stall)
    await page.get_by_label("เบอร์โทร").fill("0891112222")
    await page.get_by_label("รับเองที่กลุ่ม").check()

    await page.get_by_role("button", name="ดูยอดใหม่").click()
    await page.get_by_role("button", name="สั่งซื้อ 1 รายการ ฿100").click()

    await expect(page.locator("svg.qr")).to_be_visible()
    await expect(page.get_by_role("link", name="บันทึกรูปคิวอาร์")).to_be_visible()
