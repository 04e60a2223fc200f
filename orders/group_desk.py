"""The group's desk: what to do next, what to pack (per order and added up), packed, handed over.

Made for elders on phones: one task on a screen, the next thing on top.  A group sees of an order only its own part and
where that goes.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, StringConstraints
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock, trail
from app.access import CurrentPerson, CurrentScope
from app.database import Session
from app.errors import Refusal
from app.forms import Form, read_form
from app.language import N_
from app.pages import page, said, see_other
from app.people import Person
from app.trail import Sight
from orders import giving_back, group_work, hand_over, slips, timeline
from orders.carriers import carrier, carriers, tracking_link
from orders.group_work import Work
from orders.hand_over import Tracking
from orders.order import OrderView, PartView, spoken_phone
from orders.states import Actor, ActorKind
from producers import ledger
from producers.groups import Group, OwnGroup

router = APIRouter(prefix="/desk/groups/{slug}")


class HandOverForm(BaseModel):
    carrier: Annotated[str, StringConstraints(max_length=60)] | None = None
    tracking: Annotated[str, StringConstraints(max_length=60)] | None = None


@router.get("", name="group_desk")
async def group_desk(request: Request, session: Session, scope: CurrentScope, group: OwnGroup) -> Response:
    now = clock.now()
    recent = await group_work.recent(session, group.id)
    this_month = await ledger.revenue_by_stream(session, group.id, [clock.month_of(clock.business_day())])
    return page(
        request,
        "orders/group_desk.html",
        group=group,
        tally=await group_work.tally(session, group.id),
        slips_waiting=await slips.waiting_count_of(session, scope, group.id),
        to_pack=await group_work.to_pack(session, group.id, limit=20),
        to_hand_over=await group_work.to_hand_over(session, group.id, limit=20),
        recent=[(part, order, *timeline.part_badge(order, part, now)) for part, order in recent],
        balance=await ledger.balance_of_group(session, group.id),
        month=sum(row.satang for row in this_month if not row.is_typed),
    )


@router.get("/picking", name="group_picking")
async def group_picking(request: Request, session: Session, group: OwnGroup) -> Response:
    picked = await group_work.picking(session, group.id)
    return page(request, "orders/picking.html", group=group, picked=picked)


@router.get("/orders/{number}", name="group_order")
async def group_order(request: Request, session: Session, group: OwnGroup, number: str) -> Response:
    return await _order_page(request, session, group, number, Form[HandOverForm].empty())


@router.get("/orders/{number}/slip", name="group_packing_slip")
async def group_packing_slip(request: Request, session: Session, group: OwnGroup, number: str) -> Response:
    work = await group_work.part_of(session, group, number)
    if work.shows_contact:
        trail.saw(request, Sight.buyer, Sight.sheet, about=work.order.number)
    return page(
        request,
        "orders/packing_slip.html",
        group=group,
        work=work,
        order=work.order,
        part=work.part,
        spoken=spoken_phone,
    )


@router.post("/orders/{number}/pack", name="group_pack")
async def group_pack(
    request: Request, session: Session, group: OwnGroup, person: CurrentPerson, number: str
) -> Response:
    work = await group_work.part_of(session, group, number)
    try:
        await hand_over.pack(session, work.part.id, _by(person))
    except Refusal as refusal:
        return await _order_page(request, session, group, number, _refused(refusal), refusal.status)
    return see_other(request, "group_order", slug=group.slug, number=number, flash=said(N_("Marked as packed.")))


@router.post("/orders/{number}/hand-over", name="group_hand_over")
async def group_hand_over(
    request: Request, session: Session, group: OwnGroup, person: CurrentPerson, number: str
) -> Response:
    form = await read_form(request, HandOverForm)
    if not form.ok:
        return await _order_page(request, session, group, number, form, 422)
    work = await group_work.part_of(session, group, number)
    try:
        async with session.begin_nested():
            await _handed_over(session, work, form.values, person)
    except Refusal as refusal:
        form.refuse(refusal)
        return await _order_page(request, session, group, number, form, refusal.status)
    return see_other(request, "group_desk", slug=group.slug, flash=said(N_("Handed over. It now counts as earned.")))


@router.post("/orders/{number}/tracking", name="group_tracking")
async def group_tracking(
    request: Request, session: Session, group: OwnGroup, person: CurrentPerson, number: str
) -> Response:
    form = await read_form(request, HandOverForm)
    work = await group_work.part_of(session, group, number)
    tracking = _tracking(form.values) if form.ok else None
    if tracking is None:
        form.error("tracking", N_("Please write the tracking number."))
        return await _order_page(request, session, group, number, form, 422)
    try:
        await hand_over.change_tracking(session, work.part.id, _by(person), tracking)
    except Refusal as refusal:
        form.refuse(refusal)
        return await _order_page(request, session, group, number, form, refusal.status)
    return see_other(request, "group_order", slug=group.slug, number=number, flash=said(N_("Tracking number kept.")))


async def _handed_over(session: AsyncSession, work: Work, values: HandOverForm, person: Person) -> None:
    is_parcel = not work.part.delivery_kind.is_pickup
    await hand_over.hand_over(session, work.part.id, _by(person), _tracking(values) if is_parcel else None)


def _tracking(values: HandOverForm) -> Tracking | None:
    return Tracking(carrier(values.carrier).code, values.tracking) if values.tracking else None


async def _order_page(
    request: Request, session: AsyncSession, group: Group, number: str, form: Form[Any], status: int = 200
) -> Response:
    work = await group_work.part_of(session, group, number)
    if work.shows_contact:
        trail.saw(request, Sight.buyer, about=work.order.number)
    events = await group_work.events_of(session, work)
    own = OrderView(work.order, [PartView(work.part, group.slug, group.phone, work.lines)], list(events))
    return page(
        request,
        "orders/group_order.html",
        status,
        group=group,
        work=work,
        contact_days=group_work.CONTACT_SHOWN.days,
        order=work.order,
        part=work.part,
        badge_of=timeline.part_badge(work.order, work.part, clock.now()),
        steps=timeline.steps(own),
        may_give_back=await giving_back.may_give_back(session, request.state.scope, work.part),
        is_live=work.part.ready_at is not None and work.part.is_open,
        carriers=carriers(),
        carrier=carrier,
        tracking_link=tracking_link,
        form=form,
    )


def _by(person: Person) -> Actor:
    return Actor(ActorKind.group, person)


def _refused(refusal: Refusal) -> Form[Any]:
    form: Form[Any] = Form.empty()
    form.refuse(refusal)
    return form
