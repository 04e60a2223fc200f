"""How an order ends without goods: the buyer or the market cancels it, or its time runs out.

The goods go back on sale at once, and money that had come in becomes a refund task.
"""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock, jobs
from app.database import session_scope
from app.errors import Refusal
from app.language import N_
from app.money import Satang
from catalog import capacity
from orders import card_payments, hand_over, notices, postings, refunds
from orders.order import Order, OrderPart, line_ids, locked, locked_parts, note
from orders.refunds import RefundReason
from orders.states import MARKET, Actor, ActorKind, OrderState, PartState
from producers import ledger

LOOKED_FOR_EVERY: Final = timedelta(minutes=5)


class PaidMeanwhile(Refusal):
    message = N_("This order is paid, so it cannot be cancelled here. Please call the group or write to us.")


class SlipBeingChecked(Refusal):
    message = N_("We are looking at your transfer slip. Once we have answered, you can cancel.")


class HandedOverAlready(Refusal):
    message = N_("These goods were handed over already.")


async def cancel(session: AsyncSession, order: Order, by: Actor, reason: str | None = None) -> Order:
    """Cancel what is still open of an order: buyers while it is unpaid, staff until it is handed over.

    Twice is once.  Refuses with `PaidMeanwhile`, `SlipBeingChecked`, `HandedOverAlready`.
    """
    order = await locked(session, order.id)
    if order.state in {OrderState.cancelled, OrderState.expired}:
        return order
    _refuse_unless_open(order, by)
    was_unpaid = order.paid_at is None and not order.is_cash
    open_parts = [part for part in await locked_parts(session, order) if part.is_open]
    for part in open_parts:
        await _give_up(session, order, part)
    if was_unpaid:
        await refunds.owe(session, order, order.credit_satang, RefundReason.cancelled)
    await card_payments.close(session, order)
    order.cancelled_because = reason
    note(session, order, "cancelled", by, reason=reason)
    await session.flush()
    await hand_over.close_when_finished(session, order)
    await notices.cancelled(session, order, open_parts, reason)
    return order


async def cancel_part(session: AsyncSession, part_id: UUID, by: Actor, reason: str | None = None) -> OrderPart:
    """Take one group's part out of a paid order (or one paid in cash): what was paid for it goes back.

    Refuses with `HandedOverAlready`, `hand_over.NotPaidYet` (cancel the whole order instead), `NotFound`.
    """
    order, part = await hand_over.locked_part(session, part_id)
    if part.state == PartState.cancelled:
        return part
    if part.state == PartState.handed_over:
        raise HandedOverAlready
    if part.ready_at is None:
        raise hand_over.NotPaidYet
    await _give_up(session, order, part)
    note(session, order, "part_cancelled", by, part=part, reason=reason)
    await session.flush()
    await hand_over.close_when_finished(session, order)
    await notices.cancelled(session, order, [part], reason)
    return part


async def expire(session: AsyncSession, order: Order) -> bool:
    """Say that an order's time ran out, if it did; its goods were free from that moment, whether anybody said so or not."""
    order = await locked(session, order.id)
    if order.state != OrderState.placed or not order.is_run_out(clock.now()):
        return False
    parts = await locked_parts(session, order)
    told = [part for part in parts if part.is_open and part.ready_at]
    if any(not part.is_open for part in parts):
        # Some of it was fetched and paid for in cash: only the rest has run out.
        for part in parts:
            if part.is_open:
                await _give_up(session, order, part)
        await hand_over.close_when_finished(session, order)
    else:
        order.state = OrderState.expired
        for part in parts:
            part.ready_at = None
    await refunds.owe(session, order, 0 if order.is_cash else order.credit_satang, RefundReason.short)
    note(session, order, "expired", MARKET)
    await session.flush()
    await notices.expired(session, order, told)
    return True


@jobs.every(LOOKED_FOR_EVERY, "orders.expire")
async def expire_all(_payload: dict[str, Any]) -> None:
    """Tell buyers and desks about orders that ran out.  The stock needs no telling: it compares times."""
    async with session_scope() as session:
        overdue = (
            await session.scalars(
                select(Order.id)
                .where(Order.state == OrderState.placed, Order.hold_until_at <= clock.now())
                .order_by(Order.hold_until_at)
                .limit(500)
            )
        ).all()
    for order_id in overdue:
        async with session_scope() as session:
            await expire(session, await session.get_one(Order, order_id))


def _refuse_unless_open(order: Order, by: Actor) -> None:
    if order.state == OrderState.done:
        raise HandedOverAlready
    if by.kind == ActorKind.buyer and order.state == OrderState.paid:
        raise PaidMeanwhile
    if by.kind == ActorKind.buyer and order.state == OrderState.slip_sent:
        raise SlipBeingChecked


async def _give_up(session: AsyncSession, order: Order, part: OrderPart) -> None:
    owners = await line_ids(session, [part.id])
    if order.paid_at is not None and not order.is_cash:
        await capacity.give_back(session, owners)
        entries = postings.given_up(order, part, part.kept_satang)
        if entries:
            await ledger.post(session, key=f"given up {part.id}", kind="given_up", entries=entries)
        await refunds.owe(session, order, part.kept_satang, RefundReason.cancelled, part=part)
    else:
        await capacity.release(session, owners)
    order.off_satang = Satang(order.off_satang + part.kept_satang)
    part.goods_off_satang, part.delivery_off_satang = part.goods_satang, part.delivery_satang
    part.state, part.cancelled_at = PartState.cancelled, clock.now()
    await session.flush()
