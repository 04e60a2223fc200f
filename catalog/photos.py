"""Photos of listings and groups: taken with a phone, kept as they came, shown only as the pictures made from them.

The request looks at the file's header and keeps the original out of sight; the worker makes what the pages show
(`app.pictures`).  Until then, and when a file turns out to be damaged, the group's woven cloth stands in its place.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Id, Utc


class Photo(Base):
    __tablename__ = "photos"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'ready', 'failed')", name="state_is_known"),
        CheckConstraint("state <> 'ready' OR (width > 0 AND height > 0 AND widths <> '[]')", name="ready_can_be_shown"),
        Index("ix_photos_listing_id", "listing_id", "position"),
        Index("ix_photos_group_id", "group_id", "position"),
    )

    id: Mapped[Id]
    group_id: Mapped[UUID] = mapped_column(ForeignKey("groups.id"))
    listing_id: Mapped[UUID | None] = mapped_column(ForeignKey("listings.id"))
    """None: a photo of the group itself."""
    position: Mapped[int]
    original_key: Mapped[str]
    """Where `app.files` keeps what came from the phone; never shown to anybody."""
    state: Mapped[str]
    refused: Mapped[str | None]
    """Message id of why it could not be made ready."""
    width: Mapped[int | None]
    """Pixels of the original, upright; `height` likewise."""
    height: Mapped[int | None]
    widths: Mapped[list[Any]]
    """Widths in pixels that were made, each in every format."""
    preview: Mapped[str | None]
    """A tiny data URI that stands in the page until the picture has come."""
    colour: Mapped[str | None]
    alt_th: Mapped[str | None]
    alt_en: Mapped[str | None]
    uploaded_at: Mapped[Utc]
    uploaded_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    made_at: Mapped[datetime | None]


FORMATS: Final = ("avif", "webp", "jpeg")
