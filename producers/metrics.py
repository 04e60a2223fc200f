"""What watchers ask about the books (see `app.metrics`)."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import whole_market
from app.metrics import Figure, Question
from producers.groups import Group, GroupState
from producers.ledger import LedgerEntry

BOOKS_EVERY_SECONDS = 600.0
"""Adding up all entries reads all of them; the database itself refuses a fact that does not sum to zero."""

ALL = whole_market("counts and sums for watchers, who see nothing of a single row")


async def of_books(session: AsyncSession) -> list[Figure]:
    """The sum of all entries, which must be 0, and how many there are."""
    count, satang = (await session.execute(select(func.count(), func.sum(LedgerEntry.satang)).where(ALL))).one()
    return [
        Figure("market_ledger_entries", "Entries in the books.", count),
        Figure("market_ledger_sum_satang", "Sum of all entries: must be 0.", satang or 0),
    ]


async def of_groups(session: AsyncSession) -> list[Figure]:
    """Groups that wait for somebody to look at their application."""
    applied = await session.scalar(select(func.count()).where(ALL, Group.state == GroupState.applied)) or 0
    return [Figure("market_groups_applied", "Groups that wait to be approved.", applied)]


QUESTIONS = (Question(of_books, every=BOOKS_EVERY_SECONDS), Question(of_groups))
