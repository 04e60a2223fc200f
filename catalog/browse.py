"""What is on sale where.

One question, asked by browse and search: which listings fit a choice, in which order, a page at a time.  What else a
shopper could choose from there, and how many each would give, is counted in `catalog.facets`.

A page is remembered by the listing at its edge and not by its number, so that nothing is shown twice or left out while
listings come and go.  The number of queries is the same for any number of listings.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, SQLColumnExpression, func, literal_column, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from catalog import cards
from catalog.cards import BY_NAME, NEWEST, Card, Order
from catalog.choice import Choice, Facet, Sort
from catalog.listings import Listing, ListingCertificate
from catalog.search import plain
from producers.certificates import Certificate, living

PER_PAGE: Final = 24

Side = Literal["after", "before"]

COLUMNS: Final[Mapping[Facet, SQLColumnExpression[Any]]] = {
    Facet.cluster: Listing.cluster,
    Facet.category: Listing.category,
    Facet.region: Listing.region,
    Facet.province: Listing.province_code,
    Facet.center: Listing.center_id,
    Facet.group: Listing.group_id,
    Facet.storage: Listing.storage,
}
"""Where a listing keeps what a facet asks for; its certificates are rows of their own."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Where a page begins: behind, or before, the listing at this place of the order."""

    side: Side
    place: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Shelf:
    """One page of what fits; the cursors lead to the pages beside it, None at the ends."""

    cards: list[Card]
    before: str | None
    after: str | None


async def shelf(session: AsyncSession, choice: Choice, edge: Edge | None = None, most: int = PER_PAGE) -> Shelf:
    """Return a page of at most `most` that fit the choice: the first one, or the one behind or before an edge."""
    order = order_of(choice)
    if edge and edge.side == "before":
        order = order.reversed()
    where = [*asked(choice), *conditions(choice)]
    if edge:
        where.append(_beyond(order, edge.place))
    found = await cards.cards(session, where, order, most + 1)
    goes_on, page = len(found) > most, found[:most]
    if edge and edge.side == "before":
        page.reverse()
        return _shelf(page, has_before=goes_on, has_after=True)
    return _shelf(page, has_before=edge is not None, has_after=goes_on)


def asked(choice: Choice) -> list[ColumnElement[bool]]:
    """Conditions that no facet counts without: words and prices."""
    found = []
    if choice.words:
        found.append(plain.holding(Listing.search_text, choice.words))
    if choice.least_satang is not None:
        found.append(Listing.price_satang >= choice.least_satang)
    if choice.most_satang is not None:
        found.append(Listing.price_satang <= choice.most_satang)
    return found


def conditions(choice: Choice) -> list[ColumnElement[bool]]:
    """Conditions of all facets that were chosen."""
    kind = choice.picks.get(Facet.certificate)
    return choice.conditions(COLUMNS) + ([certified(kind.value)] if kind else [])


def certified(kind: str) -> ColumnElement[bool]:
    """Condition: a certificate of that kind speaks for the listing, and holds today."""
    held = select(ListingCertificate.listing_id).join(Certificate, Certificate.id == ListingCertificate.certificate_id)
    return Listing.id.in_(held.where(Certificate.kind == kind, living(clock.business_day())))


def order_of(choice: Choice) -> Order:
    match choice.sort:
        case Sort.best:
            return Order((plain.in_name(Listing.search_text, choice.words), *NEWEST.keys), downwards=True)
        case Sort.newest:
            return NEWEST
        case Sort.price:
            return _PRICE_UP
        case Sort.price_down:
            return _PRICE_DOWN
        case Sort.name:
            return BY_NAME


def read_edge(choice: Choice, query: Mapping[str, str]) -> Edge | None:
    """Read where a page begins; None, the first page, for a cursor that is not one of ours."""
    for side in _SIDES:
        if cursor := query.get(side):
            try:
                place = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii"))[:_LONGEST])
                readers = _READERS[choice.sort]
                return Edge(side, tuple(read(value) for read, value in zip(readers, place, strict=True)))
            except (ValueError, TypeError, OverflowError, RecursionError):  # whatever a stranger may write there
                return None
    return None


def _shelf(page: list[Card], *, has_before: bool, has_after: bool) -> Shelf:
    if not page:
        return Shelf(page, None, None)
    return Shelf(
        page,
        before=_cursor(page[0].place) if has_before else None,
        after=_cursor(page[-1].place) if has_after else None,
    )


def _beyond(order: Order, place: tuple[Any, ...]) -> ColumnElement[bool]:
    """Condition: further along the order than a place in it."""
    keys = tuple_(*order.keys)
    return keys < place if order.downwards else keys > place


def _cursor(place: tuple[Any, ...]) -> str:
    written = json.dumps([_written(value) for value in place], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(written.encode()).decode("ascii")


def _written(value: Any) -> int | str:
    if isinstance(value, datetime):
        return (value - _EPOCH) // timedelta(microseconds=1)
    return value.hex if isinstance(value, UUID) else value


def _moment(value: Any) -> datetime:
    return _EPOCH + timedelta(microseconds=_whole(value))


def _whole(value: Any) -> int:
    if not isinstance(value, int) or not -_MOST <= value <= _MOST:
        raise ValueError
    return value


def _id(value: Any) -> UUID:
    return UUID(_text(value))


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError
    value.encode()  # half a letter is no text: UnicodeEncodeError is a ValueError
    return value


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST: Final = 4000
_MOST: Final = 2**63 - 1
_SIDES: Final[tuple[Side, Side]] = ("after", "before")
#: Listings without a price come last either way.
_PRICE_UP: Final = Order((func.coalesce(Listing.price_satang, literal_column(str(_MOST))), Listing.id))
_PRICE_DOWN: Final = Order((func.coalesce(Listing.price_satang, literal_column("0")), Listing.id), downwards=True)
_READERS: Final[Mapping[Sort, tuple[Callable[[Any], Any], ...]]] = {
    Sort.best: (_whole, _moment, _id),
    Sort.newest: (_moment, _id),
    Sort.price: (_whole, _id),
    Sort.price_down: (_whole, _id),
    Sort.name: (_text, _id),
}
