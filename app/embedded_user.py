"""The system user that the embedded PostgreSQL runs as, and what it must be able to reach.

PostgreSQL refuses to run as root, so a market that is run as root makes a user for it and lets that user pass
through the folders above its programs and its data: passing through is all it gets.
"""

import logging
import os
import pwd
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypedDict

USER_WHEN_ROOT = "pgserver"

log = logging.getLogger(__name__)


class CannotStart(SystemExit):
    """The embedded server does not start; the message says why and what to do."""


class Owner(NamedTuple):
    """The user that the server runs as."""

    uid: int
    gid: int


def server_user(home: Path) -> Owner:
    """Who a new server runs as: ourselves, or, since PostgreSQL refuses to be root, a user made for it."""
    try:
        name = USER_WHEN_ROOT if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        found = pwd.getpwnam(name)
    except KeyError:
        if os.geteuid() != 0:
            raise CannotStart(
                f"PostgreSQL runs for users with a name only, and user {os.geteuid()} has none."
            ) from None
        _add_user(home)
        found = pwd.getpwnam(USER_WHEN_ROOT)
    return Owner(found.pw_uid, found.pw_gid)


def _add_user(home: Path) -> None:
    useradd = shutil.which("useradd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if useradd is None:
        raise CannotStart(
            "PostgreSQL does not run as root, and there is no `useradd` to make a user for it.\n"
            f"Run as an ordinary user who owns {home}, or set DATABASE_URL to a PostgreSQL server."
        )
    subprocess.run([useradd, "--system", "--shell", "/usr/sbin/nologin", USER_WHEN_ROOT], check=True)


class _AsUser(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def as_user(owner: Owner | None) -> _AsUser:
    if owner is None or owner.uid == os.geteuid():
        return {}
    return {"user": owner.uid, "group": owner.gid, "extra_groups": []}


def let_through(programs: Path, data: Path, owner: Owner) -> None:
    """As root: let the server's user reach its programs and its data, and say which folders were opened for that."""
    if owner.uid == os.geteuid():
        return
    for folder in {*programs.parents, *data.parents}:
        status = folder.stat()
        bit = 0o100 if status.st_uid == owner.uid else 0o001
        if not status.st_mode & bit:
            log.warning("Letting PostgreSQL's user pass through %s (chmod o+x)", folder)
            folder.chmod(status.st_mode | bit)
    if not (programs / "bin/postgres").stat().st_mode & 0o001:
        for path in (programs, *programs.rglob("*")):
            path.chmod(path.stat().st_mode | (0o005 if path.is_dir() or path.parent.name == "bin" else 0o004))


def own_folder(folder: Path, owner: Owner) -> Path:
    """Return `folder`, made if need be; one that somebody else owns in a shared place is refused."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        os.chown(folder, *owner)
    status = folder.lstat()
    if status.st_uid != owner.uid or folder.is_symlink():
        raise CannotStart(f"{folder} belongs to somebody else; remove it or choose a shorter MARKET_HOME.")
    return folder
