"""Public pages of the centres: the map of them all, and each with its groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import places
from app.database import Session
from app.language import Bilingual
from app.pages import language_of, public_page, url
from app.places import Region
from catalog.listings import Listing, ListingState
from incubation_centers.thailand_map import Pin, map_svg
from producers import centers as all_centers
from producers import groups
from producers.centers import Center
from producers.groups import Group, GroupState

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Stall:
    """A group as a card of its centre's page shows it (macros/cards.html, `group_card`)."""

    name: str
    url: str
    cloth_url: str
    place_name: str
    badges: Sequence[tuple[str, object]]


NO_TALLY: Final = (0, 0)


@router.get("/centers")
async def centers_map(request: Request, session: Session) -> Response:
    """The country with its centres, and the same centres as a list by region."""
    found = await all_centers.centers(session)
    return public_page(
        request,
        "incubation_centers/centers.html",
        regions=[(region, own) for region in places.REGIONS if (own := _of_region(found, region))],
        tallies=await _tallies(session),
        no_tally=NO_TALLY,
        map=map_svg([_pin(request, center) for center in found], _region_ids(), language_of(request)),
    )


@router.get("/centers/{slug}", name="center")
async def center_page(request: Request, session: Session, slug: str) -> Response:
    center = await all_centers.center_by_slug(session, slug)
    stalls = [_stall(request, group) for group in await groups.groups_of_center(session, center.id)]
    tallies = await _tallies(session)
    return public_page(
        request,
        "incubation_centers/center.html",
        center=center,
        stalls=stalls,
        listings=tallies.get(center.id, NO_TALLY)[1],
    )


async def _tallies(session: AsyncSession) -> dict[UUID, tuple[int, int]]:
    """Return by centre how many groups it has and how many things they have on sale."""
    own_groups = (
        select(Group.center_id, func.count().label("groups"))
        .where(Group.state == GroupState.approved)
        .group_by(Group.center_id)
        .subquery()
    )
    on_sale = (
        select(Listing.center_id, func.count().label("listings"))
        .where(Listing.state == ListingState.on_sale, Listing.is_open)
        .group_by(Listing.center_id)
        .subquery()
    )
    rows = await session.execute(
        select(own_groups.c.center_id, own_groups.c.groups, func.coalesce(on_sale.c.listings, 0)).outerjoin(
            on_sale, on_sale.c.center_id == own_groups.c.center_id
        )
    )
    return {center_id: (groups_there, listings) for center_id, groups_there, listings in rows}


def _of_region(found: Sequence[Center], region: Region) -> list[Center]:
    return [center for center in found if center.region == region.id]


def _pin(request: Request, center: Center) -> Pin:
    return Pin(
        number=center.number,
        label=Bilingual(center.name_th, center.name_en).reading(language_of(request)),
        href=url(request, "center", slug=center.slug),
        latitude=center.latitude,
        longitude=center.longitude,
    )


def _stall(request: Request, group: Group) -> Stall:
    lang = language_of(request)
    province = places.province(group.province_code)
    place = group.place.line(lang) if group.place else (province.name_th if province else "")
    cluster = group.in_cluster
    return Stall(
        name=Bilingual(group.name_th, group.name_en).reading(lang),
        url=url(request, "group", slug=group.slug),
        cloth_url=url(request, "cloth", slug=group.slug),
        place_name=place,
        badges=[(cluster.value, Bilingual(cluster.name_th, cluster.name_en))],
    )


@cache
def _region_ids() -> Mapping[str, str]:
    return {province.code: places.region_of(province.code).id for province in places.provinces()}
