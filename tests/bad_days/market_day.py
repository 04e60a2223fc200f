"""An hour's market day compressed: browse 80, search 10, basket 7, order 3 of a hundred, as fast as the machine bears.

    python -m tests.bad_days.market_day [seconds]      a market of its own with 200 listings, 30 s unless told

Every answer must be what a shopper expects, and the web processes must not grow between warm-up and end.
"""

import asyncio
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import httpx

from tests.bad_days import truth
from tests.bad_days.hurt_market import HurtMarket, hurt_market
from tests.ground.families import own_memory
from tests.ground.form_reader import form_of
from tests.orders import factories
from tests.producers import factories as producers
from tests.producers.factories import NONG_SANO

MIX: Final = {"browse": 80, "search": 10, "basket": 7, "order": 3}
SHOPPERS: Final = 32
STALLS, GOODS = 20, 10
WARM_UP_SHARE: Final = 0.25
MOST_GROWTH: Final = 1.10
WORDS: Final = ("ข้าวเม่า", "น้ำผึ้ง", "khao", "ผ้า", "ปลา", "zzz")


@dataclass
class Day:
    """What happened."""

    seconds: float
    milliseconds: dict[str, list[float]] = field(default_factory=lambda: {deed: [] for deed in MIX})
    wrong: Counter[str] = field(default_factory=Counter)
    warm_kb: list[int] = field(default_factory=list)
    end_kb: list[int] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    @property
    def growth(self) -> float:
        return sum(self.end_kb) / sum(self.warm_kb)

    def told(self) -> Iterator[str]:
        for deed, took in self.milliseconds.items():
            if len(took) > 1:
                cuts = statistics.quantiles(took, n=100)
                yield f"{deed:8} {len(took):7} times, p50 {cuts[49]:6.0f} ms, p99 {cuts[98]:6.0f} ms"
        done = sum(map(len, self.milliseconds.values()))
        yield f"{done / self.seconds:.0f} deeds a second; wrong: {dict(self.wrong) or 'nothing'}"
        yield f"web processes (PSS): {self.warm_kb} kB after warm-up, {self.end_kb} kB at the end, {self.growth:.3f} times"
        yield f"market check: {self.findings or 'all is well'}"


@dataclass
class Shopper:
    client: httpx.AsyncClient
    rng: random.Random
    slugs: list[str]
    variants: list[str]
    day: Day

    async def shop(self, ends_at: float) -> None:
        while time.monotonic() < ends_at:
            (deed,) = self.rng.choices(list(MIX), list(MIX.values()))
            began = time.perf_counter()
            try:
                trouble = await getattr(self, deed)()
            except httpx.HTTPError as error:
                trouble = type(error).__name__
            self.day.milliseconds[deed].append((time.perf_counter() - began) * 1000)
            if trouble:
                self.day.wrong[f"{deed}: {trouble}"] += 1

    async def browse(self) -> str:
        path = self.rng.choice(("/market", "/", f"/listings/{self.rng.choice(self.slugs)}", "/en/market?sort=price"))
        return _unless(await self.client.get(path), 200)

    async def search(self) -> str:
        return _unless(
            await self.client.get("/search", params={"q": self.rng.choice(WORDS)}, follow_redirects=True), 200
        )

    async def basket(self) -> str:
        form = {"variant_id": self.rng.choice(self.variants), "quantity": "1"}
        return _unless(await self.client.post("/en/basket/add", data=form), 303)

    async def order(self) -> str:
        """A new basket, the checkout, the order: three requests."""
        self.client.cookies.clear()
        if trouble := await self.basket():
            return trouble
        fields = form_of((await self.client.get("/en/checkout")).text, "/checkout")
        fields |= {"name": ["Mali"], "phone": ["0891112222"], "address_line": ["12 Moo 3"], "area": ["31110"]}
        fields |= {"subdistrict_code": [NONG_SANO], "payment_method": ["promptpay"]}
        answer = await self.client.post("/en/checkout", data=fields)
        self.client.cookies.clear()
        return "" if "/o/" in answer.headers.get("Location", "") else f"status {answer.status_code}"


async def market_day(home: Path, seconds: float) -> Day:
    async with hurt_market(home) as market:
        slugs, variants = await _stocked(market)
        day = Day(seconds)
        ends_at = time.monotonic() + seconds
        rng = random.Random(1)
        watching = asyncio.create_task(_watch(market, day, seconds * WARM_UP_SHARE))
        await asyncio.gather(
            *(_shopper(market, day, random.Random(rng.random()), slugs, variants, ends_at) for _ in range(SHOPPERS))
        )
        await watching
        day.end_kb = _memory(market)
        day.findings = await market.later(0)
        return day


async def _shopper(
    market: HurtMarket, day: Day, rng: random.Random, slugs: list[str], variants: list[str], ends_at: float
) -> None:
    async with httpx.AsyncClient(base_url=market.url, timeout=60) as client:
        await Shopper(client, rng, slugs, variants, day).shop(ends_at)


async def _stocked(market: HurtMarket) -> tuple[list[str], list[str]]:
    slugs, variants = [], []
    async with market.session() as session:
        center = await producers.center(session)
        for _ in range(STALLS):
            stall = await factories.stall(session, stock=truth.STOCK_MILLI, at=center)
            for _ in range(GOODS):
                listing, variant = await factories.goods(
                    session, stall.group, stall.listing.stream_id, stock=truth.STOCK_MILLI
                )
                slugs.append(listing.slug)
                variants.append(str(variant.id))
    return slugs, variants


async def _watch(market: HurtMarket, day: Day, warm_up: float) -> None:
    await asyncio.sleep(warm_up)
    day.warm_kb = _memory(market)


def _memory(market: HurtMarket) -> list[int]:
    return [own_memory(pid) for pid in market.web_processes()]


def _unless(answer: httpx.Response, status: int) -> str:
    return "" if answer.status_code == status else f"status {answer.status_code}"


async def _by_hand(seconds: float) -> None:
    with TemporaryDirectory(prefix="market-home-") as home:
        day = await market_day(Path(home), seconds)
    print(*day.told(), sep="\n")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(_by_hand(float(sys.argv[1]) if len(sys.argv) > 1 else 30))
