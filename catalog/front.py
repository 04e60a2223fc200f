"""The front page: what is new, some of the stalls under their cloths, and how much each cluster and region has."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app import clock
from app.settings import settings
from app.short_memory import ShortMemory
from catalog.cards import NEWEST, Availability, Card, Seller, cards, on_shelf
from catalog.choice import Choice, Facet
from catalog.facets import Facets, facets
from catalog.listings import Listing
from producers.groups import Group, GroupState

MOST_NEW: Final = 8
MOST_SELLERS: Final = 8
MOST_OF_A_GROUP: Final = 2
LOOKED_AT: Final = 24
"""Of the newest listings, so that the front page shows what can be had."""


@dataclass(frozen=True, slots=True)
class Front:
    newest: Sequence[Card]
    sellers: Sequence[Seller]
    facets: Facets

    def count_of(self, cluster: str) -> int:
        return next((option.count for option in self.facets.options[Facet.cluster] if option.code == cluster), 0)


async def front(session: AsyncSession) -> Front:
    newest = await cards(session, (_among_its_groups_newest(),), NEWEST, LOOKED_AT)
    can_be_had = [card for card in newest if card.availability in {Availability.here, Availability.on_asking}]
    sellers = await _memory.recall(
        clock.business_day(), settings().counts_memory_seconds, partial(_sellers_of_the_day, session)
    )
    return Front(can_be_had[:MOST_NEW], sellers, await facets(session, Choice({})))


def _among_its_groups_newest() -> ColumnElement[bool]:
    """Condition: few newer listings of the same group are on sale, so that one busy group leaves room for others."""
    newer = aliased(Listing)
    return ~(
        select(newer.id)
        .where(
            newer.group_id == Listing.group_id,
            newer.state == Listing.state,
            newer.is_open,
            tuple_(newer.published_at, newer.id) > tuple_(Listing.published_at, Listing.id),
        )
        .correlate(Listing)
        .offset(MOST_OF_A_GROUP - 1)
        .exists()
    )


async def _sellers_of_the_day(session: AsyncSession) -> list[Seller]:
    """Some groups with something on sale, others every day: each has the same chance, and nobody pays for it."""
    has_goods = select(Listing.id).where(Listing.group_id == Group.id, on_shelf()).exists()
    rows = await session.execute(
        select(Group.slug, Group.name_th, Group.name_en, Group.province_code)
        .where(Group.state == GroupState.approved, has_goods)
        .order_by(func.md5(Group.slug + str(clock.business_day())))
        .limit(MOST_SELLERS)
    )
    return [Seller(*row) for row in rows]


_memory: Final[ShortMemory[list[Seller]]] = ShortMemory(2)
