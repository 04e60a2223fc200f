"""The page on which whoever holds a buyer's money gives some of it back: staff, a centre's coordinators, a group's owner."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, StringConstraints, TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock, trail
from app.access import CurrentPerson, CurrentScope, Scope
from app.database import Session
from app.errors import NotFound, Refusal
from app.forms import Baht, Form, Line, Milli, read_form
from app.language import N_
from app.pages import page, said, see_other
from app.trail import Sight
from orders import giving_back, order, refund_desk, timeline
from orders.giving_back import Wish
from orders.order import PartView
from orders.states import Actor, ActorKind

router = APIRouter(prefix="/desk/give-back")

LABELS = {"reason": N_("Reason"), "satang": N_("Amount")}
_MILLI: TypeAdapter[int] = TypeAdapter(Milli)


class FindForm(BaseModel):
    number: Annotated[str, StringConstraints(max_length=40)]


class GiveBackForm(BaseModel):
    reason: Annotated[Line, StringConstraints(min_length=3)]
    satang: Baht | None = None
    delivery: str = ""
    back_on_sale: str = ""
    seen_off_satang: int


@router.post("", name="find_to_give_back")
async def find(request: Request, session: Session, scope: CurrentScope, _person: CurrentPerson) -> Response:
    form = await read_form(request, FindForm)
    if form.ok:
        try:
            found = await order.by_number(session, form.values.number)
            await giving_back.parts_for(session, scope, found.id)
            return see_other(request, "give_back", number=found.number)
        except NotFound:
            form.error("number", N_("There is no order with this number."))
    return await refund_desk.tasks_page(request, session, scope, form, 422)


@router.get("/orders/{number}", name="give_back")
async def show(
    request: Request, session: Session, scope: CurrentScope, _person: CurrentPerson, number: str
) -> Response:
    return await _page(request, session, scope, number)


@router.post("/orders/{number}/parts/{part_id}", name="take_give_back")
async def take(
    request: Request, session: Session, scope: CurrentScope, person: CurrentPerson, number: str, part_id: UUID
) -> Response:
    form = await read_form(request, GiveBackForm)
    view = next((view for view in await _views(session, scope, number) if view.part.id == part_id), None)
    if view is None:
        raise NotFound
    lines = _lines(form, view)
    if form.ok:
        try:
            async with session.begin_nested():
                await giving_back.give_back(
                    session, scope, part_id, _wish(form.values, lines), _by(scope, person, view)
                )
            flash = said(N_("Given back. The buyer and the group have been told."))
            return see_other(request, "give_back", number=number, flash=flash)
        except Refusal as refusal:
            form.refuse(refusal)
    return await _page(request, session, scope, number, form, part_id)


def _lines(form: Form[GiveBackForm], view: PartView) -> dict[UUID, int]:
    """Read how much of each line was typed, in thousandths of its unit."""
    amounts: dict[UUID, int] = {}
    for line in view.lines:
        name = f"line-{line.id}"
        try:
            if typed := form.raw(name).strip():
                amounts[line.id] = _MILLI.validate_python(typed)
        except ValidationError:
            form.error(name, N_("Please write an amount, such as 3 or 0.5."))
    return amounts


def _wish(values: GiveBackForm, lines: dict[UUID, int]) -> Wish:
    return Wish(
        reason=values.reason,
        lines=lines,
        delivery=bool(values.delivery),
        satang=values.satang or 0,
        back_on_sale=bool(values.back_on_sale),
        seen_off_satang=values.seen_off_satang,
    )


def _by(scope: Scope, person: CurrentPerson, view: PartView) -> Actor:
    if scope.is_staff:
        return Actor(ActorKind.staff, person)
    return Actor(ActorKind.center if view.part.center_id in scope.centers else ActorKind.group, person)


async def _views(session: AsyncSession, scope: Scope, number: str) -> list[PartView]:
    """The parts that this person may give back of; refuses with `NotFound` when there is none."""
    found = await order.by_number(session, number)
    allowed = await giving_back.parts_for(session, scope, found.id)
    return [view for view in (await order.view(session, found)).parts if view.part.id in allowed]


async def _page(
    request: Request,
    session: AsyncSession,
    scope: Scope,
    number: str,
    form: Form[Any] | None = None,
    about: UUID | None = None,
) -> Response:
    """`form` is what was typed about one part, with what is wrong with it."""
    now, found = clock.now(), await order.by_number(session, number)
    views = await _views(session, scope, number)
    trail.saw(request, Sight.order, about=found.number)
    return page(
        request,
        "orders/give_back.html",
        422 if form else 200,
        order=found,
        views=views,
        part_badges={view.part.id: timeline.part_badge(found, view.part, now) for view in views},
        form=form,
        empty_form=Form[GiveBackForm].empty(),
        about=about,
        labels=LABELS,
    )
