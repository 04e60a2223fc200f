"""Listings: what a shopper sees and can take; goods in one or more variants, or an experience.

Each variant draws on a pool of `catalog.capacity`.  Whether a listing can be bought follows from its own state, its
season, its group and its prices; `why_not_on_sale` says in plain words what is missing.

A few facts of the group (centre, place, whether it may sell) and the cheapest price stand on the listing too, so that
the shelves are read from one table.  A trigger copies the group's facts, so they cannot fall behind.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, FetchedValue, ForeignKey, Index, String, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.database import Base, Id, Utc
from app.errors import Refusal
from app.language import N_, Message
from app.money import Satang, baht
from app.pages import quantity
from app.people import Person
from catalog.seasons import Season
from producers.certificates import Certificate, living
from producers.groups import Group, GroupState

MILLI: Final = 1000
"""Thousandths in one sale unit."""
KILO_G: Final = 1000
SHELF: Final = "state = 'on_sale' AND is_open"
"""What stands on the shelves (unless it is out of season): the condition of their indexes."""


#: Listings without a price come last, whichever way prices run: what the shelves are sorted by.
NO_PRICE_LAST: Final = text("coalesce(price_satang, '9223372036854775807'::bigint)")
NO_PRICE_FIRST: Final = text("coalesce(price_satang, 0)")
SHELVES: Final[Mapping[str, tuple[Any, ...]]] = {
    "newest": ("published_at", "id"),
    "price": (NO_PRICE_LAST, "id"),
    "price_down": (NO_PRICE_FIRST, "id"),
    "name": ("sort_key", "id"),
    "category": ("category", "published_at", "id"),
    "province": ("province_code", "published_at", "id"),
    "center": ("center_id", "published_at", "id"),
    # Everything that `catalog.facets` adds up, so that it goes through this and not the whole table.
    "facets": (
        *("cluster", "category", "region", "province_code", "center_id", "group_id", "storage"),
        *("price_satang", "id"),
    ),
}
"""Indexes of what stands on the shelves, in the orders in which it is asked for."""


class PriceMissing(Refusal):
    status = 422
    message = N_("Write a price first. Then it can be put on sale.")


class PriceNotPositive(Refusal):
    status = 422
    message = N_("A price must be more than nothing.")


class PriceDoesNotFitStep(Refusal):
    status = 422
    message = N_("At %(price)s, a step of %(step)s does not cost a whole satang. Choose another price or another step.")


class NotOurCertificate(Refusal):
    status = 422
    message = N_("This certificate is not one of the group's.")


class ListingKind(StrEnum):
    goods = "goods"
    experience = "experience"


class ListingState(StrEnum):
    draft = "draft"
    on_sale = "on_sale"
    paused = "paused"


class Listing(Base):
    __tablename__ = "listings"
    __table_args__ = (
        CheckConstraint("kind IN ('goods', 'experience')", name="kind_is_known"),
        CheckConstraint("state IN ('draft', 'on_sale', 'paused')", name="state_is_known"),
        CheckConstraint("storage IN ('ambient', 'chilled', 'frozen')", name="storage_is_known"),
        CheckConstraint(
            "(season_from_month IS NULL) = (season_to_month IS NULL)"
            " AND season_from_month BETWEEN 1 AND 12 AND season_to_month BETWEEN 1 AND 12",
            name="season_is_whole",
        ),
        CheckConstraint("state <> 'on_sale' OR published_at IS NOT NULL", name="on_sale_since_a_moment"),
        CheckConstraint("price_satang > 0", name="price_counts"),
        *(Index(f"ix_listings_shelf_{name}", *columns, postgresql_where=SHELF) for name, columns in SHELVES.items()),
        Index("ix_listings_group_id", "group_id", "sort_key"),
    )

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    ref: Mapped[str | None]
    """The seller's own reference, when it was imported."""
    group_id: Mapped[UUID] = mapped_column(ForeignKey("groups.id"))
    kind: Mapped[str]
    name_th: Mapped[str]
    name_en: Mapped[str | None]
    description_th: Mapped[str | None]
    description_en: Mapped[str | None]
    cluster: Mapped[str]
    category: Mapped[str]
    stream_id: Mapped[UUID] = mapped_column(ForeignKey("streams.id"))
    """The line of the group's canvas that it earns for."""
    storage: Mapped[str]
    season_from_month: Mapped[int | None]
    """First month of the season, 1 to 12; a season may run over the year's end.  None: all year."""
    season_to_month: Mapped[int | None]
    state: Mapped[str]
    sort_key: Mapped[str] = mapped_column(String(collation="C"))
    """Thai dictionary order of `name_th`."""
    search_text: Mapped[str]
    """What the plain word search looks through (`catalog.search`)."""
    price_satang: Mapped[Satang | None]
    """The cheapest open variant's price per unit; None while no variant has one."""
    published_at: Mapped[datetime | None]
    """When it was first put on sale: how new it is."""
    created_at: Mapped[Utc]
    changed_at: Mapped[Utc]
    changed_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))

    center_id: Mapped[UUID] = mapped_column(ForeignKey("centers.id"), server_default=FetchedValue())
    """Copied from the group by a trigger; likewise `region`, `province_code` and `is_open`."""
    region: Mapped[str] = mapped_column(server_default=FetchedValue())
    province_code: Mapped[str] = mapped_column(server_default=FetchedValue())
    is_open: Mapped[bool] = mapped_column(server_default=FetchedValue())
    """Whether the group may sell."""

    @property
    def season(self) -> Season | None:
        """None: it is there all year."""
        if self.season_from_month is None or self.season_to_month is None:
            return None
        return Season(self.season_from_month, self.season_to_month)

    def is_in_season(self, on: date) -> bool:
        return self.season is None or self.season.holds(on)


class Variant(Base):
    __tablename__ = "variants"
    __table_args__ = (
        CheckConstraint("price_satang > 0", name="price_counts"),
        CheckConstraint("step_milli > 0 AND least_milli > 0 AND least_milli % step_milli = 0", name="amounts_in_steps"),
        CheckConstraint("price_satang * step_milli % 1000 = 0", name="a_step_costs_whole_satang"),
        CheckConstraint("net_weight_g > 0", name="weight_counts"),
        Index("ix_variants_listing_id", "listing_id", "position"),
        Index("ix_variants_pool_id", "pool_id"),
    )

    id: Mapped[Id]
    listing_id: Mapped[UUID] = mapped_column(ForeignKey("listings.id"))
    position: Mapped[int]
    label_th: Mapped[str | None]
    """What tells it from the listing's other variants: "ถุงใหญ่", "รสเผ็ด"."""
    label_en: Mapped[str | None]
    unit_th: Mapped[str]
    """What one of it is: "กก.", "กระปุก 500 ก."."""
    unit_en: Mapped[str | None]
    net_weight_g: Mapped[int | None]
    price_satang: Mapped[Satang | None]
    """For one unit; None: the price is told on asking, and it cannot be ordered."""
    pool_id: Mapped[UUID] = mapped_column(ForeignKey("pools.id"))
    step_milli: Mapped[int] = mapped_column(BigInteger, default=MILLI)
    """In which steps it is sold, in thousandths of the unit."""
    least_milli: Mapped[int] = mapped_column(BigInteger, default=MILLI)
    closed_at: Mapped[datetime | None]
    """No longer offered; past orders still name it."""

    @property
    def satang_per_kilo(self) -> Satang | None:
        """The price per kilogram, where the weight is known and the unit is not a kilogram anyway."""
        if self.price_satang is None or self.net_weight_g in {None, KILO_G}:
            return None
        return Satang(round(self.price_satang * KILO_G / (self.net_weight_g or KILO_G)))


class ListingCertificate(Base):
    """A certificate of the group that speaks for this listing."""

    __tablename__ = "listing_certificates"
    __table_args__ = (Index("ix_listing_certificates_certificate_id", "certificate_id"),)

    listing_id: Mapped[UUID] = mapped_column(ForeignKey("listings.id"), primary_key=True)
    certificate_id: Mapped[UUID] = mapped_column(ForeignKey("certificates.id"), primary_key=True)


async def variants_of(session: AsyncSession, listing_id: UUID) -> Sequence[Variant]:
    """Return what is offered of a listing, in the group's own order."""
    return (
        await session.scalars(
            select(Variant)
            .where(Variant.listing_id == listing_id, Variant.closed_at.is_(None))
            .order_by(Variant.position, Variant.id)
        )
    ).all()


async def certificates_of(session: AsyncSession, listing_id: UUID) -> Sequence[Certificate]:
    """Return the certificates that speak for a listing today; expired ones hide themselves."""
    return (
        await session.scalars(
            select(Certificate)
            .join(ListingCertificate, ListingCertificate.certificate_id == Certificate.id)
            .where(ListingCertificate.listing_id == listing_id, living(clock.business_day()))
            .order_by(Certificate.kind, Certificate.id)
        )
    ).all()


def why_not_on_sale(
    listing: Listing, group: Group, variants: Sequence[Variant], today: date, *, left_milli: int | None = None
) -> list[Message]:
    """Say in plain words everything that keeps a listing from being sold; nothing when it is for sale.

    `variants` are the open ones, `left_milli` what is left of them all (None: nothing that runs out).
    """
    reasons: list[Message] = []
    if listing.state == ListingState.draft:
        reasons.append(Message(N_("It has not been put on sale yet."), {}))
    if listing.state == ListingState.paused:
        reasons.append(Message(N_("You have let it rest."), {}))
    if not any(variant.price_satang for variant in variants):
        reasons.append(Message(N_("It has no price yet."), {}))
    if listing.season and not listing.season.holds(today):
        told = {"season": listing.season.words(), "month": listing.season.begins()}
        reasons.append(Message(N_("Its season is %(season)s. It comes back by itself in %(month)s."), told))
    if left_milli is not None and left_milli <= 0:
        reasons.append(Message(N_("It is sold out. Write how many there are now."), {}))
    if group.state == GroupState.applied:
        reasons.append(Message(N_("The network has not approved your group yet. Everything can be made ready."), {}))
    if group.state == GroupState.closed:
        reasons.append(Message(N_("Your group is closed. Talk to your centre or to the network's staff."), {}))
    if listing.kind == ListingKind.goods and not (group.parcel_enabled or group.pickup_enabled):
        reasons.append(Message(N_("Buyers cannot get it yet: choose parcels or pick-up for your group."), {}))
    return reasons


async def put_on_sale(session: AsyncSession, listing: Listing, *, by: Person | None = None) -> None:
    """Put it on the shelves.  Refuses with `PriceMissing` while no variant has a price."""
    if not any(variant.price_satang for variant in await variants_of(session, listing.id)):
        raise PriceMissing
    listing.state = ListingState.on_sale
    listing.published_at = listing.published_at or clock.now()
    sign(listing, by)


def pause(listing: Listing, *, by: Person | None = None) -> None:
    """Take it off the shelves for a while; what buyers hold stays theirs."""
    if listing.state == ListingState.on_sale:
        listing.state = ListingState.paused
        sign(listing, by)


async def set_price(
    session: AsyncSession, variant: Variant, price_satang: Satang | None, *, by: Person | None = None
) -> None:
    """Set a price per unit; None: told on asking, so it cannot be ordered.  Refuses with `PriceDoesNotFitStep`."""
    refuse_price(price_satang, variant.step_milli)
    variant.price_satang = price_satang
    await price_anew(session, await session.get_one(Listing, variant.listing_id), by)


async def certify(
    session: AsyncSession, listing: Listing, certificate_ids: Collection[UUID], *, by: Person | None = None
) -> None:
    """Say which of the group's certificates speak for this listing, all of them at once.

    Refuses with `NotOurCertificate`.
    """
    own = set(
        await session.scalars(
            select(Certificate.id).where(
                Certificate.group_id == listing.group_id,
                Certificate.id.in_(certificate_ids),
                Certificate.removed_at.is_(None),
            )
        )
    )
    if own != set(certificate_ids):
        raise NotOurCertificate(field="certificates")
    await session.execute(delete(ListingCertificate).where(ListingCertificate.listing_id == listing.id))
    session.add_all(ListingCertificate(listing_id=listing.id, certificate_id=each) for each in sorted(own))
    sign(listing, by)
    await session.flush()


def refuse_price(price_satang: Satang | None, step_milli: int) -> None:
    if price_satang is None:
        return
    if price_satang <= 0:
        raise PriceNotPositive(field="price")
    if price_satang * step_milli % MILLI:
        raise PriceDoesNotFitStep(field="price", price=baht(price_satang), step=quantity(step_milli))


async def price_anew(session: AsyncSession, listing: Listing, by: Person | None) -> None:
    """Let the listing know its cheapest price; whoever changes another variant meanwhile waits for us."""
    await session.flush()
    await session.execute(select(Listing.id).where(Listing.id == listing.id).with_for_update(key_share=True))
    listing.price_satang = await session.scalar(
        select(func.min(Variant.price_satang)).where(Variant.listing_id == listing.id, Variant.closed_at.is_(None))
    )
    sign(listing, by)
    await session.flush()


def sign(listing: Listing, by: Person | None) -> None:
    listing.changed_at = clock.now()
    listing.changed_by = by.id if by else None
