"""What orders let go of by themselves: slips' pictures, and who bought what, each after its time.

Nobody has to ask for it.  How long everything is kept is told at /privacy, from the same constants.
"""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, or_, select

from app import clock, files, jobs, snapshot
from app.database import session_scope
from orders.erasure import BUYERS_KEPT, DELETE_PICTURE, NEVER_PAID_KEPT, forget_buyers, forget_pictures
from orders.order import Order
from orders.refunds import IS_OWED, RefundTask
from orders.slips import Slip
from orders.states import OrderState

PICTURES_KEPT: Final = timedelta(days=90)
"""How long the picture of a slip is kept, whatever became of it."""
AT_ONCE: Final = 500
"""Orders of one transaction; the rest follows in another job."""


@jobs.every(timedelta(days=1), "slips.forget")
async def forget_old_pictures(_payload: dict[str, Any]) -> None:
    async with session_scope() as session:
        await forget_pictures(session, Slip.sent_at < clock.now() - PICTURES_KEPT)


@jobs.handler(DELETE_PICTURE)
async def delete_picture(payload: dict[str, Any]) -> None:
    """Delete a slip's file, unless another slip that is kept still shows the same picture; during a backup, later."""
    async with session_scope() as session:
        if await snapshot.is_being_read(session):
            await jobs.enqueue(session, DELETE_PICTURE, payload, run_after=clock.now() + snapshot.ASK_AGAIN)
            return
        is_shown = await session.scalar(
            select(Slip.id).where(Slip.file_key == payload["key"], Slip.picture_gone_at.is_(None)).limit(1)
        )
    if is_shown is None:
        await files.delete(payload["key"])


@jobs.every(timedelta(days=1), "orders.forget_buyers")
async def forget_old_buyers(_payload: dict[str, Any]) -> None:
    """Take the buyers from orders whose time is over, some hundreds in a transaction."""
    while await _forget_some():
        pass


async def _forget_some() -> bool:
    async with session_scope() as session:
        old = (
            await session.scalars(
                select(Order.id)
                .where(Order.erased_at.is_(None), _is_over())
                .order_by(Order.placed_at)
                .limit(AT_ONCE)
                .with_for_update(skip_locked=True)
            )
        ).all()
        await forget_buyers(session, old)
    return len(old) == AT_ONCE


def _is_over() -> ColumnElement[bool]:
    """The order was closed so long ago that its buyer's data has no purpose left; no money is on its way back."""
    now = clock.now()
    ended_at = func.coalesce(Order.done_at, Order.cancelled_at, Order.hold_until_at)
    never_paid = and_(Order.state.in_([OrderState.cancelled, OrderState.expired]), Order.received_satang == 0)
    closed = Order.state.in_([OrderState.done, OrderState.cancelled, OrderState.expired])
    waits_for_money = select(RefundTask.id).where(RefundTask.order_id == Order.id, IS_OWED)
    return and_(
        # An order ends after it was placed: this much the index on that moment can tell.
        Order.placed_at < now - NEVER_PAID_KEPT,
        or_(
            and_(closed, ended_at < now - BUYERS_KEPT),
            and_(never_paid, ended_at < now - NEVER_PAID_KEPT),
        ),
        ~waits_for_money.exists(),
    )
