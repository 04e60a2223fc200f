"""Consolidation (รวบรวม): what a centre's groups have to bring, all open orders added up.

A coordinator gathers for many buyers at once, so the question is never "what does this order need" but "how many bags
of this group's rice, and how many of them to where".  It is asked of the order lines themselves each time: there is
nothing to keep equal, and every total is the sum of its lines.

Open is what a group may pack and has not handed over: paid for, or to be paid in cash at pick-up in time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Select, case, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.access import Scope
from app.language import Bilingual
from app.money import Satang
from app.thai_order import sort_key
from catalog.listings import Variant
from orders.order import KEPT_MILLI, Order, OrderLine, OrderPart, full_name
from orders.states import DeliveryKind, OrderState, PartState
from producers.centers import Center
from producers.groups import Group

OPEN_PARTS: Final = (PartState.placed, PartState.paid, PartState.packed)
PLACES: Final = (DeliveryKind.pickup_center, DeliveryKind.pickup_group, DeliveryKind.parcel)
#: What makes two order lines lines of the same thing: a variant in the words that buyers were told.
TOLD: Final = (
    *("name_th", "name_en", "label_th", "label_en", "unit_th", "unit_en"),
    *("storage", "variant_id"),
)


class Span(NamedTuple):
    """The trade days on which orders were placed, both ends included; None leaves an end open."""

    first: date | None = None
    last: date | None = None


EVER: Final = Span()


@dataclass(frozen=True, slots=True)
class Product:
    """One thing of one group in the words buyers were told; amounts in thousandths of its unit."""

    name: Bilingual
    unit: Bilingual
    storage: str
    wanted: Mapping[DeliveryKind, int]
    """How much of it has to go where."""
    packed_milli: int
    """How much of it the group has packed already."""
    weight_g: int
    satang: Satang

    @property
    def total_milli(self) -> int:
        return sum(self.wanted.values())

    @property
    def to_gather_milli(self) -> int:
        return self.total_milli - self.packed_milli

    def to(self, place: DeliveryKind) -> int:
        return self.wanted.get(place, 0)


@dataclass(frozen=True, slots=True)
class GroupDemand:
    """What one group has to bring."""

    group: Group
    products: tuple[Product, ...]

    @property
    def satang(self) -> Satang:
        return Satang(sum(product.satang for product in self.products))

    @property
    def weight_g(self) -> int:
        return sum(product.weight_g for product in self.products)

    @property
    def is_packed(self) -> bool:
        return not any(product.to_gather_milli for product in self.products)


@dataclass(frozen=True, slots=True)
class Demand:
    """Everything that a centre's groups have to bring."""

    span: Span
    groups: tuple[GroupDemand, ...]
    orders: int

    @property
    def products(self) -> list[Product]:
        return [product for group in self.groups for product in group.products]

    @property
    def satang(self) -> Satang:
        return Satang(sum(group.satang for group in self.groups))

    @property
    def weight_g(self) -> int:
        return sum(group.weight_g for group in self.groups)

    @property
    def places(self) -> list[DeliveryKind]:
        """Where anything has to go, in a fixed order."""
        return [place for place in PLACES if any(product.to(place) for product in self.products)]


class DemandLine(NamedTuple):
    """One line of one order behind the totals."""

    order_number: str
    placed_at: datetime
    group: Bilingual
    name: Bilingual
    unit: Bilingual
    quantity_milli: int
    delivery: DeliveryKind
    is_packed: bool
    satang: Satang


async def demand(session: AsyncSession, scope: Scope, center: Center, span: Span = EVER) -> Demand:
    """Return a centre's demand, group by group in Thai order; two questions, however many orders there are."""
    rows = (await session.execute(_added_up(_is_open(scope, center, span)))).all()
    orders = await session.scalar(
        select(func.count(OrderPart.order_id.distinct()))
        .join(Order, Order.id == OrderPart.order_id)
        .where(*_is_open(scope, center, span))
    )
    by_group = [(group, list(own)) for group, own in groupby(rows, key=lambda row: row.Group)]
    return Demand(span, tuple(GroupDemand(group, _products(own)) for group, own in by_group), orders or 0)


async def demand_lines(session: AsyncSession, scope: Scope, center: Center, span: Span = EVER) -> list[DemandLine]:
    """Return the order lines that `demand` adds up, the oldest order first."""
    rows = await session.execute(
        select(Order, OrderPart, OrderLine)
        .join(OrderPart, OrderPart.order_id == Order.id)
        .join(OrderLine, OrderLine.part_id == OrderPart.id)
        .where(*_is_open(scope, center, span), KEPT_MILLI > 0)
        .order_by(OrderPart.placed_at, Order.number, OrderLine.position)
    )
    return [_line(order, part, line) for order, part, line in rows]


async def unpaid_count(session: AsyncSession, scope: Scope, center: Center) -> int:
    """Count the orders that hold goods of the centre's groups and are still to be paid: what may come."""
    holds = (Order.state == OrderState.placed) & (Order.hold_until_at > clock.now())
    question = (
        select(func.count(OrderPart.order_id.distinct()))
        .join(Order, Order.id == OrderPart.order_id)
        .where(
            *_of_center(scope, center),
            OrderPart.state == PartState.placed,
            OrderPart.ready_at.is_(None),
            or_(Order.state == OrderState.slip_sent, holds),
        )
    )
    return await session.scalar(question) or 0


def _is_open(scope: Scope, center: Center, span: Span) -> list[ColumnElement[bool]]:
    """Condition on Order and OrderPart: the part is to be gathered by this centre, of orders placed in the span."""
    conditions = [
        *_of_center(scope, center),
        OrderPart.ready_at.is_not(None),
        OrderPart.state.in_(OPEN_PARTS),
        # Cash that nobody brought in time: the goods are free again, whether or not a job has said so.
        or_(Order.state != OrderState.placed, Order.hold_until_at > clock.now()),
    ]
    if span.first:
        conditions.append(OrderPart.placed_at >= clock.start_of_day(span.first))
    if span.last:
        conditions.append(OrderPart.placed_at < clock.start_of_day(span.last + timedelta(days=1)))
    return conditions


def _of_center(scope: Scope, center: Center) -> tuple[ColumnElement[bool], ...]:
    return scope.of_centers(OrderPart.center_id), OrderPart.center_id == center.id


def _added_up(conditions: Sequence[ColumnElement[bool]]) -> Select[*tuple[Any, ...]]:
    amount = cast(KEPT_MILLI, BigInteger)
    packed = case((OrderPart.state == PartState.packed, amount), else_=0)
    weight = func.ceil(func.coalesce(Variant.net_weight_g, 0) * amount / 1000.0)
    told = [getattr(OrderLine, name) for name in TOLD]
    return (
        select(
            Group,
            *told,
            OrderPart.delivery,
            func.sum(amount).label("milli"),
            func.sum(packed).label("packed_milli"),
            func.sum(weight).label("weight_g"),
            func.sum(OrderLine.satang - OrderLine.off_satang).label("satang"),
        )
        .select_from(OrderPart)
        .join(Order, Order.id == OrderPart.order_id)
        .join(OrderLine, OrderLine.part_id == OrderPart.id)
        .join(Variant, Variant.id == OrderLine.variant_id)
        .join(Group, Group.id == OrderPart.group_id)
        .where(*conditions, KEPT_MILLI > 0)
        .group_by(Group.id, *told, OrderPart.delivery)
        .order_by(Group.sort_key, Group.id, *told, OrderPart.delivery)
    )


def _products(rows: Iterable[Any]) -> tuple[Product, ...]:
    """Put the places of one thing side by side (rows come ordered by thing), and things in Thai order."""
    things = groupby(rows, key=attrgetter(*TOLD))
    return tuple(sorted((_product(list(places)) for _, places in things), key=lambda each: sort_key(each.name.th)))


def _product(rows: Sequence[Any]) -> Product:
    told = rows[0]
    return Product(
        name=full_name(told.name_th, told.name_en, told.label_th, told.label_en),
        unit=Bilingual(told.unit_th, told.unit_en),
        storage=told.storage,
        wanted={DeliveryKind(row.delivery): int(row.milli) for row in rows},
        packed_milli=sum(int(row.packed_milli) for row in rows),
        weight_g=sum(int(row.weight_g) for row in rows),
        satang=Satang(sum(int(row.satang) for row in rows)),
    )


def _line(order: Order, part: OrderPart, line: OrderLine) -> DemandLine:
    return DemandLine(
        order_number=order.number,
        placed_at=part.placed_at,
        group=part.group_name,
        name=line.name,
        unit=Bilingual(line.unit_th, line.unit_en),
        quantity_milli=line.kept_milli,
        delivery=part.delivery_kind,
        is_packed=part.state == PartState.packed,
        satang=line.kept_satang,
    )
