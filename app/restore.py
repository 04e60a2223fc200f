"""`market restore`: a backup becomes a market again, in an empty place and nowhere else.

The file is read twice: once to see that it is whole, before anything is touched, and once to bring it in.  Files go
first (they harm nobody without their rows), then all rows in one transaction: into tables as the migrations made them
when the backup was taken, with triggers off, because what they would do was done when the rows were written, and with
foreign keys taken away and put back, which checks them all at once.  Then the tables move forward to today's.
"""

import mimetypes
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from app import archive, files
from app.archive import Damaged, Manifest
from app.backup import driver
from app.snapshot import columns_of
from migrations import history, revisions

FOREIGN_KEYS: Final = """
SELECT conrelid::regclass::text AS "table", quote_ident(conname) AS name, pg_get_constraintdef(oid) AS definition
FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND conparentid = 0
"""
ROUTINES: Final = """
SELECT p.oid::regprocedure::text FROM pg_proc p
WHERE p.pronamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""
MADE_BY_ITSELF: Final = {"jobs": "key IS DISTINCT FROM 'every'", "attempts": "false"}
"""Which rows of a table speak of use: the others are there as soon as a worker ran or somebody mistyped a password."""


class NotEmpty(SystemExit):
    """The market has something in it, which a restore would bury."""


class NotFitting(SystemExit):
    """The backup is of a newer market, or of tables that no migration of ours ever made."""


class Restored(NamedTuple):
    """What came back."""

    rows: int
    files: int
    taken_at: str
    revision: str


async def restore(url: str, path: Path) -> Restored:
    """Bring the backup at `path` into the empty market at `url`.

    Raises `NotEmpty`, `NotFitting`, `archive.Damaged`, `archive.NewerFormat`: then nothing was changed.
    """
    manifest = archive.verified(path)
    revision = str(manifest["revision"])
    if revision not in revisions.known():
        raise NotFitting(f"This backup is of a newer market ({revision}). Restore it with that one.")
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        await _clear(engine)
        await history.upgrade(url, revision)
        count = await _put_back_files(path)
        async with engine.begin() as connection:
            await _load(connection, path, manifest)
        await history.upgrade(url)
        async with engine.begin() as connection:
            await connection.execute(text("ANALYZE"))
    finally:
        await engine.dispose()
    return Restored(_rows_of(manifest), count, str(manifest["taken_at"]), revision)


async def _clear(engine: AsyncEngine) -> None:
    """Take away the tables of an empty market, for the backup's may be older; `NotEmpty` if anything is in them."""
    async with engine.begin() as connection:
        tables = await columns_of(connection)
        if not tables:
            return
        if not await connection.scalar(text("SELECT to_regclass('public.alembic_version') IS NOT NULL")):
            raise NotEmpty(f"This database has tables that are no market's: {', '.join(tables)}.")
        await connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        await _refuse_what_is_used(connection, tables)
        for table in (*tables, "alembic_version"):
            await connection.execute(text(f'DROP TABLE public."{table}" CASCADE'))
        for routine in (await connection.scalars(text(ROUTINES))).all():
            await connection.execute(text(f"DROP ROUTINE {routine} CASCADE"))


async def _refuse_what_is_used(connection: AsyncConnection, tables: Iterable[str]) -> None:
    names = ", ".join(f'public."{table}"' for table in tables)
    await connection.execute(text(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE"))
    found = {}
    for table in tables:
        condition = MADE_BY_ITSELF.get(table, "true")
        question = f'SELECT count(*) FROM (SELECT FROM public."{table}" WHERE {condition} LIMIT 1000) AS found'  # noqa: S608 - names from the catalogue
        if count := await connection.scalar(text(question)):
            found[table] = count
    if found:
        told = ", ".join(f"{table}: {count if count < 1000 else '1000 or more'}" for table, count in found.items())  # noqa: PLR2004 - the LIMIT above
        raise NotEmpty(f"This market is not empty ({told}). Restore into an empty database; nothing was changed.")


async def _put_back_files(path: Path) -> int:
    count = 0
    for key, data in archive.files(path):
        await files.put(key, data, mimetypes.guess_type(key)[0] or "application/octet-stream")
        count += 1
    return count


async def _load(connection: AsyncConnection, path: Path, manifest: Manifest) -> None:
    tables: dict[str, Any] = manifest["tables"]
    await _refuse_other_tables(connection, tables)
    keys = (await connection.execute(text(FOREIGN_KEYS))).all()
    for key in keys:
        await connection.execute(text(f"ALTER TABLE {key.table} DROP CONSTRAINT {key.name}"))
    for table in tables:
        await connection.execute(text(f'ALTER TABLE public."{table}" DISABLE TRIGGER USER'))
        await connection.execute(text(f'TRUNCATE public."{table}"'))  # what migrations put in is in the backup, too
    await _copy(connection, path, tables)
    for name, (last, is_called) in manifest["sequences"].items():
        values = {"name": f"public.{name}", "last": last, "called": is_called}
        await connection.execute(text("SELECT setval(CAST(:name AS regclass), :last, :called)"), values)
    for table in tables:
        await connection.execute(text(f'ALTER TABLE public."{table}" ENABLE TRIGGER USER'))
    for key in keys:
        definition = key.definition.replace(":", r"\:")
        await connection.execute(text(f"ALTER TABLE {key.table} ADD CONSTRAINT {key.name} {definition}"))


async def _copy(connection: AsyncConnection, path: Path, tables: dict[str, Any]) -> None:
    raw = await driver(connection)
    missing = {table: each["rows"] for table, each in tables.items()}
    for table, rows in archive.rows(path):
        told = await raw.copy_to_table(
            table, schema_name="public", columns=tables[table]["columns"], source=_as_they_come(rows)
        )
        missing[table] -= int(told.removeprefix("COPY "))
    if any(missing.values()):
        raise Damaged(f"{path} has other rows than its manifest says. No row was kept.")


async def _as_they_come(rows: Iterable[bytes]) -> AsyncIterator[bytes]:
    for some in rows:
        yield some


async def _refuse_other_tables(connection: AsyncConnection, tables: dict[str, Any]) -> None:
    here = {table: sorted(columns) for table, columns in (await columns_of(connection)).items()}
    there = {table: sorted(each["columns"]) for table, each in tables.items()}
    if odd := sorted(table for table in here | there if here.get(table) != there.get(table)):
        raise NotFitting(f"The backup's tables are not those of its revision: {', '.join(odd)}. No row was kept.")


def _rows_of(manifest: Manifest) -> int:
    return sum(each["rows"] for each in manifest["tables"].values())
