"""The worker: several jobs at once, patience with failures and with the database, an orderly end."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import jobs, worker
from app.clock import FrozenClock
from app.database import session_scope
from app.jobs import Job
from app.language import ROOMS, ROOT
from app.worker import Worker, work_off

PATIENCE_SECONDS = 30


class Loom:
    """What the jobs of kind "test.loom" wove, and a gate that holds them."""

    def __init__(self) -> None:
        self.woven: list[str] = []
        self.gate = asyncio.Event()
        self.at_the_gate = 0

    async def weave(self, payload: dict[str, Any]) -> None:
        if payload.get("is_broken"):
            raise ValueError("no thread")
        self.at_the_gate += 1
        await self.gate.wait()
        self.woven.append(payload["pattern"])


looms: list[Loom] = []


@jobs.handler("test.loom")
async def weave(payload: dict[str, Any]) -> None:
    await looms[-1].weave(payload)


@pytest.fixture
def loom() -> Loom:
    looms.append(Loom())
    return looms[-1]


@asynccontextmanager
async def working(**habits: Any) -> AsyncIterator[asyncio.Event]:
    """A worker at work until the context ends (or its event is set)."""
    stop = asyncio.Event()
    task = asyncio.create_task(Worker(**habits).work(stop))
    try:
        yield stop
    finally:
        stop.set()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await task


async def until(condition: Any) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)


async def enqueued(**payload: Any) -> None:
    async with session_scope() as session:
        await jobs.enqueue(session, "test.loom", payload)


async def loom_jobs(session: AsyncSession) -> list[Job]:
    return list(await session.scalars(select(Job).where(Job.kind == "test.loom")))


async def test_a_job_is_begun_while_the_worker_waits(database: str, loom: Loom) -> None:
    loom.gate.set()
    assert worker.POLL_SECONDS <= 0.5
    async with working():
        await asyncio.sleep(worker.POLL_SECONDS * 2)
        await enqueued(pattern="ลายน้ำไหล")
        await until(lambda: loom.woven)
    assert loom.woven == ["ลายน้ำไหล"]


async def test_jobs_are_done_at_the_same_time_but_not_too_many(database: str, loom: Loom) -> None:
    for number in range(5):
        await enqueued(pattern=str(number))
    async with working(at_once=3):
        await until(lambda: loom.at_the_gate == 3)
        await asyncio.sleep(worker.POLL_SECONDS * 2)
        assert loom.at_the_gate == 3
        loom.gate.set()
        await until(lambda: len(loom.woven) == 5)


async def test_a_handler_that_fails_leaves_its_reason_and_the_worker_goes_on(session: AsyncSession, loom: Loom) -> None:
    loom.gate.set()
    await enqueued(is_broken=True)
    await enqueued(pattern="ลายดอกแก้ว")
    async with working():
        await until(lambda: loom.woven)
    assert {job.last_error for job in await loom_jobs(session)} == {None, "ValueError: no thread"}


async def test_a_stopping_worker_finishes_what_it_began(session: AsyncSession, loom: Loom) -> None:
    await enqueued(pattern="ลายขอ")
    async with working() as stop:
        await until(lambda: loom.at_the_gate)
        stop.set()
        await asyncio.sleep(0.1)
        loom.gate.set()
    assert [job.done_at is not None for job in await loom_jobs(session)] == [True]


async def test_what_cannot_be_finished_in_time_goes_back(session: AsyncSession, loom: Loom) -> None:
    await enqueued(pattern="ลายขอ")
    async with working(grace_seconds=0.1) as stop:
        await until(lambda: loom.at_the_gate)
        stop.set()
    [job] = await loom_jobs(session)
    assert (job.done_at, job.claimed_until_at, job.attempts) == (None, None, 0)


async def test_a_long_job_keeps_its_lease(database: str, loom: Loom, clock: FrozenClock) -> None:
    await enqueued(pattern="ลายขอ")
    async with working(at_once=1, upkeep_seconds=0.0):
        await until(lambda: loom.at_the_gate)
        clock.jump(jobs.LEASE - timedelta(seconds=1))
        await asyncio.sleep(worker.POLL_SECONDS * 2)
        clock.jump(timedelta(seconds=2))
        async with session_scope() as other:
            assert await jobs.claim(other, ["test.loom"], 1) == []
        loom.gate.set()
    assert loom.at_the_gate == 1


async def test_the_worker_survives_a_database_that_throws_it_out(session: AsyncSession, loom: Loom) -> None:
    loom.gate.set()
    async with working():
        for number in range(5):
            await cut_all_connections(session)
            await enqueued(pattern=str(number))
        await until(lambda: len(set(loom.woven)) == 5)


async def cut_all_connections(session: AsyncSession) -> None:
    await session.execute(
        text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    )


async def test_work_off_does_what_is_due_and_raises_what_goes_wrong(database: str, loom: Loom) -> None:
    loom.gate.set()
    await enqueued(pattern="ลายขอ")
    assert await work_off() == 1
    await enqueued(is_broken=True)
    with pytest.raises(ValueError, match="no thread"):
        await work_off()


def test_every_module_with_handlers_is_known_to_the_worker() -> None:
    pattern = re.compile(r"^@(?:jobs\.)?(?:handler|every)\(", re.MULTILINE)
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if pattern.search(path.read_text())
    }
    assert modules == {module.__name__ for module in worker.HANDLERS}
    assert modules <= set(sys.modules)
