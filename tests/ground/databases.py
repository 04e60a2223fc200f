"""Databases of tests: a template made by the migrations, a copy per test process, emptied after each test."""

import fcntl
import hashlib
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from app import clock as market_clock
from app import embedded
from app.clock import FrozenClock
from app.database import engine, sessions
from migrations import history, revisions, tables  # noqa: F401 - foreign keys need to know every table
from tests.conftest import DATABASE_NAME, TEST_HOME

#: Losing a test database in a power cut harms nobody; no other part of the project switches durability off.
OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "autovacuum_naptime": "5s",
}
TemplateMaker = Callable[[embedded.Server, AsyncConnection], Awaitable[str]]
TUESDAY_MORNING = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # ten o'clock in Bangkok


@pytest.fixture(scope="session")
def test_server() -> Iterator[embedded.Server]:
    with embedded.running(TEST_HOME, OPTIONS) as server:
        yield server


@pytest.fixture(scope="session")
async def migrated_database(test_server: embedded.Server) -> AsyncIterator[str]:
    """This process's database as the migrations made it; its address is in DATABASE_URL."""
    async with copy_of_template(test_server, DATABASE_NAME) as url:
        yield url
        await engine().dispose()


@pytest.fixture
async def database(migrated_database: str) -> AsyncIterator[str]:
    """The database to write to: whatever a test commits is gone after it."""
    yield migrated_database
    async with engine().begin() as connection:
        await clean(connection)


@pytest.fixture
async def session(database: str) -> AsyncIterator[AsyncSession]:
    """A session of the test's own; `await session.commit()` makes its rows visible to client and worker."""
    async with sessions()() as session:
        yield session


@pytest.fixture
def clock() -> Iterator[FrozenClock]:
    """The market's clock, standing still until `clock.jump(timedelta(...))`."""
    with market_clock.frozen(TUESDAY_MORNING) as stopped:
        yield stopped


@dataclass
class QueryCount:
    statements: list[str]

    def __len__(self) -> int:
        return len(self.statements)


@pytest.fixture
def query_count(database: str) -> Callable[[], AbstractContextManager[QueryCount]]:
    """Count the SQL statements of this process: `with query_count() as queries: ...; len(queries)`."""

    @contextmanager
    def counting() -> Iterator[QueryCount]:
        count = QueryCount([])

        def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            count.statements.append(statement)

        event.listen(engine().sync_engine, "before_cursor_execute", note)
        try:
            yield count
        finally:
            event.remove(engine().sync_engine, "before_cursor_execute", note)

    return counting


@asynccontextmanager
async def copy_of_template(server: embedded.Server, name: str) -> AsyncIterator[str]:
    """A database just as the migrations make it, for as long as the context lasts; yields its address."""
    async with copy_of(server, name, _template) as url:
        yield url


@asynccontextmanager
async def copy_of(server: embedded.Server, name: str, template: TemplateMaker) -> AsyncIterator[str]:
    """A copy of the database that `template` names, and makes if nobody has (one test process at a time)."""
    async with _maintenance(server) as connection:
        await _drop_what_dead_runs_left(connection)
        with _alone():
            original = await template(server, connection)
            await connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {original}"))
    try:
        yield server.url(name)
    finally:
        await _drop(server, name)


@asynccontextmanager
async def empty_database(server: embedded.Server, name: str) -> AsyncIterator[str]:
    """A database without any table."""
    async with _maintenance(server) as connection:
        await connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
    try:
        yield server.url(name)
    finally:
        await _drop(server, name)


async def _drop(server: embedded.Server, name: str) -> None:
    async with _maintenance(server) as connection:
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


async def clean(connection: AsyncConnection) -> None:
    """Empty every table that has rows; what migrations themselves put in comes back."""
    await connection.execute(text("SET LOCAL lock_timeout = '10s'"))  # a session that a test left open
    await connection.execute(text("SELECT testing.clean()"))


#: `replica` keeps foreign keys and the triggers that refuse deletion from firing.
CLEANING = """
CREATE FUNCTION testing.clean() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    item record;
    is_used boolean;
BEGIN
    PERFORM set_config('session_replication_role', 'replica', true);
    FOR item IN
        SELECT relname, to_regclass(format('testing.%I', relname)) AS reference,
            (SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
             WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns
        FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', item.relname) INTO is_used;
        IF is_used THEN
            EXECUTE format('DELETE FROM public.%I', item.relname);
        END IF;
        IF item.reference IS NOT NULL THEN
            EXECUTE format(
                'INSERT INTO public.%I (%s) SELECT %s FROM %s',
                item.relname, item.columns, item.columns, item.reference
            );
        END IF;
    END LOOP;
    PERFORM set_config('session_replication_role', 'origin', true);
END
$$
"""

KEEPING = """
DO $$
DECLARE
    item record;
    is_used boolean;
BEGIN
    FOR item IN
        SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', item.relname) INTO is_used;
        IF is_used THEN
            EXECUTE format('CREATE TABLE testing.%I AS TABLE public.%I', item.relname, item.relname);
        END IF;
    END LOOP;
END
$$
"""


async def _template(server: embedded.Server, connection: AsyncConnection) -> str:
    """Return the template for the migrations as they are now, building it if nobody has."""
    name = f"template_{_fingerprint()}"
    if await connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}):
        return name
    unfinished = f"building_{os.getpid()}"
    await connection.execute(text(f"CREATE DATABASE {unfinished} TEMPLATE template0"))
    await history.upgrade(server.url(unfinished))
    building = create_async_engine(server.url(unfinished), poolclass=NullPool)
    async with building.begin() as inside:
        for statement in ("CREATE SCHEMA testing", KEEPING, CLEANING):
            await inside.execute(text(statement.replace(":", r"\:")))
    await connection.execute(text(f"ALTER DATABASE {unfinished} RENAME TO {name}"))
    return name


def _fingerprint() -> str:
    files = [*sorted(revisions.FOLDER.rglob("*.py")), Path(__file__)]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


async def _drop_what_dead_runs_left(connection: AsyncConnection) -> None:
    names = (await connection.scalars(text("SELECT datname FROM pg_database ORDER BY oid DESC"))).all()
    for name in names:
        owner = re.fullmatch(r"(?:test|building|served|stocked|looked_at)_(\d+)\w*", name)
        if owner and not _is_alive(int(owner[1])):
            await connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    for name in [name for name in names if name.startswith("template_")][10:]:
        await connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))


def _is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@asynccontextmanager
async def _maintenance(server: embedded.Server) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(server.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as connection:
        yield connection


@contextmanager
def _alone() -> Iterator[None]:
    """One test process at a time makes or copies the template: PostgreSQL refuses to copy a database in use."""
    with (TEST_HOME / "template.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
