"""The public shelves as shoppers, search engines and link previews read them."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from bs4 import BeautifulSoup
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.money import Satang
from app.people import Person
from app.settings import settings
from catalog import capacity, listings
from catalog.browse import PER_PAGE
from catalog.listings import Listing, ListingKind, ListingState
from catalog.photos import Photo, PhotoState
from producers import certificates, fees, groups
from producers.certificates import CertificateKind
from producers.fees import FeeKind
from producers.groups import Group, Storage, Tier
from tests import factories as people
from tests.catalog import shelves
from tests.ground.databases import TUESDAY_MORNING, QueryCount
from tests.producers import factories

Counting = Callable[[], AbstractContextManager[QueryCount]]


@pytest.fixture
async def owner(session: AsyncSession) -> Person:
    return await people.person(session)


@pytest.fixture
async def group(session: AsyncSession, owner: Person) -> Group:
    """A group that sends parcels and hands over at its own place, with the centre's and the fund's fees."""
    group = await factories.group(session, owner=owner)
    group.story_th = "ปู่ย่าตำข้าวเม่า\n</script><b>เรายังตำอยู่</b>"
    await groups.set_parcel_tiers(session, group, Storage.ambient, [Tier(1000, Satang(4000))])
    await groups.set_delivery(session, group, parcel_enabled=True, pickup_enabled=True, cash_enabled=True,
                              pickup_text_th="ศาลากลางบ้าน", pickup_text_en=None, by=owner)  # fmt: skip
    begun = clock.now() - timedelta(days=1)
    await fees.start_rule(
        session, "center", FeeKind.center, name_th="ศูนย์", name_en="Centre", basis_points=500, valid_from=begun
    )
    await fees.start_rule(
        session, "fund", FeeKind.fund, name_th="กองทุน", name_en="Fund", basis_points=200, valid_from=begun
    )
    return group


async def read(client: httpx.AsyncClient, path: str, status: int = 200) -> BeautifulSoup:
    answer = await client.get(path)
    assert answer.status_code == status, answer.text[:2000]
    return BeautifulSoup(answer.text, "html.parser")


def words(soup: BeautifulSoup, where: str = "main") -> str:
    return " ".join(found.get_text(" ", strip=True) for found in soup.select(where))


def graph(soup: BeautifulSoup) -> dict[str, dict[str, Any]]:
    """What the page says to machines, by type."""
    (script,) = soup.select('script[type="application/ld+json"]')
    told = json.loads(script.get_text())
    assert told["@context"] == "https://schema.org"
    return {thing["@type"]: thing for thing in told["@graph"]}


async def test_the_front_page_shows_what_is_new_and_who_sells(
    session: AsyncSession, client: httpx.AsyncClient, group: Group
) -> None:
    await shelves.listing(session, group, name_th="เม่าคลุก")
    await shelves.listing(session, group, name_th="เม่าหมด", left_milli=0)
    await session.commit()
    soup = await read(client, "/")
    assert [card.get_text() for card in soup.select("section h3 a")] == ["เม่าคลุก", "กลุ่มข้าวเม่า"]
    links = [link["href"] for link in soup.select("main .figures a, main .chips a")]
    assert links == ["/market?cluster=production", "/market?cluster=processing-marketing", "/market?cluster=services",
                     "/market?region=northeast"]  # fmt: skip
    assert graph(soup)["WebSite"]["potentialAction"]["target"]["urlTemplate"].endswith("/market?q={words}")


async def test_a_busy_group_leaves_room_among_what_is_new(
    session: AsyncSession, client: httpx.AsyncClient, group: Group
) -> None:
    for name in ("หนึ่ง", "สอง", "สาม"):
        await shelves.listing(session, group, name_th=name)
    await session.commit()
    soup = await read(client, "/")
    assert [card.get_text() for card in soup.select("section:has(#new) h3 a")] == ["สาม", "สอง"]


async def test_an_empty_market_says_what_comes(client: httpx.AsyncClient) -> None:
    assert "กำลังตั้งร้าน" in words(await read(client, "/"))
    assert "กำลังตั้งร้าน" in words(await read(client, "/market"))


async def test_a_listing_tells_everything_a_buyer_asks(
    session: AsyncSession, client: httpx.AsyncClient, group: Group
) -> None:
    fda = await certificates.add(session, group, CertificateKind.fda, number="10-3-03468-5-0007")
    listing = await shelves.listing(
        session, group, left_milli=3000, certificates=[fda], season_from_month=1, season_to_month=12
    )
    await session.commit()
    said = words(await read(client, f"/listings/{listing.slug}"))
    for told in ("ข้าวเม่าคลุก", "฿45", "/ ถุง", "เหลือ 3 ถุง", "กลุ่มข้าวเม่า", "อย.", "10-3-03468-5-0007", "ม.ค.–ธ.ค.",
                 "ค่าส่งเริ่มต้น ฿40", "รับเองที่กลุ่ม: ศาลากลางบ้าน", "จ่ายเงินสดตอนมารับได้", "</script><b>เรายังตำอยู่</b>"):  # fmt: skip
        assert told in said
    english = words(await read(client, f"/en/listings/{listing.slug}"))
    assert "Sweet young rice" in english
    assert "Only 3 left" in english


async def test_the_weight_tells_the_price_of_a_kilogram(
    session: AsyncSession, client: httpx.AsyncClient, group: Group
) -> None:
    listing = await shelves.listing(session, group)
    await session.execute(listings.Variant.__table__.update().values(net_weight_g=250))  # type: ignore[attr-defined]
    await session.commit()
    soup = await read(client, f"/en/listings/{listing.slug}")
    facts = dict(
        zip(*([each.get_text() for each in soup.select(f".facts {tag}")] for tag in ("dt", "dd")), strict=True)
    )
    assert facts == {"Net weight": "250 g", "Per kilogram": "฿180", "How it keeps": "Keeps without cooling"}


async def test_a_listing_shows_where_each_baht_goes(
    session: AsyncSession, client: httpx.AsyncClient, group: Group
) -> None:
    listing = await shelves.listing(session, group, price_satang=10_000)
    await session.commit()
    soup = await read(client, f"/en/listings/{listing.slug}")
    (told,) = soup.select("svg.plot desc")
    assert told.get_text() == "To the group that made it: ฿93; Centre: ฿5; Fund: ฿2"


async def test_the_form_puts_the_least_amount_of_one_variant_into_the_basket(
    session: AsyncSession, client: httpx.AsyncClient, group: Group
) -> None:
    listing = await shelves.listing(session, group, left_milli=0)
    await shelves.variant(session, listing, position=1, step_milli=500, least_milli=1500, left_milli=4700)
    await session.commit()
    form = (await read(client, f"/listings/{listing.slug}")).select_one("form[data-order]")
    assert form is not None
    assert (form["method"], form["action"]) == ("post", "/basket/add")
    sold_out, offered = form.select("input[name=variant_id]")
    assert sold_out.has_attr("disabled")
    assert offered.has_attr("checked")
    amount = form.select_one("input[name=quantity]")
    assert amount is not None
    assert [amount[name] for name in ("value", "data-least", "data-step", "data-most")] == ["1.5", "1.5", "0.5", "4.5"]


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ({"kind": ListingKind.experience}, "Booking here opens soon."),
        ({"price_satang": None}, "The group tells you the price."),
        ({"left_milli": 0}, "Sold out for now."),
        ({"season_from_month": 4, "season_to_month": 5}, "It comes back in April."),
        ({"state": ListingState.paused}, "This is resting for now."),
    ],
)
async def test_what_cannot_be_ordered_says_why(
    session: AsyncSession, client: httpx.AsyncClient, group: Group, made: dict[str, Any], told: str
) -> None:
    listing = await shelves.listing(session, group, **made)
    await session.commit()
    with clock.frozen(TUESDAY_MORNING):
        soup = await read(client, f"/en/listings/{listing.slug}")
    assert told in words(soup)
    assert soup.select("form[data-order]") == []
    assert bool(soup.select('meta[name=robots][content="noindex"]')) == (made.get("state") == ListingState.paused)


async def test_what_was_never_on_sale_is_not_there_and_what_is_gone_says_so(
    session: AsyncSession, client: httpx.AsyncClient, group: Group, owner: Person
) -> None:
    draft = await shelves.listing(session, group, state=ListingState.draft)
    sold = await shelves.listing(session, group)
    await session.commit()
    await read(client, f"/listings/{draft.slug}", 404)
    await read(client, "/listings/never-heard-of", 404)
    groups.close(group, by=owner, because="เลิกกลุ่ม")
    await session.commit()
    await asyncio.sleep(settings().page_memory_seconds)
    assert "ไม่มีขายที่นี่แล้ว" in words(await read(client, f"/listings/{sold.slug}", 410))
    await read(client, f"/groups/{group.slug}", 404)


async def test_sold_out_shows_at_once_to_visitors_and_within_a_second_to_everyone(
    session: AsyncSession, client: httpx.AsyncClient, group: Group
) -> None:
    listing = await shelves.listing(session, group, left_milli=1000)
    await session.commit()
    path = f"/listings/{listing.slug}"
    before = await client.get(path)
    assert "เหลือ 1 ถุง" in before.text
    (variant,) = await listings.variants_of(session, listing.id)
    await capacity.set_left(session, variant.pool_id, 0)
    await session.commit()
    with_basket = await client.get(path, headers={"cookie": "basket=somebody"})
    assert "หมดชั่วคราว" in with_basket.text
    await asyncio.sleep(1)
    after = await client.get(path, headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert "หมดชั่วคราว" in after.text
    unchanged = await client.get(path, headers={"if-none-match": after.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


async def test_browse_links_lead_where_they_say(session: AsyncSession, client: httpx.AsyncClient, group: Group) -> None:
    await shelves.listing(session, group, name_th="เม่าคลุก", price_satang=4500)
    await shelves.listing(session, group, name_th="เม่ากรอบ", price_satang=9000, category="textiles")
    await session.commit()
    soup = await read(client, "/en/market?category=textiles&min=50&q=%E0%B9%80%E0%B8%A1%E0%B9%88%E0%B8%B2&sort=price")
    assert [chip.get_text(strip=True) for chip in soup.select("main .chip")] == [
        "Cloth and clothes",
        "From ฿50",
        "“เม่า”",
        "Clear all",
    ]
    assert [name.get_text() for name in soup.select(".card-name")] == ["Sweet young rice"]
    other = soup.select_one('.facet a[href*="category=snacks-sweets"]')
    assert other is None  # costs less than 50 baht
    hidden = {field["name"]: field["value"] for field in soup.select(".facets input[type=hidden]")}
    assert hidden == {"category": "textiles", "q": "เม่า", "sort": "price"}
    without_price = await read(client, str(soup.select("main .chip")[1]["href"]))
    assert without_price.select_one('.facet a[href*="category=snacks-sweets"] .tally') is not None


async def test_a_misread_address_still_shows_the_shelves(
    session: AsyncSession, client: httpx.AsyncClient, group: Group
) -> None:
    await shelves.listing(session, group)
    await session.commit()
    path = "/en/market?region=mars&min=a%00b&sort=x&after=%FF&certificate=%ED%A0%80&q=%00&cluster=production%20"
    soup = await read(client, path)
    assert "We do not know “mars”, so we left it out." in words(soup)
    field = soup.select_one("input[name=min]")
    assert field is not None
    assert field["value"] == "a b"


async def test_pages_of_a_shelf_are_linked_and_kept_out_of_the_index(
    session: AsyncSession, client: httpx.AsyncClient, group: Group
) -> None:
    for _ in range(PER_PAGE + 1):
        await shelves.listing(session, group)
    await session.commit()
    first = await read(client, "/market?cluster=processing-marketing&sort=name")
    assert first.select("meta[name=robots]") == []
    onward = first.select_one("nav.pages a[rel=next]")
    assert onward is not None
    second = await read(client, str(onward["href"]))
    assert len(second.select(".card")) == 1
    assert [meta["content"] for meta in second.select("meta[name=robots]")] == ["noindex,follow"]
    back = second.select_one("nav.pages a[rel=prev]")
    assert back is not None
    assert len((await read(client, str(back["href"]))).select(".card")) == PER_PAGE


@pytest.mark.parametrize("prefix", ["", "/en"])
async def test_every_page_names_itself_in_both_languages(
    session: AsyncSession, client: httpx.AsyncClient, group: Group, prefix: str
) -> None:
    listing = await shelves.listing(session, group)
    await session.commit()
    address = settings().address
    for path, canonical in {
        "/": "/",
        f"/listings/{listing.slug}": f"/listings/{listing.slug}",
        f"/groups/{group.slug}": f"/groups/{group.slug}",
        "/market?sort=price&region=northeast&storage=ambient&cluster=processing-marketing&max=90":
            "/market?cluster=processing-marketing&region=northeast",
        "/search?q=x&province=buri-ram": "/market?province=buri-ram",
    }.items():  # fmt: skip
        soup = await read(client, prefix + path)
        (link,) = soup.select("link[rel=canonical]")
        assert link["href"] == f"{address}{prefix}{canonical}"
        there = {link["hreflang"]: link["href"] for link in soup.select("link[rel=alternate]")}
        assert there == {"th": address + canonical, "en": f"{address}/en{canonical}", "x-default": address + canonical}


async def test_machines_read_goods_and_offers(session: AsyncSession, client: httpx.AsyncClient, group: Group) -> None:
    organic = await certificates.add(session, group, CertificateKind.organic, number="ORG-1")
    listing = await shelves.listing(session, group, name_th="</script><script>alert(1)", certificates=[organic])
    await shelves.variant(session, listing, price_satang=12_050, left_milli=0, position=1)
    await shelves.variant(session, listing, price_satang=None, position=2)
    await session.commit()
    soup = await read(client, f"/listings/{listing.slug}")
    product = graph(soup)["Product"]
    assert product["name"] == "</script><script>alert(1)"
    assert product["hasCertification"][0]["certificationIdentification"] == "ORG-1"
    assert product["url"] == f"{settings().address}/listings/{listing.slug}"
    told = [(each["price"], each["priceCurrency"], each["availability"]) for each in product["offers"]]
    assert told == [("45.00", "THB", "https://schema.org/InStock"), ("120.50", "THB", "https://schema.org/OutOfStock")]
    assert product["offers"][0]["seller"]["url"] == f"{settings().address}/groups/{group.slug}"
    crumbs = graph(soup)["BreadcrumbList"]["itemListElement"]
    assert [each["position"] for each in crumbs] == [1, 2, 3, 4]
    assert all(each["item"].startswith("http") for each in crumbs)


async def test_machines_read_trips_and_stalls(session: AsyncSession, client: httpx.AsyncClient, group: Group) -> None:
    trip = await shelves.listing(session, group, kind=ListingKind.experience)
    await session.commit()
    told = graph(await read(client, f"/en/listings/{trip.slug}"))["TouristTrip"]
    assert told["provider"]["name"] == "Khao Mao Group"
    assert told["offers"][0]["availability"] == "https://schema.org/PreOrder"
    stall = graph(await read(client, f"/en/groups/{group.slug}"))["Organization"]
    assert stall["address"] == {"@type": "PostalAddress", "addressCountry": "TH", "addressLocality": "Nang Rong",
                                "addressRegion": "Buri Ram"}  # fmt: skip


async def test_a_shared_link_shows_the_photo(session: AsyncSession, client: httpx.AsyncClient, group: Group) -> None:
    listing = await shelves.listing(session, group)
    photo = Photo(group_id=group.id, listing_id=listing.id, position=0, original_key="originals/x", widths=[320, 640],
                  state=PhotoState.ready, width=640, height=480, uploaded_at=clock.now(), alt_th="ข้าวเม่าในใบตอง")  # fmt: skip
    session.add(photo)
    await session.commit()
    soup = await read(client, f"/listings/{listing.slug}")
    told = {meta["property"]: meta["content"] for meta in soup.select("meta[property^=og]")}
    assert told["og:image"] == f"{settings().address}/media/photos/{photo.id.hex}/share.jpg"
    assert (told["og:image:width"], told["og:image:alt"], told["og:type"]) == ("1200", "ข้าวเม่าในใบตอง", "product")
    assert graph(soup)["Product"]["image"] == [f"{settings().address}/media/photos/{photo.id.hex}/640.jpg"]
    assert soup.select_one(".listing-picture source[type='image/avif']") is not None


async def test_a_group_stands_under_its_cloth(session: AsyncSession, client: httpx.AsyncClient, group: Group) -> None:
    await certificates.add(session, group, CertificateKind.otop, detail="5", number="99")
    await shelves.listing(session, group, name_th="เม่าคลุก")
    await shelves.listing(session, group, name_th="เม่าพัก", state=ListingState.paused)
    await session.commit()
    soup = await read(client, f"/groups/{group.slug}")
    (cloth,) = soup.select("img.awning")
    assert cloth["src"] == f"/cloth/{group.slug}.svg?kind=band"
    assert [name.get_text() for name in soup.select(".card-name")] == ["เม่าคลุก"]
    assert "OTOP 5 ดาว" in words(soup)
    assert "ต.หนองโสน อ.นางรอง จ.บุรีรัมย์" in words(soup)
    assert "</script><b>เรายังตำอยู่</b>" in words(soup)


async def test_a_thai_text_on_an_english_page_says_that_it_is_thai(
    session: AsyncSession, client: httpx.AsyncClient, group: Group
) -> None:
    listing = await shelves.listing(session, group, name_th="เม่าคลุก", name_en=None, description_th="อร่อย")
    await session.commit()
    soup = await read(client, f"/en/listings/{listing.slug}")
    assert [found.get_text(strip=True) for found in soup.select("h1 [lang=th], .prose[lang=th] p")][:2] == [
        "เม่าคลุก",
        "อร่อย",
    ]


async def test_one_thing_or_three_the_pages_ask_the_same_questions(
    session: AsyncSession, client: httpx.AsyncClient, group: Group, owner: Person, query_count: Counting
) -> None:
    asked: dict[str, list[int]] = {}
    first: Listing | None = None
    for number in range(3):
        neighbour = await factories.group(session, owner=owner, name_th=f"กลุ่ม {number}", name_en=f"Neighbour {number}")
        paper = await certificates.add(session, group, CertificateKind.organic, number=str(number))
        made = await shelves.listing(session, group, certificates=[paper])
        await shelves.variant(session, made, position=1)
        await shelves.listing(session, neighbour)
        first = first or made
        await session.commit()
        if number == 1:
            continue
        for path in ("/", "/market", "/search?q=ข้าว", f"/listings/{first.slug}", f"/groups/{group.slug}"):
            with query_count() as queries:
                await read(client, f"{path}{'&' if '?' in path else '?'}n={number}")
            asked.setdefault(path, []).append(len(queries))
    assert {path: len(set(counts)) for path, counts in asked.items()} == dict.fromkeys(asked, 1), asked
