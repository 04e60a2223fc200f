"""The desks: groups pack and hand over their own parts, staff judge slips and pay back, nobody sees what is not theirs."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import httpx
import pytest
from bs4 import BeautifulSoup
from sqlalchemy.ext.asyncio import AsyncSession

from app import access, jobs
from app.access import Role
from app.people import Person
from orders import order, payments, refunds, slips
from orders.order import Order
from orders.states import DeliveryKind, OrderState, PartState, PaymentMethod
from producers.streams import StreamKind
from tests import factories as people
from tests.ground.databases import QueryCount
from tests.orders import factories
from tests.orders.factories import STAFF, Stall
from tests.producers import factories as producers
from tests.producers.desk import enter, sent, soup, words


@pytest.fixture
async def stall(session: AsyncSession) -> Stall:
    return await factories.stall(session)


@pytest.fixture
async def staff(session: AsyncSession) -> Person:
    person = (await people.staff(session)).person
    assert person is not None
    return person


async def enter_group(client: httpx.AsyncClient, session: AsyncSession, stall: Stall) -> str:
    """Sign in as the group's owner; return the address of its desk."""
    await enter(client, session, stall.owner)
    return f"/desk/groups/{stall.group.slug}"


async def test_whoever_works_in_one_place_goes_straight_there(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall
) -> None:
    desk = await enter_group(client, session, stall)

    assert (await client.get("/desk")).headers["location"] == desk


async def test_whoever_works_in_many_places_chooses(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall, staff: Person
) -> None:
    from_two = [stall, await factories.stall(session)]
    for each in from_two:
        await access.grant(session, staff, Role.packer, group_id=each.group.id)
    await enter(client, session, staff)

    page = words(await soup(client, "/desk"))

    assert all(each.group.name_th in page for each in from_two)
    assert "เจ้าหน้าที่เครือข่าย" in page


async def test_the_next_thing_to_do_leads_from_packing_to_handing_over(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall
) -> None:
    placed = await factories.paid_order(session, (stall, 1000))
    desk = await enter_group(client, session, stall)

    page = await soup(client, desk)
    assert page.select_one(".desk-next a")["href"] == f"{desk}/orders/{placed.number}"  # type: ignore[index]
    assert "รอแพ็ก 1 คำสั่งซื้อ" in words(page)
    await sent(client, f"{desk}/orders/{placed.number}/pack")
    assert "รอส่งมอบ 1 คำสั่งซื้อ" in words(await soup(client, desk))
    await sent(client, f"{desk}/orders/{placed.number}/hand-over", carrier="flash", tracking=" th 0123 456 ")

    part = await factories.only_part(session, placed)
    await session.refresh(part)
    assert (part.state, part.carrier, part.tracking) == (PartState.handed_over, "flash", "TH0123456")
    link = (await soup(client, placed.path)).select_one("a[href*=flashexpress]")
    assert link
    assert link["href"] == "https://www.flashexpress.co.th/tracking/?se=TH0123456"


async def test_a_wrong_tracking_number_is_named_and_nothing_is_handed_over(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall
) -> None:
    placed = await factories.paid_order(session, (stall, 1000))
    desk = await enter_group(client, session, stall)

    page = await sent(client, f"{desk}/orders/{placed.number}/hand-over", 422, carrier="flash", tracking="ส่งแล้วจ้า")

    assert page.select_one("#f-tracking-error")
    assert page.select_one("#f-tracking")["value"] == "ส่งแล้วจ้า"  # type: ignore[index]
    assert (await factories.only_part(session, placed)).state == PartState.paid


async def test_an_unpaid_order_cannot_be_packed(client: httpx.AsyncClient, session: AsyncSession, stall: Stall) -> None:
    placed = await factories.order(session, (stall, 1000))
    desk = await enter_group(client, session, stall)

    page = await sent(client, f"{desk}/orders/{placed.number}/pack", 409)

    assert "ยังไม่ชำระเงิน" in words(page)


async def test_a_group_sees_only_its_own_part(client: httpx.AsyncClient, session: AsyncSession) -> None:
    center = await producers.center(session)
    center.promptpay_id = "0898887777"
    mine = await factories.stall(session, at=center, name_th="ข้าวของเรา")
    theirs = await factories.stall(session, at=center, name_th="ปลาของเขา", price=777_00)
    placed = await factories.paid_order(session, (mine, 1000), (theirs, 1000))
    alien = await factories.paid_order(session, (theirs, 1000))
    desk = await enter_group(client, session, mine)

    page = words(await soup(client, f"{desk}/orders/{placed.number}"))

    assert "ข้าวของเรา" in page
    assert "ปลาของเขา" not in page
    assert "777" not in page
    assert (await client.get(f"{desk}/orders/{alien.number}")).status_code == 404
    assert (await client.get(f"/desk/groups/{theirs.group.slug}")).status_code == 404
    assert (await client.post(f"{desk}/orders/{alien.number}/pack")).status_code == 404


async def test_a_guest_is_asked_to_sign_in(client: httpx.AsyncClient, session: AsyncSession, stall: Stall) -> None:
    await session.commit()

    for path in (f"/desk/groups/{stall.group.slug}", "/desk", "/staff", "/staff/slips", "/desk/slips", "/staff/jobs"):
        assert "/sign-in" in (await client.get(path)).headers["location"]


async def test_staff_desks_do_not_exist_for_others(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall
) -> None:
    await enter_group(client, session, stall)

    for path in ("/staff", "/staff/slips", "/staff/refunds", "/staff/jobs", "/staff/notices", "/staff/orders/123456"):
        assert (await client.get(path)).status_code == 404


async def test_what_has_to_be_packed_is_added_up(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall
) -> None:
    _, jam = await factories.goods(
        session, stall.group, (await producers.stream(session, stall.group, StreamKind.goods)).id, name_th="แยม"
    )
    other = factories.Stall(stall.group, stall.center, stall.owner, stall.listing, jam)
    await factories.paid_order(session, (stall, 2000), (other, 1000))
    await factories.paid_order(session, (stall, 3000))
    await factories.order(session, (stall, 4000))
    desk = await enter_group(client, session, stall)

    rows = [words(row) for row in (await soup(client, f"{desk}/picking")).select("tbody tr")]

    assert rows == ["ข้าวเม่า 5 ถุง 2", "แยม 1 ถุง 1"]


async def test_a_cash_order_is_packed_and_paid_at_the_door(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall
) -> None:
    placed = await factories.order(
        session, (stall, 1000), delivery=DeliveryKind.pickup_group, method=PaymentMethod.cash
    )
    desk = await enter_group(client, session, stall)
    assert "฿50 ตอนรับสินค้า" in words(await soup(client, f"{desk}/orders/{placed.number}"))

    await sent(client, f"{desk}/orders/{placed.number}/hand-over")

    await session.refresh(placed)
    assert placed.state == OrderState.done


async def test_a_packing_slip_carries_the_groups_cloth_and_the_address(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall
) -> None:
    placed = await factories.paid_order(session, (stall, 1000))
    desk = await enter_group(client, session, stall)

    page = await soup(client, f"{desk}/orders/{placed.number}/slip")

    assert page.select_one("img.cloth-band")
    assert "12 หมู่ 3 ต.หนองโสน" in words(page)


async def waiting_slip(session: AsyncSession, *wanted: tuple[Stall, int]) -> tuple[Order, slips.Slip]:
    placed = await factories.order(session, *wanted)
    return placed, await slips.send_slip(session, placed, factories.slip(f"REF{placed.number}"))


async def test_staff_confirm_a_slip(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall, staff: Person
) -> None:
    placed, slip = await waiting_slip(session, (stall, 1000))
    await enter(client, session, staff)

    page = await soup(client, "/staff/slips")
    assert f"REF{placed.number}" in words(page)
    assert "ธนาคารกสิกรไทย" in words(page)
    assert page.select_one(f'img[src="/desk/slips/{slip.id}/picture"]')
    await sent(client, f"/desk/slips/{slip.id}/accept", amount="90.00", back="/staff/slips")

    await session.refresh(placed)
    assert placed.state == OrderState.paid
    assert "ไม่มีสลิปรอตรวจ" in words(await soup(client, "/staff/slips"))


async def test_a_second_slip_of_a_paid_order_asks_what_must_go_back(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall, staff: Person
) -> None:
    placed, _ = await waiting_slip(session, (stall, 1000))
    await payments.settle(session, placed, placed.total_satang, STAFF, key="arrived before")
    await enter(client, session, staff)

    page = await soup(client, "/staff/slips")

    assert "จ่ายครบแล้ว" in words(page)
    assert "฿0.00" not in words(page)
    assert page.select_one("input[name=amount]")["value"] == ""  # type: ignore[index]


async def test_an_amount_that_makes_no_sense_is_not_taken(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall, staff: Person
) -> None:
    _, slip = await waiting_slip(session, (stall, 1000))
    await enter(client, session, staff)

    page = await sent(client, f"/desk/slips/{slip.id}/accept", 422, amount="เก้าสิบ")

    assert page.select_one("input[name=amount]")["value"] == "เก้าสิบ"  # type: ignore[index]
    assert page.select_one("[role=alert]")


async def test_an_owner_judges_what_came_into_the_groups_account(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall
) -> None:
    placed, slip = await waiting_slip(session, (stall, 1000))
    desk = await enter_group(client, session, stall)
    assert (await soup(client, desk)).select_one(".desk-next a")["href"] == "/desk/slips"  # type: ignore[index]

    await sent(client, f"/desk/slips/{slip.id}/refuse", reason="ยอดเงินยังไม่เข้า", back="/desk/slips")

    assert "ยอดเงินยังไม่เข้า" in words(await soup(client, placed.path))


async def test_a_slips_picture_is_only_for_whoever_judges_it(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall
) -> None:
    other = await factories.stall(session)
    _, slip = await waiting_slip(session, (stall, 1000))
    await enter(client, session, other.owner)

    assert (await client.get(f"/desk/slips/{slip.id}/picture")).status_code == 404
    assert (await client.post(f"/desk/slips/{slip.id}/accept", data={"amount": "90"})).status_code == 404


async def test_a_refund_task_stands_on_top_until_it_is_done(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall, staff: Person
) -> None:
    placed = await factories.paid_order(session, (stall, 1000))
    await payments.settle(session, placed, 90_00, STAFF, key="twice")
    (task,) = await refunds.of_order(session, placed.id)
    await enter(client, session, staff)

    assert (await soup(client, "/staff")).select_one(".desk-next a")["href"] == "/staff/refunds"  # type: ignore[index]
    assert "฿90.00" in words(await soup(client, "/staff/refunds"))
    await sent(client, f"/desk/refunds/{task.id}/done", note="KBANK 123")

    assert "ไม่มีเงินที่ต้องคืน" in words(await soup(client, "/staff/refunds"))
    assert "คืนเมื่อ" in words(await soup(client, placed.path))


async def test_staff_cancel_a_paid_order_with_a_reason(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall, staff: Person
) -> None:
    placed = await factories.paid_order(session, (stall, 1000))
    await enter(client, session, staff)

    answer = await client.post("/staff/orders", data={"number": placed.spoken_number})
    assert answer.headers["location"] == f"/staff/orders/{placed.number}"
    await sent(client, f"/staff/orders/{placed.number}/cancel", 422, reason="")
    await sent(client, f"/staff/orders/{placed.number}/cancel", reason="กลุ่มของหมด")

    await session.refresh(placed)
    (task,) = await refunds.of_order(session, placed.id)
    assert (placed.state, task.satang) == (OrderState.cancelled, 90_00)


async def test_one_groups_part_is_taken_out_and_the_rest_goes_on(
    client: httpx.AsyncClient, session: AsyncSession, staff: Person
) -> None:
    center = await producers.center(session)
    center.promptpay_id = "0898887777"
    rice, fish = [await factories.stall(session, at=center) for _ in range(2)]
    placed = await factories.paid_order(session, (rice, 1000), (fish, 1000))
    first, second = await order.parts_of(session, placed.id)
    await enter(client, session, staff)

    await sent(client, f"/staff/orders/{placed.number}/parts/{first.id}/cancel", reason="ของหมด")

    for each in (placed, first, second):
        await session.refresh(each)
    assert (placed.state, first.state, second.state) == (OrderState.paid, PartState.cancelled, PartState.paid)
    assert placed.returned_satang == 90_00


async def test_a_failed_job_is_tried_again_from_the_desk(
    client: httpx.AsyncClient, session: AsyncSession, staff: Person
) -> None:
    await jobs.enqueue(session, "mail.send", {"notice_id": "00000000-0000-0000-0000-000000000000"})
    await session.flush()
    (job,) = await jobs.claim(session, ["mail.send"], 1)
    job.attempts = jobs.MOST_ATTEMPTS
    await session.flush()
    await jobs.fail(session, job, "OSError: the post office is closed")
    await enter(client, session, staff)

    assert "the post office is closed" in words(await soup(client, "/staff/jobs"))
    await sent(client, f"/staff/jobs/{job.id}/retry")

    assert "ไม่มีงานที่ล้มเหลว" in words(await soup(client, "/staff/jobs"))


async def test_notices_can_be_read_on_the_desk(
    client: httpx.AsyncClient, session: AsyncSession, stall: Stall, staff: Person
) -> None:
    placed = await factories.paid_order(session, (stall, 1000))
    await enter(client, session, staff)

    page = words(await soup(client, f"/staff/notices?about={placed.number}"))

    assert f"คำสั่งซื้อ {placed.spoken_number} ชำระเงินแล้ว" in page
    assert f"มีคำสั่งซื้อใหม่ {placed.spoken_number}" in page


PAGES = ("/desk", "desk", "picking", "order", "slip", "/desk/slips", "/staff", "/staff/slips", "/staff/refunds",
         "/staff/jobs", "/staff/notices", "staff_order")  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
async def test_a_desk_asks_as_often_for_three_things_as_for_one(
    client: httpx.AsyncClient,
    session: AsyncSession,
    staff: Person,
    query_count: Callable[[], AbstractContextManager[QueryCount]],
    path: str,
) -> None:
    center = await producers.center(session)
    center.promptpay_id = "0898887777"
    stalls = [await factories.stall(session, at=center, stock=100_000) for _ in range(3)]
    for each in stalls[:2]:
        await access.grant(session, staff, Role.owner, group_id=each.group.id)
    await enter(client, session, staff)

    async def asked(n: int) -> int:
        for _ in range(n):
            await waiting_slip(session, (stalls[0], 1000))
            late = await factories.paid_order(session, (stalls[0], 1000))
            await payments.settle(session, late, 10_00, STAFF, key=f"more {late.id}")
        placed = await factories.paid_order(session, *((stall, 1000) for stall in stalls[:n]))
        await session.commit()
        desk = f"/desk/groups/{stalls[0].group.slug}"
        address = {
            "desk": desk,
            "picking": f"{desk}/picking",
            "order": f"{desk}/orders/{placed.number}",
            "slip": f"{desk}/orders/{placed.number}/slip",
            "staff_order": f"/staff/orders/{placed.number}",
        }.get(path, path)
        with query_count() as queries:
            answer = await client.get(address)
        assert answer.status_code == 200, BeautifulSoup(answer.text, "html.parser").get_text()[:500]
        return len(queries)

    assert await asked(1) == await asked(3)
