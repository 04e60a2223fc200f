"""Capacity: one mechanism for everything scarce, be it a jar, half a kilo of rice, a seat on a boat or a room's night.

A *pool* is so much of one thing.  A *hold* keeps part of a pool for one owner (the line of an order) until a moment;
then it is taken for good, released, or it runs out.  Running out is a matter of comparing times: nobody has to do
anything for it.  A hold that ran out stays where it is until somebody needs its goods (or `tidy` comes by); whoever
pays late still gets them if nobody did.

Nothing is sold twice, for two reasons that each suffice.  Every verb first locks its pools, in order of their ids and in
one statement, so that verbs over the same pools take turns and never wait for each other in a circle.  And the database
itself makes a pool's figures follow from its holds (triggers of migration 0003, one write per statement), and refuses a
pool that would hold more than there is, whoever asks.

Amounts are thousandths of the sale unit (500 is half a kilo).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    UniqueConstraint,
    Update,
    and_,
    case,
    cast,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, Mapped, aliased, mapped_column

from app import clock, jobs
from app.database import Base, Id, Utc, new_id, session_scope
from app.errors import NotFound, Refusal
from app.language import N_

MOST_TIDIED = 500
"""Pools that `tidy` looks after at a time, so that it never keeps many locked."""


@dataclass(frozen=True, slots=True)
class Want:
    """So much of a pool for an owner; an owner may want of several pools (three nights), a pool have several owners."""

    pool_id: UUID
    owner_id: UUID
    amount_milli: int


@dataclass(frozen=True, slots=True)
class Short:
    """A want that cannot be met, and what is left for it."""

    pool_id: UUID
    owner_id: UUID
    wanted_milli: int
    left_milli: int


class NotEnough(Refusal):
    """`items` names everything that is short, in the order in which it was wanted."""

    message = N_("There is not enough left of what you chose.")

    def __init__(self, items: Sequence[Short]) -> None:
        super().__init__()
        self.items = items


class HoldRanOut(Refusal):
    """`owner_ids` are those whose goods somebody else has now, or who gave them up."""

    message = N_("The time to pay ran out, and the goods have gone to somebody else.")

    def __init__(self, owner_ids: Collection[UUID]) -> None:
        super().__init__()
        self.owner_ids = owner_ids


class HeldByBuyers(Refusal):
    message = N_("%(held)s of these are held for buyers who have not paid yet, so the amount cannot be lower.")


class StockMoved(Refusal):
    """Somebody bought, or another phone set the amount, while this form was open."""

    message = N_("The amount changed meanwhile: there are %(left)s now. Please look once more and save again.")


class HoldState(StrEnum):
    held = "held"
    taken = "taken"
    released = "released"
    expired = "expired"
    """Ran out, and its goods were freed."""


class Pool(Base):
    __tablename__ = "pools"
    __table_args__ = (
        CheckConstraint("on_hand_milli >= 0", name="on_hand_not_negative"),
        CheckConstraint("held_milli BETWEEN 0 AND on_hand_milli", name="held_within_on_hand"),
    )

    id: Mapped[Id]
    on_hand_milli: Mapped[int] = mapped_column(BigInteger)
    """What there is and nobody has taken yet; what is held is part of it.  Taking a hold lowers it, by trigger."""
    held_milli: Mapped[int] = mapped_column(BigInteger, default=0)
    """Sum of the holds in state `held`; only their trigger writes it."""


class Hold(Base):
    __tablename__ = "holds"
    __table_args__ = (
        UniqueConstraint("owner_id", "pool_id"),
        CheckConstraint("amount_milli > 0", name="amount_counts"),
        CheckConstraint("state IN ('held', 'taken', 'released', 'expired')", name="state_is_known"),
        CheckConstraint("(state = 'held') = (decided_at IS NULL)", name="decided_when_not_held"),
        Index(
            "ix_holds_held",
            "pool_id",
            "expires_at",
            postgresql_include=["amount_milli"],
            postgresql_where="state = 'held'",
        ),
    )

    id: Mapped[Id]
    pool_id: Mapped[UUID] = mapped_column(ForeignKey("pools.id"))
    owner_id: Mapped[UUID]
    amount_milli: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[Utc]
    state: Mapped[str]
    created_at: Mapped[Utc]
    decided_at: Mapped[datetime | None]


@dataclass(slots=True)
class Stock:
    """A pool as it is while we hold its lock."""

    on_hand: int
    held: int

    @property
    def left(self) -> int:
        return self.on_hand - self.held


Stocks = Mapping[UUID, Stock]


def available(pool_id: InstrumentedAttribute[UUID], now: datetime) -> ColumnElement[int]:
    """What can be bought of the pool that a query has joined on `pool_id`: what ran out by `now` counts as free."""
    ran_out = aliased(Hold)
    freed = select(func.coalesce(func.sum(ran_out.amount_milli), 0)).where(
        ran_out.pool_id == pool_id, ran_out.state == HoldState.held, ran_out.expires_at <= now
    )
    return Pool.on_hand_milli - Pool.held_milli + cast(freed.scalar_subquery(), BigInteger)


async def left_of(session: AsyncSession, pool_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return what can be bought of each pool at this moment."""
    left = available(Pool.id, clock.now()).label("left")
    rows = await session.execute(select(Pool.id, left).where(Pool.id.in_(pool_ids)))
    return {row.id: row.left for row in rows}


async def new_pool(session: AsyncSession, on_hand_milli: int) -> UUID:
    """Add a pool with so much in it; return its id."""
    pool_id = new_id()
    await session.execute(insert(Pool).values(id=pool_id, on_hand_milli=on_hand_milli, held_milli=0))
    return pool_id


async def hold(session: AsyncSession, wants: Sequence[Want], until: datetime) -> None:
    """Hold everything that is wanted until that moment, or nothing at all.

    Refuses with `NotEnough`, which names every want that is short and what is left for it.  The pools stay locked
    until the transaction ends, so hold late in it.
    """
    pool_ids = {want.pool_id for want in wants}
    stocks = await _lock(session, pool_ids)
    if _short(wants, stocks):
        await _free(session, stocks)
    if short := _short(wants, stocks):
        raise NotEnough(short)
    await session.execute(_HOLD, _columns(wants, until))


async def prolong(session: AsyncSession, owner_ids: Collection[UUID], until: datetime) -> None:
    """Hold on until a later moment; what ran out is held anew if it is still there.

    What is taken already stays taken.  Refuses with `HoldRanOut`, and then nothing has changed.
    """
    stocks, holds = await _own(session, owner_ids)
    await _secure(session, stocks, holds, owner_ids)
    kept = [each.id for each in holds if each.state in _COMES_BACK]
    again = {"state": HoldState.held, "decided_at": None, "expires_at": until}
    await session.execute(_changing(Hold.id.in_(kept)).values(again))


async def confirm(session: AsyncSession, owner_ids: Collection[UUID]) -> None:
    """Take what is held, for good.  Told twice, it is taken once.

    What ran out is taken too if it is still there; otherwise refuses with `HoldRanOut`, and nothing has changed.
    """
    stocks, holds = await _own(session, owner_ids)
    await _secure(session, stocks, holds, owner_ids)
    await _decide(session, [each.id for each in holds if each.state in _COMES_BACK], HoldState.taken)


async def release(session: AsyncSession, owner_ids: Collection[UUID]) -> None:
    """Let go of what is held; what is no longer held is left as it is.

    What had run out by now is noted as such: somebody who pays late may still ask for it.
    """
    _, holds = await _own(session, owner_ids)
    outcome = case((Hold.expires_at <= clock.now(), HoldState.expired), else_=HoldState.released)
    await _decide(session, [each.id for each in holds if each.state == HoldState.held], outcome)


async def give_back(session: AsyncSession, owner_ids: Collection[UUID]) -> None:
    """Put back what was taken (an order cancelled before hand-over), and let go of what is held."""
    await release(session, owner_ids)
    _, holds = await _own(session, owner_ids)
    await _decide(session, [each.id for each in holds if each.state == HoldState.taken], HoldState.released)


async def shrink(session: AsyncSession, amounts: Mapping[UUID, int], *, is_lost: bool = False) -> None:
    """Let owners keep less, by so many thousandths each, of every pool they hold or took of; the rest is on sale again.

    What is lost (spoiled, gone) does not come back on sale.  What was let go before is left as it is.
    """
    _, holds = await _own(session, list(amounts))
    for each in holds:
        if each.state == HoldState.released:
            continue
        milli = min(amounts[each.owner_id], each.amount_milli)
        await _shrink(session, each, milli)
        if is_lost and each.state in {HoldState.held, HoldState.taken}:
            gone = update(Pool).where(Pool.id == each.pool_id).values(on_hand_milli=Pool.on_hand_milli - milli)
            await session.execute(gone.execution_options(synchronize_session=False))


async def set_on_hand(session: AsyncSession, pool_id: UUID, milli: int) -> None:
    """Say how much there is, what is held for buyers included.  Refuses less than that with `HeldByBuyers`."""
    stocks = await _lock(session, {pool_id})
    await _free(session, stocks)
    stock = _known(stocks, pool_id)
    if milli < stock.held:
        raise HeldByBuyers(held=_words(stock.held))
    await _set(session, pool_id, milli)


async def set_left(session: AsyncSession, pool_id: UUID, milli: int, *, seen_milli: int | None = None) -> None:
    """Say how much more can be bought, beside what is held for buyers already.

    With `seen_milli`, what the form showed: refuses with `StockMoved` when it is no longer so.
    """
    stocks = await _lock(session, {pool_id})
    await _free(session, stocks)
    stock = _known(stocks, pool_id)
    if seen_milli is not None and seen_milli != stock.left:
        raise StockMoved(left=_words(stock.left))
    await _set(session, pool_id, stock.held + milli)


@jobs.every(timedelta(minutes=15), "capacity.tidy")
async def tidy(_payload: dict[str, Any]) -> None:
    """Free what ran out and nobody asked for, so that sums over holds stay short."""
    async with session_scope() as session:
        ran_out = select(Hold.pool_id).where(Hold.state == HoldState.held, Hold.expires_at <= clock.now())
        pool_ids = await session.scalars(ran_out.distinct().limit(MOST_TIDIED))
        await _free(session, await _lock(session, set(pool_ids)))


_COMES_BACK = (HoldState.held, HoldState.expired)


async def _lock(session: AsyncSession, pool_ids: Collection[UUID]) -> dict[UUID, Stock]:
    """Lock pools in the one order in which everybody does; they stay locked until the transaction ends."""
    rows = await session.execute(_LOCK, {"ids": list(pool_ids)})
    return {pool_id: Stock(on_hand, held) for pool_id, on_hand, held in rows}


async def _own(session: AsyncSession, owner_ids: Collection[UUID]) -> tuple[dict[UUID, Stock], list[Hold]]:
    """Lock the pools that owners hold of; only then read the holds, which nobody else may change now."""
    mine = Hold.owner_id.in_(owner_ids)
    pool_ids = (await session.scalars(select(Hold.pool_id).where(mine))).all()
    stocks = await _lock(session, set(pool_ids))
    holds = await session.scalars(select(Hold).where(mine).execution_options(populate_existing=True))
    return stocks, list(holds)


async def _secure(session: AsyncSession, stocks: Stocks, holds: Sequence[Hold], owner_ids: Collection[UUID]) -> None:
    """See that there is still enough for whatever of `holds` was freed; `HoldRanOut` otherwise."""
    alive = {each.owner_id for each in holds if each.state != HoldState.released}
    lost = set(owner_ids) - alive
    freed = [Want(each.pool_id, each.owner_id, each.amount_milli) for each in holds if each.state == HoldState.expired]
    if _short(freed, stocks):
        await _free(session, stocks, sparing=owner_ids)
    lost |= {short.owner_id for short in _short(freed, stocks)}
    if lost:
        raise HoldRanOut(lost)


async def _free(session: AsyncSession, stocks: Stocks, sparing: Collection[UUID] = ()) -> None:
    """Free what ran out of locked pools, except for some owners."""
    now = clock.now()
    ran_out = and_(
        Hold.pool_id.in_(stocks),
        Hold.state == HoldState.held,
        Hold.expires_at <= now,
        Hold.owner_id.not_in(sparing),
    )
    rows = await session.execute(
        _changing(ran_out).values(state=HoldState.expired, decided_at=now).returning(Hold.pool_id, Hold.amount_milli)
    )
    for pool_id, amount in rows:
        stocks[pool_id].held -= amount


def _short(wants: Iterable[Want], stocks: Stocks) -> list[Short]:
    left = {pool_id: stock.left for pool_id, stock in stocks.items()}
    short: list[Short] = []
    for want in wants:
        remaining = left.get(want.pool_id, 0)
        if want.amount_milli > remaining:
            short.append(Short(want.pool_id, want.owner_id, want.amount_milli, remaining))
        else:
            left[want.pool_id] = remaining - want.amount_milli
    return short


_LOCK = text("""
    SELECT id, on_hand_milli, held_milli FROM pools WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE
""")
_HOLD = text("""
    INSERT INTO holds (id, pool_id, owner_id, amount_milli, expires_at, state, created_at)
    SELECT id, pool_id, owner_id, amount, :until, 'held', :now
    FROM unnest(CAST(:ids AS uuid[]), CAST(:pool_ids AS uuid[]), CAST(:owner_ids AS uuid[]), CAST(:amounts AS bigint[]))
        AS wanted (id, pool_id, owner_id, amount)
""")


def _columns(wants: Sequence[Want], until: datetime) -> dict[str, object]:
    """The values of `_HOLD`."""
    return {
        "ids": [new_id() for _ in wants],
        "pool_ids": [want.pool_id for want in wants],
        "owner_ids": [want.owner_id for want in wants],
        "amounts": [want.amount_milli for want in wants],
        "until": until,
        "now": clock.now(),
    }


async def _decide(session: AsyncSession, hold_ids: Collection[UUID], outcome: HoldState | ColumnElement[str]) -> None:
    await session.execute(_changing(Hold.id.in_(hold_ids)).values(state=outcome, decided_at=clock.now()))


async def _shrink(session: AsyncSession, hold: Hold, milli: int) -> None:
    if milli == hold.amount_milli:
        await _decide(session, [hold.id], HoldState.released)
    elif milli:
        await session.execute(_changing(Hold.id == hold.id).values(amount_milli=Hold.amount_milli - milli))


async def _set(session: AsyncSession, pool_id: UUID, on_hand_milli: int) -> None:
    question = update(Pool).where(Pool.id == pool_id).values(on_hand_milli=on_hand_milli)
    await session.execute(question.execution_options(synchronize_session=False))


def _changing(which: ColumnElement[bool]) -> Update:
    return update(Hold).where(which).execution_options(synchronize_session=False)


def _known(stocks: Stocks, pool_id: UUID) -> Stock:
    if pool_id not in stocks:
        raise NotFound
    return stocks[pool_id]


def _words(milli: int) -> str:
    return f"{milli / 1000:g}"
