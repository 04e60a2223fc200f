"""A whole market of the test's own (database, two web processes, worker) whose processes can be killed with -9.

The stand-in for Stripe lives in the test's own process: what befalls the market does not befall Stripe.
"""

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from app.embedded import Server
from app.language import ROOT
from tests.ground.families import children, descendants, kill, words
from tests.ground.servers import MarketProcess, free_port, market_begun
from tests.ground.stripe import serving
from tests.stripe_standin.bank import Bank
from tests.stripe_standin.postman import Postman

SECRET_KEY, WEBHOOK_SECRET = "sk_test_of_bad_days", "whsec_of_bad_days"
PATIENCE_SECONDS = 120


class Victim(StrEnum):
    web_process = "a web process"
    web = "the web server with its processes"
    worker = "the worker"
    backend = "a process of PostgreSQL"
    postgres = "PostgreSQL"
    everything = "everything at once"


@dataclass
class HurtMarket:
    home: Path
    port: str
    bank: Bank
    environment: dict[str, str]
    engine: AsyncEngine
    lives: ExitStack
    process: MarketProcess
    deaths: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.process.url

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    async def hurt(self, victim: Victim, rng: random.Random) -> None:
        """Kill with -9, and wait until everything is there again."""
        doomed = self._pids(victim, rng)
        self.deaths.append(f"{victim} {doomed}")
        for pid in doomed:
            kill(pid)
        if victim is Victim.everything:
            await asyncio.to_thread(self.process.process.wait)
            self._open()
        await self._whole(doomed)

    async def later(self, minutes: int) -> list[str]:
        """Let the worker's work of `minutes` from now be done, and return what `market check` finds then."""
        told = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bad_days.later", str(minutes)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=ROOT,
            env=os.environ | self.environment | {"MARKET_HOME": str(self.home)},
        )
        out, err = await told.communicate()
        assert told.returncode == 0, err.decode()[-3000:]
        found: list[str] = json.loads(out.decode().splitlines()[-1])
        return found

    def web_processes(self) -> list[int]:
        return children(self._child("app.web"))

    def _open(self) -> None:
        self.process = self.lives.enter_context(market_begun(self.home, **self.environment, PORT=self.port))

    def _child(self, module: str) -> int:
        family = children(self.process.process.pid)
        return next((pid for pid in family if words(pid)[-1:] == [module]), 0)

    def _pids(self, victim: Victim, rng: random.Random) -> list[int]:
        server = Server(self.home)
        if victim is Victim.web_process:
            return [rng.choice(self.web_processes())]
        if victim is Victim.backend:
            return [rng.choice(children(server._pid() or 0))]
        if victim is Victim.everything:
            return [self.process.process.pid, *descendants(self.process.process.pid), *server._processes_here()]
        if victim is Victim.web:
            return [self._child("app.web"), *self.web_processes()]
        return [self._child("app.worker") if victim is Victim.worker else server._pid() or 0]

    async def _whole(self, dead: list[int]) -> None:
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while not (self._is_whole(dead) and await asyncio.to_thread(self.process.is_ready)):
            if time.monotonic() > ends_at or self.process.process.poll() is not None:
                pytest.fail(f"it did not come back after {self.deaths}:\n{self.process.output[-5000:]}")
            await asyncio.sleep(0.05)

    def _is_whole(self, dead: list[int]) -> bool:
        alive = [self._child("app.web"), self._child("app.worker"), Server(self.home)._pid() or 0]
        return all(alive) and len(self.web_processes()) == 2 and not set(dead) & {*alive, *self.web_processes()}


@asynccontextmanager
async def hurt_market(home: Path) -> AsyncIterator[HurtMarket]:
    """Open a market that takes payments through a stand-in; at the end it must still stop in order."""
    port = str(free_port())
    bank = Bank(f"http://localhost:{free_port()}", Postman(WEBHOOK_SECRET, f"http://localhost:{port}/webhooks/stripe"))
    environment = {
        "DATABASE_URL": "",
        "SECRET_KEY": "a secret of bad days",
        "WEB_PROCESSES": "2",
        "API_CHANGES_A_MINUTE": "1000000",
        "API_READS_A_MINUTE": "1000000",
        "STRIPE_SECRET_KEY": SECRET_KEY,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "STRIPE_API_BASE": bank.origin,
        "LOG_LEVEL": "WARNING",
    }
    engine = create_async_engine(Server(home).url(), poolclass=NullPool)
    async with serving(bank, SECRET_KEY):
        with ExitStack() as lives:
            process = lives.enter_context(market_begun(home, **environment, PORT=port))
            market = HurtMarket(home, port, bank, environment, engine, lives, process)
            await market._whole([])
            yield market
            process = market.process
            process.process.terminate()
            assert await asyncio.to_thread(process.process.wait, PATIENCE_SECONDS) == 0, process.output[-3000:]
