"""Pages ask the database as often for three of everything as for one."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from app import access
from app.access import Role
from app.clock import FrozenClock
from app.money import Satang
from producers import certificates, members, notes, own_books, plan, streams
from producers.certificates import CertificateKind
from producers.groups import Group
from producers.notes import Block
from producers.streams import StreamKind
from tests import factories
from tests.ground.databases import QueryCount
from tests.producers import factories as make
from tests.producers.desk import enter

DESK = "/desk/groups/khao-mao-group"
PAGES = [
    *(f"{DESK}/canvas{rest}" for rest in ("", "/print", "/entries", "/entries?what=typed", "/entries?what=costs")),
    *(f"{DESK}/canvas/{rest}" for rest in ("notes/8", "plan?year=2026", "off-market", "costs", "streams")),
    *(f"{DESK}/{rest}" for rest in ("about", "about/story", "about/delivery", "members", "certificates")),
    *("/apply", "/staff/groups", "/staff/groups?state=approved", "/staff/groups/khao-mao-group", "/staff/invite"),
]


Counting = Callable[[], AbstractContextManager[QueryCount]]


async def test_pages_ask_as_often_for_three_as_for_one(
    client: httpx.AsyncClient, session: AsyncSession, clock: FrozenClock, query_count: Counting
) -> None:
    owner = await factories.person(session)
    group = await make.group(session, owner=owner)
    await access.grant(session, owner, Role.staff)
    await add_one_of_everything(session, group, 0)
    await enter(client, session, owner)
    for_one = {path: await asked(client, path, query_count) for path in PAGES}

    for n in (1, 2):
        await add_one_of_everything(session, group, n)
    await session.commit()

    assert {path: await asked(client, path, query_count) for path in PAGES} == for_one


async def asked(client: httpx.AsyncClient, path: str, query_count: Counting) -> int:
    with query_count() as queries:
        answer = await client.get(path)
    assert answer.status_code == 200, path
    assert len(queries) > 0
    return len(queries)


async def add_one_of_everything(session: AsyncSession, group: Group, n: int) -> None:
    stream = await streams.open_stream(session, group.id, StreamKind.goods, f"สินค้า {n}")
    await plan.plan_months(session, group.id, {(stream.id, date(2026, 10 + n, 1)): Satang(100_00)})
    day = date(2026, 11, 1 + n)
    await own_books.record_off_market(session, group, stream, day=day, satang=Satang(50_00), token=f"{n}")
    await own_books.record_cost(session, group, day=day, satang=Satang(20_00), token=f"{n}")
    await notes.write_note(session, group.id, Block.partners, text_th=f"ฉบับ {n}", seen_version=n)
    await certificates.add(session, group, CertificateKind.halal, number=f"H-{n}")
    member = await make.member(session, group, Role.packer)
    members.invite(session, Role.packer, by=member, group_id=group.id)
    await make.group(session, name_en=f"Applied {n}", approved=False)
    await make.group(session, name_en=f"Approved {n}")
