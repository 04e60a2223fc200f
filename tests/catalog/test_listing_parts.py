"""The pages of a listing's parts: words, shelf and season, sizes, certificates, photos."""

from uuid import UUID

import httpx
import pytest
from bs4 import BeautifulSoup
from sqlalchemy.ext.asyncio import AsyncSession

from app import worker
from app.people import Person
from catalog import capacity, listings, photos, stall, wares
from catalog.listings import Listing, ListingState
from catalog.photos import Original
from catalog.seasons import Season
from catalog.wares import Terms
from producers import certificates
from producers.certificates import CertificateKind
from producers.groups import Group
from tests import factories, pictures
from tests.catalog.offers import offered, only_variant
from tests.producers import factories as make
from tests.producers.desk import enter, sent, soup, words

SIZE = {"unit_th": "ถุง 1 กก.", "price": "85", "step": "1", "least": "", "left": "4"}


@pytest.fixture
async def owner(session: AsyncSession) -> Person:
    return await factories.person(session, name="ป้าแดง")


@pytest.fixture
async def group(session: AsyncSession, client: httpx.AsyncClient, owner: Person) -> Group:
    group = await make.group(session, owner=owner)
    await enter(client, session, owner)
    return group


@pytest.fixture
async def listing(session: AsyncSession, group: Group) -> Listing:
    listing = await offered(session, group)
    await session.commit()
    return listing


def part(listing: Listing, name: str) -> str:
    return f"/desk/groups/khao-mao-group/listings/{listing.slug}/{name}"


async def with_photos(session: AsyncSession, listing: Listing, count: int) -> list[UUID]:
    added = [
        await photos.add(session, listing.group_id, Original("originals/x.jpg", 9, 9), listing_id=listing.id)
        for _ in range(count)
    ]
    await session.commit()
    return [photo.id for photo in added]


async def in_order(session: AsyncSession, listing: Listing) -> list[UUID]:
    session.expire_all()
    await session.refresh(listing)
    return [photo.id for photo in await photos.photos_of(session, listing.id)]


async def test_words_change_in_both_languages(
    client: httpx.AsyncClient, session: AsyncSession, listing: Listing
) -> None:
    page = await soup(client, part(listing, "words"))
    assert "ตำใหม่ทุกเช้า" in words(page)
    await sent(client, part(listing, "words"), name_th="ข้าวเม่าทอด", name_en="Fried khao mao", description_th="กรอบ")
    await session.refresh(listing)
    assert (listing.name_th, listing.name_en, listing.description_th) == ("ข้าวเม่าทอด", "Fried khao mao", "กรอบ")
    assert listing.description_en is None


async def test_forbidden_words_stand_beside_their_field_and_nothing_typed_is_lost(
    client: httpx.AsyncClient, session: AsyncSession, listing: Listing
) -> None:
    page = await sent(client, part(listing, "words"), 422, name_th="เหล้าขาว", description_th="เรื่องยาว ๆ ที่พิมพ์ไว้")
    assert page.select_one("#f-name_th-error")
    assert "เรื่องยาว ๆ ที่พิมพ์ไว้" in words(page)
    await session.refresh(listing)
    assert listing.name_th == "ข้าวเม่าสด"


async def test_shelf_season_and_storage_are_chosen(
    client: httpx.AsyncClient, session: AsyncSession, listing: Listing
) -> None:
    await sent(client, part(listing, "details"), category="fruit", storage="chilled", season_from="11", season_to="2")
    await session.refresh(listing)
    assert (listing.category, listing.cluster, listing.storage) == ("fruit", "production", "chilled")
    assert listing.season == Season(11, 2)
    page = await soup(client, part(listing, "details"))
    assert page.select_one("option[value=fruit][selected]")
    assert page.select_one("#f-season_from option[value='11'][selected]")


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"season_from": "5"}, "season_to"),
        ({"season_to": "5"}, "season_from"),
        ({"season_from": "5", "season_to": "13"}, "season_to"),
        ({"category": "day-trips"}, "category"),
        ({"category": "gold"}, "category"),
        ({"category": ""}, "category"),
        ({"storage": "attic"}, "storage"),
    ],
)
async def test_half_a_season_and_a_shelf_of_visits_are_refused(
    client: httpx.AsyncClient, session: AsyncSession, listing: Listing, typed: dict[str, str], field: str
) -> None:
    page = await sent(client, part(listing, "details"), 422, **{"category": "fruit", "storage": "ambient"} | typed)
    assert page.select_one(f"#f-{field}-error")
    await session.refresh(listing)
    assert (listing.category, listing.season) == ("snacks-sweets", None)


async def test_certificates_are_ticked(
    client: httpx.AsyncClient, session: AsyncSession, group: Group, listing: Listing
) -> None:
    assert (await soup(client, part(listing, "certificates"))).select_one(".empty")
    otop = await certificates.add(session, group, CertificateKind.otop, detail="5")
    await session.commit()
    await sent(client, part(listing, "certificates"), certificates=str(otop.id))
    assert await stall.certificates_ticked(session, listing) == {otop.id}
    page = await soup(client, part(listing, "certificates"))
    assert page.select_one(f"input[value='{otop.id}'][checked]")
    await sent(client, part(listing, "certificates"))
    assert await stall.certificates_ticked(session, listing) == set()


async def test_a_size_is_added_with_its_own_price_and_amount(
    client: httpx.AsyncClient, session: AsyncSession, listing: Listing
) -> None:
    await sent(client, part(listing, "sizes"), **SIZE)
    _, size = await listings.variants_of(session, listing.id)
    assert (size.unit_en, size.net_weight_g, size.price_satang) == ("1 kg bag", 1000, 8500)
    assert await capacity.left_of(session, [size.pool_id]) == {size.pool_id: 4000}


async def test_a_size_is_changed_to_sell_by_the_half(
    client: httpx.AsyncClient, session: AsyncSession, listing: Listing
) -> None:
    variant = await only_variant(session, listing)
    typed = SIZE | {"unit_th": "กก.", "step": "0.5", "least": "๑.๕", "weight_g": "1100"}
    await sent(client, part(listing, f"sizes/{variant.id}"), **typed)
    await session.refresh(variant)
    assert (variant.step_milli, variant.least_milli, variant.net_weight_g) == (500, 1500, 1100)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"unit_th": ""}, "unit_th"),
        ({"price": "0.01", "step": "0.5"}, "price"),
        ({"step": "0"}, "step"),
        ({"step": "2", "least": "3"}, "least"),
        ({"weight_g": "900000"}, "weight_g"),
        ({"label_th": "รสไวน์แดง"}, "label_th"),
    ],
)
@pytest.mark.parametrize("size", ["new", "present"])
async def test_what_does_not_fit_a_size_is_named(
    client: httpx.AsyncClient, session: AsyncSession, listing: Listing, typed: dict[str, str], field: str, size: str
) -> None:
    variant = await only_variant(session, listing)
    path, number = ("sizes", 0) if size == "new" else (f"sizes/{variant.id}", 1)
    page = await sent(client, part(listing, path), 422, **SIZE | typed)
    assert page.select_one(f"#{field}-{number}-wrong")
    shown = page.select_one(f"#{field}-{number}")
    assert shown
    assert shown["value"] == typed[field]
    assert [each.unit_th for each in await listings.variants_of(session, listing.id)] == ["ถุง 500 ก."]


async def test_a_size_is_no_longer_offered_but_the_last_one_stays(
    client: httpx.AsyncClient, session: AsyncSession, listing: Listing
) -> None:
    first = await only_variant(session, listing)
    await wares.add_variant(session, listing, Terms("กล่อง"))
    await session.commit()
    await sent(client, part(listing, f"sizes/{first.id}/close"))
    second = await only_variant(session, listing)
    await sent(client, part(listing, f"sizes/{second.id}/close"))
    assert await only_variant(session, listing) is second
    assert "อย่างน้อย" in words(await soup(client, part(listing, "sizes")))


async def test_several_photos_are_added_and_a_wrong_file_is_named(
    client: httpx.AsyncClient, session: AsyncSession, listing: Listing
) -> None:
    files = [("a.jpg", pictures.jpeg()), ("note.txt", b"hello"), ("b.heic", pictures.heic())]
    answer = await client.post(part(listing, "photos"), files=[("photos", (*each, "image/jpeg")) for each in files])
    assert answer.status_code == 422
    assert "note.txt" in answer.text
    assert len(await photos.photos_of(session, listing.id)) == 2


async def test_sending_no_photo_says_so(client: httpx.AsyncClient, listing: Listing) -> None:
    page = await sent(client, part(listing, "photos"), 422)
    assert page.select_one("#f-photos-error")


async def test_more_photos_than_fit_are_refused(
    client: httpx.AsyncClient, session: AsyncSession, listing: Listing
) -> None:
    await with_photos(session, listing, photos.MOST_PHOTOS - 1)
    files = [("photos", (name, pictures.jpeg(), "image/jpeg")) for name in ("a.jpg", "b.jpg")]
    answer = await client.post(part(listing, "photos"), files=files)
    assert answer.status_code == 422
    assert "12" in words(BeautifulSoup(answer.text, "html.parser"))
    assert len(await photos.photos_of(session, listing.id)) == photos.MOST_PHOTOS


async def test_photos_change_places_and_go(client: httpx.AsyncClient, session: AsyncSession, listing: Listing) -> None:
    first, second = await with_photos(session, listing, 2)
    await sent(client, part(listing, f"photos/{second}"), do="forward")
    assert await in_order(session, listing) == [second, first]
    await sent(client, part(listing, f"photos/{second}"), do="remove")
    assert await in_order(session, listing) == [first]
    await sent(client, part(listing, f"photos/{second}"), 404, do="remove")


async def test_a_photo_waits_in_its_place_and_shows_when_it_is_ready(
    client: httpx.AsyncClient, session: AsyncSession, listing: Listing
) -> None:
    await client.post(part(listing, "photos"), files=[("photos", ("a.jpg", pictures.jpeg(), "image/jpeg"))])
    waiting = await soup(client, part(listing, "photos"))
    assert "กำลังเตรียมรูป" in words(waiting)
    assert waiting.select_one("main .cloth")
    await worker.work_off()
    ready = await soup(client, part(listing, "photos"))
    assert "กำลังเตรียมรูป" not in words(ready)
    assert ready.select_one("main picture source[type='image/avif']")


async def test_a_photo_is_described(client: httpx.AsyncClient, session: AsyncSession, listing: Listing) -> None:
    [photo_id] = await with_photos(session, listing, 1)
    await sent(client, part(listing, f"photos/{photo_id}/words"), alt_th="ข้าวเม่าในกระทงใบตอง", alt_en="Khao mao")
    photo = await photos.photo_of(session, listing.id, photo_id)
    await session.refresh(photo)
    assert (photo.alt_th, photo.alt_en) == ("ข้าวเม่าในกระทงใบตอง", "Khao mao")


async def test_parts_speak_english_too(client: httpx.AsyncClient, session: AsyncSession, listing: Listing) -> None:
    for name in ("words", "details", "sizes", "photos", "certificates"):
        page = await soup(client, f"/en{part(listing, name)}")
        heading = page.select_one("h1")
        assert heading
        assert words(heading).isascii()
    await session.refresh(listing)
    assert listing.state == ListingState.on_sale
