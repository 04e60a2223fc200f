"""How goods of one group reach the buyer: a parcel by the group's own weight table, or fetched at the group or its centre.

Goods that must be kept apart (ambient, chilled, frozen) travel in a parcel each; each is weighed by itself.  A group that
lets buyers fetch their goods also brings them to its centre.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.language import N_, Bilingual, Message
from app.money import Satang
from orders.basket import OnOffer
from orders.states import DeliveryKind
from producers.centers import Center
from producers.groups import Group, Storage, Tier

#: What a buyer gets when they have not chosen: the first of these that is possible.
PREFERRED: Final = (DeliveryKind.parcel, DeliveryKind.pickup_group, DeliveryKind.pickup_center)

NAMES: Final = {
    DeliveryKind.parcel: N_("Parcel"),
    DeliveryKind.pickup_group: N_("Pick up at the group"),
    DeliveryKind.pickup_center: N_("Pick up at the centre"),
}

Tables = Mapping[tuple[UUID, Storage], Sequence[Tier]]
Wanted = Sequence[tuple[OnOffer, int]]
"""Variants of one group with the amounts (thousandths) wanted."""


@dataclass(frozen=True, slots=True)
class DeliveryOption:
    """One way to get a group's goods: what it costs, or why it is not possible."""

    kind: DeliveryKind
    fee_satang: Satang
    why_not: Message | None = None
    place: Bilingual | None = None
    """Where and when to come, for pick-up."""

    @property
    def is_possible(self) -> bool:
        return self.why_not is None

    @property
    def name(self) -> Message:
        return Message(NAMES[self.kind], {})


def options(group: Group, center: Center, wanted: Wanted, tables: Tables) -> list[DeliveryOption]:
    """Return every way for one group, possible or not; `tables` are `producers.groups.parcel_tiers`."""
    return [_parcel(group, wanted, tables), _at_group(group), _at_center(group, center)]


def chosen(found: Iterable[DeliveryOption], wish: DeliveryKind | None) -> DeliveryOption | None:
    """Return what the buyer wishes if it is possible, else the first that is; None when nothing is."""
    possible = {option.kind: option for option in found if option.is_possible}
    if wish in possible:
        return possible[wish]
    return next((possible[kind] for kind in PREFERRED if kind in possible), None)


def weight_of(wanted: Wanted) -> int:
    """Weigh what is wanted, in grams rounded up; things without a known weight count nothing."""
    return sum(-(-(offer.variant.net_weight_g or 0) * milli // 1000) for offer, milli in wanted)


def _parcel(group: Group, wanted: Wanted, tables: Tables) -> DeliveryOption:
    if not group.parcel_enabled:
        return _not(DeliveryKind.parcel, N_("This group does not send parcels."))
    fee = 0
    for storage in sorted({offer.listing.storage for offer, _ in wanted}):
        apart = [(offer, milli) for offer, milli in wanted if offer.listing.storage == storage]
        tiers = tables.get((group.id, Storage(storage)), ())
        if not tiers:
            item = apart[0][0].name
            return _not(DeliveryKind.parcel, N_("%(item)s cannot travel in this group's parcels."), item=item)
        weight = weight_of(apart)
        tier = next((tier for tier in tiers if weight <= tier.up_to_g), None)
        if tier is None:
            heaviest = f"{tiers[-1].up_to_g / 1000:g}"
            return _not(DeliveryKind.parcel, N_("Too heavy for a parcel: at most %(kg)s kg."), kg=heaviest)
        fee += tier.fee_satang
    return DeliveryOption(DeliveryKind.parcel, Satang(fee))


def _at_group(group: Group) -> DeliveryOption:
    if not group.pickup_enabled:
        return _not(DeliveryKind.pickup_group, N_("Goods cannot be picked up at this group."))
    place = Bilingual(group.pickup_text_th or group.name_th, group.pickup_text_en or group.name_en)
    return DeliveryOption(DeliveryKind.pickup_group, Satang(0), place=place)


def _at_center(group: Group, center: Center) -> DeliveryOption:
    if not group.pickup_enabled:
        return _not(DeliveryKind.pickup_center, N_("This group does not bring goods to its centre."))
    return DeliveryOption(DeliveryKind.pickup_center, Satang(0), place=Bilingual(center.name_th, center.name_en))


def _not(kind: DeliveryKind, message: str, **params: object) -> DeliveryOption:
    return DeliveryOption(kind, Satang(0), why_not=Message(message, params))
