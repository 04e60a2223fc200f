"""The loop: buyers walk, processes die, everything comes back; at the end all is at rest, and right."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app import access
from app.api import tokens
from tests.bad_days import truth
from tests.bad_days.hurt_market import HurtMarket, Victim
from tests.bad_days.walkers import STEPS, Steps, Walker
from tests.orders import factories
from tests.producers import factories as producers
from tests.stripe_standin.postman import Rules

MOST_LATE_SECONDS = 0.06
"""So long after a step began the kill may come: most steps take about that long."""
AFTER_RECONCILING, AFTER_ALL_HOLDS = 10, 300
"""Minutes."""


@dataclass(frozen=True)
class Stalls:
    secrets: dict[str, str]
    variants: list[str]


async def set_up(market: HurtMarket, *, stalls: int = 3) -> Stalls:
    """Groups with more goods than anybody wants, and a token of each one's owner."""
    secrets: dict[str, str] = {}
    async with market.session() as session:
        await factories.fee_rules(session)
        center = await producers.center(session)
        made = [await factories.stall(session, stock=truth.STOCK_MILLI, at=center) for _ in range(stalls)]
        await session.flush()
        for stall in made:
            scope = await access.scope_of(session, stall.owner)
            secrets[stall.group.slug] = (await tokens.issue(session, scope, "packs", ["orders:read", "orders:write"]))[
                1
            ]
    return Stalls(secrets, [str(stall.variant.id) for stall in made])


def plan_of(kills: int, rng: random.Random) -> list[tuple[str, Victim]]:
    """Every victim at every step, again and again, in an order of the seed's."""
    pairs = list(itertools.product(STEPS, Victim))
    rng.shuffle(pairs)
    return [pair for _, pair in zip(range(kills), itertools.cycle(pairs), strict=False)]


async def play(
    market: HurtMarket, stalls: Stalls, seed: int, plan: list[tuple[str, Victim]], *, rude: bool
) -> list[str]:
    """Walk while the plan's victims die; return everything that is wrong at the end."""
    rng = random.Random(seed)
    steps, over = Steps(), asyncio.Event()
    walkers = [
        Walker(
            market, steps, random.Random(rng.random()), stalls.secrets, stalls.variants, f"walker {number} of {seed}"
        )
        for number in range(4)
    ]
    async with _walking(walkers, over):
        for step, victim in plan:
            if rude:
                market.bank.postman.rules = _rude(rng)
            await asyncio.wait_for(steps.next(step), 120)
            await asyncio.sleep(rng.uniform(0, MOST_LATE_SECONDS))
            await market.hurt(victim, rng)
        over.set()
    return await _at_rest(market, walkers)


@asynccontextmanager
async def _walking(walkers: list[Walker], over: asyncio.Event) -> AsyncIterator[None]:
    async def again_and_again(walker: Walker) -> None:
        while not over.is_set():
            await walker.walk()

    walking = asyncio.gather(*map(again_and_again, walkers))
    try:
        yield
        await walking
    finally:
        walking.cancel()


async def _at_rest(market: HurtMarket, walkers: list[Walker]) -> list[str]:
    """No more deaths: the reconciling job asks, the groups hand over the rest, holds run out; then all must be right."""
    market.bank.postman.rules = Rules()
    await market.bank.postman.settled()
    found = [f"after reconciling: {each}" for each in await market.later(AFTER_RECONCILING)]
    await asyncio.gather(*(walker.finish() for walker in walkers))
    for refund in [each for each in market.bank.refunds.values() if each["status"] == "pending"]:
        market.bank.turn_refund(refund["id"], "succeeded")
    await market.bank.postman.settled()
    found += await market.later(AFTER_ALL_HOLDS)
    return found + await truth.wrong_with(market, [walk for walker in walkers for walk in walker.walks])


def _rude(rng: random.Random) -> Rules:
    return Rules(
        drop=rng.choice((0, 1, 3)),
        copies=rng.choice((1, 2, 5)),
        delay_seconds=rng.choice((0, 0.2, 1.0)),
        reorder=rng.random() < 0.5,
    )
