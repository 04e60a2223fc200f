"""A group's program keeps its listings: what it offers, at which price, how much is left, with which photos."""

from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from tests.ground.callers import Program, program
from tests.orders import factories
from tests.orders.factories import Stall
from tests.pictures import jpeg

NEW: dict[str, Any] = {
    "name": {"th": "ข้าวเม่าคลุก", "en": "Sweet khao mao"},
    "category": "snacks-sweets",
    "variant": {"unit": {"th": "กล่อง"}, "price_satang": 6000},
    "left_milli": 12000,
    "on_sale": True,
}


async def seller(session: AsyncSession, client: httpx.AsyncClient) -> tuple[Stall, Program, str]:
    stall = await factories.stall(session)
    own = await program(client, session, stall.owner, "listings:write", group_id=stall.group.id)
    return stall, own, f"/desk/groups/{stall.group.slug}/listings"


async def test_a_program_puts_new_goods_on_the_shelf(session: AsyncSession, client: httpx.AsyncClient) -> None:
    _, own, desk = await seller(session, client)
    made = await own.ask("POST", desk, 201, json=NEW)
    assert (made["state"], made["sizes"][0]["left_milli"], made["why_not_on_sale"]) == ("on_sale", 12000, [])
    seen = await client.get(f"/api/v1/listings/{made['slug']}")
    assert (seen.status_code, seen.json()["name"]["en"]) == (200, "Sweet khao mao")
    assert made["slug"] in [each["slug"] for each in (await own.get(desk))["items"]]


async def test_the_same_key_makes_one_listing(session: AsyncSession, client: httpx.AsyncClient) -> None:
    _, own, desk = await seller(session, client)
    key = {"Idempotency-Key": "one-and-the-same-key"}
    first, second = [await own.raw("POST", desk, json=NEW, headers=key) for _ in range(2)]
    assert first.content == second.content
    assert len((await own.get(desk))["items"]) == 2


async def test_price_and_amount_change_and_say_so(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall, own, desk = await seller(session, client)
    size = f"{desk}/{stall.listing.slug}/sizes/{stall.variant.id}"
    await own.ask("PUT", f"{size}/price", json={"price_satang": 5500})
    told = await own.ask("PUT", f"{size}/left", json={"left_milli": 3000, "seen_milli": 10000})
    assert (told["sizes"][0]["price_satang"], told["sizes"][0]["left_milli"]) == (5500, 3000)
    no = await own.ask("PUT", f"{size}/left", 409, json={"left_milli": 5000, "seen_milli": 10000})
    assert no["type"] == "urn:market:stock-moved"


async def test_an_older_reading_does_not_overwrite_a_newer_one(
    session: AsyncSession, client: httpx.AsyncClient
) -> None:
    stall, own, desk = await seller(session, client)
    path = f"{desk}/{stall.listing.slug}"
    read = (await own.raw("GET", path)).headers["ETag"]
    changed = await own.raw("PATCH", path, json={"name": {"th": "ข้าวเม่าหอม"}}, headers={"If-Match": read})
    late = await own.raw("PATCH", path, json={"name": {"th": "ชื่ออื่น"}}, headers={"If-Match": read})
    assert (changed.status_code, late.status_code) == (200, 412)
    assert late.json()["type"] == "urn:market:changed-meanwhile"
    again = await own.raw(
        "PATCH", path, json={"season": {"from_month": 11, "to_month": 2}}, headers={"If-Match": changed.headers["ETag"]}
    )
    assert (again.json()["name"]["th"], again.json()["season"]) == ("ข้าวเม่าหอม", {"from_month": 11, "to_month": 2})


async def test_what_buyers_take_is_no_change_of_the_listing(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall, own, desk = await seller(session, client)
    path = f"{desk}/{stall.listing.slug}"
    read = (await own.raw("GET", path)).headers["ETag"]
    await factories.order(session, (stall, 1000))
    await session.commit()
    assert (await own.raw("GET", path)).headers["ETag"] == read


async def test_a_resting_listing_says_why_it_is_not_sold(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall, own, desk = await seller(session, client)
    told = await own.ask("POST", f"{desk}/{stall.listing.slug}/pause")
    assert told["state"] == "paused"
    assert [each["en"] for each in told["why_not_on_sale"]] == ["You have let it rest."]
    assert (await own.ask("POST", f"{desk}/{stall.listing.slug}/sell"))["why_not_on_sale"] == []


async def test_forbidden_goods_are_refused_here_too(session: AsyncSession, client: httpx.AsyncClient) -> None:
    _, own, desk = await seller(session, client)
    no = await own.ask("POST", desk, 422, json={**NEW, "name": {"th": "เหล้าขาวทำเอง"}})
    assert no["type"] == "urn:market:alcohol"
    assert no["errors"][0]["field"] == "name_th"


async def test_photos_are_added_put_in_order_and_taken_away(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall, own, desk = await seller(session, client)
    path = f"{desk}/{stall.listing.slug}/photos"
    for name in ("a.jpg", "b.jpg"):
        told = await own.ask("POST", path, 201, files={"photo": (name, jpeg(800, 600), "image/jpeg")})
    first, second = [each["id"] for each in told["photos"]]
    turned = await own.ask("PUT", path, json={"photo_ids": [second, first]})
    assert [each["id"] for each in turned["photos"]] == [second, first]
    await own.ask("PUT", path, 422, json={"photo_ids": [first]})
    left = await own.ask("DELETE", f"{path}/{second}")
    assert [each["id"] for each in left["photos"]] == [first]
    no = await own.ask("POST", path, 422, files={"photo": ("c.jpg", b"no picture", "image/jpeg")})
    assert no["detail_th"]


async def test_another_groups_goods_do_not_exist(session: AsyncSession, client: httpx.AsyncClient) -> None:
    other = await factories.stall(session)
    stall, own, desk = await seller(session, client)
    await own.ask("PATCH", f"{desk}/{other.listing.slug}", 404, json={"name": {"th": "ของเรา"}})
    await own.ask("POST", f"/desk/groups/{other.group.slug}/listings", 404, json=NEW)
    foreign_size = f"{desk}/{stall.listing.slug}/sizes/{other.variant.id}/price"
    await own.ask("PUT", foreign_size, 404, json={"price_satang": 100})
