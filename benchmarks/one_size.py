"""Everything that is measured on one size of market, in a process of its own: `python -m benchmarks.one_size FILE`.

DATABASE_URL names the market; the figures go to the file as JSON.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from benchmarks import growth, pages, trade, weight

CHAPTERS: Final[dict[str, Callable[[], Coroutine[Any, Any, Any]]]] = {
    "remembered": pages.remembered,
    "afresh": pages.afresh,
    "basket change": trade.basket_changes,
    "placing an order": trade.orders,
    "16 buyers": lambda: trade.one_jar(16),
    "64 buyers": lambda: trade.one_jar(64),
    "latency": growth.latencies,
    "weight": weight.weights,
}


async def measure(only: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, chapter in CHAPTERS.items():
        if only and name not in only:
            continue
        told = await chapter()
        found[name] = [asdict(each) for each in told] if isinstance(told, list) else asdict(told)
        sys.stderr.write(f"  {name}: {json.dumps(found[name], ensure_ascii=False)}\n")
    if not only or "memory" in only:
        found["memory_mib"] = round(weight.memory_mib(), 1)
    return found


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(asyncio.run(measure(sys.argv[2:]))))
