"""An order: what somebody bought, frozen as it was told to them, and how far it has come.

An order goes to several groups at once, so it has a *part* per group: each is packed and handed over by itself.  What
was agreed (names, prices, fee rules, policy, whom to pay) is copied here when the order is placed; a listing may
change the next minute.  Every change of state is an event with who and when.

Whoever changes an order locks its row first (`locked`), before any stock: so a confirmation and a cancellation of the
same order wait for each other, and nobody waits in a circle.
"""

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import phonenumbers
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    UniqueConstraint,
    and_,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock, places
from app.access import Role, Scope, whole_market
from app.database import Base, Id, Utc
from app.errors import NotFound
from app.language import Bilingual, Language
from app.money import Satang
from app.places import Place
from orders.states import (
    CLOSED_PARTS,
    Actor,
    ActorKind,
    DeliveryKind,
    OrderState,
    PartState,
    PaymentMethod,
    ReceiverKind,
)
from producers.groups import Group

THAILAND: Final = 66
"""Country code of phone numbers."""


def _one_of(column: str, kinds: type[StrEnum]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(kind.value) for kind in kinds)})", name=f"{column}_is_known")


class Order(Base):
    __tablename__ = "orders"
    __table_args__ = (
        _one_of("state", OrderState),
        _one_of("payment_method", PaymentMethod),
        CheckConstraint("receiver_kind IN ('market', 'center', 'group')", name="receiver_kind_is_known"),
        CheckConstraint("total_satang = goods_satang + delivery_satang", name="total_is_the_sum"),
        CheckConstraint("goods_satang >= 0 AND delivery_satang >= 0", name="no_less_than_zero"),
        CheckConstraint("returned_satang BETWEEN 0 AND received_satang", name="returns_what_came_in"),
        CheckConstraint("off_satang BETWEEN 0 AND total_satang", name="takes_off_what_it_costs"),
        CheckConstraint(
            "(receiver_id IS NULL) = (receiver_kind IS NULL OR receiver_kind = 'market')", name="receiver_is_named"
        ),
        CheckConstraint("payment_method = 'cash' OR receiver_kind IS NOT NULL", name="receiver_is_known"),
        Index("ix_orders_unpaid", "hold_until_at", postgresql_where="state = 'placed'"),
        Index("ix_orders_person_id_placed_at", "person_id", "placed_at", postgresql_where="person_id IS NOT NULL"),
        Index("ix_orders_placed_at", "placed_at"),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    """Digits to say on the phone; drawn at random, so that a neighbour's number says nothing."""
    link_token: Mapped[str] = mapped_column(unique=True)
    """Whoever has the link may see the order."""
    once_token: Mapped[str] = mapped_column(unique=True)
    """Of the form or program that placed it: the same token never makes a second order."""
    lang: Mapped[str]
    channel: Mapped[str]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    buyer_name: Mapped[str]
    buyer_phone: Mapped[str]
    """E.164."""
    buyer_email: Mapped[str | None]
    address_line: Mapped[str | None]
    """House number, moo, road; None when everything is picked up."""
    subdistrict_code: Mapped[str | None]
    note: Mapped[str | None]
    payment_method: Mapped[str]
    receiver_kind: Mapped[str | None]
    """None for cash: each part is paid where it is fetched."""
    receiver_id: Mapped[UUID | None]
    """The centre's or group's id."""
    receiver_promptpay_id: Mapped[str | None]
    receiver_name: Mapped[str | None]
    goods_satang: Mapped[Satang]
    delivery_satang: Mapped[Satang]
    total_satang: Mapped[Satang]
    """As it was told; `kept_satang` is what is left of it."""
    off_satang: Mapped[Satang] = mapped_column(default=Satang(0), server_default="0")
    """What was taken off the total since: parts that were cancelled, goods and fees that were given back."""
    received_satang: Mapped[Satang] = mapped_column(default=Satang(0))
    """What came in so far, as persons confirmed it: less than the total while the buyer still owes the rest."""
    returned_satang: Mapped[Satang] = mapped_column(default=Satang(0))
    """What was promised back of it, as refund tasks; paid back or not yet."""
    placed_at: Mapped[Utc]
    hold_until_at: Mapped[Utc]
    paid_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancelled_because: Mapped[str | None]
    state: Mapped[str]
    erased_at: Mapped[datetime | None]
    """Since when it says nothing of its buyer but the province (`orders.erasure`)."""

    @property
    def kept_satang(self) -> Satang:
        """What the order costs after everything that was taken off."""
        return Satang(self.total_satang - self.off_satang)

    @property
    def credit_satang(self) -> Satang:
        """What the buyer has with us that is not promised back: counts towards the total."""
        return Satang(self.received_satang - self.returned_satang)

    @property
    def due_satang(self) -> Satang:
        """What the buyer still has to pay."""
        return Satang(max(self.kept_satang - self.credit_satang, 0))

    @property
    def spoken_number(self) -> str:
        """The number as it is said: "483 920"."""
        return f"{self.number[:-3]} {self.number[-3:]}"

    @property
    def spoken_phone(self) -> str:
        return spoken_phone(self.buyer_phone)

    @property
    def path(self) -> str:
        """Where its page is: whoever knows this may see it."""
        return f"/o/{self.link_token}"

    @property
    def language(self) -> Language:
        return "en" if self.lang == "en" else "th"

    @property
    def place(self) -> Place | None:
        return places.place(self.subdistrict_code) if self.subdistrict_code else None

    @property
    def is_cash(self) -> bool:
        return self.payment_method == PaymentMethod.cash

    @property
    def is_card(self) -> bool:
        """True when it is paid on the provider's page."""
        return self.payment_method == PaymentMethod.card

    def is_run_out(self, now: datetime) -> bool:
        """True when nobody paid in time: a comparison of times, whether or not a job has said so since."""
        return self.state == OrderState.expired or (self.state == OrderState.placed and self.hold_until_at <= now)

    @property
    def may_be_cancelled(self) -> bool:
        """While unpaid the buyer may cancel; once a slip is being looked at, money may have moved already."""
        return self.state == OrderState.placed


class OrderPart(Base):
    """What one group has to pack and hand over of an order."""

    __tablename__ = "order_parts"
    __table_args__ = (
        _one_of("state", PartState),
        _one_of("delivery", DeliveryKind),
        CheckConstraint("goods_satang >= 0 AND delivery_satang >= 0", name="no_less_than_zero"),
        CheckConstraint(
            "goods_off_satang BETWEEN 0 AND goods_satang AND delivery_off_satang BETWEEN 0 AND delivery_satang",
            name="takes_off_what_it_costs",
        ),
        UniqueConstraint("order_id", "group_id"),
        CheckConstraint("(state = 'handed_over') = (handed_over_at IS NOT NULL)", name="handed_over_has_a_date"),
        CheckConstraint("(state = 'cancelled') = (cancelled_at IS NOT NULL)", name="cancelled_has_a_date"),
        Index(
            "ix_order_parts_to_do",
            "group_id",
            "ready_at",
            postgresql_where="ready_at IS NOT NULL AND state IN ('placed', 'paid', 'packed')",
        ),
        Index("ix_order_parts_group_id_placed_at", "group_id", "placed_at"),
    )

    id: Mapped[Id]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"))
    position: Mapped[int]
    group_id: Mapped[UUID] = mapped_column(ForeignKey("groups.id"))
    center_id: Mapped[UUID] = mapped_column(ForeignKey("centers.id"), index=True)
    """The group's centre at the time of sale."""
    group_name_th: Mapped[str]
    group_name_en: Mapped[str | None]
    delivery: Mapped[str]
    pickup_text_th: Mapped[str | None]
    """Where and when to come, as it stood when the order was placed."""
    pickup_text_en: Mapped[str | None]
    goods_satang: Mapped[Satang]
    delivery_satang: Mapped[Satang]
    goods_off_satang: Mapped[Satang] = mapped_column(default=Satang(0), server_default="0")
    """What was taken off the goods since the order was placed; all of it when the part is cancelled."""
    delivery_off_satang: Mapped[Satang] = mapped_column(default=Satang(0), server_default="0")
    weight_g: Mapped[int] = mapped_column(BigInteger)
    fee_rules: Mapped[list[Any]]
    """`producers.fees.frozen`."""
    policy: Mapped[dict[str, Any]]
    """What was promised about returns: {"return_days": 7, "is_fresh": false}."""
    state: Mapped[str]
    placed_at: Mapped[Utc]
    ready_at: Mapped[datetime | None]
    """Since when the group may pack: when it was paid, or at once when cash is paid at pick-up."""
    packed_at: Mapped[datetime | None]
    packed_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    handed_over_at: Mapped[datetime | None]
    handed_over_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    cancelled_at: Mapped[datetime | None]
    carrier: Mapped[str | None]
    tracking: Mapped[str | None]

    @property
    def total_satang(self) -> Satang:
        """As it was told; `kept_satang` is what is left of it."""
        return Satang(self.goods_satang + self.delivery_satang)

    @property
    def off_satang(self) -> Satang:
        return Satang(self.goods_off_satang + self.delivery_off_satang)

    @property
    def kept_goods_satang(self) -> Satang:
        return Satang(self.goods_satang - self.goods_off_satang)

    @property
    def kept_delivery_satang(self) -> Satang:
        return Satang(self.delivery_satang - self.delivery_off_satang)

    @property
    def kept_satang(self) -> Satang:
        """What the part costs after everything that was taken off."""
        return Satang(self.total_satang - self.off_satang)

    @property
    def group_name(self) -> Bilingual:
        return Bilingual(self.group_name_th, self.group_name_en)

    @property
    def delivery_kind(self) -> DeliveryKind:
        return DeliveryKind(self.delivery)

    @property
    def is_open(self) -> bool:
        return self.state not in CLOSED_PARTS


class OrderLine(Base):
    """So much of one thing at one price; its id also owns the hold on the stock."""

    __tablename__ = "order_lines"
    __table_args__ = (
        CheckConstraint("quantity_milli > 0 AND price_satang >= 0 AND satang >= 0", name="amounts_make_sense"),
        CheckConstraint(
            "off_milli BETWEEN 0 AND quantity_milli AND off_satang BETWEEN 0 AND satang", name="takes_off_what_is_there"
        ),
    )

    id: Mapped[Id]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    part_id: Mapped[UUID] = mapped_column(ForeignKey("order_parts.id"), index=True)
    position: Mapped[int]
    listing_id: Mapped[UUID] = mapped_column(ForeignKey("listings.id"), index=True)
    variant_id: Mapped[UUID] = mapped_column(ForeignKey("variants.id"))
    stream_id: Mapped[UUID] = mapped_column(ForeignKey("streams.id"))
    name_th: Mapped[str]
    name_en: Mapped[str | None]
    label_th: Mapped[str | None]
    label_en: Mapped[str | None]
    unit_th: Mapped[str]
    unit_en: Mapped[str | None]
    storage: Mapped[str]
    price_satang: Mapped[Satang]
    """For one sale unit."""
    quantity_milli: Mapped[int] = mapped_column(BigInteger)
    """Thousandths of the sale unit."""
    satang: Mapped[Satang]
    off_milli: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """What was taken off since: the rest was told when the order was placed, and the database keeps it so."""
    off_satang: Mapped[Satang] = mapped_column(default=Satang(0), server_default="0")

    @property
    def kept_milli(self) -> int:
        """What is to be packed of it."""
        return self.quantity_milli - self.off_milli

    @property
    def kept_satang(self) -> Satang:
        return Satang(self.satang - self.off_satang)

    @property
    def name(self) -> Bilingual:
        return full_name(self.name_th, self.name_en, self.label_th, self.label_en)


KEPT_MILLI: Final = OrderLine.quantity_milli - OrderLine.off_milli
"""`OrderLine.kept_milli`, as the database works it out."""


class OrderEvent(Base):
    """Something that happened to an order, with who and when.  Only added to."""

    __tablename__ = "order_events"
    __table_args__ = (_one_of("by_kind", ActorKind),)

    id: Mapped[Id]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    part_id: Mapped[UUID | None] = mapped_column(ForeignKey("order_parts.id"))
    kind: Mapped[str]
    at: Mapped[Utc]
    by_kind: Mapped[str]
    by_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    detail: Mapped[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class PartView:
    """A part with its lines, as pages show it."""

    part: OrderPart
    group_slug: str
    group_phone: str | None
    lines: list[OrderLine]


@dataclass(frozen=True, slots=True)
class OrderView:
    """A whole order, as pages show it."""

    order: Order
    parts: list[PartView]
    events: list[OrderEvent]


async def by_link(session: AsyncSession, token: str) -> Order:
    """Return the order of a secret link; refuses with `NotFound`."""
    return await _one(session, Order.link_token == token)


async def by_number(session: AsyncSession, number: str) -> Order:
    """Return the order of a number, for staff; spaces do not matter.  Refuses with `NotFound`."""
    return await _one(session, and_(whole_market("staff look after every order"), Order.number == only_digits(number)))


async def by_number_and_phone(session: AsyncSession, number: str, last_digits: str) -> Order | None:
    """Return the order whose number this is and whose buyer's phone ends like this; None says not which was wrong.

    A guess costs as little as knowing: whoever calls this must slow guessing down (`app.limits`).
    """
    named = whole_market("whoever knows number and phone is the buyer"), Order.number == only_digits(number)
    found = await session.scalar(select(Order).where(*named, Order.erased_at.is_(None)))
    known, told = (found.buyer_phone[-4:] if found else ""), only_digits(last_digits)
    return found if len(told) == len("1234") and secrets.compare_digest(known, told) else None


async def view(session: AsyncSession, order: Order) -> OrderView:
    """Read the whole order in three questions."""
    parts = await session.execute(
        select(OrderPart, Group.slug, Group.phone)
        .join(Group, Group.id == OrderPart.group_id)
        .where(OrderPart.order_id == order.id)
        .order_by(OrderPart.position)
    )
    lines = await session.scalars(select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.position))
    events = await session.scalars(
        select(OrderEvent).where(OrderEvent.order_id == order.id).order_by(OrderEvent.at, OrderEvent.id)
    )
    views = [PartView(part, slug, phone, []) for part, slug, phone in parts]
    return OrderView(order, together(views, lines.all()), list(events.all()))


async def parts_of(session: AsyncSession, order_id: UUID) -> Sequence[OrderPart]:
    found = await session.scalars(select(OrderPart).where(OrderPart.order_id == order_id).order_by(OrderPart.position))
    return found.all()


async def lines_of(session: AsyncSession, part_ids: Collection[UUID]) -> Sequence[OrderLine]:
    found = await session.scalars(
        select(OrderLine)
        .where(OrderLine.part_id.in_(part_ids))
        .order_by(OrderLine.position, OrderLine.id)
        .execution_options(populate_existing=True)
    )
    return found.all()


async def line_ids(session: AsyncSession, part_ids: Collection[UUID]) -> list[UUID]:
    """Return the ids of lines: they own the holds on the stock."""
    return list(await session.scalars(select(OrderLine.id).where(OrderLine.part_id.in_(part_ids))))


async def orders_of(session: AsyncSession, scope: Scope, limit: int = 50) -> Sequence[Order]:
    """Return this person's own orders, the newest first."""
    found = await session.scalars(
        select(Order).where(scope.of_person(Order.person_id)).order_by(Order.placed_at.desc()).limit(limit)
    )
    return found.all()


async def last_address_of(session: AsyncSession, scope: Scope) -> Order | None:
    """Return this person's last order that went to an address."""
    if scope.person is None:
        return None
    found: Order | None = await session.scalar(
        select(Order)
        .where(scope.of_person(Order.person_id), Order.subdistrict_code.is_not(None))
        .order_by(Order.placed_at.desc())
        .limit(1)
    )
    return found


def received_by(scope: Scope) -> ColumnElement[bool]:
    """Condition: the order's money goes to an account this person answers for (staff answer for all)."""
    if scope.is_staff:
        return whole_market("staff answer for every account")
    return or_(
        and_(Order.receiver_kind == ReceiverKind.group, Order.receiver_id.in_(scope.group_ids(Role.owner))),
        and_(Order.receiver_kind == ReceiverKind.center, Order.receiver_id.in_(scope.centers)),
    )


def part_received_by(scope: Scope) -> ColumnElement[bool]:
    """The same for what was paid for an OrderPart that the query has joined, cash in somebody's hand included."""
    is_cash = Order.payment_method == PaymentMethod.cash
    in_group_hands = and_(
        is_cash,
        OrderPart.delivery == DeliveryKind.pickup_group,
        OrderPart.group_id.in_(scope.group_ids(Role.owner)),
    )
    in_center_hands = and_(
        is_cash, OrderPart.delivery == DeliveryKind.pickup_center, OrderPart.center_id.in_(scope.centers)
    )
    return or_(received_by(scope), in_group_hands, in_center_hands)


async def locked(session: AsyncSession, order_id: UUID) -> Order:
    """Lock an order's row and read it as it is now; refuses with `NotFound`.  The first step of every change."""
    order = await session.scalar(
        select(Order).where(Order.id == order_id).with_for_update().execution_options(populate_existing=True)
    )
    if order is None:
        raise NotFound
    return order


async def locked_parts(session: AsyncSession, order: Order) -> list[OrderPart]:
    """Read the parts of an order that is locked, as they are now."""
    parts = await session.scalars(
        select(OrderPart)
        .where(OrderPart.order_id == order.id)
        .order_by(OrderPart.position)
        .execution_options(populate_existing=True)
    )
    return list(parts.all())


def together(views: list[PartView], lines: Iterable[OrderLine]) -> list[PartView]:
    """Put lines to their parts, keeping both orders."""
    by_id = {view.part.id: view for view in views}
    for line in lines:
        if line.part_id in by_id:
            by_id[line.part_id].lines.append(line)
    return views


def note(
    session: AsyncSession, order: Order, kind: str, by: Actor, *, part: OrderPart | None = None, **detail: Any
) -> None:
    """Add an event to an order's story."""
    session.add(
        OrderEvent(
            order_id=order.id,
            part_id=part.id if part else None,
            kind=kind,
            at=clock.now(),
            by_kind=by.kind,
            by_person=by.person_id,
            detail=detail,
        )
    )


def new_link_token() -> str:
    """A secret that fits into a message: 128 bits."""
    return secrets.token_urlsafe(16)


def only_digits(text: str) -> str:
    """Digits of what somebody typed, Thai ones too."""
    return "".join(str(int(char)) for char in text if char.isdecimal())


def spoken_phone(phone: str) -> str:
    """Write an E.164 number as people read it out: "089-111-2222", foreign ones with their country."""
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return phone
    if number.country_code != THAILAND:
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    digits = f"0{number.national_number}"
    return f"{digits[:-7]}-{digits[-7:-4]}-{digits[-4:]}"


def full_name(name_th: str, name_en: str | None, label_th: str | None, label_en: str | None) -> Bilingual:
    """Name a variant: "ข้าวกล้อง · ถุงใหญ่"."""
    thai = f"{name_th} · {label_th}" if label_th else name_th
    if not name_en:
        return Bilingual(thai)
    label = label_en or label_th
    return Bilingual(thai, f"{name_en} · {label}" if label else name_en)


async def _one(session: AsyncSession, condition: Any) -> Order:
    order: Order | None = await session.scalar(select(Order).where(condition))
    if order is None:
        raise NotFound
    return order
