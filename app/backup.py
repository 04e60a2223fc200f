"""`market backup`: the whole market in one file, taken while it is open (docs/decisions/0017-a-backup-is-one-tar.md).

All rows come from one snapshot, through COPY, so that no program of PostgreSQL's own is needed and any version will do
on either side.  The files that those rows name are copied after the snapshot's transaction has ended: they never
change, and whoever deletes files waits for us (`app.snapshot`).
"""

import tempfile
from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import IO, Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app import clock, files, snapshot
from app.archive import Writer
from app.snapshot import Snapshot
from catalog import kept_files as photos
from migrations import revisions
from orders import kept_files as slips

CHUNK_BYTES: Final = 4 << 20
"""Of rows; what a backup needs of memory is a few times that, or the largest file."""

SEQUENCES: Final = (
    "SELECT quote_ident(relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'"
)


class NothingToBackUp(SystemExit):
    """The database has no market in it, or one that this code does not know."""


class Taken(NamedTuple):
    """What a backup holds."""

    rows: int
    files: int
    missing: list[str]
    """Keys of files that rows name and the file store does not have."""


async def take(url: str, writer: Writer) -> Taken:
    """Write everything to `writer`.  Raises `NothingToBackUp`, `snapshot.BackupUnderWay`, `snapshot.TablesChanged`."""
    with tempfile.TemporaryFile("w+") as keys:
        async with snapshot.taken(url) as taken:
            writer.begin(await _head(taken.connection))
            counts = {table: await _copy(taken, table, writer) for table in taken.columns}
            sequences = await _sequences(taken.connection)
            await _note_keys(taken.connection, keys)
            await taken.connection.rollback()
            copied, missing = await _copy_files(keys, writer)
    tables = {table: {"columns": columns, "rows": counts[table]} for table, columns in taken.columns.items()}
    writer.finish({"tables": tables, "sequences": sequences, "files": copied, "missing_files": missing})
    return Taken(sum(counts.values()), copied, missing)


async def _head(connection: AsyncConnection) -> dict[str, Any]:
    is_market = await connection.scalar(text("SELECT to_regclass('public.alembic_version') IS NOT NULL"))
    revision = await connection.scalar(text("SELECT version_num FROM alembic_version")) if is_market else None
    if revision is None:
        raise NothingToBackUp("There is no market in this database yet.")
    if revision not in revisions.known():
        raise NothingToBackUp(
            f"A newer market than this one made this database ({revision}). Back it up with that one."
        )
    return {
        "market": version("community-market"),
        "revision": revision,
        "taken_at": clock.now().isoformat(),
        "postgres": await connection.scalar(text("SHOW server_version")),
    }


async def _copy(taken: Snapshot, table: str, writer: Writer) -> int:
    """Copy a table's rows in pieces of whole rows; return how many there were."""
    count, number, pending = 0, 0, bytearray()

    async def receive(data: bytes) -> None:
        nonlocal count, number
        pending.extend(data)
        if len(pending) >= CHUNK_BYTES and (end := pending.rfind(b"\n") + 1):
            number += 1
            count += pending.count(b"\n", 0, end)  # within a value, COPY writes a new line as two letters
            writer.add_rows(table, number, bytes(pending[:end]))
            del pending[:end]

    await (await driver(taken.connection)).copy_from_table(
        table, schema_name="public", columns=taken.columns[table], output=receive
    )
    if pending:
        count += pending.count(b"\n")
        writer.add_rows(table, number + 1, bytes(pending))
    return count


async def driver(connection: AsyncConnection) -> Any:
    """asyncpg's own connection, which knows COPY, speaking so that any server reads what any other wrote."""
    await connection.execute(text("SET LOCAL timezone = 'UTC'"))
    await connection.execute(text("SET LOCAL datestyle = 'ISO, YMD'"))
    await connection.execute(text("SET LOCAL intervalstyle = 'postgres'"))
    await connection.execute(text("SET LOCAL extra_float_digits = 1"))
    await connection.execute(text("SET LOCAL bytea_output = 'hex'"))
    return (await connection.get_raw_connection()).driver_connection


async def _sequences(connection: AsyncConnection) -> dict[str, list[Any]]:
    names = (await connection.scalars(text(SEQUENCES))).all()
    found = {}
    for name in names:
        found[name] = list((await connection.execute(text(f"SELECT last_value, is_called FROM public.{name}"))).one())  # noqa: S608 - from the catalogue, quoted
    return found


async def _note_keys(connection: AsyncConnection, keys: IO[str]) -> None:
    """Put the keys of all files on disk rather than in memory: a large market has millions."""
    async with AsyncSession(connection) as session:
        for room in (photos, slips):
            async for key in room.keys(session):
                keys.write(f"{key}\n")


async def _copy_files(keys: IO[str], writer: Writer) -> tuple[int, list[str]]:
    copied, missing = 0, []
    async for key, data in _files(keys):
        if data is None:
            missing.append(key)
        else:
            writer.add_file(key, data)
            copied += 1
    return copied, missing


async def _files(keys: IO[str]) -> AsyncIterator[tuple[str, bytes | None]]:
    keys.seek(0)
    for line in keys:
        key = line.rstrip("\n")
        try:
            yield key, await files.get(key)
        except files.NoSuchFile:
            yield key, None
