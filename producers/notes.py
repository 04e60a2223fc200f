"""The words on a group's canvas: one note per block, in Thai, English or both, kept in versions with who and when."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.database import Base, Id, Utc, new_id
from app.errors import Refusal
from app.language import N_, Bilingual
from app.people import Person


class NoteChanged(Refusal):
    message = N_("Somebody else wrote here meanwhile. Their words stand above, yours are still below: join them.")


class Block(IntEnum):
    """The nine blocks of the community business model canvas (CBMC), in the source's own order."""

    selling_point = 1
    customers = 2
    communication = 3
    closing = 4
    revenue = 5
    activities = 6
    factors = 7
    partners = 8
    costs = 9

    @property
    def name_th(self) -> str:
        return _NAMES[self].th

    @property
    def name_en(self) -> str:
        return _NAMES[self].en or ""

    @property
    def question(self) -> str:
        """What the group asks itself here (a message id), after the source's nine steps."""
        return _QUESTIONS[self]


_NAMES: Final = {
    Block.selling_point: Bilingual("จุดขาย/คุณค่า", "Selling point and value"),
    Block.customers: Bilingual("กลุ่มลูกค้าเป้าหมาย", "Target customers"),
    Block.communication: Bilingual("การสื่อสารการตลาด", "Marketing communication"),
    Block.closing: Bilingual("การปิดการขายและการซื้อซ้ำ", "Closing sales, repeat purchase"),
    Block.revenue: Bilingual("ที่มาของรายได้", "Sources of revenue"),
    Block.activities: Bilingual("กิจกรรมสำคัญ", "Key activities"),
    Block.factors: Bilingual("ปัจจัยการผลิตที่ยังใช้ได้ไม่เต็มที่", "Production factors not yet used fully"),
    Block.partners: Bilingual("ภาคี", "Partners"),
    Block.costs: Bilingual("ค่าใช้จ่ายที่จำเป็น", "Necessary costs"),
}
_QUESTIONS: Final = {
    Block.selling_point: N_("What do buyers get from our goods and services that they find nowhere else?"),
    Block.customers: N_("Who exactly buys from us, and who could?"),
    Block.communication: N_("How do our customers and our selling point find each other?"),
    Block.closing: N_("What makes people buy, and come back?"),
    Block.revenue: N_("Where else could income come from, with what we already have?"),
    Block.activities: N_("What must we do so that blocks 1 to 4 come true?"),
    Block.factors: N_("Which land, tools, rooms or skills are not used fully yet?"),
    Block.partners: N_("What can we not do alone, and with whom will we do it?"),
    Block.costs: N_("What do we have to spend money on? Blocks 7 and 8 can make it less."),
}


class CanvasNote(Base):
    """One version of one block's words; nothing is overwritten."""

    __tablename__ = "canvas_notes"
    __table_args__ = (
        UniqueConstraint("group_id", "block", "version"),
        CheckConstraint("block BETWEEN 1 AND 9", name="block_is_known"),
    )

    id: Mapped[Id]
    group_id: Mapped[UUID] = mapped_column(ForeignKey("groups.id"))
    block: Mapped[int]
    version: Mapped[int]
    text_th: Mapped[str | None]
    text_en: Mapped[str | None]
    written_at: Mapped[Utc]
    written_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))


async def notes_now(session: AsyncSession, group_id: UUID) -> dict[Block, CanvasNote]:
    """Return the newest note of each block that has one."""
    rows = await session.scalars(
        select(CanvasNote)
        .where(CanvasNote.group_id == group_id)
        .ext(distinct_on(CanvasNote.block))
        .order_by(CanvasNote.block, CanvasNote.version.desc())
    )
    return {Block(note.block): note for note in rows}


async def versions_of(session: AsyncSession, group_id: UUID, block: Block) -> Sequence[tuple[CanvasNote, str | None]]:
    """Return all versions of a block's note, newest first, each with its writer's name."""
    rows = await session.execute(
        select(CanvasNote, Person.name)
        .outerjoin(Person, Person.id == CanvasNote.written_by)
        .where(CanvasNote.group_id == group_id, CanvasNote.block == block)
        .order_by(CanvasNote.version.desc())
    )
    return [(note, name) for note, name in rows]


async def write_note(
    session: AsyncSession,
    group_id: UUID,
    block: Block,
    *,
    text_th: str | None,
    text_en: str | None = None,
    seen_version: int,
    by: Person | None = None,
) -> None:
    """Add a version after `seen_version` (0: none yet); the same words again add nothing.

    Refuses with `NoteChanged` when somebody wrote another version meanwhile.
    """
    newest = await _newest(session, group_id, block)
    if newest and (newest.text_th, newest.text_en) == (text_th, text_en):
        return
    if (newest.version if newest else 0) != seen_version:
        raise NoteChanged(field="text_th")
    written = await session.execute(
        insert(CanvasNote)
        .values(
            id=new_id(),
            group_id=group_id,
            block=block,
            version=seen_version + 1,
            text_th=text_th,
            text_en=text_en,
            written_at=clock.now(),
            written_by=by.id if by else None,
        )
        .on_conflict_do_nothing()
        .returning(CanvasNote.id)
    )
    if written.one_or_none() is None:
        raise NoteChanged(field="text_th")


async def _newest(session: AsyncSession, group_id: UUID, block: Block) -> CanvasNote | None:
    found: CanvasNote | None = await session.scalar(
        select(CanvasNote)
        .where(CanvasNote.group_id == group_id, CanvasNote.block == block)
        .order_by(CanvasNote.version.desc())
        .limit(1)
    )
    return found
