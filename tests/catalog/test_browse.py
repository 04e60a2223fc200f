"""Browsing shows what is on sale and nothing else; its numbers are true, and its pages leave nothing out."""

import base64
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app import places
from app.clock import FrozenClock
from app.language import Bilingual
from app.people import Person
from catalog import capacity
from catalog.browse import PER_PAGE, Shelf, read_edge, shelf
from catalog.capacity import Want
from catalog.cards import Availability
from catalog.choice import Facet, Sort, read_choice
from catalog.facets import MOST_GROUPS, Facets, facets
from catalog.listings import ListingKind, ListingState, Variant
from producers import certificates, groups
from producers.certificates import CertificateKind
from producers.clusters import Cluster
from producers.groups import Group
from tests import factories as people
from tests.catalog import shelves
from tests.ground.databases import QueryCount
from tests.producers import factories

PHRAE, TRAT = "540101", "230101"


async def look(session: AsyncSession, **query: str) -> Shelf:
    choice = await read_choice(session, query)
    return await shelf(session, choice, read_edge(choice, query))


async def names(session: AsyncSession, **query: str) -> list[str]:
    return [card.listing.name_th for card in (await look(session, **query)).cards]


async def count(session: AsyncSession, **query: str) -> Facets:
    return await facets(session, await read_choice(session, query))


def numbers(found: Facets, facet: Facet) -> Mapping[str, int]:
    return {option.code: option.count for option in found.options[facet]}


async def group_in(session: AsyncSession, owner: Person, subdistrict: str, name: str) -> Group:
    place = places.place(subdistrict)
    assert place is not None
    group = await factories.group(session, owner=owner, name_th=name, name_en=name)
    group.subdistrict_code, group.province_code, group.region = place.code, place.province.code, place.region.id
    await session.flush()
    return group


@pytest.fixture
async def owner(session: AsyncSession) -> Person:
    return await people.person(session)


@pytest.fixture
async def market(session: AsyncSession, owner: Person) -> AsyncSession:
    """Rice and tea from Phrae (the rice organic), dried fish from Trat, sweets from Buri Ram."""
    phrae, trat = await group_in(session, owner, PHRAE, "Phrae Rice"), await group_in(session, owner, TRAT, "Trat Fish")
    organic = await certificates.add(session, phrae, CertificateKind.organic, number="1")
    await shelves.listing(
        session,
        phrae,
        name_th="ข้าวก่ำ",
        price_satang=9000,
        cluster=Cluster.production,
        category="rice-grains",
        certificates=[organic],
    )
    await shelves.listing(session, phrae, name_th="ชา", price_satang=3000, category="drinks")
    await shelves.listing(
        session, trat, name_th="ปลาแห้ง", price_satang=6000, category="fish-seafood", storage="chilled"
    )
    await shelves.listing(session, await factories.group(session, owner=owner), name_th="เม่าคลุก", price_satang=4500)
    return session


NARROWED: list[tuple[dict[str, str], set[str]]] = [
    ({"cluster": "production"}, {"ข้าวก่ำ"}),
    ({"category": "drinks"}, {"ชา"}),
    ({"region": "north"}, {"ข้าวก่ำ", "ชา"}),
    ({"province": "trat"}, {"ปลาแห้ง"}),
    ({"group": "phrae-rice"}, {"ข้าวก่ำ", "ชา"}),
    ({"certificate": "organic"}, {"ข้าวก่ำ"}),
    ({"storage": "chilled"}, {"ปลาแห้ง"}),
    ({"min": "45", "max": "60"}, {"ปลาแห้ง", "เม่าคลุก"}),
    ({"min": "๖๐", "max": "45"}, {"ปลาแห้ง", "เม่าคลุก"}),
    ({"province": "phrae", "max": "50"}, {"ชา"}),
    ({"q": "phrae ข้าว"}, {"ข้าวก่ำ"}),
    ({"q": "RICE"}, {"ข้าวก่ำ", "ชา", "ปลาแห้ง", "เม่าคลุก"}),
    ({"q": "ไม่มีคำนี้"}, set()),
    ({"cluster": "production", "province": "trat"}, set()),
]


async def test_each_choice_narrows(market: AsyncSession) -> None:
    for query, found in NARROWED:
        assert set(await names(market, **query)) == found, query


async def test_a_centre_shows_the_goods_of_its_groups(session: AsyncSession, owner: Person) -> None:
    center = await factories.center(session)
    await shelves.listing(session, await factories.group(session, owner=owner, at=center), name_th="ของศูนย์นี้")
    await shelves.listing(session, await factories.group(session, owner=owner), name_th="ของศูนย์อื่น")
    assert await names(session, center=center.slug) == ["ของศูนย์นี้"]


COUNTED: list[dict[str, str]] = [
    {},
    {"province": "phrae"},
    {"region": "north", "province": "phrae"},
    {"group": "phrae-rice"},
    {"cluster": "processing-marketing", "category": "drinks"},
    {"certificate": "organic"},
    {"q": "rice", "max": "60"},
    {"storage": "ambient", "region": "north", "sort": "price"},
]


async def test_every_number_is_what_the_page_behind_it_shows(market: AsyncSession) -> None:
    for query in COUNTED:
        choice = await read_choice(market, query)
        counted = await facets(market, choice)
        assert counted.total == len(await names(market, **query))
        for facet, options in counted.options.items():
            for option in options:
                if not option.is_chosen:
                    behind = choice.choosing(facet, option.code)
                    assert option.count == len(await names(market, **behind)) > 0, behind


async def test_choosing_a_province_keeps_the_numbers_of_the_others(market: AsyncSession) -> None:
    before, after = await count(market), await count(market, province="phrae")
    assert numbers(before, Facet.province) == numbers(after, Facet.province) == {"phrae": 2, "trat": 1, "buri-ram": 1}
    assert numbers(after, Facet.cluster) == {"production": 1, "processing-marketing": 1}
    assert [option.code for option in after.options[Facet.province] if option.is_chosen] == ["phrae"]


async def test_what_is_chosen_stays_among_the_options_though_nothing_fits(market: AsyncSession) -> None:
    found = await count(market, province="trat", certificate="organic")
    assert found.total == 0
    assert [(option.code, option.count) for option in found.options[Facet.certificate]] == [("organic", 0)]


async def test_only_the_largest_groups_are_offered_and_the_chosen_one(session: AsyncSession, owner: Person) -> None:
    for n in range(MOST_GROUPS + 2):
        group = await factories.group(session, owner=owner, name_th=f"กลุ่ม {n}", name_en=f"Group {n}")
        for _ in range(1 if n == 0 else 2):
            await shelves.listing(session, group)
    assert len((await count(session)).options[Facet.group]) == MOST_GROUPS
    chosen = (await count(session, group="group-0")).options[Facet.group]
    assert [(option.code, option.count) for option in chosen if option.is_chosen] == [("group-0", 1)]


async def test_what_is_not_on_sale_never_shows(session: AsyncSession, owner: Person) -> None:
    group = await factories.group(session, owner=owner)
    await shelves.listing(session, group, name_th="ร่าง", state=ListingState.draft)
    await shelves.listing(session, group, name_th="พัก", state=ListingState.paused)
    await shelves.listing(session, await factories.group(session, owner=owner, approved=False), name_th="รออนุมัติ")
    closed = await factories.group(session, owner=owner)
    await shelves.listing(session, closed, name_th="ปิดแล้ว")
    groups.close(closed, by=owner, because="เลิกกลุ่ม")
    await session.flush()
    assert await names(session) == []
    assert await count(session) == Facets(0, {facet: [] for facet in Facet})
    assert (await count(session, group=closed.slug)).total == 0


async def test_an_expired_or_removed_certificate_narrows_to_nothing(
    session: AsyncSession, owner: Person, clock: FrozenClock
) -> None:
    group = await factories.group(session, owner=owner)
    expires = clock.now().date() + timedelta(days=1)
    gap = await certificates.add(session, group, CertificateKind.gap, number="1", expires_on=expires)
    halal = await certificates.add(session, group, CertificateKind.halal, number="2")
    await shelves.listing(session, group, certificates=[gap, halal])
    assert numbers(await count(session), Facet.certificate) == {"gap": 1, "halal": 1}
    certificates.remove(halal, by=owner)
    clock.jump(timedelta(days=2))
    assert numbers(await count(session), Facet.certificate) == {}
    assert await names(session, certificate="gap") == await names(session, certificate="halal") == []
    assert (await look(session)).cards[0].certificates == []


async def test_sold_out_and_out_of_season_show_as_such(
    session: AsyncSession, owner: Person, clock: FrozenClock
) -> None:
    group = await factories.group(session, owner=owner)
    await shelves.listing(session, group, name_th="มีของ")
    await shelves.listing(session, group, name_th="หมด", left_milli=0)
    await shelves.listing(session, group, name_th="นอกฤดู", season_from_month=4, season_to_month=6)
    await shelves.listing(session, group, name_th="ทริป", kind=ListingKind.experience)
    await shelves.listing(session, group, name_th="ถามราคา", price_satang=None)
    assert {card.listing.name_th: card.availability for card in (await look(session)).cards} == {
        "มีของ": Availability.here,
        "หมด": Availability.sold_out,
        "นอกฤดู": Availability.out_of_season,
        "ทริป": Availability.on_asking,
        "ถามราคา": Availability.on_asking,
    }


async def test_goods_whose_hold_ran_out_can_be_had_again(
    session: AsyncSession, owner: Person, clock: FrozenClock
) -> None:
    listing = await shelves.listing(session, await factories.group(session, owner=owner), left_milli=2000)
    (card,) = (await look(session)).cards
    want = Want(card.offers[0].variant.pool_id, listing.id, 1500)
    await capacity.hold(session, [want], clock.now() + timedelta(hours=1))
    assert (await look(session)).cards[0].availability is Availability.sold_out
    clock.jump(timedelta(hours=1))
    assert (await look(session)).cards[0].availability is Availability.here


async def test_a_card_shows_the_cheapest_that_can_be_had(session: AsyncSession, owner: Person) -> None:
    listing = await shelves.listing(
        session, await factories.group(session, owner=owner), price_satang=3000, left_milli=0
    )
    await shelves.variant(session, listing, price_satang=9000, position=1, unit_th="ลัง")
    await shelves.variant(session, listing, price_satang=None, position=2)
    (card,) = (await look(session)).cards
    assert card.availability is Availability.here
    assert card.first is not None
    assert card.first.variant.unit_th == "ลัง"
    assert card.has_other_prices


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("newest", ["ใบเตย", "ไก่", "ขนุน", "กล้วย"]),
        ("price", ["ไก่", "กล้วย", "ใบเตย", "ขนุน"]),
        ("price-down", ["ใบเตย", "กล้วย", "ไก่", "ขนุน"]),
        ("name", ["กล้วย", "ไก่", "ขนุน", "ใบเตย"]),
    ],
)
async def test_listings_are_sorted(session: AsyncSession, owner: Person, sort: str, expected: list[str]) -> None:
    """By name as Thai dictionaries do; what has no price comes last, whichever way prices run."""
    group = await factories.group(session, owner=owner)
    for name, price in {"กล้วย": 2000, "ขนุน": None, "ไก่": 1000, "ใบเตย": 3000}.items():
        await shelves.listing(session, group, name_th=name, price_satang=price)
    assert await names(session, sort=sort) == expected


async def test_words_in_the_name_come_first(session: AsyncSession, owner: Person) -> None:
    await shelves.listing(session, await factories.group(session, owner=owner), name_th="ชามะลิ")
    await shelves.listing(session, await factories.group(session, owner=owner, name_th="กลุ่มมะลิหอม"), name_th="ขนมใหม่")
    assert await names(session, q="มะลิ") == ["ชามะลิ", "ขนมใหม่"]
    assert await names(session, q="มะลิ", sort="newest") == ["ขนมใหม่", "ชามะลิ"]


async def test_words_are_found_however_they_are_typed(session: AsyncSession, owner: Person) -> None:
    await shelves.listing(session, await factories.group(session, owner=owner), name_th="น้ำแม่กา", name_en="Café")
    for typed in ("เเม่", "แม่", "  แม่\tกา ", "กา แม่", "น้ํา", "น้ำ", "CAFÉ", "cafe\u0301"):
        assert await names(session, q=typed) == ["น้ำแม่กา"], typed


async def test_signs_in_words_mean_themselves(session: AsyncSession, owner: Person) -> None:
    await shelves.listing(session, await factories.group(session, owner=owner), name_th="ธรรมดา")
    for typed in ("100%", "_", "%", "\\", "'; --"):
        assert await names(session, q=typed) == [], typed


async def walk(session: AsyncSession, query: dict[str, str]) -> tuple[list[str], str | None]:
    """Visit every page forwards; return the names and the cursor back from the last page."""
    seen: list[str] = []
    page = await look(session, **query)
    while True:
        seen += [card.listing.name_th for card in page.cards]
        if page.after is None:
            return seen, page.before
        page = await look(session, **query, after=page.after)


@pytest.mark.parametrize("sort", [*Sort])
async def test_pages_show_everything_once_and_lead_back(session: AsyncSession, owner: Person, sort: Sort) -> None:
    group = await factories.group(session, owner=owner)
    for n in range(2 * PER_PAGE + 3):
        price = None if n % 10 == 9 else 1000 + n % 4
        published = group.applied_at + timedelta(minutes=n // 7)
        await shelves.listing(session, group, name_th=f"ของ {n % 30}-{n}", price_satang=price, published_at=published)
    query = {"sort": sort.value, "q": "ของ"}
    seen, back = await walk(session, query)
    assert len(seen) == len(set(seen)) == 2 * PER_PAGE + 3
    middle = await look(session, **query, before=back or "")
    assert [card.listing.name_th for card in middle.cards] == seen[PER_PAGE : 2 * PER_PAGE]
    first = await look(session, **query, before=middle.before or "")
    assert [card.listing.name_th for card in first.cards] == seen[:PER_PAGE]
    assert first.before is None


@pytest.mark.parametrize("sort", ["newest", "price", "name"])
async def test_listings_that_come_and_go_move_nobody(session: AsyncSession, owner: Person, sort: str) -> None:
    group = await factories.group(session, owner=owner)
    listings = [
        await shelves.listing(session, group, name_th=f"ของ {n:03}", price_satang=1000 + n) for n in range(3 * PER_PAGE)
    ]
    query = {"sort": sort}
    page = await look(session, **query)
    seen = [card.listing.name_th for card in page.cards]
    while page.after:
        gone = page.cards[-1].listing  # the very listing that the next page begins behind
        gone.state = ListingState.paused
        await shelves.listing(session, group, name_th=f"ก่อน {len(seen)}", price_satang=1)
        await session.flush()
        page = await look(session, **query, after=page.after)
        seen += [card.listing.name_th for card in page.cards]
    assert [name for name in seen if name.startswith("ของ")] == sorted(
        (each.name_th for each in listings), reverse=sort == "newest"
    )


def cursor(*place: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


HOSTILE = (
    *("x", "%00", "é", "....", "=", "AAAA" * 5000, cursor(), cursor(1), cursor(None, None), cursor([[]], {})),
    *(cursor(10**30, "0" * 32), cursor(-(2**63), "0" * 32), cursor(1, "z" * 32), cursor(1, 1), cursor(1.5, "0" * 32)),
    *(
        cursor("a\0b", "0" * 32),
        cursor("\ud800", "0" * 32),
        cursor(True, 2**62, "0" * 32),
        cursor(2, 2**63 - 1, "0" * 32),
    ),
    base64.urlsafe_b64encode(b"[" * 3000).decode(),
)


@pytest.mark.parametrize("sort", [*Sort])
async def test_a_cursor_that_is_not_ours_leads_to_the_first_page(
    session: AsyncSession, owner: Person, sort: Sort
) -> None:
    await shelves.listing(session, await factories.group(session, owner=owner), name_th="อยู่นี่")
    for hostile in HOSTILE:
        for side in ("after", "before"):
            page = await look(session, sort=sort.value, q="อยู่", **{side: hostile})
            assert [card.listing.name_th for card in page.cards] == ["อยู่นี่"], hostile


MISREAD: list[tuple[dict[str, str], list[str]]] = [
    ({"cluster": "weapons"}, ["weapons"]),
    ({"province": "atlantis"}, ["atlantis"]),
    ({"group": "no-such-group", "center": "1' OR 1=1"}, ["1' OR 1=1", "no-such-group"]),
    ({"min": "abc", "max": "-5"}, ["abc", "-5"]),
    ({"sort": "random"}, ["random"]),
    ({"certificate": "\x00\ud800", "q": "\x00"}, []),
    ({"category": "x" * 10_000}, ["x" * 40]),
]


async def test_what_cannot_be_read_is_left_out_and_said(market: AsyncSession) -> None:
    for query, told in MISREAD:
        choice = await read_choice(market, query)
        assert len((await shelf(market, choice)).cards) == 4, query
        assert [message.params["typed"] for message in choice.misread] == told


async def test_a_choice_survives_its_address(market: AsyncSession) -> None:
    query = {"cluster": "production", "province": "phrae", "group": "phrae-rice", "certificate": "organic",
             "min": "10.50", "max": "90", "q": "ข้าว", "sort": "price"}  # fmt: skip
    choice = await read_choice(market, query)
    assert choice.params() == query
    assert list(choice.params()) == list(query)
    assert choice.page_params() == {"cluster": "production", "province": "phrae", "group": "phrae-rice"}
    assert "group" not in choice.choosing(Facet.province, "trat")
    assert "cluster" not in choice.choosing(Facet.cluster, "production")
    assert choice.picks[Facet.group].name == Bilingual("Phrae Rice", "Phrae Rice")


@pytest.mark.parametrize("query", [{}, {"group": "khao-mao-group", "q": "ข้าว", "certificate": "organic"}])
async def test_browsing_asks_four_times_however_much_there_is(
    session: AsyncSession,
    owner: Person,
    query: dict[str, str],
    query_count: Callable[[], AbstractContextManager[QueryCount]],
) -> None:
    group = await factories.group(session, owner=owner)
    organic = await certificates.add(session, group, CertificateKind.organic, number="1")
    asked = []
    for _ in range(3):
        await shelves.listing(session, group, certificates=[organic])
        await session.flush()
        with query_count() as queries:
            choice = await read_choice(session, query)
            await shelf(session, choice)
            await facets(session, choice)
        asked.append(len(queries))
    assert asked == [3 + bool(query)] * 3


async def test_a_listing_whose_variants_are_all_closed_is_asked_for(session: AsyncSession, owner: Person) -> None:
    listing = await shelves.listing(session, await factories.group(session, owner=owner))
    await session.execute(delete(Variant).where(Variant.listing_id == listing.id))
    (card,) = (await look(session)).cards
    assert (card.first, card.availability) == (None, Availability.on_asking)
