"""Listings: what a shopper sees and can take; goods in one or more variants, or an experience.

Each variant draws on a pool of `catalog.capacity`.  Whether a listing can be bought follows from its own state, its
season, its group and its prices; `why_not_on_sale` says in plain words what is missing.

A few facts of the group (centre, place, whether it may sell) and the cheapest price stand on the listing too, so that
the shelves are read from one table.  A trigger copies the group's facts, so they cannot fall behind.
"""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, FetchedValue, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Id, Utc
from app.money import Satang

MILLI = 1000
"""Thousandths in one sale unit."""
SHELF = "state = 'on_sale' AND is_open"
"""What stands on the shelves (unless it is out of season): the condition of their indexes."""


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
        *(
            Index(f"ix_listings_shelf_{name}", *columns, postgresql_where=SHELF)
            for name, columns in {
                "newest": ("published_at", "id"),
                "price": ("price_satang", "id"),
                "name": ("sort_key", "id"),
                "category": ("category", "published_at", "id"),
                "province": ("province_code", "published_at", "id"),
                "center": ("center_id", "published_at", "id"),
            }.items()
        ),
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

    def is_in_season(self, on: date) -> bool:
        if self.season_from_month is None or self.season_to_month is None:
            return True
        if self.season_from_month <= self.season_to_month:
            return self.season_from_month <= on.month <= self.season_to_month
        return on.month >= self.season_from_month or on.month <= self.season_to_month


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


class ListingCertificate(Base):
    """A certificate of the group that speaks for this listing."""

    __tablename__ = "listing_certificates"
    __table_args__ = (Index("ix_listing_certificates_certificate_id", "certificate_id"),)

    listing_id: Mapped[UUID] = mapped_column(ForeignKey("listings.id"), primary_key=True)
    certificate_id: Mapped[UUID] = mapped_column(ForeignKey("certificates.id"), primary_key=True)
