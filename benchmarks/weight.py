"""What a shop page weighs on its way to a phone, compressed and pictures aside; and what a web process takes of memory."""

import gzip
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin

import httpx

from benchmarks import ground, load
from benchmarks.pages import PAGES, written

_ASSETS: Final = re.compile(
    r'<(?:link[^>]+rel="(?:stylesheet|preload|icon|manifest)"[^>]*href|script[^>]+src)="([^"]+)"'
)
_INNER: Final = re.compile(r'url\(["\']?([^"\')]+)|(?:from|import) "([^"]+)"')
MEMORY_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Weight:
    name: str
    kilobytes: float
    other_hosts: int


async def weights() -> list[Weight]:
    """Kilobytes (1,000 bytes) of each page with all that it loads but pictures, each file once."""
    with ground.market() as market:
        async with httpx.AsyncClient(base_url=market.url) as client:
            return [await _weight(client, name, path) for name, path in PAGES.items()]


def memory_mib() -> float:
    """Memory of one web process after it served every shop page for a while."""
    with ground.market() as market:
        for path in PAGES.values():
            load.rate(market.url + written(path), MEMORY_SECONDS / len(PAGES))
        return market.memory_mib()


async def _weight(client: httpx.AsyncClient, name: str, path: str) -> Weight:
    seen: set[str] = set()
    waiting, total = [path], 0
    while waiting:
        address = waiting.pop()
        if address in seen or address.startswith("data:"):
            continue
        seen.add(address)
        if _is_foreign(address):
            continue
        answer = await client.get(address, headers={"Accept-Encoding": "gzip"})
        total += int(answer.headers.get("content-length") or len(gzip.compress(answer.content)))
        waiting += [urljoin(address, found) for found in _loaded(answer)]
    return Weight(name, round(total / 1000, 1), sum(map(_is_foreign, seen)))


def _loaded(answer: httpx.Response) -> list[str]:
    kind = answer.headers["content-type"]
    if "html" in kind:
        return [found for found in _ASSETS.findall(answer.text) if not found.endswith((".png", ".ico"))]
    if "css" in kind or "javascript" in kind:
        return [first or second for first, second in _INNER.findall(answer.text)]
    return []


def _is_foreign(address: str) -> bool:
    return address.startswith(("http:", "https:", "//"))
