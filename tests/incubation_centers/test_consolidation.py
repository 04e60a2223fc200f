"""A centre's demand is the sum of its open order lines, no more and no less, and nobody else's."""

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import Scope, scope_of
from app.clock import FrozenClock, business_day
from incubation_centers import consolidation
from incubation_centers.consolidation import Demand, Span
from orders import cancellation, hand_over
from orders.order import OrderLine
from orders.states import DeliveryKind, PaymentMethod
from producers.centers import Center
from tests import factories
from tests.orders import factories as make
from tests.producers import factories as producers


async def demand_of(session: AsyncSession, center: Center, span: Span = consolidation.EVER) -> Demand:
    return await consolidation.demand(session, await coordinating(session, center), center, span)


async def coordinating(session: AsyncSession, center: Center) -> Scope:
    return await scope_of(session, await producers.coordinator(session, center))


async def test_orders_of_several_buyers_are_added_up_by_product(session: AsyncSession) -> None:
    stall = await make.stall(session, step=500)
    for milli in (1500, 2000, 500):
        await make.paid_order(session, (stall, milli))

    demand = await demand_of(session, stall.center)

    ((product,),) = [group.products for group in demand.groups]
    assert (product.total_milli, product.satang, demand.orders) == (4000, 200_00, 3)
    assert (product.weight_g, demand.weight_g) == (2000, 2000)


async def test_places_of_delivery_stand_apart_and_add_up(session: AsyncSession) -> None:
    stall = await make.stall(session)
    await make.paid_order(session, (stall, 3000))
    await make.order(session, (stall, 2000), delivery=DeliveryKind.pickup_center, method=PaymentMethod.cash)

    (product,) = (await demand_of(session, stall.center)).products

    assert product.wanted == {DeliveryKind.parcel: 3000, DeliveryKind.pickup_center: 2000}
    assert product.total_milli == 5000


async def test_totals_are_those_of_the_order_lines(session: AsyncSession) -> None:
    center = await producers.center(session)
    center.promptpay_id = make.PROMPTPAY
    stalls = [await make.stall(session, at=center, price=price) for price in (35_00, 99_00, 12_50)]
    await make.paid_order(session, (stalls[0], 2000), (stalls[1], 1000))
    await make.paid_order(session, (stalls[1], 3000), (stalls[2], 4000))

    demand = await demand_of(session, center)
    lines = await consolidation.demand_lines(session, await coordinating(session, center), center)

    in_all = await session.scalar(select(func.sum(OrderLine.satang)))
    assert demand.satang == in_all == sum(line.satang for line in lines)
    assert sum(product.total_milli for product in demand.products) == sum(line.quantity_milli for line in lines)


async def test_only_what_may_be_packed_and_was_not_handed_over_is_open(session: AsyncSession) -> None:
    stall = await make.stall(session)
    await make.order(session, (stall, 1000))
    handed_over, cancelled = (
        await make.paid_order(session, (stall, 2000)),
        await make.paid_order(session, (stall, 4000)),
    )
    await hand_over.hand_over(session, (await make.only_part(session, handed_over)).id, make.GROUP)
    await cancellation.cancel(session, cancelled, make.STAFF)

    demand = await demand_of(session, stall.center)

    assert (demand.groups, demand.orders) == ((), 0)
    assert await consolidation.unpaid_count(session, await coordinating(session, stall.center), stall.center) == 1


async def test_what_is_packed_is_open_but_needs_no_gathering(session: AsyncSession) -> None:
    stall = await make.stall(session)
    await make.paid_order(session, (stall, 2000))
    packed = await make.paid_order(session, (stall, 3000))
    await hand_over.pack(session, (await make.only_part(session, packed)).id, make.GROUP)

    (product,) = (await demand_of(session, stall.center)).products

    assert (product.total_milli, product.packed_milli, product.to_gather_milli) == (5000, 3000, 2000)


async def test_cash_that_nobody_brought_in_time_is_not_gathered(session: AsyncSession, clock: FrozenClock) -> None:
    stall = await make.stall(session)
    await make.order(session, (stall, 1000), delivery=DeliveryKind.pickup_group, method=PaymentMethod.cash)
    assert (await demand_of(session, stall.center)).orders == 1

    clock.jump(timedelta(days=5))

    assert (await demand_of(session, stall.center)).orders == 0


async def test_days_are_days_in_bangkok_with_both_ends(session: AsyncSession, clock: FrozenClock) -> None:
    stall = await make.stall(session)
    for _ in range(3):
        await make.paid_order(session, (stall, 1000))
        clock.jump(timedelta(days=1))
    first = business_day(clock.now()) - timedelta(days=3)

    assert (await demand_of(session, stall.center, Span(first, first))).orders == 1
    assert (await demand_of(session, stall.center, Span(first + timedelta(days=1), None))).orders == 2
    assert (await demand_of(session, stall.center, Span(None, first - timedelta(days=1)))).orders == 0


async def test_another_centres_orders_do_not_exist(session: AsyncSession) -> None:
    mine, other = await make.stall(session), await make.stall(session)
    await make.order(
        session, (mine, 1000), (other, 2000), delivery=DeliveryKind.pickup_group, method=PaymentMethod.cash
    )
    scope = await coordinating(session, mine.center)

    assert (await consolidation.demand(session, scope, other.center)).groups == ()
    assert [group.group.id for group in (await demand_of(session, mine.center)).groups] == [mine.group.id]


async def test_staff_see_every_centre(session: AsyncSession) -> None:
    stall = await make.stall(session)
    await make.paid_order(session, (stall, 1000))

    assert (await consolidation.demand(session, await factories.staff(session), stall.center)).orders == 1
