"""Many buyers at once for little stock, over real connections: nothing is sold twice, nobody waits in a circle."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from app.errors import Refusal
from app.settings import settings
from catalog.capacity import Pool
from orders import cancellation, checkout, payments, slips
from orders.basket import Basket, OnlySoMuchLeft, SoldOut
from orders.order import Order
from orders.quote import quote
from orders.refunds import RefundTask
from orders.states import BUYER, OrderState, PaymentMethod
from tests import factories as people
from tests.orders import factories
from tests.orders.factories import MALI, STAFF, Stall
from tests.producers import factories as producers

CONNECTIONS = 50
Sessions = async_sessionmaker[AsyncSession]


@pytest.fixture
async def many(database: str) -> AsyncIterator[Sessions]:
    """Sessions on many connections of their own."""
    url = settings().database_url
    assert url is not None
    engine = create_async_engine(url, pool_size=CONNECTIONS, max_overflow=0)
    yield async_sessionmaker(engine, expire_on_commit=False)
    await engine.dispose()


async def baskets_with(many: Sessions, buyers: int, *wanted: tuple[Stall, int]) -> list[Basket]:
    """A basket for each buyer; every second one was filled in the opposite order."""
    async with many() as session, session.begin():
        return [
            await factories.basket_with(session, *(wanted if buyer % 2 else wanted[::-1])) for buyer in range(buyers)
        ]


async def race(many: Sessions, baskets: Sequence[Basket]) -> Counter[str]:
    """Everybody orders at the same moment; count what became of it."""

    async def order(basket: Basket) -> str:
        try:
            async with many() as session, session.begin():
                basket = await session.merge(basket)
                total = (await quote(session, basket)).total_satang
                await checkout.place(
                    session,
                    basket,
                    MALI,
                    None,
                    PaymentMethod.promptpay,
                    expected_total=total,
                    once_token=basket.once_token,
                )
        except (SoldOut, OnlySoMuchLeft) as refusal:
            return type(refusal).__name__
        return "ordered"

    return Counter(await asyncio.gather(*map(order, baskets)))


async def stock_of(many: Sessions, *stalls: Stall) -> list[tuple[int, int]]:
    async with many() as session:
        rows = [await session.get_one(Pool, stall.variant.pool_id) for stall in stalls]
        return [(row.on_hand_milli, row.held_milli) for row in rows]


async def committed_stalls(many: Sessions, n: int, *, stock: int, step: int = 1000) -> list[Stall]:
    async with many() as session, session.begin():
        center = await producers.center(session)
        center.promptpay_id, center.promptpay_name = "0898887777", "ศูนย์"
        return [await factories.stall(session, stock=stock, step=step, at=center) for _ in range(n)]


def is_clear(outcome: str) -> bool:
    return outcome in {"SoldOut", "OnlySoMuchLeft"}


async def test_of_two_hundred_buyers_of_fifty_jars_fifty_get_one(many: Sessions) -> None:
    (stall,) = await committed_stalls(many, 1, stock=50_000)

    outcomes = await race(many, await baskets_with(many, 200, (stall, 1000)))

    assert outcomes["ordered"] == 50
    assert sum(n for outcome, n in outcomes.items() if is_clear(outcome)) == 150
    assert await stock_of(many, stall) == [(50_000, 50_000)]


async def test_baskets_of_several_lines_in_opposite_order_never_deadlock(many: Sessions) -> None:
    stalls = await committed_stalls(many, 3, stock=20_000)

    outcomes = await race(many, await baskets_with(many, 100, *((stall, 1000) for stall in stalls)))

    assert outcomes["ordered"] == 20
    assert sum(outcomes.values()) == 100
    assert await stock_of(many, *stalls) == [(20_000, 20_000)] * 3


async def test_half_kilos_are_sold_to_the_last_gram(many: Sessions) -> None:
    (stall,) = await committed_stalls(many, 1, stock=10_000, step=500)

    outcomes = await race(many, await baskets_with(many, 60, (stall, 500)))

    assert outcomes["ordered"] == 20
    assert await stock_of(many, stall) == [(10_000, 10_000)]


async def test_a_double_click_makes_one_order_even_of_the_last_jar(many: Sessions) -> None:
    (stall,) = await committed_stalls(many, 1, stock=1000)
    (basket,) = await baskets_with(many, 1, (stall, 1000))
    token = basket.once_token

    async def click() -> str:
        async with many() as session, session.begin():
            mine = await session.merge(basket)
            order = await checkout.place(
                session, mine, MALI, None, PaymentMethod.promptpay, expected_total=90_00, once_token=token
            )
            return order.number

    numbers = await asyncio.gather(*(click() for _ in range(10)))

    assert len(set(numbers)) == 1


async def test_a_slip_that_two_people_confirm_at_once_pays_once(many: Sessions) -> None:
    (stall,) = await committed_stalls(many, 1, stock=1000)
    async with many() as session, session.begin():
        staff = await people.staff(session)
        order = await factories.order(session, (stall, 1000))
        slip = await slips.send_slip(session, order, factories.slip("RACE0001"))

    async def confirm() -> None:
        async with many() as session, session.begin():
            await slips.accept_slip(session, staff, slip.id, 90_00, STAFF)

    await asyncio.gather(*(confirm() for _ in range(6)))

    async with many() as session:
        paid = await session.get_one(Order, order.id)
        assert (paid.state, paid.received_satang) == (OrderState.paid, 90_00)
        assert await session.scalar(select(func.count()).select_from(RefundTask)) == 0


async def test_one_transfer_sent_for_many_orders_at_once_is_taken_for_one(many: Sessions) -> None:
    (stall,) = await committed_stalls(many, 1, stock=10_000)
    async with many() as session, session.begin():
        orders = [await factories.order(session, (stall, 1000)) for _ in range(8)]

    async def send(order: Order) -> str:
        try:
            async with many() as session, session.begin():
                await slips.send_slip(session, order, factories.slip("RACE0002"))
        except Refusal as refusal:
            return type(refusal).__name__
        return "taken"

    outcomes = Counter(await asyncio.gather(*map(send, orders)))

    assert outcomes == {"taken": 1, "SlipUsedBefore": 7}


async def test_cancelling_and_confirming_at_once_leave_no_doubt(many: Sessions) -> None:
    (stall,) = await committed_stalls(many, 1, stock=20_000)
    async with many() as session, session.begin():
        orders = [await factories.order(session, (stall, 1000)) for _ in range(20)]

    async def attempt(order: Order, *, is_buyer: bool) -> None:
        try:
            async with many() as session, session.begin():
                if is_buyer:
                    await cancellation.cancel(session, order, BUYER)
                else:
                    await payments.settle(session, order, 90_00, STAFF)
        except Refusal:
            pass

    await asyncio.gather(*(attempt(order, is_buyer=who) for order in orders for who in (True, False)))

    async with many() as session:
        for order in orders:
            found = await session.get_one(Order, order.id)
            promised = await session.scalar(
                select(func.coalesce(func.sum(RefundTask.satang), 0)).where(RefundTask.order_id == order.id)
            )
            assert (found.state, promised) in {(OrderState.paid, 0), (OrderState.cancelled, 90_00)}
