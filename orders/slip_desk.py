"""Judging transfer slips: the picture large, what its code said, and beside it what the order costs.

The same page serves the market's staff, a centre's coordinators and a group's owners: each sees the slips of money that
goes to an account they answer for.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy.ext.asyncio import AsyncSession

from app import files, trail
from app.access import CurrentPerson, CurrentScope, Scope, StaffScope
from app.database import Session, session_scope
from app.errors import Refusal
from app.files import NoSuchFile
from app.forms import Baht, Form, Line, read_form
from app.language import N_, Message
from app.money import baht
from app.pages import go, is_own_path, page, said, url
from app.people import Person
from app.trail import Sight
from orders import slips
from orders.order import Order
from orders.states import Actor, ActorKind, OrderState, ReceiverKind

router = APIRouter()

REASONS = (
    N_("The money has not arrived in our account yet."),
    N_("The amount is not the one of this order."),
    N_("The money went to another account."),
    N_("This picture is not a transfer slip."),
)


class AcceptForm(BaseModel):
    amount: Annotated[Baht, Field(gt=0)]
    back: str = ""


class RefuseForm(BaseModel):
    reason: Annotated[Line, StringConstraints(min_length=3)]
    back: str = ""


@router.get("/staff/slips", name="staff_slips")
async def staff_slips(request: Request, session: Session, staff: StaffScope) -> Response:
    return await _page(request, session, staff)


@router.get("/desk/slips", name="slips")
async def own_slips(request: Request, session: Session, scope: CurrentScope, _person: CurrentPerson) -> Response:
    return await _page(request, session, scope)


@router.get("/desk/slips/{slip_id}/picture", name="slip_picture")
async def slip_picture(request: Request, scope: CurrentScope, _person: CurrentPerson, slip_id: UUID) -> Response:
    """The picture, for whoever may judge it; nobody else learns that there is one."""
    async with session_scope() as session:
        found = await slips.slip_for(session, scope, slip_id)
    slip = found.slip
    if slip.picture_gone_at:
        raise NoSuchFile
    trail.saw(request, Sight.slip, about=found.order.number)
    return Response(
        await files.get(slip.file_key),
        media_type=slip.content_type,
        headers={"Cache-Control": "private, max-age=600", "Content-Security-Policy": "default-src 'none'; sandbox"},
    )


@router.post("/desk/slips/{slip_id}/accept", name="accept_slip")
async def accept_slip(
    request: Request, session: Session, scope: CurrentScope, person: CurrentPerson, slip_id: UUID
) -> Response:
    form = await read_form(request, AcceptForm)
    found = await slips.slip_for(session, scope, slip_id)
    if not form.ok:
        return await _page(request, session, scope, form, slip_id)
    by = _by(scope, person, found.order)
    try:
        async with session.begin_nested():
            judged = await slips.accept_slip(session, scope, slip_id, form.values.amount, by)
    except Refusal as refusal:
        form.refuse(refusal)
        return await _page(request, session, scope, form, slip_id)
    return _back(request, scope, form.values.back, _outcome(judged.order))


@router.post("/desk/slips/{slip_id}/refuse", name="refuse_slip")
async def refuse_slip(
    request: Request, session: Session, scope: CurrentScope, person: CurrentPerson, slip_id: UUID
) -> Response:
    form = await read_form(request, RefuseForm)
    found = await slips.slip_for(session, scope, slip_id)
    if not form.ok:
        return await _page(request, session, scope, form, slip_id)
    try:
        async with session.begin_nested():
            await slips.refuse_slip(session, scope, slip_id, form.values.reason, _by(scope, person, found.order))
    except Refusal as refusal:
        form.refuse(refusal)
        return await _page(request, session, scope, form, slip_id)
    return _back(request, scope, form.values.back, said(N_("The buyer has been told why, and can send another slip.")))


async def _page(
    request: Request,
    session: AsyncSession,
    scope: Scope,
    form: Form[AcceptForm] | Form[RefuseForm] | None = None,
    about: UUID | None = None,
) -> Response:
    """`form` is what was typed about one slip, with what is wrong with it."""
    waiting = await slips.waiting(session, scope)
    if waiting:
        trail.saw(request, Sight.buyer, about=[each.order.number for each in waiting])
    return page(
        request,
        "orders/slips.html",
        422 if form else 200,
        waiting=waiting,
        form=form or Form[AcceptForm].empty(),
        empty_form=Form[AcceptForm].empty(),
        about=about,
        reasons=REASONS,
        back=request.url.path if request.method == "GET" else (form.raw("back") if form else ""),
    )


def _outcome(order: Order) -> Message:
    """What became of the money."""
    if order.state in {OrderState.paid, OrderState.done} and order.returned_satang == 0:
        return said(N_("Confirmed. Order %(number)s is paid; the groups have been told."), number=order.spoken_number)
    if order.state == OrderState.placed:
        return said(
            N_("Noted. Order %(number)s still lacks %(due)s; the buyer has been told."),
            number=order.spoken_number,
            due=baht(order.due_satang),
        )
    return said(
        N_("Noted for order %(number)s. Something has to be paid back: see the refunds."), number=order.spoken_number
    )


def _by(scope: Scope, person: Person, order: Order) -> Actor:
    if order.receiver_kind == ReceiverKind.group and order.receiver_id in scope.roles:
        return Actor(ActorKind.group, person)
    if order.receiver_kind == ReceiverKind.center and order.receiver_id in scope.centers:
        return Actor(ActorKind.center, person)
    return Actor(ActorKind.staff, person)


def _back(request: Request, scope: Scope, path: str, message: Message) -> Response:
    home = url(request, "staff_slips" if scope.is_staff else "slips")
    return go(request, path if path and is_own_path(path) else home, flash=message)
