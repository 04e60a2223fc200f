"""The demo market: what an empty market is stocked with so that there is something to see."""

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.people import Person


class NothingToShow(SystemExit):
    """There is no demo yet."""


async def is_empty(session: AsyncSession) -> bool:
    """True when the market has neither people nor anything that belongs to them."""
    return not await session.scalar(select(exists().where(Person.id.is_not(None))))


async def seed(_sessions: async_sessionmaker[AsyncSession]) -> None:
    """Stock an empty market; what was begun and not finished must leave it empty (`is_empty`)."""
    raise NothingToShow("There is no demo market to seed yet.")


def sign_ins() -> list[str]:
    """Lines that say who one can sign in as."""
    return []
