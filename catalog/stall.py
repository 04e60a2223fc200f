"""A group's stall as its own people see it: every listing with its photo and what is left, also what is not on sale.

Shoppers see the shelves (`catalog.browse`); this is the view from behind them.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.errors import NotFound
from app.language import N_, Message
from app.people import Person
from catalog import capacity, categories, photos
from catalog.capacity import Pool
from catalog.listings import Listing, ListingCertificate, ListingKind, ListingState, Variant, sign, why_not_on_sale
from catalog.photos import PhotoState, Picture
from producers.clusters import Cluster
from producers.groups import Group


@dataclass(frozen=True, slots=True)
class Size:
    """A variant that is offered, with how much of it can be bought and is held for buyers who have not paid yet."""

    variant: Variant
    left_milli: int
    held_milli: int


@dataclass(frozen=True, slots=True)
class Offer:
    """One listing on the stall; `why` says in plain words what keeps it from being sold."""

    listing: Listing
    sizes: Sequence[Size]
    cover: Picture | None
    why: Sequence[Message]

    @property
    def is_public(self) -> bool:
        """Whether buyers find its page, though perhaps out of season or sold out."""
        return self.listing.state == ListingState.on_sale and self.listing.is_open

    @property
    def is_sold_out(self) -> bool:
        return self.is_goods and all(size.left_milli <= 0 for size in self.sizes)

    @property
    def is_goods(self) -> bool:
        return self.listing.kind == ListingKind.goods


@dataclass(frozen=True, slots=True)
class Hint:
    """Something that would make a listing better, and the page where it is done."""

    route: str
    message: str


async def stall_of(session: AsyncSession, group: Group) -> list[Offer]:
    """Return all listings of a group, those on sale first, each part in Thai order; in three queries."""
    on_sale_first = case((Listing.state == ListingState.on_sale, 0), else_=1)
    rows = (
        await session.scalars(
            select(Listing)
            .where(Listing.group_id == group.id)
            .order_by(on_sale_first, Listing.sort_key, Listing.id)
            .execution_options(populate_existing=True)
        )
    ).all()
    return await _offers(session, group, rows)


async def offer_of(session: AsyncSession, group: Group, slug: str) -> Offer:
    """Return one of the group's own listings, whatever its state; refuses with `NotFound`."""
    return (await _offers(session, group, [await own_listing(session, group, slug)]))[0]


async def own_listing(session: AsyncSession, group: Group, slug: str) -> Listing:
    """As `offer_of`, the row alone."""
    listing = await session.scalar(select(Listing).where(Listing.group_id == group.id, Listing.slug == slug))
    if listing is None:
        raise NotFound
    return listing


async def namesake(session: AsyncSession, group: Group, name_th: str) -> Listing | None:
    """Return the group's listing of that very name.

    Asking takes a turn: two forms with one name, sent at once, see each other.
    """
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"listing {group.id} {name_th}"))))
    found: Listing | None = await session.scalar(
        select(Listing).where(Listing.group_id == group.id, Listing.name_th == name_th).limit(1)
    )
    return found


async def certificates_ticked(session: AsyncSession, listing: Listing) -> set[UUID]:
    """Return the ids of the certificates that speak for a listing, the expired ones too."""
    question = select(ListingCertificate.certificate_id).where(ListingCertificate.listing_id == listing.id)
    return set(await session.scalars(question))


async def set_left(
    session: AsyncSession,
    listing: Listing,
    variant: Variant,
    milli: int,
    *,
    seen_milli: int | None = None,
    by: Person | None = None,
) -> None:
    """Say how much more of a size can be bought; refuses as `capacity.set_left`."""
    await capacity.set_left(session, variant.pool_id, milli, seen_milli=seen_milli)
    sign(listing, by)


def hints(offer: Offer) -> Iterator[Hint]:
    """Say gently what is still missing: none of it keeps a listing from being sold."""
    listing = offer.listing
    if offer.cover is None:
        yield Hint("listing_photos", N_("Add a photo: people buy what they can see."))
    if not listing.description_th:
        yield Hint("listing_words", N_("Tell a little about it: how it is made, how it tastes, how to keep it."))
    if not (listing.name_en and (listing.description_en or not listing.description_th)):
        yield Hint("listing_words", N_("Add English, and visitors from abroad can read it too."))
    if offer.is_goods and any(size.variant.net_weight_g is None for size in offer.sizes):
        yield Hint("listing_sizes", N_("Write the weight, so that we can work out what a parcel costs."))
    if listing.category == categories.other(Cluster(listing.cluster)).code:
        yield Hint("listing_details", N_("Choose a category, so that it is found on its shelf."))


async def _offers(session: AsyncSession, group: Group, rows: Sequence[Listing]) -> list[Offer]:
    listing_ids = [listing.id for listing in rows]
    sizes = await _sizes(session, listing_ids)
    covers = await photos.covers(session, listing_ids, tuple(PhotoState))
    return [_offer(group, listing, sizes.get(listing.id, []), covers.get(listing.id)) for listing in rows]


def _offer(group: Group, listing: Listing, sizes: Sequence[Size], cover: Picture | None) -> Offer:
    why = why_not_on_sale(listing, group, [size.variant for size in sizes], clock.business_day())
    return Offer(listing, sizes, cover, why)


async def _sizes(session: AsyncSession, listing_ids: Collection[UUID]) -> dict[UUID, list[Size]]:
    rows = await session.execute(
        select(Variant, capacity.available(Pool.id, clock.now()), Pool.on_hand_milli)
        .join(Pool, Pool.id == Variant.pool_id)
        .where(Variant.listing_id.in_(listing_ids), Variant.closed_at.is_(None))
        .order_by(Variant.position, Variant.id)
        .execution_options(populate_existing=True)
    )
    found: dict[UUID, list[Size]] = {}
    for variant, left, on_hand in rows:
        found.setdefault(variant.listing_id, []).append(Size(variant, left, on_hand - left))
    return found
