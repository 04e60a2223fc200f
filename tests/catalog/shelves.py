"""Stocked shelves for tests of browsing: listings written straight into their tables, one by one or by the thousand."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.thai_order import sort_key
from catalog import capacity
from catalog.listings import Listing, ListingCertificate, ListingKind, ListingState, Variant
from catalog.search import plain
from producers import streams
from producers.certificates import Certificate
from producers.clusters import Cluster
from producers.groups import Group
from producers.streams import StreamKind

_numbers = count(1)


async def listing(
    session: AsyncSession,
    group: Group,
    *,
    name_th: str = "ข้าวเม่าคลุก",
    name_en: str | None = "Sweet young rice",
    price_satang: int | None = 4500,
    left_milli: int = 10_000,
    category: str = "snacks-sweets",
    cluster: Cluster = Cluster.processing_marketing,
    certificates: Sequence[Certificate] = (),
    state: ListingState = ListingState.on_sale,
    published_at: datetime | None = None,
    **rest: Any,
) -> Listing:
    """Put something on the shelves, newer than what was put there before, with one variant."""
    number = next(_numbers)
    now = clock.now()
    stream = await streams.stream_for(session, group.id, StreamKind.goods)
    added = Listing(
        slug=f"listing-{number}",
        group_id=group.id,
        kind=rest.pop("kind", ListingKind.goods),
        name_th=name_th,
        name_en=name_en,
        cluster=cluster,
        category=category,
        stream_id=stream.id,
        storage=rest.pop("storage", "ambient"),
        state=state,
        sort_key=sort_key(name_th),
        search_text=plain.search_text((name_th, name_en), (group.name_th, group.name_en)),
        price_satang=price_satang,
        published_at=None if state == ListingState.draft else published_at or now + timedelta(seconds=number),
        created_at=now,
        changed_at=now,
        **rest,
    )
    session.add(added)
    await session.flush()
    session.add_all(ListingCertificate(listing_id=added.id, certificate_id=each.id) for each in certificates)
    await variant(session, added, price_satang=price_satang, left_milli=left_milli)
    await session.refresh(added)
    return added


async def variant(
    session: AsyncSession,
    listing: Listing,
    *,
    price_satang: int | None = 4500,
    left_milli: int = 10_000,
    position: int = 0,
    **rest: Any,
) -> Variant:
    added = Variant(
        listing_id=listing.id,
        position=position,
        unit_th=rest.pop("unit_th", "ถุง"),
        unit_en=rest.pop("unit_en", "bag"),
        price_satang=price_satang,
        pool_id=await capacity.new_pool(session, left_milli),
        **rest,
    )
    session.add(added)
    await session.flush()
    return added
