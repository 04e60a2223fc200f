"""The trail as people read it: plain words, own desk only, found by person, group and day."""

from datetime import timedelta

import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from app import access
from app.access import Role
from app.clock import FrozenClock
from tests import factories as people
from tests.orders import factories
from tests.producers.desk import enter, soup, words


async def test_an_owner_reads_in_plain_words_who_looked_at_an_order(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    stall = await factories.stall(session)
    placed = await factories.paid_order(session, (stall, 1000))
    somying = await people.person(session, name="สมหญิง")
    await access.grant(session, somying, Role.packer, group_id=stall.group.id)
    await enter(client, session, somying)
    await client.get(f"/desk/groups/{stall.group.slug}/orders/{placed.number}")
    await enter(client, session, stall.owner)
    page = words(await soup(client, f"/desk/groups/{stall.group.slug}/trail"))
    assert f"สมหญิง ดูคำสั่งซื้อ {placed.spoken_number} เห็นเบอร์หรือที่อยู่ผู้ซื้อ" in page
    assert "looked at order" in words(await soup(client, f"/en/desk/groups/{stall.group.slug}/trail"))


async def test_a_packer_does_not_read_the_trail(client: httpx.AsyncClient, session: AsyncSession) -> None:
    stall = await factories.stall(session)
    packer = await people.person(session)
    await access.grant(session, packer, Role.packer, group_id=stall.group.id)
    await enter(client, session, packer)
    await soup(client, f"/desk/groups/{stall.group.slug}/trail", 404)


async def test_staff_find_what_a_person_did_on_a_day(
    client: httpx.AsyncClient, session: AsyncSession, clock: FrozenClock
) -> None:
    stall, other = await factories.stall(session), await factories.stall(session)
    for each in (stall, other):
        await enter(client, session, each.owner)
        await client.get(f"/desk/groups/{each.group.slug}/picking")
    staff = (await people.staff(session)).person
    assert staff
    await enter(client, session, staff)
    today = "2026-11-24"
    of_one = f"/staff/trail?person={stall.owner.email}&group={stall.group.slug}&day={today}"
    assert words(await soup(client, of_one)).count("ดูรายการที่ต้องแพ็ก") == 1
    assert words(await soup(client, "/staff/trail")).count("ดูรายการที่ต้องแพ็ก") == 2
    clock.jump(timedelta(days=1))
    assert "ดูรายการที่ต้องแพ็ก" not in words(await soup(client, "/staff/trail?day=2026-11-25"))


async def test_staff_see_who_was_not_let_in(client: httpx.AsyncClient, session: AsyncSession) -> None:
    stall, other = await factories.stall(session), await factories.stall(session)
    await enter(client, session, other.owner)
    await soup(client, f"/desk/groups/{stall.group.slug}", 404)
    staff = (await people.staff(session)).person
    assert staff
    await enter(client, session, staff)
    assert "ไม่ได้รับอนุญาต" in words(await soup(client, "/staff/trail"))


async def test_a_name_nobody_has_is_told_beside_its_field(client: httpx.AsyncClient, session: AsyncSession) -> None:
    staff = (await people.staff(session)).person
    assert staff
    await enter(client, session, staff)
    page = words(await soup(client, "/staff/trail?person=nobody@example.com&group=no-such", 422))
    assert "ไม่พบคนที่ใช้อีเมลหรือเบอร์นี้" in page
    assert "ไม่พบกลุ่มนี้" in page
