"""An orderly end: whoever is being served is served, nobody new comes in; and a hard end leaves nothing half."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from app import embedded
from tests.ground.databases import copy_of_template
from tests.ground.families import children, words
from tests.ground.homes import NewHome
from tests.ground.servers import MarketProcess, market_run
from tests.orders import factories
from tests.orders.factories import Stall

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Open:
    """A market with one stall, and a connection of ours to its database."""

    market: MarketProcess
    stall: Stall
    beside: AsyncConnection

    async def is_waiting(self) -> bool:
        """Whether a request stands before a lock of ours."""
        question = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(await self.beside.scalar(text(question)) or 0) > 0

    async def count(self, table: str) -> int:
        return int(await self.beside.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


@pytest.fixture
async def opened(test_server: embedded.Server, homes: NewHome) -> AsyncIterator[Open]:
    async with copy_of_template(test_server, f"test_{os.getpid()}_stopped") as url:
        engine = create_async_engine(url, poolclass=NullPool)
        async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
            stall = await factories.stall(session)
        async with engine.connect() as beside:
            with market_run(homes(), DATABASE_URL=url, WEB_PROCESSES="1") as market:
                yield Open(market, stall, beside)


async def test_who_is_being_served_is_served_and_nobody_new_comes_in(opened: Open) -> None:
    async with locked(opened, "listings") as unlock:
        answer = asyncio.create_task(fetched(f"{opened.market.url}/listings/{opened.stall.listing.slug}"))
        await until_waiting(opened)
        opened.market.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(eventually_closed, opened.market.url)
        assert not answer.done()
        await unlock()
    assert (await answer).status_code == 200
    assert await asyncio.to_thread(opened.market.process.wait, PATIENCE_SECONDS) == 0


async def test_a_request_that_dies_in_the_middle_leaves_nothing(opened: Open) -> None:
    """The basket is written, its line waits; then the process is gone."""
    typed = {"variant_id": str(opened.stall.variant.id), "quantity": "1"}
    async with locked(opened, "basket_lines") as unlock:
        answer = asyncio.create_task(sent(opened.market.url, "/basket/add", typed))
        await until_waiting(opened)
        os.kill(serving(opened.market), signal.SIGKILL)
        with pytest.raises(httpx.TransportError):
            await answer
        await unlock()
    await asyncio.to_thread(opened.market.wait_until_ready)
    assert (await opened.count("baskets"), await opened.count("basket_lines")) == (0, 0)
    assert (await sent(opened.market.url, "/basket/add", typed)).status_code == 303
    assert (await opened.count("baskets"), await opened.count("basket_lines")) == (1, 1)


@asynccontextmanager
async def locked(opened: Open, table: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Let nobody near a table until the yielded function is awaited (or the context ends)."""
    engine = opened.beside.engine
    async with engine.connect() as holding:
        await holding.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        yield holding.rollback


async def until_waiting(opened: Open) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await opened.is_waiting():
            await asyncio.sleep(0.05)


async def fetched(url: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        return await client.get(url)


async def sent(url: str, path: str, typed: dict[str, str]) -> httpx.Response:
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS, headers={"Origin": url}) as client:
        return await client.post(f"{url}{path}", data=typed)


def serving(market: MarketProcess) -> int:
    """The process that granian forked."""
    web = next(pid for pid in children(market.process.pid) if words(pid)[-1:] == ["app.web"])
    return children(web)[0]


def eventually_closed(url: str) -> None:
    for _ in range(PATIENCE_SECONDS * 10):
        try:
            httpx.get(f"{url}/healthz", timeout=1)
        except httpx.ConnectError:
            return
        except httpx.TransportError:
            continue
    pytest.fail("it still listens")
