"""A centre's roll-up says of each group what the group's own canvas says, in as many questions for one as for many."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from app.access import scope_of
from app.clock import business_day, month_of, months_back
from app.money import Satang
from incubation_centers import rollups
from incubation_centers.rollups import Rollup
from orders import hand_over
from producers import canvas, own_books, plan
from producers.centers import Center
from tests.ground.databases import QueryCount
from tests.orders import factories as make
from tests.orders.factories import Stall
from tests.producers import factories as producers

MONTHS = months_back(business_day())


async def test_a_row_is_the_groups_own_canvas(session: AsyncSession) -> None:
    stall = await sold(session, await make.stall(session), 3000)
    stream = await producers.stream(session, stall.group)
    await plan.plan_months(session, stall.group.id, {(stream.id, MONTHS[-1]): Satang(500_00)})
    await own_books.record_off_market(
        session, stall.group, stream, day=business_day(), satang=Satang(70_00), token="stall"
    )

    (row,) = (await rolled_up(session, stall.center)).groups

    drawn = await canvas.draw(session, stall.group, month_of(business_day()))
    assert (row.planned, row.came_in) == (drawn.planned, drawn.came_in)
    assert sum(row.typed) == drawn.typed_in == 70_00


async def test_totals_are_the_sum_of_the_rows(session: AsyncSession) -> None:
    center = await producers.center(session)
    for milli in (1000, 2000):
        await sold(session, await make.stall(session, at=center), milli)

    found = await rolled_up(session, center)

    assert found.came_in[-1] == sum(row.came_in[-1] for row in found.groups) == 2 * 40_00 + 3 * 50_00


async def test_a_plan_for_the_future_is_nothing_to_be_behind(session: AsyncSession) -> None:
    stall = await make.stall(session)
    stream = await producers.stream(session, stall.group)
    months = [date(2099, 11, 1), date(2099, 12, 1)]
    await plan.plan_months(session, stall.group.id, {(stream.id, month): Satang(100_00) for month in months})

    found = await rolled_up(session, stall.center, months)

    assert (sum(found.planned), found.so_far(found.planned)) == (200_00, 0)


async def test_another_centre_is_empty_to_a_coordinator(session: AsyncSession) -> None:
    mine, other = await make.stall(session), await sold(session, await make.stall(session), 1000)
    scope = await scope_of(session, await producers.coordinator(session, mine.center))

    assert (await rollups.revenue_against_plan(session, scope, other.center, MONTHS)).groups == ()


async def test_three_groups_ask_no_more_than_one(
    session: AsyncSession, query_count: Callable[[], AbstractContextManager[QueryCount]]
) -> None:
    center = await producers.center(session)
    scope = await scope_of(session, await producers.coordinator(session, center))
    asked = []
    for new_groups in (1, 2):
        for _ in range(new_groups):
            await sold(session, await make.stall(session, at=center), 1000)
        await session.flush()
        with query_count() as queries:
            await rollups.revenue_against_plan(session, scope, center, MONTHS)
        asked.append(len(queries))

    assert asked == [3, 3]


async def rolled_up(session: AsyncSession, center: Center, months: list[date] = MONTHS) -> Rollup:
    scope = await scope_of(session, await producers.coordinator(session, center))
    return await rollups.revenue_against_plan(session, scope, center, months)


async def sold(session: AsyncSession, stall: Stall, milli: int) -> Stall:
    """Sell so much by parcel (฿40) and hand it over."""
    order = await make.paid_order(session, (stall, milli))
    await hand_over.hand_over(session, (await make.only_part(session, order)).id, make.GROUP)
    return stall
