"""What search engines may find: an index of all pages worth finding, in both languages, and what they may leave alone.

The index names parts: one with the pages that are always there, the shelves and the stalls; then the listings in parts of
a few thousand, far below the 50,000 addresses that one file may hold (https://www.sitemaps.org/protocol.html).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape

from fastapi import APIRouter, Request, Response
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import places
from app.database import Session
from app.errors import NotFound
from app.language import LANGUAGES
from app.pages import Pages
from app.settings import settings
from catalog.cards import on_shelf
from catalog.listings import Listing
from producers.centers import Center
from producers.groups import Group, GroupState

router = APIRouter()

LISTINGS_OF_A_PART: Final = 5_000
MOST_PARTS: Final = 10_000
"""Beyond that no database is asked."""
KEPT: Final = {"Cache-Control": "public, max-age=3600"}
ALWAYS_THERE: Final = ("home", "browse", "centers_map", "how_we_rank", "terms", "privacy")
NOT_FOR_ROBOTS: Final = (
    "basket",
    "checkout",
    "account",
    "sign-in",
    "desk",
    "staff",
    "o/",
    "orders",
    "my",
    "invitations",
)

Entry = tuple[str, dict[str, str], datetime | None]
"""A page by its route's name and parameters, and when it changed."""


@router.get("/robots.txt", name="robots")
async def robots() -> Response:
    kept_out = (f"Disallow: {prefix}/{path}" for path in NOT_FOR_ROBOTS for prefix in ("", "/en"))
    lines = ("User-agent: *", *kept_out, "", f"Sitemap: {settings().address}/sitemap.xml", "")
    return Response("\n".join(lines), media_type="text/plain", headers=KEPT)


@router.get("/sitemap.xml", name="sitemap")
async def sitemap(session: Session) -> Response:
    listings = await session.scalar(select(func.count()).select_from(Listing).where(on_shelf())) or 0
    parts = range(parts_of(listings) + 1)
    named = "".join(f"<sitemap><loc>{settings().address}/sitemap-{part}.xml</loc></sitemap>" for part in parts)
    return _xml(f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{named}</sitemapindex>')


@router.get("/sitemap-{part}.xml", name="sitemap_part")
async def sitemap_part(request: Request, session: Session, part: int) -> Response:
    """Part 0 has everything but the listings."""
    if not 0 <= part <= MOST_PARTS:
        raise NotFound
    entries = await (listings_of_part(session, part) if part else _shelves(session))
    if not entries:
        raise NotFound
    pages: Pages = request.app.state.pages
    urls = "".join(_url(pages, entry) for entry in entries)
    return _xml(
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml">'
        f"{urls}</urlset>"
    )


def parts_of(listings: int, most: int = LISTINGS_OF_A_PART) -> int:
    """Into how many parts so many listings go."""
    return -(-listings // most)


async def listings_of_part(session: AsyncSession, part: int, most: int = LISTINGS_OF_A_PART) -> list[Entry]:
    """Return the listings on the shelves that stand in a part (from 1), the oldest first: new ones come at the end."""
    rows = await session.execute(
        select(Listing.slug, Listing.changed_at)
        .where(on_shelf())
        .order_by(Listing.published_at, Listing.id)
        .offset((part - 1) * most)
        .limit(most)
    )
    return [("listing", {"slug": slug}, changed_at) for slug, changed_at in rows]


async def _shelves(session: AsyncSession) -> list[Entry]:
    """The pages that are always there, every shelf that is not empty, and every stall."""
    filled = (
        await session.execute(
            select(Listing.cluster, Listing.category, Listing.region, Listing.province_code)
            .where(on_shelf())
            .distinct()
        )
    ).all()
    browse = [
        *({"cluster": cluster} for cluster in sorted({row.cluster for row in filled})),
        *(
            {"cluster": cluster, "category": category}
            for cluster, category in sorted({(row.cluster, row.category) for row in filled})
        ),
        *({"region": region} for region in sorted({row.region for row in filled})),
        *({"province": slug} for slug in sorted(_province_slugs(row.province_code for row in filled))),
    ]
    centers = await session.scalars(select(Center.slug).order_by(Center.number))
    groups = await session.execute(
        select(Group.slug, Group.changed_at).where(Group.state == GroupState.approved).order_by(Group.slug)
    )
    return [
        *((name, {}, None) for name in ALWAYS_THERE),
        *(("browse", query, None) for query in browse),
        *(("center", {"slug": slug}, None) for slug in centers),
        *(("group", {"slug": slug}, changed_at) for slug, changed_at in groups),
    ]


def _province_slugs(codes: Iterable[str]) -> set[str]:
    return {places.province_slug(found) for code in set(codes) if (found := places.province(code))}


def _url(pages: Pages, entry: Entry) -> str:
    """The page in each language, every one naming all of them."""
    name, params, changed_at = entry
    there = {lang: escape(settings().address + pages.url(lang, name, **params)) for lang in LANGUAGES}
    links = [*there.items(), ("x-default", there["th"])]
    others = "".join(f'<xhtml:link rel="alternate" hreflang="{lang}" href="{href}"/>' for lang, href in links)
    changed = f"<lastmod>{changed_at.isoformat(timespec='seconds')}</lastmod>" if changed_at else ""
    return "".join(f"<url><loc>{href}</loc>{changed}{others}</url>" for href in there.values())


def _xml(document: str) -> Response:
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>{document}', media_type="application/xml", headers=KEPT)
