"""The browse page: links that choose, chosen things that can be taken away, and what the page calls itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from fastapi import Request

from app.language import LANGUAGES, N_, Bilingual, Message
from app.money import baht
from app.pages import in_language, language_of, url
from app.settings import settings
from catalog.browse import Edge, Shelf
from catalog.choice import Choice, Facet, Sort
from catalog.facets import Facets, Option

MOST_PROVINCES: Final = 15
"""Provinces to choose from at once; where there are more, a region is chosen first."""

TITLES: Final[Mapping[Facet, str]] = {
    Facet.cluster: N_("Cluster"),
    Facet.category: N_("Kind"),
    Facet.region: N_("Region"),
    Facet.province: N_("Province"),
    Facet.certificate: N_("Certificate"),
    Facet.storage: N_("How it keeps"),
    Facet.center: N_("Incubation centre"),
    Facet.group: N_("Group"),
}
"""In the order in which the page asks."""
SORTS: Final[Mapping[Sort, str]] = {
    Sort.best: N_("Best match"),
    Sort.newest: N_("Newest"),
    Sort.price: N_("Low price first"),
    Sort.price_down: N_("High price first"),
    Sort.name: N_("By name"),
}
CLUSTER_NAMES: Final[Mapping[str, str]] = {
    "production": N_("Fresh from the fields"),
    "processing-marketing": N_("Made by hand"),
    "services": N_("Visits and stays"),
}
"""What the shelves of a cluster are called; its own name is the source's."""
_QUOTED: Final = N_("“%(words)s”")


@dataclass(frozen=True, slots=True)
class Link:
    """An option of a facet."""

    url: str
    words: Bilingual
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class FacetLinks:
    title: Message
    options: Sequence[Link]


def context(request: Request, choice: Choice, shelf: Shelf, counted: Facets, edge: Edge | None) -> dict[str, Any]:
    """Return everything that browse.html shows."""
    link = partial(url, request, "browse")
    return {
        "choice": choice,
        "q": choice.q,
        "cards": shelf.cards,
        "total": counted.total,
        "title": title_of(choice),
        "facets": [_facet_links(request, choice, facet, counted) for facet in TITLES],
        "chosen": _chosen(request, choice),
        "clear_url": link(),
        "first_page_url": link(**choice.params()),
        "sorts": [(sort.value, Message(SORTS[sort], {})) for sort in SORTS if sort is not Sort.best or choice.words],
        "sort_form": choice.params(without={"sort"}),
        "price_form": choice.params(without={"min", "max"}),
        "before_url": link(**choice.params(), before=shelf.before) if shelf.before else None,
        "after_url": link(**choice.params(), after=shelf.after) if shelf.after else None,
        "is_indexed": edge is None and not choice.words and counted.total > 0,
        **_addresses(request, choice),
    }


def title_of(choice: Choice) -> Message | Bilingual:
    """Return what the chosen shelves are called: the words, or else the nearest kind and the nearest place."""
    if choice.words:
        return Message(_QUOTED, {"words": choice.q})
    kind = next((choice.picks[facet] for facet in (Facet.category, Facet.cluster) if facet in choice.picks), None)
    areas = (Facet.group, Facet.center, Facet.province, Facet.region)
    area = next((choice.picks[facet] for facet in areas if facet in choice.picks), None)
    what = Message(CLUSTER_NAMES[kind.code], {}) if kind and kind.code in CLUSTER_NAMES else kind and kind.name
    if what and area:
        return Message(N_("%(what)s · %(place)s"), {"what": what, "place": area.name})
    return what or (area.name if area else Message(N_("Everything on sale"), {}))


def _facet_links(request: Request, choice: Choice, facet: Facet, counted: Facets) -> FacetLinks:
    options = counted.options[facet]
    if _is_no_choice(choice, facet, options):
        options = []
    return FacetLinks(
        Message(TITLES[facet], {}),
        [
            Link(url(request, "browse", **choice.choosing(facet, each.code)), each.name, each.count, each.is_chosen)
            for each in options
        ],
    )


def _is_no_choice(choice: Choice, facet: Facet, options: Sequence[Option]) -> bool:
    """One option is none; and nobody reads through all provinces who can choose a region first."""
    if facet in choice.picks:
        return False
    is_too_long = facet is Facet.province and Facet.region not in choice.picks and len(options) > MOST_PROVINCES
    return len(options) <= 1 or is_too_long


def _chosen(request: Request, choice: Choice) -> list[tuple[Any, str]]:
    """Everything that narrows the page, each with the address without it."""
    link = partial(url, request, "browse")
    chosen: list[tuple[Any, str]] = [
        (pick.name, link(**choice.choosing(facet, pick.code))) for facet, pick in choice.picks.items()
    ]
    lang = language_of(request)
    if choice.least_satang is not None:
        words = Message(N_("From %(price)s"), {"price": baht(choice.least_satang, lang)})
        chosen.append((words, link(**choice.params(without={"min"}))))
    if choice.most_satang is not None:
        words = Message(N_("Up to %(price)s"), {"price": baht(choice.most_satang, lang)})
        chosen.append((words, link(**choice.params(without={"max"}))))
    if choice.words:
        chosen.append((Message(_QUOTED, {"words": choice.q}), link(**choice.params(without={"q"}))))
    return chosen


def _addresses(request: Request, choice: Choice) -> dict[str, Any]:
    """One address for each page of its own, however it was narrowed or sorted; and the same in the other language."""
    path = url(request, "browse", **choice.page_params()).removeprefix("/en")
    there = {lang: settings().address + in_language(path, lang) for lang in LANGUAGES}
    return {"canonical_url": there[language_of(request)], "alternates": there}
