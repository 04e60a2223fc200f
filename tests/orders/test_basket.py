"""The basket keeps what was put in, says what changed, joins at sign-in, and is forgotten in the end."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock as market_clock
from app.clock import FrozenClock
from app.errors import Refusal
from app.money import Satang
from catalog import capacity
from catalog.listings import ListingKind, ListingState
from orders import basket as baskets
from orders import cancellation
from orders.basket import Basket, BasketLine, NotOnSale, NotThisAmount, OnlySoMuchLeft, SoldOut
from orders.order import Order
from orders.quote import quote
from orders.states import OrderState
from producers.groups import GroupState
from tests import factories as people
from tests.orders import factories
from tests.orders.factories import Stall


async def amounts(session: AsyncSession, basket: Basket) -> dict[str, int]:
    lines = await session.scalars(
        select(BasketLine).where(BasketLine.basket_id == basket.id).execution_options(populate_existing=True)
    )
    return {str(line.variant_id): line.quantity_milli for line in lines}


async def test_the_same_thing_put_in_twice_adds_up(session: AsyncSession) -> None:
    stall = await factories.stall(session)

    basket = await factories.basket_with(session, (stall, 1000), (stall, 2000))

    assert await amounts(session, basket) == {str(stall.variant.id): 3000}


@pytest.mark.parametrize(
    ("milli", "refusal"),
    [(750, NotThisAmount), (250, NotThisAmount), (20_000, OnlySoMuchLeft), (10**12, NotThisAmount)],
)
async def test_an_amount_that_cannot_be_bought_is_refused(
    session: AsyncSession, milli: int, refusal: type[Refusal]
) -> None:
    stall = await factories.stall(session, step=500)

    with pytest.raises(refusal):
        await factories.basket_with(session, (stall, milli))


async def test_what_is_gone_cannot_be_put_in(session: AsyncSession) -> None:
    empty = await factories.stall(session, stock=0)
    paused, closed, dear, visit, unripe = [await factories.stall(session) for _ in range(5)]
    paused.listing.state = ListingState.paused
    closed.group.state = GroupState.closed
    dear.variant.price_satang = None
    visit.listing.kind = ListingKind.experience
    unripe.listing.season_from_month, unripe.listing.season_to_month = [(9, 9), (1, 1)][market_clock.now().month == 9]
    await session.flush()

    with pytest.raises(SoldOut):
        await factories.basket_with(session, (empty, 1000))
    for stall in (paused, closed, dear, visit, unripe):
        with pytest.raises(NotOnSale):
            await factories.basket_with(session, (stall, 1000))


async def test_a_changed_price_is_said_until_the_buyer_has_seen_it(session: AsyncSession) -> None:
    stall = await factories.stall(session, price=50_00)
    basket = await factories.basket_with(session, (stall, 1000))
    stall.variant.price_satang = Satang(60_00)
    await session.flush()

    (item,) = (await quote(session, basket)).changed
    assert (item.was_satang, item.price_satang) == (50_00, 60_00)
    await baskets.set_quantities(session, basket, {})

    assert (await quote(session, basket)).changed == []


async def test_taking_what_there_is_lowers_and_takes_out(session: AsyncSession) -> None:
    plenty, few, none = [await factories.stall(session) for _ in range(3)]
    basket = await factories.basket_with(session, (plenty, 5000), (few, 5000), (none, 5000))
    await capacity.set_on_hand(session, few.variant.pool_id, 2500)
    none.listing.state = ListingState.paused
    await session.flush()

    await baskets.keep_what_there_is(session, basket)

    assert await amounts(session, basket) == {str(plenty.variant.id): 5000, str(few.variant.id): 2000}
    assert (await quote(session, basket)).troubles == []


async def test_one_wrong_amount_does_not_hinder_the_others(session: AsyncSession) -> None:
    first, second = [await factories.stall(session) for _ in range(2)]
    basket = await factories.basket_with(session, (first, 1000), (second, 1000))

    refusals = await baskets.set_quantities(session, basket, {first.variant.id: 4000, second.variant.id: 99_000})

    assert [type(refusal) for refusal in refusals] == [OnlySoMuchLeft]
    assert await amounts(session, basket) == {str(first.variant.id): 4000, str(second.variant.id): 1000}


async def test_at_sign_in_the_larger_amount_stays(session: AsyncSession) -> None:
    first, second = [await factories.stall(session) for _ in range(2)]
    person = await people.person(session)
    own, _ = await baskets.start(session, person)
    await baskets.add(session, own, first.variant.id, 2000)
    guest, token = await baskets.start(session)
    for stall, milli in ((first, 1000), (second, 3000)):
        await baskets.add(session, guest, stall.variant.id, milli)

    assert await baskets.count(session, token, person) == 3
    joined = await baskets.find(session, token, person)

    assert joined is not None
    assert joined.id == own.id
    assert await amounts(session, joined) == {str(first.variant.id): 2000, str(second.variant.id): 3000}
    assert await baskets.find(session, token, None) is None
    assert await baskets.count(session, token, person) == 2


async def test_baskets_that_nobody_touches_are_forgotten(
    session: AsyncSession, clock: FrozenClock, committed_stall: Stall
) -> None:
    old = await factories.basket_with(session, (committed_stall, 1000))
    clock.jump(timedelta(days=60))
    young = await factories.basket_with(session, (committed_stall, 1000))
    await session.commit()
    clock.jump(timedelta(days=40))

    await baskets.forget({})

    assert (await session.scalars(select(Basket.id))).all() == [young.id]
    assert old.id != young.id


async def test_the_worker_tells_everybody_whose_time_ran_out(
    session: AsyncSession, clock: FrozenClock, committed_stall: Stall
) -> None:
    for _ in range(3):
        await factories.order(session, (committed_stall, 1000))
    await session.commit()
    clock.jump(timedelta(hours=2))

    for _ in range(2):
        await cancellation.expire_all({})

    states = await session.scalars(select(Order.state).execution_options(populate_existing=True))
    assert set(states) == {OrderState.expired}


@pytest.fixture
async def committed_stall(session: AsyncSession, clock: FrozenClock) -> Stall:
    stall = await factories.stall(session)
    await session.commit()
    return stall
