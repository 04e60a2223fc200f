"""A photo from a phone: taken in, made ready by the worker, shown; refused or failed in words, never lost halfway."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import files, worker
from app.clock import FrozenClock
from app.forms import Upload
from app.picture_checks import PictureDamaged, PictureKindUnknown
from catalog import darkroom, photos, renditions
from catalog.listings import Listing
from catalog.photos import LOOSE_KEPT, MOST_PHOTOS, Original, Photo, PhotoState, TooManyPhotos
from tests import pictures
from tests.catalog.offers import offered
from tests.ground.databases import QueryCount
from tests.producers import factories


async def listing(session: AsyncSession) -> Listing:
    return await offered(session, await factories.group(session))


async def sent(session: AsyncSession, listing: Listing, data: bytes | None = None, name: str = "IMG_1.jpg") -> Photo:
    """Send a photo for the listing, as a form does."""
    original = await photos.take_in(Upload(name, pictures.jpeg(900, 700) if data is None else data))
    return await photos.add(session, listing.group_id, original, listing_id=listing.id)


async def work(session: AsyncSession) -> None:
    """Have the worker do what is due, and read afresh from then on."""
    await session.commit()
    session.expunge_all()
    await worker.work_off()


async def in_order(session: AsyncSession, listing: Listing) -> list[UUID]:
    return [photo.id for photo in await photos.photos_of(session, listing.id)]


async def test_a_photo_waits_until_the_worker_has_made_it_ready(session: AsyncSession) -> None:
    shown = await listing(session)
    photo = await sent(session, shown)
    assert photo.state == PhotoState.waiting
    assert await photos.covers(session, [shown.id]) == {}
    await work(session)
    cover = (await photos.covers(session, [shown.id]))[shown.id]
    assert (cover.width, cover.height, list(cover.widths)) == (900, 700, [320, 640])
    assert cover.preview.startswith("data:image/webp")


async def test_every_address_of_a_ready_photo_leads_to_a_file(session: AsyncSession, client: httpx.AsyncClient) -> None:
    shown = await listing(session)
    await sent(session, shown)
    await work(session)
    (picture,) = await photos.pictures_of(session, shown)
    srcsets = [picture.srcset(form).split(", ") for form in ("avif", "webp", "jpeg")]
    addresses = [each.split()[0] for srcset in srcsets for each in srcset]
    answers = [await client.get(address) for address in (*addresses, picture.fallback_url, picture.share_url)]
    assert {answer.status_code for answer in answers} == {200}
    kinds = [answer.headers["content-type"] for answer in answers[:6]]
    assert kinds == ["image/avif"] * 2 + ["image/webp"] * 2 + ["image/jpeg"] * 2
    assert answers[0].headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answers[0].headers["x-content-type-options"] == "nosniff"


async def test_the_original_and_anything_else_is_never_served(session: AsyncSession, client: httpx.AsyncClient) -> None:
    photo = await sent(session, await listing(session), pictures.jpeg(900, 700))
    await files.put("media/page.html", b"<script>", "text/html")
    assert await files.get(photo.original_key)
    for path in (
        photo.original_key,
        f"media/{photo.original_key}",
        f"media/../{photo.original_key}",
        "media/page.html",
    ):
        assert (await client.get(f"/{path}")).status_code == 404


async def test_making_a_photo_twice_changes_nothing(session: AsyncSession) -> None:
    shown = await listing(session)
    photo = await sent(session, shown)
    await work(session)
    before = (await photos.covers(session, [shown.id]))[shown.id]
    await darkroom.make_ready({"photo_id": str(photo.id)})
    assert (await photos.covers(session, [shown.id]))[shown.id] == before


async def test_a_photo_that_cannot_be_made_says_why(session: AsyncSession) -> None:
    shown = await listing(session)
    whole = pictures.png(pictures.photo())
    middle = len(whole) // 2
    photo = await sent(session, shown, whole[:middle] + bytes(64) + whole[middle + 64 :])
    await work(session)
    (photo,) = await photos.photos_of(session, shown.id)
    assert photo.state == PhotoState.failed
    assert photo.why_failed is not None
    assert photo.why_failed.id == PictureDamaged.message
    assert "รูปนี้" in photo.why_failed.reading("th")


async def test_what_is_no_picture_is_refused_by_name_and_not_kept(session: AsyncSession) -> None:
    with pytest.raises(PictureKindUnknown) as refused:
        await photos.take_in(Upload("../../etc/ราคา.pdf", b"%PDF-1.7 not a picture"))
    assert refused.value.params["name"] == "ราคา.pdf"


async def test_a_photo_taken_away_takes_its_files_along(session: AsyncSession) -> None:
    shown = await listing(session)
    photo = await sent(session, shown)
    await work(session)
    photo = await photos.photo_of(session, shown.id, photo.id)
    keys = [photo.original_key, *renditions.keys(photo.id, photo.widths)]
    assert all([await files.exists(key) for key in keys])
    await photos.remove(session, photo)
    await work(session)
    assert [key for key in keys if await files.exists(key)] == []


async def test_a_photo_taken_away_while_it_is_made_leaves_no_files(session: AsyncSession) -> None:
    photo = await sent(session, await listing(session))
    await session.commit()
    making = asyncio.ensure_future(darkroom.make_ready({"photo_id": str(photo.id)}))
    await asyncio.sleep(0.3)  # the process apart takes longer than that to start
    await photos.remove(session, photo)
    await session.commit()
    await making
    keys = renditions.keys(photo.id, [320, 640])
    assert [key for key in keys if await files.exists(key)] == []


async def test_photos_are_moved_one_place_at_a_time(session: AsyncSession) -> None:
    shown = await listing(session)
    first, second, third = [await sent(session, shown) for _ in range(3)]
    await photos.move(session, third, -1)
    assert await in_order(session, shown) == [first.id, third.id, second.id]
    await photos.move(session, first, -1)
    await photos.move(session, second, +1)
    assert await in_order(session, shown) == [first.id, third.id, second.id]


async def test_a_listing_has_room_for_so_many_photos(session: AsyncSession) -> None:
    shown = await listing(session)
    for _ in range(MOST_PHOTOS):
        await photos.add(session, shown.group_id, Original("originals/x.jpg", 9, 9), listing_id=shown.id)
    with pytest.raises(TooManyPhotos):
        await sent(session, shown)


async def test_a_loose_photo_is_hung_when_its_form_is_saved(session: AsyncSession) -> None:
    shown = await listing(session)
    loose = await photos.add(session, shown.group_id, Original("originals/x.jpg", 9, 9))
    await photos.hang(session, shown, await photos.loose_photos(session, shown.group_id, [loose.id]))
    assert await in_order(session, shown) == [loose.id]
    assert await photos.loose_photos(session, shown.group_id, [loose.id]) == []


async def test_nobody_hangs_the_photo_of_another_group(session: AsyncSession) -> None:
    shown = await listing(session)
    loose = await photos.add(session, (await factories.group(session)).id, Original("originals/x.jpg", 9, 9))
    assert await photos.loose_photos(session, shown.group_id, [loose.id]) == []


async def test_a_photo_whose_form_was_never_saved_goes_after_a_while(session: AsyncSession, clock: FrozenClock) -> None:
    shown = await listing(session)
    loose = await photos.add(session, shown.group_id, Original("originals/x.jpg", 9, 9))
    hung = await photos.add(session, shown.group_id, Original("originals/y.jpg", 9, 9), listing_id=shown.id)
    await session.commit()
    clock.jump(LOOSE_KEPT)
    clock.jump(LOOSE_KEPT)
    await photos.tidy({})
    assert (await session.scalars(select(Photo.id))).all() == [hung.id]
    assert loose.id != hung.id


async def test_a_photo_is_described_by_its_own_words_or_by_the_listing(session: AsyncSession) -> None:
    shown = await listing(session)
    photo = await sent(session, shown)
    picture = photos.picture_of(photo, shown.name_th, shown.name_en)
    assert (picture.alt.reading("th"), picture.alt.reading("en")) == ("ข้าวเม่าสด", "Fresh khao mao")
    photos.describe(photo, "ข้าวเม่าในกระทง", None)
    picture = photos.picture_of(photo, shown.name_th, shown.name_en)
    assert (picture.alt.reading("th"), picture.alt.reading("en")) == ("ข้าวเม่าในกระทง", "Fresh khao mao")


@pytest.mark.parametrize("listings", [1, 3])
async def test_covers_of_many_listings_are_one_question(
    session: AsyncSession, query_count: Callable[[], AbstractContextManager[QueryCount]], listings: int
) -> None:
    shown = [await listing(session) for _ in range(listings)]
    firsts = {each.id: (await sent(session, each)).id for each in shown}
    for each in shown:
        await sent(session, each)
    with query_count() as queries:
        covers = await photos.covers(session, [each.id for each in shown], tuple(PhotoState))
    assert {listing_id: cover.id for listing_id, cover in covers.items()} == firsts
    assert len(queries) == 1
