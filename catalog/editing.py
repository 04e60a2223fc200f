"""The group's desk for what it offers: short pages, made for elders on phones.

The list comes first: a price or an amount is changed right in it, in two taps.  A listing's own page shows what it has
and leads to one short page for each part (`catalog.listing_details`, `catalog.photo_desk`).
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from app import money
from app.access import CurrentPerson, CurrentScope, Role
from app.database import Session
from app.errors import NotFound, Refusal
from app.forms import Baht, Form, Milli, read_form
from app.language import N_, Bilingual
from app.money import Satang
from app.pages import go, language_of, page, quantity, said, url
from app.people import Person
from catalog import listings, stall
from catalog.listings import Listing
from catalog.stall import Offer, Size
from producers.groups import EditedGroup, Group, OwnGroup

router = APIRouter(prefix="/desk/groups/{slug}/listings")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a listing, and the page where it is changed."""

    route: str
    title: str
    words: str


PARTS = (
    Part("listing_photos", N_("Photos"), N_("Add, put in order, describe")),
    Part("listing_words", N_("Name and description"), N_("In Thai and in English")),
    Part("listing_sizes", N_("Sizes and units"), N_("Units, weights, steps, other sizes or flavours")),
    Part("listing_details", N_("Category, season, storage"), N_("On which shelf it stands, and when")),
    Part("listing_certificates", N_("Certificates"), N_("Which of the group's are for this")),
)


class AmountsForm(BaseModel):
    """Price and amount of one variant, as they stand in the list."""

    variant: UUID
    price: Baht | None = None
    left: Milli | None = None
    seen_left: Milli = 0
    """What the form showed, in thousandths: somebody may have bought meanwhile."""


@router.get("")
async def group_listings(request: Request, session: Session, group: OwnGroup, scope: CurrentScope) -> Response:
    may_edit = group.id in scope.group_ids(Role.editor)
    return await _list_page(request, session, group, may_edit=may_edit)


@router.get("/{listing_slug}")
async def edit_listing(request: Request, session: Session, group: EditedGroup, listing_slug: str) -> Response:
    offer = await stall.offer_of(session, group, listing_slug)
    hints = list(stall.hints(offer))
    return desk_page(request, "listing", group, offer=offer, hints=hints, parts=PARTS, forms=_forms([offer]))


@router.post("/{listing_slug}/amounts")
async def take_amounts(
    request: Request, session: Session, group: EditedGroup, person: CurrentPerson, listing_slug: str
) -> Response:
    form = await read_form(request, AmountsForm)
    offer = await stall.offer_of(session, group, listing_slug)
    size = _size(offer, form)
    if form.ok and form.values.price is None and size.variant.price_satang:
        form.error("price", N_("Please write a price, or take it off sale."))
    if form.ok:
        try:
            async with session.begin_nested():
                await _set_amounts(session, offer.listing, size, form.values, by=person)
        except Refusal as refusal:
            form.refuse(refusal)
    if not form.ok:
        return await _list_page(request, session, group, may_edit=True, wrong=form, status=422)
    return _back(request, offer.listing, group, N_("Saved: %(name)s."))


@router.post("/{listing_slug}/sell")
async def sell_listing(
    request: Request, session: Session, group: EditedGroup, person: CurrentPerson, listing_slug: str
) -> Response:
    listing = await stall.own_listing(session, group, listing_slug)
    try:
        await listings.put_on_sale(session, listing, by=person)
    except Refusal as refusal:
        return _back(request, listing, group, refusal.message)
    return _back(request, listing, group, N_("%(name)s is on sale."))


@router.post("/{listing_slug}/pause")
async def pause_listing(
    request: Request, session: Session, group: EditedGroup, person: CurrentPerson, listing_slug: str
) -> Response:
    listing = await stall.own_listing(session, group, listing_slug)
    listings.pause(listing, by=person)
    return _back(request, listing, group, N_("%(name)s is resting. It comes back when you put it on sale again."))


def desk_page(request: Request, name: str, group: Group, status: int = 200, **context: Any) -> Response:
    """One of the desk's pages about goods."""
    return page(request, f"catalog/desk/{name}.html", status, group=group, tab="listings", **context)


def amount_fields(size: Size) -> dict[str, Any]:
    """Price and amount as a form shows them at first."""
    price = size.variant.price_satang
    return {
        "price": None if price is None else typed_baht(price),
        "left": quantity(size.left_milli),
        "seen_left": quantity(size.left_milli),
    }


def typed_baht(satang: Satang) -> str:
    """An amount as people type it: "1,250", "12.50"."""
    return money.baht(satang).removeprefix("฿")


async def _list_page(
    request: Request,
    session: Session,
    group: Group,
    *,
    may_edit: bool,
    wrong: Form[AmountsForm] | None = None,
    status: int = 200,
) -> Response:
    offers = await stall.stall_of(session, group)
    forms = _forms(offers) | ({wrong.raw("variant"): wrong} if wrong else {})
    return desk_page(request, "listings", group, status, offers=offers, forms=forms, may_edit=may_edit)


def _forms(offers: list[Offer]) -> dict[str, Form[AmountsForm]]:
    """A small form for each variant, by its id."""
    sizes = [size for offer in offers for size in offer.sizes]
    return {str(size.variant.id): Form.empty(**amount_fields(size)) for size in sizes}


def _size(offer: Offer, form: Form[AmountsForm]) -> Size:
    for size in offer.sizes:
        if str(size.variant.id) == form.raw("variant"):
            return size
    raise NotFound


async def _set_amounts(session: Session, listing: Listing, size: Size, typed: AmountsForm, *, by: Person) -> None:
    """Set what was changed in the form; what it shows unchanged is left alone, whoever bought meanwhile."""
    if typed.price != size.variant.price_satang:
        await listings.set_price(session, size.variant, typed.price, by=by)
    if typed.left is not None and typed.left != typed.seen_left:
        await stall.set_left(session, listing, size.variant, typed.left, seen_milli=typed.seen_left, by=by)


def _back(request: Request, listing: Listing, group: Group, words: str) -> Response:
    """To where the listing stands in the list."""
    name = Bilingual(listing.name_th, listing.name_en).reading(language_of(request))
    place = f"{url(request, 'group_listings', slug=group.slug)}#{listing.slug}"
    return go(request, place, flash=said(words, name=name))
