"""Many buyers at the same moment, over real connections to a real PostgreSQL.

Two guards stand between two buyers of the last jar: the verbs' locks, and the database's constraint.
The last tests take them away one by one.  Each alone sells exactly what there is; without either the very same
race oversells, which shows that this is a race worth winning.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from app import clock
from app.database import engine, new_id, session_scope
from catalog import capacity
from catalog.capacity import Hold, HoldRanOut, HoldState, NotEnough, Pool, Want
from tests.ground.databases import clean

CONNECTIONS = 20
BUYERS = 200
HOUR = timedelta(hours=1)

Buying = Callable[[AsyncSession, Sequence[Want]], Awaitable[None]]


@pytest.fixture
async def sessions(database: str) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
    """Sessions over a pool of connections, as several web processes have together."""
    several = create_async_engine(database, pool_size=CONNECTIONS, max_overflow=0)
    yield async_sessionmaker(several, expire_on_commit=False)
    await several.dispose()


async def pools(*on_hand_milli: int) -> list[UUID]:
    async with session_scope() as session:
        return [await capacity.new_pool(session, milli) for milli in on_hand_milli]


async def hold_guarded(session: AsyncSession, wants: Sequence[Want]) -> None:
    await capacity.hold(session, wants, clock.now() + HOUR)


async def hold_unguarded(session: AsyncSession, wants: Sequence[Want]) -> None:
    """What shops usually do: look, decide, write; with nothing that keeps another from deciding meanwhile."""
    for want in wants:
        row = (await session.execute(select(Pool).where(Pool.id == want.pool_id))).scalar_one()
        if row.on_hand_milli - row.held_milli < want.amount_milli:
            raise NotEnough([])
    await session.execute(capacity._HOLD, capacity._columns(wants, clock.now() + HOUR))


async def race(
    sessions: async_sessionmaker[AsyncSession], baskets: Sequence[Sequence[Want]], buying: Buying = hold_guarded
) -> Counter[str]:
    """Let everybody buy at once; count how it ended for them."""

    async def buy(wants: Sequence[Want]) -> str:
        try:
            async with sessions() as session, session.begin():
                await buying(session, wants)
        except NotEnough:
            return "refused"
        except IntegrityError:
            return "stopped by the database"
        return "held"

    return Counter(await asyncio.gather(*map(buy, baskets)))


async def sold(pool_id: UUID) -> int:
    """What buyers believe to have, by their own holds."""
    async with session_scope() as session:
        question = select(func.coalesce(func.sum(Hold.amount_milli), 0)).where(
            Hold.pool_id == pool_id, Hold.state.in_((HoldState.held, HoldState.taken))
        )
        return int(await session.scalar(question) or 0)


def one_each(pool_id: UUID, amount_milli: int = 1000) -> list[list[Want]]:
    return [[Want(pool_id, new_id(), amount_milli)] for _ in range(BUYERS)]


async def test_two_hundred_buyers_of_fifty_jars(sessions: async_sessionmaker[AsyncSession]) -> None:
    [jars] = await pools(50_000)

    ends = await race(sessions, one_each(jars))

    assert ends == {"held": 50, "refused": 150}
    assert await sold(jars) == 50_000


async def test_two_hundred_buyers_of_half_kilos(sessions: async_sessionmaker[AsyncSession]) -> None:
    [rice] = await pools(25_250)

    ends = await race(sessions, one_each(rice, amount_milli=500))

    assert ends == {"held": 50, "refused": 150}
    assert await sold(rice) == 25_000


async def test_baskets_in_opposite_order_never_wait_for_each_other_in_a_circle(
    sessions: async_sessionmaker[AsyncSession],
) -> None:
    shelf = await pools(50_000, 50_000, 50_000, 50_000)
    baskets = [
        [Want(pool_id, new_id(), 1000) for pool_id in (shelf if n % 2 else reversed(shelf))] for n in range(BUYERS)
    ]

    ends = await race(sessions, baskets)

    assert ends == {"held": 50, "refused": 150}
    assert [await sold(pool_id) for pool_id in shelf] == [50_000] * 4


async def test_everybody_holds_confirms_and_gives_back_at_once(sessions: async_sessionmaker[AsyncSession]) -> None:
    shelf = await pools(20_000, 20_000, 20_000)
    chance = random.Random(7)

    async def shop(session: AsyncSession, wants: Sequence[Want]) -> None:
        await hold_guarded(session, wants)
        await session.commit()
        owners = [want.owner_id for want in wants]
        verb = (capacity.confirm, capacity.release, capacity.give_back)[len(owners) % 3]
        async with sessions() as another, another.begin():
            await verb(another, owners)

    baskets = [
        [Want(pool_id, new_id(), 500) for pool_id in chance.sample(shelf, chance.randint(1, 3))] for _ in range(BUYERS)
    ]
    ends = await race(sessions, baskets, shop)

    assert ends.keys() <= {"held", "refused"}
    async with session_scope() as session:
        stocks = (await session.execute(select(Pool.on_hand_milli, Pool.held_milli))).all()
        taken = await session.scalar(select(func.sum(Hold.amount_milli)).where(Hold.state == HoldState.taken))
    assert sum(on_hand for on_hand, _ in stocks) == 60_000 - (taken or 0)
    assert [held for _, held in stocks] == [0, 0, 0]


async def test_late_money_of_everybody_meets_once(sessions: async_sessionmaker[AsyncSession]) -> None:
    """Fifty holds ran out and were sold to fifty others; then all of the hundred pay at the same moment."""
    [jars] = await pools(50_000)
    started = clock.now()
    with clock.frozen(started) as frozen:
        first, second = one_each(jars)[:50], one_each(jars)[:50]
        await race(sessions, first)
        frozen.jump(HOUR)
        await race(sessions, second)

        async def pay(session: AsyncSession, wants: Sequence[Want]) -> None:
            try:
                await capacity.confirm(session, [want.owner_id for want in wants])
            except HoldRanOut:
                raise NotEnough([]) from None

        ends = await race(sessions, [*first, *second], pay)

    assert ends == {"held": 50, "refused": 50}
    assert await sold(jars) == 50_000


@pytest.fixture
async def without_constraint(database: str) -> AsyncIterator[None]:
    """The database no longer minds a pool that holds more than there is."""
    await alter("ALTER TABLE pools DROP CONSTRAINT ck_pools_held_within_on_hand")
    yield
    async with engine().begin() as connection:
        await clean(connection)
    await alter(
        "ALTER TABLE pools ADD CONSTRAINT ck_pools_held_within_on_hand CHECK (held_milli BETWEEN 0 AND on_hand_milli)"
    )


async def alter(statement: str) -> None:
    async with session_scope() as session:
        await session.execute(text(statement))


async def test_the_verbs_alone_sell_no_more_than_there_is(
    without_constraint: None, sessions: async_sessionmaker[AsyncSession]
) -> None:
    [jars] = await pools(50_000)

    assert await race(sessions, one_each(jars)) == {"held": 50, "refused": 150}
    assert await sold(jars) == 50_000


async def test_the_database_alone_sells_no_more_than_there_is(sessions: async_sessionmaker[AsyncSession]) -> None:
    [jars] = await pools(50_000)

    ends = await race(sessions, one_each(jars), hold_unguarded)

    assert ends["held"] <= 50
    assert ends["stopped by the database"] > 0
    assert await sold(jars) == ends["held"] * 1000


async def test_without_either_guard_the_same_race_oversells(
    without_constraint: None, sessions: async_sessionmaker[AsyncSession]
) -> None:
    [jars] = await pools(50_000)

    ends = await race(sessions, one_each(jars), hold_unguarded)

    assert ends["held"] > 50
    assert await sold(jars) > 50_000
