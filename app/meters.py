"""What each process counts while it works; `app.metrics` shows it.

Several processes serve one address, and Prometheus reaches any of them.  So processes of one MARKET_HOME write their
counts into small files there (prometheus-client's multiprocess mode), and whoever is asked adds all of them up, the
worker's too.  A process that shares nothing (a test, a command) counts in its own memory.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Final

import prometheus_client.values
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
JOB_SECONDS: Final = (0.05, 0.25, 1, 2.5, 5, 15, 30, 60, 300)
_SHARED: Final = "PROMETHEUS_MULTIPROC_DIR"


class Meters:
    """The instruments of one process."""

    def __init__(self) -> None:
        # The library chooses once, when it is first imported; by then nobody has had a chance to share anything.
        prometheus_client.values.ValueClass = prometheus_client.values.get_value_class()  # type: ignore[no-untyped-call]
        self.registry = here = CollectorRegistry()
        self.requests = Histogram(
            "market_request_seconds",
            "Time from a request's arrival to the end of its answer.",
            ("method", "route", "status"),
            buckets=SECONDS,
            registry=here,
        )
        self.connections_used = Gauge(
            "market_database_connections_used",
            "Database connections in use, of DATABASE_POOL per process.",
            multiprocess_mode="livesum",
            registry=here,
        )
        self.connections_waited_for = Gauge(
            "market_database_connections_waited_for",
            "Requests and jobs that wait for a database connection.",
            multiprocess_mode="livesum",
            registry=here,
        )
        self.connection_wait = Histogram(
            "market_database_wait_seconds",
            "Time waited for a database connection.",
            buckets=SECONDS,
            registry=here,
        )
        self.slow_statements = Counter(
            "market_slow_statements", "SQL statements slower than SLOW_STATEMENT_MS.", registry=here
        )
        self.jobs = Histogram(
            "market_job_seconds",
            "Time that jobs took, by how they ended: done, failed or given back.",
            ("kind", "outcome"),
            buckets=JOB_SECONDS,
            registry=here,
        )


@cache
def meters() -> Meters:
    """This process's instruments."""
    return Meters()


def request_done(method: str, route: str, status: int, seconds: float) -> None:
    _of_requests(method, route, status).observe(seconds)


def job_done(kind: str, outcome: str, seconds: float) -> None:
    meters().jobs.labels(kind, outcome).observe(seconds)


@contextmanager
def waiting_for_connection() -> Iterator[None]:
    """Measure how long the block waits for a database connection."""
    here, began = meters(), perf_counter()
    here.connections_waited_for.inc()
    try:
        yield
    finally:
        here.connections_waited_for.dec()
        here.connection_wait.observe(perf_counter() - began)


def share(home: Path) -> None:
    """Let this process and those it starts write their counts where the others of `home` find them.

    To be called before anything is counted.  What dead processes counted is dropped, which Prometheus takes for a
    restart.
    """
    folder = home / "counts"
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.db"):
        if not _is_alive(_pid(path)):
            path.unlink(missing_ok=True)
    os.environ[_SHARED] = str(folder)
    meters.cache_clear()
    _of_requests.cache_clear()


def registry() -> CollectorRegistry:
    """The counts of all processes that share them with this one, or of this one alone."""
    folder = os.environ.get(_SHARED)
    if folder is None:
        return meters().registry
    for path in Path(folder).glob("gauge_live*.db"):
        if not _is_alive(_pid(path)):  # its connections went with it
            path.unlink(missing_ok=True)
    together = CollectorRegistry()
    MultiProcessCollector(together, path=folder)  # type: ignore[no-untyped-call]
    return together


def processes() -> set[int]:
    """The living processes that count together with this one, itself included."""
    folder = os.environ.get(_SHARED)
    shared = {_pid(path) for path in Path(folder).glob("*.db")} if folder else set()
    return {pid for pid in shared if _is_alive(pid)} | {os.getpid()}


@cache
def _of_requests(method: str, route: str, status: int) -> Histogram:
    """Routes are few, and finding an instrument by its labels costs more than using it."""
    return meters().requests.labels(method, route, str(status))


def _pid(path: Path) -> int:
    number = path.stem.rpartition("_")[2]
    return int(number) if number.isdigit() else 0


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0
