"""What is wrong once all is at rest: the buyers' wishes, the stand-in's record of money, the orders and the stock."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select

from catalog.capacity import Pool
from orders.card_payments import ProviderPayment
from orders.order import Order, OrderLine, OrderPart
from orders.payments import Payment
from orders.refunds import RefundTask
from producers.ledger import Account, LedgerEntry
from tests.bad_days.hurt_market import HurtMarket
from tests.bad_days.walkers import Walk
from tests.stripe_standin.bank import Bank

STOCK_MILLI = 100_000_000


async def wrong_with(market: HurtMarket, walks: Iterable[Walk]) -> list[str]:
    """Return in words everything that is not as it must be."""
    async with market.session() as session:
        orders = list((await session.scalars(select(Order))).all())
        paid: dict[Any, int] = dict((await session.execute(_sum_by(Payment.order_id, Payment.satang))).all())
        back: dict[Any, int] = dict((await session.execute(_sum_by(RefundTask.order_id, RefundTask.satang))).all())
        asked = (await session.scalars(select(ProviderPayment.state))).all()
        money = select(func.sum(LedgerEntry.satang)).where(LedgerEntry.account == Account.money)
        in_books = await session.scalar(money) or 0
        pools = list((await session.scalars(select(Pool))).all())
        sold = select(func.sum(OrderLine.quantity_milli)).join(OrderPart, OrderPart.id == OrderLine.part_id)
        gone = await session.scalar(sold.where(OrderPart.state == "handed_over")) or 0
    taken = received_by(market.bank)
    returned = returned_by(market.bank)
    return [
        *(f"{order.number} is in doubt" for order in orders if order.state in {"placed", "paid"}),
        *(
            f"{order.number}: paid {paid.get(order.id, 0)}, at Stripe {taken[str(order.id)]}"
            for order in orders
            if paid.get(order.id, 0) != taken[str(order.id)]
        ),
        *(
            f"{order.number}: back {back.get(order.id, 0)}, at Stripe {returned[str(order.id)]}"
            for order in orders
            if back.get(order.id, 0) != returned[str(order.id)]
        ),
        *(
            f"a payment of {satang} without an order"
            for order_id, satang in taken.items()
            if order_id not in {str(order.id) for order in orders}
        ),
        *([f"the books say {in_books}"] if in_books != taken.total() - returned.total() else []),
        *(["a page is still asked for"] if "asked" in asked else []),
        *(f"{pool.held_milli} of a pool are held" for pool in pools if pool.held_milli),
        *([f"stock is wrong by {_missing(pools) - gone}"] if _missing(pools) != gone else []),
        *twice(orders, walks),
    ]


def twice(orders: Iterable[Order], walks: Iterable[Walk]) -> list[str]:
    """Wishes that became two orders, or none."""
    made = Counter(order.note for order in orders)
    done = {order.note for order in orders if order.state == "done"}
    return [
        *(f"{walk.name} became {made[walk.name]} orders" for walk in walks if made[walk.name] > 1),
        *(f"{walk.name} is lost" for walk in walks if walk.link and not made[walk.name]),
        *(f"{walk.name} was handed over and is not done" for walk in walks if walk.is_done and walk.name not in done),
        *(
            f"{walk.name} was paid and not handed over"
            for walk in walks
            if walk.is_paid and not walk.is_done and walk.ending != "cancel and pay"
        ),
    ]


def received_by(bank: Bank) -> Counter[str]:
    """Satang that arrived at the stand-in, by order."""
    found: Counter[str] = Counter()
    for page in bank.sessions.values():
        if page["payment_intent"]:
            found[page["client_reference_id"]] += bank.intents[page["payment_intent"]]["amount_received"]
    return found


def returned_by(bank: Bank) -> Counter[str]:
    """Satang that the stand-in gave back, by order."""
    of_intent = {page["payment_intent"]: page["client_reference_id"] for page in bank.sessions.values()}
    found: Counter[str] = Counter()
    for refund in bank.refunds.values():
        if refund["status"] == "succeeded":
            found[of_intent[refund["payment_intent"]]] += refund["amount"]
    return found


def _sum_by(column: Any, satang: Any) -> Any:
    return select(column, func.sum(satang)).group_by(column)


def _missing(pools: Iterable[Pool]) -> int:
    return sum(STOCK_MILLI - pool.on_hand_milli for pool in pools)
