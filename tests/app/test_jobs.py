"""Jobs: written with the fact, done at least once, tried again with pauses, given up where staff can see them."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import jobs
from app.clock import FrozenClock
from app.database import new_id, session_scope
from app.errors import NotFound
from app.jobs import Job

KIND = "test.weave"


async def claimed(limit: int = 10, kinds: Sequence[str] = (KIND,)) -> Sequence[Job]:
    async with session_scope() as session:
        return await jobs.claim(session, kinds, limit)


async def enqueued(key: str | None = None, **payload: Any) -> None:
    async with session_scope() as session:
        await jobs.enqueue(session, KIND, payload, key=key)


async def stored(session: AsyncSession) -> Sequence[Job]:
    session.expire_all()
    return (await session.scalars(select(Job).order_by(Job.created_at, Job.id))).all()


async def fail_once(session: AsyncSession, clock: FrozenClock, error: str) -> None:
    [job] = await claimed()
    await jobs.fail(session, job, error)
    await session.commit()
    clock.jump(timedelta(hours=2))


async def test_a_job_appears_only_with_the_fact(session: AsyncSession) -> None:
    await jobs.enqueue(session, KIND, {"metres": 3})
    assert await claimed() == []
    await session.commit()
    assert [job.payload for job in await claimed()] == [{"metres": 3}]


async def test_a_job_that_is_rolled_back_never_was(session: AsyncSession) -> None:
    await jobs.enqueue(session, KIND, {})
    await session.rollback()
    assert await jobs.waiting_count(session) == 0


async def test_a_job_waits_for_its_time(session: AsyncSession, clock: FrozenClock) -> None:
    await jobs.enqueue(session, KIND, {}, run_after=clock.now() + timedelta(minutes=45))
    await session.commit()
    assert await claimed() == []
    clock.jump(timedelta(minutes=45))
    assert len(await claimed()) == 1


async def test_two_workers_never_hold_the_same_job(database: str) -> None:
    for number in range(40):
        await enqueued(number=number)
    hands = await asyncio.gather(*(claimed(limit=10) for _ in range(8)))
    numbers = [job.payload["number"] for hand in hands for job in hand]
    assert sorted(numbers) == list(range(40))


async def test_only_the_asked_kinds_are_claimed(database: str) -> None:
    await enqueued()
    assert await claimed(kinds=["test.spin"]) == []


async def test_a_lost_lease_lets_another_worker_do_the_job(database: str, clock: FrozenClock) -> None:
    await enqueued()
    await claimed()
    assert await claimed() == []
    clock.jump(jobs.LEASE + timedelta(seconds=1))
    assert [job.attempts for job in await claimed()] == [2]


async def test_a_renewed_lease_holds(session: AsyncSession, clock: FrozenClock) -> None:
    await enqueued()
    in_hand = await claimed()
    clock.jump(jobs.LEASE / 2)
    await jobs.renew(session, in_hand)
    await session.commit()
    clock.jump(jobs.LEASE / 2 + timedelta(seconds=1))
    assert await claimed() == []


async def test_who_lost_the_lease_cannot_finish_the_job(session: AsyncSession, clock: FrozenClock) -> None:
    await enqueued()
    [slow] = await claimed()
    clock.jump(jobs.LEASE + timedelta(seconds=1))
    await claimed()
    await jobs.finish(session, slow)
    assert [job.done_at for job in await stored(session)] == [None]


async def test_a_finished_job_is_done(session: AsyncSession) -> None:
    await enqueued()
    [job] = await claimed()
    await jobs.finish(session, job)
    await session.commit()
    assert await claimed() == []
    assert (await stored(session))[0].done_at is not None


async def test_a_failed_job_pauses_longer_each_time(session: AsyncSession, clock: FrozenClock) -> None:
    await enqueued()
    [job] = await claimed()
    await jobs.fail(session, job, "SMTPException: no route")
    await session.commit()
    assert await claimed() == []
    clock.jump(jobs.FIRST_PAUSE * 1.5)
    assert len(await claimed()) == 1


def test_pauses_grow_and_differ() -> None:
    assert all(jobs.pause(1) <= jobs.FIRST_PAUSE * 1.5 for _ in range(50))
    assert all(jobs.pause(4) >= jobs.FIRST_PAUSE * 4 for _ in range(50))
    assert len({jobs.pause(4) for _ in range(20)}) > 1


async def test_after_enough_attempts_a_job_is_given_up_in_sight(session: AsyncSession, clock: FrozenClock) -> None:
    await enqueued(order="C-1")
    for attempt in range(jobs.MOST_ATTEMPTS):
        await fail_once(session, clock, f"attempt {attempt}")
    assert await claimed() == []
    assert [(job.payload, job.last_error) for job in await jobs.failed(session)] == [({"order": "C-1"}, "attempt 9")]


async def test_staff_try_a_given_up_job_once_more(session: AsyncSession, clock: FrozenClock) -> None:
    await enqueued()
    for _ in range(jobs.MOST_ATTEMPTS):
        await fail_once(session, clock, "down")
    [job] = await jobs.failed(session)
    await jobs.retry(session, job.id)
    await session.commit()
    await fail_once(session, clock, "still down")
    session.expire_all()
    assert [job.last_error for job in await jobs.failed(session)] == ["still down"]


async def test_a_job_that_was_not_given_up_cannot_be_retried(session: AsyncSession) -> None:
    await enqueued()
    [waiting] = await stored(session)
    for job_id in (waiting.id, new_id()):
        with pytest.raises(NotFound):
            await jobs.retry(session, job_id)


async def test_a_returned_job_does_not_count_as_tried(session: AsyncSession) -> None:
    await enqueued()
    [job] = await claimed()
    await jobs.give_back(session, job)
    await session.commit()
    assert [again.attempts for again in await claimed()] == [1]


async def test_a_job_that_kills_its_worker_is_given_up(session: AsyncSession, clock: FrozenClock) -> None:
    await enqueued()
    for _ in range(jobs.MOST_ATTEMPTS):
        await claimed()
        clock.jump(jobs.LEASE + timedelta(seconds=1))
    await jobs.tend(session)
    assert len(await jobs.failed(session)) == 1


async def test_waiting_jobs_with_one_key_are_one(session: AsyncSession) -> None:
    await enqueued(key="listing-7", price=100)
    await enqueued(key="listing-7", price=120)
    await enqueued(key="listing-8", price=90)
    assert sorted(job.payload["price"] for job in await stored(session)) == [90, 120]


async def test_a_job_already_begun_does_not_swallow_the_next(session: AsyncSession) -> None:
    await enqueued(key="listing-7", price=100)
    await claimed()
    await enqueued(key="listing-7", price=120)
    assert len(await stored(session)) == 2


async def test_a_job_joined_by_an_open_transaction_is_not_begun_before_its_facts(session: AsyncSession) -> None:
    await enqueued(key="listing-7", price=100)
    await jobs.enqueue(session, KIND, {"price": 120}, key="listing-7")
    assert await claimed() == []
    await session.commit()
    assert [job.payload for job in await claimed()] == [{"price": 120}]


async def test_transactions_with_one_key_do_not_wait_for_each_other(session: AsyncSession) -> None:
    await enqueued(key="listing-7", price=100)
    await jobs.enqueue(session, KIND, {"price": 110}, key="listing-7")
    async with asyncio.timeout(5):
        await enqueued(key="listing-7", price=120)
    await session.commit()
    assert {job.payload["price"] for job in await stored(session)} == {110, 120}


MARKET_DAY = "test.market-day"


@jobs.every(timedelta(hours=1), MARKET_DAY)
async def open_the_market(_payload: dict[str, Any]) -> None: ...


async def market_days(session: AsyncSession) -> list[datetime]:
    return [job.run_after_at for job in await stored(session) if job.kind == MARKET_DAY]


async def tend() -> None:
    async with session_scope() as session:
        await jobs.tend(session)


async def test_a_periodic_job_is_made_once_however_many_workers(session: AsyncSession) -> None:
    await asyncio.gather(*(tend() for _ in range(8)))
    await tend()
    assert len(await market_days(session)) == 1


async def test_a_periodic_job_comes_again_after_its_period(session: AsyncSession, clock: FrozenClock) -> None:
    await tend()
    for job in await claimed(kinds=[MARKET_DAY]):
        await jobs.finish(session, job)
    await session.commit()
    await tend()
    assert await market_days(session) == [clock.now(), clock.now() + timedelta(hours=1)]


async def test_missed_periods_are_caught_up_by_one_job(session: AsyncSession, clock: FrozenClock) -> None:
    await tend()
    for job in await claimed(kinds=[MARKET_DAY]):
        await jobs.finish(session, job)
    await session.commit()
    clock.jump(timedelta(days=3))
    await tend()
    assert await market_days(session) == [clock.now() - timedelta(days=3), clock.now()]


def test_a_kind_has_one_handler() -> None:
    async def again(_payload: dict[str, Any]) -> None: ...

    with pytest.raises(RuntimeError, match=r"jobs\.forget"):
        jobs.handler("jobs.forget")(again)


async def test_old_done_jobs_are_forgotten_failed_ones_are_not(session: AsyncSession, clock: FrozenClock) -> None:
    await enqueued(fate="done")
    for job in await claimed():
        await jobs.finish(session, job)
    await session.commit()
    clock.jump(jobs.DONE_KEPT + timedelta(seconds=1))
    await enqueued(fate="waiting")
    await jobs.forget_done({})
    assert [job.payload["fate"] for job in await stored(session)] == ["waiting"]


async def test_the_request_that_began_it_stays_readable(session: AsyncSession) -> None:
    jobs.request_id.set("req-17")
    await enqueued()
    assert [job.request_id for job in await stored(session)] == ["req-17"]
    assert all(isinstance(job.id, UUID) for job in await stored(session))
