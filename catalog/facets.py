"""How many listings each other choice would give.

A facet is counted as if nothing of it, and nothing narrower, were chosen (choosing a province keeps the numbers of the
other provinces), because that is what its links lead to: a number is exactly what the page behind it shows.

The shelves are gone through once: they are added up by everything that tells listings apart, and every facet is counted
from those sums, which are few.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Label,
    Select,
    String,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock, places
from app.language import Bilingual
from app.settings import settings
from app.short_memory import ShortMemory
from app.thai_order import sort_key
from catalog import categories
from catalog.browse import COLUMNS, asked, certified
from catalog.cards import on_shelf
from catalog.choice import NARROWER, STORAGE_NAMES, Choice, Facet
from catalog.listings import Listing, ListingCertificate
from producers.centers import Center
from producers.certificates import Certificate, CertificateKind, living
from producers.clusters import Cluster
from producers.groups import Group, Storage

MOST_GROUPS: Final = 12
"""Groups that are offered to choose from: those with the most listings."""


@dataclass(frozen=True, slots=True)
class Option:
    code: str
    """As it stands in addresses."""
    name: Bilingual
    count: int
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class Facets:
    total: int
    """Listings that fit the whole choice."""
    options: Mapping[Facet, Sequence[Option]]
    """What could be chosen, in the order to show it; nothing that would give an empty page, but for what is chosen."""


async def facets(session: AsyncSession, choice: Choice) -> Facets:
    """Count every facet for a choice, with one query; the counts may be `COUNTS_MEMORY_SECONDS` old."""
    key = (clock.business_day(), *choice.params(without={"sort"}).items())
    return await _memory.recall(key, settings().counts_memory_seconds, partial(_counted, session, choice))


async def _counted(session: AsyncSession, choice: Choice) -> Facets:
    sums = _sums(choice)
    rows = await session.execute(
        union_all(
            _tally("all", null(), sums, _chosen(choice, sums)),
            *(_tally(facet, sums.c[facet], sums, _chosen(choice, sums, facet)) for facet in _NAMES if facet in COLUMNS),
            _centers(sums, _chosen(choice, sums, Facet.center)),
            _groups(sums, _chosen(choice, sums, Facet.group)),
            _certificates(choice),
        )
    )
    total = 0
    found: dict[Facet, list[Option]] = {facet: [] for facet in Facet}
    for name, value, name_th, name_en, count in rows:
        if name == "all":
            total = count or 0
        else:
            found[Facet(name)].append(_option(Facet(name), value, Bilingual(name_th or "", name_en), count))
    return Facets(total, {facet: _in_order(choice, facet, options, total) for facet, options in found.items()})


def _sums(choice: Choice) -> CTE:
    """Everything on the shelves that fits words and prices, added up by all that facets ask for."""
    columns: list[Label[Any]] = [column.label(facet.value) for facet, column in COLUMNS.items()]
    if kind := choice.picks.get(Facet.certificate):
        columns.append(certified(kind.value).label(_HOLDS))
    return (
        select(*columns, func.count().label("n"))
        .where(on_shelf(), *asked(choice))
        .group_by(*(column.name for column in columns))
        .cte("sums")
    )


def _chosen(choice: Choice, sums: CTE, counted: Facet | None = None) -> list[ColumnElement[bool]]:
    """Conditions of all that was chosen, except in the facet that is counted and those narrower than it."""
    left_out = {counted, *NARROWER.get(counted, ())} if counted else set()
    columns = {facet: sums.c[facet.value] for facet in COLUMNS}
    certificate = [sums.c[_HOLDS]] if _HOLDS in sums.c else []
    return choice.conditions(columns, without=left_out) + certificate


def _tally(
    facet: str, value: ColumnElement[Any], sums: CTE, where: list[ColumnElement[bool]]
) -> Select[*tuple[Any, ...]]:
    tally = select(literal(facet), cast(value, String), _NO_NAME, _NO_NAME, _added_up(sums)).where(*where)
    return tally if facet == "all" else tally.group_by(value)


def _centers(sums: CTE, where: list[ColumnElement[bool]]) -> Select[*tuple[Any, ...]]:
    return (
        select(literal(Facet.center.value), Center.slug, Center.name_th, Center.name_en, _added_up(sums))
        .join(Center, Center.id == sums.c.center)
        .where(*where)
        .group_by(Center.id)
    )


def _groups(sums: CTE, where: list[ColumnElement[bool]]) -> Select[*tuple[Any, ...]]:
    largest = (
        select(sums.c.group.label("id"), _added_up(sums).label("n"))
        .where(*where)
        .group_by(sums.c.group)
        .order_by(_added_up(sums).desc(), sums.c.group)
        .limit(MOST_GROUPS)
        .subquery("largest")
    )
    return select(literal(Facet.group.value), Group.slug, Group.name_th, Group.name_en, largest.c.n).join(
        largest, largest.c.id == Group.id
    )


def _certificates(choice: Choice) -> Select[*tuple[Any, ...]]:
    """A listing may have several, so they are counted on the listings themselves."""
    return (
        select(
            literal(Facet.certificate.value),
            Certificate.kind,
            _NO_NAME,
            _NO_NAME,
            func.count(Listing.id.distinct()),
        )
        .join(ListingCertificate, ListingCertificate.certificate_id == Certificate.id)
        .join(Listing, Listing.id == ListingCertificate.listing_id)
        .where(living(clock.business_day()), on_shelf(), *asked(choice), *choice.conditions(COLUMNS))
        .group_by(Certificate.kind)
    )


def _added_up(sums: CTE) -> ColumnElement[int]:
    return cast(func.sum(sums.c.n), BigInteger)


def _option(facet: Facet, value: str, name: Bilingual, count: int) -> Option:
    if facet in _NAMES:
        value, name = _NAMES[facet](value)
    return Option(value, name, count)


def _in_order(choice: Choice, facet: Facet, options: list[Option], total: int) -> list[Option]:
    """What is chosen always stands among the options, also where nothing fits it."""
    pick = choice.picks.get(facet)
    if pick and pick.code not in {option.code for option in options}:
        options = [*options, Option(pick.code, pick.name, total)]
    if pick:
        options = [replace(option, is_chosen=option.code == pick.code) for option in options]
    place = _PLACES.get(facet)
    return sorted(options, key=lambda option: place[option.code] if place else sort_key(option.name.th))


def _named(thing: Any, code: str) -> tuple[str, Bilingual]:
    return code, Bilingual(thing.name_th, thing.name_en)


def _province(code: str) -> tuple[str, Bilingual]:
    found = places.province(code)
    assert found is not None  # the database holds what `places` gave it
    return _named(found, places.province_slug(found))


_memory: Final[ShortMemory[Facets]] = ShortMemory(500)
_HOLDS: Final = "holds"
"""Column that says whether a certificate of the chosen kind speaks for the listing."""
_NO_NAME: Final = cast(null(), String)
_NAMES: Final[Mapping[Facet, Callable[[str], tuple[str, Bilingual]]]] = {
    Facet.cluster: lambda value: _named(Cluster(value), value),
    Facet.category: lambda value: _named(categories.category(value), value),
    Facet.region: lambda value: _named(places.region_by_id(value), value),
    Facet.province: _province,
    Facet.certificate: lambda value: _named(CertificateKind(value), value),
    Facet.storage: lambda value: (value, STORAGE_NAMES[Storage(value)]),
}
"""Facets whose options are told in code: the address's code and the name for what a column holds."""
_PLACES: Final[Mapping[Facet, Mapping[str, int]]] = {
    Facet.cluster: {code: n for n, code in enumerate(Cluster)},
    Facet.category: {each.code: n for n, each in enumerate(categories.CATEGORIES)},
    Facet.region: {each.id: n for n, each in enumerate(places.REGIONS)},
    Facet.certificate: {code: n for n, code in enumerate(CertificateKind)},
    Facet.storage: {code: n for n, code in enumerate(Storage)},
}
"""The order of those whose options are told in code; the others go by name."""
