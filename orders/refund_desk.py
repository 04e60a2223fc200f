"""Paying money back: the tasks, and the button for whoever has done one.

Staff see all of them; a group or a centre that took the money itself sees what it has to pay back.
"""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from app import trail
from app.access import CurrentPerson, CurrentScope, Scope, StaffScope
from app.database import Session
from app.forms import Form, Line, read_form
from app.language import N_
from app.pages import page, said, see_other
from app.trail import Sight
from orders import refunds
from orders.states import at_desk

router = APIRouter()


class DoneForm(BaseModel):
    note: Line | None = None


@router.get("/staff/refunds", name="staff_refunds")
async def staff_refunds(request: Request, session: Session, staff: StaffScope) -> Response:
    return await tasks_page(request, session, staff)


@router.get("/desk/refunds", name="refunds")
async def own_refunds(request: Request, session: Session, scope: CurrentScope, _person: CurrentPerson) -> Response:
    return await tasks_page(request, session, scope)


@router.post("/desk/refunds/{task_id}/done", name="finish_refund")
async def finish_refund(
    request: Request, session: Session, scope: CurrentScope, person: CurrentPerson, task_id: UUID
) -> Response:
    form = await read_form(request, DoneForm)
    note = form.values.note if form.ok else None
    await refunds.finish(session, scope, task_id, at_desk(scope, person), note)
    where = "staff_refunds" if scope.is_staff else "refunds"
    return see_other(request, where, flash=said(N_("Paid back. The buyer has been told.")))


async def tasks_page(
    request: Request, session: AsyncSession, scope: Scope, form: Form[Any] | None = None, status: int = 200
) -> Response:
    """`form` asks for an order of which something is to be given back."""
    tasks, done = await refunds.open_tasks(session, scope), await refunds.done_lately(session, scope)
    pending = await refunds.pending_tasks(session, scope)
    if shown := [order.number for _, order in (*tasks, *pending, *done)]:
        trail.saw(request, Sight.account, about=shown)
    context = {"tasks": tasks, "pending": pending, "done": done, "form": form or Form[DoneForm].empty()}
    return page(request, "orders/refunds.html", status, **context)
