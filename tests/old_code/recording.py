"""What the code said to the database, kept so that a later schema can be asked the same.

A recording is played statement by statement, with the values that were sent then, on as many connections as there
were: new tables must bear the code that still runs while they are made.
"""

import gzip
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

ENDS = ("commit", "rollback")
_READ: dict[str, Callable[[Any], Any]] = {
    "uuid": UUID,
    "at": datetime.fromisoformat,
    "day": date.fromisoformat,
    "number": Decimal,
    "bytes": bytes.fromhex,
    "seconds": lambda value: timedelta(seconds=value),
}
_WRITE: tuple[tuple[type, str, Callable[[Any], Any]], ...] = (
    (UUID, "uuid", str),
    (datetime, "at", datetime.isoformat),
    (date, "day", date.isoformat),
    (Decimal, "number", str),
    (bytes, "bytes", bytes.hex),
    (timedelta, "seconds", timedelta.total_seconds),
)


class Recording:
    """Statements, each once, and the order in which they were sent: connection, statement or word, rows of values."""

    def __init__(self) -> None:
        self.statements: dict[str, int] = {}
        self.steps: list[tuple[int, int | str, Any]] = []
        self._connections: dict[int, int] = {}

    def note(self, connection: Any, what: str, values: Any = None) -> None:
        number = self._connections.setdefault(id(connection), len(self._connections))
        step = what if values is None else self.statements.setdefault(what, len(self.statements))
        self.steps.append((number, step, None if values is None else written(values)))
        if what in ENDS:
            del self._connections[id(connection)]

    def save(self, path: Path) -> None:
        told = {"statements": list(self.statements), "steps": self.steps}
        path.write_bytes(gzip.compress(json.dumps(told, ensure_ascii=False).encode(), mtime=0))


@contextmanager
def recorded(engine: AsyncEngine) -> Iterator[Recording]:
    """Record whatever this process says to the database."""
    recording = Recording()

    def said(connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        # A list of rows, or one row; the event's own word for it is wrong for inserts that return something.
        recording.note(connection, statement, values if isinstance(values, list) else [values])

    def saved(connection: Any, name: str, *_rest: Any) -> None:
        recording.note(connection, f"SAVEPOINT {name}", [[]])

    def back(connection: Any, name: str, *_rest: Any) -> None:
        recording.note(connection, f"ROLLBACK TO SAVEPOINT {name}", [[]])

    listeners: dict[str, Callable[..., None]] = {
        "before_cursor_execute": said,
        "savepoint": saved,
        "rollback_savepoint": back,
        "commit": lambda connection: recording.note(connection, "commit"),
        "rollback": lambda connection: recording.note(connection, "rollback"),
    }
    for name, listener in listeners.items():
        event.listen(engine.sync_engine, name, listener)
    try:
        yield recording
    finally:
        for name, listener in listeners.items():
            event.remove(engine.sync_engine, name, listener)


async def play(recording: bytes, engine: AsyncEngine) -> None:
    """Say everything again; the first statement that the database refuses raises."""
    told = json.loads(gzip.decompress(recording))
    async with _connections(engine) as connection_of:
        for number, step, values in told["steps"]:
            connection = await connection_of(number)
            if step in ENDS:
                await (connection.commit() if step == "commit" else connection.rollback())
            else:
                rows = [tuple(row) for row in read(values)]
                await connection.exec_driver_sql(told["statements"][step], rows if len(rows) > 1 else rows[0])


@asynccontextmanager
async def _connections(engine: AsyncEngine) -> AsyncIterator[Callable[[int], Any]]:
    opened: dict[int, AsyncConnection] = {}

    async def connection_of(number: int) -> AsyncConnection:
        if number not in opened:
            opened[number] = await engine.connect()
        return opened[number]

    try:
        yield connection_of
    finally:
        for connection in opened.values():
            await connection.close()


def written(value: Any) -> Any:
    """Write a value that was sent as JSON bears it."""
    if value is None or isinstance(value, bool | int | float | str):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, list | tuple):
        return [written(each) for each in value]
    for kind, name, write in _WRITE:
        if isinstance(value, kind):
            return {name: write(value)}
    raise TypeError(f"cannot record {value!r}")


def read(value: Any) -> Any:
    """Read what `written` wrote."""
    if isinstance(value, dict):
        [(kind, inner)] = value.items()
        return _READ[kind](inner)
    return [read(each) for each in value] if isinstance(value, list) else value
