"""Wares: making a listing and changing what it says, where it stands, and the sizes in which it is sold.

Every word is read for what may not be sold (`catalog.forbidden`) before it is kept.  The words by which shoppers look
for a listing are kept with it, those of its group and place too; when a group changes its name, a trigger asks for them
to be written anew (`retell`).
"""

import re
import secrets
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock, jobs, places
from app.access import whole_market
from app.database import session_scope
from app.errors import NotFound, Refusal
from app.language import N_
from app.money import Satang
from app.pages import quantity
from app.people import Person
from app.thai_order import sort_key
from catalog import capacity, categories
from catalog.categories import Category
from catalog.forbidden import refuse_forbidden
from catalog.listings import (
    MILLI,
    Listing,
    ListingKind,
    ListingState,
    Variant,
    price_anew,
    refuse_price,
    sign,
    variants_of,
)
from catalog.search import plain
from catalog.seasons import Season
from producers import streams
from producers.clusters import Cluster
from producers.groups import Group, Storage
from producers.streams import Stream, StreamKind


class CategoryOfAnotherCluster(Refusal):
    status = 422
    message = N_("This category belongs to another cluster. Please choose one from the list.")


class AmountsNotInSteps(Refusal):
    status = 422
    message = N_("The least amount must be a whole number of steps of %(step)s.")


class LastVariant(Refusal):
    message = N_("A listing needs at least one size. Pause the listing if you do not sell it now.")


@dataclass(frozen=True, slots=True)
class Words:
    """What a listing says of itself."""

    name_th: str
    name_en: str | None = None
    description_th: str | None = None
    description_en: str | None = None


@dataclass(frozen=True, slots=True)
class Details:
    """On which shelf it stands, how it is kept, when it is there.  No category: among its cluster's other things."""

    cluster: Cluster
    category: str | None = None
    storage: Storage = Storage.ambient
    season: Season | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a variant is and costs: satang and grams per unit, amounts in thousandths of the unit."""

    unit_th: str
    unit_en: str | None = None
    price_satang: Satang | None = None
    net_weight_g: int | None = None
    label_th: str | None = None
    label_en: str | None = None
    step_milli: int = MILLI
    least_milli: int | None = None
    """None: one step."""


async def offer(
    session: AsyncSession,
    group: Group,
    words: Words,
    details: Details,
    terms: Terms,
    stock_milli: int = 0,
    *,
    kind: ListingKind = ListingKind.goods,
    stream: Stream | None = None,
    ref: str | None = None,
    by: Person | None = None,
) -> Listing:
    """Make a listing in draft with one variant, of which there is `stock_milli`.

    It earns for `stream`, or else for the group's default stream of its kind.  Refuses with `ForbiddenGoods` and the
    refusals of `set_details` and `add_variant`.
    """
    category = _checked(words, details)
    stream = stream or await streams.stream_for(session, group.id, StreamKind(kind))
    now = clock.now()
    listing = Listing(
        slug=await _free_slug(session, words.name_en or category.code),
        ref=ref,
        group_id=group.id,
        kind=kind,
        stream_id=stream.id,
        state=ListingState.draft,
        created_at=now,
    )
    _write(listing, group, words, details, by)
    session.add(listing)
    await session.flush()
    await add_variant(session, listing, terms, stock_milli, by=by)
    return listing


async def set_words(session: AsyncSession, listing: Listing, words: Words, *, by: Person | None = None) -> None:
    """Change what a listing says of itself; its address stays.  Refuses with `ForbiddenGoods`."""
    details = _details_of(listing)
    _checked(words, details)
    _write(listing, await session.get_one(Group, listing.group_id), words, details, by)


async def set_details(session: AsyncSession, listing: Listing, details: Details, *, by: Person | None = None) -> None:
    """Move a listing to its shelf.  Refuses with `CategoryOfAnotherCluster`."""
    words = _words_of(listing)
    _checked(words, details)
    _write(listing, await session.get_one(Group, listing.group_id), words, details, by)


def set_stream(listing: Listing, stream: Stream, *, by: Person | None = None) -> None:
    """Let it earn for another of its group's lines of income; what it earned stays where it is."""
    if stream.group_id != listing.group_id:
        raise NotFound
    listing.stream_id = stream.id
    sign(listing, by)


async def add_variant(
    session: AsyncSession, listing: Listing, terms: Terms, stock_milli: int = 0, *, by: Person | None = None
) -> Variant:
    """Offer another size, with a pool of its own.

    Refuses with `PriceDoesNotFitStep`, `AmountsNotInSteps` and (by the unit or label) `ForbiddenGoods`.
    """
    last = await session.scalar(select(func.max(Variant.position)).where(Variant.listing_id == listing.id))
    variant = Variant(
        listing_id=listing.id,
        position=0 if last is None else last + 1,
        pool_id=await capacity.new_pool(session, stock_milli),
        **_checked_terms(terms),
    )
    session.add(variant)
    await price_anew(session, listing, by)
    return variant


async def change_variant(session: AsyncSession, variant: Variant, terms: Terms, *, by: Person | None = None) -> None:
    """Change what a size is and costs.  Orders keep what they froze.  Refuses as `add_variant`."""
    for name, value in _checked_terms(terms).items():
        setattr(variant, name, value)
    await price_anew(session, await session.get_one(Listing, variant.listing_id), by)


async def close_variant(session: AsyncSession, variant: Variant, *, by: Person | None = None) -> None:
    """Stop offering a size; past orders still name it.  Refuses the last one with `LastVariant`."""
    listing = await session.get_one(Listing, variant.listing_id, with_for_update={"key_share": True})
    if [each.id for each in await variants_of(session, listing.id)] == [variant.id]:
        raise LastVariant
    variant.closed_at = variant.closed_at or clock.now()
    await price_anew(session, listing, by)


@jobs.handler("listings.retell")
async def retell(payload: dict[str, Any]) -> None:
    """Write anew what the word search knows of a group's listings: the group has another name or place now."""
    async with session_scope() as session:
        group = await session.get_one(Group, UUID(payload["group_id"]))
        for listing in await session.scalars(select(Listing).where(Listing.group_id == group.id)):
            listing.search_text = _search_text(group, _words_of(listing), _details_of(listing))


def _checked(words: Words, details: Details) -> Category:
    """Refuse what cannot be; return the category it stands in."""
    refuse_forbidden(
        {"name_th": words.name_th, "name_en": words.name_en},
        {"description_th": words.description_th, "description_en": words.description_en},
    )
    if details.category is None:
        return categories.other(details.cluster)
    category = categories.category(details.category)
    if category is None or category.cluster != details.cluster:
        raise CategoryOfAnotherCluster(field="category")
    return category


def _write(listing: Listing, group: Group, words: Words, details: Details, by: Person | None) -> None:
    listing.name_th, listing.name_en = words.name_th, words.name_en
    listing.description_th, listing.description_en = words.description_th, words.description_en
    listing.cluster = details.cluster
    listing.category = details.category or categories.other(details.cluster).code
    listing.storage = details.storage
    listing.season_from_month, listing.season_to_month = details.season or (None, None)
    listing.sort_key = sort_key(words.name_th)
    listing.search_text = _search_text(group, words, details)
    sign(listing, by)


def _words_of(listing: Listing) -> Words:
    return Words(listing.name_th, listing.name_en, listing.description_th, listing.description_en)


def _details_of(listing: Listing) -> Details:
    return Details(Cluster(listing.cluster), listing.category, Storage(listing.storage), listing.season)


def _search_text(group: Group, words: Words, details: Details) -> str:
    category = categories.category(details.category or "") or categories.other(details.cluster)
    named: list[Any] = [category, details.cluster, group, places.province(group.province_code)]
    if group.place:
        named += [group.place.subdistrict, group.place.district]
    others = chain.from_iterable((each.name_th, each.name_en) for each in named)
    return plain.search_text((words.name_th, words.name_en), [*others, words.description_th, words.description_en])


def _checked_terms(terms: Terms) -> dict[str, Any]:
    refuse_forbidden({"unit_th": terms.unit_th, "label_th": terms.label_th, "label_en": terms.label_en}, {})
    refuse_price(terms.price_satang, terms.step_milli)
    least_milli = terms.least_milli or terms.step_milli
    if least_milli % terms.step_milli:
        raise AmountsNotInSteps(field="least_milli", step=quantity(terms.step_milli))
    return {**asdict(terms), "least_milli": least_milli}


async def _free_slug(session: AsyncSession, name: str) -> str:
    """Return a name for addresses that no listing has: the English name, with a few letters if it is taken."""
    base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60].strip("-") or "listing"
    # Two of one name at the same moment wait for each other here.
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"listing slug {base}"))))
    slug, everybodys = base, whole_market("addresses are one for all")
    # "new" is a page of the desk.
    while slug == "new" or await session.scalar(select(Listing.id).where(everybodys, Listing.slug == slug)):
        slug = f"{base}-{secrets.token_hex(2)}"
    return slug
