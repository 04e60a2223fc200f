"""The group's desk, parts of a listing: its words, its shelf, season and storage, its certificates."""

from typing import Annotated, Any
from uuid import UUID

from babel.dates import get_month_names
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from app.access import CurrentPerson
from app.database import Session
from app.errors import Refusal
from app.forms import Form, Name, Paragraphs, read_form
from app.language import N_
from app.pages import language_of, said, see_other
from catalog import categories, listings, stall, wares
from catalog.categories import category
from catalog.editing import desk_page
from catalog.listings import Listing, ListingKind
from catalog.seasons import Season
from catalog.wares import Details, Words
from producers import certificates
from producers.clusters import Cluster
from producers.groups import EditedGroup, Group, Storage

router = APIRouter(prefix="/desk/groups/{slug}/listings/{listing_slug}")

Month = Annotated[int, Field(ge=1, le=12)]
STORAGES = (
    {"value": Storage.ambient, "label": said("In the cupboard"), "note": said("Keeps without cooling.")},
    {"value": Storage.chilled, "label": said("Chilled"), "note": said("Sent in a chilled parcel, or fetched.")},
    {"value": Storage.frozen, "label": said("Frozen"), "note": said("Sent in a frozen parcel, or fetched.")},
)


class WordsForm(BaseModel):
    name_th: Name
    name_en: Name | None = None
    description_th: Paragraphs | None = None
    description_en: Paragraphs | None = None


class DetailsForm(BaseModel):
    category: str
    storage: Storage = Storage.ambient
    season_from: Month | None = None
    season_to: Month | None = None


class CertificatesForm(BaseModel):
    certificates: list[UUID] = Field(default_factory=list)


@router.get("/words")
async def listing_words(request: Request, session: Session, group: EditedGroup, listing_slug: str) -> Response:
    listing = await stall.own_listing(session, group, listing_slug)
    form: Form[WordsForm] = Form.empty(**{name: getattr(listing, name) for name in WordsForm.model_fields})
    return desk_page(request, "words", group, listing=listing, form=form)


@router.post("/words")
async def take_listing_words(
    request: Request, session: Session, group: EditedGroup, person: CurrentPerson, listing_slug: str
) -> Response:
    listing = await stall.own_listing(session, group, listing_slug)
    form = await read_form(request, WordsForm)
    if form.ok:
        try:
            await wares.set_words(session, listing, Words(**form.values.model_dump()), by=person)
            return to_listing(request, group, listing)
        except Refusal as refusal:
            form.refuse(refusal)
    return desk_page(request, "words", group, 422, listing=listing, form=form)


@router.get("/details")
async def listing_details(request: Request, session: Session, group: EditedGroup, listing_slug: str) -> Response:
    listing = await stall.own_listing(session, group, listing_slug)
    first, last = listing.season or (None, None)
    typed = {"category": listing.category, "storage": listing.storage, "season_from": first, "season_to": last}
    return _details_page(request, group, listing, Form.empty(**typed))


@router.post("/details")
async def take_listing_details(
    request: Request, session: Session, group: EditedGroup, person: CurrentPerson, listing_slug: str
) -> Response:
    listing = await stall.own_listing(session, group, listing_slug)
    form = await read_form(request, DetailsForm)
    details = _details(form, listing)
    if details:
        await wares.set_details(session, listing, details, by=person)
        return to_listing(request, group, listing)
    return _details_page(request, group, listing, form, 422)


@router.get("/certificates")
async def listing_certificates(request: Request, session: Session, group: EditedGroup, listing_slug: str) -> Response:
    listing = await stall.own_listing(session, group, listing_slug)
    return desk_page(
        request,
        "certificates",
        group,
        listing=listing,
        certificates=await certificates.certificates_of(session, group.id),
        chosen=await stall.certificates_ticked(session, listing),
    )


@router.post("/certificates")
async def take_listing_certificates(
    request: Request, session: Session, group: EditedGroup, person: CurrentPerson, listing_slug: str
) -> Response:
    listing = await stall.own_listing(session, group, listing_slug)
    form = await read_form(request, CertificatesForm)
    if form.ok:
        await listings.certify(session, listing, form.values.certificates, by=person)
    return to_listing(request, group, listing)


def to_listing(request: Request, group: Group, listing: Listing) -> Response:
    kept = said(N_("Your changes are kept."))
    return see_other(request, "edit_listing", slug=group.slug, listing_slug=listing.slug, flash=kept)


def _details(form: Form[DetailsForm], listing: Listing) -> Details | None:
    """Read where it stands and when; None, with the fields marked, when something does not fit."""
    if not form.ok:
        return None
    typed = form.values
    chosen = category(typed.category)
    if chosen is None or chosen.cluster not in _clusters(listing):
        form.error("category", N_("Please choose one of the options."))
    if (typed.season_from is None) != (typed.season_to is None):
        missing = "season_to" if typed.season_to is None else "season_from"
        form.error(missing, N_("Write both the first and the last month of the season, or neither."))
    if form.errors or chosen is None:
        return None
    season = Season(typed.season_from, typed.season_to) if typed.season_from and typed.season_to else None
    return Details(chosen.cluster, chosen.code, typed.storage, season)


def _details_page(request: Request, group: Group, listing: Listing, form: Form[Any], status: int = 200) -> Response:
    names = get_month_names("wide", locale=language_of(request))
    return desk_page(
        request,
        "details",
        group,
        status,
        listing=listing,
        form=form,
        shelves=[(cluster, categories.categories_of(cluster)) for cluster in _clusters(listing)],
        storages=STORAGES,
        months=[(month, names[month]) for month in range(1, 13)],
    )


def _clusters(listing: Listing) -> tuple[Cluster, ...]:
    """Goods and visits stand on different shelves."""
    if listing.kind == ListingKind.experience:
        return (Cluster.services,)
    return (Cluster.production, Cluster.processing_marketing)
