"""Browsing shows what is on sale and nothing else; its numbers are true, and its pages leave nothing out."""

import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock as market_clock
from app.clock import FrozenClock
from catalog import browse, capacity
from catalog.browse import Shelf, read_edge, shelf
from catalog.capacity import Want
from catalog.cards import Availability
from catalog.choice import Facet, read_choice
from catalog.facets import Facets, facets
from catalog.listings import ListingKind, ListingState
from producers import certificates, groups
from producers.certificates import CertificateKind
from producers.clusters import Cluster
from tests.catalog import shelves
from tests.producers import factories


async def look(session: AsyncSession, **query: str) -> Shelf:
    choice = await read_choice(session, query)
    return await shelf(session, choice, read_edge(choice, query))


async def names(session: AsyncSession, **query: str) -> list[str]:
    return [card.listing.name_th for card in (await look(session, **query)).cards]


async def count(session: AsyncSession, **query: str) -> Facets:
    return await facets(session, await read_choice(session, query))


def numbers(found: Facets, facet: Facet) -> Mapping[str, int]:
    return {option.code: option.count for option in found.options[facet]}


async def test_one(session: AsyncSession) -> None:
    group = await factories.group(session)
    await shelves.listing(session, group, name_th="ข้าวเม่าคลุก")
    assert await names(session) == ["ข้าวเม่าคลุก"]
    for sort in ("newest", "price", "price-down", "name", "best"):
        assert await names(session, sort=sort) == ["ข้าวเม่าคลุก"]
    found = await count(session, certificate="organic", group=group.slug, province="buri-ram")
    print(found)
    found = await count(session)
    print(found)
    s = await look(session, q="ข้าว khao", sort="price")
    print(s)
