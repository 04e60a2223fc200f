"""One moment of the database for somebody who reads it for long: a backup.

While it is read, files that rows of that moment name must stay, so whoever deletes files asks `is_being_read` first and
comes back later.  A file's row is deleted, and that committed, before anybody deletes the file; so whoever asks before
a snapshot begins deletes only what the snapshot does not know.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

_LOCK: Final = 0x6261636B7570  # "backup"
ASK_AGAIN: Final = timedelta(minutes=10)
"""When somebody who deletes files should come back."""
_TRIES: Final = 10

TABLES: Final = """
SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> 'alembic_version'
    AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
GROUP BY c.relname ORDER BY c.relname
"""


class BackupUnderWay(SystemExit):
    """Somebody else makes a backup of this market at this moment."""


class TablesChanged(SystemExit):
    """A migration came in between."""


@dataclass(frozen=True)
class Snapshot:
    """The database as it was at one moment."""

    connection: AsyncConnection
    columns: dict[str, list[str]]
    """By table, without those that the database computes."""


@asynccontextmanager
async def taken(url: str) -> AsyncIterator[Snapshot]:
    """Take a snapshot that lasts until its transaction ends; files stay until the context does.

    One at a time (`BackupUnderWay`).  Migrations cannot change a table meanwhile; they give up and are tried again.
    """
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="REPEATABLE READ")
    try:
        async with engine.connect() as connection:
            await _be_alone(connection)
            columns = await columns_of(connection)
            await connection.rollback()
            await _lock(connection, columns)
            if await columns_of(connection) != columns:
                raise TablesChanged("The tables were just changed by a migration. Please start the backup again.")
            yield Snapshot(connection, columns)
    finally:
        await engine.dispose()


async def is_being_read(session: AsyncSession) -> bool:
    """True while a backup may still come for files whose rows are gone by now: delete them later."""
    return not await session.scalar(text("SELECT pg_try_advisory_xact_lock_shared(:lock)"), {"lock": _LOCK})


async def columns_of(connection: AsyncConnection) -> dict[str, list[str]]:
    """Return the market's tables with their columns."""
    return {table: list(columns) for table, columns in await connection.execute(text(TABLES))}


async def _be_alone(connection: AsyncConnection) -> None:
    for _ in range(_TRIES):  # somebody who only asks holds the lock for an instant
        if await connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LOCK}):
            return
        await asyncio.sleep(0.1)
    raise BackupUnderWay("Another backup of this market is being made at this moment.")


async def _lock(connection: AsyncConnection, tables: dict[str, list[str]]) -> None:
    # Before the first question, which fixes the moment: so no migration can come between the moment and its tables.
    if tables:
        names = ", ".join(f'public."{table}"' for table in tables)
        await connection.execute(text(f"LOCK TABLE {names} IN ACCESS SHARE MODE"))
    await connection.execute(text("SET TRANSACTION READ ONLY"))
