"""Stalls with goods, and orders, to arrange a test with."""

from dataclasses import dataclass, replace
from itertools import count
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.access import Role
from app.money import Satang
from app.people import Person
from app.thai_order import sort_key
from catalog import capacity
from catalog.listings import Listing, ListingKind, ListingState, Variant
from orders import basket as baskets
from orders import checkout, payments
from orders.basket import Basket
from orders.checkout import Buyer
from orders.order import Order, OrderPart, parts_of
from orders.quote import quote
from orders.slip_qr import SlipReference
from orders.slips import SlipPicture
from orders.states import BUYER, Actor, ActorKind, DeliveryKind, PaymentMethod
from producers.centers import Center
from producers.fees import FeeKind, start_rule
from producers.groups import Group, ParcelTier
from tests import factories as people
from tests.producers import factories as producers

PROMPTPAY = "0812345678"
STAFF = Actor(ActorKind.staff)
GROUP = Actor(ActorKind.group)
MALI = Buyer(
    name="มะลิ ใจเย็น",
    phone="+66891112222",
    email="mali@example.com",
    address_line="12 หมู่ 3",
    subdistrict_code=producers.NONG_SANO,
)
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Stall:
    """A group that sells one thing."""

    group: Group
    center: Center
    owner: Person
    listing: Listing
    variant: Variant


async def stall(
    session: AsyncSession,
    *,
    price: int = 50_00,
    stock: int = 10_000,
    at: Center | None = None,
    name_th: str = "ข้าวเม่า",
    step: int = 1000,
    parcel_fee: int | None = 40_00,
    promptpay: str | None = PROMPTPAY,
    storage: str = "ambient",
) -> Stall:
    """Add an approved group with one listing on sale; it takes parcels (unless `parcel_fee` is None), pick-up and cash."""
    number = next(_numbers)
    center = at or await producers.center(session)
    owner = await people.person(session, name="ป้าสมศรี")
    group = await producers.group(session, owner=owner, at=center, name_th=f"กลุ่มที่ {number}", name_en=f"Group {number}")
    group.parcel_enabled, group.pickup_enabled, group.cash_enabled = parcel_fee is not None, True, True
    group.pickup_text_th, group.pickup_text_en = "ศาลาหมู่ 3 ทุกวัน 9-16 น.", "Village hall, daily 9 to 4"
    group.promptpay_id, group.promptpay_name = promptpay, "นางสมศรี ใจดี" if promptpay else None
    if parcel_fee is not None:
        session.add(ParcelTier(group_id=group.id, storage=storage, up_to_g=20_000, fee_satang=Satang(parcel_fee)))
    stream = await producers.stream(session, group)
    listing, variant = await goods(
        session, group, stream.id, price=price, stock=stock, name_th=name_th, step=step, storage=storage
    )
    return Stall(group, center, owner, listing, variant)


async def goods(
    session: AsyncSession,
    group: Group,
    stream_id: UUID,
    *,
    price: int = 50_00,
    stock: int = 10_000,
    name_th: str = "ข้าวเม่า",
    step: int = 1000,
    storage: str = "ambient",
) -> tuple[Listing, Variant]:
    now = clock.now()
    listing = Listing(
        slug=f"goods-{next(_numbers)}",
        group_id=group.id,
        kind=ListingKind.goods,
        name_th=name_th,
        name_en=None,
        cluster=group.cluster,
        category="snacks-sweets",
        stream_id=stream_id,
        storage=storage,
        state=ListingState.on_sale,
        sort_key=sort_key(name_th),
        search_text=name_th,
        price_satang=Satang(price),
        published_at=now,
        created_at=now,
        changed_at=now,
    )
    session.add(listing)
    await session.flush()
    variant = Variant(
        listing_id=listing.id,
        position=0,
        unit_th="ถุง",
        unit_en="bag",
        net_weight_g=500,
        price_satang=Satang(price),
        pool_id=await capacity.new_pool(session, stock),
        step_milli=step,
        least_milli=step,
    )
    session.add(variant)
    await session.flush()
    return listing, variant


async def fee_rules(session: AsyncSession) -> None:
    """Centre 5 %, community fund 2 %, in force for long."""
    since = clock.start_of_day(clock.business_day().replace(year=2020))
    await start_rule(
        session, "center", FeeKind.center, name_th="ศูนย์", name_en="Centre", basis_points=500, valid_from=since
    )
    await start_rule(session, "fund", FeeKind.fund, name_th="กองทุน", name_en="Fund", basis_points=200, valid_from=since)


async def basket_with(session: AsyncSession, *wanted: tuple[Stall, int]) -> Basket:
    """A guest's basket with so much (thousandths) of each stall's goods."""
    basket, _ = await baskets.start(session)
    for stall, milli in wanted:
        await baskets.add(session, basket, stall.variant.id, milli)
    return basket


async def order(
    session: AsyncSession,
    *wanted: tuple[Stall, int],
    delivery: DeliveryKind | None = None,
    method: PaymentMethod = PaymentMethod.promptpay,
    buyer: Buyer = MALI,
) -> Order:
    """Place an order for what is wanted, as the checkout does."""
    basket = await basket_with(session, *wanted)
    return await place(session, basket, delivery=delivery, method=method, buyer=buyer)


async def place(
    session: AsyncSession,
    basket: Basket,
    *,
    delivery: DeliveryKind | None = None,
    method: PaymentMethod = PaymentMethod.promptpay,
    buyer: Buyer = MALI,
) -> Order:
    now = await quote(session, basket)
    deliveries = {part.group.id: delivery for part in now.groups} if delivery else None
    total = (await quote(session, basket, deliveries)).total_satang
    return await checkout.place(
        session, basket, buyer, deliveries, method, expected_total=total, once_token=basket.once_token
    )


async def paid_order(session: AsyncSession, *wanted: tuple[Stall, int], buyer: Buyer = MALI) -> Order:
    placed = await order(session, *wanted, buyer=buyer)
    await payments.settle(session, placed, placed.total_satang, STAFF)
    return placed


async def only_part(session: AsyncSession, placed: Order) -> OrderPart:
    (part,) = await parts_of(session, placed.id)
    return part


def slip(reference: str | None = None) -> SlipPicture:
    """A slip as it looks once it was read; without reference it has no code that could be read."""
    number = next(_numbers)
    return SlipPicture(
        data=b"jpeg",
        content_type="image/jpeg",
        sha256=f"{number:064x}",
        reference=SlipReference("004", reference) if reference else None,
    )


__all__ = ["BUYER", "GROUP", "MALI", "STAFF", "Role", "Stall", "producers", "replace"]
