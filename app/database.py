"""PostgreSQL: the engine, the base of all tables, and the session that owns a transaction.

One request or job is one transaction.  Only what opens a session here commits it; verbs receive a session, use it,
and never commit.  A refusal that is raised rolls back, an answer that is returned commits *before* it leaves
(`scope="function"`: a default `yield` dependency would commit after the buyer has been told).
"""

import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cache
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from sqlalchemy import AsyncAdaptedQueuePool, BigInteger, DateTime, MetaData, String, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry

from app import meters
from app.money import Satang
from app.settings import settings

STATEMENT_SHOWN = 600
"""Characters of a slow statement that its warning shows; values are never part of it."""

log = logging.getLogger("market.database")


def new_id() -> UUID:
    """Return a UUID version 7 (RFC 9562): ordered by time, so that indexes grow at their end."""
    unix_ms = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = unix_ms << 80 | random
    value = value & ~(0xF << 76) | 7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


Id = Annotated[UUID, mapped_column(primary_key=True, default=new_id)]
Utc = Annotated[datetime, mapped_column(DateTime(timezone=True))]


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it off the class
        Satang: BigInteger,
        datetime: DateTime(timezone=True),
        str: String,
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


@cache
def engine() -> AsyncEngine:
    """Return this process's engine for `settings().database_url`."""
    url = settings().database_url
    if url is None:
        raise RuntimeError("DATABASE_URL is not set: `market run` sets it for the embedded database")
    made = create_async_engine(
        url,
        poolclass=MeasuredPool,
        pool_size=settings().database_pool,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,  # what people typed stays out of errors, and so out of logs
    )
    _measure(made)
    return made


@cache
def sessions() -> async_sessionmaker[AsyncSession]:
    return async_sessionmaker(engine(), expire_on_commit=False, autoflush=True)


@asynccontextmanager
async def session_scope() -> AsyncIterator[AsyncSession]:
    """One transaction for a job or a command: commits at the end, rolls back when anything is raised."""
    async with sessions()() as session, session.begin():
        yield session


async def open_session() -> AsyncIterator[AsyncSession]:
    async with session_scope() as session:
        yield session


Session = Annotated[AsyncSession, Depends(open_session, scope="function")]


class MeasuredPool(AsyncAdaptedQueuePool):
    """Tells how long requests and jobs wait for a connection."""

    def _do_get(self) -> ConnectionPoolEntry:
        with meters.waiting_for_connection():
            return super()._do_get()


def _measure(made: AsyncEngine) -> None:
    """Count connections in use, and warn of slow statements."""
    slow_seconds = settings().slow_statement_ms / 1000
    pool, sync = made.pool, made.sync_engine

    def begin(_connection: Any, _cursor: Any, _statement: str, _values: Any, context: Any, _many: bool) -> None:  # noqa: FBT001 - SQLAlchemy's signature
        context.begun_at = time.perf_counter()

    def end(_connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: bool) -> None:  # noqa: FBT001 - as above
        seconds = time.perf_counter() - context.begun_at
        if seconds > slow_seconds:
            meters.meters().slow_statements.inc()
            shown = " ".join(statement.split())[:STATEMENT_SHOWN]
            log.warning("slow statement, %d ms: %s", seconds * 1000, shown, extra={"ms": round(seconds * 1000)})

    event.listen(pool, "checkout", lambda *_: meters.meters().connections_used.inc())
    event.listen(pool, "checkin", lambda *_: meters.meters().connections_used.dec())
    event.listen(sync, "before_cursor_execute", begin)
    event.listen(sync, "after_cursor_execute", end)
