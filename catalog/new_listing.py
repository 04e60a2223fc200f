"""One short page that makes a listing: a photo, a name, a price, an amount.  Everything else can be added later.

Photos that came with a form that was not right are kept all the same (loose, see `catalog.photos`): nobody takes a
photo twice.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from app import clock
from app.access import CurrentPerson
from app.database import Session
from app.errors import Refusal
from app.forms import Baht, Form, Milli, Name, read_form
from app.language import N_
from app.pages import said, see_other
from app.people import Person
from catalog import listings, photos, stall, units, wares
from catalog.editing import desk_page
from catalog.listings import Listing, ListingKind
from catalog.photo_desk import take_photos
from catalog.photos import Photo, picture_of
from catalog.wares import Details, Terms, Words
from producers.clusters import Cluster
from producers.groups import EditedGroup, Group

router = APIRouter(prefix="/desk/groups/{slug}/listings")

SAME_TAP = timedelta(minutes=2)
"""A second form of one name within this time is the same form, sent twice."""
KINDS = (
    {
        "value": ListingKind.experience,
        "label": said("A visit, a trip, a stay"),
        "note": said("Priced for each person."),
    },
    {"value": ListingKind.goods, "label": said("Goods"), "note": said("Something to send or to fetch.")},
)


class NewListingForm(BaseModel):
    name_th: Name
    price: Annotated[Baht, Field(gt=0)]
    unit_th: Annotated[str, StringConstraints(max_length=60)]
    left: Milli | None = None
    kind: ListingKind = ListingKind.goods
    do: Literal["sell", "draft"] = "draft"


@router.get("/new")
async def new_listing(request: Request, group: EditedGroup) -> Response:
    kind = ListingKind.experience if group.cluster == Cluster.services else ListingKind.goods
    return _new_page(request, group, Form.empty(kind=kind), [])


@router.post("/new")
async def take_new_listing(request: Request, session: Session, group: EditedGroup, person: CurrentPerson) -> Response:
    form = await read_form(request, NewListingForm)
    _ask_for_amount(form)
    originals = await take_photos(form)
    if form.ok and (sent_before := await _sent_before(session, group, form)):
        return see_other(request, "edit_listing", slug=group.slug, listing_slug=sent_before.slug)
    listing = await _offered(session, group, form, by=person) if form.ok else None
    loose = [*await _kept(session, group, form)]
    loose += [await photos.add(session, group.id, original, by=person) for original in originals]
    if listing is None:
        return _new_page(request, group, form, loose, 422)
    await photos.hang(session, listing, loose[: photos.MOST_PHOTOS])
    words = (
        await _put_on_sale(session, listing, by=person)
        if form.values.do == "sell"
        else N_("%(name)s is kept as a draft.")
    )
    done = said(words, name=listing.name_th)
    return see_other(request, "edit_listing", slug=group.slug, listing_slug=listing.slug, flash=done)


def _ask_for_amount(form: Form[NewListingForm]) -> None:
    if form.ok and form.values.left is None and form.values.kind == ListingKind.goods:
        form.error("left", N_("Please write how much there is; 0 if it is still to come."))


async def _sent_before(session: Session, group: Group, form: Form[NewListingForm]) -> Listing | None:
    """Return the listing that this very form made a moment ago; refuse another one of the same name."""
    found = await stall.namesake(session, group, form.values.name_th)
    if found is None or found.created_at > clock.now() - SAME_TAP:
        return found
    form.error(
        "name_th", N_("You sell something of this name already. Choose another name, or add a size to that one.")
    )
    return None


async def _offered(session: Session, group: Group, form: Form[NewListingForm], *, by: Person) -> Listing | None:
    """Make the listing, or say beside the field why not."""
    values = form.values
    is_goods = values.kind == ListingKind.goods
    terms = Terms(
        unit_th=values.unit_th,
        unit_en=units.english(values.unit_th),
        price_satang=values.price,
        net_weight_g=units.weight_g(values.unit_th) if is_goods else None,
    )
    try:
        async with session.begin_nested():
            return await wares.offer(
                session,
                group,
                Words(values.name_th),
                Details(_cluster(group, values.kind)),
                terms,
                values.left or 0,
                kind=values.kind,
                by=by,
            )
    except Refusal as refusal:
        form.refuse(refusal)
        return None


def _cluster(group: Group, kind: ListingKind) -> Cluster:
    """Where it belongs unless somebody says otherwise: what guides and hosts make goes with the processed goods."""
    if kind == ListingKind.experience:
        return Cluster.services
    return Cluster.processing_marketing if group.cluster == Cluster.services else group.in_cluster


async def _put_on_sale(session: Session, listing: Listing, *, by: Person) -> str:
    try:
        await listings.put_on_sale(session, listing, by=by)
    except Refusal:
        return N_("%(name)s is kept as a draft; below you see what is missing.")
    return N_("%(name)s is on the stall.")


async def _kept(session: Session, group: Group, form: Form[NewListingForm]) -> Sequence[Photo]:
    """Return the photos that came with an earlier try of this form."""
    return await photos.loose_photos(
        session, group.id, [UUID(each) for each in form.raw_list("kept") if _is_uuid(each)]
    )


def _is_uuid(typed: str) -> bool:
    try:
        return bool(UUID(typed))
    except ValueError:
        return False


def _new_page(
    request: Request, group: Group, form: Form[NewListingForm], loose: Sequence[Photo], status: int = 200
) -> Response:
    return desk_page(
        request,
        "new",
        group,
        status,
        form=form,
        loose=[picture_of(photo, "", None) for photo in loose],
        kinds=KINDS if group.cluster == Cluster.services else (),
        units=units.COMMON,
    )
