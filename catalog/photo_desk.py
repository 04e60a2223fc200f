"""The group's desk, part "photos": add several, put them in order, describe them, take them away."""

from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from app.access import CurrentPerson
from app.database import Session
from app.errors import Refusal
from app.forms import Form, Line, read_form
from app.language import N_
from app.pages import go, said, url
from app.picture_checks import PictureRefused
from catalog import photos, stall
from catalog.editing import desk_page
from catalog.listings import Listing
from catalog.photos import MOST_PHOTOS, Original, Photo, PhotoState, Picture
from producers.groups import EditedGroup, Group

router = APIRouter(prefix="/desk/groups/{slug}/listings/{listing_slug}/photos")


class PhotosForm(BaseModel):
    """Only files."""


class ChangeForm(BaseModel):
    do: Literal["forward", "back", "remove"]


class AltForm(BaseModel):
    alt_th: Line | None = None
    alt_en: Line | None = None


@router.get("")
async def listing_photos(request: Request, session: Session, group: EditedGroup, listing_slug: str) -> Response:
    listing = await stall.own_listing(session, group, listing_slug)
    return await _photos_page(request, session, group, listing, Form.empty())


@router.post("")
async def take_listing_photos(
    request: Request, session: Session, group: EditedGroup, person: CurrentPerson, listing_slug: str
) -> Response:
    """What can be used is kept, also when other files of the same form are refused."""
    form = await read_form(request, PhotosForm)
    listing = await stall.own_listing(session, group, listing_slug)
    if not form.files("photos"):
        form.error("photos", N_("Please choose a photo first."))
    originals = await take_photos(form)
    try:
        for original in originals:
            await photos.add(session, group.id, original, listing_id=listing.id, by=person)
    except Refusal as refusal:
        form.refuse(refusal)
    if not form.ok:
        return await _photos_page(request, session, group, listing, form, 422)
    return _back(request, group, listing, N_("The photos are here. They show as soon as they are made ready."))


@router.post("/{photo_id}")
async def change_listing_photo(
    request: Request, session: Session, group: EditedGroup, listing_slug: str, photo_id: UUID
) -> Response:
    form = await read_form(request, ChangeForm)
    listing = await stall.own_listing(session, group, listing_slug)
    photo = await photos.photo_of(session, listing.id, photo_id)
    if not form.ok:
        return _back(request, group, listing)
    if form.values.do == "remove":
        await photos.remove(session, photo)
        return _back(request, group, listing, N_("The photo is removed."))
    await photos.move(session, photo, -1 if form.values.do == "forward" else +1)
    return _back(request, group, listing)


@router.post("/{photo_id}/words")
async def describe_listing_photo(
    request: Request, session: Session, group: EditedGroup, listing_slug: str, photo_id: UUID
) -> Response:
    form = await read_form(request, AltForm)
    listing = await stall.own_listing(session, group, listing_slug)
    photo = await photos.photo_of(session, listing.id, photo_id)
    if not form.ok:
        return await _photos_page(request, session, group, listing, form, 422, described=photo_id)
    photos.describe(photo, form.values.alt_th, form.values.alt_en)
    return _back(request, group, listing, N_("The words are kept."))


async def take_photos(form: Form[Any]) -> list[Original]:
    """Look at every photo that came and put it away; those that cannot be used are named beside the field."""
    originals: list[Original] = []
    for upload in form.files("photos"):
        try:
            originals.append(await photos.take_in(upload))
        except PictureRefused as refusal:
            form.refuse(refusal, "photos")
    return originals


async def _photos_page(
    request: Request,
    session: Session,
    group: Group,
    listing: Listing,
    form: Form[Any],
    status: int = 200,
    described: UUID | None = None,
) -> Response:
    rows = await photos.photos_of(session, listing.id)
    return desk_page(
        request,
        "photos",
        group,
        status,
        listing=listing,
        rows=[_row(photo, listing, form if photo.id == described else None) for photo in rows],
        is_waiting=any(photo.state == PhotoState.waiting for photo in rows),
        form=form,
        most=MOST_PHOTOS,
    )


def _row(photo: Photo, listing: Listing, wrong: Form[Any] | None) -> tuple[Picture, Form[Any]]:
    """A photo with the form of its description."""
    form = wrong or Form.empty(alt_th=photo.alt_th, alt_en=photo.alt_en)
    return photos.picture_of(photo, listing.name_th, listing.name_en), form


def _back(request: Request, group: Group, listing: Listing, words: str | None = None) -> Response:
    place = url(request, "listing_photos", slug=group.slug, listing_slug=listing.slug)
    return go(request, place, flash=said(words) if words else None)
