"""A group's listings for programs: make, change, price, say how much is left, sell and let rest, photos.

The same verbs as the desk's pages.  A listing's answer carries an `ETag`; a change that comes with `If-Match` is
refused when somebody changed the listing meanwhile (what buyers took does not count: `seen_milli` is for that).
"""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, File, Request, Response, UploadFile
from sqlalchemy import select

from app.access import Role
from app.api import paging
from app.api.etags import ChangedMeanwhile, IfMatch, etag_of, refuse_if_changed, tag
from app.api.paging import BrokenCursor, Cursor, Limit, Page
from app.api.route import refuses, room
from app.api.shapes import Slug
from app.database import Session
from app.errors import NotFound
from app.files import FilesOutOfReach
from app.forms import MOST_PICTURE_BYTES, Upload
from app.money import Satang
from app.picture_checks import PictureDamaged, PictureKindUnknown, PictureTooLarge, PictureTooSmall
from catalog import capacity, categories, forbidden, listings, photos, stall, wares
from catalog import desk_shapes as shapes
from catalog.desk_shapes import (
    LeftSent,
    ListingChanged,
    ListingSent,
    OwnListing,
    PhotoOrder,
    PriceSent,
    SizeSent,
    VariantSent,
)
from catalog.listings import Listing, ListingKind, Variant
from catalog.photos import Original
from producers import streams
from producers.api_places import ForGroup, group_for
from producers.clusters import Cluster
from producers.groups import Group

router = room("Desk")

HERE: Final = "/desk/groups/{slug}/listings"
ONE: Final = HERE + "/{listing_slug}"
SELLER: Final = group_for("listings:write", Role.editor)
Seller = Annotated[ForGroup, SELLER]
_WORDS: Final = (
    *(forbidden.Alcohol, forbidden.Tobacco, forbidden.Cannabis, forbidden.Medicine),
    wares.CategoryOfAnotherCluster,
)
_PICTURE: Final = (FilesOutOfReach, PictureDamaged, PictureKindUnknown, PictureTooLarge, PictureTooSmall)
_TERMS: Final = (listings.PriceDoesNotFitStep, wares.AmountsNotInSteps)


@router.get(HERE, responses=refuses(BrokenCursor))
async def list_own_listings(
    request: Request,
    response: Response,
    session: Session,
    seller: Seller,
    limit: Limit = paging.USUAL,
    cursor: Cursor = None,
) -> Page[OwnListing]:
    """Everything on the group's stall, those on sale first; without photos."""
    offers = await stall.stall_of(session, seller.group)
    slugs = [offer.listing.slug for offer in offers]
    last = paging.place_of(cursor, str)[0] if cursor else None
    if last is not None and last not in slugs:
        raise BrokenCursor(field="cursor")
    start = slugs.index(last) + 1 if last else 0
    shown = offers[start : start + limit]
    following = paging.written(shown[-1].listing.slug) if start + limit < len(offers) else None
    return paging.page(request, response, [shapes.listing(each, None) for each in shown], following)


@router.post(HERE, status_code=201, responses=refuses(*_WORDS, *_TERMS, listings.PriceMissing))
async def make_listing(response: Response, session: Session, seller: Seller, sent: ListingSent) -> OwnListing:
    """Make a listing with one size, as a draft or at once on sale."""
    group = seller.group
    stream = await streams.stream_of(session, group.id, sent.stream_id) if sent.stream_id else None
    made = await wares.offer(
        session,
        group,
        shapes.words_of(sent),
        shapes.details_of(sent, _cluster_of(group, sent)),
        sent.variant.terms(),
        sent.left_milli,
        kind=sent.kind,
        stream=stream,
        ref=sent.ref,
        by=seller.person,
    )
    if sent.on_sale:
        await listings.put_on_sale(session, made, by=seller.person)
    return await _told(response, session, group, made)


@router.get(ONE)
async def show_own_listing(response: Response, session: Session, seller: Seller, listing_slug: Slug) -> OwnListing:
    """A listing with its sizes, its photos, and in words what keeps it from being bought."""
    found = await stall.own_listing(session, seller.group, listing_slug)
    return await _told(response, session, seller.group, found)


@router.patch(ONE, responses=refuses(*_WORDS, ChangedMeanwhile))
async def change_listing(
    response: Response,
    session: Session,
    seller: Seller,
    listing_slug: Slug,
    sent: ListingChanged,
    if_match: IfMatch = None,
) -> OwnListing:
    """Change words, category, storage or season; the address stays."""
    found = await _to_change(session, seller.group, listing_slug, if_match)
    if sent.name or sent.description:
        await wares.set_words(session, found, shapes.words_changed(found, sent), by=seller.person)
    if sent.model_fields_set & {"category", "storage", "season"}:
        category = categories.category(sent.category or found.category)
        cluster = category.cluster if category and _stands_with(found, category.cluster) else Cluster(found.cluster)
        await wares.set_details(session, found, shapes.details_changed(found, sent, cluster), by=seller.person)
    return await _told(response, session, seller.group, found)


@router.post(ONE + "/sell", responses=refuses(listings.PriceMissing, ChangedMeanwhile))
async def sell(
    response: Response, session: Session, seller: Seller, listing_slug: Slug, if_match: IfMatch = None
) -> OwnListing:
    """Put it on sale."""
    found = await _to_change(session, seller.group, listing_slug, if_match)
    await listings.put_on_sale(session, found, by=seller.person)
    return await _told(response, session, seller.group, found)


@router.post(ONE + "/pause", responses=refuses(ChangedMeanwhile))
async def let_rest(
    response: Response, session: Session, seller: Seller, listing_slug: Slug, if_match: IfMatch = None
) -> OwnListing:
    """Take it off the shelves for a while; what buyers hold stays theirs."""
    found = await _to_change(session, seller.group, listing_slug, if_match)
    listings.pause(found, by=seller.person)
    return await _told(response, session, seller.group, found)


@router.post(ONE + "/sizes", status_code=201, responses=refuses(*_WORDS[:4], *_TERMS, ChangedMeanwhile))
async def add_size(
    response: Response,
    session: Session,
    seller: Seller,
    listing_slug: Slug,
    sent: SizeSent,
    if_match: IfMatch = None,
) -> OwnListing:
    """Offer another size or flavour."""
    found = await _to_change(session, seller.group, listing_slug, if_match)
    await wares.add_variant(session, found, sent.terms(), sent.left_milli, by=seller.person)
    return await _told(response, session, seller.group, found)


@router.put(ONE + "/sizes/{variant_id}", responses=refuses(*_WORDS[:4], *_TERMS, ChangedMeanwhile))
async def change_size(
    response: Response,
    session: Session,
    seller: Seller,
    listing_slug: Slug,
    variant_id: UUID,
    sent: VariantSent,
    if_match: IfMatch = None,
) -> OwnListing:
    """Change what a size is and costs; orders keep what they froze."""
    found = await _to_change(session, seller.group, listing_slug, if_match)
    await wares.change_variant(session, await _size(session, found, variant_id), sent.terms(), by=seller.person)
    return await _told(response, session, seller.group, found)


@router.delete(ONE + "/sizes/{variant_id}", responses=refuses(wares.LastVariant, ChangedMeanwhile))
async def close_size(
    response: Response,
    session: Session,
    seller: Seller,
    listing_slug: Slug,
    variant_id: UUID,
    if_match: IfMatch = None,
) -> OwnListing:
    """Stop offering a size."""
    found = await _to_change(session, seller.group, listing_slug, if_match)
    await wares.close_variant(session, await _size(session, found, variant_id), by=seller.person)
    return await _told(response, session, seller.group, found)


@router.put(ONE + "/sizes/{variant_id}/price", responses=refuses(listings.PriceDoesNotFitStep, ChangedMeanwhile))
async def set_price(
    response: Response,
    session: Session,
    seller: Seller,
    listing_slug: Slug,
    variant_id: UUID,
    sent: PriceSent,
    if_match: IfMatch = None,
) -> OwnListing:
    """Set the price of one unit."""
    found = await _to_change(session, seller.group, listing_slug, if_match)
    price = Satang(sent.price_satang) if sent.price_satang else None
    await listings.set_price(session, await _size(session, found, variant_id), price, by=seller.person)
    return await _told(response, session, seller.group, found)


@router.put(ONE + "/sizes/{variant_id}/left", responses=refuses(capacity.StockMoved))
async def set_left(
    response: Response, session: Session, seller: Seller, listing_slug: Slug, variant_id: UUID, sent: LeftSent
) -> OwnListing:
    """Say how much more can be bought, beside what is kept for buyers already."""
    found = await stall.own_listing(session, seller.group, listing_slug)
    size = await _size(session, found, variant_id)
    await stall.set_left(session, found, size, sent.left_milli, seen_milli=sent.seen_milli, by=seller.person)
    return await _told(response, session, seller.group, found)


async def _original(photo: Annotated[UploadFile, File(description="JPEG, PNG, WebP, HEIC or AVIF")]) -> Original:
    """Dependency: a picture that was looked at and put away before anything is locked."""
    return await photos.take_in(Upload(photo.filename or "photo", await photo.read(MOST_PICTURE_BYTES + 1)))


@router.post(ONE + "/photos", status_code=201, responses=refuses(photos.TooManyPhotos, *_PICTURE))
async def add_photo(
    response: Response,
    session: Session,
    seller: Seller,
    listing_slug: Slug,
    original: Annotated[Original, Depends(_original)],
) -> OwnListing:
    """Add a photo behind the others; it shows as soon as it is made ready."""
    found = await stall.own_listing(session, seller.group, listing_slug)
    await photos.add(session, seller.group.id, original, listing_id=found.id, by=seller.person)
    return await _told(response, session, seller.group, found)


@router.put(ONE + "/photos", responses=refuses(photos.PhotosMissing))
async def arrange_photos(
    response: Response, session: Session, seller: Seller, listing_slug: Slug, sent: PhotoOrder
) -> OwnListing:
    """Put the photos in order."""
    found = await stall.own_listing(session, seller.group, listing_slug)
    await photos.arrange(session, found.id, sent.photo_ids)
    return await _told(response, session, seller.group, found)


@router.delete(ONE + "/photos/{photo_id}")
async def remove_photo(
    response: Response, session: Session, seller: Seller, listing_slug: Slug, photo_id: UUID
) -> OwnListing:
    """Take a photo away."""
    found = await stall.own_listing(session, seller.group, listing_slug)
    await photos.remove(session, await photos.photo_of(session, found.id, photo_id))
    return await _told(response, session, seller.group, found)


def _cluster_of(group: Group, sent: ListingSent) -> Cluster:
    if sent.cluster:
        return sent.cluster
    if sent.category and (category := categories.category(sent.category)):
        return category.cluster
    if sent.kind == ListingKind.experience:
        return Cluster.services
    return Cluster.processing_marketing if group.cluster == Cluster.services else group.in_cluster


def _stands_with(found: Listing, cluster: Cluster) -> bool:
    """Goods and visits stand on different shelves."""
    return (found.kind == ListingKind.experience) == (cluster == Cluster.services)


async def _size(session: Session, found: Listing, variant_id: UUID) -> Variant:
    variant = await session.scalar(
        select(Variant).where(Variant.listing_id == found.id, Variant.id == variant_id, Variant.closed_at.is_(None))
    )
    if variant is None:
        raise NotFound
    return variant


async def _to_change(session: Session, group: Group, slug: str, if_match: str | None) -> Listing:
    """Lock the listing and see that it is what the caller read."""
    found = await stall.own_listing(session, group, slug)
    await session.refresh(found, with_for_update={"key_share": True})
    refuse_if_changed(if_match, _etag(await _read(session, group, found)))
    return found


async def _read(session: Session, group: Group, found: Listing) -> OwnListing:
    await session.flush()
    return shapes.listing(
        await stall.offer_of(session, group, found.slug), list(await photos.photos_of(session, found.id))
    )


async def _told(response: Response, session: Session, group: Group, found: Listing) -> OwnListing:
    told = await _read(session, group, found)
    tag(response, _etag(told))
    return told


def _etag(told: OwnListing) -> str:
    return etag_of(told.state_text())
