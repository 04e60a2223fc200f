"""Load: `wrk` for answers that are all alike, a small client of our own for requests that may be sent only once."""

import asyncio
import os
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

CONNECTIONS: Final = 32


class NoLoad(SystemExit):
    """There is no `wrk`, and it cannot be installed here."""


@dataclass(frozen=True, slots=True)
class Volley:
    """What became of requests that were sent once each."""

    seconds: float
    statuses: Counter[int]
    latencies: Sequence[float]
    """Seconds, sorted."""

    @property
    def rate(self) -> float:
        return sum(self.statuses.values()) / self.seconds


def install() -> None:
    """See that wrk is there; raises `NoLoad` saying what to do."""
    if shutil.which("wrk") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-qq", "wrk"], check=False, stdout=subprocess.DEVNULL)
    if shutil.which("wrk") is None:
        raise NoLoad("The bench sends its load with wrk: please install it (Debian: apt install wrk).")


def rate(url: str, seconds: float, *, connections: int = CONNECTIONS, headers: Sequence[str] = ()) -> float:
    """Return the answers per second that `url` gives; raises when any of them is an error."""
    asked = [part for header in ("Accept-Encoding: gzip", *headers) for part in ("-H", header)]
    told = subprocess.run(
        ["wrk", "-t1", "--timeout", "30s", f"-c{connections}", f"-d{max(1, round(seconds))}s", *asked, url],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    if "Non-2xx" in told or "Socket errors" in told:
        raise RuntimeError(f"{url} does not bear the load:\n{told}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", told)
    assert found, told
    return float(found[1])


async def volley(url: str, requests: Sequence[bytes], connections: int) -> Volley:
    """Send each request once, over so many connections that are kept open; `request()` writes them."""
    place = urlsplit(url)
    waiting = list(reversed(requests))
    statuses: Counter[int] = Counter()
    latencies: list[float] = []

    async def buyer() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        while waiting:
            sent = waiting.pop()
            begun = time.perf_counter()
            writer.write(sent)
            statuses[await _answer(reader)] += 1
            latencies.append(time.perf_counter() - begun)
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(buyer() for _ in range(connections)))
    return Volley(time.perf_counter() - begun, statuses, sorted(latencies))


def request(method: str, path: str, *, cookie: str = "", body: bytes = b"") -> bytes:
    """Write an HTTP/1.1 request with a form as its body."""
    head = [f"{method} {path} HTTP/1.1", "Host: localhost", "Accept-Encoding: gzip", "Accept: text/html"]
    if cookie:
        head.append(f"Cookie: {cookie}")
    if method != "GET":
        head += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, "", ""]).encode() + body


async def _answer(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = re.search(rb"content-length: (\d+)", head)
    if length:
        await reader.readexactly(int(length[1]))
    elif b"transfer-encoding: chunked" in head:
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    return int(head.split(b" ", 2)[1])
