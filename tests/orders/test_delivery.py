"""How goods reach the buyer, what that costs, and why a way is not possible."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.money import Satang
from orders.carriers import carrier, carriers, tracking_link
from orders.delivery import DeliveryOption
from orders.order import spoken_phone
from orders.quote import quote
from orders.states import DeliveryKind
from producers.groups import ParcelTier
from producers.streams import StreamKind
from tests.orders import factories
from tests.orders.factories import Stall
from tests.producers import factories as producers


async def option(session: AsyncSession, kind: DeliveryKind, *wanted: tuple[Stall, int]) -> DeliveryOption:
    basket = await factories.basket_with(session, *wanted)
    (part,) = (await quote(session, basket)).groups
    return next(each for each in part.options if each.kind == kind)


async def test_a_parcel_costs_what_the_groups_table_says_for_its_weight(session: AsyncSession) -> None:
    stall = await factories.stall(session)  # half a kilo a bag
    session.add(ParcelTier(group_id=stall.group.id, storage="ambient", up_to_g=1000, fee_satang=Satang(25_00)))
    await session.flush()

    assert (await option(session, DeliveryKind.parcel, (stall, 2000))).fee_satang == 25_00
    assert (await option(session, DeliveryKind.parcel, (stall, 3000))).fee_satang == 40_00


async def test_goods_that_must_be_kept_apart_travel_in_a_parcel_each(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    session.add(ParcelTier(group_id=stall.group.id, storage="frozen", up_to_g=5000, fee_satang=Satang(120_00)))
    stream = await producers.stream(session, stall.group, StreamKind.goods)
    _, fish = await factories.goods(session, stall.group, stream.id, name_th="ปลา", storage="frozen")
    frozen = Stall(stall.group, stall.center, stall.owner, stall.listing, fish)

    assert (await option(session, DeliveryKind.parcel, (stall, 1000), (frozen, 1000))).fee_satang == 160_00


async def test_what_is_too_heavy_for_a_parcel_can_be_fetched(session: AsyncSession) -> None:
    stall = await factories.stall(session, stock=100_000)
    basket = await factories.basket_with(session, (stall, 50_000))

    (part,) = (await quote(session, basket)).groups

    parcel = next(each for each in part.options if each.kind == DeliveryKind.parcel)
    assert parcel.why_not is not None
    assert parcel.why_not.reading("en") == "Too heavy for a parcel: at most 20 kg."
    assert part.option is not None
    assert part.option.kind == DeliveryKind.pickup_group


async def test_a_group_without_a_table_for_cold_goods_sends_none(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    stall.listing.storage = "chilled"
    await session.flush()

    found = await option(session, DeliveryKind.parcel, (stall, 1000))

    assert found.why_not is not None
    assert "ข้าวเม่า" in found.why_not.reading("th")


async def test_a_group_with_no_way_at_all_stops_the_order(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    stall.group.parcel_enabled = stall.group.pickup_enabled = False
    await session.flush()

    now = await quote(session, await factories.basket_with(session, (stall, 1000)))

    assert [message.reading("en").split(" cannot")[0] for message in now.trouble_words] == [stall.group.name_en]


@pytest.mark.parametrize(
    ("code", "link"),
    [
        ("thailand-post", "https://track.thailandpost.co.th/?trackNumber=EY123456789TH"),
        ("kex", "https://th.kex-express.com/th/track/?track=EY123456789TH"),
        ("somebody", "https://t.17track.net/th#nums=EY123456789TH"),
    ],
)
def test_a_parcel_can_be_followed(code: str, link: str) -> None:
    assert tracking_link(code, "EY123456789TH") == link
    assert carriers()[-1] is carrier("nobody we know")


@pytest.mark.parametrize(
    ("phone", "said"),
    [("+66891112222", "089-111-2222"), ("+6621234567", "02-123-4567"), ("+4915112345678", "+49 1511 2345678")],
)
def test_a_phone_is_written_as_it_is_read_out(phone: str, said: str) -> None:
    assert spoken_phone(phone) == said
