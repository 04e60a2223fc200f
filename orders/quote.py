"""A quote: what a basket costs at this moment, group by group, and everything that stands in the way of ordering it.

The basket page, the checkout page and the order itself ask the same question here.  What a page showed comes back with
its form (`Seen`), so that the buyer never pays a total other than the one they saw.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import groupby
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Refusal
from app.language import N_, Bilingual, Message
from app.money import Satang
from orders import basket as baskets
from orders import delivery, ways_to_pay
from orders.basket import Basket, BasketLine, OnOffer
from orders.delivery import DeliveryOption
from orders.states import DeliveryKind, PaymentMethod
from orders.ways_to_pay import Stop, Way
from producers.centers import Center
from producers.groups import Group, parcel_tiers


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the basket beside what it costs and whether it can be had."""

    line: BasketLine
    offer: OnOffer
    trouble: Refusal | None
    """Why it cannot be ordered like this."""

    @property
    def trouble_words(self) -> Message | None:
        return Message(self.trouble.message, self.trouble.params) if self.trouble else None

    @property
    def quantity_milli(self) -> int:
        return self.line.quantity_milli

    @property
    def name(self) -> Bilingual:
        return self.offer.name

    @property
    def price_satang(self) -> Satang:
        return self.offer.variant.price_satang or Satang(0)

    @property
    def satang(self) -> Satang:
        """What it adds to the total: nothing while it cannot be had."""
        return Satang(0) if self.trouble else self.offer.cost(self.quantity_milli)

    @property
    def most_milli(self) -> int:
        return baskets.most_of(self.offer)

    @property
    def was_satang(self) -> Satang | None:
        """The price the buyer saw, when it is another one now."""
        return self.line.seen_price_satang if self.line.seen_price_satang != self.price_satang else None


@dataclass(frozen=True)
class GroupQuote:
    """One group's part of the basket."""

    group: Group
    center: Center
    items: list[Item]
    options: list[DeliveryOption]
    option: DeliveryOption | None
    """How the goods travel; None when there is no way at all."""

    @property
    def goods_satang(self) -> Satang:
        return Satang(sum(item.satang for item in self.items))

    @property
    def delivery_satang(self) -> Satang:
        return self.option.fee_satang if self.option else Satang(0)

    @property
    def total_satang(self) -> Satang:
        return Satang(self.goods_satang + self.delivery_satang)

    @property
    def wanted(self) -> list[tuple[OnOffer, int]]:
        return [(item.offer, item.quantity_milli) for item in self.items if item.trouble is None]


@dataclass(frozen=True)
class Quote:
    """The whole basket."""

    basket: Basket
    groups: list[GroupQuote]

    @cached_property
    def items(self) -> list[Item]:
        return [item for group in self.groups for item in group.items]

    @cached_property
    def ways(self) -> list[Way]:
        return ways_to_pay.ways(
            [Stop(part.group, part.center, part.option.kind if part.option else None) for part in self.groups],
            self.total_satang,
        )

    @property
    def goods_satang(self) -> Satang:
        return Satang(sum(part.goods_satang for part in self.groups))

    @property
    def delivery_satang(self) -> Satang:
        return Satang(sum(part.delivery_satang for part in self.groups))

    @property
    def total_satang(self) -> Satang:
        return Satang(self.goods_satang + self.delivery_satang)

    @property
    def troubles(self) -> list[Refusal]:
        """Everything that stands in the way, in words that say what to do."""
        found = [item.trouble for item in self.items if item.trouble]
        return found + [NoWayToSend(group=_name(part.group)) for part in self.groups if part.option is None]

    @property
    def trouble_words(self) -> list[Message]:
        return [Message(trouble.message, trouble.params) for trouble in self.troubles]

    @property
    def changed(self) -> list[Item]:
        """Items whose price is not the one the buyer last saw."""
        return [item for item in self.items if item.was_satang is not None and item.trouble is None]

    @property
    def needs_address(self) -> bool:
        return any(part.option and part.option.kind == DeliveryKind.parcel for part in self.groups)

    @property
    def is_empty(self) -> bool:
        return not self.items

    def way(self, method: PaymentMethod) -> Way:
        """Return the way of that name; one that this market does not offer says why it cannot be."""
        return next((way for way in self.ways if way.method == method), ways_to_pay.closed(method))


class NoWayToSend(Refusal):
    """None of the group's ways of delivery fits what is in the basket."""

    message = N_("%(group)s cannot send or hand over this amount. Please take less of it, or take it out.")


class SeenKind(StrEnum):
    line = "line"
    fee = "fee"


@dataclass(frozen=True, slots=True)
class Seen:
    """One figure as a page showed it: a line (by variant) or a delivery (by group)."""

    kind: SeenKind
    id: UUID
    what: str
    """The amount in thousandths of a line, the way of a delivery."""
    satang: int

    def written(self) -> str:
        return f"{self.kind} {self.id} {self.what} {self.satang}"


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure that is not what the buyer saw; None: it was not there, or is not there any more."""

    name: Bilingual
    before_satang: Satang | None
    now_satang: Satang | None
    what: Message


async def quote(session: AsyncSession, basket: Basket, deliveries: Mapping[UUID, DeliveryKind] | None = None) -> Quote:
    """Say what the basket costs now, with the deliveries given or else those kept with it.  Four questions at most."""
    lines = await baskets.lines_of(session, basket)
    if not lines:
        return Quote(basket, [])
    wishes = await baskets.deliveries_of(session, basket) if deliveries is None else deliveries
    group_ids = list({offer.group.id for _, offer in lines})
    tables = await parcel_tiers(session, group_ids)
    centers = await _centers(session, {offer.group.center_id for _, offer in lines})
    items = [Item(line, offer, _trouble(offer, line.quantity_milli)) for line, offer in lines]
    parts: list[GroupQuote] = []
    for group, own in _by_group(items):
        center = centers[group.center_id]
        wanted = [(item.offer, item.quantity_milli) for item in own if item.trouble is None]
        options = delivery.options(group, center, wanted, tables)
        parts.append(GroupQuote(group, center, own, options, delivery.chosen(options, wishes.get(group.id))))
    return Quote(basket, parts)


def seen_of(shown: Quote) -> list[Seen]:
    """Return every figure of a quote, to be sent back with the form that showed it."""
    lines = [Seen(SeenKind.line, item.line.variant_id, str(item.quantity_milli), item.satang) for item in shown.items]
    fees = [
        Seen(SeenKind.fee, part.group.id, part.option.kind if part.option else "", part.delivery_satang)
        for part in shown.groups
    ]
    return lines + fees


def read_seen(texts: Iterable[str]) -> list[Seen]:
    """Read what a form sent back; what makes no sense is left out (and then counts as not seen)."""
    found: list[Seen] = []
    for text in texts:
        kind, _, rest = text.partition(" ")
        about, _, rest = rest.partition(" ")
        what, _, satang = rest.partition(" ")
        try:
            found.append(Seen(SeenKind(kind), UUID(about), what, int(satang)))
        except ValueError:
            continue
    return found


def differences(seen: Sequence[Seen], now: Quote) -> list[Difference]:
    """Compare what the buyer saw with what is so now, line by line."""
    names = {item.line.variant_id: item.name for item in now.items} | {
        part.group.id: _name(part.group) for part in now.groups
    }
    before = {(figure.kind, figure.id): figure for figure in seen}
    after = {(figure.kind, figure.id): figure for figure in seen_of(now)}
    keys = [*after, *(key for key in before if key not in after)]
    return [
        _difference(before.get(key), after.get(key), names.get(key[1], _SOMETHING))
        for key in keys
        if before.get(key) != after.get(key)
    ]


_SOMETHING = Bilingual("สินค้าที่ไม่อยู่ในตะกร้าแล้ว", "Something no longer in the basket")


def _difference(before: Seen | None, after: Seen | None, name: Bilingual) -> Difference:
    kind = (after or before or Seen(SeenKind.line, UUID(int=0), "", 0)).kind
    if kind == SeenKind.fee:
        what = N_("Delivery")
    elif before is None:
        what = N_("new in the basket")
    elif after is None:
        what = N_("taken out of the basket")
    elif before.what != after.what:
        what = N_("another amount")
    else:
        what = N_("price")
    return Difference(
        name,
        Satang(before.satang) if before else None,
        Satang(after.satang) if after else None,
        Message(what, {}),
    )


async def _centers(session: AsyncSession, ids: set[UUID]) -> dict[UUID, Center]:
    return {center.id: center for center in await session.scalars(select(Center).where(Center.id.in_(ids)))}


def _by_group(items: list[Item]) -> list[tuple[Group, list[Item]]]:
    """Groups in the order in which the buyer first took something of them."""
    first: dict[UUID, int] = {}
    for position, item in enumerate(items):
        first.setdefault(item.offer.group.id, position)
    ordered = sorted(items, key=lambda item: first[item.offer.group.id])
    runs = groupby(ordered, key=lambda item: item.offer.group.id)
    return [(own[0].offer.group, own) for own in (list(run) for _, run in runs)]


def _trouble(offer: OnOffer, quantity_milli: int) -> Refusal | None:
    try:
        baskets.refuse_amount(offer, quantity_milli)
    except Refusal as refusal:
        return refusal
    return None


def _name(group: Group) -> Bilingual:
    return Bilingual(group.name_th, group.name_en)
