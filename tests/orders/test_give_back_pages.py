"""Giving back on pages: who sees the form, what it refuses, and what buyer, group and canvas show afterwards."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.people import Person
from orders import hand_over, order, refunds
from orders.order import lines_of
from tests import factories as people
from tests.orders import factories
from tests.orders.factories import GROUP, MALI
from tests.orders.test_provider_refunds import cancelled
from tests.producers import factories as producers
from tests.producers.desk import enter, sent, soup, words


@pytest.fixture
async def staff(session: AsyncSession) -> Person:
    person = (await people.staff(session)).person
    assert person is not None
    return person


async def test_staff_give_back_a_bag_and_everybody_sees_it(
    client: httpx.AsyncClient, session: AsyncSession, staff: Person
) -> None:
    stall = await factories.stall(session)
    placed = await factories.paid_order(session, (stall, 3000))
    part = await factories.only_part(session, placed)
    (line,) = await lines_of(session, [part.id])
    await enter(client, session, staff)
    page = f"/desk/give-back/orders/{placed.number}"
    assert (await soup(client, f"/staff/orders/{placed.number}")).select_one(f'a[href="{page}"]')
    assert (await soup(client, page)).select_one(f"#f-line-{line.id}")

    typed = {f"line-{line.id}": "๑", "back_on_sale": "yes", "reason": "ถุงแตก", "seen_off_satang": "0"}
    await sent(client, f"{page}/parts/{part.id}", **typed)

    bought = words(await soup(client, placed.path))
    assert "คืนแล้ว 1 ถุง · เหลือ 2" in bought
    assert "ถุงแตก" in bought
    await enter(client, session, stall.owner)
    packed = words(await soup(client, f"/desk/groups/{stall.group.slug}/orders/{placed.number}/slip"))
    assert "2 ถุง" in packed
    assert "3 ถุง" not in packed


async def test_what_is_wrong_is_named_and_what_was_typed_stays(
    client: httpx.AsyncClient, session: AsyncSession, staff: Person
) -> None:
    stall = await factories.stall(session)
    placed = await factories.paid_order(session, (stall, 3000))
    part = await factories.only_part(session, placed)
    (line,) = await lines_of(session, [part.id])
    await enter(client, session, staff)
    address = f"/desk/give-back/orders/{placed.number}/parts/{part.id}"

    for amount in ("9", "สามถุงครึ่ง"):
        typed = {f"line-{line.id}": amount, "reason": "ถุงแตก", "seen_off_satang": "0"}
        page = await sent(client, address, 422, **typed)
        assert page.select_one(f"#f-line-{line.id}-error")
        assert page.select_one(f"#f-line-{line.id}")["value"] == amount  # type: ignore[index]
    await session.refresh(placed)
    assert placed.returned_satang == 0


async def test_an_owner_gives_back_what_the_group_received_and_nobody_elses(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    stall, other = await factories.stall(session), await factories.stall(session)
    placed = await factories.paid_order(session, (stall, 1000))
    alien = await factories.paid_order(session, (other, 1000))
    part = await factories.only_part(session, placed)
    await hand_over.hand_over(session, part.id, GROUP)
    await enter(client, session, stall.owner)
    group_page = await soup(client, f"/desk/groups/{stall.group.slug}/orders/{placed.number}")
    assert group_page.select_one(f'a[href="/desk/give-back/orders/{placed.number}"]')

    address = f"/desk/give-back/orders/{placed.number}/parts/{part.id}"
    await sent(client, address, satang="10", reason="ช้ำนิดหน่อย", seen_off_satang="0")

    assert (await client.get(f"/desk/give-back/orders/{alien.number}")).status_code == 404
    assert "ช้ำนิดหน่อย" in words(await soup(client, "/desk/refunds"))
    entries = words(await soup(client, f"/desk/groups/{stall.group.slug}/canvas/entries?what=sales"))
    assert "คืนเงิน" in entries
    assert "-฿10" in entries or "−฿10" in entries
    assert placed.number in entries


async def test_a_group_sees_what_came_off_its_own_lines_only(client: httpx.AsyncClient, session: AsyncSession) -> None:
    center = await producers.center(session)
    center.promptpay_id = "0898887777"
    mine, theirs = [await factories.stall(session, at=center, promptpay=None) for _ in range(2)]
    placed = await factories.paid_order(session, (mine, 1000), (theirs, 1000))
    _, second = await order.parts_of(session, placed.id)
    staff = await people.staff(session)
    assert staff.person
    await enter(client, session, staff.person)
    address = f"/desk/give-back/orders/{placed.number}/parts/{second.id}"
    await sent(client, address, satang="7.50", reason="ของเพื่อนบ้านช้ำ", seen_off_satang="0")

    await enter(client, session, mine.owner)
    page = words(await soup(client, f"/desk/groups/{mine.group.slug}/orders/{placed.number}"))

    assert "7.50" not in page
    assert "หักออก" not in page


async def test_the_buyer_is_asked_for_an_e_mail_and_the_desk_shows_what_waits(
    client: httpx.AsyncClient, session: AsyncSession, staff: Person
) -> None:
    placed, task = await cancelled(session, email=None)
    await refunds.could_not_ask(session, task.id, "no e-mail")
    await enter(client, session, staff)
    assert "รออีเมลของคุณอยู่" in words(await soup(client, placed.path))
    assert "Stripe ขออีเมลของผู้ซื้อ: no e-mail" in words(await soup(client, "/staff/refunds"))

    await sent(client, f"{placed.path}/refund-email", email=str(MALI.email))

    await session.refresh(task)
    assert (task.email, task.state) == (MALI.email, "pending")
    assert "กำลังคืนไปยังบัตรหรือบัญชี" in words(await soup(client, placed.path))
