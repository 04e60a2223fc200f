"""`kill -9` at every step between "place order" and "handed over": nothing is lost, nothing happens twice.

A run is told by its seed: KILL_SEED=… repeats it (the machine's own timing aside), KILLS=… makes it longer.
"""

import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bad_days import kill_loop, truth
from tests.bad_days.hurt_market import HurtMarket, hurt_market
from tests.bad_days.kill_loop import Stalls
from tests.bad_days.walkers import Steps, Walker
from tests.ground.homes import NewHome

KILLS = int(os.environ.get("KILLS", "250"))
FEW_KILLS = 4
USUAL_SEED = 1
"""Of the short run, so that it tells the same story every time; the long ones draw theirs."""


@pytest.fixture(scope="module")
async def market(homes: NewHome) -> AsyncIterator[HurtMarket]:
    async with hurt_market(homes()) as market:
        yield market


@pytest.fixture(scope="module")
async def stalls(market: HurtMarket) -> Stalls:
    return await kill_loop.set_up(market)


@pytest.fixture
def seed() -> int:
    return int(os.environ.get("KILL_SEED") or random.SystemRandom().randrange(10**6))


async def test_a_few_deaths_and_nothing_is_lost_or_done_twice(market: HurtMarket, stalls: Stalls) -> None:
    seed = int(os.environ.get("KILL_SEED") or USUAL_SEED)
    assert await played(market, stalls, seed, FEW_KILLS, rude=True) == []


async def test_the_loop_finds_what_happens_twice(market: HurtMarket, stalls: Stalls) -> None:
    """The negative control: buyers who take a fresh key for every try get two orders, and the loop says so."""
    careless = Walker(
        market, Steps(), random.Random(1), stalls.secrets, stalls.variants, "careless", loses=0.6, is_careless=True
    )
    for _ in range(5):
        await careless.walk("leave")
    wrong = await truth.wrong_with(market, careless.walks)
    assert [each for each in wrong if each.startswith("careless") and each.endswith("orders")] != []


@pytest.mark.long
@pytest.mark.parametrize("rude", [False, True], ids=["Stripe is kind", "Stripe drops, doubles, delays, reorders"])
async def test_hundreds_of_deaths_and_nothing_is_lost_or_done_twice(new_home: Path, seed: int, *, rude: bool) -> None:
    async with hurt_market(new_home) as market:
        assert await played(market, await kill_loop.set_up(market), seed, KILLS, rude=rude) == []


async def played(market: HurtMarket, stalls: Stalls, seed: int, kills: int, *, rude: bool) -> list[str]:
    """What is wrong at the end, under the seed that leads there."""
    plan = kill_loop.plan_of(kills, random.Random(seed))
    return [f"KILL_SEED={seed}: {each}" for each in await kill_loop.play(market, stalls, seed, plan, rude=rude)]
