"""Two hundred people want the last fifty jars, all at once, over two web processes."""

import asyncio
from collections import Counter

import httpx
import pytest
from sqlalchemy import func, select

from catalog.capacity import Pool
from orders.order import Order
from tests.ground.form_reader import Fields, form_of
from tests.ground.servers import RunningMarket
from tests.orders import factories
from tests.orders.factories import Stall
from tests.producers import factories as producers

SOLD_OUT = (409, 422)
#: Connections that this machine keeps open to the market at the same time.
AT_ONCE = asyncio.Semaphore(100)


async def stalls(server: RunningMarket, n: int, *, stock: int, step: int = 1000) -> list[Stall]:
    async with server.session() as session:
        center = await producers.center(session)
        center.promptpay_id, center.promptpay_name = "0898887777", "ศูนย์"
        return [await factories.stall(session, stock=stock, step=step, at=center) for _ in range(n)]


async def at_checkout(server: RunningMarket, *wanted: tuple[Stall, str]) -> tuple[httpx.AsyncClient, Fields]:
    """A buyer with a filled basket and a filled-in form, the finger on the button."""
    client = httpx.AsyncClient(base_url=server.url, timeout=60)
    async with AT_ONCE:
        for stall, quantity in wanted:
            form = {"variant_id": str(stall.variant.id), "quantity": quantity}
            assert (await client.post("/en/basket/add", data=form)).status_code == 303
        checkout = await client.get("/en/checkout")
    fields = form_of(checkout.text, "/checkout")
    fields |= {"name": ["Mali"], "phone": ["0891112222"], "address_line": ["12 Moo 3"], "area": ["31110"]}
    fields |= {"subdistrict_code": ["310427"], "payment_method": ["promptpay"]}
    return client, fields


async def press(buyer: tuple[httpx.AsyncClient, Fields]) -> str:
    client, fields = buyer
    async with AT_ONCE:
        answer = await client.post("/en/checkout", data=fields)
    await client.aclose()
    if answer.status_code == 303 and answer.headers["location"].startswith("/en/o/"):
        return "ordered"
    told = "sold out" in answer.text.lower() or "left" in answer.text.lower()
    return "told" if answer.status_code in SOLD_OUT and told else f"{answer.status_code}"


async def rush(server: RunningMarket, buyers: int, *wanted: tuple[Stall, str]) -> Counter[str]:
    """Fill the baskets (every second in the opposite order), then everybody presses at once."""
    orders = [wanted if number % 2 else wanted[::-1] for number in range(buyers)]
    ready = await asyncio.gather(*(at_checkout(server, *each) for each in orders))
    return Counter(await asyncio.gather(*map(press, ready)))


async def held_and_orders(server: RunningMarket, stall: Stall) -> tuple[int, int]:
    async with server.session() as session:
        pool = await session.get_one(Pool, stall.variant.pool_id)
        return pool.held_milli, await session.scalar(select(func.count()).select_from(Order)) or 0


@pytest.mark.journey
async def test_of_two_hundred_buyers_exactly_fifty_get_a_jar(server: RunningMarket) -> None:
    (stall,) = await stalls(server, 1, stock=50_000)
    outcomes = await rush(server, 200, (stall, "1"))
    assert outcomes == {"ordered": 50, "told": 150}
    assert await held_and_orders(server, stall) == (50_000, 50)


@pytest.mark.journey
async def test_baskets_in_opposite_order_end_without_a_deadlock(server: RunningMarket) -> None:
    some = await stalls(server, 3, stock=20_000)
    outcomes = await rush(server, 60, *((stall, "1") for stall in some))
    assert outcomes == {"ordered": 20, "told": 40}


@pytest.mark.journey
async def test_the_last_half_kilos_go_to_as_many_as_there_are(server: RunningMarket) -> None:
    (stall,) = await stalls(server, 1, stock=5_000, step=500)
    outcomes = await rush(server, 40, (stall, "0.5"))
    assert outcomes == {"ordered": 10, "told": 30}
    assert await held_and_orders(server, stall) == (5_000, 10)
