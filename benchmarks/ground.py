"""What the bench stands on: databases of every size on a durable embedded PostgreSQL, and processes that answer."""

import asyncio
import hashlib
import os
import pickle
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from app import embedded
from benchmarks import past, shelves
from benchmarks.bare import Known
from migrations import history, revisions

HOME: Final = Path(__file__).resolve().parent.parent / "var/bench"
OPTIONS: Final = {"max_connections": "200", "shared_buffers": "512MB", "autovacuum_naptime": "5s"}
"""Everything else as the market's own embedded server has it, durability included."""
SETTINGS: Final = {
    "SECRET_KEY": "a secret of the bench only",
    "PROMPTPAY_ID": "0899999999",
    "MARKET_DEMO": "false",
    "LOG_LEVEL": "ERROR",
}
START_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Size:
    """So much on the shelves, and so long a past."""

    listings: int
    past_lines: int

    @property
    def groups(self) -> int:
        return max(1, self.listings // shelves.LISTINGS_OF_A_GROUP)


SIZES: Final = (Size(1_000, 0), Size(10_000, 100_000), Size(100_000, 1_000_000))


async def database(server: embedded.Server, size: Size) -> str:
    """Return the address of a database of this size, making it unless it is there from an earlier run."""
    name = f"bench_{size.listings}_{_fingerprint()}"
    maintenance = create_async_engine(server.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with maintenance.connect() as connection:
        if await connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}):
            return server.url(name)
        for old in await connection.scalars(
            text("SELECT datname FROM pg_database WHERE datname LIKE :old OR datname = 'bench_unfinished'"),
            {"old": f"bench_{size.listings}_%"},
        ):
            await connection.execute(text(f'DROP DATABASE "{old}" WITH (FORCE)'))
        await connection.execute(text("CREATE DATABASE bench_unfinished TEMPLATE template0"))
        await _fill(server.url("bench_unfinished"), size)
        await connection.execute(text(f"ALTER DATABASE bench_unfinished RENAME TO {name}"))
    return server.url(name)


async def _fill(url: str, size: Size) -> None:
    await history.upgrade(url)
    engine = create_async_engine(url, poolclass=NullPool)
    async with AsyncSession(engine) as session, session.begin():
        await shelves.stock(session, size.listings)
        if size.past_lines:
            await past.remember(session, size.past_lines, size.groups)
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text("VACUUM ANALYZE"))
        await connection.execute(text("CHECKPOINT"))
    await engine.dispose()


def _fingerprint() -> str:
    files = [*sorted(revisions.FOLDER.rglob("*.py")), Path(shelves.__file__), Path(past.__file__)]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Process:
    url: str
    pid: int

    def memory_mib(self) -> float:
        """Proportional memory of the process that answers and all its children, in MiB."""
        return sum(_proportional_kib(pid) for pid in _family(self.pid)[1:] or [self.pid]) / 1024

    def cpu_seconds(self) -> float:
        """Processor time that the process and its children took so far."""
        return sum(_cpu_ticks(pid) for pid in _family(self.pid)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def market(**variables: str) -> Iterator[Process]:
    """Web processes of the market (one, unless told otherwise) on the database of DATABASE_URL."""
    port = str(_free_port())
    with tempfile.TemporaryDirectory() as home:
        given = {"MARKET_HOME": home, "PORT": port, "WEB_PROCESSES": "1", **variables}
        with _running([sys.executable, "-m", "app.web"], given, port) as process:
            yield process


@contextmanager
def bare(answers: Mapping[str, Known]) -> Iterator[Process]:
    """A bare application that gives these answers."""
    port = str(_free_port())
    with tempfile.NamedTemporaryFile() as file:
        known = {"/readyz": Known([(b"content-length", b"2")], b"ok", []), **answers}
        file.write(pickle.dumps(known))
        file.flush()
        database_url = os.environ["DATABASE_URL"].replace("+asyncpg", "")
        given = {"BARE_ANSWERS": file.name, "BARE_DATABASE": database_url}
        with _running([sys.executable, "-m", "benchmarks.bare", port], given, port) as process:
            yield process


@contextmanager
def _running(command: list[str], variables: Mapping[str, str], port: str) -> Iterator[Process]:
    process = subprocess.Popen(command, env=os.environ | dict(variables))
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(process, f"{url}/readyz")
        yield Process(url, process.pid)
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _wait(process: "subprocess.Popen[bytes]", url: str) -> None:
    ends_at = time.monotonic() + START_SECONDS
    while time.monotonic() < ends_at and process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own address
            return
        time.sleep(0.05)
    raise RuntimeError(f"{url} does not answer")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _family(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        with suppress(OSError):
            found += [int(child) for child in Path(f"/proc/{each}/task/{each}/children").read_text().split()]
    return found


def _proportional_kib(pid: int) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))


def _cpu_ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


async def settle() -> None:
    """Let the machine finish what the last measurement left behind."""
    await asyncio.sleep(0.5)
