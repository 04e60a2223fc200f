"""A part's way out of the group's door: packed, then handed over.  With that, and not before, the group has earned it.

Packing and handing over can each be said twice; the second time changes nothing.  A part may be handed over without
having been marked as packed.
"""

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.errors import NotFound, Refusal
from app.language import N_
from orders import notices, payments, postings
from orders.order import Order, OrderPart, lines_of, locked, locked_parts, note
from orders.states import CLOSED_PARTS, Actor, OrderState, PartState
from producers import ledger


class NotPaidYet(Refusal):
    message = N_("This order is not paid yet, so please keep the goods.")


class PartCancelled(Refusal):
    message = N_("This order was cancelled. Please put the goods back.")


class TrackingUnclear(Refusal):
    status = 422
    message = N_("A tracking number has only letters, digits and dashes.")


@dataclass(frozen=True, slots=True)
class Tracking:
    """What a parcel's label says."""

    carrier: str
    number: str


async def pack(session: AsyncSession, part_id: UUID, by: Actor) -> OrderPart:
    """The group has packed its part.  Refuses with `NotPaidYet`, `PartCancelled`, `NotFound`."""
    order, part = await locked_part(session, part_id)
    if part.state in {PartState.packed, PartState.handed_over}:
        return part
    _refuse_what_is_not_ready(part)
    part.state, part.packed_at, part.packed_by = PartState.packed, clock.now(), by.person_id
    note(session, order, "packed", by, part=part)
    await session.flush()
    await notices.packed(session, order, part)
    return part


async def hand_over(session: AsyncSession, part_id: UUID, by: Actor, tracking: Tracking | None = None) -> OrderPart:
    """The goods left the group (or the buyer took them, paying if the order is in cash): the group has earned them.

    Refuses with `NotPaidYet`, `PartCancelled`, `TrackingUnclear`, `NotFound`, and for cash that comes after the hold
    with `capacity.HoldRanOut` when somebody else has the goods.
    """
    order, part = await locked_part(session, part_id)
    if part.state == PartState.handed_over:
        return part
    _refuse_what_is_not_ready(part, is_late_cash=order.is_cash and order.state == OrderState.expired)
    _label(part, tracking)
    if order.is_cash:
        await payments.take_cash(session, order, part, by)
    part.packed_at = part.packed_at or clock.now()
    part.state, part.handed_over_at, part.handed_over_by = PartState.handed_over, clock.now(), by.person_id
    entries = postings.handed_over(order, part, await lines_of(session, [part.id]))
    if entries:
        await ledger.post(session, key=f"handed over {part.id}", kind="handed_over", entries=entries, by=by.person)
    note(session, order, "handed_over", by, part=part)
    await session.flush()
    await close_when_finished(session, order)
    await notices.handed_over(session, order, part)
    return part


async def change_tracking(session: AsyncSession, part_id: UUID, by: Actor, tracking: Tracking) -> OrderPart:
    """Put the tracking number of a part right, or add it later."""
    order, part = await locked_part(session, part_id)
    if part.state == PartState.handed_over and (part.carrier, part.tracking) != (tracking.carrier, tracking.number):
        _label(part, tracking)
        note(session, order, "tracking", by, part=part, carrier=tracking.carrier, number=tracking.number)
        await session.flush()
    return part


async def close_when_finished(session: AsyncSession, order: Order) -> None:
    """An order is done when nothing of it is open any more and something was handed over."""
    states = {part.state for part in await locked_parts(session, order)}
    if not states <= set(CLOSED_PARTS):
        return
    if PartState.handed_over in states:
        order.state, order.done_at = OrderState.done, clock.now()
        order.paid_at = order.paid_at or order.done_at
    else:
        order.state, order.cancelled_at = OrderState.cancelled, clock.now()
    await session.flush()


async def locked_part(session: AsyncSession, part_id: UUID) -> tuple[Order, OrderPart]:
    """Lock the order of a part and read both as they are now; refuses with `NotFound`."""
    order_id = await session.scalar(select(OrderPart.order_id).where(OrderPart.id == part_id))
    if order_id is None:
        raise NotFound
    order = await locked(session, order_id)
    return order, await session.get_one(OrderPart, part_id, populate_existing=True)


def _refuse_what_is_not_ready(part: OrderPart, *, is_late_cash: bool = False) -> None:
    if part.state == PartState.cancelled:
        raise PartCancelled
    if part.ready_at is None and not is_late_cash:
        raise NotPaidYet


_TRACKING: Final = re.compile(r"[A-Za-z0-9-]{4,40}")


def _label(part: OrderPart, tracking: Tracking | None) -> None:
    if tracking is None:
        return
    number = re.sub(r"\s", "", tracking.number).upper()
    if not _TRACKING.fullmatch(number):
        raise TrackingUnclear(field="tracking")
    part.carrier, part.tracking = tracking.carrier, number
