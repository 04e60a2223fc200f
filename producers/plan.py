"""A group's plan: what each stream should bring in each month, and how far the planning itself has come.

Every change is a new version with who and when, so that a plan can be compared with what people once meant.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import IntEnum
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Subquery, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.database import Base, Id, Utc
from app.errors import NotFound
from app.language import Bilingual
from app.money import Satang
from app.people import Person
from producers.groups import Group
from producers.streams import Stream

Cell = tuple[UUID, date]
"""A stream and the first day of a month."""


class Step(IntEnum):
    """The four steps of a community business plan, after the source."""

    design = 1
    follow = 2
    link = 3
    learn = 4

    @property
    def name_th(self) -> str:
        return _NAMES[self].th

    @property
    def name_en(self) -> str:
        return _NAMES[self].en or ""


_NAMES: Final = {
    Step.design: Bilingual("ออกแบบแคนวาส", "Design the canvas"),
    Step.follow: Bilingual("ติดตามการทำแผน", "Follow the making of the plan"),
    Step.link: Bilingual("เชื่อมโยงต่อยอด", "Link and extend"),
    Step.learn: Bilingual("เรียนรู้จากแผน", "Learn from it"),
}


class PlanAmount(Base):
    """One version of what one stream should bring in one month; 0 takes a plan away."""

    __tablename__ = "plan_amounts"
    __table_args__ = (
        UniqueConstraint("group_id", "stream_id", "month", "version"),
        CheckConstraint("satang >= 0", name="satang_not_negative"),
        CheckConstraint("extract(day FROM month) = 1", name="month_is_a_first_day"),
    )

    id: Mapped[Id]
    group_id: Mapped[UUID] = mapped_column(ForeignKey("groups.id"))
    stream_id: Mapped[UUID] = mapped_column(ForeignKey("streams.id"))
    month: Mapped[date]
    version: Mapped[int]
    satang: Mapped[Satang]
    written_at: Mapped[Utc]
    written_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))


class PlanStep(Base):
    """A group's plan reached a step; the newest row is where it stands."""

    __tablename__ = "plan_steps"
    __table_args__ = (CheckConstraint("step BETWEEN 1 AND 4", name="step_is_known"),)

    id: Mapped[Id]
    group_id: Mapped[UUID] = mapped_column(ForeignKey("groups.id"), index=True)
    step: Mapped[int]
    reached_at: Mapped[Utc]
    reached_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))


def newest_amounts(group_ids: Sequence[UUID], months: Sequence[date]) -> Subquery:
    """Subquery of the plan as it stands: group_id, stream_id, month, version, satang of each cell's newest version."""
    return (
        select(PlanAmount.group_id, PlanAmount.stream_id, PlanAmount.month, PlanAmount.version, PlanAmount.satang)
        .where(PlanAmount.group_id.in_(group_ids), PlanAmount.month.between(months[0], months[-1]))
        .ext(distinct_on(PlanAmount.group_id, PlanAmount.stream_id, PlanAmount.month))
        .order_by(PlanAmount.group_id, PlanAmount.stream_id, PlanAmount.month, PlanAmount.version.desc())
        .subquery("plan")
    )


async def plan_of(session: AsyncSession, group_id: UUID, months: Sequence[date]) -> dict[Cell, Satang]:
    """Return the plan as it stands, in satang, for the (consecutive) months; cells without a plan are left out."""
    plan = newest_amounts([group_id], months)
    rows = await session.execute(select(plan.c.stream_id, plan.c.month, plan.c.satang).where(plan.c.satang > 0))
    return {(stream_id, month): Satang(satang) for stream_id, month, satang in rows}


async def steps_of(session: AsyncSession, group_id: UUID) -> Sequence[PlanStep]:
    """Return the steps that a group's plan has reached, the newest first."""
    return (
        await session.scalars(
            select(PlanStep)
            .where(PlanStep.group_id == group_id)
            .order_by(PlanStep.reached_at.desc(), PlanStep.id.desc())
        )
    ).all()


async def plan_months(
    session: AsyncSession, group_id: UUID, amounts: Mapping[Cell, Satang], *, by: Person | None = None
) -> None:
    """Write new versions of the cells that changed.  Refuses a stream of another group with `NotFound`."""
    if not amounts:
        return
    # Two people who save at once take turns: both versions are kept, the later one stands.
    await session.execute(select(Group.id).where(Group.id == group_id).with_for_update(key_share=True))
    await _refuse_foreign_streams(session, group_id, {stream_id for stream_id, _ in amounts})
    known = await _newest_cells(session, group_id, sorted({month for _, month in amounts}))
    now = clock.now()
    session.add_all(
        PlanAmount(
            group_id=group_id,
            stream_id=cell[0],
            month=cell[1],
            version=version + 1,
            satang=satang,
            written_at=now,
            written_by=by.id if by else None,
        )
        for cell, satang in amounts.items()
        for version, before in [known.get(cell, (0, 0))]
        if satang != before
    )
    await session.flush()


async def reach_step(session: AsyncSession, group_id: UUID, step: Step, *, by: Person | None = None) -> None:
    """Say that the group's plan has come to `step`; where it stands already, nothing is added."""
    steps = await steps_of(session, group_id)
    if not steps or steps[0].step != step:
        session.add(PlanStep(group_id=group_id, step=step, reached_at=clock.now(), reached_by=by.id if by else None))
        await session.flush()


async def _refuse_foreign_streams(session: AsyncSession, group_id: UUID, stream_ids: set[UUID]) -> None:
    own = await session.scalars(select(Stream.id).where(Stream.group_id == group_id, Stream.id.in_(stream_ids)))
    if set(own) != stream_ids:
        raise NotFound


async def _newest_cells(
    session: AsyncSession, group_id: UUID, months: Sequence[date]
) -> dict[Cell, tuple[int, Satang]]:
    plan = newest_amounts([group_id], months)
    rows = await session.execute(select(plan.c.stream_id, plan.c.month, plan.c.version, plan.c.satang))
    return {(stream_id, month): (version, satang) for stream_id, month, version, satang in rows}
