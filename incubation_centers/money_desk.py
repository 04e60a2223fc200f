"""The coordinator's desk, part money: slips of what was paid to the centre, and the account it is paid to."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app import files, trail
from app.access import CurrentPerson, CurrentScope, Scope
from app.database import Session
from app.errors import NotFound
from app.forms import Baht, Form, Line, Name, PromptPayId, read_form
from app.language import N_
from app.money import baht
from app.pages import said, see_other
from app.trail import Sight
from incubation_centers import center_slips
from incubation_centers.desk import desk_page
from incubation_centers.own_center import OwnCenter
from orders import slips
from orders.slips import WaitingSlip
from orders.states import Actor, ActorKind
from producers import centers
from producers.centers import Center

router = APIRouter(prefix="/desk/centers/{slug}")

PRIVATE_PICTURE: Final = {
    "Cache-Control": "private, max-age=3600",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
}


class AcceptForm(BaseModel):
    satang: Annotated[Baht, Field(gt=0)]


class RefuseForm(BaseModel):
    reason: Line


class AccountForm(BaseModel):
    promptpay_id: PromptPayId | None = None
    promptpay_name: Name | None = None


@router.get("/slips", name="center_slips")
async def show_slips(request: Request, session: Session, scope: CurrentScope, center: OwnCenter) -> Response:
    found = await center_slips.waiting(session, scope, center)
    return await desk_page(request, session, scope, center, "slips", waiting=found)


@router.get("/slips/{slip_id}", name="center_slip")
async def show_slip(
    request: Request, session: Session, scope: CurrentScope, center: OwnCenter, slip_id: UUID
) -> Response:
    found = await _own_slip(session, scope, center, slip_id)
    form: Form[AcceptForm] = Form.empty(satang=baht(found.order.due_satang).removeprefix("฿"))
    return await _slip_page(request, session, scope, center, found, form)


@router.get("/slips/{slip_id}/picture", name="center_slip_picture")
async def slip_picture(
    request: Request, session: Session, scope: CurrentScope, center: OwnCenter, slip_id: UUID
) -> Response:
    found = await _own_slip(session, scope, center, slip_id)
    slip = found.slip
    trail.saw(request, Sight.slip, about=found.order.number)
    return Response(await files.get(slip.file_key), media_type=slip.content_type, headers=PRIVATE_PICTURE)


@router.post("/slips/{slip_id}/accept", name="accept_center_slip")
async def accept(
    request: Request,
    session: Session,
    scope: CurrentScope,
    person: CurrentPerson,
    center: OwnCenter,
    slip_id: UUID,
) -> Response:
    """The money arrived: so much of it."""
    found = await _own_slip(session, scope, center, slip_id)
    form = await read_form(request, AcceptForm)
    if not form.ok:
        return await _slip_page(request, session, scope, center, found, form, 422)
    by = Actor(ActorKind.center, person)
    order = (await slips.accept_slip(session, scope, slip_id, form.values.satang, by)).order
    done = said(N_("Order %(number)s: %(amount)s confirmed."), number=order.number, amount=baht(form.values.satang))
    return see_other(request, "center_slips", slug=center.slug, flash=done)


@router.post("/slips/{slip_id}/refuse", name="refuse_center_slip")
async def refuse(
    request: Request,
    session: Session,
    scope: CurrentScope,
    person: CurrentPerson,
    center: OwnCenter,
    slip_id: UUID,
) -> Response:
    """The money did not arrive, or the picture is no slip; the buyer reads the reason."""
    found = await _own_slip(session, scope, center, slip_id)
    form = await read_form(request, RefuseForm)
    if not form.ok:
        return await _slip_page(request, session, scope, center, found, form, 422)
    by = Actor(ActorKind.center, person)
    order = (await slips.refuse_slip(session, scope, slip_id, form.values.reason, by)).order
    told = said(N_("Order %(number)s: the buyer has been told."), number=order.number)
    return see_other(request, "center_slips", slug=center.slug, flash=told)


@router.get("/account", name="center_account")
async def show_account(request: Request, session: Session, scope: CurrentScope, center: OwnCenter) -> Response:
    form: Form[AccountForm] = Form.empty(promptpay_id=center.promptpay_id, promptpay_name=center.promptpay_name)
    return await desk_page(request, session, scope, center, "account", form=form)


@router.post("/account", name="take_center_account")
async def take_account(
    request: Request, session: Session, scope: CurrentScope, person: CurrentPerson, center: OwnCenter
) -> Response:
    form = await read_form(request, AccountForm)
    if form.ok and form.values.promptpay_id and not form.values.promptpay_name:
        form.error("promptpay_name", N_("Write the account name, so that buyers see they pay the right people."))
    if not form.ok:
        return await desk_page(request, session, scope, center, "account", 422, form=form)
    centers.set_promptpay(center, form.values.promptpay_id, form.values.promptpay_name, by=person)
    return see_other(request, "center_account", slug=center.slug, flash=said(N_("The account is kept.")))


async def _own_slip(session: AsyncSession, scope: Scope, center: Center, slip_id: UUID) -> WaitingSlip:
    """A slip of this very centre; refuses others with `NotFound`, also to staff who may judge them elsewhere."""
    found = await slips.slip_for(session, scope, slip_id)
    if found.order.receiver_id != center.id:
        raise NotFound
    return found


async def _slip_page(
    request: Request,
    session: AsyncSession,
    scope: Scope,
    center: Center,
    found: WaitingSlip,
    form: Form[Any],
    status: int = 200,
) -> Response:
    context = {"slip": found.slip, "order": found.order, "form": form}
    return await desk_page(request, session, scope, center, "slip", status, **context)
