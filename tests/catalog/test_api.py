"""The catalogue for programs."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.money import Satang
from catalog.listings import Listing, ListingState
from tests.catalog import shelves
from tests.producers import factories as producers

LISTINGS = "/api/v1/listings"


async def some_listings(session: AsyncSession, *names: str) -> list[Listing]:
    group = await producers.group(session)
    found = [await shelves.listing(session, group, name_th=name) for name in names]
    await session.commit()
    return found


async def test_a_program_reads_the_shelves_page_by_page(client: httpx.AsyncClient, session: AsyncSession) -> None:
    await some_listings(session, "หนึ่ง", "สอง", "สาม")

    first = (await client.get(LISTINGS, params={"limit": 2})).json()
    second = await client.get(LISTINGS, params={"limit": 2, "cursor": first["next"]})

    assert [item["name"]["th"] for item in first["items"]] == ["สาม", "สอง"]
    assert [item["name"]["th"] for item in second.json()["items"]] == ["หนึ่ง"]
    assert second.json()["next"] is None


async def test_the_header_link_leads_to_the_next_page(client: httpx.AsyncClient, session: AsyncSession) -> None:
    await some_listings(session, "หนึ่ง", "สอง")

    first = await client.get(LISTINGS, params={"limit": 1, "sort": "name"})
    second = await client.get(first.links["next"]["url"])

    assert [item["name"]["th"] for item in second.json()["items"]] == ["หนึ่ง"]


async def test_every_filter_of_the_pages_narrows(client: httpx.AsyncClient, session: AsyncSession) -> None:
    cheap, dear = await some_listings(session, "ถูก", "แพง")
    dear.price_satang = Satang(100_00)
    await session.commit()

    found = await client.get(LISTINGS, params={"most_satang": 4500, "cluster": "processing-marketing", "q": "ถูก"})
    none = await client.get(LISTINGS, params={"category": "vegetables"})

    assert [item["slug"] for item in found.json()["items"]] == [cheap.slug]
    assert none.json() == {"items": [], "next": None}


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"group": "no-such-group"}, "group"),
        ({"province": "atlantis"}, "province"),
        ({"cluster": "mining"}, "cluster"),
        ({"sort": "loudest"}, "sort"),
        ({"least_satang": "-1"}, "least_satang"),
        ({"cursor": "bm9uc2Vuc2U="}, "cursor"),
        ({"limit": "0"}, "limit"),
    ],
)
async def test_a_choice_that_makes_no_sense_is_refused_by_name(
    client: httpx.AsyncClient, params: dict[str, str], field: str
) -> None:
    answer = await client.get(LISTINGS, params=params)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_facet_counts_what_its_choice_shows(client: httpx.AsyncClient, session: AsyncSession) -> None:
    await some_listings(session, "หนึ่ง", "สอง")

    counted = (await client.get("/api/v1/facets")).json()
    [option] = counted["facets"]["category"]
    shown = await client.get(LISTINGS, params={"category": option["code"]})

    assert counted["total"] == option["count"] == len(shown.json()["items"]) == 2


async def test_a_listing_tells_what_a_basket_needs_to_know(client: httpx.AsyncClient, session: AsyncSession) -> None:
    [listing] = await some_listings(session, "ข้าวเม่า")

    told = (await client.get(f"{LISTINGS}/{listing.slug}")).json()

    [variant] = told["variants"]
    assert (variant["price_satang"], variant["step_milli"], variant["is_there"]) == (4500, 1000, True)
    assert variant["left_milli"] is None  # plenty
    assert told["url"].endswith(f"/listings/{listing.slug}")
    assert told["url"].startswith("http://")


async def test_a_listing_is_asked_for_by_etag_until_it_changes(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    [listing] = await some_listings(session, "ข้าวเม่า")
    path = f"{LISTINGS}/{listing.slug}"
    known = await client.get(path)
    same = await client.get(path, headers={"If-None-Match": known.headers["etag"]})

    listing.name_th = "ข้าวเม่าใหม่"
    listing.changed_at += timedelta(hours=1)
    await session.commit()
    # Another address, which no web process remembers.
    changed = await client.get(path, params={"now": "1"}, headers={"If-None-Match": known.headers["etag"]})

    assert (same.status_code, same.content) == (304, b"")
    assert changed.status_code == 200
    assert changed.headers["last-modified"] > known.headers["last-modified"]


async def test_what_is_gone_and_what_never_was_are_told_apart(client: httpx.AsyncClient, session: AsyncSession) -> None:
    [listing] = await some_listings(session, "ข้าวเม่า")
    listing.state = ListingState.draft
    await session.commit()

    assert (await client.get(f"{LISTINGS}/{listing.slug}")).status_code == 410
    assert (await client.get(f"{LISTINGS}/never-was")).status_code == 404


async def test_groups_come_in_thai_order_and_one_is_told_whole(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    for name in ("ข", "ก", "ค"):
        await producers.group(session, name_th=name)
    await session.commit()

    first = (await client.get("/api/v1/groups", params={"limit": 2})).json()
    second = (await client.get("/api/v1/groups", params={"limit": 2, "cursor": first["next"]})).json()
    told = (await client.get(f"/api/v1/groups/{first['items'][0]['slug']}")).json()

    assert [item["name"]["th"] for item in first["items"] + second["items"]] == ["ก", "ข", "ค"]
    assert told["place"]["en"] == "Nong Sano, Nang Rong, Buri Ram"


async def test_the_words_of_the_catalogue_can_be_looked_up(client: httpx.AsyncClient, session: AsyncSession) -> None:
    center = await producers.center(session)
    await session.commit()

    assert len((await client.get("/api/v1/clusters")).json()) == 3
    assert len((await client.get("/api/v1/categories")).json()) == 25
    assert sum(len(each["provinces"]) for each in (await client.get("/api/v1/regions")).json()) == 77
    found = (await client.get("/api/v1/places", params={"q": "หนองโสน"})).json()
    assert "310427" in {place["code"] for place in found}
    assert (await client.get(f"/api/v1/centers/{center.slug}")).json()["number"] == center.number
