"""Staff of the network: groups that apply, certificates to look at, and coordinators to invite."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import mail
from app.access import Role, StaffScope, require_staff, whole_market
from app.database import Session
from app.errors import NotFound
from app.forms import Form, Line, Name, read_form
from app.language import N_, Language, translate
from app.pages import page, said, see_other, url
from app.people import Person
from app.settings import settings
from producers import centers, certificates, groups, members
from producers.groups import Group, GroupState

router = APIRouter(prefix="/staff", dependencies=[Depends(require_staff)])


class CloseForm(BaseModel):
    because: Annotated[Line, Field(min_length=3)]


class PlaceInviteForm(BaseModel):
    center_id: UUID | None = None
    """None invites to the network's staff."""
    hint: Name | None = None


@router.get("/groups")
async def staff_groups(request: Request, session: Session, state: GroupState = GroupState.applied) -> Response:
    rows = await groups.groups_in_state(session, state)
    return page(
        request,
        "producers/staff_groups.html",
        rows=rows,
        state=state,
        states=list(GroupState),
        state_words=groups.STATE_WORDS,
    )


@router.get("/groups/{slug}")
async def staff_group(request: Request, session: Session, slug: str) -> Response:
    return await _group_page(request, session, await _group(session, slug), Form[CloseForm].empty())


@router.post("/groups/{slug}/approve")
async def approve_group(request: Request, session: Session, staff: StaffScope, slug: str) -> Response:
    group, person = await _group(session, slug), _me(staff)
    if not group.is_approved:
        groups.approve(group, by=person)
        await _tell_applicant(request, session, group)
    return see_other(request, "staff_groups", flash=said(N_("The group can sell now. Its people have been told.")))


@router.post("/groups/{slug}/close")
async def close_group(request: Request, session: Session, staff: StaffScope, slug: str) -> Response:
    group = await _group(session, slug)
    form = await read_form(request, CloseForm)
    if not form.ok:
        return await _group_page(request, session, group, form, 422)
    groups.close(group, by=_me(staff), because=form.values.because)
    return see_other(request, "staff_groups", flash=said(N_("The group is off the market. Its people see the reason.")))


@router.post("/groups/{slug}/certificates/{certificate_id}/verify")
async def verify_certificate(
    request: Request, session: Session, staff: StaffScope, slug: str, certificate_id: UUID
) -> Response:
    group = await _group(session, slug)
    certificates.verify(await certificates.certificate_of(session, group.id, certificate_id), by=_me(staff))
    return see_other(request, "staff_group", slug=slug, flash=said(N_("Marked as seen by staff.")))


@router.get("/invite")
async def staff_invite(request: Request, session: Session) -> Response:
    return await _invite_page(request, session, Form[PlaceInviteForm].empty())


@router.post("/invite")
async def take_staff_invite(request: Request, session: Session, staff: StaffScope) -> Response:
    form = await read_form(request, PlaceInviteForm)
    known = {center.id: center for center in await centers.centers(session)}
    if not form.ok or (form.values.center_id and form.values.center_id not in known):
        form.error("center_id", N_("Please choose one of the options."))
        return await _invite_page(request, session, form, 422)
    center = known.get(form.values.center_id) if form.values.center_id else None
    role = Role.coordinator if center else Role.staff
    center_id = center.id if center else None
    token = members.invite(session, role, by=_me(staff), center_id=center_id, hint=form.values.hint)
    link = settings().address + url(request, "invitation", token=token)
    return page(request, "producers/staff_invited.html", link=link, center=center)


def _me(staff: StaffScope) -> Person:
    assert staff.person is not None
    return staff.person


async def _group(session: AsyncSession, slug: str) -> Group:
    group = await session.scalar(select(Group).where(whole_market("staff see all groups"), Group.slug == slug))
    if group is None:
        raise NotFound
    return group


async def _group_page(
    request: Request, session: Session, group: Group, form: Form[CloseForm], status: int = 200
) -> Response:
    return page(
        request,
        "producers/staff_group.html",
        status,
        group=group,
        form=form,
        center=next(center for center in await centers.centers(session) if center.id == group.center_id),
        members=await members.members_of(session, group.id),
        certificates=await certificates.certificates_of(session, group.id),
        state_words=groups.STATE_WORDS,
        role_words=members.ROLE_WORDS,
    )


async def _invite_page(request: Request, session: Session, form: Form[PlaceInviteForm], status: int = 200) -> Response:
    rows = await centers.centers(session)
    return page(request, "producers/staff_invite.html", status, form=form, centers=rows)


async def _tell_applicant(request: Request, session: Session, group: Group) -> None:
    applicant = await session.get(Person, group.applied_by) if group.applied_by else None
    if applicant is None or not applicant.email:
        return
    lang: Language = "en" if applicant.lang == "en" else "th"
    await mail.keep(
        session,
        to=applicant.email,
        lang=lang,
        subject=translate(lang, N_("%(group)s can sell now"), group=group.name_th),
        body=translate(
            lang,
            N_(
                "Good news: %(group)s is approved and has a page on the market.\n\n"
                "Add your first goods at your desk: %(address)s"
            ),
            group=group.name_th,
            address=settings().address + url(request, "group_about", slug=group.slug),
        ),
        about=f"group {group.id} approved",
    )
