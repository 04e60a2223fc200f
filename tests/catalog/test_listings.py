"""What keeps a listing from being sold, what its tables refuse, and what it knows of its group."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import FrozenClock
from app.money import Satang
from catalog import listings, wares
from catalog.listings import (
    Listing,
    ListingKind,
    NotOurCertificate,
    PriceDoesNotFitStep,
    PriceMissing,
    PriceNotPositive,
    Variant,
)
from catalog.seasons import Season
from catalog.wares import Details, Terms
from producers import certificates, groups
from producers.certificates import CertificateKind
from producers.clusters import Cluster
from producers.groups import Group
from tests import factories
from tests.catalog.offers import BAG, KHAO_MAO, SWEETS, offered, only_variant
from tests.producers import factories as producers

WEEK = timedelta(weeks=1)
NOVEMBER, MAY = date(2026, 11, 24), date(2027, 5, 1)


async def open_group(session: AsyncSession) -> Group:
    group = await producers.group(session)
    group.pickup_enabled = True
    await session.flush()
    return group


async def reasons(
    session: AsyncSession, listing: Listing, group: Group, day: date = NOVEMBER, left_milli: int | None = None
) -> list[str]:
    variants = await listings.variants_of(session, listing.id)
    why = listings.why_not_on_sale(listing, group, variants, day, left_milli=left_milli)
    return [message.reading("en") for message in why]


async def test_what_is_put_on_sale_by_an_open_group_is_for_sale(session: AsyncSession) -> None:
    group = await open_group(session)
    listing = await offered(session, group)

    assert await reasons(session, listing, group, left_milli=10_000) == []


async def test_a_new_listing_says_that_it_was_not_put_on_sale(session: AsyncSession) -> None:
    group = await open_group(session)
    listing = await wares.offer(session, group, KHAO_MAO, SWEETS, BAG)

    assert await reasons(session, listing, group) == ["It has not been put on sale yet."]


async def test_a_resting_listing_says_so_and_comes_back(session: AsyncSession) -> None:
    group = await open_group(session)
    listing = await offered(session, group)

    listings.pause(listing)
    assert await reasons(session, listing, group) == ["You have let it rest."]
    await listings.put_on_sale(session, listing)
    assert await reasons(session, listing, group) == []


async def test_out_of_season_it_says_when_it_comes_back(session: AsyncSession) -> None:
    group = await open_group(session)
    listing = await offered(session, group, details=Details(Cluster.production, "fruit", season=Season(5, 7)))

    assert await reasons(session, listing, group) == ["Its season is May–Jul. It comes back by itself in May."]
    assert await reasons(session, listing, group, MAY) == []


async def test_all_reasons_are_told_at_once(session: AsyncSession) -> None:
    group = await producers.group(session, approved=False)
    group.pickup_enabled = False
    listing = await wares.offer(session, group, KHAO_MAO, SWEETS, Terms("ถุง"))

    assert await reasons(session, listing, group, left_milli=0) == [
        "It has not been put on sale yet.",
        "It has no price yet.",
        "It is sold out. Write how many there are now.",
        "The network has not approved your group yet. Everything can be made ready.",
        "Buyers cannot get it yet: choose parcels or pick-up for your group.",
    ]


async def test_a_visit_needs_no_parcel_and_no_pick_up(session: AsyncSession) -> None:
    group = await producers.group(session)
    group.pickup_enabled = False
    listing = await wares.offer(session, group, KHAO_MAO, Details(Cluster.services), BAG, kind=ListingKind.experience)
    await listings.put_on_sale(session, listing)

    assert await reasons(session, listing, group) == []


async def test_nothing_is_put_on_sale_without_a_price(session: AsyncSession) -> None:
    group = await open_group(session)
    listing = await wares.offer(session, group, KHAO_MAO, SWEETS, Terms("ถุง"))

    with pytest.raises(PriceMissing):
        await listings.put_on_sale(session, listing)


async def test_how_new_a_listing_is_counts_from_the_first_time(session: AsyncSession, clock: FrozenClock) -> None:
    listing = await offered(session, await open_group(session))
    first = listing.published_at

    listings.pause(listing)
    clock.jump(WEEK)
    await listings.put_on_sale(session, listing)

    assert listing.published_at == first


async def test_a_new_price_shows_on_the_listing_at_once(session: AsyncSession) -> None:
    listing = await offered(session, await open_group(session))
    by = await factories.person(session)

    await listings.set_price(session, await only_variant(session, listing), Satang(3900), by=by)

    assert (listing.price_satang, listing.changed_by) == (3900, by.id)


@pytest.mark.parametrize(
    ("price", "refusal"), [(0, PriceNotPositive), (-100, PriceNotPositive), (4501, PriceDoesNotFitStep)]
)
async def test_a_price_that_cannot_be_is_refused(session: AsyncSession, price: int, refusal: type[Exception]) -> None:
    listing = await offered(session, await open_group(session), terms=Terms("กก.", "kg", Satang(4500), step_milli=500))

    with pytest.raises(refusal):
        await listings.set_price(session, await only_variant(session, listing), Satang(price))


def test_a_price_per_kilo_is_told_where_it_says_more() -> None:
    by_bag = Variant(price_satang=Satang(4500), net_weight_g=500)
    by_kilo = Variant(price_satang=Satang(4500), net_weight_g=1000)
    unweighed = Variant(price_satang=Satang(4500), net_weight_g=None)

    assert [each.satang_per_kilo for each in (by_bag, by_kilo, unweighed)] == [9000, None, None]


async def test_living_certificates_of_the_group_speak_for_a_listing(session: AsyncSession, clock: FrozenClock) -> None:
    group = await open_group(session)
    listing = await offered(session, group)
    organic = await certificates.add(session, group, CertificateKind.organic, number="1", expires_on=date(2026, 11, 24))
    halal = await certificates.add(session, group, CertificateKind.halal, number="2")

    await listings.certify(session, listing, [organic.id, halal.id])
    assert [each.kind for each in await listings.certificates_of(session, listing.id)] == ["halal", "organic"]

    clock.jump(WEEK)
    assert [each.kind for each in await listings.certificates_of(session, listing.id)] == ["halal"]
    await listings.certify(session, listing, [])
    assert list(await listings.certificates_of(session, listing.id)) == []


async def test_another_groups_certificate_speaks_for_nothing_of_ours(session: AsyncSession) -> None:
    listing = await offered(session, await open_group(session))
    theirs = await certificates.add(session, await open_group(session), CertificateKind.halal, number="2")

    with pytest.raises(NotOurCertificate):
        await listings.certify(session, listing, [theirs.id])


async def test_a_listing_knows_its_groups_place_and_whether_it_may_sell(session: AsyncSession) -> None:
    owner = await factories.person(session)
    group = await producers.group(session, owner=owner, approved=False)
    listing = await offered(session, group)
    assert (listing.region, listing.province_code, listing.is_open) == ("northeast", "31", False)

    groups.approve(group, by=owner)
    await session.flush()
    await session.refresh(listing)
    assert listing.is_open

    groups.close(group, by=owner, because="ปิดกลุ่ม")
    await session.flush()
    await session.refresh(listing)
    assert not listing.is_open


async def test_a_listing_moves_with_its_group(session: AsyncSession) -> None:
    group = await open_group(session)
    listing = await offered(session, group)
    center = await producers.center(session)

    await session.execute(
        update(Group).where(Group.id == group.id).values(center_id=center.id, region="north", province_code="54")
    )
    await session.refresh(listing)

    assert (listing.center_id, listing.region, listing.province_code) == (center.id, "north", "54")


@pytest.mark.parametrize(
    "raw",
    [
        "UPDATE listings SET state = 'sold'",
        "UPDATE listings SET season_from_month = 5",
        "UPDATE listings SET season_from_month = 5, season_to_month = 13",
        "UPDATE listings SET published_at = NULL",
        "UPDATE listings SET price_satang = 0",
        "UPDATE variants SET price_satang = 0",
        "UPDATE variants SET price_satang = 4501, step_milli = 500, least_milli = 500",
        "UPDATE variants SET step_milli = 300",
        "UPDATE variants SET least_milli = 0",
        "UPDATE variants SET net_weight_g = 0",
    ],
)
async def test_the_database_refuses_what_makes_no_sense(session: AsyncSession, raw: str) -> None:
    await offered(session, await open_group(session))

    with pytest.raises(IntegrityError):
        await session.execute(text(raw))


def test_a_season_may_run_over_the_years_end() -> None:
    season = Season(11, 2)

    assert [month for month in range(1, 13) if season.holds(date(2026, month, 15))] == [1, 2, 11, 12]
    assert season.words().reading("th") == "พ.ย.–ก.พ."
    assert Season(5, 5).words().reading("en") == "May"
