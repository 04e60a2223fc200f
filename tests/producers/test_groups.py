"""Groups: how they come in, who may see their desk, how their goods reach a buyer."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import Role, scope_of
from app.database import sessions
from app.errors import NotFound, SignInNeeded
from app.money import Satang
from producers import groups
from producers.groups import (
    GroupState,
    NoWayOfDelivery,
    ParcelTableMissing,
    PickupPlaceMissing,
    Storage,
    Tier,
    TooManyApplications,
)
from tests import factories
from tests.producers import factories as make


async def test_an_application_is_not_public_until_approved(session: AsyncSession) -> None:
    group = await make.group(session, approved=False)
    with pytest.raises(NotFound):
        await groups.group_by_slug(session, group.slug)

    groups.approve(group, by=await factories.person(session))

    assert (await groups.group_by_slug(session, group.slug)).id == group.id


async def test_a_closed_group_leaves_the_market_and_can_come_back(session: AsyncSession) -> None:
    group, staff = await make.group(session), await factories.person(session)
    groups.close(group, by=staff, because="ย้ายไปอยู่กลุ่มใหม่")
    assert (group.state, group.closed_because) == (GroupState.closed, "ย้ายไปอยู่กลุ่มใหม่")

    groups.approve(group, by=staff)

    assert (group.state, group.closed_at) == (GroupState.approved, None)


async def test_whoever_applies_owns_the_group(session: AsyncSession) -> None:
    person = await factories.person(session)

    group = await make.group(session, owner=person)

    assert (await scope_of(session, person)).roles == {group.id: Role.owner}


async def test_groups_of_one_name_get_addresses_of_their_own(session: AsyncSession) -> None:
    slugs = [(await make.group(session, name_en="Weavers of Nong Sano")).slug for _ in range(3)]

    assert slugs == ["weavers-of-nong-sano", "weavers-of-nong-sano-2", "weavers-of-nong-sano-3"]


async def test_two_groups_of_one_name_at_once_get_different_addresses(session: AsyncSession) -> None:
    center = await make.center(session)
    await session.commit()

    async def apply() -> str:
        async with sessions()() as applying, applying.begin():
            return (await make.group(applying, at=center, name_en="Weavers")).slug

    assert sorted(await asyncio.gather(apply(), apply())) == ["weavers", "weavers-2"]


async def test_a_group_without_an_english_name_is_called_after_its_place(session: AsyncSession) -> None:
    assert (await make.group(session, name_en=None)).slug == "nong-sano"


async def test_nobody_floods_the_staff_with_applications(session: AsyncSession) -> None:
    person = await factories.person(session)
    for _ in range(groups.MOST_OPEN_APPLICATIONS):
        await make.group(session, owner=person, approved=False)

    with pytest.raises(TooManyApplications):
        await make.group(session, owner=person, approved=False)


@pytest.mark.parametrize(
    ("role", "at_least", "sees"),
    [
        (Role.packer, Role.packer, True),
        (Role.packer, Role.editor, False),
        (Role.editor, Role.editor, True),
        (Role.editor, Role.owner, False),
        (Role.owner, Role.owner, True),
    ],
)
async def test_a_desk_opens_by_role(session: AsyncSession, role: Role, at_least: Role, *, sees: bool) -> None:
    group = await make.group(session)
    scope = await scope_of(session, await make.member(session, group, role))
    fetch = groups.own_group(at_least)

    if sees:
        assert await fetch(group.slug, session, scope) is group
    else:
        with pytest.raises(NotFound):
            await fetch(group.slug, session, scope)


async def test_another_groups_desk_does_not_exist(session: AsyncSession) -> None:
    mine, theirs = await make.group(session), await make.group(session)
    scope = await scope_of(session, await make.member(session, mine, Role.owner))

    with pytest.raises(NotFound):
        await groups.own_group(Role.packer)(theirs.slug, session, scope)
    with pytest.raises(NotFound):
        await groups.watched_group(theirs.slug, session, scope)


async def test_a_guest_is_asked_to_sign_in(session: AsyncSession) -> None:
    group = await make.group(session)

    with pytest.raises(SignInNeeded):
        await groups.own_group(Role.packer)(group.slug, session, await scope_of(session, None))


async def test_a_coordinator_watches_the_groups_of_the_centre_only(session: AsyncSession) -> None:
    center = await make.center(session)
    own, other = await make.group(session, at=center), await make.group(session)
    scope = await scope_of(session, await make.coordinator(session, center))

    assert await groups.watched_group(own.slug, session, scope) is own
    with pytest.raises(NotFound):
        await groups.watched_group(other.slug, session, scope)
    with pytest.raises(NotFound):
        await groups.own_group(Role.packer)(own.slug, session, scope)


async def test_a_parcel_table_is_replaced_whole(session: AsyncSession) -> None:
    group = await make.group(session)
    await groups.set_parcel_tiers(
        session, group, Storage.ambient, [Tier(1000, Satang(40_00)), Tier(5000, Satang(90_00))]
    )

    await groups.set_parcel_tiers(session, group, Storage.ambient, [Tier(2000, Satang(60_00))])

    tables = await groups.parcel_tiers(session, [group.id])
    assert tables == {(group.id, Storage.ambient): [Tier(2000, Satang(60_00))]}


@pytest.mark.parametrize("weights", [[2000, 1000], [1000, 1000]])
async def test_weights_must_rise(session: AsyncSession, weights: list[int]) -> None:
    group = await make.group(session)

    with pytest.raises(groups.WrongParcelTable):
        await groups.set_parcel_tiers(
            session, group, Storage.ambient, [Tier(weight, Satang(40_00)) for weight in weights]
        )


@pytest.mark.parametrize(
    ("parcel", "pickup", "refusal"),
    [
        (True, False, ParcelTableMissing),
        (False, True, PickupPlaceMissing),
        (False, False, NoWayOfDelivery),
    ],
)
async def test_a_way_of_delivery_needs_its_particulars(
    session: AsyncSession, *, parcel: bool, pickup: bool, refusal: type[Exception]
) -> None:
    group = await make.group(session)

    with pytest.raises(refusal):
        await groups.set_delivery(
            session,
            group,
            parcel_enabled=parcel,
            pickup_enabled=pickup,
            cash_enabled=False,
            pickup_text_th=None,
            pickup_text_en=None,
            by=await factories.person(session),
        )


async def test_goods_of_a_new_group_can_be_fetched_where_it_meets(session: AsyncSession) -> None:
    group = await make.group(session)

    assert (group.parcel_enabled, group.pickup_enabled, group.cash_enabled) == (False, True, True)
    assert group.pickup_text_th
    assert "นางรอง" in group.pickup_text_th
