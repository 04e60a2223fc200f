"""MARKET_HOME: the folder of an installation, with what is made once and kept there.

What the environment leaves open is completed here: without DATABASE_URL the embedded database, without SECRET_KEY a
secret made at the first start.  Both go into the environment, so that child processes find them there.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app import embedded
from app.settings import Settings, settings

SPARE_CONNECTIONS = 20
"""For commands, backups and a look inside, beside web and worker."""


class Occupied(SystemExit):
    """A market runs in this folder already."""


class NotOurs(SystemExit):
    """The folder cannot be written to."""


@contextmanager
def occupied() -> Iterator[None]:
    """Be the only `market run` of this MARKET_HOME; the kernel frees it when the process ends, however it ends."""
    home = _folder()
    with (home / "running").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Occupied(
                f"A market runs in {home} already. Stop that one first, or choose another folder with MARKET_HOME."
            ) from None
        yield


@contextmanager
def opened() -> Iterator[embedded.Server | None]:
    """Complete the settings of this process and its children; yields the embedded server when there is one."""
    home = _folder()
    given = settings()
    if given.secret_key is None:
        _set(SECRET_KEY=_secret(home))
    if given.database_url is not None:
        yield None
        return
    with embedded.running(home, {"max_connections": str(_connections(given))}) as server:
        _set(DATABASE_URL=server.url(), MARKET_DEMO=str(given.market_demo is not False).lower())
        yield server


def _folder() -> Path:
    home = settings().market_home.resolve()
    try:
        home.mkdir(parents=True, exist_ok=True)
        (home / "running").touch()
    except OSError as error:
        raise NotOurs(f"MARKET_HOME: cannot write to {home} ({error.strerror}).") from None
    return home


def _secret(home: Path) -> str:
    """Read the installation's secret; the first one to come makes it."""
    path = home / "secret"
    with suppress(FileExistsError):
        # Linked into place when it is whole: another process never reads half of it.
        unfinished = home / f"secret.{os.getpid()}"
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(unfinished, path)
        finally:
            unfinished.unlink()
    return path.read_text()


def _set(**variables: str) -> None:
    os.environ.update(variables)
    settings.cache_clear()


def _connections(given: Settings) -> int:
    return max(100, (given.web_processes + 1) * given.database_pool + SPARE_CONNECTIONS)
