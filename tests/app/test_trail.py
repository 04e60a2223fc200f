"""The trail of the desks: every look leaves a row, refused ones too, and nobody can take one away before its time."""

from collections.abc import Sequence
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app import trail
from app.clock import FrozenClock
from app.trail import Question, Sight, TrailEntry
from tests import factories as people
from tests.orders import factories
from tests.producers.desk import enter


async def rows(session: AsyncSession) -> Sequence[TrailEntry]:
    return (await session.scalars(select(TrailEntry).order_by(TrailEntry.id))).all()


async def test_a_look_at_an_order_is_noted_with_who_and_what(client: httpx.AsyncClient, session: AsyncSession) -> None:
    stall = await factories.stall(session)
    placed = await factories.paid_order(session, (stall, 1000))
    await enter(client, session, stall.owner)
    await client.get(f"/desk/groups/{stall.group.slug}/orders/{placed.number}")
    [entry] = await rows(session)
    assert (entry.person_id, entry.group_id, entry.what) == (stall.owner.id, stall.group.id, "group_order")
    assert (entry.method, entry.about, entry.sights) == ("GET", [placed.number], [Sight.buyer])
    assert entry.status == 200


async def test_a_change_is_noted_once_in_the_same_transaction(client: httpx.AsyncClient, session: AsyncSession) -> None:
    stall = await factories.stall(session)
    placed = await factories.paid_order(session, (stall, 1000))
    await enter(client, session, stall.owner)
    await client.post(f"/desk/groups/{stall.group.slug}/orders/{placed.number}/pack")
    [entry] = await rows(session)
    assert (entry.method, entry.what, entry.status) == ("POST", "group_pack", 303)


async def test_a_try_at_somebody_elses_desk_is_noted_although_it_was_refused(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    stall, other = await factories.stall(session), await factories.stall(session)
    await enter(client, session, other.owner)
    answer = await client.get(f"/desk/groups/{stall.group.slug}")
    [entry] = await rows(session)
    assert answer.status_code == entry.status == 404
    assert (entry.person_id, entry.group_id) == (other.owner.id, stall.group.id)
    told, _ = await trail.find(session, Question(group_id=stall.group.id, only_granted=True))
    assert told == []


async def test_shoppers_and_strangers_leave_no_trail(client: httpx.AsyncClient, session: AsyncSession) -> None:
    stall = await factories.stall(session)
    await session.commit()
    await client.get("/market")
    await client.get(f"/desk/groups/{stall.group.slug}")
    assert await rows(session) == []


async def test_every_desk_request_costs_one_statement_of_trail(
    client: httpx.AsyncClient, session: AsyncSession, query_count: object
) -> None:
    stall = await factories.stall(session)
    await enter(client, session, stall.owner)
    with query_count() as queries:  # type: ignore[operator]
        await client.get(f"/desk/groups/{stall.group.slug}/picking")
    assert len([each for each in queries.statements if "trail" in each]) == 1


@pytest.mark.parametrize(
    "change", [update(TrailEntry).values(what="nothing"), delete(TrailEntry)], ids=["change", "delete"]
)
async def test_nobody_changes_or_deletes_the_trail(session: AsyncSession, change: object) -> None:
    await trail.keep(session, await people.staff(session), "test", "483920")
    with pytest.raises(DBAPIError, match="append-only"):
        await session.execute(change)  # type: ignore[call-overload]


async def test_the_trail_is_forgotten_after_its_year(session: AsyncSession, clock: FrozenClock) -> None:
    staff = await people.staff(session)
    await trail.keep(session, staff, "old", "1")
    clock.jump(trail.KEPT - timedelta(hours=1))
    await trail.keep(session, staff, "young", "2")
    await session.commit()
    clock.jump(timedelta(hours=2))
    await trail.forget({})
    assert await session.scalar(select(func.array_agg(TrailEntry.what))) == ["young"]


async def test_the_trail_is_read_in_pages_newest_first(session: AsyncSession, clock: FrozenClock) -> None:
    staff = await people.staff(session)
    for number in "12345":
        await trail.keep(session, staff, "test", number)
        clock.jump(timedelta(minutes=1))
    first, cursor = await trail.find(session, Question(), limit=3)
    rest, end = await trail.find(session, Question(), before=cursor, limit=3)
    assert [each.entry.about[0] for each in (*first, *rest)] == ["5", "4", "3", "2", "1"]
    assert end is None
