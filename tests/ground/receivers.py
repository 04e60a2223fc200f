"""A little program of somebody else's that receives webhooks."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from app.settings import settings


@dataclass(frozen=True, slots=True)
class Received:
    headers: dict[str, str]
    body: bytes

    @property
    def delivery_id(self) -> str:
        return self.headers["market-delivery"]

    @property
    def event(self) -> str:
        return self.headers["market-event"]

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.body)["data"]
        return data


@dataclass
class Receiver:
    """Keeps what it is sent and answers as the test wants it to."""

    port: int = 0
    status: int = 200
    answer: str = "thank you"
    location: str | None = None
    seconds: float = 0
    received: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/market"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:] if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.received.append(Received(headers, body))
        await asyncio.sleep(self.seconds)
        extra = f"Location: {self.location}\r\n" if self.location else ""
        data = self.answer.encode()
        writer.write(
            f"HTTP/1.1 {self.status} x\r\n{extra}Content-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode()
        )
        writer.write(data)
        writer.close()


@pytest.fixture
async def receiver(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    """A receiver on this machine, where the market may send because the setting says so."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("WEBHOOKS_LOCAL", "1")
    settings.cache_clear()
    yield receiver
    monkeypatch.undo()
    settings.cache_clear()
    server.close()
