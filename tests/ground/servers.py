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

START_SECONDS = 600
"""A stocked market plays a year first, perhaps while other tests keep both cores busy."""
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
        with market_run(home, DATABASE_URL=database_url) as market:
            engine = create_async_engine(database_url)
            yield RunningMarket(market.url, database_url, home, engine)
            await engine.dispose()


@pytest.fixture
async def server(running_market: RunningMarket) -> AsyncIterator[RunningMarket]:
    """The running market, empty again after each test."""
    yield running_market
    async with running_market.engine.begin() as connection:
        await clean(connection)


@dataclass(frozen=True)
class MarketProcess:
    """A `market run` of the test's own."""

    url: str
    process: subprocess.Popen[bytes]
    output_file: Path

    @property
    def output(self) -> str:
        return self.output_file.read_text()

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def wait_until_ready(self) -> None:
        ends_at = time.monotonic() + START_SECONDS
        while time.monotonic() < ends_at and self.process.poll() is None:
            if self.is_ready():
                return
            time.sleep(0.05)
        pytest.fail(f"the market did not open:\n{self.output}")


@contextmanager
def market_run(home: Path, **variables: str) -> Iterator[MarketProcess]:
    """Run `market run` on a free port until the context ends, and see that it stops cleanly unless it was killed."""
    with market_begun(home, **variables) as market:
        market.wait_until_ready()
        yield market
        if market.process.poll() is None:
            market.process.send_signal(signal.SIGTERM)
            assert market.process.wait(STOP_SECONDS) == 0, market.output


@contextmanager
def market_begun(home: Path, **variables: str) -> Iterator[MarketProcess]:
    """Start `market run`, whatever becomes of it; what still runs when the context ends is stopped."""
    port = variables.pop("PORT", None) or str(free_port())
    output = home / f"output-{port}"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "run"],
            stdout=file,
            stderr=subprocess.STDOUT,
            env=os.environ | {"MARKET_HOME": str(home), "MARKET_DEMO": "false"} | variables | {"PORT": port},
        )
    try:
        yield MarketProcess(f"http://localhost:{port}", process, output)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(STOP_SECONDS)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
