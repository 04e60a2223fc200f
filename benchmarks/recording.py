"""Statements that the market sends to PostgreSQL, written down and sent again without the market around them.

A request is made of the application in this process, inside a transaction that is rolled back in the end; what it sent
is kept with its parameters.  Sent again by asyncpg alone, in one transaction that commits, it does the same work: that
is the ceiling for anything built on this database.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import engine, open_session, sessions
from app.main import create_app
from benchmarks.trace import Statement, Trace


@asynccontextmanager
async def untouched_market() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application in this process whose every request is rolled back."""
    app = create_app()
    app.dependency_overrides[open_session] = _rolled_back
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        yield client


async def traced(ask: Callable[[], Awaitable[httpx.Response]]) -> tuple[httpx.Response, Trace]:
    """Return the answer and what was sent to the database for it."""
    with _listening() as trace:
        return await ask(), trace


@contextmanager
def _listening() -> Iterator[Trace]:
    trace: Trace = []

    def note(_connection: Any, _cursor: Any, sql: str, parameters: Any, *about: Any) -> None:
        # Rows that SQLAlchemy puts into one INSERT count as many, and yet come as one row of parameters.
        is_many = about[-1] and isinstance(parameters, list)
        kept = [tuple(row) for row in parameters] if is_many else tuple(parameters or ())
        trace.append(Statement(sql, kept, is_many))

    event.listen(engine().sync_engine, "before_cursor_execute", note)
    try:
        yield trace
    finally:
        event.remove(engine().sync_engine, "before_cursor_execute", note)


async def _rolled_back() -> AsyncIterator[AsyncSession]:
    async with sessions()() as session:
        yield session
        await session.rollback()
