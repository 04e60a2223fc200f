"""`market run`: everything a market needs, started in order, kept alive, stopped in order.

Children run in sessions of their own, so that Ctrl-C reaches only this process, which then stops web and worker
before the database goes.  A child that dies is started again, after a pause that grows while it keeps dying; the
kernel ends the children when this process itself is killed.
"""

import asyncio
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from app import database, demo, processes
from app.embedded import Server
from app.settings import settings
from migrations import history

CHILDREN = {"web": "app.web", "worker": "app.worker"}
"""Names and modules, in the order in which they stop."""
STANDIN = "tests.stripe_standin"
STOP_SECONDS = 30
"""Longer than web and worker themselves allow what they are doing."""
READY_SECONDS = 60
STANDIN_PORT = 4111
"""So much above the market's port the stand-in for Stripe listens."""
MOST_FALLS_AT_START = 3
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 30
"""A child that lived this long starts again without a pause."""


class PortInUse(SystemExit):
    """Somebody else listens at our address."""


class NotReady(SystemExit):
    """Web does not answer."""


class Stop:
    """What a signal asks for: the first one to close in order, the next one not to wait for what is under way."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurry = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._ask)

    def _ask(self) -> None:
        (self.hurry if self.asked.is_set() else self.asked).set()

    async def or_else(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work`, or drop it once we are asked to stop."""
        task = asyncio.create_task(work)
        await _first(task, asyncio.create_task(self.asked.wait()))
        while not task.done():
            # Again and again: below us, wait_for of Python 3.11 and asyncpg's own may swallow a cancellation.
            task.cancel()
            await asyncio.wait({task}, timeout=0.2)
        if not task.cancelled():
            task.result()


async def run(server: Server | None) -> None:
    """Run the market until SIGINT or SIGTERM; a second signal stops without waiting for what is under way."""
    stop = Stop()
    _refuse_taken_port()
    if settings().stripe_standin:
        _open_standin()
    await stop.or_else(prepare())
    if stop.asked.is_set():
        return
    async with _children(stop) as children:
        await stop.or_else(_open(children[0], server))


async def prepare() -> None:
    """Bring the database up to date, and stock an empty one with the demo market where that is wanted."""
    url = settings().database_url
    assert url is not None
    await history.upgrade(url)
    if settings().market_demo:
        async with database.session_scope() as session:
            is_empty = await demo.is_empty(session)
        if is_empty:
            _say("Stocking the demo market …")
            await demo.seed(database.sessions())
    async with database.session_scope() as session:
        await demo.lend_account(session)
    await database.engine().dispose()


@dataclass
class Child:
    """A process of this market."""

    name: str
    module: str
    process: asyncio.subprocess.Process | None = None
    pause: float = 0.0
    falls: int = 0
    started_at: float = field(default_factory=time.monotonic)

    async def keep_alive(self) -> None:
        while True:
            await self.start()
            assert self.process is not None
            code = await self.process.wait()
            self.kill()
            self.falls += 1
            self.pause = 0.0 if time.monotonic() - self.started_at > STEADY_SECONDS else self.pause
            _say(f"The {self.name} process ended unexpectedly (exit code {code}); starting it again.")
            await asyncio.sleep(self.pause)
            self.pause = min(LONGEST_PAUSE, self.pause * 2 or 0.5)

    async def start(self) -> None:
        self.started_at = time.monotonic()
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", self.module),
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | processes.starter(),
        )

    async def stop(self, hurry: asyncio.Event) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await _first(
                asyncio.create_task(self.process.wait()), asyncio.create_task(hurry.wait()), timeout=STOP_SECONDS
            )
        self.kill()

    def kill(self) -> None:
        """End whatever is left of the process and of its own children."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


@asynccontextmanager
async def _children(stop: Stop) -> AsyncIterator[list[Child]]:
    """Have web and worker run; afterwards web stops first, so that the worker still sees its last jobs."""
    children = [Child(name, module) for name, module in CHILDREN.items()]
    if settings().stripe_standin:
        children.append(Child("Stripe stand-in", STANDIN))
    keepers = [asyncio.create_task(child.keep_alive()) for child in children]
    try:
        yield children
    finally:
        _say("Stopping …")
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        for child in children:
            await child.stop(stop.hurry)


async def _open(web: Child, server: Server | None) -> None:
    await _until_ready(web)
    _welcome()
    await _watch(server)


async def _watch(server: Server | None) -> None:
    """Stay until cancelled; start the embedded database again should it die (nothing committed is lost)."""
    while True:
        await asyncio.sleep(1)
        if server is not None and not await asyncio.to_thread(server.is_running):
            _say("The embedded PostgreSQL ended unexpectedly; starting it again.")
            await asyncio.to_thread(server.ensure_running)


async def _until_ready(web: Child) -> None:
    ends_at = time.monotonic() + READY_SECONDS
    while not await _answers():
        if web.falls >= MOST_FALLS_AT_START:
            raise NotReady("The web process does not start; the reason stands above.")
        if time.monotonic() > ends_at:
            raise NotReady(f"The market does not answer at {settings().address} after {READY_SECONDS} s.")
        await asyncio.sleep(0.05)
    web.pause = 0.0


async def _answers() -> bool:
    given = settings()
    try:
        reader, writer = await asyncio.open_connection(_reachable(given.host), given.port)
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = await asyncio.wait_for(reader.readline(), 5)
        writer.close()
    except (OSError, TimeoutError):
        return False
    return b" 200 " in answer


async def _first(*tasks: asyncio.Task[Any], timeout: float | None = None) -> None:
    """Wait until one of the tasks is done; the others but the first one are dropped."""
    await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks[1:]:
        task.cancel()


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound


def _refuse_taken_port() -> None:
    """Granian shares ports between processes, so it would not notice another server at our address."""
    given = settings()
    family = socket.AF_INET6 if ":" in given.host else socket.AF_INET
    try:
        socket.create_server((given.host, given.port), family=family).close()
    except OSError as error:
        raise PortInUse(
            f"PORT: cannot listen on {given.host}:{given.port} ({error.strerror}). "
            "Stop what runs there, or choose another one: PORT=8001 make run"
        ) from None


def _open_standin() -> None:
    """Give this market the keys of a stand-in for Stripe that only it and the stand-in know."""
    if find_spec("tests") is None:
        raise NotReady("STRIPE_STANDIN: the stand-in lives in tests/, which is not here.")
    port = os.environ.setdefault("STRIPE_STANDIN_PORT", str(settings().port + STANDIN_PORT))
    os.environ |= {
        "STRIPE_SECRET_KEY": f"sk_test_{secrets.token_urlsafe(24)}",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_urlsafe(24)}",
        "STRIPE_API_BASE": f"http://localhost:{port}",
        "STRIPE_STANDIN_WEBHOOK": f"http://localhost:{settings().port}/webhooks/stripe",
    }
    settings.cache_clear()


def _welcome() -> None:
    _say(f"The market is open: {settings().address}")
    if settings().stripe_standin:
        _say(f"  Payments go to a stand-in for Stripe at {settings().payment_page_origin}: no money moves.")
    if settings().market_demo:
        for line in demo.sign_ins():
            _say(f"  {line}")
    _say("Ctrl-C closes it.")


def _say(line: str) -> None:
    print(line, flush=True)
