"""The market's public shelves: front page, browse, search, listing and group.

Everyone may read these pages, so whoever carries no cookie is answered out of the page memory.
"""

from collections.abc import Sequence
from itertools import cycle
from typing import Any

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from app import plots
from app.database import Session
from app.language import N_, Bilingual, Language, Message, translate
from app.money import baht
from app.pages import language_of, public_page, url
from app.plots import Row
from catalog import browse_page
from catalog.browse import PER_PAGE, read_edge, shelf
from catalog.browse_page import CLUSTER_NAMES
from catalog.cards import BY_NAME, cards
from catalog.categories import category
from catalog.choice import STORAGE_NAMES, read_choice
from catalog.display import Parts, display, left_in_words, ways_to_get_it, weight
from catalog.facets import facets
from catalog.front import front
from catalog.listings import Listing
from catalog.photos import group_pictures
from catalog.structured_data import breadcrumbs, graph, market, organization, product
from producers.centers import Center
from producers.certificates import living_of
from producers.groups import group_by_slug

router = APIRouter()

MARKET = N_("Community Organisation Market")


@router.get("/", name="home")
async def home(request: Request, session: Session) -> Response:
    search = url(request, "browse", q="WORDS").replace("WORDS", "{words}")
    here = url(request, "home")
    return public_page(
        request,
        "catalog/home.html",
        front=await front(session),
        cluster_names=CLUSTER_NAMES,
        graph=graph(market(translate(language_of(request), MARKET), here, search)),
    )


@router.get("/market", name="browse")
@router.get("/search", name="search")
async def browse(request: Request, session: Session) -> Response:
    """What is on sale where, and what else could be chosen from here."""
    choice = await read_choice(session, request.query_params)
    edge = read_edge(choice, request.query_params)
    found = await shelf(session, choice, edge)
    counted = await facets(session, choice)
    shown = browse_page.context(request, choice, found, counted, edge)
    trail = _way(request, [(shown["title"], shown["canonical_url"])])
    return public_page(request, "catalog/browse.html", **shown, graph=graph(breadcrumbs(trail)))


@router.get("/listings/{slug}", name="listing")
async def listing(request: Request, session: Session, slug: str) -> Response:
    """Everything about one listing; one that rests keeps its page, which says so."""
    shown = await display(session, slug)
    lang, here = language_of(request), url(request, "listing", slug=slug)
    trail = _shelves_above(request, shown.listing)
    way = _way(request, [*trail, (Bilingual(shown.listing.name_th, shown.listing.name_en), here)])
    return public_page(
        request,
        "catalog/listing.html",
        shown=shown,
        left_in_words=left_in_words,
        weight=weight,
        storage_names=STORAGE_NAMES,
        ways=ways_to_get_it(shown),
        baht_plot=_where_each_baht_goes(shown.parts, lang) if shown.parts else None,
        trail=trail,
        graph=graph(product(shown, here, url(request, "group", slug=shown.group.slug), lang), breadcrumbs(way)),
    )


@router.get("/groups/{slug}", name="group")
async def group(request: Request, session: Session, slug: str) -> Response:
    found = await group_by_slug(session, slug)
    lang = language_of(request)
    here = url(request, "group", slug=slug)
    on_sale = await cards(session, (Listing.group_id == found.id,), BY_NAME, PER_PAGE + 1)
    trail = _way(request, [(Bilingual(found.name_th, found.name_en), here)])
    return public_page(
        request,
        "catalog/group.html",
        group=found,
        center=await session.get_one(Center, found.center_id),
        certificates=(await living_of(session, [found.id])).get(found.id, []),
        pictures=await group_pictures(session, found.id, found.name_th, found.name_en),
        cards=on_sale[:PER_PAGE],
        has_more=len(on_sale) > PER_PAGE,
        graph=graph(organization(found, here, lang), breadcrumbs(trail)),
    )


def _shelves_above(request: Request, listing: Listing) -> list[tuple[Any, str]]:
    """The shelf and the kind a listing stands in, with their addresses."""
    shelves: list[tuple[Any, str]] = [
        (Message(CLUSTER_NAMES[listing.cluster], {}), url(request, "browse", cluster=listing.cluster))
    ]
    if found := category(listing.category):
        address = url(request, "browse", cluster=listing.cluster, category=found.code)
        shelves.append((Bilingual(found.name_th, found.name_en), address))
    return shelves


def _way(request: Request, steps: Sequence[tuple[Bilingual | Message, str]]) -> list[tuple[str, str]]:
    """The way from the front page, in the reader's language."""
    lang = language_of(request)
    return [
        (translate(lang, N_("Market")), url(request, "home")),
        *((name.reading(lang), path) for name, path in steps),
    ]


def _where_each_baht_goes(parts: Parts, lang: Language) -> Markup:
    group = translate(lang, N_("To the group that made it"))
    rows = [Row(group, parts.group_satang, baht(parts.group_satang, lang), "b")]
    for share, tone in zip(parts.shares, cycle("acd"), strict=False):
        label = Bilingual(share.name_th, share.name_en).reading(lang)
        rows.append(Row(label, share.satang, baht(share.satang, lang), tone))
    return plots.bars_horizontal(rows, translate(lang, N_("Where each baht goes")))
