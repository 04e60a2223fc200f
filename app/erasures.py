"""Erasures: that personal data was erased, when and how much of it, told without any of it.

Whoever asks later why a name is missing, or whether a wish was followed, finds the row; nothing in it says whose data
it was but an id that now leads nowhere.  Append-only (migration 0010).
"""

from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from app import clock
from app.database import Base, Id, Utc


class Erasure(Base):
    __tablename__ = "erasures"
    __table_args__ = (
        CheckConstraint("subject IN ('person', 'order')", name="subject_is_known"),
        Index("ix_erasures_subject_id", "subject_id"),
    )

    id: Mapped[Id]
    at: Mapped[Utc]
    subject: Mapped[str]
    subject_id: Mapped[UUID]
    counts: Mapped[dict[str, Any]]
    """How many rows of what were erased or stripped."""


def keep(
    session: AsyncSession, subject: Literal["person", "order"], subject_id: UUID, counts: Mapping[str, int]
) -> None:
    session.add(Erasure(at=clock.now(), subject=subject, subject_id=subject_id, counts=dict(counts)))
