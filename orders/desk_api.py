"""Orders at the desk, for programs: a group packs and hands over, receivers judge slips, staff look after the rest.

The same verbs as the desk's pages.  Who the buyer is stands only in the answer about one order, and whoever reads that
leaves a row in the trail, as with the page.
"""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Path, Request, Response

from app import trail
from app.access import Role
from app.api import paging
from app.api.paging import BrokenCursor, Cursor, Limit, Page
from app.api.problems import NoSuchThing
from app.api.route import refuses, room
from app.api.tokens import Caller, needs
from app.database import Session
from orders import cancellation, group_work, hand_over, order, part_pages, refunds, slips
from orders import desk_shapes as shapes
from orders.carriers import carrier
from orders.desk_shapes import (
    AcceptSent,
    DoneSent,
    HandOverSent,
    PartTold,
    PartToSend,
    ReasonSent,
    RefundTold,
    SlipTold,
    StaffOrderTold,
    TrackingSent,
)
from orders.hand_over import Tracking
from orders.order import Order
from orders.part_pages import Which
from orders.states import Actor, ActorKind, ReceiverKind, at_desk
from producers.api_places import ForGroup, group_for

router = room("Desk")

READS: Final = group_for("orders:read", Role.packer)
WORKS: Final = group_for("orders:write", Role.packer)
Number = Annotated[str, Path(max_length=40, description="The order's number, with or without spaces.")]
Reader = Annotated[Caller, needs("orders:read")]
Writer = Annotated[Caller, needs("orders:write")]
_NOT_READY: Final = (hand_over.NotPaidYet, hand_over.PartCancelled)


def _staff(caller: Reader) -> Caller:
    return _staff_only(caller)


def _staff_writer(caller: Writer) -> Caller:
    return _staff_only(caller)


StaffReader = Annotated[Caller, Depends(_staff)]
StaffWriter = Annotated[Caller, Depends(_staff_writer)]


@router.get("/desk/groups/{slug}/orders", responses=refuses(BrokenCursor))
async def list_parts(
    request: Request,
    response: Response,
    session: Session,
    place: Annotated[ForGroup, READS],
    which: Which = Which.to_pack,
    limit: Limit = paging.USUAL,
    cursor: Cursor = None,
) -> Page[PartTold]:
    """The group's parts of orders, the oldest first; its last cursor finds those that come later."""
    after = _after(cursor) if cursor else None
    leaf = await part_pages.leaf(session, place.group.id, which, after, limit)
    following = paging.written(leaf.following[0].isoformat(), str(leaf.following[1])) if leaf.following else None
    return paging.page(request, response, [shapes.part(work) for work in leaf.works], following)


@router.get("/desk/groups/{slug}/orders/{number}")
async def show_part(session: Session, place: Annotated[ForGroup, READS], number: Number) -> PartToSend:
    """The group's part of an order, and to whom it goes."""
    return await _part_to_send(session, place, number)


@router.post("/desk/groups/{slug}/orders/{number}/pack", responses=refuses(*_NOT_READY))
async def pack(session: Session, place: Annotated[ForGroup, WORKS], number: Number) -> PartToSend:
    """It is packed.  Saying it twice changes nothing."""
    work = await group_work.part_of(session, place.group, number)
    await hand_over.pack(session, work.part.id, _group(place))
    return await _part_to_send(session, place, number)


@router.post(
    "/desk/groups/{slug}/orders/{number}/hand-over",
    responses=refuses(*_NOT_READY, hand_over.TrackingUnclear),
)
async def hand_part_over(
    session: Session, place: Annotated[ForGroup, WORKS], number: Number, sent: HandOverSent
) -> PartToSend:
    """The goods left the group (for cash: the buyer took and paid them).  It now counts as earned."""
    work = await group_work.part_of(session, place.group, number)
    is_parcel = not work.part.delivery_kind.is_pickup
    label = _tracking(sent.tracking) if sent.tracking and is_parcel else None
    await hand_over.hand_over(session, work.part.id, _group(place), label)
    return await _part_to_send(session, place, number)


@router.put("/desk/groups/{slug}/orders/{number}/tracking", responses=refuses(hand_over.TrackingUnclear))
async def set_tracking(
    session: Session, place: Annotated[ForGroup, WORKS], number: Number, sent: TrackingSent
) -> PartToSend:
    """Add the tracking number of a parcel that was handed over, or put it right."""
    work = await group_work.part_of(session, place.group, number)
    await hand_over.change_tracking(session, work.part.id, _group(place), _tracking(sent))
    return await _part_to_send(session, place, number)


@router.get("/desk/slips")
async def list_slips(session: Session, caller: Reader) -> list[SlipTold]:
    """Slips that wait for whoever received the money: the group's owner, the centre's coordinators, staff."""
    return [shapes.slip(each) for each in await slips.waiting(session, caller.scope)]


@router.post("/desk/slips/{slip_id}/accept", responses=refuses(slips.AlreadyJudged))
async def accept_slip(session: Session, caller: Writer, slip_id: UUID, sent: AcceptSent) -> SlipTold:
    """So much arrived in the account.  Enough pays the order; too much goes back; too little waits for the rest."""
    found = await slips.slip_for(session, caller.scope, slip_id)
    by = _receiver(caller, found.order)
    return shapes.slip(await slips.accept_slip(session, caller.scope, slip_id, sent.satang, by))


@router.post("/desk/slips/{slip_id}/refuse", responses=refuses(slips.AlreadyJudged))
async def refuse_slip(session: Session, caller: Writer, slip_id: UUID, sent: ReasonSent) -> SlipTold:
    """The money did not arrive, or the picture is no slip: the buyer reads the reason and may send another."""
    found = await slips.slip_for(session, caller.scope, slip_id)
    by = _receiver(caller, found.order)
    return shapes.slip(await slips.refuse_slip(session, caller.scope, slip_id, sent.reason, by))


@router.get("/desk/refunds")
async def list_refunds(session: Session, caller: Reader) -> list[RefundTold]:
    """Money to be paid back by whoever holds it, the longest waiting first."""
    return [shapes.refund(task, found) for task, found in await refunds.open_tasks(session, caller.scope)]


@router.post("/desk/refunds/{task_id}/done")
async def finish_refund(session: Session, caller: Writer, task_id: UUID, sent: DoneSent) -> RefundTold:
    """It is paid back; the buyer is told.  Saying it twice changes nothing."""
    task = await refunds.finish(session, caller.scope, task_id, at_desk(caller.scope, caller.person), sent.note)
    return shapes.refund(task, await session.get_one(Order, task.order_id))


@router.get("/staff/orders/{number}")
async def show_order_to_staff(session: Session, caller: StaffReader, number: Number) -> StaffOrderTold:
    """A whole order by its number."""
    return await _staff_order(session, caller, number)


@router.post(
    "/staff/orders/{number}/cancel",
    responses=refuses(cancellation.HandedOverAlready),
)
async def cancel_order(session: Session, caller: StaffWriter, number: Number, sent: ReasonSent) -> StaffOrderTold:
    """Cancel what is still open of an order; what was paid for it goes back."""
    found = await order.by_number(session, number)
    await cancellation.cancel(session, found, Actor(ActorKind.staff, caller.person), sent.reason)
    return await _staff_order(session, caller, number)


@router.post(
    "/staff/orders/{number}/parts/{part_id}/cancel",
    responses=refuses(cancellation.HandedOverAlready, hand_over.NotPaidYet),
)
async def cancel_part(
    session: Session, caller: StaffWriter, number: Number, part_id: UUID, sent: ReasonSent
) -> StaffOrderTold:
    """Take one group's part out of a paid order; what was paid for it goes back."""
    found = await order.by_number(session, number)
    if part_id not in {part.id for part in await order.parts_of(session, found.id)}:
        raise NoSuchThing
    await cancellation.cancel_part(session, part_id, Actor(ActorKind.staff, caller.person), sent.reason)
    return await _staff_order(session, caller, number)


def _staff_only(caller: Caller) -> Caller:
    """Staff routes do not exist for others."""
    if not caller.scope.is_staff:
        raise NoSuchThing
    return caller


async def _part_to_send(session: Session, place: ForGroup, number: str) -> PartToSend:
    work = await group_work.part_of(session, place.group, number)
    await trail.keep(session, place.caller.scope, "api order", work.order.number, group_id=place.group.id)
    return shapes.part_to_send(work)


async def _staff_order(session: Session, caller: Caller, number: str) -> StaffOrderTold:
    found = await order.by_number(session, number)
    await trail.keep(session, caller.scope, "api order", found.number)
    return shapes.staff_order(await order.view(session, found), list(await refunds.of_order(session, found.id)))


def _group(place: ForGroup) -> Actor:
    return Actor(ActorKind.group, place.person)


def _receiver(caller: Caller, found: Order) -> Actor:
    """As what somebody judges a slip: for whom the money came in, else as staff."""
    scope = caller.scope
    if found.receiver_kind == ReceiverKind.group and found.receiver_id in scope.roles:
        return Actor(ActorKind.group, caller.person)
    if found.receiver_kind == ReceiverKind.center and found.receiver_id in scope.centers:
        return Actor(ActorKind.center, caller.person)
    return Actor(ActorKind.staff, caller.person)


def _tracking(sent: TrackingSent) -> Tracking:
    return Tracking(carrier(sent.carrier).code, sent.number)


def _after(cursor: str) -> tuple[datetime, UUID]:
    at, part_id = paging.place_of(cursor, str, str)
    try:
        moment = datetime.fromisoformat(at)
        return (moment, UUID(part_id)) if moment.tzinfo else _broken()
    except ValueError:
        return _broken()


def _broken() -> tuple[datetime, UUID]:
    raise BrokenCursor(field="cursor")
