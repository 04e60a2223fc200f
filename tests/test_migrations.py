"""The migrations build exactly the tables that the code describes, also when two starts meet, and only go forward."""

import asyncio
import os
import re
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app import embedded
from app.database import engine
from app.language import ROOMS, ROOT
from migrations import drafting, history, revisions, tables
from migrations.tables import metadata
from tests.ground.databases import empty_database


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    return list(compare_metadata(context, metadata))


async def test_the_database_is_what_the_code_describes(migrated_database: str) -> None:
    async with engine().connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_every_check_of_the_code_is_in_the_database(migrated_database: str) -> None:
    """Alembic compares no check constraints."""
    described = {
        (table.name, str(constraint.name))
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    async with engine().connect() as connection:
        found = await connection.execute(
            text("SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c' AND conrelid > 0")
        )
        made = {(row[0].strip('"'), row[1]) for row in found}
    assert described - made == set()


def test_every_module_with_tables_is_known_to_the_migrations() -> None:
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if re.search(r"^\s+__tablename__ =|= Table\(", path.read_text(), re.MULTILINE)
    }
    assert modules == {module.__name__ for module in tables.MODULES}


def test_there_is_one_line_of_history_and_no_way_back() -> None:
    script = ScriptDirectory(str(revisions.FOLDER))
    scripts = list(script.walk_revisions())
    assert len(script.get_heads()) == 1
    assert [revision.revision for revision in scripts if hasattr(revision.module, "downgrade")] == []


def test_each_file_is_named_after_its_revision() -> None:
    """So that whoever only asks which there are needs nothing of what migrates."""
    script = ScriptDirectory(str(revisions.FOLDER))
    assert revisions.known() == tuple(each.revision for each in script.walk_revisions())


async def test_two_starts_at_once_migrate_once(test_server: embedded.Server) -> None:
    async with empty_database(test_server, f"test_{os.getpid()}_twice") as url:
        await asyncio.gather(*(history.upgrade(url) for _ in range(4)))
        assert await revision_of(url) == [history.newest()]


async def test_migrating_again_changes_nothing(migrated_database: str) -> None:
    await history.upgrade(migrated_database)
    assert await revision_of(migrated_database) == [history.newest()]


async def test_a_database_of_a_newer_market_is_refused(test_server: embedded.Server) -> None:
    async with empty_database(test_server, f"test_{os.getpid()}_newer") as url:
        await history.upgrade(url)
        await execute(url, "UPDATE alembic_version SET version_num = '9999_from_the_future'")
        with pytest.raises(history.NewerDatabase, match="9999_from_the_future"):
            await history.upgrade(url)


async def test_a_draft_shows_what_a_room_still_lacks(migrated_database: str) -> None:
    assert "op." not in await drafting.draft(migrated_database, "producers")
    assert 'op.create_table("people"' not in await drafting.draft(migrated_database, "app")


async def revision_of(url: str) -> list[str]:
    return await execute(url, "SELECT version_num FROM alembic_version")


async def execute(url: str, statement: str) -> list[Any]:
    temporary = create_async_engine(url, poolclass=NullPool)
    async with temporary.begin() as connection:
        result = await connection.execute(text(statement))
        return list(result.scalars()) if result.returns_rows else []
