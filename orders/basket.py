"""The basket: one over many groups, kept for guests by a cookie and for people by who they are.

A basket holds nothing: only an order does.  So it says at once, each time it is looked at, what changed meanwhile
(`orders.quote`): a price, an amount that is no longer there, a listing that left.

When somebody signs in, what they had collected as a guest joins what they had collected before.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock, jobs
from app.database import Base, Id, Utc, new_id, session_scope
from app.errors import Refusal
from app.language import N_, Bilingual
from app.money import Satang
from app.people import Person, token_hash
from catalog import capacity
from catalog.capacity import Pool
from catalog.listings import Listing, ListingKind, ListingState, Variant
from orders.order import full_name
from orders.states import DeliveryKind
from producers.groups import Group, GroupState

KEPT: Final = timedelta(days=90)
"""How long an untouched basket is kept."""
MOST_LINES: Final = 60
MOST_MILLI: Final = 100_000_000


class NotOnSale(Refusal):
    message = N_("%(item)s is not on sale any more.")


class NotThisAmount(Refusal):
    status = 422
    message = N_("%(item)s is sold from %(least)s, in steps of %(step)s.")


class OnlySoMuchLeft(Refusal):
    message = N_("%(item)s: only %(left)s left.")


class SoldOut(Refusal):
    message = N_("%(item)s is sold out.")


class BasketFull(Refusal):
    message = N_("A basket can hold %(most)s different things. Order these first, then fill it again.")


class Basket(Base):
    __tablename__ = "baskets"
    __table_args__ = (Index("ix_baskets_touched_at", "touched_at"),)

    id: Mapped[Id]
    token_hash: Mapped[str | None] = mapped_column(unique=True)
    """Of a guest's cookie."""
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"), unique=True)
    once_token: Mapped[str]
    """Names the order that this filling of the basket will become: the same in every tab, new after each order."""
    created_at: Mapped[Utc]
    touched_at: Mapped[Utc]


class BasketLine(Base):
    __tablename__ = "basket_lines"
    __table_args__ = (CheckConstraint("quantity_milli > 0", name="quantity_counts"),)

    basket_id: Mapped[UUID] = mapped_column(ForeignKey("baskets.id", ondelete="CASCADE"), primary_key=True)
    variant_id: Mapped[UUID] = mapped_column(ForeignKey("variants.id", ondelete="CASCADE"), primary_key=True)
    quantity_milli: Mapped[int] = mapped_column(BigInteger)
    seen_price_satang: Mapped[Satang]
    """What the buyer was last told it costs."""
    added_at: Mapped[Utc]


class BasketDelivery(Base):
    """How the buyer wants one group's goods."""

    __tablename__ = "basket_deliveries"

    basket_id: Mapped[UUID] = mapped_column(ForeignKey("baskets.id", ondelete="CASCADE"), primary_key=True)
    group_id: Mapped[UUID] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True)
    delivery: Mapped[str]


@dataclass(frozen=True, slots=True)
class OnOffer:
    """A variant with all that decides whether it can be bought now."""

    variant: Variant
    listing: Listing
    group: Group
    available_milli: int

    @property
    def name(self) -> Bilingual:
        return full_name(self.listing.name_th, self.listing.name_en, self.variant.label_th, self.variant.label_en)

    @property
    def is_on_sale(self) -> bool:
        return (
            self.variant.closed_at is None
            and self.variant.price_satang is not None
            and self.listing.kind == ListingKind.goods
            and self.listing.state == ListingState.on_sale
            and self.listing.is_in_season(clock.business_day())
            and self.group.state == GroupState.approved
        )

    def cost(self, quantity_milli: int) -> Satang:
        """What an amount costs now, in satang; prices times steps are whole satang by the catalogue's rule."""
        return Satang((self.variant.price_satang or 0) * quantity_milli // 1000)


async def find(session: AsyncSession, token: str | None, person: Person | None) -> Basket | None:
    """Return the basket of whoever is here; a guest's joins the person's once they have signed in."""
    guest = await _of_guest(session, token) if token else None
    if person is None:
        return guest
    if guest is not None:
        return await _join(session, guest, person)
    own: Basket | None = await session.scalar(select(Basket).where(Basket.person_id == person.id))
    return own


async def count(session: AsyncSession, token: str | None, person: Person | None) -> int:
    """Count the different things in the basket of whoever is here, for the header of every page."""
    mine = [Basket.person_id == person.id] if person else []
    if token:
        mine.append(and_(Basket.token_hash == token_hash(token), Basket.person_id.is_(None)))
    if not mine:
        return 0
    question = select(func.count()).select_from(BasketLine).join(Basket, Basket.id == BasketLine.basket_id)
    return await session.scalar(question.where(or_(*mine))) or 0


async def lines_of(session: AsyncSession, basket: Basket) -> list[tuple[BasketLine, OnOffer]]:
    """Return what is in the basket beside what the catalogue says about it now, in the order it was put in."""
    now = clock.now()
    rows = await session.execute(
        select(BasketLine, Variant, Listing, Group, capacity.available(Variant.pool_id, now))
        .join(Variant, Variant.id == BasketLine.variant_id)
        .join(Listing, Listing.id == Variant.listing_id)
        .join(Group, Group.id == Listing.group_id)
        .join(Pool, Pool.id == Variant.pool_id)
        .where(BasketLine.basket_id == basket.id)
        .order_by(BasketLine.added_at, BasketLine.variant_id)
        .execution_options(populate_existing=True)
    )
    return [(line, OnOffer(variant, listing, group, left)) for line, variant, listing, group, left in rows]


async def on_offer(session: AsyncSession, variant_id: UUID) -> OnOffer:
    """Return a variant with what decides whether it can be bought.  Refuses with `NotOnSale` when there is none."""
    row = (
        await session.execute(
            select(Variant, Listing, Group, capacity.available(Variant.pool_id, clock.now()))
            .join(Listing, Listing.id == Variant.listing_id)
            .join(Group, Group.id == Listing.group_id)
            .join(Pool, Pool.id == Variant.pool_id)
            .where(Variant.id == variant_id)
        )
    ).one_or_none()
    if row is None:
        raise NotOnSale(item=Bilingual("สินค้านี้", "This"))
    return OnOffer(*row)


async def deliveries_of(session: AsyncSession, basket: Basket) -> dict[UUID, DeliveryKind]:
    """Return how the buyer wants each group's goods, where they have chosen."""
    rows = await session.scalars(select(BasketDelivery).where(BasketDelivery.basket_id == basket.id))
    return {row.group_id: DeliveryKind(row.delivery) for row in rows}


async def start(session: AsyncSession, person: Person | None = None) -> tuple[Basket, str]:
    """Make an empty basket for whoever is here; return it with the secret token for a guest's cookie."""
    token = secrets.token_urlsafe(24)
    if person is not None:
        return await _own(session, person), token
    basket = Basket(token_hash=token_hash(token), **_fresh())
    session.add(basket)
    await session.flush()
    return basket, token


async def add(session: AsyncSession, basket: Basket, variant_id: UUID, quantity_milli: int) -> OnOffer:
    """Put so much more of a variant into the basket.

    Refuses with `NotOnSale`, `NotThisAmount`, `SoldOut`, `OnlySoMuchLeft`, `BasketFull`.
    """
    await _lock(session, basket)
    offer = await on_offer(session, variant_id)
    had = await session.get(BasketLine, (basket.id, variant_id), populate_existing=True)
    quantity = quantity_milli + (had.quantity_milli if had else 0)
    refuse_amount(offer, quantity)
    if had is None:
        await _refuse_when_full(session, basket)
    await _put(session, basket, offer, quantity)
    return offer


async def set_quantities(session: AsyncSession, basket: Basket, quantities: Mapping[UUID, int]) -> list[Refusal]:
    """Set amounts (thousandths) by variant, 0 takes a line out; return what could not be done, line by line.

    What is refused stays as it was.  Looking at the basket and sending it back also says that the prices were seen.
    """
    await _lock(session, basket)
    refusals: list[Refusal] = []
    for line, offer in await lines_of(session, basket):
        quantity = quantities.get(line.variant_id, line.quantity_milli)
        if quantity == 0:
            await session.delete(line)
            continue
        try:
            refuse_amount(offer, quantity)
        except Refusal as refusal:
            refusals.append(refusal)
        else:
            line.quantity_milli = quantity
        if offer.variant.price_satang is not None:
            line.seen_price_satang = offer.variant.price_satang
    await session.flush()
    return refusals


async def take_out(session: AsyncSession, basket: Basket, variant_id: UUID) -> None:
    await _lock(session, basket)
    await session.execute(
        delete(BasketLine).where(BasketLine.basket_id == basket.id, BasketLine.variant_id == variant_id)
    )


async def keep_what_there_is(session: AsyncSession, basket: Basket) -> None:
    """Take out what is gone, lower what is short to what is left, and take the prices as they are now."""
    await _lock(session, basket)
    for line, offer in await lines_of(session, basket):
        most = most_of(offer)
        if not offer.is_on_sale or most == 0:
            await session.delete(line)
            continue
        line.quantity_milli = min(line.quantity_milli, most)
        line.seen_price_satang = offer.variant.price_satang or Satang(0)
    await session.flush()


async def choose_deliveries(session: AsyncSession, basket: Basket, chosen: Mapping[UUID, DeliveryKind]) -> None:
    """Remember how the buyer wants each group's goods."""
    for group_id, kind in chosen.items():
        row = {"basket_id": basket.id, "group_id": group_id, "delivery": kind.value}
        await session.execute(
            insert(BasketDelivery)
            .values(row)
            .on_conflict_do_update(index_elements=["basket_id", "group_id"], set_={"delivery": kind.value})
        )


async def empty(session: AsyncSession, basket: Basket) -> None:
    """Clear the basket once it has become an order; the next filling gets a name of its own."""
    await session.execute(delete(BasketLine).where(BasketLine.basket_id == basket.id))
    await session.execute(delete(BasketDelivery).where(BasketDelivery.basket_id == basket.id))
    basket.once_token = secrets.token_urlsafe(16)
    basket.touched_at = clock.now()


@jobs.every(timedelta(days=1), "baskets.forget")
async def forget(_payload: dict[str, Any]) -> None:
    """Delete the baskets that nobody touched for long."""
    async with session_scope() as session:
        await session.execute(delete(Basket).where(Basket.touched_at < clock.now() - KEPT))


def refuse_amount(offer: OnOffer, quantity_milli: int) -> None:
    """Refuse an amount that cannot be bought now, saying what can."""
    variant, left = offer.variant, most_of(offer)
    if not offer.is_on_sale:
        raise NotOnSale(item=offer.name)
    if quantity_milli < variant.least_milli or quantity_milli % variant.step_milli or quantity_milli > MOST_MILLI:
        raise NotThisAmount(
            item=offer.name,
            least=in_units(variant, variant.least_milli),
            step=in_units(variant, variant.step_milli),
        )
    if left == 0:
        raise SoldOut(item=offer.name)
    if quantity_milli > left:
        raise OnlySoMuchLeft(item=offer.name, left=in_units(variant, left))


def most_of(offer: OnOffer) -> int:
    """The most that can be bought now: whole steps, and not less than the least amount."""
    steps = max(offer.available_milli, 0) // offer.variant.step_milli * offer.variant.step_milli
    return steps if steps >= offer.variant.least_milli else 0


def in_units(variant: Variant, milli: int) -> Bilingual:
    """Say an amount with its unit: "0.5 กก."."""
    amount = f"{milli / 1000:g}"
    return Bilingual(f"{amount} {variant.unit_th}", f"{amount} {variant.unit_en or variant.unit_th}")


async def _of_guest(session: AsyncSession, token: str) -> Basket | None:
    condition = and_(Basket.token_hash == token_hash(token), Basket.person_id.is_(None))
    found: Basket | None = await session.scalar(select(Basket).where(condition))
    return found


async def _own(session: AsyncSession, person: Person) -> Basket:
    """The person's basket, made when it is first needed (by two requests at once, too)."""
    await session.execute(insert(Basket).values(id=new_id(), person_id=person.id, **_fresh()).on_conflict_do_nothing())
    return (await session.scalars(select(Basket).where(Basket.person_id == person.id))).one()


async def _join(session: AsyncSession, guest: Basket, person: Person) -> Basket:
    """Move a guest's lines into the person's basket; of what is in both, the larger amount stays."""
    own = await _own(session, person)
    await _lock(session, own)
    moved = (
        await session.scalars(delete(BasketLine).where(BasketLine.basket_id == guest.id).returning(BasketLine))
    ).all()
    for line in moved:
        added = insert(BasketLine).values(
            basket_id=own.id,
            variant_id=line.variant_id,
            quantity_milli=line.quantity_milli,
            seen_price_satang=line.seen_price_satang,
            added_at=line.added_at,
        )
        larger = func.greatest(BasketLine.quantity_milli, added.excluded.quantity_milli)
        await session.execute(
            added.on_conflict_do_update(
                index_elements=["basket_id", "variant_id"],
                set_={"quantity_milli": larger, "seen_price_satang": added.excluded.seen_price_satang},
            )
        )
    await session.execute(delete(Basket).where(Basket.id == guest.id))
    return own


async def _lock(session: AsyncSession, basket: Basket) -> None:
    """Two tabs change the basket one after the other."""
    await session.execute(update(Basket).where(Basket.id == basket.id).values(touched_at=clock.now()))


async def _put(session: AsyncSession, basket: Basket, offer: OnOffer, quantity_milli: int) -> None:
    seen = {"quantity_milli": quantity_milli, "seen_price_satang": offer.variant.price_satang}
    await session.execute(
        insert(BasketLine)
        .values(basket_id=basket.id, variant_id=offer.variant.id, added_at=clock.now(), **seen)
        .on_conflict_do_update(index_elements=["basket_id", "variant_id"], set_=seen)
    )


async def _refuse_when_full(session: AsyncSession, basket: Basket) -> None:
    lines = await session.scalar(select(func.count()).where(BasketLine.basket_id == basket.id))
    if lines is not None and lines >= MOST_LINES:
        raise BasketFull(most=MOST_LINES)


def _fresh() -> dict[str, object]:
    now = clock.now()
    return {"once_token": secrets.token_urlsafe(16), "created_at": now, "touched_at": now}
