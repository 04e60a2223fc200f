"""Photos of listings and groups: taken with a phone, kept as they came, shown only as the pictures made from them.

The request looks at the file's header and keeps the original out of sight: it may tell where somebody lives.  The
worker makes what the pages show (`app.pictures`).  Until then, and when a file turns out to be damaged, the group's
woven cloth stands in its place.

Files are put away before the row that names them is written, and removed after it is gone, so that no lock waits for
a disk or for S3; a file that a crash leaves without a row harms nobody.
"""

import asyncio
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, delete, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock, files, jobs, picture_checks
from app.database import Base, Id, Utc, session_scope
from app.errors import NotFound, Refusal
from app.forms import Upload
from app.language import N_, Bilingual, Message
from app.people import Person
from app.picture_checks import THIS_PICTURE
from catalog import renditions
from catalog.listings import Listing

MOST_PHOTOS: Final = 12
"""Of one listing."""
LOOSE_KEPT = timedelta(days=2)
"""How long a photo waits for its form to be saved."""
FALLBACK_WIDTH: Final = 640
"""What a browser gets that knows no `srcset`, in pixels."""


class PhotosMissing(Refusal):
    status = 422
    message = N_("Name every photo of the listing once, in the order in which they should stand.")


class TooManyPhotos(Refusal):
    message = N_("A listing can have up to %(most)s photos. Please remove one first.")


class PhotoState(StrEnum):
    waiting = "waiting"
    ready = "ready"
    failed = "failed"


class Photo(Base):
    __tablename__ = "photos"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'ready', 'failed')", name="state_is_known"),
        CheckConstraint("state <> 'ready' OR (width > 0 AND height > 0 AND widths <> '[]')", name="ready_can_be_shown"),
        CheckConstraint("listing_id IS NULL OR position IS NOT NULL", name="photos_of_listings_have_a_place"),
        Index("ix_photos_listing_id", "listing_id", "position"),
        Index("ix_photos_group_id", "group_id", "position"),
    )

    id: Mapped[Id]
    group_id: Mapped[UUID] = mapped_column(ForeignKey("groups.id"))
    listing_id: Mapped[UUID | None] = mapped_column(ForeignKey("listings.id"))
    """None: a photo of the group itself, or a loose one."""
    position: Mapped[int | None]
    """Place among the others; the first is the cover.  None: loose, the form it came with is not saved yet."""
    original_key: Mapped[str]
    """Where `app.files` keeps what came from the phone; never shown to anybody."""
    state: Mapped[str]
    refused: Mapped[str | None]
    """Message id of why it could not be made ready."""
    width: Mapped[int | None]
    """Pixels of the original, upright; `height` likewise."""
    height: Mapped[int | None]
    widths: Mapped[list[Any]]
    """Widths in pixels that were made, each in every format, narrow first."""
    preview: Mapped[str | None]
    """A tiny data URI that stands in the page until the picture has come."""
    colour: Mapped[str | None]
    alt_th: Mapped[str | None]
    alt_en: Mapped[str | None]
    uploaded_at: Mapped[Utc]
    uploaded_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    made_at: Mapped[datetime | None]

    @property
    def why_failed(self) -> Message | None:
        """What the group's people read about a photo that could not be made ready."""
        return Message(self.refused, {"name": THIS_PICTURE}) if self.refused else None


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo as pages show it (`macros/pictures.html`); only a ready one has files to show."""

    id: UUID
    state: PhotoState
    width: int
    height: int
    widths: Sequence[int]
    preview: str
    colour: str
    alt: Bilingual
    why_failed: Message | None = None

    @property
    def is_ready(self) -> bool:
        return self.state == PhotoState.ready

    @property
    def fallback_url(self) -> str:
        fitting = [width for width in self.widths if width <= FALLBACK_WIDTH]
        return renditions.url(self.id, (fitting or self.widths)[-1], "jpeg")

    @property
    def largest_url(self) -> str:
        return renditions.url(self.id, self.widths[-1], "jpeg")

    @property
    def share_url(self) -> str:
        """For Open Graph: 1200 by 630 pixels."""
        return renditions.share_url(self.id)

    def srcset(self, form: str) -> str:
        """Addresses of all widths in "avif", "webp" or "jpeg"."""
        return ", ".join(f"{renditions.url(self.id, width, form)} {width}w" for width in self.widths)


@dataclass(frozen=True, slots=True)
class Original:
    """A file that was looked at and put away, and that no row names yet."""

    key: str
    width: int
    height: int


async def covers(
    session: AsyncSession, listing_ids: Collection[UUID], states: Collection[PhotoState] = (PhotoState.ready,)
) -> dict[UUID, Picture]:
    """Return the first photo of each of these listings, by listing, in one query."""
    rows = await session.execute(
        select(Photo, Listing.name_th, Listing.name_en)
        .join(Listing, Listing.id == Photo.listing_id)
        .where(Photo.listing_id.in_(listing_ids), Photo.state.in_(states))
        .ext(distinct_on(Photo.listing_id))
        .order_by(Photo.listing_id, Photo.position, Photo.id)
    )
    return {
        photo.listing_id: picture_of(photo, name_th, name_en) for photo, name_th, name_en in rows if photo.listing_id
    }


async def pictures_of(session: AsyncSession, listing: Listing) -> list[Picture]:
    """Return the photos of a listing that can be shown, the cover first."""
    return [
        picture_of(photo, listing.name_th, listing.name_en)
        for photo in await photos_of(session, listing.id)
        if photo.state == PhotoState.ready
    ]


async def photos_of(session: AsyncSession, listing_id: UUID) -> Sequence[Photo]:
    """Return all photos of a listing, the cover first: for the desk, waiting and failed ones too."""
    question = select(Photo).where(Photo.listing_id == listing_id)
    return (await session.scalars(question.order_by(Photo.position, Photo.id))).all()


async def group_pictures(session: AsyncSession, group_id: UUID, name_th: str, name_en: str | None) -> list[Picture]:
    """Return the photos of the group itself that can be shown, the first one first."""
    rows = await session.scalars(
        select(Photo)
        .where(Photo.group_id == group_id, Photo.listing_id.is_(None), Photo.position.is_not(None))
        .where(Photo.state == PhotoState.ready)
        .order_by(Photo.position, Photo.id)
    )
    return [picture_of(photo, name_th, name_en) for photo in rows]


async def photo_of(session: AsyncSession, listing_id: UUID, photo_id: UUID) -> Photo:
    """Return one of the listing's own photos; refuses with `NotFound`."""
    photo = await session.scalar(select(Photo).where(Photo.listing_id == listing_id, Photo.id == photo_id))
    if photo is None:
        raise NotFound
    return photo


async def loose_photos(session: AsyncSession, group_id: UUID, photo_ids: Collection[UUID]) -> Sequence[Photo]:
    """Return those of the group's photos that wait for their form to be saved; others are left out."""
    question = select(Photo).where(_is_loose(), Photo.group_id == group_id, Photo.id.in_(photo_ids))
    return (await session.scalars(question.order_by(Photo.id))).all()


def picture_of(photo: Photo, name_th: str, name_en: str | None) -> Picture:
    """Make a photo ready to be shown; without words of its own it is described by the name of what it shows."""
    return Picture(
        id=photo.id,
        state=PhotoState(photo.state),
        width=photo.width or 0,
        height=photo.height or 0,
        widths=photo.widths,
        preview=photo.preview or "",
        colour=photo.colour or "",
        alt=Bilingual(photo.alt_th or name_th, photo.alt_en or name_en or photo.alt_th),
        why_failed=photo.why_failed,
    )


async def take_in(upload: Upload) -> Original:
    """Look at a file's header and put the file away.  Do this before anything is locked: it may wait for S3.

    Refuses with a `PictureRefused` that names the file.
    """
    checked = await asyncio.to_thread(picture_checks.check, upload.data, upload.name)
    key = f"originals/{secrets.token_hex(20)}{checked.kind.suffix}"
    await files.put(key, upload.data, checked.kind.content_type)
    return Original(key, checked.width, checked.height)


async def add(
    session: AsyncSession,
    group_id: UUID,
    original: Original,
    *,
    listing_id: UUID | None = None,
    by: Person | None = None,
) -> Photo:
    """Add a photo behind the listing's others (loose, without a listing) and have it made ready.

    Refuses with `TooManyPhotos`.
    """
    photo = Photo(
        group_id=group_id,
        listing_id=listing_id,
        position=await _next_place(session, listing_id) if listing_id else None,
        original_key=original.key,
        state=PhotoState.waiting,
        width=original.width,
        height=original.height,
        widths=[],
        uploaded_at=clock.now(),
        uploaded_by=by.id if by else None,
    )
    session.add(photo)
    await session.flush()
    await jobs.enqueue(session, "photo.make", {"photo_id": str(photo.id)})
    return photo


async def hang(session: AsyncSession, listing: Listing, loose: Iterable[Photo]) -> None:
    """Give loose photos of a form that is now saved to their listing."""
    for photo in loose:
        photo.listing_id, photo.position = listing.id, await _next_place(session, listing.id)
        await session.flush()


async def move(session: AsyncSession, photo: Photo, by: int) -> None:
    """Move a photo among its listing's: by -1 one place to the front, by +1 one to the back; never past the ends."""
    assert photo.listing_id is not None
    row = await _locked(session, photo.listing_id)
    place = next((at for at, each in enumerate(row) if each.id == photo.id), None)
    if place is None:  # somebody took it away meanwhile
        raise NotFound
    row.insert(min(max(place + by, 0), len(row) - 1), row.pop(place))
    for position, each in enumerate(row):
        each.position = position
    await session.flush()


async def arrange(session: AsyncSession, listing_id: UUID, photo_ids: Sequence[UUID]) -> None:
    """Put all photos of a listing in this order.  Refuses with `PhotosMissing` unless each is named once."""
    row = {photo.id: photo for photo in await _locked(session, listing_id)}
    if sorted(photo_ids) != sorted(row):
        raise PhotosMissing(field="photo_ids")
    for position, photo_id in enumerate(photo_ids):
        row[photo_id].position = position
    await session.flush()


def describe(photo: Photo, alt_th: str | None, alt_en: str | None) -> None:
    """Say what is to be seen, for whoever does not see it."""
    photo.alt_th, photo.alt_en = alt_th, alt_en


async def remove(session: AsyncSession, photo: Photo) -> None:
    """Take a photo away; its files follow by a job."""
    await _forget(session, Photo.id == photo.id)


@jobs.every(timedelta(hours=12), "photo.tidy")
async def tidy(_payload: dict[str, Any]) -> None:
    """Remove photos whose form was never saved."""
    async with session_scope() as session:
        await _forget(session, _is_loose() & (Photo.uploaded_at < clock.now() - LOOSE_KEPT))


def _is_loose() -> ColumnElement[bool]:
    return Photo.listing_id.is_(None) & Photo.position.is_(None)


async def _next_place(session: AsyncSession, listing_id: UUID) -> int:
    """Return the place behind the others; two uploads at once take turns, by the lock on their listing."""
    await session.execute(select(Listing.id).where(Listing.id == listing_id).with_for_update(key_share=True))
    count, last = (
        await session.execute(select(func.count(), func.max(Photo.position)).where(Photo.listing_id == listing_id))
    ).one()
    if count >= MOST_PHOTOS:
        raise TooManyPhotos(field="photos", most=MOST_PHOTOS)
    return 0 if last is None else int(last) + 1


async def _locked(session: AsyncSession, listing_id: UUID) -> list[Photo]:
    await session.execute(select(Listing.id).where(Listing.id == listing_id).with_for_update(key_share=True))
    question = select(Photo).where(Photo.listing_id == listing_id).order_by(Photo.position, Photo.id)
    return list(await session.scalars(question.execution_options(populate_existing=True)))


async def _forget(session: AsyncSession, condition: ColumnElement[bool]) -> None:
    gone = await session.execute(delete(Photo).where(condition).returning(Photo.id, Photo.original_key, Photo.widths))
    for photo_id, original_key, widths in gone.all():
        keys = [original_key, *(renditions.keys(photo_id, widths) if widths else ())]
        await jobs.enqueue(session, "photo.forget", {"keys": keys})
