"""The demo market: what an empty market is stocked with so that there is something to see.

Eleven real centres; invented groups, people, buyers and a year of orders, all made through the market's own verbs with
the clock set back.  Everything happens in one transaction, so a demo is there as a whole or not at all.
"""

import os
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, exists, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app import clock, files, people
from app.clock import FrozenClock
from app.demo import buyers, plans, purchases
from app.demo.cast import PASSWORD, STAFF_EMAIL, Casting, sign_ins
from app.demo.purchases import Purchase
from app.demo.stock import PROMPTPAY_ID, Stock, lay_out
from app.demo.year import Diary, Year
from app.jobs import Job
from app.people import Person
from app.settings import settings
from catalog import capacity
from orders.slips import SlipPicture

__all__ = ["NotEmpty", "is_empty", "lend_account", "seed", "sign_ins"]

DAYS: Final = 365
DICE: Final = 2569
"""The same market every time."""


class NotEmpty(SystemExit):
    """The market has people of its own already; the demo stays out of it."""


async def is_empty(session: AsyncSession) -> bool:
    """True when the market has neither people nor anything that belongs to them."""
    return not await session.scalar(select(exists().where(Person.id.is_not(None))))


async def lend_account(session: AsyncSession) -> None:
    """Give a demo market a PromptPay id that no bank knows, so that baskets of several groups can be paid.

    Only where the demo is, and nobody has set PROMPTPAY_ID.
    """
    if settings().promptpay_id is None and await session.scalar(select(exists().where(Person.email == STAFF_EMAIL))):
        os.environ["PROMPTPAY_ID"] = PROMPTPAY_ID
        settings.cache_clear()


async def seed(sessions: async_sessionmaker[AsyncSession]) -> None:
    """Stock an empty market, or refuse with `NotEmpty`; begun and not finished, it leaves the market empty."""
    now = clock.now()
    async with sessions() as session, session.begin():
        if not await is_empty(session):
            raise NotEmpty("This market is not empty, so the demo stays out of it.")
        with _account_lent(), clock.frozen(_opening(now)) as hands:
            pictures = await _live(session, hands, now)
    for picture in pictures:
        await files.put(picture.file_key, picture.data, picture.content_type)


async def _live(session: AsyncSession, hands: FrozenClock, now: datetime) -> Sequence[SlipPicture]:
    dice = random.Random(DICE)
    stock = await lay_out(session, Casting(session, await people.hashed(PASSWORD)), hands)
    await plans.write_canvases(session, stock)
    await session.execute(text("ANALYZE"))
    diary = Diary(hands, now)
    bought = _bought(dice, stock, now)
    months = clock.months_back(clock.business_day(now))
    elsewhere = await plans.keep_books(session, stock, diary, months, dice)
    expected = plans.expected_of(list(purchases.by_stream_and_month(bought)), elsewhere, months)
    await plans.write_plans(session, stock, expected, dice)
    plans.take_steps(session, stock, diary, dice)
    diary.note(now - timedelta(days=90), lambda: plans.think_again(session, stock))
    year = Year(session, stock, diary, dice)
    year.expect(bought)
    await diary.play()
    await _count_shelves(session, stock)
    # What the notices tell happened in the past: they can be read on the staff's desk, but nobody gets a mail.
    await session.execute(delete(Job).where(Job.kind == "mail.send"))
    return year.pictures


def _bought(dice: random.Random, stock: Stock, now: datetime) -> list[Purchase]:
    people_buying = buyers.invented(dice)
    first, last = clock.business_day(), clock.business_day(now - timedelta(days=2))
    found = purchases.of_the_year(dice, stock, people_buying, first, last)
    return [*found, *purchases.still_open(dice, stock, people_buying, now)]


async def _count_shelves(session: AsyncSession, stock: Stock) -> None:
    """Set what is left today: while the past was played there was plenty of everything."""
    for ware in stock.wares.values():
        await capacity.set_left(session, ware.variant.pool_id, ware.stock * 1000)


def _opening(now: datetime) -> datetime:
    """The morning a year ago on which the market opened."""
    return clock.start_of_day(clock.business_day(now) - timedelta(days=DAYS)) + timedelta(hours=1)


@contextmanager
def _account_lent() -> Iterator[None]:
    """Let the market have a PromptPay id of its own while its past is played."""
    before = os.environ.get("PROMPTPAY_ID")
    os.environ.setdefault("PROMPTPAY_ID", PROMPTPAY_ID)
    settings.cache_clear()
    try:
        yield
    finally:
        if before is None:
            del os.environ["PROMPTPAY_ID"]
        settings.cache_clear()
