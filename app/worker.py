"""The worker: does what requests left behind (see `app.jobs`).

One process does a few jobs at once; any number of workers may run.  When the database goes away it waits for it to
come back, and when it is asked to stop it finishes what it began.
"""

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession

from app import database, home, jobs, limits, logs, mail, meters, people, processes, trail, worker_port
from app.api import idempotency, rates
from app.database import session_scope
from app.jobs import Job
from app.settings import settings
from app.webhooks import deliveries, sending
from catalog import capacity, darkroom, listing_news, photos, renditions, wares
from migrations import revisions
from orders import (
    basket,
    cancellation,
    card_payments,
    forgetting,
    provider_events,
    provider_refunds,
    reconciling,
)
from producers import members

#: Every module that does jobs; tests/app/test_worker.py finds a forgotten one.
HANDLERS = (
    *(idempotency, rates, deliveries, sending, listing_news),
    *(
        jobs,
        limits,
        mail,
        people,
        trail,
        members,
        capacity,
        darkroom,
        photos,
        renditions,
        wares,
        basket,
        cancellation,
        forgetting,
        provider_refunds,
    ),
    *(card_payments, provider_events, reconciling),
)

AT_ONCE = 4
POLL_SECONDS = 0.3
UPKEEP_SECONDS = 5.0
"""How often leases are renewed and periodic jobs made; well below `jobs.LEASE`."""
GRACE_SECONDS = 20.0
"""How long running jobs may go on when the worker is asked to stop; what is left goes back into the queue."""
GIVE_BACK_SECONDS = 5.0
STUCK_SECONDS = 120.0
"""Longer than any wait within a round, for a free connection or for a database that comes back."""
DATABASE_AWAY = (OSError, DBAPIError, PoolTimeout, asyncpg.PostgresError, asyncpg.InterfaceError)

log = logging.getLogger("market.worker")


async def run() -> None:
    """Work until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    meters.share(settings().market_home)
    worker = Worker()
    try:
        async with worker_port.answering(revisions.known(), worker.is_alive):
            await worker.work(stop)
    finally:
        await database.engine().dispose()


async def work_off() -> int:
    """Do everything that is due now, one job after another, and raise what a handler raises (for tests and demo)."""
    done = 0
    while True:
        async with session_scope() as session:
            due = await jobs.claim(session, jobs.kinds(), limit=1)
        if not due:
            return done
        error = await _do(due[0])
        if error is not None:
            raise error
        done += 1


class Worker:
    """One worker process's jobs in hand."""

    def __init__(
        self, at_once: int = AT_ONCE, upkeep_seconds: float = UPKEEP_SECONDS, grace_seconds: float = GRACE_SECONDS
    ) -> None:
        self.at_once = at_once
        self.upkeep_seconds = upkeep_seconds
        self.grace_seconds = grace_seconds
        self.in_hand: dict[asyncio.Task[object], Job] = {}
        self.next_upkeep = 0.0
        self.last_round = time.monotonic()

    def is_alive(self) -> bool:
        """Whether it still goes its rounds; it does while the database is away, too."""
        return time.monotonic() - self.last_round < STUCK_SECONDS

    async def work(self, stop: asyncio.Event) -> None:
        """Claim and do jobs until `stop` is set, then finish what is in hand."""
        while not stop.is_set():
            self.last_round = time.monotonic()
            try:
                await self._upkeep()
                await self._begin()
            except DATABASE_AWAY as error:
                log.warning("The database is away, trying again: %s", error)
            await self._pause(stop)
        await self._wind_up()

    async def _upkeep(self) -> None:
        if time.monotonic() < self.next_upkeep:
            return
        async with session_scope() as session:
            await jobs.renew(session, self.in_hand.values())
            await jobs.tend(session)
        self.next_upkeep = time.monotonic() + self.upkeep_seconds

    async def _begin(self) -> None:
        free = self.at_once - len(self.in_hand)
        if not free:
            return
        async with session_scope() as session:
            claimed = await jobs.claim(session, jobs.kinds(), free)
        for job in claimed:
            task: asyncio.Task[object] = asyncio.create_task(_do(job), name=f"{job.kind} {job.id}")
            self.in_hand[task] = job
            task.add_done_callback(self.in_hand.pop)

    async def _pause(self, stop: asyncio.Event) -> None:
        """Wait until a job in hand ends (there may be more to do), the poll interval is over, or we shall stop."""
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({stopping, *self.in_hand}, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()

    async def _wind_up(self) -> None:
        if not self.in_hand:
            return
        log.info("Finishing %s jobs", len(self.in_hand))
        _, late = await asyncio.wait(set(self.in_hand), timeout=self.grace_seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=GIVE_BACK_SECONDS)


async def _do(job: Job) -> Exception | None:
    """Do one job and write down how it went; a job whose outcome cannot be written is done again later."""
    jobs.request_id.set(job.request_id)
    began, outcome = time.perf_counter(), "done"
    error: Exception | None = None
    try:
        await jobs.handler_of(job.kind)(job.payload)
    except asyncio.CancelledError:
        outcome = "given back"
        await _write(lambda session: jobs.give_back(session, job))
        raise
    except Exception as raised:  # whatever a handler raises is the job's failure, not the worker's
        error, outcome = raised, "failed"
        log.warning("Job %s %s failed (attempt %s)", job.kind, job.id, job.attempts, exc_info=raised)
        reason = logs.redacted(f"{type(raised).__name__}: {raised}")
        await _write(lambda session: jobs.fail(session, job, reason))
    else:
        await _write(lambda session: jobs.finish(session, job))
    finally:
        _tell(job, outcome, time.perf_counter() - began)
    return error


def _tell(job: Job, outcome: str, seconds: float) -> None:
    """One line and one measurement per job, under the id of the request that left it behind."""
    meters.job_done(job.kind, outcome, seconds)
    told = {"job": job.kind, "job_id": str(job.id), "attempt": job.attempts, "outcome": outcome}
    log.info("Job %s %s", job.kind, outcome, extra={**told, "ms": round(seconds * 1000, 1)})


async def _write(outcome: Callable[[AsyncSession], Awaitable[None]]) -> None:
    """Commit the outcome, with patience for a database that is away, but no longer than the lease."""
    gives_up_at = time.monotonic() + jobs.LEASE.total_seconds()
    while time.monotonic() < gives_up_at:
        with suppress(*DATABASE_AWAY):
            async with session_scope() as session:
                await outcome(session)
            return
        await asyncio.sleep(POLL_SECONDS)


if __name__ == "__main__":
    processes.begin()
    with home.opened():
        asyncio.run(run())
