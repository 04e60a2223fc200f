"""What watchers ask about the shelves (see `app.metrics`)."""

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock, jobs
from app.jobs import Job
from app.metrics import Figure, Question
from catalog.capacity import Hold, HoldState

PICTURES = "photo.make"
SEARCH = "listings.retell"


async def of_holds(session: AsyncSession) -> list[Figure]:
    """Goods held for buyers: still in time, and run out but not yet freed."""
    is_open = Hold.expires_at > clock.now()
    in_time, run_out = (
        await session.execute(
            select(func.count(case((is_open, 1))), func.count(case((~is_open, 1)))).where(Hold.state == HoldState.held)
        )
    ).one()
    about = "Goods held for buyers who have not paid; what ran out is freed when somebody needs it, or by the tidy job."
    return [
        Figure("market_holds", about, in_time, {"state": "open"}),
        Figure("market_holds", about, run_out, {"state": "run_out"}),
    ]


async def of_unfinished_work(session: AsyncSession) -> list[Figure]:
    """Pictures that wait to be made ready, and groups whose listings the word search still knows by older words."""
    rows = await session.execute(
        select(Job.kind, func.count()).where(jobs.is_open, Job.kind.in_([PICTURES, SEARCH])).group_by(Job.kind)
    )
    waiting = dict(rows.all())
    return [
        Figure("market_pictures_waiting", "Pictures that are not ready to be shown.", waiting.get(PICTURES, 0)),
        Figure("market_search_waiting", "Changes that the search does not know yet.", waiting.get(SEARCH, 0)),
    ]


QUESTIONS = (Question(of_holds), Question(of_unfinished_work))
