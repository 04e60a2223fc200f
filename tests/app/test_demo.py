"""The demo is a whole market: real centres, marked groups, books that balance, and work on every desk."""

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from app import clock, demo, embedded, jobs, people
from app.access import Scope, scope_of
from app.demo import cast, stock
from app.mail import Notice
from app.settings import settings
from catalog import capacity
from catalog.listings import Listing, ListingState, Variant
from incubation_centers import consolidation
from orders import refunds, slips
from orders.order import Order
from orders.states import OrderState
from producers import canvas, ledger
from producers.canvas import Canvas
from producers.centers import centers
from producers.groups import Group
from producers.notes import Block
from tests import factories
from tests.ground.databases import copy_of
from tests.ground.stocked import stocked_by_the_market


@pytest.fixture(scope="module")
async def demo_sessions(
    test_server: embedded.Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    """A stocked market's database, fresh from the seed; the tests of this file only read it."""
    home = tmp_path_factory.mktemp("demo")
    async with copy_of(test_server, f"looked_at_{os.getpid()}_demo", partial(stocked_by_the_market, home)) as url:
        engine = create_async_engine(url)
        yield async_sessionmaker(engine, expire_on_commit=False)
        await engine.dispose()


@pytest.fixture
async def seen(demo_sessions: async_sessionmaker[AsyncSession]) -> AsyncIterator[AsyncSession]:
    async with demo_sessions() as session:
        yield session


async def test_eleven_centres_stand_as_the_source_has_them(seen: AsyncSession) -> None:
    found = await centers(seen)

    assert [center.number for center in found] == list(range(1, 12))
    assert [center.slug for center in found if not center.place_verified] == ["bang-bon", "trat", "ban-phetchomphu"]


async def test_every_group_is_marked_as_an_example(seen: AsyncSession) -> None:
    groups = (await seen.scalars(select(Group))).all()

    assert len(groups) == 22
    assert all(
        group.is_example and "(ตัวอย่าง)" in group.name_th and "(example)" in str(group.name_en) for group in groups
    )
    assert not any("example" in group.slug for group in groups)


async def test_sixty_eight_listings_are_told_in_both_languages(seen: AsyncSession) -> None:
    listings = (await seen.scalars(select(Listing))).all()

    assert len(listings) == 68
    assert all(listing.state == ListingState.on_sale and listing.price_satang for listing in listings)
    assert all(listing.description_th and listing.description_en and listing.name_en for listing in listings)


async def test_the_books_balance(seen: AsyncSession) -> None:
    assert await ledger.sum_of_all(seen) == 0
    for group in await seen.scalars(select(Group)):
        balance = await ledger.balance_of_group(seen, group.id)
        assert balance.earned == balance.paid_out + balance.owed


async def test_orders_went_every_way_an_order_can_go(seen: AsyncSession) -> None:
    rows = await seen.execute(select(Order.state, func.count()).group_by(Order.state))
    states = {row[0]: row[1] for row in rows}

    assert set(states) == set(OrderState)
    assert sum(states.values()) >= 500
    assert states[OrderState.done] > 400


async def test_orders_spread_over_the_whole_year(seen: AsyncSession) -> None:
    first, last = (await seen.execute(select(func.min(Order.placed_at), func.max(Order.placed_at)))).one()

    assert last - first > timedelta(days=350)
    assert first < last <= clock.now()


async def test_a_canvas_shows_twelve_months_beside_their_plan(seen: AsyncSession) -> None:
    drawn = await canvas_of(seen, "nong-sano-khao-mao-group")

    assert set(drawn.notes) == set(Block)
    assert drawn.notes[Block.communication].version == 2
    assert sum(1 for satang in drawn.planned if satang) >= 9
    assert sum(1 for satang in drawn.came_in if satang) >= 9
    assert drawn.typed_in > 0
    assert drawn.steps


async def test_every_centre_that_sells_goods_has_something_to_gather(seen: AsyncSession) -> None:
    staff = await staff_scope(seen)
    demands = {center.slug: await consolidation.demand(seen, staff, center) for center in await centers(seen)}

    waiting = [slug for slug, demand in demands.items() if any(not group.is_packed for group in demand.groups)]
    assert set(demands) - set(waiting) == {"ban-tham-suea"}


async def test_staff_find_slips_and_refunds_to_look_at(seen: AsyncSession) -> None:
    staff = await staff_scope(seen)

    waiting = await slips.waiting(seen, staff)
    assert waiting
    assert all(found.slip.reference for found in waiting)
    assert len(await refunds.open_tasks(seen, staff)) >= 2


async def test_stock_is_what_the_table_says(seen: AsyncSession) -> None:
    rows = await seen.execute(select(Listing.name_th, Variant.pool_id).join(Variant, Variant.listing_id == Listing.id))
    pools = {row[0]: row[1] for row in rows}
    left = await capacity.left_of(seen, list(pools.values()))

    for row in stock.rows("listings.csv"):
        assert left[pools[row["name_th"]]] == int(row["stock"]) * 1000


async def test_nobody_gets_a_mail_about_the_past(seen: AsyncSession) -> None:
    assert await seen.scalar(select(func.count()).select_from(Notice))
    assert not await seen.scalar(select(func.count()).where(jobs.Job.kind == "mail.send"))


async def test_the_printed_sign_ins_open(seen: AsyncSession) -> None:
    named = [line.split()[0] for line in demo.sign_ins() if "@" in line]

    assert len(named) == 4
    for name in named:
        assert await people.sign_in(seen, name, cast.PASSWORD, device="test")
    await seen.rollback()


async def test_a_second_seed_is_refused(demo_sessions: async_sessionmaker[AsyncSession]) -> None:
    with pytest.raises(demo.NotEmpty):
        await demo.seed(demo_sessions)


async def test_a_demo_market_is_lent_an_account(seen: AsyncSession) -> None:
    before = settings().promptpay_id
    try:
        await demo.lend_account(seen)
        assert (before, settings().promptpay_id) == (None, stock.PROMPTPAY_ID)
    finally:
        del os.environ["PROMPTPAY_ID"]
        settings.cache_clear()


async def test_a_market_in_use_is_lent_nothing(session: AsyncSession) -> None:
    await factories.person(session)

    await demo.lend_account(session)

    assert settings().promptpay_id is None


@pytest.mark.parametrize("account", [stock.PROMPTPAY_ID, *stock.OWN_ACCOUNTS.values()])
def test_no_bank_knows_the_demos_accounts(account: str) -> None:
    """The last of the 13 digits of a real Thai tax number checks the others."""
    weighed = sum(int(digit) * weight for digit, weight in zip(account, range(13, 1, -1), strict=False))

    assert len(account) == 13
    assert int(account[-1]) != (11 - weighed % 11) % 10


async def canvas_of(session: AsyncSession, slug: str) -> Canvas:
    group = (await session.scalars(select(Group).where(Group.slug == slug))).one()
    return await canvas.draw(session, group, clock.month_of(clock.business_day()))


async def staff_scope(session: AsyncSession) -> Scope:
    return await scope_of(session, await people.by_email_or_phone(session, cast.STAFF_EMAIL))
