"""The rows of a whole database as they were: to see that nothing changed, and to have them back after something did."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import engine

SCHEMA = "as_it_was"
TABLES = """
SELECT relname,
    (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
     WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '')
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
    AND relname NOT IN ('alembic_version', 'trail')
ORDER BY relname
"""
"""All but the trail, which is there to change at every look, granted or not."""

Prints = Mapping[str, str]
"""By table, a fingerprint of all its rows."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy of every table in a schema of its own."""

    columns: Mapping[str, str]
    prints: Prints

    async def changed(self) -> list[str]:
        """Return the tables whose rows are not as they were."""
        async with engine().connect() as connection:
            now = await _prints(connection, self.columns)
        return [table for table in self.columns if now[table] != self.prints[table]]

    async def restore(self) -> None:
        """Put the rows back that were here, without asking triggers or foreign keys."""
        changed = await self.changed()
        if not changed:
            return
        async with engine().begin() as connection:
            await connection.execute(text("SET LOCAL session_replication_role = 'replica'"))
            for table in changed:
                names = self.columns[table]
                await connection.execute(text(f"DELETE FROM public.{table}"))
                await connection.execute(
                    text(f"INSERT INTO public.{table} ({names}) SELECT {names} FROM {SCHEMA}.{table}")
                )


async def take() -> Snapshot:
    """Copy every table as it is now."""
    async with engine().begin() as connection:
        columns = {str(table): str(names) for table, names in await connection.execute(text(TABLES))}
        await connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
        for table in columns:
            await connection.execute(text(f"CREATE TABLE {SCHEMA}.{table} AS TABLE public.{table}"))
        return Snapshot(columns, await _prints(connection, columns))


async def drop() -> None:
    async with engine().begin() as connection:
        await connection.execute(text(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"))


async def rows_naming(words: list[str], tables: Mapping[str, str]) -> int:
    """Count the rows, in all these tables, that speak of one of these words."""
    counts = " + ".join(f"(SELECT count(*) FROM public.{table} t WHERE t::text LIKE ANY (:words))" for table in tables)
    async with engine().connect() as connection:
        found = await connection.scalar(text(f"SELECT {counts}"), {"words": [f"%{word}%" for word in words]})
        return int(found or 0)


async def _prints(connection: AsyncConnection, tables: Mapping[str, str]) -> Prints:
    each = (
        f"SELECT '{table}', count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)), 0) FROM public.{table} t"
        for table in tables
    )
    rows = await connection.execute(text(" UNION ALL ".join(each)))
    return {str(table): str(fingerprint) for table, fingerprint in rows}
