"""How often one may call."""

from datetime import timedelta

import httpx
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.api import rates
from app.api.rates import ApiCalls
from app.clock import FrozenClock
from app.settings import settings
from tests.app.api.little_api import little_api
from tests.ground.clients import ADDRESS


async def test_changes_are_counted_over_all_processes_and_say_when_to_come_back(
    book: httpx.AsyncClient, session: AsyncSession, clock: FrozenClock
) -> None:
    await book.delete("/words")
    counted = (await session.scalars(select(ApiCalls))).one()
    counted.count = settings().api_changes_a_minute
    await session.commit()
    transport = httpx.ASGITransport(app=little_api())  # another process, so to speak
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as elsewhere:
        refused = await elsewhere.delete("/words")

    clock.jump(timedelta(seconds=int(refused.headers["retry-after"])))

    assert refused.status_code == 429
    assert refused.headers["ratelimit-policy"] == f'"calls";q={settings().api_changes_a_minute};w=60'
    assert (await book.delete("/words")).status_code == 200


async def test_reads_are_counted_without_writing(
    book: httpx.AsyncClient, session: AsyncSession, clock: FrozenClock
) -> None:
    answers = [await book.get("/words") for _ in range(settings().api_reads_a_minute + 1)]

    assert {answer.status_code for answer in answers[:-1]} == {401}
    assert answers[-1].status_code == 429
    assert await session.scalar(select(func.count()).select_from(ApiCalls)) == 0


async def test_old_counts_are_forgotten(book: httpx.AsyncClient, session: AsyncSession, clock: FrozenClock) -> None:
    await book.delete("/words")
    clock.jump(timedelta(minutes=3))

    await rates.forget({})

    assert await session.scalar(select(func.count()).select_from(ApiCalls)) == 0
