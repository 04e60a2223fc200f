"""A photo, a name, a price and an amount make a listing; whatever was wrong, nobody types or takes a photo twice."""

from datetime import timedelta

import httpx
import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import FrozenClock
from app.people import Person
from catalog import capacity, listings, photos
from catalog.listings import Listing, ListingKind, ListingState
from catalog.photos import Photo
from producers.clusters import Cluster
from producers.groups import Group
from tests import factories, pictures
from tests.catalog.offers import only_variant
from tests.producers import factories as make
from tests.producers.desk import enter, soup, words

NEW = "/desk/groups/khao-mao-group/listings/new"
TYPED = {"name_th": "ข้าวเม่าคลุก", "price": "45", "unit_th": "ถุง 500 ก.", "left": "12", "do": "sell"}


@pytest.fixture
async def owner(session: AsyncSession) -> Person:
    return await factories.person(session, name="ป้าแดง")


@pytest.fixture
async def group(session: AsyncSession, client: httpx.AsyncClient, owner: Person) -> Group:
    group = await make.group(session, owner=owner)
    await enter(client, session, owner)
    return group


async def posted(
    client: httpx.AsyncClient, *files: tuple[str, bytes], status: int = 303, **typed: str | list[str]
) -> BeautifulSoup:
    """Send the form with its photos."""
    uploads = [("photos", (name, data, "image/jpeg")) for name, data in files]
    answer = await client.post(NEW, data=TYPED | typed, files=uploads)
    assert answer.status_code == status, answer.text[:2000]
    return BeautifulSoup(answer.text, "html.parser")


async def all_listings(session: AsyncSession) -> list[Listing]:
    return list(await session.scalars(select(Listing).execution_options(populate_existing=True)))


async def test_a_short_page_makes_a_listing_that_sells(
    client: httpx.AsyncClient, session: AsyncSession, group: Group, owner: Person
) -> None:
    await posted(client, ("IMG_1.jpg", pictures.jpeg()))
    [listing] = await all_listings(session)
    variant = await only_variant(session, listing)
    assert (listing.name_th, listing.state, listing.category) == ("ข้าวเม่าคลุก", ListingState.on_sale, "other-made")
    assert (variant.price_satang, variant.unit_en, variant.net_weight_g) == (4500, "500 g bag", 500)
    assert await capacity.left_of(session, [variant.pool_id]) == {variant.pool_id: 12_000}
    [photo] = await photos.photos_of(session, listing.id)
    assert (photo.position, photo.uploaded_by) == (0, owner.id)


async def test_it_can_wait_as_a_draft(client: httpx.AsyncClient, session: AsyncSession, group: Group) -> None:
    await posted(client, do="draft")
    [listing] = await all_listings(session)
    assert listing.state == ListingState.draft


async def test_the_page_asks_for_little(client: httpx.AsyncClient, group: Group) -> None:
    page = await soup(client, NEW)
    asked = {str(field["name"]) for field in page.select("main input[name]")}
    assert asked == {"photos", "name_th", "price", "unit_th", "left"}
    assert [button["value"] for button in page.select("main button[name=do]")] == ["sell", "draft"]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("name_th", ""), ("price", "สี่สิบ"), ("price", "0"), ("price", ""), ("left", ""), ("left", "มาก"), ("unit_th", "")],
)
async def test_what_is_wrong_is_named_and_everything_typed_comes_back(
    client: httpx.AsyncClient, session: AsyncSession, group: Group, field: str, wrong: str
) -> None:
    page = await posted(client, status=422, **{field: wrong})
    assert page.select_one(f"#f-{field}-error")
    for name in ("name_th", "price", "unit_th", "left"):
        shown = page.select_one(f"#f-{name}")
        assert shown
        assert shown["value"] == (TYPED | {field: wrong})[name]
    assert await all_listings(session) == []


async def test_the_photo_of_a_wrong_form_is_kept(
    client: httpx.AsyncClient, session: AsyncSession, group: Group
) -> None:
    page = await posted(client, ("a.jpg", pictures.jpeg()), ("b.png", pictures.png()), status=422, price="")
    kept = [str(field["value"]) for field in page.select("input[name=kept]")]
    assert "เก็บรูปไว้ให้แล้ว 2 รูป" in words(page)
    await posted(client, ("c.jpg", pictures.jpeg()), kept=kept)
    [listing] = await all_listings(session)
    hung = await photos.photos_of(session, listing.id)
    assert [str(photo.id) for photo in hung[:2]] == kept
    assert [photo.position for photo in hung] == [0, 1, 2]


async def test_a_file_that_is_no_picture_is_named_and_the_good_one_kept(
    client: httpx.AsyncClient, session: AsyncSession, group: Group
) -> None:
    page = await posted(client, ("ราคา.pdf", b"%PDF-1.7"), ("a.jpg", pictures.jpeg()), status=422)
    error = page.select_one("#f-photos-error")
    assert error
    assert "ราคา.pdf" in words(error)
    assert len(page.select("input[name=kept]")) == 1
    assert await all_listings(session) == []


async def test_forbidden_goods_are_refused_beside_the_name_with_the_reason(
    client: httpx.AsyncClient, session: AsyncSession, group: Group
) -> None:
    page = await posted(client, ("a.jpg", pictures.jpeg()), status=422, name_th="สาโทข้าวเหนียว")
    error = page.select_one("#f-name_th-error")
    assert error
    assert "สาโท" in words(error)
    assert len(page.select("input[name=kept]")) == 1
    assert await all_listings(session) == []


async def test_sending_the_form_twice_makes_one_listing(
    client: httpx.AsyncClient, session: AsyncSession, group: Group
) -> None:
    await posted(client, ("a.jpg", pictures.jpeg()))
    await posted(client, ("a.jpg", pictures.jpeg()))
    [listing] = await all_listings(session)
    assert len(await photos.photos_of(session, listing.id)) == 1


async def test_a_second_listing_of_the_same_name_is_refused(
    client: httpx.AsyncClient, session: AsyncSession, group: Group, clock: FrozenClock
) -> None:
    await posted(client)
    clock.jump(timedelta(minutes=10))
    page = await posted(client, status=422)
    assert page.select_one("#f-name_th-error")
    assert len(await all_listings(session)) == 1


async def test_another_groups_photo_cannot_be_taken(
    client: httpx.AsyncClient, session: AsyncSession, group: Group
) -> None:
    theirs = await photos.add(session, (await make.group(session)).id, photos.Original("originals/x.jpg", 9, 9))
    await session.commit()
    await posted(client, kept=[str(theirs.id), "not an id"])
    assert await session.scalar(select(Photo.listing_id).where(Photo.id == theirs.id)) is None
    [listing] = await all_listings(session)
    assert await photos.photos_of(session, listing.id) == []


async def test_guides_and_hosts_offer_visits_without_counting_stock(
    client: httpx.AsyncClient, session: AsyncSession, owner: Person
) -> None:
    await make.group(session, owner=owner, cluster=Cluster.services)
    await enter(client, session, owner)
    page = await soup(client, NEW)
    assert page.select_one("input[name=kind][value=experience][checked]")
    await posted(client, kind="experience", unit_th="คน", left="", name_th="เดินป่าดูต้นน้ำ")
    [listing] = await all_listings(session)
    assert (listing.kind, listing.cluster, listing.category) == (ListingKind.experience, "services", "other-visits")
    assert (await listings.variants_of(session, listing.id))[0].net_weight_g is None
