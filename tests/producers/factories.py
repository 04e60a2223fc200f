"""Centres, groups and streams to arrange a test with."""

from itertools import count

from sqlalchemy.ext.asyncio import AsyncSession

from app import access, places
from app.access import Role
from app.people import Person
from app.thai_order import sort_key
from producers import groups, streams
from producers.centers import Center
from producers.clusters import Cluster
from producers.groups import Group
from producers.streams import Stream, StreamKind
from tests import factories

NONG_SANO = "310427"
_numbers = count(1)


async def center(session: AsyncSession, *, name_th: str = "ศูนย์บ่มเพาะหนองโสน", number: int | None = None) -> Center:
    """Add a centre in Nong Sano, Buri Ram."""
    number = number or next(_numbers)
    place = places.place(NONG_SANO)
    assert place is not None
    added = Center(
        number=number,
        slug=f"center-{number}",
        name_th=name_th,
        name_en=f"Centre {number}",
        cluster=Cluster.processing_marketing,
        region=place.region.id,
        province_code=place.province.code,
        district_code=place.district.code,
        subdistrict_code=place.code,
        postcode="31110",
        latitude=14.737,
        longitude=102.934,
        place_text_th="ต.หนองโสน อ.นางรอง จ.บุรีรัมย์",
        place_verified=True,
        sort_key=sort_key(name_th),
    )
    session.add(added)
    await session.flush()
    return added


async def group(
    session: AsyncSession,
    *,
    owner: Person | None = None,
    at: Center | None = None,
    name_th: str = "กลุ่มข้าวเม่า",
    name_en: str | None = "Khao Mao Group",
    cluster: Cluster = Cluster.processing_marketing,
    approved: bool = True,
) -> Group:
    """Add a group (approved, unless told otherwise) that belongs to `owner`."""
    owner = owner or await factories.person(session)
    place = places.place(NONG_SANO)
    assert place is not None
    added = await groups.apply_to_sell(
        session,
        owner,
        name_th=name_th,
        name_en=name_en,
        center_id=(at or await center(session)).id,
        cluster=cluster,
        place=place,
    )
    if approved:
        groups.approve(added, by=owner)
        await session.flush()
    return added


async def member(session: AsyncSession, group: Group, role: Role) -> Person:
    """Add somebody who works for the group."""
    person = await factories.person(session, name=f"สมาชิก {role}")
    await access.grant(session, person, role, group_id=group.id)
    return person


async def coordinator(session: AsyncSession, center: Center) -> Person:
    person = await factories.person(session, name="ผู้ประสานงาน")
    await access.grant(session, person, Role.coordinator, center_id=center.id)
    return person


async def stream(session: AsyncSession, group: Group, kind: StreamKind = StreamKind.goods) -> Stream:
    return await streams.stream_for(session, group.id, kind)
