"""Shop pages: remembered, beside the same bytes from memory; asked afresh, beside the same rows and bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Final

import httpx

from benchmarks import ground, load
from benchmarks.bare import Known
from benchmarks.ground import Process
from benchmarks.recording import traced, untouched_market

PAGES: Final[Mapping[str, str]] = {
    "home": "/",
    "browse": "/market",
    "browse a cluster by price": "/market?cluster=production&sort=price",
    "two words": "/market?q=ชิ้นที่ 77",
    "listing": "/listings/stock-77",
}
MEASURED_SECONDS: Final = 2.0
ROUNDS: Final = 3


@dataclass(frozen=True, slots=True)
class Ratio:
    """Answers per second of the market and of its ceiling, measured in turns."""

    name: str
    market: float
    ceiling: float

    @property
    def ratio(self) -> float:
        return self.market / self.ceiling


async def remembered() -> list[Ratio]:
    """Anonymous pages out of the page memory."""
    known = {path: Known(each.headers, each.body, []) for path, each in (await _known()).items()}
    with ground.market(PAGE_MEMORY_SECONDS="0.8") as market, ground.bare(known) as bare:
        return [_in_turns(name, path, market, bare) for name, path in PAGES.items() if "?" not in path]


async def afresh() -> list[Ratio]:
    """The same pages with nothing kept: every request asks the database."""
    known = await _known()
    with ground.market(PAGE_MEMORY_SECONDS="0") as market, ground.bare(known) as bare:
        return [_in_turns(name, path, market, bare) for name, path in PAGES.items()]


async def _known() -> dict[str, Known]:
    """What the market answers, and the statements it takes; by path and query."""
    found = {}
    async with untouched_market() as client:
        for path in PAGES.values():
            await client.get(path)  # what is asked only once per process is not the page's
            answer, trace = await traced(partial(client.get, path))
            found[written(path)] = Known(_headers(answer), await _bytes(client, path), trace)
    return found


def written(path: str) -> str:
    return str(httpx.URL(path).raw_path, "ascii")


async def _bytes(client: httpx.AsyncClient, path: str) -> bytes:
    """The body as it travels, compressed."""
    async with client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
        return b"".join([chunk async for chunk in answer.aiter_raw()])


def _headers(answer: httpx.Response) -> list[tuple[bytes, bytes]]:
    return [(name.lower(), value) for name, value in answer.headers.raw]


def _in_turns(name: str, path: str, market: Process, bare: Process) -> Ratio:
    ours, ceilings = [], []
    for _ in range(ROUNDS):
        ours.append(load.rate(market.url + written(path), MEASURED_SECONDS))
        ceilings.append(load.rate(bare.url + written(path), MEASURED_SECONDS))
    return Ratio(name, median(ours), median(ceilings))
