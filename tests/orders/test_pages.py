"""From the basket to the receipt, as a phone without JavaScript meets it."""

import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import httpx
import pytest
import segno
import zxingcpp
from bs4 import BeautifulSoup
from PIL import Image
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import FrozenClock
from app.money import Satang
from catalog import capacity
from orders import cancellation, payments, promptpay, slip_qr, slips
from orders.finding import MOST_GUESSES
from orders.order import Order
from orders.states import BUYER, OrderState
from tests import factories as people
from tests.ground.databases import QueryCount
from tests.orders import factories
from tests.orders.factories import MALI, STAFF, Stall
from tests.producers import factories as producers
from tests.producers.desk import enter, soup, words

WHO = {"name": "มะลิ", "phone": "089-111-2222", "payment_method": "promptpay"}
WHERE = {"address_line": "12 หมู่ 3", "area": "31110", "subdistrict_code": producers.NONG_SANO}


@pytest.fixture
async def stall(session: AsyncSession) -> Stall:
    made = await factories.stall(session)
    await session.commit()
    return made


async def put_in(client: httpx.AsyncClient, stall: Stall, quantity: str = "1") -> httpx.Response:
    return await client.post("/basket/add", data={"variant_id": str(stall.variant.id), "quantity": quantity})


def fields(page: BeautifulSoup, form: str = "form[data-checkout]") -> dict[str, list[str]]:
    """What a browser would send of a form as it stands."""
    found: dict[str, list[str]] = {}
    for field in page.select_one(form).select("input[name], textarea[name], select[name]"):  # type: ignore[union-attr]
        if field.get("type") == "radio" and not field.has_attr("checked"):
            continue
        value = field.get_text() if field.name == "textarea" else field.get("value", "")
        if field.name == "select":
            chosen = field.select_one("option[selected]") or field.select_one("option")
            value = chosen["value"] if chosen else ""
        found.setdefault(str(field["name"]), []).append(str(value))
    return found


async def checkout(client: httpx.AsyncClient, **typed: str) -> httpx.Response:
    page = await soup(client, "/checkout")
    data = fields(page) | {name: [value] for name, value in (WHO | WHERE | typed).items()}
    return await client.post("/checkout", data=data)


async def ordered(client: httpx.AsyncClient, **typed: str) -> str:
    """Order what is in the basket; return the path of the order's page."""
    answer = await checkout(client, **typed)
    assert answer.status_code == 303, words(BeautifulSoup(answer.text, "html.parser"))
    return answer.headers["location"]


def slip_picture(reference: str) -> bytes:
    """A screenshot of a bank app's slip."""
    code = io.BytesIO()
    segno.make(slip_qr.make_payload("004", reference), error="m", micro=False).save(code, kind="png", scale=5)
    picture = Image.new("RGB", (720, 1280), "white")
    picture.paste(Image.open(code).convert("RGB"), (60, 700))
    kept = io.BytesIO()
    picture.save(kept, "PNG")
    return kept.getvalue()


async def only_order(session: AsyncSession) -> Order:
    return (await session.scalars(select(Order).execution_options(populate_existing=True))).one()


async def test_a_guest_fills_a_basket_and_orders(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall
) -> None:
    assert (await put_in(client, stall, "2")).headers["location"] == "/basket"
    page = await soup(client, "/basket")
    assert "ข้าวเม่า" in words(page)
    assert "฿140" in words(page)

    path = await ordered(client)

    order = await only_order(session)
    assert path == f"/o/{order.link_token}"
    assert (order.total_satang, order.buyer_phone) == (140_00, "+66891112222")
    assert (order.address_line, order.subdistrict_code) == ("12 หมู่ 3", producers.NONG_SANO)
    page = await soup(client, path)
    assert order.spoken_number in words(page)
    assert "xxx-xxx-5678" in words(page)
    assert page.select_one("svg.qr title")
    assert "ตะกร้าของคุณยังว่าง" in words(await soup(client, "/basket"))


async def test_the_english_market_says_it_in_english(client: httpx.AsyncClient, stall: Stall) -> None:
    await put_in(client, stall)
    page = await soup(client, "/en/checkout")
    answer = await client.post("/en/checkout", data=fields(page) | {k: [v] for k, v in (WHO | WHERE).items()})

    assert answer.headers["location"].startswith("/en/o/")
    page = await soup(client, answer.headers["location"])
    assert "Pay ฿90 by PromptPay" in words(page)


async def test_the_same_form_sent_again_shows_the_same_order(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall
) -> None:
    await put_in(client, stall)
    data = fields(await soup(client, "/checkout")) | {name: [value] for name, value in (WHO | WHERE).items()}

    first, again = [await client.post("/checkout", data=data) for _ in range(2)]

    assert first.headers["location"] == again.headers["location"] == f"/o/{(await only_order(session)).link_token}"


async def test_a_programs_key_makes_one_order(client: httpx.AsyncClient, session: AsyncSession, stall: Stall) -> None:
    await put_in(client, stall)
    data = fields(await soup(client, "/checkout")) | {name: [value] for name, value in (WHO | WHERE).items()}
    data["once"] = ["x"]

    answers = [await client.post("/checkout", data=data, headers={"Idempotency-Key": "retry-1"}) for _ in range(2)]

    assert {answer.status_code for answer in answers} == {303}
    await only_order(session)


async def test_a_programs_key_is_not_for_another_form(client: httpx.AsyncClient, stall: Stall) -> None:
    await put_in(client, stall)
    data = fields(await soup(client, "/checkout")) | {name: [value] for name, value in (WHO | WHERE).items()}
    await client.post("/checkout", data=data, headers={"Idempotency-Key": "retry-1"})

    other = await client.post("/checkout", data=data | {"name": ["คนอื่น"]}, headers={"Idempotency-Key": "retry-1"})

    assert other.status_code == 422


async def test_nothing_typed_is_lost_when_something_is_wrong(client: httpx.AsyncClient, stall: Stall) -> None:
    await put_in(client, stall)

    answer = await checkout(client, phone="12", note="ขอไม่หวาน", email="nonsense")

    page = BeautifulSoup(answer.text, "html.parser")
    assert answer.status_code == 422
    assert page.select_one("#f-phone-error")
    assert page.select_one("#f-email-error")
    assert page.select_one("#f-phone")["value"] == "12"  # type: ignore[index]
    assert page.select_one("#f-name")["value"] == "มะลิ"  # type: ignore[index]
    assert "ขอไม่หวาน" in page.select_one("#f-note").text  # type: ignore[union-attr]


async def test_without_script_the_tambon_is_chosen_in_a_second_step(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall
) -> None:
    await put_in(client, stall)

    answer = await checkout(client, subdistrict_code="")
    page = BeautifulSoup(answer.text, "html.parser")
    assert answer.status_code == 422
    assert len(page.select("#f-subdistrict_code option")) > 5
    data = fields(page) | {"subdistrict_code": [producers.NONG_SANO]}
    answer = await client.post("/checkout", data=data)

    assert answer.status_code == 303
    assert (await only_order(session)).subdistrict_code == producers.NONG_SANO


async def test_a_foreigners_phone_is_taken(client: httpx.AsyncClient, session: AsyncSession, stall: Stall) -> None:
    await put_in(client, stall)

    await ordered(client, phone="+49 1511 2345678")

    assert (await only_order(session)).buyer_phone == "+4915112345678"


async def test_a_price_that_changed_meanwhile_is_shown_line_by_line(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall
) -> None:
    await put_in(client, stall, "2")
    data = fields(await soup(client, "/checkout")) | {name: [value] for name, value in (WHO | WHERE).items()}
    stall.variant.price_satang = Satang(60_00)
    session.add(stall.variant)
    await session.commit()

    answer = await client.post("/checkout", data=data | {"note": ["ฝากด้วย"]})

    page = BeautifulSoup(answer.text, "html.parser")
    assert answer.status_code == 409
    assert "฿140" in words(page)
    assert "฿160" in words(page)
    assert [cell.get_text() for cell in page.select(".notice td.number")] == ["฿100", "฿120"]
    assert page.select_one("#f-note").text.strip() == "ฝากด้วย"  # type: ignore[union-attr]
    assert (await client.post("/checkout", data=fields(page))).status_code == 303


async def test_another_delivery_shows_its_total_before_it_is_ordered(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall
) -> None:
    await put_in(client, stall)
    delivery = f"delivery-{stall.group.id}"

    answer = await checkout(client, **{delivery: "pickup_group"})
    page = BeautifulSoup(answer.text, "html.parser")
    assert answer.status_code == 409
    assert page.select_one("#address").has_attr("hidden")  # type: ignore[union-attr]
    answer = await client.post("/checkout", data=fields(page) | {"payment_method": ["cash"]})

    assert answer.status_code == 303
    assert ((await only_order(session)).total_satang, (await only_order(session)).address_line) == (50_00, None)


async def test_looking_at_the_new_total_orders_nothing(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall
) -> None:
    await put_in(client, stall)

    answer = await checkout(client, look="yes", **{f"delivery-{stall.group.id}": "pickup_group"})

    assert answer.status_code == 200
    assert "฿50" in words(BeautifulSoup(answer.text, "html.parser"))
    assert (await session.scalars(select(Order))).all() == []


async def test_what_sold_out_is_said_in_the_basket_at_once(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall
) -> None:
    await put_in(client, stall, "4")
    await capacity.set_on_hand(session, stall.variant.pool_id, 3000)
    await session.commit()

    page = await soup(client, "/basket")
    assert "เหลือเพียง 3 ถุง" in words(page)
    assert (await client.get("/checkout")).headers["location"] == "/basket"
    await client.post("/basket", data={"tidy": "yes"})

    assert page.select_one("button[name=tidy]")
    assert "฿190" in words(await soup(client, "/basket"))


async def test_what_cannot_be_put_in_is_said_on_the_basket_page(client: httpx.AsyncClient, stall: Stall) -> None:
    answer = await put_in(client, stall, "99")
    assert answer.status_code == 409
    assert "เหลือเพียง 10 ถุง" in words(BeautifulSoup(answer.text, "html.parser"))


@pytest.mark.parametrize("typed", ["สองถุง", "-1"])
async def test_a_wrong_amount_names_the_thing_and_leads_back_to_it(
    client: httpx.AsyncClient, stall: Stall, typed: str
) -> None:
    answer = await put_in(client, stall, typed)

    page = BeautifulSoup(answer.text, "html.parser")
    told = page.select_one("[role=alert]")
    assert answer.status_code == 422
    assert told
    assert stall.listing.name_th in words(told)
    assert told.select_one(f'a[href="/listings/{stall.listing.slug}"]')


async def test_an_amount_of_nothing_known_is_refused_all_the_same(client: httpx.AsyncClient) -> None:
    for variant_id in ("", "x", "01990000-0000-7000-8000-000000000000"):
        answer = await client.post("/basket/add", data={"variant_id": variant_id, "quantity": "abc"})

        assert answer.status_code == 422


async def test_amounts_are_changed_and_taken_out(client: httpx.AsyncClient, stall: Stall) -> None:
    await put_in(client, stall)
    name = f"quantity-{stall.variant.id}"

    await client.post("/basket", data={name: "3"})
    assert "฿190" in words(await soup(client, "/basket"))
    answer = await client.post("/basket", data={name: "สาม"})
    assert (answer.status_code, "สาม" in answer.text) == (422, True)
    await client.post("/basket", data={"take_out": str(stall.variant.id)})

    assert "ตะกร้าของคุณยังว่าง" in words(await soup(client, "/basket"))


async def test_a_guests_basket_joins_the_persons_at_sign_in(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall
) -> None:
    await put_in(client, stall, "2")
    await enter(client, session, await people.person(session))

    page = await soup(client, "/basket")
    assert "฿140" in words(page)
    client.cookies.delete("basket")
    assert "฿140" in words(await soup(client, "/basket"))
    client.cookies.clear()
    assert "ตะกร้าของคุณยังว่าง" in words(await soup(client, "/basket"))


async def test_a_slip_is_sent_read_and_told(client: httpx.AsyncClient, session: AsyncSession, stall: Stall) -> None:
    await put_in(client, stall)
    path = await ordered(client)

    answer = await client.post(f"{path}/slip", files={"slip": ("slip.png", slip_picture("REF1234567"), "image/png")})

    order = await only_order(session)
    assert (answer.status_code, order.state) == (303, OrderState.slip_sent)
    page = await soup(client, path)
    assert page.select_one("svg.qr") is None
    assert not page.select("form[action$=cancel]")


async def test_a_file_that_is_no_slip_gets_a_message(client: httpx.AsyncClient, stall: Stall) -> None:
    await put_in(client, stall)
    path = await ordered(client)

    for files in ({}, {"slip": ("slip.png", b"not a picture", "image/png")}, {"slip": ("x.png", b"", "image/png")}):
        answer = await client.post(f"{path}/slip", data={"x": "y"}, files=files)
        assert answer.status_code in {413, 422}
        assert BeautifulSoup(answer.text, "html.parser").select_one("#f-slip-error")


async def test_a_slip_of_another_order_is_refused_with_a_message(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall
) -> None:
    picture = {"slip": ("slip.png", slip_picture("REF7654321"), "image/png")}
    paths = []
    for _ in range(2):
        await put_in(client, stall)
        paths.append(await ordered(client))

    answers = [await client.post(f"{path}/slip", files=picture) for path in paths]

    assert [answer.status_code for answer in answers] == [303, 422]
    assert "สลิปนี้" in answers[1].text


async def test_the_code_is_saved_as_a_picture(client: httpx.AsyncClient, stall: Stall) -> None:
    await put_in(client, stall)
    path = await ordered(client)

    answer = await client.get(f"{path}/promptpay.png")

    picture = Image.open(io.BytesIO(answer.content))
    (code,) = zxingcpp.read_barcodes(picture)
    assert promptpay.parse(code.text) == promptpay.Transfer(factories.PROMPTPAY, Satang(90_00))
    assert "attachment" in answer.headers["content-disposition"]


async def test_the_page_says_at_once_that_the_time_ran_out(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall, clock: FrozenClock
) -> None:
    placed = await factories.order(session, (stall, 1000))
    await session.commit()
    clock.jump(timedelta(hours=2))

    page = await soup(client, placed.path)

    assert "หมดเวลา" in words(page)
    assert page.select_one("svg.qr") is None
    assert page.select_one("form[action$=slip]")


async def test_a_slip_for_a_cancelled_order_is_being_looked_at(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall
) -> None:
    placed = await factories.order(session, (stall, 1000))
    await cancellation.cancel(session, placed, BUYER, None)
    await session.commit()
    assert "ส่งสลิปมา" in words(await soup(client, placed.path))

    await slips.send_slip(session, placed, factories.slip("REF1234567"))
    await session.commit()

    told = words((await soup(client, placed.path)).select_one("main"))  # type: ignore[arg-type]
    assert "กำลังดูสลิปของคุณ" in told
    assert "ส่งสลิปมา" not in told


async def test_the_time_beside_the_badge_is_the_time_of_ordering(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall, clock: FrozenClock
) -> None:
    placed = await factories.paid_order(session, (stall, 1000))
    await enter(client, session, stall.owner)
    desk = f"/desk/groups/{stall.group.slug}"

    for path in (placed.path, desk, f"{desk}/orders/{placed.number}"):
        assert "สั่งเมื่อ 24 " in words(await soup(client, path))


async def test_an_unpaid_order_is_cancelled_and_a_paid_one_is_not(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall
) -> None:
    unpaid, paid = await factories.order(session, (stall, 1000)), await factories.paid_order(session, (stall, 1000))
    await session.commit()

    assert (await client.post(f"{unpaid.path}/cancel", data={"reason": "เปลี่ยนใจ"})).status_code == 303
    answer = await client.post(f"{paid.path}/cancel", data={})

    assert answer.status_code == 409
    assert "ชำระเงินแล้ว" in answer.text
    assert "ยกเลิก" in words(await soup(client, unpaid.path))


async def test_a_receipt_has_thai_words_and_buddhist_years(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall, clock: FrozenClock
) -> None:
    placed = await factories.paid_order(session, (stall, 2000))
    await session.commit()

    page = await soup(client, f"{placed.path}/receipt")

    assert "24 พฤศจิกายน 2569" in words(page)
    assert "หนึ่งร้อยสี่สิบบาทถ้วน" in words(page)
    assert page.select_one("img.cloth-band")["src"] == f"/cloth/{stall.group.slug}.svg?kind=band"  # type: ignore[index]


async def test_an_order_is_found_by_number_and_phone_and_guessing_is_slowed_down(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall
) -> None:
    placed = await factories.order(session, (stall, 1000))
    await session.commit()

    for phone in ("๒๒๒๒", "089-111-2222", "+66 89 111 2222"):
        answer = await client.post("/orders/find", data={"number": placed.spoken_number, "phone": phone})
        assert answer.headers["location"] == placed.path
    for _ in range(MOST_GUESSES):
        answer = await client.post("/orders/find", data={"number": placed.number, "phone": "0000"})
        assert answer.status_code == 422
    answer = await client.post("/orders/find", data={"number": placed.number, "phone": "2222"})

    assert answer.status_code == 429


async def test_a_buyer_says_where_the_money_goes_back_to(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall
) -> None:
    placed = await factories.order(session, (stall, 1000))
    await cancellation.cancel(session, placed, factories.BUYER)
    await payments.settle(session, placed, 90_00, STAFF)
    await session.commit()

    assert (await client.post(f"{placed.path}/pay-to", data={"pay_to": ""})).status_code == 422
    await client.post(f"{placed.path}/pay-to", data={"pay_to": "พร้อมเพย์ 0891112222"})

    assert "พร้อมเพย์ 0891112222" in words(await soup(client, placed.path))


async def test_an_unknown_link_is_no_page(client: httpx.AsyncClient) -> None:
    for path in ("/o/nonsense", "/o/nonsense/receipt", "/o/nonsense/promptpay.png"):
        assert (await client.get(path)).status_code == 404


async def test_my_orders_are_mine(client: httpx.AsyncClient, session: AsyncSession, stall: Stall) -> None:
    me = await people.person(session)
    mine = await factories.order(session, (stall, 1000), buyer=factories.replace(MALI, person_id=me.id))
    other = await factories.order(session, (stall, 1000))
    await enter(client, session, me)

    page = words(await soup(client, "/my/orders"))

    assert mine.spoken_number in page
    assert other.spoken_number not in page


@pytest.mark.parametrize("path", ["/basket", "/checkout", "order", "receipt", "/my/orders"])
async def test_a_page_asks_as_often_for_three_things_as_for_one(
    client: httpx.AsyncClient,
    session: AsyncSession,
    query_count: Callable[[], AbstractContextManager[QueryCount]],
    path: str,
) -> None:
    center = await producers.center(session)
    center.promptpay_id = "0898887777"
    stalls = [await factories.stall(session, at=center) for _ in range(3)]
    me = await people.person(session)
    await enter(client, session, me)

    async def asked(n: int) -> int:
        for stall in stalls[:n]:
            await put_in(client, stall)
        address = path
        if not path.startswith("/"):
            address = await ordered(client) + ("/receipt" if path == "receipt" else "")
        elif path == "/my/orders":
            await ordered(client)
        with query_count() as queries:
            answer = await client.get(address)
        assert answer.status_code == 200
        return len(queries)

    assert await asked(1) == await asked(3)
