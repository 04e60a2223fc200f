"""The file of a backup: a tar that any machine can open, written and read from front to back in little memory.

    market.json                      what this is: format, market's version, revision of the tables, when
    tables/<table>/<number>.copy.gz  rows as PostgreSQL's COPY writes them (text), a few megabytes each
    files/<key>                      pictures and slips, under their keys
    sums/<number>                    SHA-256 of the members before it, as `sha256sum` writes and checks them
    manifest.json                    market.json once more, columns and row counts, SHA-256 of the sums
    manifest.sha256                  SHA-256 of the manifest; the last member

A file without its last member was cut off.  `verified` reads the whole of it before anybody believes a word.
"""

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import IO, Any, Final

FORMAT: Final = 1
HEAD: Final = "market.json"
MANIFEST: Final = "manifest.json"
SEAL: Final = "manifest.sha256"
TABLES: Final = "tables/"
FILES: Final = "files/"
SUMS: Final = "sums/"
STDOUT: Final = Path("-")
MEMBERS_PER_SUM: Final = 5_000
LONGEST_MEMBER: Final = 1 << 30
"""Bytes; nothing that the market writes comes near it, so a longer member is damage."""

Manifest = dict[str, Any]


class Damaged(SystemExit):
    """The file is not a whole backup."""


class NewerFormat(SystemExit):
    """A newer market wrote the file in a way that this one does not know."""


class CannotWrite(SystemExit):
    """The place for the backup is taken, or cannot be written to."""


class Writer:
    """Writes a backup member by member; `finish` makes it whole."""

    def __init__(self, out: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - lives as long as we do
        self._head: Manifest = {}
        self._pending: list[str] = []
        self._sums: dict[str, str] = {}

    def begin(self, head: Mapping[str, Any]) -> None:
        """Say what this is: `head` needs `revision`; read back as part of the manifest."""
        self._head = {"format": FORMAT, **head}
        self._add(HEAD, _json(self._head))

    def add_rows(self, table: str, number: int, rows: bytes) -> None:
        """Add some rows of a table, as COPY wrote them; a table's rows follow one another."""
        self._add(f"{TABLES}{table}/{number:08}.copy.gz", gzip.compress(rows, compresslevel=4, mtime=0))

    def add_file(self, key: str, data: bytes) -> None:
        self._add(f"{FILES}{key}", data)

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Write sums and manifest: only now is it a backup."""
        self._sum_up()
        data = _json({**self._head, **manifest, "sums": self._sums})
        self._put(MANIFEST, data)
        self._put(SEAL, _line(MANIFEST, data).encode())
        self._tar.close()

    def _add(self, name: str, data: bytes) -> None:
        self._pending.append(_line(name, data))
        self._put(name, data)
        if len(self._pending) >= MEMBERS_PER_SUM:
            self._sum_up()

    def _sum_up(self) -> None:
        name, sums = f"{SUMS}{len(self._sums) + 1:08}", "".join(self._pending).encode()
        self._sums[name] = hashlib.sha256(sums).hexdigest()
        self._put(name, sums)
        self._pending.clear()

    def _put(self, name: str, data: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(data), 0o600
        self._tar.addfile(member, io.BytesIO(data))
        _forget_members(self._tar)


@contextmanager
def writing(path: Path, *, overwrite: bool = False) -> Iterator[Writer]:
    """Write a backup that is at `path` when it is whole, and nowhere before; `-` is standard output.

    Its owner alone may read it, for it holds what buyers told the market.  Raises `CannotWrite`.
    """
    if path == STDOUT:
        yield Writer(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    if path.exists() and not overwrite:
        raise CannotWrite(f"{path} exists already. Choose another name, or say --overwrite.")
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            yield Writer(out)
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise CannotWrite(f"The backup could not be written to {path}: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def verified(path: Path) -> Manifest:
    """Read the whole file, see that every byte is as it was written, and return its manifest.

    Raises `Damaged`, which says what is wrong with it, and `NewerFormat`.
    """
    checking = _Checking()
    for member, data in _members(path, ""):
        checking.look_at(member, data)
    return checking.end(path)


def rows(path: Path) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield each table that has rows, with its rows as COPY takes them, to be read in this order."""
    chunks = _members(path, TABLES)
    for table, members in groupby(chunks, lambda member: member[0].split("/")[1]):
        yield table, (gzip.decompress(data) for _, data in members)


def files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file with its key."""
    for name, data in _members(path, FILES):
        yield name.removeprefix(FILES), data


class _Checking:
    """What was read so far of a file that may be damaged."""

    def __init__(self) -> None:
        self._pending: list[str] = []
        self._sums: dict[str, str] = {}
        self._head: Manifest | None = None
        self._manifest: Manifest | None = None
        self._seal = ""
        self._is_sealed = False

    def look_at(self, name: str, data: bytes) -> None:
        if self._head is None:
            self._head = _read_head(name, data)
        if name == MANIFEST:
            self._manifest, self._seal = _read(data), _line(name, data)
        elif name == SEAL:
            self._is_sealed = data == self._seal.encode()
        elif name.startswith(SUMS):
            self._compare(data)
            self._sums[name] = hashlib.sha256(data).hexdigest()
        else:
            self._pending.append(_line(name, data))

    def end(self, path: Path) -> Manifest:
        if self._head is None:
            raise Damaged(f"{path} is not a backup of a market.")
        if self._manifest is None or not self._is_sealed:
            raise Damaged(f"{path} is not whole: it ends before its manifest, or in it. Nothing was changed.")
        is_same = self._manifest.get("sums") == self._sums and not self._pending
        if not is_same or any(self._manifest.get(key) != value for key, value in self._head.items()):
            raise Damaged(f"{path} is damaged: its manifest speaks of something else. Nothing was changed.")
        return self._manifest

    def _compare(self, sums: bytes) -> None:
        for found, told in zip(self._pending, sums.decode(errors="replace").splitlines(keepends=True), strict=False):
            if found != told:
                raise Damaged(f"The backup is damaged at {found.split()[-1]}. Nothing was changed.")
        if "".join(self._pending).encode() != sums:
            raise Damaged("The backup is damaged: something is missing from it. Nothing was changed.")
        self._pending.clear()


def _members(path: Path, prefix: str) -> Iterator[tuple[str, bytes]]:
    """Read the members whose names begin so; a file that breaks off, or is no tar, is `Damaged`."""
    try:
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            while (member := tar.next()) is not None:
                _forget_members(tar)
                if member.name.startswith(prefix):
                    yield member.name, _data(tar, member)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile) as error:
        raise Damaged(f"{path} is not a whole backup of a market ({error}). Nothing was changed.") from error
    except OSError as error:
        raise Damaged(f"{path} cannot be read: {error.strerror or error}.") from error


def _data(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if not member.isreg() or member.size > LONGEST_MEMBER:
        raise tarfile.ReadError(f"{member.name} is nothing that a market writes")
    file = tar.extractfile(member)
    data = file.read() if file else b""
    if len(data) != member.size:
        raise tarfile.ReadError(f"it breaks off in {member.name}")
    return data


def _read_head(name: str, data: bytes) -> Manifest:
    head = _read(data) if name == HEAD else {}
    if not isinstance(head.get("format"), int):
        raise Damaged("This file is not a backup of a market.")
    if head["format"] > FORMAT:
        raise NewerFormat("This backup was made by a newer market than this one. Restore it with that one.")
    return head


def _read(data: bytes) -> Manifest:
    try:
        read = json.loads(data)
    except ValueError as error:
        raise Damaged("The backup is damaged: its manifest cannot be read. Nothing was changed.") from error
    return read if isinstance(read, dict) else {}


def _line(name: str, data: bytes) -> str:
    return f"{hashlib.sha256(data).hexdigest()}  {name}\n"


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def _forget_members(tar: tarfile.TarFile) -> None:
    """A tarfile remembers every member it saw, which are millions in a large market."""
    tar.members = []  # type: ignore[attr-defined]  # the one thing its own documentation forgets
