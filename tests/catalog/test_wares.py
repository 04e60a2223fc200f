"""Making a listing, changing it, and the sizes in which it is sold."""

import asyncio

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock as market_clock
from app import worker
from app.database import new_id, session_scope
from app.errors import NotFound
from app.money import Satang
from catalog import capacity, listings, wares
from catalog.capacity import Pool, Want
from catalog.forbidden import Alcohol, ForbiddenGoods
from catalog.listings import Listing, ListingKind, ListingState, Variant
from catalog.search import plain
from catalog.seasons import Season
from catalog.wares import AmountsNotInSteps, CategoryOfAnotherCluster, Details, LastVariant, Terms, Words
from producers import groups, streams
from producers.clusters import Cluster
from producers.groups import Group, Storage
from producers.streams import StreamKind
from tests import factories
from tests.catalog.offers import BAG, KHAO_MAO, offered, only_variant
from tests.producers import factories as producers


async def test_a_name_a_price_and_an_amount_make_a_listing(session: AsyncSession) -> None:
    group = await producers.group(session)
    by = await factories.person(session)

    listing = await wares.offer(
        session,
        group,
        Words("ข้าวเม่า"),
        Details(Cluster.processing_marketing),
        Terms("ถุง", price_satang=Satang(4500)),
        12_000,
        by=by,
    )

    variant = await only_variant(session, listing)
    assert (listing.state, listing.category, listing.price_satang) == (ListingState.draft, "other-made", 4500)
    assert (variant.step_milli, variant.least_milli, variant.label_th) == (1000, 1000, None)
    assert await capacity.left_of(session, [variant.pool_id]) == {variant.pool_id: 12_000}
    assert (listing.changed_by, listing.group_id) == (by.id, group.id)


async def test_goods_and_visits_earn_for_their_own_streams(session: AsyncSession) -> None:
    group = await producers.group(session)

    goods = await offered(session, group)
    visit = await wares.offer(session, group, KHAO_MAO, Details(Cluster.services), BAG, kind=ListingKind.experience)

    assert goods.stream_id == (await streams.stream_for(session, group.id, StreamKind.goods)).id
    assert visit.stream_id == (await streams.stream_for(session, group.id, StreamKind.experience)).id


async def test_a_listing_can_earn_for_another_stream_of_the_group_alone(session: AsyncSession) -> None:
    group = await producers.group(session)
    listing = await offered(session, group)
    wholesale = await streams.stream_for(session, group.id, StreamKind.wholesale)
    theirs = await streams.stream_for(session, (await producers.group(session)).id, StreamKind.goods)

    wares.set_stream(listing, wholesale)

    assert listing.stream_id == wholesale.id
    with pytest.raises(NotFound):
        wares.set_stream(listing, theirs)


async def test_addresses_tell_what_it_is_and_never_change(session: AsyncSession) -> None:
    group = await producers.group(session)
    first, second = await offered(session, group), await offered(session, group)
    thai_only = await offered(session, group, Words("ข้าวเม่าสด"))

    await wares.set_words(session, first, Words("ข้าวเม่าใหม่", "New khao mao"))

    assert first.slug == "fresh-khao-mao"
    assert second.slug.startswith("fresh-khao-mao-")
    assert thai_only.slug == "snacks-sweets"


async def test_two_of_one_name_at_the_same_moment_get_addresses_of_their_own(session: AsyncSession) -> None:
    group = await producers.group(session)
    await session.commit()

    async def make() -> str:
        async with session_scope() as another:
            own = await another.get_one(Group, group.id)
            return (await offered(another, own)).slug

    slugs = await asyncio.gather(*(make() for _ in range(6)))

    assert len(set(slugs)) == 6


async def test_words_are_kept_in_both_languages_and_in_thai_order(session: AsyncSession) -> None:
    listing = await offered(session, await producers.group(session))

    await wares.set_words(session, listing, Words("เกลือสินเธาว์", "Rock salt", None, "From below the fields"))

    assert (listing.name_en, listing.description_th, listing.description_en) == (
        "Rock salt",
        None,
        "From below the fields",
    )
    assert listing.sort_key.startswith("กเลือ")


async def test_forbidden_goods_cannot_be_made_nor_come_in_by_a_change(session: AsyncSession) -> None:
    group = await producers.group(session)
    with pytest.raises(Alcohol):
        await offered(session, group, Words("สาโทบ้านเรา"))
    listing = await offered(session, group)

    with pytest.raises(ForbiddenGoods):
        await wares.set_words(session, listing, Words("ข้าวเม่า", "Rice wine"))
    with pytest.raises(ForbiddenGoods):
        await wares.add_variant(session, listing, Terms("ขวด", label_th="เหล้าขาว"))

    assert listing.name_th == KHAO_MAO.name_th


async def test_details_put_it_on_another_shelf(session: AsyncSession) -> None:
    listing = await offered(session, await producers.group(session))

    await wares.set_details(
        session, listing, Details(Cluster.production, "rice-grains", Storage.chilled, Season(10, 12))
    )

    assert (listing.cluster, listing.category, listing.storage) == ("production", "rice-grains", "chilled")
    assert listing.season == Season(10, 12)


@pytest.mark.parametrize("category", ["fruit", "no-such-thing"])
async def test_a_category_stays_in_its_cluster(session: AsyncSession, category: str) -> None:
    listing = await offered(session, await producers.group(session))

    with pytest.raises(CategoryOfAnotherCluster):
        await wares.set_details(session, listing, Details(Cluster.services, category))


async def test_several_sizes_each_have_stock_of_their_own(session: AsyncSession) -> None:
    listing = await offered(session, await producers.group(session))
    large = Terms("ถุง 1 กก.", "1 kg bag", Satang(8000), net_weight_g=1000, label_th="ถุงใหญ่")

    added = await wares.add_variant(session, listing, large, 3000)

    variants = await listings.variants_of(session, listing.id)
    assert [variant.position for variant in variants] == [0, 1]
    assert await capacity.left_of(session, [added.pool_id]) == {added.pool_id: 3000}
    assert listing.price_satang == 4500


async def test_the_cheapest_open_size_gives_the_price(session: AsyncSession) -> None:
    listing = await offered(session, await producers.group(session))
    first = await only_variant(session, listing)
    small = await wares.add_variant(session, listing, Terms("ถุงเล็ก", price_satang=Satang(2000)), 3000)
    assert listing.price_satang == 2000

    await wares.close_variant(session, small)
    assert listing.price_satang == 4500
    await wares.change_variant(session, first, Terms("ถุง", price_satang=Satang(5000)))
    assert listing.price_satang == 5000


async def test_the_last_size_stays(session: AsyncSession) -> None:
    listing = await offered(session, await producers.group(session))

    with pytest.raises(LastVariant):
        await wares.close_variant(session, await only_variant(session, listing))


async def test_closing_a_size_leaves_what_buyers_hold(session: AsyncSession) -> None:
    listing = await offered(session, await producers.group(session))
    small = await wares.add_variant(session, listing, Terms("ถุงเล็ก", price_satang=Satang(2000)), 3000)
    buyer = new_id()
    await capacity.hold(session, [Want(small.pool_id, buyer, 1000)], market_clock.now())

    await wares.close_variant(session, small)
    await capacity.confirm(session, [buyer])

    assert await session.scalar(select(Pool.on_hand_milli).where(Pool.id == small.pool_id)) == 2000


async def test_the_least_amount_is_a_whole_number_of_steps(session: AsyncSession) -> None:
    listing = await offered(session, await producers.group(session))
    by_half = Terms("กก.", "kg", Satang(4500), step_milli=500, least_milli=1500)

    added = await wares.add_variant(session, listing, by_half)

    assert added.least_milli == 1500
    with pytest.raises(AmountsNotInSteps):
        await wares.change_variant(session, added, Terms("กก.", step_milli=500, least_milli=700))


async def test_prices_set_at_the_same_moment_leave_the_cheapest_right(session: AsyncSession) -> None:
    listing = await offered(session, await producers.group(session))
    for price in (6000, 7000, 8000):
        await wares.add_variant(session, listing, Terms("ถุง", price_satang=Satang(price)))
    variants = await listings.variants_of(session, listing.id)
    await session.commit()

    async def reprice(variant: Variant, satang: int) -> None:
        async with session_scope() as another:
            own = await another.get_one(Variant, variant.id)
            await listings.set_price(another, own, Satang(satang))

    await asyncio.gather(*(reprice(variant, 9000 + n * 100) for n, variant in enumerate(variants)))

    await session.refresh(listing)
    assert listing.price_satang == await session.scalar(select(func.min(Variant.price_satang))) == 9000


async def test_it_is_found_by_its_names_its_group_its_kind_and_its_place(session: AsyncSession) -> None:
    listing = await offered(session, await producers.group(session))

    for words in ("ข้าวเม่า", "fresh", "กลุ่มข้าวเม่า", "หนองโสน", "บุรีรัมย์ nang rong", "ขนม", "ตำใหม่"):
        found = await session.scalar(
            select(Listing.id).where(plain.holding(Listing.search_text, plain.words_of(words)))
        )
        assert found == listing.id, words


async def test_a_group_with_a_new_name_is_found_by_it(session: AsyncSession) -> None:
    owner = await factories.person(session)
    group = await producers.group(session, owner=owner)
    listing = await offered(session, group)
    group.name_th, group.changed_at = "กลุ่มรวงทอง", market_clock.now()
    await session.commit()

    await worker.work_off()

    await session.refresh(listing)
    assert "กลุ่มรวงทอง" in listing.search_text
    assert "กลุ่มข้าวเม่า" not in listing.search_text


async def test_closing_a_group_asks_for_no_new_words(session: AsyncSession) -> None:
    owner = await factories.person(session)
    group = await producers.group(session, owner=owner)
    await offered(session, group)
    await session.commit()

    groups.close(group, by=owner, because="พัก")
    await session.commit()

    assert await worker.work_off() == 0
