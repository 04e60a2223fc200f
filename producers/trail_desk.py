"""The trail, read: by a group's owners what was done on their own desk, by staff what was done on all of them."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import people, trail
from app.access import StaffScope, whole_market
from app.database import Session
from app.forms import Day, Form, query_form
from app.language import N_
from app.pages import page, url
from app.trail import Question, Sight
from producers import trail_words
from producers.groups import Group, OwnedGroup

router = APIRouter()


class TrailForm(BaseModel):
    person: str | None = None
    """E-mail or phone."""
    group: str | None = None
    """Slug, as in the group's address."""
    day: Day | None = None


@router.get("/desk/groups/{slug}/trail", name="group_trail")  # noqa: FAST003 - `OwnedGroup` reads it
async def group_trail(request: Request, session: Session, group: OwnedGroup, before: UUID | None = None) -> Response:
    trail.saw(request, Sight.trail)
    told, following = await trail.find(session, Question(group_id=group.id, only_granted=True), before=before)
    return page(
        request,
        "producers/group_trail.html",
        group=group,
        told=told,
        words=trail_words,
        more=url(request, "group_trail", slug=group.slug, before=following) if following else None,
    )


@router.get("/staff/trail", name="staff_trail")
async def staff_trail(request: Request, session: Session, _staff: StaffScope, before: UUID | None = None) -> Response:
    form = query_form(request, TrailForm)
    asked = await _asked(session, form) if form.ok else Question()
    trail.saw(request, Sight.trail)
    told, following = await trail.find(session, asked, before=before) if form.ok else ([], None)
    typed = {name: form.raw(name) or None for name in TrailForm.model_fields}
    return page(
        request,
        "producers/staff_trail.html",
        200 if form.ok else 422,
        form=form,
        told=told,
        words=trail_words,
        more=url(request, "staff_trail", **typed, before=following) if following else None,
    )


async def _asked(session: AsyncSession, form: Form[TrailForm]) -> Question:
    """What staff want to know; who or what does not exist stands on the form."""
    values = form.values
    person = await people.by_email_or_phone(session, values.person) if values.person else None
    group_id = await _group_id(session, values.group) if values.group else None
    if values.person and person is None:
        form.error("person", N_("We know nobody with this e-mail or phone."))
    if values.group and group_id is None:
        form.error("group", N_("There is no group with this address."))
    return Question(group_id=group_id, person_id=person.id if person else None, day=values.day)


async def _group_id(session: AsyncSession, slug: str) -> UUID | None:
    every = whole_market("staff look after every group")
    found: UUID | None = await session.scalar(select(Group.id).where(every, Group.slug == slug))
    return found
