"""The ceiling: granian over an application that knows its answers by heart, with or without asking PostgreSQL first.

`python -m benchmarks.bare PORT FILE`: the file (a pickle) holds path and query → `Known`.
"""

import asyncio
import os
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from granian.constants import HTTPModes, Interfaces, Loops
from granian.log import LogLevels
from granian.server import Server

from benchmarks.trace import Trace, send


@dataclass(frozen=True, slots=True)
class Known:
    """An answer as the market gave it, and the statements it took (none: from memory)."""

    headers: list[tuple[bytes, bytes]]
    body: bytes
    trace: Trace


class Bare:
    def __init__(self) -> None:
        self._answers: dict[str, Known] = pickle.loads(Path(os.environ["BARE_ANSWERS"]).read_bytes())  # noqa: S301 - our own file
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    async def __call__(self, scope: dict[str, Any], _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        asked = scope["query_string"].decode()
        known = self._answers[f"{scope['path']}?{asked}" if asked else scope["path"]]
        if known.trace:
            await self._ask(known.trace)
        await send({"type": "http.response.start", "status": 200, "headers": known.headers})
        await send({"type": "http.response.body", "body": known.body})

    async def _ask(self, trace: Trace) -> None:
        async with (await self._opened()).acquire() as connection:
            await send(connection, trace)

    async def _opened(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(os.environ["BARE_DATABASE"], min_size=10, max_size=10)
            return self._pool


def load(_target: str) -> Bare:
    return Bare()


def serve(port: int) -> None:
    server = Server(
        "benchmarks.bare:Bare",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=1,
        loop=Loops.uvloop,
        backlog=2048,
        backpressure=256,
        log_level=LogLevels.warning,
    )
    server.serve(target_loader=load)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
