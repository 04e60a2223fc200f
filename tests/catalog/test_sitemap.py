"""What search engines are told: every page worth finding, in both languages, and nothing else."""

from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree as ET

import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from app.settings import settings
from catalog import sitemap
from catalog.listings import ListingState
from tests.catalog import shelves
from tests.producers import factories

NAMES = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}


async def locations(client: httpx.AsyncClient, path: str) -> list[str]:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/xml")
    return [str(loc.text) for loc in ET.fromstring(answer.text).findall(".//s:loc", NAMES)]  # noqa: S314 - our own


async def everything(client: httpx.AsyncClient) -> list[str]:
    parts = await locations(client, "/sitemap.xml")
    found = [await locations(client, part.removeprefix(settings().address)) for part in parts]
    return [location.removeprefix(settings().address) for part in found for location in part]


async def test_every_page_that_is_named_is_there(session: AsyncSession, client: httpx.AsyncClient) -> None:
    group = await factories.group(session)
    listing = await shelves.listing(session, group)
    await session.commit()
    found = await everything(client)
    assert {"/", "/en/", f"/listings/{listing.slug}", f"/en/groups/{group.slug}", "/market?province=buri-ram",
            "/market?cluster=processing-marketing&category=snacks-sweets"} <= set(found)  # fmt: skip
    assert len(found) == len(set(found))
    for path in found:
        assert (await client.get(path)).status_code == 200, path


async def test_only_what_is_on_sale_is_named(session: AsyncSession, client: httpx.AsyncClient) -> None:
    group, waiting = await factories.group(session), await factories.group(session, approved=False)
    await shelves.listing(session, group, state=ListingState.draft)
    await shelves.listing(session, group, state=ListingState.paused)
    await shelves.listing(session, waiting)
    await session.commit()
    found = await everything(client)
    assert not any("/listings/" in path or waiting.slug in path for path in found)


async def test_a_page_names_itself_in_the_other_language(session: AsyncSession, client: httpx.AsyncClient) -> None:
    listing = await shelves.listing(session, await factories.group(session))
    await session.commit()
    here = f"{settings().address}/listings/{listing.slug}"
    english = f"{settings().address}/en/listings/{listing.slug}"
    urls = ET.fromstring((await client.get("/sitemap-1.xml")).text).findall("s:url", NAMES)  # noqa: S314 - our own
    assert [url.findtext("s:loc", None, NAMES) for url in urls] == [here, english]
    for url in urls:
        links = {link.get("hreflang"): link.get("href") for link in url.findall("x:link", NAMES)}
        assert links == {"th": here, "en": english, "x-default": here}


async def test_every_listing_stands_in_one_part(session: AsyncSession) -> None:
    group = await factories.group(session)
    slugs = [(await shelves.listing(session, group)).slug for _ in range(5)]
    parts = [await sitemap.listings_of_part(session, part + 1, most=2) for part in range(sitemap.parts_of(5, most=2))]
    assert [[entry[1]["slug"] for entry in part] for part in parts] == [slugs[:2], slugs[2:4], slugs[4:]]


async def test_there_is_nothing_beyond_the_last_part(client: httpx.AsyncClient) -> None:
    assert await locations(client, "/sitemap.xml") == [f"{settings().address}/sitemap-0.xml"]
    for beyond in ("1", "-1", "99999999999999999999", "x"):
        assert (await client.get(f"/sitemap-{beyond}.xml")).status_code == 404


async def test_robots_may_read_the_shelves_and_nothing_personal(client: httpx.AsyncClient) -> None:
    answer = await client.get("/robots.txt")
    rules = RobotFileParser()
    rules.parse(answer.text.splitlines())
    assert rules.site_maps() == [f"{settings().address}/sitemap.xml"]
    assert all(
        rules.can_fetch("*", path) for path in ("/", "/market?cluster=production", "/en/listings/rice", "/groups/x")
    )
    assert not any(
        rules.can_fetch("*", path) for path in ("/basket", "/en/checkout", "/o/secret", "/desk", "/staff/slips")
    )
