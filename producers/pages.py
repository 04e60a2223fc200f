"""Pages before a desk: applying to sell, following an invitation, and the cloths of the groups."""

import re
from functools import lru_cache
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from app.access import CurrentPerson, CurrentScope
from app.address import AddressFields, choices_for, chosen_place
from app.database import Session
from app.errors import NotFound, Refusal
from app.forms import Form, Name, Paragraphs, Phone, read_form
from app.language import N_
from app.pages import page, said, see_other
from producers import centers, groups, members
from producers.cloth import Kind, cloth_svg
from producers.clusters import Cluster

router = APIRouter()

FOREVER: Final = "public, max-age=31536000, immutable"


class ApplyForm(AddressFields):
    name_th: Name
    name_en: Name | None = None
    story_th: Paragraphs
    cluster: Cluster
    center_id: UUID
    phone: Phone


@router.get("/apply")
async def apply(request: Request, session: Session, scope: CurrentScope) -> Response:
    phone = scope.person.phone if scope.person else None
    return await _apply_page(request, session, Form.empty(phone=phone))


@router.post("/apply")
async def take_apply(request: Request, session: Session, person: CurrentPerson) -> Response:
    form = await read_form(request, ApplyForm)
    place = chosen_place(form)
    await _refuse_unknown_center(session, form)
    if form.ok and place:
        try:
            values = form.values
            group = await groups.apply_to_sell(
                session,
                person,
                name_th=values.name_th,
                name_en=values.name_en,
                story_th=values.story_th,
                cluster=values.cluster,
                center_id=values.center_id,
                place=place,
                phone=values.phone,
                address_line=values.address_line,
            )
            thanks = said(N_("Thank you. We will look at it soon. Meanwhile you can get your desk ready."))
            return see_other(request, "group_about", slug=group.slug, flash=thanks)
        except Refusal as refusal:
            form.refuse(refusal)
    return await _apply_page(request, session, form, 422)


@router.get("/invitations/{token}")
async def invitation(request: Request, session: Session, token: str) -> Response:
    return page(
        request,
        "producers/invitation.html",
        found=await members.invited(session, token),
        token=token,
        role_words=members.ROLE_WORDS,
        role_duties=members.ROLE_DUTIES,
    )


@router.post("/invitations/{token}")
async def take_invitation(request: Request, session: Session, person: CurrentPerson, token: str) -> Response:
    found = await members.accept(session, token, person)
    welcome = said(N_("Welcome! You are in."))
    if found.group:
        return see_other(request, "group_about", slug=found.group.slug, flash=welcome)
    return see_other(request, "desk", flash=welcome)


@router.get("/cloth/{slug}.svg")
async def cloth(slug: str, kind: Kind = "card") -> Response:
    """The group's cloth; it follows from the slug alone, so it may be kept for ever."""
    if not re.fullmatch(r"[a-z0-9-]{1,80}", slug):
        raise NotFound
    return Response(_woven(slug, kind), media_type="image/svg+xml", headers={"Cache-Control": FOREVER})


@lru_cache(maxsize=512)
def _woven(slug: str, kind: Kind) -> str:
    return cloth_svg(slug, kind=kind)


async def _refuse_unknown_center(session: Session, form: Form[ApplyForm]) -> None:
    if form.ok and form.values.center_id not in {center.id for center in await centers.centers(session)}:
        form.error("center_id", N_("Please choose one of the options."))


async def _apply_page(request: Request, session: Session, form: Form[ApplyForm], status: int = 200) -> Response:
    return page(
        request,
        "producers/apply.html",
        status,
        form=form,
        choices=choices_for(form),
        centers=await centers.centers(session),
        clusters=list(Cluster),
    )
