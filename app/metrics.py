"""/metrics: what a machine that watches us (Prometheus) reads, and the questions about the trade behind it.

Counts of requests, jobs and connections come from the processes themselves (`app.meters`).  Figures about the trade
come from the database, in one short transaction and at most every 15 seconds, however often somebody asks; each room
brings its own questions (`producers.metrics`, `catalog.metrics`, `orders.metrics`).  A question that cannot be
answered leaves its figures out, so that nothing stale looks true.

Only this machine itself may read, or whoever knows METRICS_TOKEN: the figures tell how well the trade goes.
"""

import asyncio
import hmac
import ipaddress
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock, jobs, meters
from app.database import session_scope
from app.errors import NotFound
from app.jobs import Job
from app.settings import settings

ASKED_EVERY_SECONDS = 15.0
ASKING_SECONDS = 5.0
"""Longer answers are done without."""
FORWARDED = ("x-forwarded-for", "x-real-ip", "forwarded", "via")
"""Headers of a request that came by way of a proxy, perhaps from far away."""

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    about: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """`ask` answers with figures; it is asked at most `every` so many seconds."""

    ask: Callable[[AsyncSession], Awaitable[Iterable[Figure]]]
    every: float = ASKED_EVERY_SECONDS


class Asked:
    """Questions with their latest answers; one for each application."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self.answers: dict[Question, list[Figure]] = {}
        self.due_at = dict.fromkeys(questions, 0.0)
        self.is_answered = True
        self.asking = asyncio.Lock()

    async def figures(self) -> list[Figure]:
        """Return all figures, asking anew what is due."""
        async with self.asking:
            due = [question for question, at in self.due_at.items() if at <= time.monotonic()]
            if due:
                await self._ask(due)
        up = Figure("market_database_up", "1 when the database answered the questions of this page.", self.is_answered)
        return [up, *(figure for answer in self.answers.values() for figure in answer)]

    async def _ask(self, due: Sequence[Question]) -> None:
        for question in due:
            self.answers.pop(question, None)
            self.due_at[question] = time.monotonic() + question.every
        try:
            async with asyncio.timeout(ASKING_SECONDS), session_scope() as session:
                for question in due:
                    self.answers[question] = list(await question.ask(session))
            self.is_answered = True
        except (OSError, TimeoutError, SQLAlchemyError):
            self.is_answered = False
            self.due_at = dict.fromkeys(self.due_at, time.monotonic() + ASKED_EVERY_SECONDS)


@router.get("/metrics", name="metrics")
async def metrics(request: Request) -> Response:
    if not _may_read(request):
        raise NotFound
    asked: Asked = request.app.state.asked
    figures = await asked.figures()
    body = await asyncio.to_thread(_written, figures)
    return Response(body, media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


async def of_jobs(session: AsyncSession) -> list[Figure]:
    """Jobs that are due and wait, by kind, the age of the oldest, and those that were given up."""
    now = clock.now()
    waiting = (
        await session.execute(
            select(Job.kind, func.count(), func.min(Job.run_after_at)).where(jobs.is_claimable(now)).group_by(Job.kind)
        )
    ).all()
    failed = await session.scalar(select(func.count()).where(Job.failed_at.is_not(None))) or 0
    oldest = max((now - since for _, _, since in waiting), default=None)
    return [
        *(
            Figure("market_jobs_due", "Jobs that are due and wait.", count, {"kind": kind})
            for kind, count, _ in waiting
        ),
        Figure(
            "market_jobs_oldest_due_seconds",
            "How long the oldest due job has waited.",
            oldest.total_seconds() if oldest else 0,
        ),
        Figure("market_jobs_failed", "Jobs that were given up; staff can try them again.", failed),
    ]


QUESTIONS = (Question(of_jobs),)


def _may_read(request: Request) -> bool:
    token = settings().metrics_token
    if token is not None:
        expected = f"Bearer {token.get_secret_value()}"
        return hmac.compare_digest(request.headers.get("authorization", "").encode(), expected.encode())
    return _is_this_machine(request) and not any(name in request.headers for name in FORWARDED)


def _is_this_machine(request: Request) -> bool:
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _written(figures: Sequence[Figure]) -> bytes:
    asked = CollectorRegistry()
    asked.register(_Gauges([*figures, *_memory()]))
    return generate_latest(meters.registry()) + generate_latest(asked)


class _Gauges(Collector):
    """Figures, as the library wants them: one family of gauges per name."""

    def __init__(self, figures: Sequence[Figure]) -> None:
        self.figures = figures

    def collect(self) -> Iterator[Metric]:
        families: dict[str, GaugeMetricFamily] = {}
        for figure in self.figures:
            family = families.get(figure.name)
            if family is None:
                family = GaugeMetricFamily(figure.name, figure.about, labels=list(figure.labels))
                families[figure.name] = family
            family.add_metric(list(figure.labels.values()), float(figure.value))
        yield from families.values()


def _memory() -> Iterator[Figure]:
    """Resident memory of the processes that count together; Linux only."""
    for pid in meters.processes():
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        except (OSError, ValueError, IndexError):
            continue
        size = pages * os.sysconf("SC_PAGE_SIZE")
        yield Figure("market_process_memory_bytes", "Resident memory of a process.", size, {"pid": str(pid)})
