"""A group's work on its orders: what to pack, what to hand over, and what is next.  Only its own parts, ever."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.errors import NotFound
from app.language import Bilingual
from orders.order import KEPT_MILLI, Order, OrderEvent, OrderLine, OrderPart, full_name, only_digits
from orders.states import OrderState, PartState, PaymentMethod
from producers.groups import Group

MOST_SHOWN = 100
CONTACT_SHOWN: Final = timedelta(days=90)
"""How long after hand-over a group still sees whom to call about it, and where it went."""
BETWEEN_BUYER_AND_MARKET = ("refund_due", "refund_failed", "refunded", "slip_refused", "part_paid")


@dataclass(frozen=True, slots=True)
class Work:
    """A part with the order it is of; pages show of the order only what the group needs."""

    part: OrderPart
    order: Order
    lines: list[OrderLine]

    @property
    def shows_contact(self) -> bool:
        """Whether the group needs phone, address and note: from when it may pack until a while after hand-over."""
        handed_over_at = self.part.handed_over_at
        if handed_over_at:
            return clock.now() < handed_over_at + CONTACT_SHOWN
        return self.part.ready_at is not None and self.part.is_open


@dataclass(frozen=True, slots=True)
class Tally:
    """How many parts wait for what."""

    to_pack: int
    to_hand_over: int
    waiting_for_money: int


@dataclass(frozen=True, slots=True)
class Picked:
    """One thing, added up over all parts still to be packed."""

    name: Bilingual
    unit: Bilingual
    quantity_milli: int
    orders: int
    """In how many orders it is."""


async def tally(session: AsyncSession, group_id: UUID) -> Tally:
    """Count a group's open parts in one question."""
    row = (
        await session.execute(
            select(
                func.count().filter(_to_pack()),
                func.count().filter(_to_hand_over()),
                func.count().filter(and_(OrderPart.ready_at.is_(None), OrderPart.state == PartState.placed)),
            )
            .join(Order, Order.id == OrderPart.order_id)
            .where(
                OrderPart.group_id == group_id,
                OrderPart.state.in_([PartState.placed, PartState.paid, PartState.packed]),
                or_(OrderPart.ready_at.is_not(None), _is_waited_for()),
                _is_live(),
            )
        )
    ).one()
    return Tally(*row)


async def to_pack(session: AsyncSession, group_id: UUID, limit: int = MOST_SHOWN) -> list[Work]:
    """Return what the group has to pack, the longest waiting first."""
    return await _work(session, group_id, _to_pack(), limit)


async def to_hand_over(session: AsyncSession, group_id: UUID, limit: int = MOST_SHOWN) -> list[Work]:
    return await _work(session, group_id, _to_hand_over(), limit)


async def recent(session: AsyncSession, group_id: UUID, limit: int = 30) -> list[tuple[OrderPart, Order]]:
    """Return the group's last orders in any state, the newest first."""
    rows = await session.execute(
        select(OrderPart, Order)
        .join(Order, Order.id == OrderPart.order_id)
        .where(OrderPart.group_id == group_id)
        .order_by(OrderPart.placed_at.desc(), OrderPart.id.desc())
        .limit(limit)
    )
    return [(part, order) for part, order in rows]


async def part_of(session: AsyncSession, group: Group, number: str) -> Work:
    """Return the group's part of an order by number; refuses with `NotFound`."""
    row = (
        await session.execute(
            select(OrderPart, Order)
            .join(Order, Order.id == OrderPart.order_id)
            .where(OrderPart.group_id == group.id, Order.number == only_digits(number))
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    part, order = row
    return Work(part, order, (await _lines(session, [part.id])).get(part.id, []))


async def events_of(session: AsyncSession, work: Work) -> Sequence[OrderEvent]:
    """Return the story of an order as far as it is the group's: its own part, and what concerns the whole."""
    found = await session.scalars(
        select(OrderEvent)
        .where(
            OrderEvent.order_id == work.order.id,
            or_(OrderEvent.part_id.is_(None), OrderEvent.part_id == work.part.id),
            OrderEvent.kind.not_in(BETWEEN_BUYER_AND_MARKET),
        )
        .order_by(OrderEvent.at, OrderEvent.id)
    )
    return found.all()


async def picking(session: AsyncSession, group_id: UUID) -> list[Picked]:
    """Add up everything the group has to pack, by product, the largest demand first."""
    names = (
        OrderLine.variant_id,
        OrderLine.name_th,
        OrderLine.name_en,
        OrderLine.label_th,
        OrderLine.label_en,
        OrderLine.unit_th,
        OrderLine.unit_en,
    )
    amount = func.sum(KEPT_MILLI)
    rows = await session.execute(
        select(*names[1:], amount, func.count())
        .join(OrderPart, OrderPart.id == OrderLine.part_id)
        .join(Order, Order.id == OrderPart.order_id)
        .where(OrderPart.group_id == group_id, KEPT_MILLI > 0, _to_pack(), _is_live())
        .group_by(*names)
        .order_by(OrderLine.name_th, OrderLine.label_th)
    )
    return [
        Picked(full_name(name_th, name_en, label_th, label_en), Bilingual(unit_th, unit_en), int(milli), orders)
        for name_th, name_en, label_th, label_en, unit_th, unit_en, milli, orders in rows
    ]


def _to_pack() -> ColumnElement[bool]:
    return and_(OrderPart.ready_at.is_not(None), OrderPart.state.in_([PartState.placed, PartState.paid]))


def _to_hand_over() -> ColumnElement[bool]:
    return and_(OrderPart.ready_at.is_not(None), OrderPart.state == PartState.packed)


def _is_live() -> ColumnElement[bool]:
    """An order in cash whose days are over is not work any more, whether or not a job has said so."""
    return or_(Order.payment_method != PaymentMethod.cash, Order.hold_until_at > clock.now())


def _is_waited_for() -> ColumnElement[bool]:
    return or_(
        Order.state == OrderState.slip_sent,
        and_(Order.state == OrderState.placed, Order.hold_until_at > clock.now()),
    )


async def _work(session: AsyncSession, group_id: UUID, condition: ColumnElement[bool], limit: int) -> list[Work]:
    rows = (
        await session.execute(
            select(OrderPart, Order)
            .join(Order, Order.id == OrderPart.order_id)
            .where(OrderPart.group_id == group_id, condition, _is_live())
            .order_by(OrderPart.ready_at, OrderPart.id)
            .limit(limit)
        )
    ).all()
    lines = await _lines(session, [part.id for part, _ in rows])
    return [Work(part, order, lines.get(part.id, [])) for part, order in rows]


async def _lines(session: AsyncSession, part_ids: Sequence[UUID]) -> dict[UUID, list[OrderLine]]:
    rows = await session.scalars(
        select(OrderLine).where(OrderLine.part_id.in_(part_ids)).order_by(OrderLine.position, OrderLine.id)
    )
    lines: dict[UUID, list[OrderLine]] = {}
    for line in rows:
        lines.setdefault(line.part_id, []).append(line)
    return lines
