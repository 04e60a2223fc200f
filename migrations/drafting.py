"""Drafting a migration: what a room's tables still need, printed as alembic operations to read, clean and keep.

The draft compares the models with a scratch database that was just built by the migrations as they are.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, ForeignKeyConstraint, Table, inspect, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.language import ROOMS
from migrations import history
from migrations.tables import metadata, room_of


async def draft(url: str, room: str) -> str:
    """Return the operations that the room's migration still lacks."""
    printed: list[str] = []
    async with _scratch_database(url) as scratch:
        await history.upgrade(scratch)
        await history.on_connection(scratch, lambda connection: printed.append(_operations(connection, room)))
    return printed[0]


@asynccontextmanager
async def _scratch_database(url: str) -> AsyncIterator[str]:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text("DROP DATABASE IF EXISTS market_draft WITH (FORCE)"))
            await connection.execute(text("CREATE DATABASE market_draft"))
            yield make_url(url).set(database="market_draft").render_as_string(hide_password=False)
            await connection.execute(text("DROP DATABASE market_draft WITH (FORCE)"))
    finally:
        await engine.dispose()


def _operations(connection: Connection, room: str) -> str:
    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    script = produce_migrations(context, metadata)
    assert script.upgrade_ops is not None
    script.upgrade_ops.ops = [op for op in script.upgrade_ops.ops if _room(op) == room]
    for operation in script.upgrade_ops.ops:
        if isinstance(operation, ops.CreateTableOp):
            operation.columns = [c for c in operation.columns if not _points_up(c)]
    existing = set(inspect(connection).get_table_names())
    script.upgrade_ops.ops += [ops.CreateForeignKeyOp.from_constraint(key) for key in _keys_from_below(room, existing)]
    return render_python_code(script.upgrade_ops)


def _room(operation: Any) -> str | None:
    name = str(getattr(operation, "table_name", ""))
    return room_of(name) if name in metadata.tables else None


def _keys_from_below(room: str, existing: set[str]) -> Iterator[ForeignKeyConstraint]:
    """Foreign keys of lower rooms that point at a table of `room` which is not in the database yet."""
    for table in metadata.sorted_tables:
        for key in table.foreign_key_constraints:
            if _points_up(key) and room_of(key.referred_table.name) == room and key.referred_table.name not in existing:
                yield key


def _points_up(item: Any) -> bool:
    if not isinstance(item, ForeignKeyConstraint) or not isinstance(item.parent, Table):
        return False
    return ROOMS.index(room_of(item.referred_table.name)) > ROOMS.index(room_of(item.parent.name))
