"""What watchers ask about orders and their money (see `app.metrics`)."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.access import whole_market
from app.metrics import Figure, Question
from orders.card_payments import ProviderPayment
from orders.order import Order
from orders.provider_events import ProviderEvent
from orders.refunds import IS_OWED, RefundTask
from orders.slips import Slip, SlipState
from orders.states import OrderState

LATELY = timedelta(days=30)
"""Orders of longer ago are not counted: reading them all every few seconds would cost more the older the market is."""
DAY = timedelta(days=1)
ALL = whole_market("counts and ages for watchers, who see nothing of a single row")


async def of_orders(session: AsyncSession) -> list[Figure]:
    """Orders placed lately, by how far they are; and today's story: placed, paid, done."""
    now = clock.now()
    rows = await session.execute(
        select(Order.state, func.count()).where(ALL, Order.placed_at > now - LATELY).group_by(Order.state)
    )
    by_state = dict(rows.all())
    placed, paid, done = (
        await session.execute(
            select(
                func.count().filter(Order.placed_at > now - DAY),
                func.count().filter(Order.paid_at > now - DAY),
                func.count().filter(Order.done_at > now - DAY),
            ).where(ALL, Order.placed_at > now - LATELY)
        )
    ).one()
    about = "What happened within 24 hours to orders placed within 30 days."
    return [
        *(
            Figure("market_orders", "Orders placed within 30 days.", by_state.get(state, 0), {"state": state.value})
            for state in OrderState
        ),
        Figure("market_orders_of_a_day", about, placed, {"what": "placed"}),
        Figure("market_orders_of_a_day", about, paid, {"what": "paid"}),
        Figure("market_orders_of_a_day", about, done, {"what": "handed_over"}),
    ]


async def of_money_in_doubt(session: AsyncSession) -> list[Figure]:
    """Money that somebody, or a provider, still has to say something about; how much of it, and for how long."""
    waiting = {
        "slip": select(func.count(), func.min(Slip.sent_at)).where(ALL, Slip.state == SlipState.waiting),
        "refund": select(func.count(), func.min(RefundTask.made_at)).where(ALL, IS_OWED),
        "provider_payment": select(func.count(), func.min(ProviderPayment.expires_at)).where(
            ALL, ProviderPayment.state == "asked", ProviderPayment.expires_at < clock.now()
        ),
        "provider_event": select(func.count(), func.min(ProviderEvent.received_at)).where(
            ALL, ProviderEvent.worked_at.is_(None)
        ),
    }
    figures = []
    for kind, question in waiting.items():
        count, since = (await session.execute(question)).one()
        figures += [
            Figure("market_money_in_doubt", "Money that waits for a word, by what it waits as.", count, {"kind": kind}),
            Figure(
                "market_money_in_doubt_oldest_seconds", "How long the oldest of it waits.", _age(since), {"kind": kind}
            ),
        ]
    return figures


def _age(since: datetime | None) -> float:
    return (clock.now() - since).total_seconds() if since else 0.0


QUESTIONS = (Question(of_orders), Question(of_money_in_doubt))
