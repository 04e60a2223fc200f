"""What a shopper chose to look at: read from an address, written back into one.

An address is typed, shared, cut off and guessed at, so nothing in it is refused: what cannot be read is left out, and
the page says so (`Choice.misread`).  Each facet has one choice at a time; a wider one takes the narrower ones with it
when it changes (another region, so no longer that province).
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Result, SQLColumnExpression, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from app.language import N_, Bilingual, Message
from app.money import Satang, WrongAmount, parse_baht
from app.places import province_by_slug, region_by_id
from catalog import categories
from catalog.search import plain
from producers.centers import Center
from producers.certificates import CertificateKind
from producers.clusters import Cluster
from producers.groups import Group, GroupState, Storage


class Facet(StrEnum):
    """By what listings are told apart; the value names it in addresses, in their order."""

    cluster = "cluster"
    category = "category"
    region = "region"
    province = "province"
    center = "center"  # type: ignore[assignment]  # hides str.center, which nobody asks a facet for
    group = "group"
    certificate = "certificate"
    storage = "storage"


class Sort(StrEnum):
    best = "best"
    """Words in the name first, then the newest: only where there are words."""
    newest = "newest"
    price = "price"
    price_down = "price-down"
    name = "name"


NARROWER: Final[Mapping[Facet, Collection[Facet]]] = {
    Facet.cluster: {Facet.category},
    Facet.region: {Facet.province, Facet.center, Facet.group},
    Facet.province: {Facet.group},
    Facet.center: {Facet.group},
}
PAGES_OF_THEIR_OWN: Final = (Facet.cluster, Facet.category, Facet.region, Facet.province, Facet.center, Facet.group)
"""What tells one browse page from another for search engines; the rest only narrows or sorts it."""

STORAGE_NAMES: Final = {
    Storage.ambient: Bilingual("ของแห้ง ไม่ต้องแช่เย็น", "Keeps without cooling"),
    Storage.chilled: Bilingual("แช่เย็น", "Chilled"),
    Storage.frozen: Bilingual("แช่แข็ง", "Frozen"),
}


@dataclass(frozen=True, slots=True)
class Pick:
    """One option of a facet: its code in addresses, its name, and what a row's column holds for it."""

    code: str
    name: Bilingual
    value: Any


@dataclass(frozen=True, slots=True)
class Choice:
    picks: Mapping[Facet, Pick]
    least_satang: Satang | None = None
    most_satang: Satang | None = None
    words: tuple[str, ...] = ()
    sort: Sort = Sort.newest
    typed: Mapping[str, str] | None = None
    """The words and prices as they were typed, readable or not, by their names in the address."""
    misread: tuple[Message, ...] = ()

    @property
    def usual_sort(self) -> Sort:
        return Sort.best if self.words else Sort.newest

    @property
    def q(self) -> str:
        return (self.typed or {}).get("q", "")

    def conditions(
        self, columns: Mapping[Facet, SQLColumnExpression[Any]], without: Collection[Facet] = ()
    ) -> list[ColumnElement[bool]]:
        """Return what `columns` have to hold for a row to be what was chosen, some facets left aside."""
        return [
            columns[facet] == pick.value
            for facet, pick in self.picks.items()
            if facet in columns and facet not in without
        ]

    def params(self, *, without: Collection[str] = ()) -> dict[str, str]:
        """Return the query of this choice's address, in the one order; its page is the first."""
        query = {facet.value: self.picks[facet].code for facet in Facet if facet in self.picks}
        query |= {name: plain_baht(satang) for name, satang in self._prices() if satang is not None}
        if self.words:
            query["q"] = self.q
        if self.sort != self.usual_sort:
            query["sort"] = self.sort.value
        return {name: value for name, value in query.items() if name not in without}

    def choosing(self, facet: Facet, code: str) -> dict[str, str]:
        """As `params`, with an option of a facet chosen, or no longer chosen if it was."""
        dropped = {facet, *NARROWER.get(facet, ())}
        query = self.params(without=dropped)
        if facet in self.picks and self.picks[facet].code == code:
            return query
        query[facet.value] = code
        return {name: query[name] for name in sorted(query, key=_PLACES_IN_ADDRESS.index)}

    def page_params(self) -> dict[str, str]:
        """As `params`, but only what makes a page of its own."""
        return {facet.value: self.picks[facet].code for facet in PAGES_OF_THEIR_OWN if facet in self.picks}

    def _prices(self) -> tuple[tuple[str, Satang | None], tuple[str, Satang | None]]:
        return ("min", self.least_satang), ("max", self.most_satang)


async def read_choice(session: AsyncSession, query: Mapping[str, str]) -> Choice:
    """Read an address's query; asks the database only where it names a centre or a group."""
    typed = {name: _readable(query.get(name, "")) for name in _PLACES_IN_ADDRESS}
    misread: list[Message] = []
    picks = await _picks(session, typed, misread)
    prices = [_price(typed[name], misread) for name in ("min", "max")]
    if None not in prices:
        prices.sort(key=int)  # type: ignore[arg-type]  # whoever swaps the two means the same
    words = plain.words_of(typed["q"])
    return Choice(
        picks=picks,
        least_satang=prices[0],
        most_satang=prices[1],
        words=words,
        sort=_sort(typed["sort"], words, misread),
        typed={**typed, "q": typed["q"][: plain.LONGEST_TYPED]},
        misread=tuple(misread),
    )


async def _picks(session: AsyncSession, typed: Mapping[str, str], misread: list[Message]) -> dict[Facet, Pick]:
    rows = await _rows(session, typed[Facet.center], typed[Facet.group])
    picks: dict[Facet, Pick] = {}
    for facet in Facet:
        if not (code := typed[facet]):
            continue
        pick = _FROM_CODE[facet](code) if facet in _FROM_CODE else rows.get(facet)
        if pick is None:
            misread.append(Message(N_("We do not know “%(typed)s”, so we left it out."), {"typed": code[:40]}))
        else:
            picks[facet] = pick
    return picks


async def _rows(session: AsyncSession, center: str, group: str) -> dict[Facet, Pick]:
    """Read the centre and the group of these slugs, as far as they are there, with one query."""
    if not (_SLUG.fullmatch(center) or _SLUG.fullmatch(group)):
        return {}
    centers = select(literal("center"), Center.slug, Center.name_th, Center.name_en, Center.id)
    groups = select(literal("group"), Group.slug, Group.name_th, Group.name_en, Group.id)
    rows: Result[*tuple[Any, ...]] = await session.execute(
        union_all(
            centers.where(Center.slug == center),
            groups.where(Group.slug == group, Group.state == GroupState.approved),
        )
    )
    return {Facet(row[0]): Pick(row[1], Bilingual(row[2], row[3]), row[4]) for row in rows}


def _price(typed: str, misread: list[Message]) -> Satang | None:
    if not typed:
        return None
    try:
        return parse_baht(typed)
    except WrongAmount:
        told = Message(N_("“%(typed)s” is not an amount of baht, so we left it out."), {"typed": typed[:40]})
        misread.append(told)
        return None


def _sort(typed: str, words: tuple[str, ...], misread: list[Message]) -> Sort:
    usual = Sort.best if words else Sort.newest
    try:
        sort = Sort(typed or usual)
    except ValueError:
        misread.append(Message(N_("We cannot sort by “%(typed)s”."), {"typed": typed[:40]}))
        return usual
    return usual if sort is Sort.best else sort


def _cluster(code: str) -> Pick | None:
    found = next((each for each in Cluster if each == code), None)
    return Pick(found.value, Bilingual(found.name_th, found.name_en), found.value) if found else None


def _category(code: str) -> Pick | None:
    found = categories.category(code)
    return Pick(found.code, Bilingual(found.name_th, found.name_en), found.code) if found else None


def _region(code: str) -> Pick | None:
    found = region_by_id(code)
    return Pick(found.id, Bilingual(found.name_th, found.name_en), found.id) if found else None


def _province(code: str) -> Pick | None:
    found = province_by_slug(code)
    return Pick(code, Bilingual(found.name_th, found.name_en), found.code) if found else None


def _certificate(code: str) -> Pick | None:
    found = next((each for each in CertificateKind if each == code), None)
    return Pick(found.value, Bilingual(found.name_th, found.name_en), found.value) if found else None


def _storage(code: str) -> Pick | None:
    found = next((each for each in Storage if each == code), None)
    return Pick(found.value, STORAGE_NAMES[found], found.value) if found else None


def _readable(typed: str) -> str:
    """Without control characters and halves of letters, which no database takes."""
    return "".join(char if char.isprintable() else " " for char in typed).strip()


def plain_baht(satang: int) -> str:
    """Write satang as an address's query has it: "45.50" is read again by `read_choice`."""
    whole, part = divmod(satang, 100)
    return f"{whole}.{part:02}" if part else str(whole)


_FROM_CODE: Final[Mapping[Facet, Callable[[str], Pick | None]]] = {
    Facet.cluster: _cluster,
    Facet.category: _category,
    Facet.region: _region,
    Facet.province: _province,
    Facet.certificate: _certificate,
    Facet.storage: _storage,
}
_PLACES_IN_ADDRESS: Final = [*(facet.value for facet in Facet), "min", "max", "q", "sort"]
_SLUG: Final = re.compile(r"[a-z0-9-]{1,80}")
