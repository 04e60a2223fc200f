"""The demo market as a newcomer meets it after `make run`, for tests that look around in it.

The market stocks it itself, once per test run; every test process opens a copy of its own.
"""

import os
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from app import embedded
from tests.ground.databases import copy_of
from tests.ground.servers import RunningMarket, market_run

#: The process that leads the test run: its end is the end of the stocked database.
RUN = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()


@pytest.fixture(scope="session")
async def stocked(
    test_server: embedded.Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningMarket]:
    """A running demo market; what a test changes in it stays changed."""
    home = tmp_path_factory.mktemp("stocked")
    async with copy_of(test_server, f"looked_at_{os.getpid()}", partial(stocked_by_the_market, home)) as url:
        engine = create_async_engine(url)
        with market_run(home, DATABASE_URL=url) as market:
            yield RunningMarket(market.url, url, home, engine)
        await engine.dispose()


async def stocked_by_the_market(home: Path, server: embedded.Server, connection: AsyncConnection) -> str:
    name, unfinished = f"stocked_{RUN}", f"stocked_{RUN}_unfinished"
    if not await connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}):
        await connection.execute(text(f"DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)"))
        await connection.execute(text(f"CREATE DATABASE {unfinished} TEMPLATE template0"))
        with market_run(home, DATABASE_URL=server.url(unfinished), MARKET_DEMO="true"):
            pass
        await connection.execute(text(f"ALTER DATABASE {unfinished} RENAME TO {name}"))
    return name
