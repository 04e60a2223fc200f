"""Latency of pages as shelves and past grow, nothing kept: one reader at a time, every answer of status 200."""

import secrets
from dataclasses import dataclass
from statistics import median
from typing import Final

import httpx
from sqlalchemy import select

from app import access, people
from app.access import Role
from app.database import session_scope
from benchmarks import ground, load
from benchmarks.buyers import buyers
from benchmarks.pages import PAGES, written
from benchmarks.recording import untouched_market
from benchmarks.trade import FORM
from producers.centers import Center
from producers.groups import Group

TIMES: Final = 60


@dataclass(frozen=True, slots=True)
class Latency:
    name: str
    milliseconds: float


async def latencies() -> list[Latency]:
    """Median milliseconds of shop pages, an order's page, a group's canvas and a centre's sheet."""
    paths = {name: (path, "") for name, path in PAGES.items()} | await _desks()
    with ground.market(PAGE_MEMORY_SECONDS="0") as market:
        order = await _an_order(market.url)
        found = []
        for name, (path, cookie) in {**paths, "order": (order, "")}.items():
            sent = load.request("GET", written(path), cookie=cookie)
            volley = await load.volley(market.url, [sent] * TIMES, 1)
            assert set(volley.statuses) == {200}, (name, volley.statuses)
            found.append(Latency(name, round(median(volley.latencies) * 1000, 2)))
    return found


async def _desks() -> dict[str, tuple[str, str]]:
    """Somebody who works for a group and coordinates its centre, signed in."""
    async with session_scope() as session:
        group = (await session.scalars(select(Group).where(Group.slug == "stock-group-7"))).one()
        center = await session.get_one(Center, group.center_id)
        email = "bench@market.example"
        person = await people.by_email_or_phone(session, email)
        person = person or await people.register(
            session, name="ผู้วัด", email=email, phone=None, password=secrets.token_hex()
        )
        await access.grant(session, person, Role.owner, group_id=group.id)
        await access.grant(session, person, Role.coordinator, center_id=center.id)
        cookie = f"session={people.open_browser(session, person, device='bench')}"
    return {
        "group's desk": (f"/desk/groups/{group.slug}", cookie),
        "canvas": (f"/desk/groups/{group.slug}/canvas", cookie),
        "centre's sheet": (f"/desk/centers/{center.slug}/demand", cookie),
        "centre's revenue": (f"/desk/centers/{center.slug}/revenue", cookie),
    }


async def _an_order(url: str) -> str:
    """Place an order; return its page's path."""
    (buyer,) = await buyers(1)
    async with untouched_market() as client:
        form = await buyer.orders(client)
    async with httpx.AsyncClient(base_url=url) as client:
        placed = await client.post("/checkout", content=form, headers={"Cookie": buyer.cookie, **FORM})
    return placed.headers["location"]
