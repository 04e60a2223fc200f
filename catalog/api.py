"""The catalogue for programs: listings, groups, centres, and the words by which they are told apart.

Every answer is the same for every reader and holds both languages, so it is remembered and answered by ETag just as
the public pages are.
"""

from email.utils import format_datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from app import places
from app.address import MOST_CHOICES, matching
from app.api import paging
from app.api.paging import BrokenCursor, Cursor, Limit, Page
from app.api.problems import NoSuchThing
from app.api.route import refuses, room
from app.api.shapes import Coded, Slug
from app.database import Session
from app.errors import Refusal
from app.language import N_
from app.pages import PUBLIC
from catalog import api_shapes as shapes
from catalog import browse
from catalog.api_shapes import (
    CategoryTold,
    CenterTold,
    FacetsTold,
    GroupCard,
    GroupTold,
    ListingCard,
    ListingTold,
    PlaceTold,
    RegionTold,
)
from catalog.categories import CATEGORIES
from catalog.choice import Choice, Facet, Sort, plain_baht, read_choice
from catalog.display import Gone, display
from catalog.facets import facets
from catalog.photos import group_pictures
from producers.centers import Center, center_by_slug, centers
from producers.certificates import CertificateKind, living_of
from producers.clusters import Cluster
from producers.groups import Storage, group_by_slug, selling_groups

router = room("Catalogue")


class UnknownChoice(Refusal):
    """Pages leave out what they do not know; a program would take the wider answer for the one it asked for."""

    status = 422
    message = N_("We do not know this one.")


class Filters(BaseModel):
    """What to look at: any of these, all of them together."""

    model_config = ConfigDict(extra="ignore")

    cluster: Cluster | None = None
    category: Slug | None = None
    region: Slug | None = None
    province: Slug | None = None
    center: Slug | None = None
    group: Slug | None = None
    certificate: CertificateKind | None = None
    storage: Storage | None = None
    q: Annotated[str | None, Field(max_length=200, description="Words in name or group.")] = None
    least_satang: Annotated[int | None, Field(ge=0, le=10**12)] = None
    most_satang: Annotated[int | None, Field(ge=0, le=10**12)] = None
    sort: Annotated[Sort | None, Field(description="The newest first, with words the best match.")] = None


async def _choice(session: Session, filters: Annotated[Filters, Query()]) -> Choice:
    """Dependency: what was chosen; refuses with `UnknownChoice` what we do not know."""
    given: dict[str, Any] = filters.model_dump(exclude_none=True, mode="json")
    for name, amount in (("min", given.pop("least_satang", None)), ("max", given.pop("most_satang", None))):
        if amount is not None:
            given[name] = plain_baht(amount)
    choice = await read_choice(session, given)
    for facet in Facet:
        if facet in given and facet not in choice.picks:
            raise UnknownChoice(field=facet.value)
    return choice


Chosen = Annotated[Choice, Depends(_choice, scope="function")]


def _public(response: Response) -> None:
    """Dependency: the answer is everybody's, and may be remembered."""
    response.headers["Cache-Control"] = PUBLIC


#: The shopper's room above names its operation; the document says so here, where a program is when it wants it.
_INTO_A_BASKET: Any = {
    "description": "The listing.",
    "links": {
        "start_basket": {
            "operationId": "start_basket",
            "requestBody": {
                "lines": [
                    {
                        "variant_id": "$response.body#/variants/0/id",
                        "quantity_milli": "$response.body#/variants/0/least_milli",
                    }
                ]
            },
        }
    },
}
_TO_A_LISTING: Any = {
    "description": "A page of what is on sale.",
    "links": {
        "show_listing": {"operationId": "show_listing", "parameters": {"path.slug": "$response.body#/items/0/slug"}}
    },
}
PUBLICLY: Any = [Depends(_public)]


@router.get("/listings", dependencies=PUBLICLY, responses={**refuses(UnknownChoice, BrokenCursor), 200: _TO_A_LISTING})
async def browse_listings(
    request: Request,
    response: Response,
    session: Session,
    choice: Chosen,
    limit: Limit = paging.USUAL,
    cursor: Cursor = None,
) -> Page[ListingCard]:
    """What is on sale where."""
    edge = browse.read_edge(choice, {"after": cursor}) if cursor else None
    if cursor and edge is None:
        raise BrokenCursor(field="cursor")
    found = await browse.shelf(session, choice, edge, limit)
    return paging.page(request, response, [shapes.card(each) for each in found.cards], found.after)


@router.get("/facets", dependencies=PUBLICLY, responses=refuses(UnknownChoice))
async def count_facets(session: Session, choice: Chosen) -> FacetsTold:
    """How many listings each other choice would give: a number is exactly what that choice shows."""
    return shapes.facets(await facets(session, choice))


@router.get("/listings/{slug}", dependencies=PUBLICLY, responses={**refuses(Gone), 200: _INTO_A_BASKET})
async def show_listing(response: Response, session: Session, slug: Slug) -> ListingTold:
    """Everything about one listing; one that rests says so, one that is gone for good answers 410."""
    shown = await display(session, slug)
    response.headers["Last-Modified"] = format_datetime(shown.listing.changed_at, usegmt=True)
    return shapes.listing(shown)


@router.get("/groups", dependencies=PUBLICLY, responses=refuses(BrokenCursor, NoSuchThing))
async def list_groups(
    request: Request,
    response: Response,
    session: Session,
    center: Slug | None = None,
    limit: Limit = paging.USUAL,
    cursor: Cursor = None,
) -> Page[GroupCard]:
    """Who sells here, in Thai order."""
    at = (await center_by_slug(session, center)).id if center else None
    after = _after(cursor) if cursor else None
    found = await selling_groups(session, center_id=at, after=after, limit=limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    following = paging.written(last.sort_key, str(last.id)) if last else None
    return paging.page(request, response, [shapes.group_card(each) for each in found[:limit]], following)


@router.get("/groups/{slug}", dependencies=PUBLICLY)
async def show_group(session: Session, slug: Slug) -> GroupTold:
    """A group: who they are, where, and how their goods reach a buyer."""
    found = await group_by_slug(session, slug)
    return shapes.group(
        found,
        await session.get_one(Center, found.center_id),
        (await living_of(session, [found.id])).get(found.id, []),
        await group_pictures(session, found.id, found.name_th, found.name_en),
    )


@router.get("/centers", dependencies=PUBLICLY)
async def list_centers(session: Session) -> list[CenterTold]:
    """The incubation centres, in the source's order."""
    return [shapes.center(each) for each in await centers(session)]


@router.get("/centers/{slug}", dependencies=PUBLICLY)
async def show_center(session: Session, slug: Slug) -> CenterTold:
    """A centre: what it is called, where it is, and its story."""
    return shapes.center(await center_by_slug(session, slug))


@router.get("/clusters", dependencies=PUBLICLY)
async def list_clusters() -> list[Coded]:
    """The three clusters of livelihood, by which everything is grouped."""
    return [shapes.cluster(each) for each in Cluster]


@router.get("/categories", dependencies=PUBLICLY)
async def list_categories() -> list[CategoryTold]:
    """What kind of thing a listing may be."""
    return [shapes.category(each) for each in CATEGORIES]


@router.get("/regions", dependencies=PUBLICLY)
async def list_regions() -> list[RegionTold]:
    """The network's five regions with their provinces."""
    return [shapes.region(each) for each in places.REGIONS]


@router.get("/places", dependencies=PUBLICLY)
async def find_places(
    q: Annotated[str, Query(min_length=1, max_length=80, description="A postcode, or how a tambon's name begins.")],
) -> list[PlaceTold]:
    """Subdistricts, for the address of a parcel."""
    return [shapes.place(each) for each in matching(q)[:MOST_CHOICES]]


def _after(cursor: str) -> tuple[str, UUID]:
    name, text = paging.place_of(cursor, str, str)
    try:
        return name, UUID(text)
    except ValueError:
        raise BrokenCursor(field="cursor") from None
