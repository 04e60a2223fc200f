"""Streams of revenue: the lines of block 5 of a group's canvas, each with a plan and with what really came in."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.database import Base, Id, new_id
from app.errors import NotFound
from app.language import Named


class StreamKind(Named):
    goods = "goods", "ขายสินค้า", "Goods"
    experience = "experience", "กิจกรรมท่องเที่ยว", "Experiences"
    homestay = "homestay", "โฮมสเตย์", "Homestay"
    study_visit = "study_visit", "คณะดูงาน", "Study visits"
    market_stall = "market_stall", "ออกร้านวันตลาด", "Market-day stall"
    wholesale = "wholesale", "ขายส่ง", "Wholesale"
    raw_material = "raw_material", "ขายวัตถุดิบ", "Raw materials"


class Stream(Base):
    __tablename__ = "streams"
    __table_args__ = (
        Index("uq_streams_default_of_a_kind", "group_id", "kind", unique=True, postgresql_where="is_default"),
    )

    id: Mapped[Id]
    group_id: Mapped[UUID] = mapped_column(ForeignKey("groups.id"), index=True)
    kind: Mapped[str]
    is_default: Mapped[bool]
    """The stream a listing of that kind earns for when nobody chose another."""
    name_th: Mapped[str]
    name_en: Mapped[str | None]
    position: Mapped[int]
    closed_at: Mapped[datetime | None]


async def streams_of(session: AsyncSession, group_id: UUID) -> Sequence[Stream]:
    """Return a group's streams in its own order, closed ones too: they may carry past income."""
    return (
        await session.scalars(select(Stream).where(Stream.group_id == group_id).order_by(Stream.position, Stream.id))
    ).all()


async def stream_of(session: AsyncSession, group_id: UUID, stream_id: UUID) -> Stream:
    """Return one of the group's own streams; refuses with `NotFound`."""
    stream = await session.scalar(select(Stream).where(Stream.group_id == group_id, Stream.id == stream_id))
    if stream is None:
        raise NotFound
    return stream


async def stream_for(session: AsyncSession, group_id: UUID, kind: StreamKind) -> Stream:
    """Return the group's default stream of a kind, made when it is first needed (by two at once, too)."""
    question = select(Stream).where(Stream.group_id == group_id, Stream.kind == kind, Stream.is_default)
    found = await session.scalar(question)
    if found is None:
        await session.execute(insert(Stream).values(_new(group_id, kind)).on_conflict_do_nothing())
        found = (await session.scalars(question)).one()
    return found


async def open_stream(
    session: AsyncSession, group_id: UUID, kind: StreamKind, name_th: str, name_en: str | None = None
) -> Stream:
    """Add a line of income of the group's own naming, behind the others."""
    last = await session.scalar(select(func.max(Stream.position)).where(Stream.group_id == group_id))
    stream = Stream(
        group_id=group_id,
        kind=kind,
        is_default=False,
        name_th=name_th,
        name_en=name_en,
        position=(last or 0) + 1,
    )
    session.add(stream)
    await session.flush()
    return stream


def rename(stream: Stream, name_th: str, name_en: str | None) -> None:
    stream.name_th, stream.name_en = name_th, name_en


def close(stream: Stream) -> None:
    """Take no more plans for this line; what it earned stays."""
    stream.closed_at = stream.closed_at or clock.now()


def _new(group_id: UUID, kind: StreamKind) -> dict[str, object]:
    return {
        "id": new_id(),
        "group_id": group_id,
        "kind": kind,
        "is_default": True,
        "name_th": kind.name_th,
        "name_en": kind.name_en,
        "position": list(StreamKind).index(kind),
    }
