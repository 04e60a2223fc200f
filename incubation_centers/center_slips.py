"""Slips of orders that were paid into a centre's own account: its coordinators look at them.

Judging itself is told in `orders.slips`, which also asks whether this person may; here is only which ones are whose.
"""

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import Scope
from orders.order import Order, received_by
from orders.slips import Slip, SlipState, WaitingSlip
from orders.states import ReceiverKind
from producers.centers import Center


async def waiting(session: AsyncSession, scope: Scope, center: Center, limit: int = 50) -> list[WaitingSlip]:
    """Return the slips of this centre that nobody has looked at yet, the longest waiting first."""
    rows = await session.execute(
        select(Slip, Order)
        .join(Order, Order.id == Slip.order_id)
        .where(*_waiting_for(scope, center))
        .order_by(Slip.sent_at, Slip.id)
        .limit(limit)
    )
    return [WaitingSlip(slip, order) for slip, order in rows]


async def waiting_count(session: AsyncSession, scope: Scope, center: Center) -> int:
    question = select(func.count()).select_from(Slip).join(Order, Order.id == Slip.order_id)
    return await session.scalar(question.where(*_waiting_for(scope, center))) or 0


def _waiting_for(scope: Scope, center: Center) -> tuple[ColumnElement[bool], ...]:
    return (
        received_by(scope),
        Order.receiver_kind == ReceiverKind.center,
        Order.receiver_id == center.id,
        Slip.state == SlipState.waiting,
    )
