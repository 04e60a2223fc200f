"""The group's desk of goods: the list, where price and amount change in two taps, and who may do what."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import httpx
import pytest
from bs4 import Tag
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock as market_clock
from app.access import Role
from app.database import new_id
from app.people import Person
from catalog import capacity, photos, wares
from catalog.capacity import Want
from catalog.listings import Listing, ListingState
from catalog.photos import Original
from catalog.wares import Terms, Words
from producers.groups import Group
from tests import factories
from tests.catalog.offers import BAG, SWEETS, offered, only_variant
from tests.ground.databases import QueryCount
from tests.producers import factories as make
from tests.producers.desk import enter, sent, soup, words

LIST = "/desk/groups/khao-mao-group/listings"


@pytest.fixture
async def owner(session: AsyncSession) -> Person:
    return await factories.person(session, name="ป้าแดง")


@pytest.fixture
async def group(session: AsyncSession, client: httpx.AsyncClient, owner: Person) -> Group:
    """A group that sends parcels; `client` is signed in as its owner."""
    group = await make.group(session, owner=owner)
    group.pickup_enabled = True
    await enter(client, session, owner)
    return group


@pytest.fixture
async def listing(session: AsyncSession, group: Group) -> Listing:
    """Ten bags at 45 baht, on sale."""
    listing = await offered(session, group)
    await session.commit()
    return listing


async def left(session: AsyncSession, listing: Listing) -> int:
    variant = await only_variant(session, listing)
    return (await capacity.left_of(session, [variant.pool_id]))[variant.pool_id]


async def price(session: AsyncSession, listing: Listing) -> int | None:
    await session.refresh(listing)
    return listing.price_satang


def typed(form: Tag) -> dict[str, str]:
    """What a form sends when nobody changes anything."""
    return {str(field["name"]): str(field["value"]) for field in form.select("input[name]")}


async def amounts_form(client: httpx.AsyncClient, listing: Listing) -> tuple[str, dict[str, str]]:
    """The small form in the list: where it goes, and what it sends as it stands."""
    form = (await soup(client, LIST)).select_one(f"#{listing.slug} form[action$=amounts]")
    assert form
    return str(form["action"]), typed(form)


async def test_an_empty_stall_teaches_the_first_step(client: httpx.AsyncClient, group: Group) -> None:
    page = await soup(client, LIST)
    assert page.select_one(f'.empty a[href="{LIST}/new"]')


async def test_the_list_shows_what_there_is_and_its_state(client: httpx.AsyncClient, listing: Listing) -> None:
    row = (await soup(client, LIST)).select_one(f"#{listing.slug}")
    assert row
    assert "ข้าวเม่าสด" in words(row)
    assert "กำลังขาย" in words(row)
    assert [field["value"] for field in row.select("input.input")] == ["45", "10"]


async def test_price_and_amount_change_right_in_the_list(
    client: httpx.AsyncClient, session: AsyncSession, listing: Listing
) -> None:
    path, form = await amounts_form(client, listing)
    await sent(client, path, **form | {"price": "๕๐", "left": "12"})
    assert (await price(session, listing), await left(session, listing)) == (5000, 12_000)


async def test_somebody_who_only_changes_the_price_leaves_the_amount_to_the_buyers(
    client: httpx.AsyncClient, session: AsyncSession, listing: Listing
) -> None:
    path, form = await amounts_form(client, listing)
    await capacity.hold(session, [await wanted(session, listing, 3000)], market_clock.now() + timedelta(hours=1))
    await session.commit()
    await sent(client, path, **form | {"price": "50"})
    assert (await price(session, listing), await left(session, listing)) == (5000, 7000)


async def test_an_amount_that_moved_meanwhile_is_asked_for_again(
    client: httpx.AsyncClient, session: AsyncSession, listing: Listing
) -> None:
    path, form = await amounts_form(client, listing)
    await capacity.hold(session, [await wanted(session, listing, 3000)], market_clock.now() + timedelta(hours=1))
    await session.commit()
    page = await sent(client, path, 422, **form | {"left": "12"})
    again = page.select_one(f"#{listing.slug} form[action$=amounts]")
    assert again
    assert "เหลือ 7" in words(page)
    assert (typed(again)["left"], typed(again)["seen_left"]) == ("12", "7")
    assert "จองไว้อีก 3" in words(page)
    await sent(client, path, **typed(again))
    assert await left(session, listing) == 12_000


@pytest.mark.parametrize("wrong", ["", "ห้าสิบ", "-3", "0", "9" * 30])
async def test_a_wrong_price_is_shown_beside_its_field_as_it_was_typed(
    client: httpx.AsyncClient, session: AsyncSession, listing: Listing, wrong: str
) -> None:
    path, form = await amounts_form(client, listing)
    page = await sent(client, path, 422, **form | {"price": wrong, "left": "12"})
    field = page.select_one(f"#price-{listing.slug}-0")
    assert field
    assert (field["value"], field["aria-invalid"]) == (wrong, "true")
    assert page.select_one(f"#{field['aria-describedby']}")
    assert (await price(session, listing), await left(session, listing)) == (4500, 10_000)


async def test_a_listing_rests_and_comes_back(
    client: httpx.AsyncClient, session: AsyncSession, listing: Listing
) -> None:
    await sent(client, f"{LIST}/{listing.slug}/pause")
    await session.refresh(listing)
    assert listing.state == ListingState.paused
    await sent(client, f"{LIST}/{listing.slug}/sell")
    await session.refresh(listing)
    assert listing.state == ListingState.on_sale


async def test_without_a_price_nothing_goes_on_sale_and_the_reason_is_told(
    client: httpx.AsyncClient, session: AsyncSession, group: Group
) -> None:
    draft = await wares.offer(session, group, Words("ข้าวเม่า"), SWEETS, Terms("ถุง"))
    await session.commit()
    await sent(client, f"{LIST}/{draft.slug}/sell")
    page = await soup(client, LIST)
    assert "ราคา" in words(page.select_one(".notices") or page)
    await session.refresh(draft)
    assert draft.state == ListingState.draft


async def test_the_list_says_why_something_is_not_on_sale(
    client: httpx.AsyncClient, session: AsyncSession, group: Group, owner: Person
) -> None:
    listing = await offered(session, group)
    group.pickup_enabled = False
    await session.commit()
    row = (await soup(client, LIST)).select_one(f"#{listing.slug}")
    assert row
    assert "ยังไม่ขึ้นแผง" in words(row)
    assert len(row.select(".hint")) == 1


async def test_a_listing_page_leads_to_its_parts_and_says_what_would_make_it_better(
    client: httpx.AsyncClient, session: AsyncSession, group: Group
) -> None:
    bare = await wares.offer(session, group, Words("ข้าวเม่า"), SWEETS, BAG)
    await session.commit()
    page = await soup(client, f"{LIST}/{bare.slug}")
    for part in ("photos", "words", "sizes", "details", "certificates"):
        assert page.select_one(f'nav a[href="{LIST}/{bare.slug}/{part}"]')
        await soup(client, f"{LIST}/{bare.slug}/{part}")
    assert {str(hint["href"]).rpartition("/")[2] for hint in page.select("section li a")} == {"photos", "words"}


async def test_something_called_new_has_a_page_of_its_own(
    client: httpx.AsyncClient, session: AsyncSession, group: Group
) -> None:
    listing = await offered(session, group, Words("ใหม่", "New"))
    await session.commit()
    assert "ใหม่" in words(await soup(client, f"{LIST}/{listing.slug}"))


async def test_a_packer_looks_and_changes_nothing(
    client: httpx.AsyncClient, session: AsyncSession, group: Group
) -> None:
    listing = await offered(session, group)
    await enter(client, session, await make.member(session, group, Role.packer))
    page = await soup(client, LIST)
    assert "฿45" in words(page)
    assert page.select("main form, main a[href$=new]") == []
    for path in ("/new", f"/{listing.slug}", f"/{listing.slug}/words", f"/{listing.slug}/photos"):
        await soup(client, LIST + path, 404)
    for path in ("/new", *(f"/{listing.slug}/{each}" for each in ("amounts", "sell", "pause", "words", "sizes"))):
        await sent(client, LIST + path, 404)
    await session.refresh(listing)
    assert listing.state == ListingState.on_sale


async def test_another_groups_goods_look_as_if_they_did_not_exist(
    client: httpx.AsyncClient, session: AsyncSession, group: Group
) -> None:
    theirs = await offered(session, await make.group(session, name_en="Weavers"))
    await session.commit()
    await soup(client, f"{LIST}/{theirs.slug}", 404)
    await sent(client, f"{LIST}/{theirs.slug}/pause", 404)
    await soup(client, "/desk/groups/weavers/listings", 404)
    own = await offered(session, group)
    await session.commit()
    path, form = await amounts_form(client, own)
    theirs_variant = await only_variant(session, theirs)
    await sent(client, path, 404, **form | {"variant": str(theirs_variant.id), "price": "1"})


async def test_a_group_that_waits_gets_everything_ready(
    client: httpx.AsyncClient, session: AsyncSession, owner: Person
) -> None:
    group = await make.group(session, owner=owner, approved=False)
    listing = await offered(session, group)
    await enter(client, session, owner)
    page = await soup(client, LIST)
    assert page.select_one(f"#{listing.slug} form[action$=amounts]")
    assert "รอการอนุมัติ" in words(page)


@pytest.mark.parametrize("path", ["", "/{slug}", "/{slug}/photos", "/{slug}/sizes", "/{slug}/certificates"])
async def test_a_page_asks_as_often_for_three_as_for_one(
    client: httpx.AsyncClient,
    session: AsyncSession,
    group: Group,
    query_count: Callable[[], AbstractContextManager[QueryCount]],
    path: str,
) -> None:
    first = await stocked(session, group, 0)
    one = await asked(client, LIST + path.format(slug=first.slug), query_count)
    for number in (1, 2):
        await stocked(session, group, number)
        await wares.add_variant(session, first, Terms(f"ถุง {number} กก."))
        await photos.add(session, group.id, Original("originals/x.jpg", 9, 9), listing_id=first.id)
    await session.commit()
    assert await asked(client, LIST + path.format(slug=first.slug), query_count) == one


async def asked(
    client: httpx.AsyncClient, path: str, query_count: Callable[[], AbstractContextManager[QueryCount]]
) -> int:
    with query_count() as queries:
        await soup(client, path)
    return len(queries)


async def stocked(session: AsyncSession, group: Group, number: int) -> Listing:
    """A listing with a photo."""
    listing = await offered(session, group, Words(f"ข้าวเม่า {number}"))
    await photos.add(session, group.id, Original("originals/x.jpg", 9, 9), listing_id=listing.id)
    await session.commit()
    return listing


async def wanted(session: AsyncSession, listing: Listing, amount_milli: int) -> Want:
    return Want((await only_variant(session, listing)).pool_id, new_id(), amount_milli)
