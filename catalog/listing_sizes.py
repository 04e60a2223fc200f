"""The group's desk, part of a listing: the sizes in which it is sold, each with unit, price, weight and steps."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from app.access import CurrentPerson
from app.database import Session
from app.errors import NotFound, Refusal
from app.forms import Baht, Form, Grams, Milli, read_form
from app.language import N_
from app.pages import go, quantity, said, url
from catalog import stall, units, wares
from catalog.editing import desk_page, typed_baht
from catalog.listings import MILLI, Listing, Variant
from catalog.stall import Offer
from catalog.wares import Terms
from producers.groups import EditedGroup, Group

router = APIRouter(prefix="/desk/groups/{slug}/listings/{listing_slug}/sizes")

HEAVIEST_G = 100_000

Words = Annotated[str, StringConstraints(max_length=60)]
Steps = Annotated[Milli, Field(gt=0)]


class SizeForm(BaseModel):
    unit_th: Words
    unit_en: Words | None = None
    price: Baht | None = None
    weight_g: Annotated[Grams, Field(gt=0, le=HEAVIEST_G)] | None = None
    label_th: Words | None = None
    label_en: Words | None = None
    step: Steps = MILLI
    least: Steps | None = None

    def terms(self) -> Terms:
        """What was typed, with the weight and the English of the unit where its name tells them."""
        return Terms(
            unit_th=self.unit_th,
            unit_en=self.unit_en or units.english(self.unit_th),
            price_satang=self.price,
            net_weight_g=self.weight_g or units.weight_g(self.unit_th),
            label_th=self.label_th,
            label_en=self.label_en,
            step_milli=self.step,
            least_milli=self.least,
        )


class NewSizeForm(SizeForm):
    left: Milli


FIELDS = {"price_satang": "price", "least_milli": "least", "step_milli": "step", "net_weight_g": "weight_g"}
"""Where this page asks for what a verb names."""


@router.get("")
async def listing_sizes(request: Request, session: Session, group: EditedGroup, listing_slug: str) -> Response:
    return _sizes_page(request, group, await stall.offer_of(session, group, listing_slug))


@router.post("")
async def take_new_size(
    request: Request, session: Session, group: EditedGroup, person: CurrentPerson, listing_slug: str
) -> Response:
    form = await read_form(request, NewSizeForm)
    offer = await stall.offer_of(session, group, listing_slug)
    if form.ok:
        try:
            async with session.begin_nested():
                await wares.add_variant(session, offer.listing, form.values.terms(), form.values.left, by=person)
            return _back(request, group, offer.listing, N_("The new size is added."))
        except Refusal as refusal:
            form.refuse(refusal, FIELDS.get(refusal.field or "", refusal.field))
    return _sizes_page(request, group, offer, {"": form}, 422)


@router.post("/{variant_id}")
async def take_listing_size(
    request: Request, session: Session, group: EditedGroup, person: CurrentPerson, listing_slug: str, variant_id: UUID
) -> Response:
    form = await read_form(request, SizeForm)
    offer = await stall.offer_of(session, group, listing_slug)
    variant = _variant(offer, variant_id)
    if form.ok:
        try:
            async with session.begin_nested():
                await wares.change_variant(session, variant, form.values.terms(), by=person)
            return _back(request, group, offer.listing, N_("Your changes are kept."))
        except Refusal as refusal:
            form.refuse(refusal, FIELDS.get(refusal.field or "", refusal.field))
            offer = await stall.offer_of(session, group, listing_slug)
    return _sizes_page(request, group, offer, {str(variant_id): form}, 422)


@router.post("/{variant_id}/close")
async def close_listing_size(
    request: Request, session: Session, group: EditedGroup, person: CurrentPerson, listing_slug: str, variant_id: UUID
) -> Response:
    offer = await stall.offer_of(session, group, listing_slug)
    variant = _variant(offer, variant_id)
    try:
        await wares.close_variant(session, variant, by=person)
    except Refusal as refusal:
        return _back(request, group, offer.listing, refusal.message)
    return _back(request, group, offer.listing, N_("This size is no longer offered. Orders for it stay as they are."))


def _variant(offer: Offer, variant_id: UUID) -> Variant:
    for size in offer.sizes:
        if size.variant.id == variant_id:
            return size.variant
    raise NotFound


def _sizes_page(
    request: Request, group: Group, offer: Offer, wrong: dict[str, Form[Any]] | None = None, status: int = 200
) -> Response:
    """`wrong` is the form that was not right, by its variant's id ("" for a new size)."""
    forms: dict[str, Form[Any]] = {str(size.variant.id): Form.empty(**_fields(size.variant)) for size in offer.sizes}
    forms |= {"": Form.empty(step="1")} | (wrong or {})
    return desk_page(request, "sizes", group, status, listing=offer.listing, offer=offer, forms=forms)


def _fields(variant: Variant) -> dict[str, Any]:
    """What a form shows at first."""
    return {
        "unit_th": variant.unit_th,
        "unit_en": variant.unit_en,
        "price": typed_baht(variant.price_satang) if variant.price_satang else None,
        "weight_g": variant.net_weight_g,
        "label_th": variant.label_th,
        "label_en": variant.label_en,
        "step": quantity(variant.step_milli),
        "least": quantity(variant.least_milli),
    }


def _back(request: Request, group: Group, listing: Listing, words: str) -> Response:
    return go(request, url(request, "listing_sizes", slug=group.slug, listing_slug=listing.slug), flash=said(words))
