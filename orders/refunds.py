"""Money that has to go back to a buyer: a task that stays on the staff's desk until a person has paid it back.

It came too late and the goods were gone, it came twice, it was too much, or what it paid for was cancelled.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.access import Scope, whole_market
from app.database import Base, Id, Utc
from app.errors import NotFound
from app.money import Satang
from orders import notices, postings
from orders.order import Order, OrderPart, locked, note, received_by
from orders.states import MARKET, Actor
from producers import ledger


class RefundReason(StrEnum):
    late = "late"
    """It came after the hold had run out, and the goods were gone."""
    too_much = "too_much"
    """More than was due: paid twice, or a wrong amount."""
    cancelled = "cancelled"
    """What it paid for was cancelled."""
    short = "short"
    """Only a part was paid, and the rest did not come in time."""


class RefundTask(Base):
    __tablename__ = "refund_tasks"
    __table_args__ = (
        CheckConstraint("satang > 0", name="something_to_pay"),
        CheckConstraint("state IN ('open', 'done')", name="state_is_known"),
        CheckConstraint("(state = 'done') = (done_at IS NOT NULL)", name="done_has_a_date"),
        Index("ix_refund_tasks_open", "made_at", postgresql_where="state = 'open'"),
    )

    id: Mapped[Id]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    part_id: Mapped[UUID | None] = mapped_column(ForeignKey("order_parts.id"))
    satang: Mapped[Satang]
    reason: Mapped[str]
    pay_to: Mapped[str | None]
    """Where the buyer wants it: their PromptPay id or bank account, in their own words."""
    state: Mapped[str]
    made_at: Mapped[Utc]
    done_at: Mapped[datetime | None]
    done_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    note: Mapped[str | None]
    """What whoever paid it back wrote: the bank's reference."""


async def open_tasks(session: AsyncSession, scope: Scope) -> list[tuple[RefundTask, Order]]:
    """Return what has to be paid back, the longest waiting first: all of it for staff, a centre's and a group's own."""
    rows = await session.execute(
        select(RefundTask, Order)
        .join(Order, Order.id == RefundTask.order_id)
        .where(RefundTask.state == "open", received_by(scope))
        .order_by(RefundTask.made_at, RefundTask.id)
    )
    return [(task, order) for task, order in rows]


async def done_lately(session: AsyncSession, scope: Scope, limit: int = 20) -> list[tuple[RefundTask, Order]]:
    """Return what was paid back last."""
    rows = await session.execute(
        select(RefundTask, Order)
        .join(Order, Order.id == RefundTask.order_id)
        .where(RefundTask.state == "done", received_by(scope))
        .order_by(RefundTask.done_at.desc())
        .limit(limit)
    )
    return [(task, order) for task, order in rows]


EVERYBODYS = whole_market("staff see to it that everybody gets their money back")


async def open_count(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).where(EVERYBODYS, RefundTask.state == "open")) or 0


async def of_order(session: AsyncSession, order_id: UUID) -> Sequence[RefundTask]:
    found = await session.scalars(
        select(RefundTask).where(RefundTask.order_id == order_id).order_by(RefundTask.made_at, RefundTask.id)
    )
    return found.all()


async def owe(
    session: AsyncSession, order: Order, satang: int, reason: RefundReason, *, part: OrderPart | None = None
) -> RefundTask | None:
    """Promise so much back to the buyer of an order that is locked; nothing is promised of nothing."""
    if satang <= 0:
        return None
    order.returned_satang = Satang(order.returned_satang + satang)
    task = RefundTask(
        order_id=order.id,
        part_id=part.id if part else None,
        satang=Satang(satang),
        reason=reason,
        pay_to=None,
        state="open",
        made_at=clock.now(),
    )
    session.add(task)
    note(session, order, "refund_due", MARKET, part=part, satang=satang, reason=reason.value)
    await session.flush()
    await notices.refund_due(session, order, satang)
    return task


async def say_where(session: AsyncSession, order: Order, pay_to: str) -> None:
    """The buyer says where they want their money."""
    await session.execute(
        update(RefundTask).where(RefundTask.order_id == order.id, RefundTask.state == "open").values(pay_to=pay_to)
    )


async def finish(session: AsyncSession, scope: Scope, task_id: UUID, by: Actor, remark: str | None) -> RefundTask:
    """A person has paid the money back.  Twice is once; refuses with `NotFound` whoever does not hold the money."""
    order_id = await session.scalar(
        select(RefundTask.order_id)
        .join(Order, Order.id == RefundTask.order_id)
        .where(RefundTask.id == task_id, received_by(scope))
    )
    if order_id is None:
        raise NotFound
    order = await locked(session, order_id)
    task = await session.get_one(RefundTask, task_id, populate_existing=True)
    if task.state == "done":
        return task
    task.state, task.done_at, task.done_by, task.note = "done", clock.now(), by.person_id, remark
    await ledger.post(
        session,
        key=f"refund {task.id}",
        kind="refunded",
        entries=postings.refunded(order, task.satang),
        by=by.person,
        note=remark,
    )
    note(session, order, "refunded", by, satang=task.satang)
    await session.flush()
    await notices.refunded(session, order, task.satang)
    return task
