"""What people do on a market, through its verbs and pages, as far as any version of the code knows it."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from app import jobs
from app.clock import FrozenClock
from app.worker import work_off
from tests import factories, pictures
from tests.orders import every_state
from tests.producers import factories as producers
from tests.producers.desk import enter

GUEST: Final = ("/", "/en/market?sort=price", "/market?cluster=production", "/search?q=ข้าว", "/basket", "/checkout")
GROUP: Final = ("", "/picking", "/listings", "/canvas")
STAFF: Final = ("/staff", "/desk/slips", "/desk/refunds")


async def play(session: AsyncSession, client: httpx.AsyncClient, clock: FrozenClock) -> None:
    """Sell, pay, pack, cancel and pay back; look at the pages of everybody; let the worker do what is due."""
    orders = await every_state.market(session, clock)
    stall = await every_state.stall_of(session, orders[0])
    await every_state.photo(session, stall, pictures.jpeg(40, 30))
    await _look_around(client, [*GUEST, f"/listings/{stall.listing.slug}", f"/groups/{stall.group.slug}"])
    await client.post("/basket/add", data={"variant_id": str(stall.variant.id), "quantity": "1"})
    await _look_around(client, ["/basket", "/checkout", *(order.path for order in orders)])
    await enter(client, session, stall.owner)
    await _look_around(client, [f"/desk/groups/{stall.group.slug}{page}" for page in GROUP])
    coordinator = await producers.coordinator(session, stall.center)
    await enter(client, session, coordinator)
    await _look_around(client, [f"/desk/centers/{stall.center.slug}", f"/desk/centers/{stall.center.slug}/revenue"])
    member = await factories.staff(session)
    assert member.person is not None
    await enter(client, session, member.person)
    await _look_around(client, STAFF)
    await jobs.tend(session)
    await session.commit()
    await work_off()


async def _look_around(client: httpx.AsyncClient, paths: Iterable[str]) -> None:
    for path in paths:
        answer = await client.get(path)
        assert answer.status_code < HTTPStatus.BAD_REQUEST, path
