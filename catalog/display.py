"""A listing on display: everything its page says, for whoever thinks of buying it.

What was never on sale does not exist for shoppers; what is gone for good says so; what rests for a while keeps its page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.errors import NotFound, Refusal
from app.language import N_, Bilingual, Message
from app.money import Satang, baht
from app.pages import quantity
from catalog.capacity import Pool, available
from catalog.cards import BY_NAME, Availability, Card, Offer, availability, cards
from catalog.categories import Category, category
from catalog.listings import KILO_G, Listing, ListingKind, ListingState, Variant, certificates_of
from catalog.photos import Picture, pictures_of
from producers import fees
from producers.centers import Center
from producers.certificates import Certificate
from producers.fees import FeeShare
from producers.groups import Group, GroupState, Storage, Tier, parcel_tiers

MOST_MORE: Final = 4
"""Cards of the same group under a listing."""
FEW_MILLI: Final = 10_000
"""Of less than so much, the page says how much is left."""
PAID_BY: Final = "promptpay"
"""The way to pay whose fees are shown: the market's first one."""


class Gone(Refusal):
    status = 410
    message = N_("This is no longer sold here.")


@dataclass(frozen=True, slots=True)
class Parts:
    """Where the baht of one unit go."""

    price_satang: Satang
    group_satang: Satang
    shares: Sequence[FeeShare]


@dataclass(frozen=True, slots=True)
class Display:
    listing: Listing
    group: Group
    center: Center
    offers: Sequence[Offer]
    """In the group's own order."""
    pictures: Sequence[Picture]
    certificates: Sequence[Certificate]
    parts: Parts | None
    parcels: Sequence[Tier]
    """The group's parcel table for things stored like this; empty when it sends none."""
    more: Sequence[Card]

    @property
    def is_paused(self) -> bool:
        return self.listing.state == ListingState.paused

    @property
    def availability(self) -> Availability:
        return availability(self.listing, self.offers)

    @property
    def can_be_ordered(self) -> bool:
        return not self.is_paused and self.availability is Availability.here

    @property
    def first(self) -> Offer | None:
        """The offer that is chosen to begin with: the first that is there, else the first with a price."""
        priced = [offer for offer in self.offers if offer.variant.price_satang is not None]
        return next((offer for offer in priced if offer.is_there), priced[0] if priced else None)

    @property
    def badges(self) -> list[tuple[str, Bilingual]]:
        return [("certificate", Bilingual(each.name_th, each.name_en)) for each in self.certificates]

    @property
    def category(self) -> Category | None:
        return category(self.listing.category)


async def display(session: AsyncSession, slug: str) -> Display:
    """Return a listing as its page shows it, resting ones too.

    Refuses with `NotFound` what shoppers never saw, and with `Gone` what they cannot come back to.
    """
    listing, group, center = await _found(session, slug)
    offers = await _offers(session, listing)
    return Display(
        listing=listing,
        group=group,
        center=center,
        offers=offers,
        pictures=await pictures_of(session, listing),
        certificates=await certificates_of(session, listing.id),
        parts=await _parts(session, center, offers),
        parcels=await _parcels(session, listing, group),
        more=await cards(session, (Listing.group_id == group.id, Listing.id != listing.id), BY_NAME, MOST_MORE),
    )


def left_in_words(offer: Offer) -> Message:
    """Say whether there is any, and how much where it is little."""
    if not offer.is_there:
        return Message(N_("Sold out for now"), {})
    if offer.left_milli >= FEW_MILLI:
        return Message(N_("In stock"), {})
    left, unit = quantity(offer.left_milli), offer.variant.unit_th.split(" ")[0]
    return Message(N_("Only %(left)s left"), {"left": Bilingual(f"{left} {unit}", left)})


def ways_to_get_it(shown: Display) -> list[Message]:
    """Say how goods reach a buyer, a line per way; for an experience one comes oneself."""
    if shown.listing.kind == ListingKind.experience:
        return []
    group, ways = shown.group, []
    if shown.parcels:
        fee = baht(min(tier.fee_satang for tier in shown.parcels))
        ways.append(Message(N_("Sent to you by parcel, from %(fee)s"), {"fee": fee}))
    if group.pickup_enabled:
        where = Bilingual(group.pickup_text_th or group.name_th, group.pickup_text_en or group.name_en)
        ways.append(Message(N_("Pick it up at the group: %(place)s"), {"place": where}))
        ways.append(
            Message(
                N_("Or at its centre: %(center)s"), {"center": Bilingual(shown.center.name_th, shown.center.name_en)}
            )
        )
    if group.pickup_enabled and group.cash_enabled:
        ways.append(Message(N_("Cash is fine when you pick it up"), {}))
    return ways


def weight(grams: int) -> Message:
    """Write a weight as people say it: "500 g", "1.5 kg"."""
    if grams < KILO_G:
        return Message(N_("%(number)s g"), {"number": grams})
    return Message(N_("%(number)s kg"), {"number": f"{grams / KILO_G:g}"})


async def _found(session: AsyncSession, slug: str) -> tuple[Listing, Group, Center]:
    found = await session.execute(
        select(Listing, Group, Center)
        .join(Group, Group.id == Listing.group_id)
        .join(Center, Center.id == Group.center_id)
        .where(Listing.slug == slug, Listing.published_at.is_not(None))
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound
    listing, group, center = row
    if group.state != GroupState.approved or listing.state == ListingState.draft:
        raise Gone
    return listing, group, center


async def _offers(session: AsyncSession, listing: Listing) -> list[Offer]:
    rows = await session.execute(
        select(Variant, available(Variant.pool_id, clock.now()))
        .join(Pool, Pool.id == Variant.pool_id)
        .where(Variant.listing_id == listing.id, Variant.closed_at.is_(None))
        .order_by(Variant.position, Variant.id)
    )
    return [Offer(variant, left) for variant, left in rows]


async def _parts(session: AsyncSession, center: Center, offers: Sequence[Offer]) -> Parts | None:
    """Split the first price as an order of today would."""
    rules = fees.frozen(await fees.rules_for(session, center.id))
    price = next((offer.variant.price_satang for offer in offers if offer.variant.price_satang), None)
    if price is None:
        return None
    shares = fees.split(price, rules, PAID_BY)
    return Parts(price, fees.group_share(price, shares), shares)


async def _parcels(session: AsyncSession, listing: Listing, group: Group) -> Sequence[Tier]:
    tables = await parcel_tiers(session, [group.id])
    return tables.get((group.id, Storage(listing.storage)), []) if group.parcel_enabled else []
