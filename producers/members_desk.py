"""The group's desk, part "our people": members, roles, invitations by link."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, BaseModel

from app.access import GROUP_ROLES, CurrentPerson, Role
from app.database import Session
from app.errors import Refusal
from app.forms import Form, Name, read_form, wrong
from app.language import N_
from app.pages import page, said, see_other, url
from app.settings import settings
from producers import members
from producers.groups import Group, OwnedGroup, OwnGroup

router = APIRouter(prefix="/desk/groups/{slug}/members")

ROLES: Final[dict[str, Any]] = {"role_words": members.ROLE_WORDS, "role_duties": members.ROLE_DUTIES}


def _of_a_group(role: Role) -> Role:
    if role not in GROUP_ROLES:
        raise wrong("role", N_("Please choose one of the options."))
    return role


GroupRole = Annotated[Role, AfterValidator(_of_a_group)]


class InviteForm(BaseModel):
    role: GroupRole
    hint: Name | None = None


class RoleForm(BaseModel):
    role: GroupRole


@router.get("")
async def group_members(request: Request, session: Session, group: OwnGroup) -> Response:
    return await _members_page(request, session, group)


@router.get("/invite")
async def invite_member(request: Request, group: OwnedGroup) -> Response:
    form: Form[InviteForm] = Form.empty(role=Role.packer)
    return page(request, "producers/invite.html", group=group, form=form, **ROLES)


@router.post("/invite")
async def take_invite_member(request: Request, session: Session, group: OwnedGroup, person: CurrentPerson) -> Response:
    form = await read_form(request, InviteForm)
    if not form.ok:
        return page(request, "producers/invite.html", 422, group=group, form=form, **ROLES)
    token = members.invite(session, form.values.role, by=person, group_id=group.id, hint=form.values.hint)
    link = settings().address + url(request, "invitation", token=token)
    return page(request, "producers/invited.html", group=group, link=link, role=form.values.role, **ROLES)


@router.post("/invitations/{invitation_id}/take-back")
async def take_back_invitation(
    request: Request, session: Session, group: OwnedGroup, person: CurrentPerson, invitation_id: UUID
) -> Response:
    await members.take_back(session, group.id, invitation_id, by=person)
    return _to_members(request, group, N_("The invitation no longer works."))


@router.post("/{person_id}/role")
async def change_member_role(request: Request, session: Session, group: OwnedGroup, person_id: UUID) -> Response:
    form = await read_form(request, RoleForm)
    if not form.ok:
        return await _members_page(request, session, group, form, 422)
    try:
        await members.change_role(session, group.id, person_id, form.values.role)
    except members.LastOwner as refusal:
        form.refuse(refusal)
        return await _members_page(request, session, group, form, 409)
    return _to_members(request, group, N_("The new role is kept."))


@router.post("/{person_id}/end")
async def end_member(
    request: Request, session: Session, group: OwnedGroup, person: CurrentPerson, person_id: UUID
) -> Response:
    try:
        await members.end_membership(session, group.id, person_id)
    except Refusal as refusal:
        form: Form[RoleForm] = Form.empty()
        form.refuse(refusal)
        return await _members_page(request, session, group, form, refusal.status)
    if person_id == person.id:
        return see_other(request, "account", flash=said(N_("You have left the group. Thank you for your work.")))
    return _to_members(request, group, N_("This person no longer sees your desk."))


async def _members_page(
    request: Request, session: Session, group: Group, form: Form[RoleForm] | None = None, status: int = 200
) -> Response:
    return page(
        request,
        "producers/members.html",
        status,
        group=group,
        members=await members.members_of(session, group.id),
        invitations=await members.open_invitations(session, group.id),
        form=form or Form[RoleForm].empty(),
        **ROLES,
    )


def _to_members(request: Request, group: Group, message: str) -> Response:
    return see_other(request, "group_members", slug=group.slug, flash=said(message))
