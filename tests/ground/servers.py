"""A market as in life: two web processes and a worker over a database of their own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from app import embedded
from tests.ground.databases import clean, copy_of_template

START_SECONDS = 60
STOP_SECONDS = 40


@dataclass(frozen=True)
class RunningMarket:
    """`url` is where it answers; sessions look into its database beside it."""

    url: str
    database_url: str
    home: Path
    engine: AsyncEngine

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """One transaction in the market's own database, committed at the end."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            yield session


@pytest.fixture(scope="session")
async def running_market(
    test_server: embedded.Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningMarket]:
    home = tmp_path_factory.mktemp("served")
    async with copy_of_template(test_server, f"served_{os.getpid()}") as database_url:
        with market_run(home, DATABASE_URL=database_url, DATABASE_POOL="10") as url:
            engine = create_async_engine(database_url)
            yield RunningMarket(url, database_url, home, engine)
            await engine.dispose()


@pytest.fixture
async def server(running_market: RunningMarket) -> AsyncIterator[RunningMarket]:
    """The running market, empty again after each test."""
    yield running_market
    async with running_market.engine.begin() as connection:
        await clean(connection)


@contextmanager
def market_run(home: Path, **variables: str) -> Iterator[str]:
    """Run `market run` on a free port until the context ends, and see that it stops cleanly; yields its address."""
    port = free_port()
    with (home / "output").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "run"],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"MARKET_HOME": str(home), "PORT": str(port), "MARKET_DEMO": "false"} | variables,
        )
    try:
        url = f"http://localhost:{port}"
        wait_until_ready(url, process, home / "output")
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_SECONDS) == 0, (home / "output").read_text()


def wait_until_ready(url: str, process: subprocess.Popen[bytes], output: Path) -> None:
    ends_at = time.monotonic() + START_SECONDS
    while time.monotonic() < ends_at and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz", timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail(f"the market did not open:\n{output.read_text()}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
