"""A centre's program reads what has to be gathered, and how the groups stand against their plans."""

import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from app import access, clock
from app.access import Role
from tests import factories as people
from tests.ground.callers import Program, program
from tests.orders import factories
from tests.orders.factories import Stall


async def coordinator_of(session: AsyncSession, client: httpx.AsyncClient, stall: Stall) -> Program:
    person = await people.person(session, name="ผู้ประสานงาน")
    await access.grant(session, person, Role.coordinator, center_id=stall.center.id)
    return await program(client, session, person, "center:read", center_id=stall.center.id)


async def test_the_demand_is_added_up_by_group_and_product(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall = await factories.stall(session)
    for milli in (1000, 2000):
        await factories.paid_order(session, (stall, milli))
    own = await coordinator_of(session, client, stall)
    told = await own.get(f"/desk/centers/{stall.center.slug}/demand")
    [group] = told["groups"]
    [product] = group["products"]
    assert (told["orders"], group["slug"], product["total_milli"]) == (2, stall.group.slug, 3000)
    assert product["wanted_milli"] == {"parcel": 3000}


async def test_the_demand_of_other_days_is_left_out(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall = await factories.stall(session)
    await factories.paid_order(session, (stall, 1000))
    own = await coordinator_of(session, client, stall)
    path, today = f"/desk/centers/{stall.center.slug}/demand", clock.business_day().isoformat()
    assert (await own.get(path, first=today, last=today))["orders"] == 1
    assert (await own.get(path, last="2020-01-01"))["orders"] == 0
    no = await own.ask("GET", path, 422, params={"first": today, "last": "2020-01-01"})
    assert no["type"] == "urn:market:last-before-first"


async def test_plan_and_income_stand_side_by_side(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall = await factories.stall(session)
    own = await coordinator_of(session, client, stall)
    told = await own.get(f"/desk/centers/{stall.center.slug}/revenue")
    assert (len(told["months"]), [each["slug"] for each in told["groups"]]) == (12, [stall.group.slug])
    year = await own.get(f"/desk/centers/{stall.center.slug}/revenue", year=2025)
    assert (year["months"][0], year["elapsed"]) == ("2025-01", 12)


async def test_another_centre_does_not_exist(session: AsyncSession, client: httpx.AsyncClient) -> None:
    here, there = await factories.stall(session), await factories.stall(session)
    own = await coordinator_of(session, client, here)
    foreign = await program(client, session, there.owner)
    await own.ask("GET", f"/desk/centers/{there.center.slug}/demand", 404)
    await foreign.ask("GET", f"/desk/centers/{here.center.slug}/demand", 404)
