"""The code of before runs on the tables of now: while a new market is rolled out, both work on one database.

`before.json.gz` holds what the previous release said to the database in `scenario.play`.  A release renews it, before
its first new migration:

    RECORD_STATEMENTS=tests/old_code/before.json.gz pytest tests/old_code -k today
"""

import asyncio
import os
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from app import embedded
from app.clock import FrozenClock
from app.database import engine
from tests.ground.databases import copy_of_template
from tests.old_code import recording, scenario

BEFORE = (Path(__file__).parent / "before.json.gz").read_bytes()


async def test_todays_code_plays_the_scenario(
    session: AsyncSession, client: httpx.AsyncClient, clock: FrozenClock, tmp_path: Path
) -> None:
    with recording.recorded(engine()) as today:
        await scenario.play(session, client, clock)
    place = Path(os.environ.get("RECORD_STATEMENTS") or tmp_path / "today.json.gz")
    await asyncio.to_thread(today.save, place)
    assert len(today.statements) > 150


async def test_the_code_of_before_runs_on_the_tables_of_now(test_server: embedded.Server) -> None:
    async with copy_of_template(test_server, f"test_{os.getpid()}_before") as url:
        other = create_async_engine(url, poolclass=NullPool)
        await recording.play(BEFORE, other)


async def test_a_column_that_the_code_of_before_cannot_fill_is_noticed(test_server: embedded.Server) -> None:
    async with copy_of_template(test_server, f"test_{os.getpid()}_unbearable") as url:
        other = create_async_engine(url, poolclass=NullPool)
        async with other.begin() as connection:
            await connection.execute(text("ALTER TABLE orders ADD COLUMN colour text NOT NULL"))
        with pytest.raises(IntegrityError, match="colour"):
            await recording.play(BEFORE, other)
