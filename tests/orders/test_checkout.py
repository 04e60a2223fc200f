"""Placing an order: what is frozen, what is held, and everything that can come between."""

from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import FrozenClock
from app.money import Satang
from catalog import capacity
from catalog.listings import ListingState
from orders import basket as baskets
from orders import checkout, order
from orders.basket import NotOnSale, OnlySoMuchLeft, SoldOut
from orders.checkout import AddressNeeded, Buyer, EmptyBasket, NotPayableThatWay, TotalChanged
from orders.order import Order
from orders.quote import differences, quote, seen_of
from orders.states import DeliveryKind, OrderState, PartState, PaymentMethod, ReceiverKind
from tests.orders import factories
from tests.orders.factories import MALI
from tests.producers import factories as producers


async def left(session: AsyncSession, stall: factories.Stall) -> int:
    return (await capacity.left_of(session, [stall.variant.pool_id]))[stall.variant.pool_id]


async def test_an_order_freezes_prices_names_and_rules_and_holds_the_goods(
    session: AsyncSession, clock: FrozenClock
) -> None:
    await factories.fee_rules(session)
    stall = await factories.stall(session, price=50_00)

    placed = await factories.order(session, (stall, 2000))
    stall.variant.price_satang, stall.listing.name_th = Satang(99_00), "ชื่อใหม่"
    await session.flush()

    (part,) = (await order.view(session, placed)).parts
    (line,) = part.lines
    assert (line.name.th, line.price_satang, line.satang) == ("ข้าวเม่า", 50_00, 100_00)
    assert (placed.goods_satang, placed.delivery_satang, placed.total_satang) == (100_00, 40_00, 140_00)
    assert [rule["code"] for rule in part.part.fee_rules] == ["center", "fund"]
    assert part.part.state == PartState.placed
    assert await left(session, stall) == 8000


async def test_an_order_over_two_groups_has_a_part_for_each(session: AsyncSession) -> None:
    rice, fish = await factories.stall(session), await factories.stall(session, parcel_fee=60_00)
    fish.group.promptpay_id = rice.center.promptpay_id = None

    basket = await factories.basket_with(session, (rice, 1000), (fish, 2000))
    now = await quote(session, basket)

    assert [part.group.id for part in now.groups] == [rice.group.id, fish.group.id]
    assert [part.total_satang for part in now.groups] == [90_00, 160_00]
    assert now.total_satang == 250_00


async def test_the_same_form_sent_twice_makes_one_order(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    basket = await factories.basket_with(session, (stall, 1000))
    token, total = basket.once_token, (await quote(session, basket)).total_satang

    first, again = [
        await checkout.place(
            session, basket, MALI, None, PaymentMethod.promptpay, expected_total=total, once_token=token
        )
        for _ in range(2)
    ]

    assert first is again
    assert await session.scalar(select(func.count()).select_from(Order)) == 1
    assert await left(session, stall) == 9000


async def test_the_basket_is_empty_after_the_order_and_gets_a_new_name(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    basket = await factories.basket_with(session, (stall, 1000))
    token = basket.once_token

    await factories.place(session, basket)

    assert basket.once_token != token
    with pytest.raises(EmptyBasket):
        await factories.place(session, basket)


async def test_a_changed_price_stops_the_order_and_says_what_differs(session: AsyncSession) -> None:
    stall = await factories.stall(session, price=50_00)
    basket = await factories.basket_with(session, (stall, 2000))
    shown = await quote(session, basket)
    seen, total = seen_of(shown), shown.total_satang
    stall.variant.price_satang = Satang(55_00)
    await session.flush()

    with pytest.raises(TotalChanged) as refusal:
        await checkout.place(
            session, basket, MALI, None, PaymentMethod.promptpay, expected_total=total, once_token="t", seen=seen
        )

    assert refusal.value.text("en").startswith("The total is ฿150 now; you saw ฿140.")
    (difference,) = differences(seen, await quote(session, basket))
    assert (difference.name.th, difference.before_satang, difference.now_satang) == ("ข้าวเม่า", 100_00, 110_00)
    assert difference.what.reading("en") == "price"


async def test_another_basket_of_the_same_total_is_not_what_the_buyer_saw(session: AsyncSession) -> None:
    rice, fish = await factories.stall(session), await factories.stall(session, name_th="ปลา")
    basket = await factories.basket_with(session, (rice, 1000))
    shown = await quote(session, basket)
    await baskets.take_out(session, basket, rice.variant.id)
    await baskets.add(session, basket, fish.variant.id, 1000)

    with pytest.raises(TotalChanged):
        await checkout.place(
            session,
            basket,
            MALI,
            None,
            PaymentMethod.promptpay,
            expected_total=shown.total_satang,
            once_token="t",
            seen=seen_of(shown),
        )
    kinds = {difference.what.reading("en") for difference in differences(seen_of(shown), await quote(session, basket))}
    assert kinds == {"new in the basket", "taken out of the basket", "Delivery"}


async def test_what_sold_out_meanwhile_is_named_with_what_is_left(session: AsyncSession) -> None:
    stall = await factories.stall(session, stock=3000)
    basket = await factories.basket_with(session, (stall, 3000))
    await factories.order(session, (stall, 1000))

    with pytest.raises(OnlySoMuchLeft) as refusal:
        await factories.place(session, basket)

    assert refusal.value.text("en") == "ข้าวเม่า: only 2 bag left."
    assert refusal.value.text("th") == "ข้าวเม่า เหลือเพียง 2 ถุง"


async def test_the_last_one_goes_to_whoever_orders_first(session: AsyncSession) -> None:
    stall = await factories.stall(session, stock=1000)
    slower = await factories.basket_with(session, (stall, 1000))
    await factories.order(session, (stall, 1000))

    with pytest.raises(SoldOut):
        await factories.place(session, slower)


async def test_a_listing_that_left_the_market_cannot_be_ordered(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    basket = await factories.basket_with(session, (stall, 1000))
    stall.listing.state = ListingState.paused
    await session.flush()

    with pytest.raises(NotOnSale):
        await factories.place(session, basket)


async def test_a_parcel_needs_an_address(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    nobody = Buyer(name="John", phone="+4915112345678")

    with pytest.raises(AddressNeeded):
        await factories.order(session, (stall, 1000), buyer=nobody)

    fetched = await factories.order(session, (stall, 1000), buyer=nobody, delivery=DeliveryKind.pickup_group)
    assert fetched.address_line is None


async def test_cash_is_for_pick_up_and_keeps_the_goods_for_three_days(
    session: AsyncSession, clock: FrozenClock
) -> None:
    stall = await factories.stall(session)

    with pytest.raises(NotPayableThatWay):
        await factories.order(session, (stall, 1000), method=PaymentMethod.cash)
    placed = await factories.order(
        session, (stall, 1000), method=PaymentMethod.cash, delivery=DeliveryKind.pickup_group
    )

    assert placed.receiver_kind is None
    assert placed.hold_until_at - clock.now() == timedelta(days=3, hours=14)  # midnight in Bangkok


async def test_the_money_goes_to_the_group_only_when_it_is_alone(session: AsyncSession) -> None:
    center = await producers.center(session)
    rice, fish = await factories.stall(session, at=center), await factories.stall(session, at=center)
    alone = await factories.order(session, (rice, 1000))
    center.promptpay_id, center.promptpay_name = "0898887777", "ศูนย์"

    together = await factories.order(session, (rice, 1000), (fish, 1000))

    assert (alone.receiver_kind, alone.receiver_id) == (ReceiverKind.group, rice.group.id)
    assert (together.receiver_kind, together.receiver_id) == (ReceiverKind.center, center.id)
    assert (together.receiver_promptpay_id, together.receiver_name) == ("0898887777", "ศูนย์")


async def test_without_any_account_promptpay_is_not_offered_and_says_why(session: AsyncSession) -> None:
    stall = await factories.stall(session, promptpay=None)
    basket = await factories.basket_with(session, (stall, 1000))

    way = (await quote(session, basket)).way(PaymentMethod.promptpay)

    assert way.why_not is not None
    assert "no PromptPay account" in way.why_not.reading("en")
    with pytest.raises(NotPayableThatWay):
        await factories.place(session, basket)


async def test_half_kilos_are_held_and_paid_to_the_satang(session: AsyncSession) -> None:
    stall = await factories.stall(session, price=85_00, step=500, stock=2000, parcel_fee=None)

    placed = await factories.order(session, (stall, 1500))

    assert placed.total_satang == 127_50
    assert await left(session, stall) == 500


async def test_order_numbers_are_short_and_do_not_follow_each_other(session: AsyncSession) -> None:
    stall = await factories.stall(session)

    numbers = [(await factories.order(session, (stall, 1000))).number for _ in range(5)]

    assert len(set(numbers)) == 5
    assert all(len(number) == 6 and number[0] != "0" for number in numbers)
    assert {abs(int(a) - int(b)) for a, b in pairwise(numbers)} != {1}


async def test_an_unpaid_order_waits_an_hour(session: AsyncSession, clock: FrozenClock) -> None:
    stall = await factories.stall(session)
    placed = await factories.order(session, (stall, 1000))

    clock.jump(timedelta(minutes=59))
    assert not placed.is_run_out(clock.now())
    assert await left(session, stall) == 9000
    clock.jump(timedelta(minutes=1))
    assert placed.is_run_out(clock.now())
    assert await left(session, stall) == 10_000
    assert placed.state == OrderState.placed  # nobody had to do anything for it
