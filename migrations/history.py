"""Bringing a database up to date.

Two starts at once must not collide, so whoever migrates holds an advisory lock.  A statement that would have to wait
for a busy table gives up after five seconds instead of making everybody queue behind it; migrating is simply tried
again.  There is no way down (docs/decisions/0012-migrations-go-forward.md).
"""

import asyncio
from collections.abc import Callable
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from migrations import revisions
from migrations.revisions import FOLDER

_LOCK: Final = 0x6D61726B6574  # "market"
_ASKED_EVERY: Final = 0.1
"""Seconds."""


class NewerDatabase(SystemExit):
    """The database was migrated by a newer market than this one."""


async def upgrade(url: str, to: str | None = None) -> None:
    """Bring the database at `url` to a revision, the newest by default; does nothing when it is there already."""
    await on_connection(url, lambda connection: _upgrade(connection, to or newest()))


async def on_connection(url: str, work: Callable[[Connection], None]) -> None:
    """Run blocking `work` alone: nobody else migrates this database meanwhile."""
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await _set_up(connection)
            await connection.run_sync(work)
    finally:
        await engine.dispose()


async def _set_up(connection: AsyncConnection) -> None:
    # Both last until the connection closes: a migration may need transactions of its own.  Asking again and again
    # rather than waiting: an index that is built CONCURRENTLY would wait for our waiting, and we for it.
    while not await connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LOCK}):
        await connection.rollback()
        await asyncio.sleep(_ASKED_EVERY)
    await connection.execute(text("SET lock_timeout = '5s'"))
    await connection.commit()


async def revision_of(url: str) -> str | None:
    """Return the revision that the database at `url` is at; None for one without tables."""
    found: list[str | None] = []
    await on_connection(url, lambda connection: found.append(_revision(connection)))
    return found[0]


def _upgrade(connection: Connection, to: str | None) -> None:
    config = configuration(connection)
    if _revision(connection) == to:
        return
    connection.rollback()
    try:
        command.upgrade(config, to or "head")
    except CommandError as error:
        raise NewerDatabase(f"This database cannot be brought up to date by this market: {error}") from error


def newest() -> str:
    """Return the revision that this code expects of a database."""
    return revisions.known()[0]


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def configuration(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
