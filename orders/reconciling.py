"""Payments and refunds in doubt: where Stripe's word never came, it is asked.

Events are lost when our server was away, and a browser that comes back proves nothing.  So every few minutes Stripe is
asked what became of each page it was asked for, also when its order ran out or was cancelled since: money may have come
all the same.  The answer does exactly what the event would have done.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select, update

from app import clock, jobs
from app.database import session_scope
from app.errors import Refusal
from orders import card_payments, refunds, stripe_gateway
from orders.card_payments import ProviderPayment
from orders.order import Order
from orders.refunds import RefundTask
from orders.states import OrderState
from orders.stripe_gateway import Checkout, GatewayAway

EVERY: Final = timedelta(minutes=5)
IN_DOUBT_AFTER: Final = timedelta(minutes=3)
"""Until then the event is merely on its way."""
REFUNDS_EVERY: Final = timedelta(hours=1)
MOST_AT_ONCE: Final = 200

log = logging.getLogger("market.stripe")


@jobs.every(EVERY, "stripe.reconcile")
async def reconcile(_payload: dict[str, Any]) -> None:
    """Ask about every payment in doubt.  A trouble with one is told in the log and does not keep the others waiting."""
    if not stripe_gateway.is_open():
        return
    await _forget_never_made()
    for asked_id, checkout_id, order_state in await _in_doubt():
        assert checkout_id is not None
        try:
            await look_up(asked_id, checkout_id, is_wanted=order_state == OrderState.placed)
        except GatewayAway:
            log.warning("Stripe is away: payments in doubt are looked at later")
            return
        except Refusal as refusal:
            log.warning("Payment %s stays in doubt: %s", checkout_id, refusal.text("en"))


@jobs.every(REFUNDS_EVERY, "stripe.reconcile_refunds")
async def reconcile_refunds(_payload: dict[str, Any]) -> None:
    """Ask about every refund that Stripe has not finished for long."""
    if not stripe_gateway.is_open():
        return
    for task_id, refund_id in await _refunds_in_doubt():
        assert refund_id is not None
        try:
            said = await stripe_gateway.find_refund(refund_id)
        except GatewayAway:
            log.warning("Stripe is away: refunds in doubt are looked at later")
            return
        except Refusal as refusal:
            log.warning("Refund %s stays in doubt: %s", refund_id, refusal.text("en"))
            continue
        async with session_scope() as session:
            await refunds.provider_said(session, said.id, said.state, task_id=task_id, reason=said.reason)


async def look_up(asked_id: UUID, checkout_id: str, *, is_wanted: bool) -> Checkout:
    """Ask Stripe about one page, closing it when nobody should pay on it any more, and settle what it says."""
    found = await _asked(checkout_id, is_wanted=is_wanted)
    async with session_scope() as session:
        await session.execute(
            update(ProviderPayment).where(ProviderPayment.id == asked_id).values(looked_at=clock.now())
        )
    async with session_scope() as session:
        await card_payments.provider_said(session, found)
    return found


async def _asked(checkout_id: str, *, is_wanted: bool) -> Checkout:
    if is_wanted:
        return await stripe_gateway.find_checkout(checkout_id)
    return await stripe_gateway.close_checkout(checkout_id)


async def _in_doubt() -> Sequence[Row[UUID, str | None, str]]:
    """Pages whose fate is unknown, those that were looked at longest ago first."""
    async with session_scope() as session:
        found = await session.execute(
            select(ProviderPayment.id, ProviderPayment.checkout_id, Order.state)
            .join(Order, Order.id == ProviderPayment.order_id)
            .where(
                ProviderPayment.state == "asked",
                ProviderPayment.checkout_id.is_not(None),
                ProviderPayment.asked_at < clock.now() - IN_DOUBT_AFTER,
            )
            .order_by(ProviderPayment.looked_at.nulls_first(), ProviderPayment.asked_at)
            .limit(MOST_AT_ONCE)
        )
        return found.all()


async def _forget_never_made() -> None:
    """A page whose address never reached us was shown to nobody: once it would have closed, it is over."""
    async with session_scope() as session:
        await session.execute(
            update(ProviderPayment)
            .where(
                ProviderPayment.state == "asked",
                ProviderPayment.checkout_id.is_(None),
                ProviderPayment.expires_at < clock.now(),
            )
            .values(state="expired")
        )


async def _refunds_in_doubt() -> Sequence[Row[UUID, str | None]]:
    async with session_scope() as session:
        found = await session.execute(
            select(RefundTask.id, RefundTask.provider_refund_id)
            .where(
                RefundTask.state == "pending",
                RefundTask.provider_refund_id.is_not(None),
                RefundTask.asked_at < clock.now() - REFUNDS_EVERY,
            )
            .order_by(RefundTask.asked_at)
            .limit(MOST_AT_ONCE)
        )
        return found.all()
