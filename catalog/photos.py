"""Photos of listings: taken in on a phone, made ready by the worker, shown everywhere.

What a group sends is looked at and kept under a key that nobody can guess, and is never served: a photo from a phone
tells where it was taken.  The worker makes what the pages show, in a process apart; until then a photo waits, and its
place is kept in the colour of the cloth.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Integer

from app.database import Base, Id, Utc


class PhotoState(StrEnum):
    waiting = "waiting"
    ready = "ready"
    failed = "failed"


class Photo(Base):
    __tablename__ = "photos"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'ready', 'failed')", name="state_is_known"),
        CheckConstraint("state <> 'ready' OR made_at IS NOT NULL", name="ready_photos_are_made"),
        Index("ix_photos_listing_id_position", "listing_id", "position"),
        Index("ix_photos_group_id", "group_id"),
    )

    id: Mapped[Id]
    group_id: Mapped[UUID] = mapped_column(ForeignKey("groups.id"))
    listing_id: Mapped[UUID | None] = mapped_column(ForeignKey("listings.id"))
    """None while the form it came with is not saved yet."""
    position: Mapped[int]
    """The lowest one of a listing is its cover."""
    original_key: Mapped[str]
    """Of the file as it was sent; never served."""
    state: Mapped[str]
    refused: Mapped[str | None]
    """Why it failed: the msgid of a refusal of `app.picture_checks`."""
    width: Mapped[int | None]
    """Pixels of the picture upright; `height` likewise."""
    height: Mapped[int | None]
    preview: Mapped[str | None]
    """A tiny picture as a data URI."""
    colour: Mapped[str | None]
    """Average colour, `#rrggbb`."""
    widths: Mapped[list[int]] = mapped_column(ARRAY(Integer), default=list)
    """Of the renditions, in pixels, narrow first."""
    alt_th: Mapped[str | None]
    alt_en: Mapped[str | None]
    uploaded_at: Mapped[Utc]
    uploaded_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    made_at: Mapped[datetime | None]
