"""Cards: a listing at a glance, as it stands on the shelves: name, price, place, and whether it can be had.

Whoever shows listings (browse, the front page, a group, a centre) says which and in what order; everything a card shows
comes with two queries, however many there are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Label,
    ScalarSelect,
    Select,
    SQLColumnExpression,
    and_,
    func,
    literal_column,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from app import clock, places
from app.language import Bilingual
from catalog.capacity import Pool, available
from catalog.listings import MILLI, Listing, ListingCertificate, ListingKind, Variant
from catalog.photos import Picture, covers
from producers.certificates import Certificate, CertificateKind, living
from producers.groups import Group


class Availability(StrEnum):
    """Whether something can be had today."""

    here = "here"
    sold_out = "sold_out"
    out_of_season = "out_of_season"
    on_asking = "on_asking"
    """An experience, or goods whose price the group tells on asking: nothing for the basket."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A variant that is offered, and how much of it can be bought at this moment."""

    variant: Variant
    left_milli: int

    @property
    def is_there(self) -> bool:
        return self.variant.price_satang is not None and self.left_milli >= self.variant.least_milli

    @property
    def least(self) -> str:
        """The least amount in sale units, as a field takes it: "0.5"; likewise `step` and `most`."""
        return f"{self.variant.least_milli / MILLI:g}"

    @property
    def step(self) -> str:
        return f"{self.variant.step_milli / MILLI:g}"

    @property
    def most(self) -> str:
        return f"{self.left_milli // self.variant.step_milli * self.variant.step_milli / MILLI:.12g}"


@dataclass(frozen=True, slots=True)
class Seller:
    """A group as cards name it."""

    slug: str
    name_th: str
    name_en: str | None
    province_code: str

    @property
    def province(self) -> Bilingual:
        found = places.province(self.province_code)
        return Bilingual(found.name_th, found.name_en) if found else Bilingual("")


@dataclass(frozen=True, slots=True)
class Card:
    listing: Listing
    seller: Seller
    offers: Sequence[Offer]
    """The cheapest first, those without a price last."""
    certificates: Sequence[CertificateKind]
    """What holds today."""
    picture: Picture | None
    place: tuple[Any, ...]
    """Where it stands in the order it was asked for: the values of the order's keys."""

    @property
    def first(self) -> Offer | None:
        """What the price on the card is for: the cheapest that can be had, else the cheapest."""
        priced = [offer for offer in self.offers if offer.variant.price_satang]
        return next((offer for offer in priced if offer.is_there), priced[0] if priced else None)

    @property
    def has_other_prices(self) -> bool:
        return len({offer.variant.price_satang for offer in self.offers}) > 1

    @property
    def availability(self) -> Availability:
        return availability(self.listing, self.offers)

    @property
    def badges(self) -> list[tuple[str, Bilingual]]:
        return [("certificate", Bilingual(kind.name_th, kind.name_en)) for kind in self.certificates]


@dataclass(frozen=True, slots=True)
class Order:
    """By what listings are put in order: all keys upwards or all downwards, the last one being their own id."""

    keys: tuple[SQLColumnExpression[Any], ...]
    downwards: bool = False

    def reversed(self) -> "Order":
        return Order(self.keys, not self.downwards)

    def by(self, keys: Iterable[SQLColumnExpression[Any]]) -> list[ColumnElement[Any]]:
        return [key.desc() if self.downwards else key.asc() for key in keys]


NEWEST: Final = Order((Listing.published_at, Listing.id), downwards=True)
BY_NAME: Final = Order((Listing.sort_key, Listing.id))


def on_shelf() -> ColumnElement[bool]:
    """Condition: the listing is on sale and its group may sell."""
    # Written out and not bound: the indexes of what is on sale serve no statement that leaves the state open.
    return and_(Listing.state == literal_column("'on_sale'"), Listing.is_open)


def availability(listing: Listing, offers: Iterable[Offer]) -> Availability:
    offers = list(offers)
    if listing.kind == ListingKind.experience or not any(offer.variant.price_satang for offer in offers):
        return Availability.on_asking
    if not listing.is_in_season(clock.business_day()):
        return Availability.out_of_season
    return Availability.here if any(offer.is_there for offer in offers) else Availability.sold_out


async def cards(session: AsyncSession, where: Iterable[ColumnElement[bool]], order: Order, most: int) -> list[Card]:
    """Return the first `most` listings on the shelves that fit, in that order."""
    rows = (await session.execute(_question(where, order, most))).all()
    pictures = await covers(session, {row.Listing.id for row in rows})
    return [_card(list(same), pictures, len(order.keys)) for _, same in groupby(rows, lambda row: row.Listing.id)]


def _question(where: Iterable[ColumnElement[bool]], order: Order, most: int) -> Select[*tuple[Any, ...]]:
    """A row per variant, the page's listings being picked first: only for those is anything else looked up."""
    keys: list[Label[Any]] = [key.label(f"key{n}") for n, key in enumerate(order.keys)]
    page = (
        select(Listing.id.label("listing_id"), *keys)
        .where(on_shelf(), *where)
        .order_by(*order.by(order.keys))
        .limit(most)
        .subquery("page")
    )
    placed = [page.c[key.name] for key in keys]
    return (
        select(
            *placed,
            Listing,
            Group.slug,
            Group.name_th,
            Group.name_en,
            Group.province_code,
            _kinds().label("kinds"),
            Variant,
            available(Variant.pool_id, clock.now()).label("left"),
        )
        .join_from(page, Listing, Listing.id == page.c.listing_id)
        .join(Group, Group.id == Listing.group_id)
        .outerjoin(Variant, and_(Variant.listing_id == Listing.id, Variant.closed_at.is_(None)))
        .outerjoin(Pool, Pool.id == Variant.pool_id)
        .options(*(defer(column, raiseload=True) for column in _NOT_ON_CARDS))
        .order_by(*order.by(placed), Variant.price_satang.nulls_last(), Variant.position)
    )


def _kinds() -> ScalarSelect[list[str]]:
    """The kinds of a listing's certificates that hold today."""
    return (
        select(func.array_agg(Certificate.kind))
        .join(ListingCertificate, ListingCertificate.certificate_id == Certificate.id)
        .where(ListingCertificate.listing_id == Listing.id, living(clock.business_day()))
        .correlate(Listing)
        .scalar_subquery()
    )


_NOT_ON_CARDS: Final = (Listing.description_th, Listing.description_en, Listing.search_text)


def _card(rows: Sequence[Any], pictures: dict[UUID, Picture], keys: int) -> Card:
    first = rows[0]
    held = set(first.kinds or ())
    return Card(
        listing=first.Listing,
        seller=Seller(first.slug, first.name_th, first.name_en, first.province_code),
        offers=[Offer(row.Variant, row.left) for row in rows if row.Variant],
        certificates=[kind for kind in CertificateKind if kind in held],
        picture=pictures.get(first.Listing.id),
        place=tuple(first[:keys]),
    )
