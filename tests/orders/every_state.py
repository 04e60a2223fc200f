"""A small market in which every state of an order occurs, made by the trade's own verbs."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app import files
from app.clock import FrozenClock
from app.people import Person
from catalog import photos
from catalog.darkroom import make_ready
from catalog.listings import Listing, Variant
from catalog.photos import Photo
from orders import cancellation, hand_over, payments, refunds, slips
from orders.hand_over import Tracking
from orders.order import Order, lines_of, parts_of
from orders.states import DeliveryKind, PaymentMethod
from producers.centers import Center
from producers.groups import Group
from tests import factories as people
from tests.orders import factories
from tests.orders.factories import BUYER, GROUP, STAFF, Stall


async def market(session: AsyncSession, clock: FrozenClock) -> list[Order]:
    """Fill an empty market and commit; the orders are named by what became of them, in `Order.note`."""
    await factories.fee_rules(session)
    rice = await factories.stall(session, stock=90_000)
    fish = await factories.stall(session, at=rice.center, name_th="ปลาส้ม\tทอด\n\\N", stock=90_000)
    rice.center.promptpay_id, rice.center.promptpay_name = "0898765432", "ศูนย์บ่มเพาะ"
    made = [await _order(session, "expired", rice)]
    clock.jump(timedelta(hours=2))
    await cancellation.expire(session, made[0])
    made += [
        await _order(session, note, rice, fish) for note in ("placed", "paid", "packed", "handed over", "cancelled")
    ]
    for order in made[2:5]:
        await payments.settle(session, order, order.total_satang, STAFF)
    await _pack(session, made[3])
    await _pack(session, made[4], leaves=True)
    await cancellation.cancel(session, made[5], BUYER, "สั่งผิด")
    made += [await _given_back(session, rice), await _part_paid(session, fish), await _with_slip(session, fish)]
    made += [await _in_cash(session, "cash", rice), await _in_cash(session, "cash fetched", rice, fetched=True)]
    await factories.basket_with(session, (rice, 1000))
    await session.commit()
    return made


async def photo(session: AsyncSession, stall: Stall, jpeg: bytes, *, made_ready: bool = True) -> Photo:
    """Add a photo to the stall's listing, with its files; commits."""
    key = f"originals/{len(jpeg):040x}.jpg"
    await files.put(key, jpeg, "image/jpeg")
    added = await photos.add(session, stall.group.id, photos.Original(key, 40, 30), listing_id=stall.listing.id)
    await session.commit()
    if made_ready:
        await make_ready({"photo_id": str(added.id)})
    return added


async def _order(
    session: AsyncSession, note: str, *stalls: Stall, method: PaymentMethod = PaymentMethod.promptpay
) -> Order:
    delivery = DeliveryKind.pickup_group if method is PaymentMethod.cash else None
    placed = await factories.order(session, *((stall, 2000) for stall in stalls), delivery=delivery, method=method)
    placed.note = note
    return placed


async def _pack(session: AsyncSession, order: Order, *, leaves: bool = False) -> None:
    for part in await parts_of(session, order.id):
        await hand_over.pack(session, part.id, GROUP)
        if leaves:
            label = None if part.delivery_kind.is_pickup else Tracking("thailand-post", "EX123456789TH")
            await hand_over.hand_over(session, part.id, GROUP, label)


async def _given_back(session: AsyncSession, stall: Stall) -> Order:
    """Paid, cancelled by staff, and paid back; another one still waits for its money."""
    for note in ("waits for its money", "paid back"):
        order = await _order(session, note, stall)
        await payments.settle(session, order, order.total_satang + 500, STAFF)
        await cancellation.cancel(session, order, STAFF, "ของหมด")
    scope = await people.staff(session)
    for task in await refunds.of_order(session, order.id):
        await refunds.finish(session, scope, task.id, STAFF, "โอนคืนแล้ว")
    return order


async def _part_paid(session: AsyncSession, stall: Stall) -> Order:
    order = await _order(session, "part paid", stall)
    await payments.settle(session, order, 1000, STAFF)
    return order


async def _with_slip(session: AsyncSession, stall: Stall) -> Order:
    order = await _order(session, "slip sent", stall)
    picture = factories.slip("REF1")
    await files.put(picture.file_key, picture.data, picture.content_type)
    await slips.send_slip(session, order, picture)
    return order


async def _in_cash(session: AsyncSession, note: str, stall: Stall, *, fetched: bool = False) -> Order:
    order = await _order(session, note, stall, method=PaymentMethod.cash)
    await _pack(session, order, leaves=fetched)
    return order


async def stall_of(session: AsyncSession, order: Order) -> Stall:
    """Return the stall of an order's first line."""
    part = (await parts_of(session, order.id))[0]
    line = (await lines_of(session, [part.id]))[0]
    group = await session.get_one(Group, part.group_id)
    center = await session.get_one(Center, part.center_id)
    owner = await session.get_one(Person, group.applied_by)
    listing = await session.get_one(Listing, line.listing_id)
    return Stall(group, center, owner, listing, await session.get_one(Variant, line.variant_id))
