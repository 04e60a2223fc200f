"""One mechanism for everything scarce: holding, taking, letting go, running out; and what the database itself refuses."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock as market_clock
from app.clock import FrozenClock
from app.database import new_id, session_scope
from app.errors import NotFound
from catalog import capacity
from catalog.capacity import HeldByBuyers, Hold, HoldRanOut, HoldState, NotEnough, Pool, Short, StockMoved, Want
from tests.ground.databases import QueryCount

HOUR = timedelta(hours=1)


async def held(session: AsyncSession, pool_id: UUID, amount_milli: int, *, lasting: timedelta = HOUR) -> UUID:
    """Hold for a new owner; return the owner."""
    owner_id = new_id()
    await capacity.hold(session, [Want(pool_id, owner_id, amount_milli)], market_clock.now() + lasting)
    return owner_id


async def stock(session: AsyncSession, pool_id: UUID) -> tuple[int, int]:
    """What the pool says: on hand and held."""
    row = (await session.execute(select(Pool.on_hand_milli, Pool.held_milli).where(Pool.id == pool_id))).one()
    return row.on_hand_milli, row.held_milli


async def left(session: AsyncSession, pool_id: UUID) -> int:
    return (await capacity.left_of(session, [pool_id]))[pool_id]


async def state_of(session: AsyncSession, owner_id: UUID) -> str | None:
    return await session.scalar(select(Hold.state).where(Hold.owner_id == owner_id))


async def test_what_is_held_cannot_be_bought_by_another(session: AsyncSession) -> None:
    jars = await capacity.new_pool(session, 3000)

    await held(session, jars, 2000)

    assert await left(session, jars) == 1000
    assert await stock(session, jars) == (3000, 2000)


async def test_the_last_jar_is_held_once(session: AsyncSession) -> None:
    jars = await capacity.new_pool(session, 1000)
    await held(session, jars, 1000)

    with pytest.raises(NotEnough):
        await held(session, jars, 1000)


async def test_half_kilos_are_counted_in_thousandths(session: AsyncSession) -> None:
    rice = await capacity.new_pool(session, 1500)

    for _ in range(3):
        await held(session, rice, 500)

    with pytest.raises(NotEnough):
        await held(session, rice, 500)


async def test_a_basket_is_held_whole_or_not_at_all(session: AsyncSession) -> None:
    jars, rice = await capacity.new_pool(session, 5000), await capacity.new_pool(session, 500)
    wants = [Want(jars, new_id(), 2000), Want(rice, new_id(), 1000)]

    with pytest.raises(NotEnough) as refusal:
        await capacity.hold(session, wants, market_clock.now() + HOUR)

    assert refusal.value.items == [Short(rice, wants[1].owner_id, 1000, 500)]
    assert await left(session, jars) == 5000


async def test_every_short_line_is_named_with_what_is_left_for_it(session: AsyncSession) -> None:
    jars, rice = await capacity.new_pool(session, 3000), await capacity.new_pool(session, 0)
    wants = [Want(jars, new_id(), 2000), Want(jars, new_id(), 2000), Want(rice, new_id(), 500)]

    with pytest.raises(NotEnough) as refusal:
        await capacity.hold(session, wants, market_clock.now() + HOUR)

    assert [(short.owner_id, short.left_milli) for short in refusal.value.items] == [
        (wants[1].owner_id, 1000),
        (wants[2].owner_id, 0),
    ]


async def test_a_pool_that_does_not_exist_is_empty(session: AsyncSession) -> None:
    with pytest.raises(NotEnough):
        await held(session, new_id(), 1000)


async def test_one_owner_may_hold_of_several_pools(session: AsyncSession) -> None:
    nights = [await capacity.new_pool(session, 1000) for _ in range(3)]
    stay = new_id()

    await capacity.hold(session, [Want(night, stay, 1000) for night in nights], market_clock.now() + HOUR)
    await capacity.confirm(session, [stay])

    assert [await stock(session, night) for night in nights] == [(0, 0)] * 3


async def test_a_hold_runs_out_by_the_clock_alone(session: AsyncSession, clock: FrozenClock) -> None:
    jars = await capacity.new_pool(session, 1000)
    first = await held(session, jars, 1000)

    clock.jump(HOUR)

    assert await left(session, jars) == 1000
    await held(session, jars, 1000)
    assert await state_of(session, first) == HoldState.expired


async def test_a_hold_lasts_to_its_very_last_moment(session: AsyncSession, clock: FrozenClock) -> None:
    jars = await capacity.new_pool(session, 1000)
    await held(session, jars, 1000)

    clock.jump(HOUR - timedelta(microseconds=1))

    assert await left(session, jars) == 0
    with pytest.raises(NotEnough):
        await held(session, jars, 1000)


async def test_what_is_paid_for_is_taken(session: AsyncSession) -> None:
    jars = await capacity.new_pool(session, 3000)
    buyer = await held(session, jars, 2000)

    await capacity.confirm(session, [buyer])

    assert await stock(session, jars) == (1000, 0)
    assert await state_of(session, buyer) == HoldState.taken


async def test_a_payment_told_twice_takes_once(session: AsyncSession) -> None:
    jars = await capacity.new_pool(session, 3000)
    buyer = await held(session, jars, 1000)

    await capacity.confirm(session, [buyer])
    await capacity.confirm(session, [buyer])

    assert await stock(session, jars) == (2000, 0)


async def test_late_money_takes_goods_that_nobody_wanted_meanwhile(session: AsyncSession, clock: FrozenClock) -> None:
    jars = await capacity.new_pool(session, 1000)
    buyer = await held(session, jars, 1000)
    clock.jump(3 * HOUR)

    await capacity.confirm(session, [buyer])

    assert await stock(session, jars) == (0, 0)


async def test_late_money_takes_goods_that_were_freed_but_are_still_there(
    session: AsyncSession, clock: FrozenClock
) -> None:
    jars = await capacity.new_pool(session, 2000)
    late = await held(session, jars, 2000)
    clock.jump(HOUR)
    other = await held(session, jars, 1000)
    await capacity.release(session, [other])

    await capacity.confirm(session, [late])

    assert await stock(session, jars) == (0, 0)


async def test_late_money_finds_the_goods_gone(session: AsyncSession, clock: FrozenClock) -> None:
    jars = await capacity.new_pool(session, 1000)
    late = await held(session, jars, 1000)
    clock.jump(HOUR)
    await held(session, jars, 1000)

    with pytest.raises(HoldRanOut) as refusal:
        await capacity.confirm(session, [late])

    assert refusal.value.owner_ids == {late}
    assert await stock(session, jars) == (1000, 1000)


async def test_late_money_may_free_what_ran_out_for_somebody_else(session: AsyncSession, clock: FrozenClock) -> None:
    jars = await capacity.new_pool(session, 1000)
    first = await held(session, jars, 1000)
    clock.jump(HOUR)
    second = await held(session, jars, 1000)
    clock.jump(HOUR)

    await capacity.confirm(session, [first])

    assert (await state_of(session, first), await state_of(session, second)) == (HoldState.taken, HoldState.expired)


async def test_an_order_is_confirmed_whole_or_not_at_all(session: AsyncSession, clock: FrozenClock) -> None:
    jars, rice = await capacity.new_pool(session, 1000), await capacity.new_pool(session, 1000)
    lines = [await held(session, jars, 1000), await held(session, rice, 1000)]
    clock.jump(HOUR)
    await held(session, rice, 1000)

    with pytest.raises(HoldRanOut):
        await capacity.confirm(session, lines)

    assert await stock(session, jars) == (1000, 1000)
    assert await state_of(session, lines[0]) == HoldState.held


async def test_what_was_released_is_free_and_cannot_be_confirmed(session: AsyncSession) -> None:
    jars = await capacity.new_pool(session, 1000)
    buyer = await held(session, jars, 1000)

    await capacity.release(session, [buyer])

    assert await left(session, jars) == 1000
    with pytest.raises(HoldRanOut):
        await capacity.confirm(session, [buyer])


async def test_releasing_what_is_taken_changes_nothing(session: AsyncSession) -> None:
    jars = await capacity.new_pool(session, 1000)
    buyer = await held(session, jars, 1000)
    await capacity.confirm(session, [buyer])

    await capacity.release(session, [buyer])

    assert await stock(session, jars) == (0, 0)


async def test_what_ran_out_is_noted_so_and_may_still_be_paid_late(session: AsyncSession, clock: FrozenClock) -> None:
    jars = await capacity.new_pool(session, 1000)
    buyer = await held(session, jars, 1000)
    clock.jump(HOUR)

    await capacity.release(session, [buyer])
    await capacity.confirm(session, [buyer])

    assert await stock(session, jars) == (0, 0)


async def test_a_cancelled_order_gives_back_what_it_took(session: AsyncSession) -> None:
    jars = await capacity.new_pool(session, 3000)
    buyer = await held(session, jars, 2000)
    await capacity.confirm(session, [buyer])

    await capacity.give_back(session, [buyer])
    await capacity.give_back(session, [buyer])

    assert await stock(session, jars) == (3000, 0)


async def test_a_hold_can_be_prolonged(session: AsyncSession, clock: FrozenClock) -> None:
    jars = await capacity.new_pool(session, 1000)
    buyer = await held(session, jars, 1000)

    await capacity.prolong(session, [buyer], market_clock.now() + 3 * HOUR)
    clock.jump(2 * HOUR)

    assert await left(session, jars) == 0


async def test_what_ran_out_is_held_anew_if_it_is_still_there(session: AsyncSession, clock: FrozenClock) -> None:
    jars = await capacity.new_pool(session, 1000)
    first = await held(session, jars, 1000)
    clock.jump(HOUR)
    second = await held(session, jars, 1000)
    clock.jump(HOUR)

    await capacity.prolong(session, [first], market_clock.now() + HOUR)

    assert (await state_of(session, first), await state_of(session, second)) == (HoldState.held, HoldState.expired)
    with pytest.raises(HoldRanOut):
        await capacity.prolong(session, [second], market_clock.now() + HOUR)


async def test_stock_cannot_be_set_below_what_buyers_hold(session: AsyncSession) -> None:
    jars = await capacity.new_pool(session, 5000)
    await held(session, jars, 3000)

    with pytest.raises(HeldByBuyers) as refusal:
        await capacity.set_on_hand(session, jars, 2000)

    assert "3" in refusal.value.text("en")
    await capacity.set_on_hand(session, jars, 3000)
    assert await left(session, jars) == 0


async def test_what_is_left_is_set_beside_what_buyers_hold(session: AsyncSession) -> None:
    jars = await capacity.new_pool(session, 5000)
    await held(session, jars, 3000)

    await capacity.set_left(session, jars, 500)

    assert await stock(session, jars) == (3500, 3000)
    assert await left(session, jars) == 500


async def test_stock_that_moved_meanwhile_is_not_overwritten(session: AsyncSession) -> None:
    jars = await capacity.new_pool(session, 5000)
    await held(session, jars, 1000)

    with pytest.raises(StockMoved) as refusal:
        await capacity.set_left(session, jars, 10_000, seen_milli=5000)

    assert refusal.value.text("en") == (
        "The amount changed meanwhile: there are 4 now. Please look once more and save again."
    )


async def test_setting_stock_of_nothing_is_not_found(session: AsyncSession) -> None:
    with pytest.raises(NotFound):
        await capacity.set_left(session, new_id(), 1000)


async def test_tidying_frees_what_ran_out(session: AsyncSession, clock: FrozenClock) -> None:
    jars = await capacity.new_pool(session, 2000)
    ran_out = await held(session, jars, 1000)
    kept = await held(session, jars, 1000, lasting=3 * HOUR)
    await session.commit()
    clock.jump(HOUR)

    await capacity.tidy({})

    assert await stock(session, jars) == (2000, 1000)
    assert (await state_of(session, ran_out), await state_of(session, kept)) == (HoldState.expired, HoldState.held)


async def test_holding_takes_as_many_questions_for_three_lines_as_for_one(
    session: AsyncSession, query_count: Callable[[], AbstractContextManager[QueryCount]]
) -> None:
    pools = [await capacity.new_pool(session, 5000) for _ in range(3)]
    counts = []
    for wanted in (pools[:1], pools):
        with query_count() as queries:
            await capacity.hold(session, [Want(pool, new_id(), 1000) for pool in wanted], market_clock.now() + HOUR)
        counts.append(len(queries))

    assert counts == [2, 2]


ANOTHER_HOLD = (
    "INSERT INTO holds (id, pool_id, owner_id, amount_milli, expires_at, state, created_at, decided_at)"
    " SELECT gen_random_uuid(), id, gen_random_uuid(), {amount}, now() + interval '1 hour', '{state}', now(), {decided}"
    " FROM pools"
)


@pytest.mark.parametrize(
    "raw",
    [
        "UPDATE pools SET held_milli = 0",
        "UPDATE pools SET held_milli = held_milli + 1000",
        "UPDATE pools SET on_hand_milli = 0",
        "UPDATE pools SET on_hand_milli = -1000, held_milli = 0",
        "INSERT INTO pools (id, on_hand_milli, held_milli) VALUES (gen_random_uuid(), 5000, 1000)",
        "UPDATE holds SET amount_milli = amount_milli + 1",
        "UPDATE holds SET owner_id = gen_random_uuid()",
        "UPDATE holds SET state = 'forgotten'",
        "UPDATE holds SET decided_at = now()",
        "DELETE FROM holds",
        ANOTHER_HOLD.format(amount=1500, state="held", decided="NULL"),
        ANOTHER_HOLD.format(amount=-500, state="held", decided="NULL"),
        ANOTHER_HOLD.format(amount=500, state="taken", decided="now()"),
    ],
)
async def test_the_database_refuses_raw_sql_that_oversells(session: AsyncSession, raw: str) -> None:
    jars = await capacity.new_pool(session, 2000)
    await held(session, jars, 1000)
    await session.commit()

    with pytest.raises(IntegrityError):
        async with session_scope() as another:
            await another.execute(text(raw))

    assert await stock(session, jars) == (2000, 1000)


@pytest.mark.parametrize(
    ("raw", "on_hand", "held_now"),
    [
        (ANOTHER_HOLD.format(amount=1000, state="held", decided="NULL"), 2000, 2000),
        ("UPDATE holds SET state = 'taken', decided_at = now()", 1000, 0),
        ("UPDATE holds SET state = 'released', decided_at = now()", 2000, 0),
        ("UPDATE holds SET expires_at = now()", 2000, 1000),
    ],
)
async def test_a_pool_follows_its_holds_whoever_moves_them(
    session: AsyncSession, raw: str, on_hand: int, held_now: int
) -> None:
    jars = await capacity.new_pool(session, 2000)
    await held(session, jars, 1000)

    await session.execute(text(raw))

    assert await stock(session, jars) == (on_hand, held_now)
