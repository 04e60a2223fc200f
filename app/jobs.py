"""Work that leaves the request: rows written in the same transaction as the fact, done by the worker afterwards.

A job is done at least once: when the worker dies in the middle, its lease runs out and another one starts again, so
a handler must bear being run twice.  A handler gets the payload, opens its own `session_scope()`s and holds none of
them while it talks to another machine.  A job that keeps failing waits longer each time, then stays visible as
failed until somebody tries it again.

Why a table of our own: docs/decisions/0011-jobs-in-a-table.md.
"""

import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Index, and_, delete, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.database import Base, Id, Utc, new_id, session_scope
from app.errors import NotFound

MOST_ATTEMPTS = 10
"""With the pauses below, about three quarters of an hour of trying."""
FIRST_PAUSE = timedelta(seconds=5)
LEASE = timedelta(seconds=60)
"""How long a claim holds; the worker renews it while it works, so it runs out only when the worker is gone."""
DONE_KEPT = timedelta(days=30)
LONGEST_PERIOD = timedelta(days=7)

Handler = Callable[[dict[str, Any]], Awaitable[None]]

#: Id of the request a job comes from; it follows from job to job so that logs can be read as one story.
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

_PERIODIC_KEY = "every"
_handlers: dict[str, Handler] = {}
_periods: dict[str, timedelta] = {}


class Job(Base):
    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_open", "run_after_at", postgresql_where="done_at IS NULL AND failed_at IS NULL"),
        Index("ix_jobs_open_key", "kind", "key", postgresql_where="done_at IS NULL AND failed_at IS NULL"),
        Index("ix_jobs_failed", "failed_at", postgresql_where="failed_at IS NOT NULL"),
    )

    id: Mapped[Id]
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]]
    key: Mapped[str | None]
    """Jobs of one kind and key that nobody began yet are one job."""
    run_after_at: Mapped[Utc]
    attempts: Mapped[int] = mapped_column(default=0)
    """How often it was begun; also tells a worker whose lease ran out that the job is no longer its own."""
    claimed_until_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    created_at: Mapped[Utc]
    request_id: Mapped[str | None]


is_open = and_(Job.done_at.is_(None), Job.failed_at.is_(None))


def handler(kind: str) -> Callable[[Handler], Handler]:
    """Decorator: the function does jobs of this kind.  It must bear being run twice for the same job."""

    def register(function: Handler) -> Handler:
        if kind in _handlers:
            raise RuntimeError(f"two handlers for jobs of kind {kind!r}")
        _handlers[kind] = function
        return function

    return register


def every(period: timedelta, kind: str) -> Callable[[Handler], Handler]:
    """Decorator: as `handler`, and a job of this kind is due every `period` (at most a week), whoever works.

    However many workers there are, one job is made per period; after a pause of the worker one job catches up.
    """
    if period > LONGEST_PERIOD:
        raise ValueError("a period longer than a week would outlive the memory of done jobs")

    def register(function: Handler) -> Handler:
        _periods[kind] = period
        return handler(kind)(function)

    return register


def kinds() -> list[str]:
    """The kinds this process has handlers for."""
    return list(_handlers)


def handler_of(kind: str) -> Handler:
    return _handlers[kind]


async def failed(session: AsyncSession, limit: int = 100) -> Sequence[Job]:
    """Return the jobs that were given up, the last one first."""
    found = await session.scalars(
        select(Job).where(Job.failed_at.is_not(None)).order_by(Job.failed_at.desc()).limit(limit)
    )
    return found.all()


async def waiting_count(session: AsyncSession) -> int:
    """Count the jobs that are due and that nobody works on."""
    return await session.scalar(select(func.count()).select_from(Job).where(is_claimable(clock.now()))) or 0


async def enqueue(
    session: AsyncSession,
    kind: str,
    payload: dict[str, Any],
    key: str | None = None,
    run_after: datetime | None = None,
) -> None:
    """Write a job into the caller's transaction, to be done once that has committed and `run_after` has passed.

    With a `key`, a job that nobody began yet takes the new payload (and the earlier time) instead of a second row.
    That is a saving, not a promise: when two transactions overlap, both jobs stay.  Neither waits for the other, so
    a key can never be part of a deadlock.
    """
    now = clock.now()
    if key is not None and await _join(session, kind, key, payload, run_after or now):
        return
    await session.execute(
        insert(Job).values(
            id=new_id(),
            kind=kind,
            payload=payload,
            key=key,
            run_after_at=run_after or now,
            created_at=now,
            request_id=request_id.get(),
        )
    )


async def claim(session: AsyncSession, of_kinds: Collection[str], limit: int) -> Sequence[Job]:
    """Take up to `limit` due jobs, the longest waiting first, for the length of a lease."""
    now = clock.now()
    due = (
        select(Job.id)
        .where(is_claimable(now), Job.kind.in_(of_kinds), Job.attempts < MOST_ATTEMPTS)
        .order_by(Job.run_after_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        # As a table of its own it is read once; as a condition a plan may read it again, past the rows locked already.
        .cte("due")
    )
    claimed = await session.scalars(
        update(Job)
        .where(Job.id == due.c.id)
        .values(claimed_until_at=now + LEASE, attempts=Job.attempts + 1)
        .returning(Job)
    )
    return sorted(claimed.all(), key=lambda job: (job.run_after_at, job.id))


async def renew(session: AsyncSession, jobs: Collection[Job]) -> None:
    """Hold on to jobs that take longer than a lease."""
    for job in jobs:
        await session.execute(_own(job).values(claimed_until_at=clock.now() + LEASE))


async def finish(session: AsyncSession, job: Job) -> None:
    await session.execute(_own(job).values(done_at=clock.now(), claimed_until_at=None, last_error=None))


async def fail(session: AsyncSession, job: Job, error: str) -> None:
    """Let the job wait before it is tried again, or give it up after `MOST_ATTEMPTS`."""
    now = clock.now()
    outcome = {"failed_at": now} if job.attempts >= MOST_ATTEMPTS else {"run_after_at": now + pause(job.attempts)}
    await session.execute(_own(job).values(claimed_until_at=None, last_error=error[:2000], **outcome))


async def give_back(session: AsyncSession, job: Job) -> None:
    """Return a job that could not be finished because the worker stops: it does not count as a try."""
    await session.execute(_own(job).values(claimed_until_at=None, attempts=Job.attempts - 1))


async def retry(session: AsyncSession, job_id: UUID) -> None:
    """Try a given-up job once more, now; if that fails too it is back among the failed ones at once."""
    found = await session.scalar(
        update(Job)
        .where(Job.id == job_id, Job.failed_at.is_not(None))
        .values(failed_at=None, run_after_at=clock.now(), attempts=MOST_ATTEMPTS - 1)
        .returning(Job.id)
    )
    if found is None:
        raise NotFound


async def tend(session: AsyncSession) -> None:
    """What any worker does every few seconds: make due periodic jobs, and give up jobs that kill their worker."""
    # One worker at a time; the next one sees what this one did, because its statements start after our commit.
    if not await session.scalar(select(func.pg_try_advisory_xact_lock(func.hashtext(text("'jobs.tend'"))))):
        return
    now = clock.now()
    for kind, period in _periods.items():
        await _ensure_periodic(session, kind, period, now)
    await session.execute(
        update(Job)
        .where(is_open, Job.attempts >= MOST_ATTEMPTS, Job.claimed_until_at < now)
        .values(failed_at=now, claimed_until_at=None, last_error="The worker ended every time it did this job.")
    )


def pause(attempts: int) -> timedelta:
    """How long to wait after so many attempts: twice as long each time, give or take a half."""
    doubled: timedelta = FIRST_PAUSE * 2 ** (attempts - 1)
    return doubled * random.uniform(0.5, 1.5)


@every(timedelta(hours=6), "jobs.forget")
async def forget_done(_payload: dict[str, Any]) -> None:
    async with session_scope() as session:
        await session.execute(delete(Job).where(Job.done_at < clock.now() - DONE_KEPT))


async def _join(session: AsyncSession, kind: str, key: str, payload: dict[str, Any], run_after: datetime) -> bool:
    # Locking the row keeps a worker from starting it before the facts of this transaction can be seen.
    waiting = (
        select(Job.id)
        .where(is_open, Job.kind == kind, Job.key == key, Job.attempts == 0)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte("waiting")
    )
    joined = await session.scalar(
        update(Job)
        .where(Job.id == waiting.c.id)
        .values(payload=payload, run_after_at=func.least(Job.run_after_at, run_after))
        .returning(Job.id)
    )
    return joined is not None


async def _ensure_periodic(session: AsyncSession, kind: str, period: timedelta, now: datetime) -> None:
    of_kind = (Job.kind == kind, Job.key == _PERIODIC_KEY)
    if await session.scalar(select(Job.id).where(is_open, *of_kind).limit(1)):
        return
    last = await session.scalar(select(func.max(Job.run_after_at)).where(*of_kind))
    await enqueue(session, kind, {}, key=_PERIODIC_KEY, run_after=max(last + period, now) if last else now)


def is_claimable(now: datetime) -> ColumnElement[bool]:
    """Condition: the job is due, and nobody works on it."""
    return and_(is_open, Job.run_after_at <= now, or_(Job.claimed_until_at.is_(None), Job.claimed_until_at < now))


def _own(job: Job) -> Any:
    """Update of a job that is still this claim's: not done meanwhile, not claimed by another after a lost lease."""
    return update(Job).where(is_open, Job.id == job.id, Job.attempts == job.attempts)
