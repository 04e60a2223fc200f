"""Placing an order: in one transaction the basket becomes an order that holds its goods.

The same once-token never makes two orders: whoever comes second (a double click, another tab, a retry after a lost
answer, at the same moment too) waits for the first and gets its order.  Locks are taken in one order everywhere: the
token, the basket, the stock (in order of id, in `capacity.hold`), and last the number.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.clock import BANGKOK
from app.database import new_id
from app.errors import Refusal
from app.language import N_, Language
from app.money import Satang, baht
from app.settings import settings
from catalog import capacity
from catalog.capacity import Want
from orders import basket as baskets
from orders import delivery, notices
from orders.basket import Basket, OnlySoMuchLeft, OnOffer, SoldOut
from orders.order import Order, OrderLine, OrderPart, new_link_token, note
from orders.quote import GroupQuote, Quote, Seen, quote, seen_of
from orders.states import BUYER, DeliveryKind, OrderState, PartState, PaymentMethod
from orders.ways_to_pay import Way
from producers import fees
from producers.groups import Storage

CASH_DAYS: Final = 3
"""Cash is paid at pick-up, so the goods are kept until the end of the third day after the order."""
RETURN_DAYS: Final = 7
"""The Direct Sales and Direct Marketing Act's right to withdraw; fresh goods come back only when something is wrong."""
NUMBER_DIGITS: Final = (6, 6, 7, 7, 8, 8, 9, 9)
"""Lengths of the numbers to try, until one is free: numbers grow a digit when the short ones fill up."""


class EmptyBasket(Refusal):
    status = 422
    message = N_("Your basket is empty.")


class TotalChanged(Refusal):
    """What the order would cost is not what the buyer saw."""

    message = N_("The total is %(now)s now; you saw %(before)s. Please look once more, then order.")

    def __init__(self, before: int, now: int) -> None:
        super().__init__(before=baht(before), now=baht(now))


class NotPayableThatWay(Refusal):
    message = N_("This basket cannot be paid like that: %(reason)s")


class AddressNeeded(Refusal):
    status = 422
    message = N_("Please write where the parcel should go.")


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who orders, and where a parcel goes (no address when everything is picked up)."""

    name: str
    phone: str
    """E.164; any country's."""
    email: str | None = None
    lang: Language = "th"
    person_id: UUID | None = None
    address_line: str | None = None
    subdistrict_code: str | None = None
    note: str | None = None


async def place(
    session: AsyncSession,
    basket: Basket,
    buyer: Buyer,
    deliveries: Mapping[UUID, DeliveryKind] | None,
    payment_method: PaymentMethod,
    *,
    expected_total: int,
    once_token: str,
    channel: str = "web",
    seen: Sequence[Seen] | None = None,
) -> Order:
    """Turn the basket into an order, or return the order that this once-token made before.

    `deliveries` by group (None: as kept with the basket); `expected_total` in satang and, if given, every figure the
    buyer saw.  Refuses with `EmptyBasket`, `TotalChanged`, `NotPayableThatWay`, `AddressNeeded`, `quote.NoWayToSend`
    and the basket's refusals, which name the item and what is left of it.
    """
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(once_token, 0))))
    if before := await placed_with(session, once_token):
        return before
    await session.execute(update(Basket).where(Basket.id == basket.id).values(touched_at=clock.now()))
    now = await quote(session, basket, deliveries)
    way = _refuse_what_cannot_be(now, buyer, payment_method)
    if now.total_satang != expected_total or (seen is not None and set(seen) != set(seen_of(now))):
        raise TotalChanged(expected_total, now.total_satang)
    draft, parts, lines = await _written(session, now, buyer, way, once_token, channel)
    await _hold(session, now, lines, draft.hold_until_at)
    order = await _keep(session, draft, parts, lines)
    await baskets.empty(session, basket)
    note(session, order, "placed", BUYER)
    await session.flush()
    await notices.placed(session, order, parts)
    return order


async def placed_with(session: AsyncSession, once_token: str) -> Order | None:
    """Return the order that this once-token made, if it did."""
    found: Order | None = await session.scalar(select(Order).where(Order.once_token == once_token))
    return found


def hold_ends(method: PaymentMethod, at: datetime) -> datetime:
    """Until when an unpaid order placed at that moment keeps its goods."""
    if method != PaymentMethod.cash:
        return at + timedelta(minutes=settings().hold_minutes)
    last_day = clock.business_day(at) + timedelta(days=CASH_DAYS + 1)
    return datetime.combine(last_day, time.min, BANGKOK).astimezone(at.tzinfo)


def _refuse_what_cannot_be(now: Quote, buyer: Buyer, payment_method: PaymentMethod) -> Way:
    if now.is_empty:
        raise EmptyBasket
    for trouble in now.troubles:
        raise trouble
    way = now.way(payment_method)
    if way.why_not:
        raise NotPayableThatWay(reason=way.why_not, field="payment_method")
    if now.needs_address and not (buyer.address_line and buyer.subdistrict_code):
        raise AddressNeeded(field="address_line")
    return way


async def _written(
    session: AsyncSession, now: Quote, buyer: Buyer, way: Way, once_token: str, channel: str
) -> tuple[Order, list[OrderPart], list[OrderLine]]:
    order = _order(now, buyer, way, once_token, channel)
    rules = await fees.rules_for_centers(session, {part.center.id for part in now.groups}, order.placed_at)
    parts: list[OrderPart] = []
    lines: list[OrderLine] = []
    for position, quoted in enumerate(now.groups):
        part = _part(order, quoted, position, fees.frozen(rules[quoted.center.id]))
        parts.append(part)
        lines += [
            _line(order, part, item.offer, item.quantity_milli, len(lines) + n) for n, item in enumerate(quoted.items)
        ]
    return order, parts, lines


def _order(now: Quote, buyer: Buyer, way: Way, once_token: str, channel: str) -> Order:
    placed_at = clock.now()
    receiver = way.receiver
    return Order(
        id=new_id(),
        link_token=new_link_token(),
        once_token=once_token,
        lang=buyer.lang,
        channel=channel,
        person_id=buyer.person_id,
        buyer_name=buyer.name,
        buyer_phone=buyer.phone,
        buyer_email=buyer.email,
        address_line=buyer.address_line if now.needs_address else None,
        subdistrict_code=buyer.subdistrict_code if now.needs_address else None,
        note=buyer.note,
        payment_method=way.method,
        receiver_kind=receiver.kind if receiver else None,
        receiver_id=receiver.id if receiver else None,
        receiver_promptpay_id=receiver.promptpay_id if receiver else None,
        receiver_name=receiver.name.th if receiver else None,
        goods_satang=now.goods_satang,
        delivery_satang=now.delivery_satang,
        total_satang=now.total_satang,
        off_satang=Satang(0),
        received_satang=Satang(0),
        returned_satang=Satang(0),
        placed_at=placed_at,
        hold_until_at=hold_ends(way.method, placed_at),
        state=OrderState.placed,
    )


def _part(order: Order, quoted: GroupQuote, position: int, rules: list[dict[str, Any]]) -> OrderPart:
    assert quoted.option is not None
    group = quoted.group
    is_fetched_here = quoted.option.kind == DeliveryKind.pickup_group
    return OrderPart(
        id=new_id(),
        order_id=order.id,
        position=position,
        group_id=group.id,
        center_id=quoted.center.id,
        group_name_th=group.name_th,
        group_name_en=group.name_en,
        delivery=quoted.option.kind,
        pickup_text_th=group.pickup_text_th if is_fetched_here else quoted.center.name_th,
        pickup_text_en=group.pickup_text_en if is_fetched_here else quoted.center.name_en,
        goods_satang=quoted.goods_satang,
        delivery_satang=quoted.delivery_satang,
        weight_g=delivery.weight_of(quoted.wanted),
        fee_rules=rules,
        policy=_policy(quoted),
        state=PartState.placed,
        placed_at=order.placed_at,
        ready_at=order.placed_at if order.is_cash else None,
    )


def _policy(quoted: GroupQuote) -> dict[str, Any]:
    is_fresh = any(item.offer.listing.storage != Storage.ambient for item in quoted.items)
    return {"return_days": 0 if is_fresh else RETURN_DAYS, "is_fresh": is_fresh}


def _line(order: Order, part: OrderPart, offer: OnOffer, quantity_milli: int, position: int) -> OrderLine:
    listing, variant = offer.listing, offer.variant
    assert variant.price_satang is not None
    return OrderLine(
        id=new_id(),
        order_id=order.id,
        part_id=part.id,
        position=position,
        listing_id=listing.id,
        variant_id=variant.id,
        stream_id=listing.stream_id,
        name_th=listing.name_th,
        name_en=listing.name_en,
        label_th=variant.label_th,
        label_en=variant.label_en,
        unit_th=variant.unit_th,
        unit_en=variant.unit_en,
        storage=listing.storage,
        price_satang=variant.price_satang,
        quantity_milli=quantity_milli,
        satang=offer.cost(quantity_milli),
    )


async def _hold(session: AsyncSession, now: Quote, lines: Sequence[OrderLine], until: datetime) -> None:
    """Hold the goods, or refuse naming the first item that is short and what is left of it."""
    offers = {item.line.variant_id: item.offer for item in now.items}
    wants = [Want(offers[line.variant_id].variant.pool_id, line.id, line.quantity_milli) for line in lines]
    try:
        await capacity.hold(session, wants, until)
    except capacity.NotEnough as refusal:
        raise _in_words(refusal, lines, offers) from refusal


def _in_words(refusal: capacity.NotEnough, lines: Sequence[OrderLine], offers: Mapping[UUID, OnOffer]) -> Refusal:
    short = refusal.items[0]
    line = next(line for line in lines if line.id == short.owner_id)
    offer = offers[line.variant_id]
    left = short.left_milli // offer.variant.step_milli * offer.variant.step_milli
    if left < offer.variant.least_milli:
        return SoldOut(item=offer.name)
    return OnlySoMuchLeft(item=offer.name, left=baskets.in_units(offer.variant, left))


async def _keep(session: AsyncSession, order: Order, parts: Sequence[OrderPart], lines: Sequence[OrderLine]) -> Order:
    kept = await _numbered(session, order)
    session.add_all(parts)
    await session.flush()
    session.add_all(lines)
    return kept


async def _numbered(session: AsyncSession, order: Order) -> Order:
    """Write the order under a number nobody has; last of all, so that waiting for a number never blocks goods."""
    row = {column.key: getattr(order, column.key) for column in Order.__table__.columns}
    for digits in NUMBER_DIGITS:
        drawn = (
            insert(Order)
            .values(row | {"number": draw_number(digits)})
            .on_conflict_do_nothing(index_elements=[Order.number])
        )
        kept: Order | None = await session.scalar(drawn.returning(Order))
        if kept is not None:
            return kept
    raise RuntimeError("no free order number")


def draw_number(digits: int) -> str:
    """A number of so many digits, the first not zero so that it is read out as it is written."""
    least = 10 ** (digits - 1)
    return str(least + secrets.randbelow(9 * least))
