"""Changing a basket and placing an order, beside the same statements sent by asyncpg alone.

Baskets are filled beforehand.  Of every measurement one half of them goes through the market's pages over HTTP, the
other half was recorded (and rolled back) and is sent again without the market: one transaction each, committed.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from statistics import median
from typing import Final

import asyncpg
import httpx

from benchmarks import ground, load
from benchmarks.buyers import Buyer, basket_change, buyers, placing
from benchmarks.ground import Process
from benchmarks.pages import Ratio
from benchmarks.recording import traced, untouched_market
from benchmarks.trace import Trace, send

ROUNDS: Final = 3
PER_ROUND: Final = 120
AT_ONCE: Final = 4
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
SEE_OTHER: Final = 303


async def basket_changes() -> Ratio:
    """Another amount of two things of two groups."""
    ours, bare = await _halves(ROUNDS * PER_ROUND)
    traces = await _traces(bare, "/basket", lambda _client, buyer: _now(buyer.changes(2)))
    requests = [basket_change(buyer, 2) for buyer in ours]
    return await _in_turns("basket change", requests, traces, AT_ONCE)


async def orders() -> Ratio:
    """Orders of two things of two groups."""
    ours, bare = await _halves(ROUNDS * PER_ROUND)
    return await _in_turns("placing an order", await _forms(ours), await _order_traces(bare), AT_ONCE)


async def one_jar(at_once: int) -> Ratio:
    """So many buyers at once of the same jar, of which there is enough: they wait for each other's hold."""
    count = ROUNDS * max(PER_ROUND, at_once * 2)
    ours, bare = await buyers(count, of_one_jar=True), await buyers(count, of_one_jar=True)
    return await _in_turns(f"{at_once} buyers of one jar", await _forms(ours), await _order_traces(bare), at_once)


async def _halves(count: int) -> tuple[list[Buyer], list[Buyer]]:
    return await buyers(count), await buyers(count)


async def _forms(who: Sequence[Buyer]) -> list[bytes]:
    async with untouched_market() as client:
        return [placing(buyer, await buyer.orders(client)) for buyer in who]


async def _order_traces(who: Sequence[Buyer]) -> list[Trace]:
    return await _traces(who, "/checkout", lambda client, buyer: buyer.orders(client))


async def _traces(
    who: Sequence[Buyer], path: str, form_of: Callable[[httpx.AsyncClient, Buyer], Awaitable[bytes]]
) -> list[Trace]:
    found = []
    async with untouched_market() as client:
        for buyer in who:
            form = await form_of(client, buyer)
            headers = {"Cookie": buyer.cookie, **FORM}
            answer, trace = await traced(partial(client.post, path, content=form, headers=headers))
            assert answer.status_code == SEE_OTHER, answer.text
            found.append(trace)
    return found


async def _in_turns(name: str, requests: Sequence[bytes], traces: Sequence[Trace], at_once: int) -> Ratio:
    share = len(requests) // ROUNDS
    ours, ceilings = [], []
    with ground.market(WEB_PROCESSES="2") as market:
        await _warm(market)
        for turn in range(ROUNDS):
            part = slice(turn * share, (turn + 1) * share)
            volley = await load.volley(market.url, requests[part], at_once)
            assert volley.statuses == Counter({SEE_OTHER: share}), volley.statuses
            ours.append(volley.rate)
            ceilings.append(await _rate(traces[part], at_once))
    return Ratio(name, median(ours), median(ceilings))


async def _warm(market: Process) -> None:
    """Processes compile templates and open connections at their first requests; nobody counts those."""
    pages = [load.request("GET", path) for path in ("/basket", "/market") for _ in range(20)]
    await load.volley(market.url, pages, AT_ONCE)


async def _rate(traces: Sequence[Trace], at_once: int) -> float:
    """Transactions per second of asyncpg alone."""
    address = os.environ["DATABASE_URL"].replace("+asyncpg", "")
    connections = [await asyncpg.connect(address) for _ in range(at_once)]
    waiting = list(traces)

    async def buyer(connection: asyncpg.Connection) -> None:
        while waiting:
            await send(connection, waiting.pop())

    begun = time.perf_counter()
    await asyncio.gather(*(buyer(connection) for connection in connections))
    seconds = time.perf_counter() - begun
    for connection in connections:
        await connection.close()
    return len(traces) / seconds


async def _now(form: bytes) -> bytes:
    return form
