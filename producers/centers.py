"""Incubation centres (ศูนย์บ่มเพาะ): who and where they are.  More will come, so they are rows.

What a centre does with its groups' orders is told in `incubation_centers`, the room above.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock, places
from app.database import Base, Id
from app.errors import NotFound
from app.people import Person
from app.places import Place, Region
from producers.clusters import Cluster


class Center(Base):
    """One centre; names and place as the source says them."""

    __tablename__ = "centers"
    __table_args__ = (CheckConstraint("number > 0", name="number_counts"),)

    id: Mapped[Id]
    number: Mapped[int] = mapped_column(unique=True)
    """Its place in the source's list of centres; new centres go on counting."""
    slug: Mapped[str] = mapped_column(unique=True)
    name_th: Mapped[str]
    name_en: Mapped[str]
    story_th: Mapped[str | None]
    story_en: Mapped[str | None]
    cluster: Mapped[str]
    region: Mapped[str]
    """A `places.REGIONS` id."""
    province_code: Mapped[str]
    district_code: Mapped[str | None]
    subdistrict_code: Mapped[str | None]
    postcode: Mapped[str | None]
    latitude: Mapped[float]
    longitude: Mapped[float]
    place_text_th: Mapped[str]
    """The place in the source's own words, also where no such tambon exists."""
    place_verified: Mapped[bool]
    promptpay_id: Mapped[str | None]
    promptpay_name: Mapped[str | None]
    sort_key: Mapped[str] = mapped_column(String(collation="C"), index=True)
    """Thai dictionary order of `name_th`."""
    changed_at: Mapped[datetime | None]
    changed_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))

    @property
    def in_cluster(self) -> Cluster:
        return Cluster(self.cluster)

    @property
    def in_region(self) -> Region:
        return places.region_of(self.province_code)

    @property
    def place(self) -> Place | None:
        return places.place(self.subdistrict_code) if self.subdistrict_code else None


async def centers(session: AsyncSession) -> Sequence[Center]:
    """Return all centres in the source's order."""
    return (await session.scalars(select(Center).order_by(Center.number))).all()


async def center_by_slug(session: AsyncSession, slug: str) -> Center:
    """Return the centre of that slug; refuses with `NotFound`."""
    center = await session.scalar(select(Center).where(Center.slug == slug))
    if center is None:
        raise NotFound
    return center


def set_promptpay(center: Center, promptpay_id: str | None, promptpay_name: str | None, *, by: Person) -> None:
    """Name the PromptPay account to which buyers pay this centre (None: it takes no money itself)."""
    center.promptpay_id = promptpay_id
    center.promptpay_name = promptpay_name if promptpay_id else None
    center.changed_at = clock.now()
    center.changed_by = by.id
