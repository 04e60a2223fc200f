"""Payments: money that a person (later also a payment provider's signed word) has confirmed.

`settle` is the one door through which money reaches an order, and the seam for gateways: whoever confirms money calls
it with a key of their own (a slip, a hand-over, a provider's event); the same key pays once.  It decides by itself
what the money does: pays the order, waits for the rest, or goes back because the goods are gone.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.database import Base, Id, Utc
from app.money import Satang
from app.settings import settings
from catalog import capacity
from orders import notices, postings, refunds
from orders.order import Order, OrderPart, line_ids, locked, locked_parts, note
from orders.refunds import RefundReason
from orders.states import UNPAID, Actor, OrderState, PartState, PaymentMethod
from producers import ledger

REST_WITHIN: Final = timedelta(days=1)
"""How long the goods are kept for a buyer who has paid a part and still owes the rest."""


class Payment(Base):
    """Money that reached an order; its meaning stands in the ledger."""

    __tablename__ = "payments"
    __table_args__ = (CheckConstraint("satang > 0", name="something_came_in"),)

    id: Mapped[Id]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    part_id: Mapped[UUID | None] = mapped_column(ForeignKey("order_parts.id"))
    """The part whose goods were paid for in cash."""
    key: Mapped[str] = mapped_column(unique=True)
    """What makes confirming it twice harmless, for instance "slip 0199…"."""
    method: Mapped[str]
    satang: Mapped[Satang]
    confirmed_at: Mapped[Utc]
    confirmed_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))


async def of_order(session: AsyncSession, order_id: UUID) -> Sequence[Payment]:
    found = await session.scalars(
        select(Payment).where(Payment.order_id == order_id).order_by(Payment.confirmed_at, Payment.id)
    )
    return found.all()


async def settle(
    session: AsyncSession,
    order: Order,
    satang: int,
    by: Actor,
    *,
    key: str | None = None,
    method: PaymentMethod = PaymentMethod.promptpay,
) -> Payment:
    """Take `satang` that reached an order; the same key again changes nothing.

    Enough money makes the order paid, even after the hold ran out, as long as the goods are still there; otherwise
    all of it becomes a refund task, as does what is too much.  Too little waits for the rest.
    """
    key = key or f"order {order.id}"
    order = await locked(session, order.id)
    if known := await _known(session, key):
        return known
    payment = await _taken(session, order, satang, by, key, method)
    if order.state not in UNPAID:
        await _put_by(session, order, payment, by)
        is_cancelled = order.state == OrderState.cancelled
        await refunds.owe(session, order, satang, RefundReason.cancelled if is_cancelled else RefundReason.too_much)
    elif order.credit_satang < order.kept_satang:
        await _put_by(session, order, payment, by)
        await _wait_for_the_rest(session, order, by, satang)
    elif await _secure_goods(session, order):
        await _pay(session, order, payment, by)
    else:
        await _put_by(session, order, payment, by)
        order.state = OrderState.expired
        note(session, order, "money_late", by, satang=satang)
        await refunds.owe(session, order, order.credit_satang, RefundReason.late)
    return payment


async def take_cash(session: AsyncSession, order: Order, part: OrderPart, by: Actor) -> Payment | None:
    """The buyer pays for a part where it is handed over; the order is locked.  Refuses with `capacity.HoldRanOut`.

    None for a part that costs nothing.
    """
    key = f"cash {part.id}"
    if known := await _known(session, key):
        return known
    await capacity.confirm(session, await line_ids(session, [part.id]))
    if part.kept_satang == 0:
        return None
    payment = await _taken(session, order, part.kept_satang, by, key, PaymentMethod.cash)
    entries = postings.paid(order, [part], payment.satang, part)
    await ledger.post(session, key=f"payment {payment.id}", kind="paid", entries=entries, by=by.person)
    return payment


async def prolong_hold(session: AsyncSession, order: Order, by: timedelta) -> bool:
    """Keep an unpaid order's goods for longer from now; false when they ran out meanwhile and are gone."""
    until = clock.now() + by
    try:
        async with session.begin_nested():
            await capacity.prolong(session, await _open_line_ids(session, order), until)
    except capacity.HoldRanOut:
        return False
    order.hold_until_at = until
    return True


async def _known(session: AsyncSession, key: str) -> Payment | None:
    found: Payment | None = await session.scalar(select(Payment).where(Payment.key == key))
    return found


async def _taken(
    session: AsyncSession, order: Order, satang: int, by: Actor, key: str, method: PaymentMethod
) -> Payment:
    payment = Payment(
        order_id=order.id,
        key=key,
        method=method,
        satang=Satang(satang),
        confirmed_at=clock.now(),
        confirmed_by=by.person_id,
    )
    session.add(payment)
    order.received_satang = Satang(order.received_satang + satang)
    await session.flush()
    return payment


async def _put_by(session: AsyncSession, order: Order, payment: Payment, by: Actor) -> None:
    entries = postings.put_by(order, payment.satang)
    await ledger.post(session, key=f"payment {payment.id}", kind="received", entries=entries, by=by.person)


async def _pay(session: AsyncSession, order: Order, payment: Payment, by: Actor) -> None:
    parts = await locked_parts(session, order)
    entries = postings.paid(order, parts, payment.satang)
    await ledger.post(session, key=f"payment {payment.id}", kind="paid", entries=entries, by=by.person)
    order.state, order.paid_at = OrderState.paid, clock.now()
    for part in parts:
        part.state, part.ready_at = PartState.paid, order.paid_at
    note(session, order, "paid", by, satang=payment.satang)
    await refunds.owe(session, order, order.credit_satang - order.kept_satang, RefundReason.too_much)
    await session.flush()
    await notices.paid(session, order, parts)


async def _wait_for_the_rest(session: AsyncSession, order: Order, by: Actor, satang: int) -> None:
    note(session, order, "part_paid", by, satang=satang)
    order.state = OrderState.placed
    await prolong_hold(session, order, max(REST_WITHIN, timedelta(minutes=settings().hold_minutes)))
    await session.flush()
    await notices.part_paid(session, order)


async def _secure_goods(session: AsyncSession, order: Order) -> bool:
    """Make the held goods the buyer's; false when the hold ran out and somebody else has them."""
    try:
        async with session.begin_nested():
            await capacity.confirm(session, await _open_line_ids(session, order))
    except capacity.HoldRanOut:
        return False
    return True


async def _open_line_ids(session: AsyncSession, order: Order) -> list[UUID]:
    return await line_ids(session, [part.id for part in await locked_parts(session, order) if part.is_open])
