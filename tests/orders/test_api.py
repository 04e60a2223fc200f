"""A shopper's program: from an empty basket to a paid order."""

import asyncio
import io
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import FrozenClock
from orders import promptpay
from orders.finding import MOST_GUESSES
from orders.order import Order
from tests.orders import factories
from tests.orders.factories import Stall
from tests.producers.factories import NONG_SANO

API = "/api/v1"
BUYER = {"name": "มะลิ ใจเย็น", "phone": "089-111-2222", "address_line": "12 หมู่ 3", "subdistrict_code": NONG_SANO}


class Shopper:
    """A program that shops with one basket."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.token = ""

    async def start(self, *wanted: tuple[Stall, int]) -> dict[str, Any]:
        lines = [{"variant_id": str(stall.variant.id), "quantity_milli": milli} for stall, milli in wanted]
        answer = await self.client.post(f"{API}/baskets", json={"lines": lines}, headers=key())
        assert answer.status_code == 201, answer.text
        self.token = answer.json()["token"]
        return dict(answer.json()["basket"])

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Basket-Token": self.token, **key(), **options.pop("headers", {})}
        return await self.client.request(method, f"{API}{path}", headers=headers, **options)

    async def order(self, total: int, *, headers: dict[str, str] | None = None, **changes: Any) -> httpx.Response:
        body = {"buyer": BUYER, "payment_method": "promptpay", "expected_total_satang": total} | changes
        return await self.ask("POST", "/orders", json=body, headers=headers or {})

    async def ordered(self, stall: Stall, milli: int = 2000) -> dict[str, Any]:
        basket = await self.start((stall, milli))
        answer = await self.order(basket["total_satang"])
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


def key(text: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": text or str(uuid4())}


@pytest.fixture
def shopper(client: httpx.AsyncClient) -> Shopper:
    return Shopper(client)


@pytest.fixture
async def stall(session: AsyncSession) -> Stall:
    stall = await factories.stall(session, price=50_00, stock=5_000)
    await session.commit()
    return stall


async def test_a_program_walks_from_the_basket_to_the_order(shopper: Shopper, stall: Stall) -> None:
    basket = await shopper.start((stall, 2000))
    placed = (await shopper.order(basket["total_satang"])).json()
    followed = (await shopper.ask("GET", f"/orders/{placed['link']}")).json()

    assert (basket["goods_satang"], basket["delivery_satang"], basket["total_satang"]) == (100_00, 40_00, 140_00)
    assert placed == followed
    assert (placed["state"], placed["channel"], placed["due_satang"]) == ("placed", "api", 140_00)
    assert placed["parts"][0]["lines"][0]["quantity_milli"] == 2000
    assert (await shopper.ask("GET", "/basket")).json()["groups"] == []


async def test_amounts_are_added_set_and_taken_out(shopper: Shopper, stall: Stall) -> None:
    await shopper.start()
    line = f"/basket/lines/{stall.variant.id}"

    added = await shopper.ask(
        "POST", "/basket/lines", json={"variant_id": str(stall.variant.id), "quantity_milli": 1000}
    )
    changed = await shopper.ask("PUT", line, json={"quantity_milli": 3000})
    emptied = await shopper.ask("DELETE", line)

    amounts = [answer.json()["goods_satang"] for answer in (added, changed, emptied)]
    assert amounts == [50_00, 150_00, 0]
    assert (await shopper.ask("PUT", line, json={"quantity_milli": 1000})).status_code == 404


async def test_more_than_there_is_is_refused_in_both_languages(shopper: Shopper, stall: Stall) -> None:
    await shopper.start()
    wanted = {"variant_id": str(stall.variant.id), "quantity_milli": 9000}

    refused = await shopper.ask("POST", "/basket/lines", json=wanted, headers={"Accept-Language": "en"})

    told = refused.json()
    assert (refused.status_code, told["type"]) == (409, "urn:market:only-so-much-left")
    assert told["detail"] == told["detail_en"] == "ข้าวเม่า: only 5 bag left."
    assert told["detail_th"] != told["detail_en"]


async def test_a_delivery_is_chosen_by_group(shopper: Shopper, stall: Stall) -> None:
    await shopper.start((stall, 1000))

    path = f"/basket/deliveries/{stall.group.slug}"
    chosen = (await shopper.ask("PUT", path, json={"delivery": "pickup_group"})).json()
    other = await shopper.ask("PUT", "/basket/deliveries/no-such-group", json={"delivery": "parcel"})

    assert (chosen["delivery_satang"], chosen["needs_address"]) == (0, False)
    assert [way["method"] for way in chosen["ways_to_pay"] if way["is_possible"]] == ["promptpay", "cash"]
    assert other.status_code == 404


async def test_the_buyer_never_pays_another_total_than_the_one_they_saw(shopper: Shopper, stall: Stall) -> None:
    await shopper.start((stall, 1000))

    refused = await shopper.order(1)

    assert (refused.status_code, refused.json()["type"]) == (409, "urn:market:total-changed")


@pytest.mark.parametrize(
    ("buyer", "field"),
    [
        ({"phone": "12"}, "buyer.phone"),
        ({"name": "  "}, "buyer.name"),
        ({"subdistrict_code": "999999"}, "buyer.subdistrict_code"),
        ({"email": "nobody"}, "buyer.email"),
        ({"password": "x"}, "buyer.password"),
    ],
)
async def test_a_wrong_field_is_named(shopper: Shopper, stall: Stall, buyer: dict[str, str], field: str) -> None:
    basket = await shopper.start((stall, 1000))

    refused = await shopper.order(basket["total_satang"], buyer=BUYER | buyer)

    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == [field]


async def test_ordering_twice_with_one_key_is_one_order_and_the_same_bytes(
    shopper: Shopper, stall: Stall, session: AsyncSession
) -> None:
    basket = await shopper.start((stall, 1000))
    same = key()

    first, again = [await shopper.order(basket["total_satang"], headers=same) for _ in range(2)]
    other = await shopper.order(basket["total_satang"] + 1, headers=same)

    assert first.status_code == 201
    assert again.content == first.content
    assert other.status_code == 422
    assert await session.scalar(select(func.count()).select_from(Order)) == 1


async def test_ordering_at_the_same_moment_with_one_key_is_one_order(
    shopper: Shopper, stall: Stall, session: AsyncSession
) -> None:
    basket = await shopper.start((stall, 1000))
    same = key()

    answers = await asyncio.gather(*(shopper.order(basket["total_satang"], headers=same) for _ in range(5)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert await session.scalar(select(func.count()).select_from(Order)) == 1


async def test_an_order_is_paid_by_its_code_and_a_slip(shopper: Shopper, stall: Stall) -> None:
    placed = await shopper.ordered(stall)
    path = f"/orders/{placed['link']}"

    code = (await shopper.ask("GET", f"{path}/promptpay")).json()
    picture = await shopper.client.get(code["picture_url"].partition("8000")[2])
    slip = {"slip": ("slip.jpg", jpeg(), "image/jpeg")}
    sent = await shopper.ask("POST", f"{path}/slips", files=slip)

    assert promptpay.parse(code["payload"]).amount == code["satang"] == placed["total_satang"]
    assert picture.headers["content-type"] == "image/png"
    assert (sent.status_code, sent.json()["state"]) == (201, "slip_sent")
    assert (await shopper.ask("GET", f"{path}/promptpay")).status_code == 409


async def test_a_slip_sent_again_with_its_key_gets_the_same_bytes(shopper: Shopper, stall: Stall) -> None:
    placed = await shopper.ordered(stall)
    path, same = f"/orders/{placed['link']}/slips", key()

    answers = [
        await shopper.ask("POST", path, files={"slip": ("slip.jpg", jpeg(), "image/jpeg")}, headers=same)
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content


async def test_what_is_no_picture_is_refused_as_a_slip(shopper: Shopper, stall: Stall) -> None:
    placed = await shopper.ordered(stall)

    refused = await shopper.ask(
        "POST", f"/orders/{placed['link']}/slips", files={"slip": ("slip.jpg", b"no picture", "image/jpeg")}
    )

    assert (refused.status_code, refused.json()["type"]) == (422, "urn:market:picture-kind-unknown")


async def test_an_unpaid_order_is_cancelled_and_its_goods_are_back(shopper: Shopper, stall: Stall) -> None:
    placed = await shopper.ordered(stall, 5000)

    cancelled = await shopper.ask("POST", f"/orders/{placed['link']}/cancel", json={"reason": "ซื้อซ้ำ"})

    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert (await shopper.start((stall, 5000)))["can_be_ordered"]


async def test_a_market_without_cards_says_so(shopper: Shopper, stall: Stall) -> None:
    placed = await shopper.ordered(stall)

    refused = await shopper.ask("POST", f"/orders/{placed['link']}/card-payment")

    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:market:gateway-closed"


async def test_an_order_is_found_by_number_and_phone_but_not_by_guessing(
    shopper: Shopper, stall: Stall, clock: FrozenClock
) -> None:
    placed = await shopper.ordered(stall)

    found = await shopper.ask("POST", "/orders/find", json={"number": placed["number"], "phone": "2222"})
    guesses = [
        await shopper.ask("POST", "/orders/find", json={"number": placed["number"], "phone": f"{n:04}"})
        for n in range(MOST_GUESSES + 1)
    ]

    assert found.json() == {"link": placed["link"], "url": placed["url"]}
    assert [guess.status_code for guess in guesses] == [404] * MOST_GUESSES + [429]
    assert int(guesses[-1].headers["retry-after"]) > 60


async def test_a_basket_or_an_order_that_nobody_knows_is_not_there(shopper: Shopper, database: str) -> None:
    shopper.token = "no such basket"

    assert (await shopper.ask("GET", "/basket")).status_code == 404
    assert (await shopper.ask("GET", "/orders/no-such-link")).status_code == 404
    assert (await shopper.client.get(f"{API}/basket")).status_code == 422


async def test_the_page_s_cookie_is_nothing_to_the_api(client: httpx.AsyncClient, database: str) -> None:
    client.cookies.set("basket", "whatever")

    assert (await client.get(f"{API}/basket")).status_code == 422


def jpeg() -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (600, 800), "white").save(drawn, "JPEG")
    return drawn.getvalue()


async def test_what_is_left_blank_is_not_said(shopper: Shopper, stall: Stall) -> None:
    placed = await shopper.ordered(stall)
    cancelled = await shopper.ask("POST", f"/orders/{placed['link']}/cancel", json={"reason": " "})
    basket = await shopper.start((stall, 1000))
    no_address = await shopper.order(basket["total_satang"], buyer=BUYER | {"address_line": " "})

    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert (no_address.status_code, no_address.json()["type"]) == (422, "urn:market:address-needed")
