"""How often somebody may try: wrong passwords and guessed order numbers are slowed down, across all processes.

Tries are rows, counted within a sliding window.  A try that fails must be *returned* as an answer, not raised: raising
would roll the count back together with the request.
"""

from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final

from sqlalchemy import Index, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from app import clock, jobs
from app.database import Base, Id, Utc, session_scope
from app.errors import TooManyAttempts

KEPT: Final = timedelta(days=1)
"""How long a try is remembered; longer than any window."""


class Attempt(Base):
    __tablename__ = "attempts"
    __table_args__ = (Index("ix_attempts_about_made_at", "about", "made_at"),)

    id: Mapped[Id]
    about: Mapped[str]
    """What is tried and by whom or at what, for instance "sign-in 203.0.113.7"."""
    made_at: Mapped[Utc]


async def refuse_after(
    session: AsyncSession, about: str, most: int, within: timedelta, *, in_turn: bool = False
) -> None:
    """Raise `TooManyAttempts` when `about` was tried `most` times `within` that span, saying when to come back.

    `in_turn`: whoever tries the same at the same moment waits for this transaction to end, so that a hundred guesses
    sent at once are counted one after the other.
    """
    if in_turn:
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"limit {about}", 0))))
    since = clock.now() - within
    count, first = (
        await session.execute(
            select(func.count(), func.min(Attempt.made_at)).where(Attempt.about == about, Attempt.made_at > since)
        )
    ).one()
    if count >= most:
        raise TooManyAttempts(minutes=_minutes_until(first + within))


def count(session: AsyncSession, about: str) -> None:
    """Remember one failed try."""
    session.add(Attempt(about=about, made_at=clock.now()))


@jobs.every(timedelta(hours=6), "limits.forget")
async def forget(_payload: dict[str, Any]) -> None:
    """Delete tries older than any window: they name addresses and people."""
    async with session_scope() as session:
        await session.execute(delete(Attempt).where(Attempt.made_at < clock.now() - KEPT))


def _minutes_until(at: datetime) -> int:
    return max(1, ceil((at - clock.now()).total_seconds() / 60))
