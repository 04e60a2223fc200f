"""The whole way of a baht: from the shelf through basket, slip and parcel into block 5 of two groups' canvases."""

import io
import re
from itertools import product

import pytest
import segno
from playwright.async_api import Page, expect

from app.language import Language
from orders import slip_qr
from tests import factories as people
from tests.ground.browsers import DESK, PHONE, OpenPage
from tests.ground.servers import RunningMarket
from tests.orders import factories
from tests.orders.factories import Stall

pytestmark = pytest.mark.journey


_SHORT = (("th", PHONE, False), ("th", DESK, True), ("en", PHONE, True), ("en", DESK, False))
"""Every pair of language, width and script is met; all eight are walked in `make test-long`."""
_ALL = tuple(product(("th", "en"), (PHONE, DESK), (True, False)))


@pytest.mark.parametrize(
    ("lang", "width", "javascript"),
    [pytest.param(*way, marks=[] if way in _SHORT else [pytest.mark.long]) for way in _ALL],
    ids=lambda value: {True: "script", False: "no-script"}.get(value, str(value)),
)
async def test_an_order_of_two_groups_ends_in_both_canvases(
    open_page: OpenPage, server: RunningMarket, lang: Language, width: int, *, javascript: bool
) -> None:
    rice, fish, staff_email = await _market(server)

    async def opened() -> Page:
        return await open_page(width=width, lang=lang, javascript=javascript)

    buyer = await opened()
    await _put_in_basket(buyer, lang, rice)
    await _put_in_basket(buyer, lang, fish)
    number = await _order(buyer, javascript=javascript)
    await _send_slip(buyer)
    await _confirm(await opened(), lang, staff_email)
    for stall in (rice, fish):
        await _pack_and_hand_over(await opened(), lang, stall, number)
    await buyer.reload()
    await expect(buyer.locator(".timeline li[data-state=done]").last).to_be_visible()
    assert await buyer.locator(".timeline li[data-state=later]").count() == 0
    for stall, earned in ((rice, "฿50"), (fish, "฿70")):
        await _find_in_canvas(await opened(), lang, stall, number, earned)


async def _market(server: RunningMarket) -> tuple[Stall, Stall, str]:
    async with server.session() as session:
        center = await factories.producers.center(session)
        center.promptpay_id, center.promptpay_name = "0898887777", "ศูนย์"
        rice = await factories.stall(session, at=center, name_th="ข้าวเม่าสด", price=50_00)
        fish = await factories.stall(session, at=center, name_th="ปลาส้มตัว", price=70_00)
        staff = (await people.staff(session)).person
        assert staff is not None
        assert staff.email is not None
        return rice, fish, staff.email


def _path(lang: Language, path: str) -> str:
    return f"/en{path}" if lang == "en" else path


async def _put_in_basket(page: Page, lang: Language, stall: Stall) -> None:
    await page.goto(_path(lang, "/market"))
    await page.locator(f"a[href$='/listings/{stall.listing.slug}']").first.click()
    await page.locator("form[action$='/basket/add'] button[type=submit]").click()
    await page.wait_for_url("**/basket")


async def _order(page: Page, *, javascript: bool) -> str:
    """Check out with everything picked up at the groups; return the order's number as people say it."""
    assert await page.locator("input[name^='quantity-']").count() == 2
    await page.locator("[name=onward]").first.click()
    await page.locator("[name=name]").fill("มะลิ ใจเย็น")
    await page.locator("[name=phone]").fill("089 111 2222")
    for choice in await page.locator("input[value=pickup_group]").all():
        await choice.check()
    if javascript:
        await expect(page.locator("#address")).to_be_hidden()
        await expect(page.locator("[name=seen_total]")).to_have_value("12000")
    else:
        async with page.expect_navigation():  # a click on the page that is about to go would be lost
            await page.locator("[name=look]").click()
    await page.locator("[name=payment_method][value=promptpay]").check()
    await page.locator("form[data-checkout] button[type=submit]:not([name])").click()
    await page.wait_for_url(re.compile(r"/o/\w+"))
    await expect(page.locator("svg.qr")).to_be_visible()
    heading = await page.locator("h1").inner_text()
    return "".join(re.findall(r"\d", heading))


async def _send_slip(page: Page) -> None:
    code = io.BytesIO()
    segno.make(slip_qr.make_payload("004", "JOURNEY0001")).save(code, kind="png", scale=8)
    slip = {"name": "สลิป.png", "mimeType": "image/png", "buffer": code.getvalue()}
    await page.locator("input[type=file][name=slip]").set_input_files(slip)  # type: ignore[arg-type]
    await page.locator("form[action$='/slip'] button[type=submit]").click()
    await expect(page.locator("svg.qr")).to_have_count(0)


async def _sign_in(page: Page, lang: Language, email: str | None) -> None:
    await page.goto(_path(lang, "/sign-in"))
    await page.locator("main [name=name]").fill(email or "")
    await page.locator("main [name=password]").fill(people.PASSWORD)
    await page.locator("main form button[type=submit]").click()
    await page.wait_for_url(re.compile("/(desk|staff)"))


async def _confirm(page: Page, lang: Language, email: str) -> None:
    await _sign_in(page, lang, email)
    await page.goto(_path(lang, "/staff/slips"))
    await page.locator("form[action$='/accept'] button[type=submit]").click()
    await expect(page.locator("form[action$='/accept']")).to_have_count(0)


async def _pack_and_hand_over(page: Page, lang: Language, stall: Stall, number: str) -> None:
    await _sign_in(page, lang, stall.owner.email)
    await page.goto(_path(lang, f"/desk/groups/{stall.group.slug}"))
    await page.locator(f"main a[href$='/orders/{number}']").first.click()
    await page.locator("form[action$='/pack'] button[type=submit]").click()
    await expect(page.locator("form[action$='/pack']")).to_have_count(0)
    await page.locator("form[action*='hand'] button[type=submit]").click()
    await expect(page.locator("form[action*='hand']")).to_have_count(0)


async def _find_in_canvas(page: Page, lang: Language, stall: Stall, number: str, earned: str) -> None:
    """The figure of block 5 opens to its entries, and those to the order."""
    await _sign_in(page, lang, stall.owner.email)
    await page.goto(_path(lang, f"/desk/groups/{stall.group.slug}/canvas"))
    await page.locator(".canvas-revenue a", has_text=earned).first.click()
    await page.locator(f"main a[href$='/orders/{number}']").first.click()
    await expect(page.locator("h1")).to_contain_text(re.compile(f"{number[:3]}.?{number[3:]}"))
