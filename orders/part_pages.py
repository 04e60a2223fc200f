"""A group's parts a page at a time, for programs that keep step with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from orders.group_work import Work
from orders.order import Order, OrderPart, PartView, lines_of, together
from orders.states import PartState


class Which(StrEnum):
    """Which parts: by what is to be done with them."""

    to_pack = "to_pack"
    packed = "packed"
    handed_over = "handed_over"
    cancelled = "cancelled"
    all = "all"


@dataclass(frozen=True, slots=True)
class Leaf:
    """Some parts, and the place where the next leaf begins."""

    works: list[Work]
    following: tuple[datetime, UUID] | None


async def leaf(
    session: AsyncSession, group_id: UUID, which: Which, after: tuple[datetime, UUID] | None, limit: int
) -> Leaf:
    """Return a group's parts in the order in which they were placed, so that new ones come at the end."""
    question = (
        select(OrderPart, Order)
        .join(Order, Order.id == OrderPart.order_id)
        .where(OrderPart.group_id == group_id, _are(which))
        .order_by(OrderPart.placed_at, OrderPart.id)
        .limit(limit + 1)
    )
    if after:
        question = question.where(tuple_(OrderPart.placed_at, OrderPart.id) > tuple_(*after))
    rows = (await session.execute(question)).all()
    shown = rows[:limit]
    last = shown[-1][0] if len(rows) > limit else None
    views = [PartView(part, "", None, []) for part, _ in shown]
    lines: Sequence[PartView] = together(views, await lines_of(session, [part.id for part, _ in shown]))
    works = [Work(part, order, view.lines) for (part, order), view in zip(shown, lines, strict=True)]
    return Leaf(works, (last.placed_at, last.id) if last else None)


def _are(which: Which) -> ColumnElement[bool]:
    if which is Which.all:
        return true()
    if which is Which.to_pack:
        return and_(OrderPart.ready_at.is_not(None), OrderPart.state.in_([PartState.placed, PartState.paid]))
    return OrderPart.state == PartState(which)
