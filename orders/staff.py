"""The staff's desk: what waits for a person of the network: money to pay back, slips, jobs that failed, groups."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, StringConstraints
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock, jobs, mail, trail
from app.access import CurrentPerson, StaffScope, require_staff, whole_market
from app.database import Session
from app.errors import NotFound, Refusal
from app.forms import Form, Line, read_form
from app.language import N_
from app.pages import page, said, see_other
from app.people import Person
from app.trail import Sight
from orders import cancellation, order, payments, provider_events, refunds, slips, timeline
from orders.states import Actor, ActorKind
from producers.groups import Group, GroupState

router = APIRouter(prefix="/staff", dependencies=[Depends(require_staff)])


class ReasonForm(BaseModel):
    reason: Annotated[Line, StringConstraints(min_length=3)]


class FindForm(BaseModel):
    number: Annotated[str, StringConstraints(max_length=40)]


@router.get("", name="staff_home")
async def staff_home(request: Request, session: Session, staff: StaffScope) -> Response:
    return await _home(request, session, staff, Form[FindForm].empty())


@router.post("/orders", name="staff_find_order")
async def staff_find_order(request: Request, session: Session, staff: StaffScope) -> Response:
    form = await read_form(request, FindForm)
    if form.ok:
        try:
            found = await order.by_number(session, form.values.number)
            return see_other(request, "staff_order", number=found.number)
        except NotFound:
            form.error("number", N_("There is no order with this number."))
    return await _home(request, session, staff, form, 422)


@router.get("/orders/{number}", name="staff_order")
async def staff_order(request: Request, session: Session, number: str) -> Response:
    return await _order_page(request, session, number, Form[ReasonForm].empty())


@router.post("/orders/{number}/cancel", name="staff_cancel_order")
async def staff_cancel_order(request: Request, session: Session, person: CurrentPerson, number: str) -> Response:
    form = await read_form(request, ReasonForm)
    found = await order.by_number(session, number)
    if form.ok:
        try:
            async with session.begin_nested():
                await cancellation.cancel(session, found, _by(person), form.values.reason)
            return see_other(request, "staff_order", number=found.number, flash=said(N_("The order is cancelled.")))
        except Refusal as refusal:
            form.refuse(refusal)
    return await _order_page(request, session, number, form, 422)


@router.post("/orders/{number}/parts/{part_id}/cancel", name="staff_cancel_part")
async def staff_cancel_part(
    request: Request, session: Session, person: CurrentPerson, number: str, part_id: UUID
) -> Response:
    form = await read_form(request, ReasonForm)
    found = await order.by_number(session, number)
    if part_id not in {part.id for part in await order.parts_of(session, found.id)}:
        raise NotFound
    if form.ok:
        try:
            async with session.begin_nested():
                await cancellation.cancel_part(session, part_id, _by(person), form.values.reason)
            flash = said(N_("This part is taken out of the order."))
            return see_other(request, "staff_order", number=found.number, flash=flash)
        except Refusal as refusal:
            form.refuse(refusal)
    return await _order_page(request, session, number, form, 422)


@router.get("/jobs", name="staff_jobs")
async def staff_jobs(request: Request, session: Session) -> Response:
    return page(
        request,
        "orders/jobs.html",
        failed=await jobs.failed(session),
        waiting=await jobs.waiting_count(session),
    )


@router.post("/jobs/{job_id}/retry", name="retry_job")
async def retry_job(request: Request, session: Session, job_id: UUID) -> Response:
    await jobs.retry(session, job_id)
    return see_other(request, "staff_jobs", flash=said(N_("It is being tried again.")))


@router.get("/notices", name="staff_notices")
async def staff_notices(request: Request, session: Session, about: str | None = None) -> Response:
    number = order.only_digits(about) if about else None
    trail.saw(request, Sight.notices, about=number or [])
    return page(request, "orders/notices.html", notices=await mail.recent(session, about=number or None), about=number)


async def _home(
    request: Request, session: AsyncSession, staff: StaffScope, form: Form[FindForm], status: int = 200
) -> Response:
    applied = select(func.count()).where(whole_market("staff see all groups"), Group.state == GroupState.applied)
    return page(
        request,
        "orders/staff_home.html",
        status,
        slips_waiting=await slips.waiting_count(session, staff),
        refunds_open=await refunds.open_count(session),
        jobs_failed=len(await jobs.failed(session)),
        events_unworked=await provider_events.unworked_count(session),
        groups_applied=await session.scalar(applied) or 0,
        form=form,
    )


async def _order_page(
    request: Request, session: AsyncSession, number: str, form: Form[ReasonForm], status: int = 200
) -> Response:
    now = clock.now()
    found = await order.by_number(session, number)
    trail.saw(request, Sight.order, about=found.number)
    shown = await order.view(session, found)
    return page(
        request,
        "orders/staff_order.html",
        status,
        order=found,
        shown=shown,
        badge_of=timeline.order_badge(found, now),
        part_badges={view.part.id: timeline.part_badge(found, view.part, now) for view in shown.parts},
        steps=timeline.steps(shown),
        slips=await slips.of_order(session, found.id),
        payments=await payments.of_order(session, found.id),
        refunds=await refunds.of_order(session, found.id),
        form=form,
    )


def _by(person: Person) -> Actor:
    return Actor(ActorKind.staff, person)
