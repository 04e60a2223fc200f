"""A group's program packs and hands over; a receiver's judges slips; staff's looks after the rest."""

import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from orders import giving_back, slips
from orders.giving_back import Wish
from orders.order import lines_of
from tests import factories as people
from tests.ground.callers import program
from tests.orders import factories
from tests.orders.factories import STAFF, producers


async def test_a_program_packs_and_hands_over_a_parcel(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall = await factories.stall(session)
    order = await factories.paid_order(session, (stall, 2000))
    own = await program(client, session, stall.owner, "orders:read", "orders:write", group_id=stall.group.id)
    desk = f"/desk/groups/{stall.group.slug}/orders"
    [waiting] = (await own.get(desk))["items"]
    assert (waiting["number"], waiting["lines"][0]["quantity_milli"]) == (order.number, 2000)
    packed = await own.ask("POST", f"{desk}/{order.number}/pack")
    label = {"tracking": {"carrier": "thailand-post", "number": "EY145587896TH"}}
    sent = await own.ask("POST", f"{desk}/{order.number}/hand-over", json=label)
    assert (packed["state"], sent["state"], sent["tracking"]) == ("packed", "handed_over", "EY145587896TH")
    assert (await own.get(desk))["items"] == []
    assert [each["number"] for each in (await own.get(desk, which="handed_over"))["items"]] == [order.number]


async def test_a_program_is_told_what_of_a_line_is_no_longer_to_be_packed(
    session: AsyncSession, client: httpx.AsyncClient
) -> None:
    stall = await factories.stall(session)
    order = await factories.paid_order(session, (stall, 3000))
    part = await factories.only_part(session, order)
    (line,) = await lines_of(session, [part.id])
    await giving_back.give_back(session, await people.staff(session), part.id, Wish("หมด", {line.id: 1000}), STAFF)
    own = await program(client, session, stall.owner, "orders:read", group_id=stall.group.id)
    [waiting] = (await own.get(f"/desk/groups/{stall.group.slug}/orders"))["items"]
    told = waiting["lines"][0]
    assert (told["quantity_milli"], told["off_milli"], waiting["off_satang"]) == (3000, 1000, line.off_satang)


async def test_only_the_answer_about_one_order_says_who_the_buyer_is(
    session: AsyncSession, client: httpx.AsyncClient
) -> None:
    stall = await factories.stall(session)
    order = await factories.paid_order(session, (stall, 1000))
    own = await program(client, session, stall.owner, "orders:read")
    desk = f"/desk/groups/{stall.group.slug}/orders"
    listed = await own.raw("GET", desk)
    one = await own.get(f"{desk}/{order.number}")
    assert order.buyer_name not in listed.text
    assert one["recipient"]["name"] == order.buyer_name
    assert str(order.buyer_email) not in str(one)


async def test_unpaid_goods_are_not_handed_over(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall = await factories.stall(session)
    order = await factories.order(session, (stall, 1000))
    own = await program(client, session, stall.owner, "orders:write")
    no = await own.ask("POST", f"/desk/groups/{stall.group.slug}/orders/{order.number}/pack", 409)
    assert no["type"] == "urn:market:not-paid-yet"
    assert no["detail_th"] != no["detail_en"]


async def test_a_long_list_is_read_page_by_page_and_nothing_comes_twice(
    session: AsyncSession, client: httpx.AsyncClient
) -> None:
    stall = await factories.stall(session)
    numbers = [(await factories.paid_order(session, (stall, 1000))).number for _ in range(5)]
    own = await program(client, session, stall.owner, "orders:read")
    desk, read, cursor = f"/desk/groups/{stall.group.slug}/orders", [], None
    while True:
        page = await own.get(desk, which="all", limit=2, **({"cursor": cursor} if cursor else {}))
        read += [each["number"] for each in page["items"]]
        if not (cursor := page["next"]):
            break
    assert read == numbers
    assert (await own.ask("GET", desk, 422, params={"cursor": "bm8="}))["type"] == "urn:market:broken-cursor"


async def test_another_groups_orders_do_not_exist(session: AsyncSession, client: httpx.AsyncClient) -> None:
    ours, theirs = await factories.stall(session), await factories.stall(session)
    order = await factories.paid_order(session, (theirs, 1000))
    own = await program(client, session, ours.owner)
    for path in (f"{theirs.group.slug}/orders/{order.number}", f"{ours.group.slug}/orders/{order.number}"):
        await own.ask("GET", f"/desk/groups/{path}", 404)
        await own.ask("POST", f"/desk/groups/{path}/pack", 404)


async def test_a_token_does_only_what_it_was_made_for(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall = await factories.stall(session)
    order = await factories.paid_order(session, (stall, 1000))
    reader = await program(client, session, stall.owner, "orders:read")
    no = await reader.ask("POST", f"/desk/groups/{stall.group.slug}/orders/{order.number}/pack", 403)
    assert no["type"] == "urn:market:scope-missing"


async def test_the_same_call_again_gives_the_same_bytes(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall = await factories.stall(session)
    order = await factories.paid_order(session, (stall, 1000))
    own = await program(client, session, stall.owner, "orders:write")
    path, key = f"/desk/groups/{stall.group.slug}/orders/{order.number}/hand-over", {"Idempotency-Key": "k" * 20}
    first = await own.raw("POST", path, json={}, headers=key)
    second = await own.raw("POST", path, json={}, headers=key)
    assert (first.status_code, first.content) == (200, second.content)


async def test_whoever_receives_the_money_judges_the_slip(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall, stranger = await factories.stall(session), await factories.stall(session)
    order = await factories.order(session, (stall, 1000))
    slip = await slips.send_slip(session, order, factories.slip())
    foreign = await program(client, session, stranger.owner)
    own = await program(client, session, stall.owner)
    assert await foreign.get("/desk/slips") == []
    await foreign.ask("POST", f"/desk/slips/{slip.id}/accept", 404, json={"satang": order.total_satang})
    [waiting] = await own.get("/desk/slips")
    judged = await own.ask("POST", f"/desk/slips/{waiting['id']}/accept", json={"satang": waiting["due_satang"]})
    assert (judged["state"], judged["order_state"]) == ("accepted", "paid")


async def test_staff_cancel_a_part_and_pay_it_back(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall = await factories.stall(session)
    order = await factories.paid_order(session, (stall, 1000))
    part = await factories.only_part(session, order)
    staff = (await people.staff(session)).person
    assert staff is not None
    net, own = await program(client, session, staff), await program(client, session, stall.owner)
    path = f"/staff/orders/{order.number}/parts/{part.id}/cancel"
    await own.ask("POST", path, 404, json={"reason": "ของหมด"})
    shown = await net.ask("POST", path, json={"reason": "ของหมด"})
    assert [each["state"] for each in shown["parts"]] == ["cancelled"]
    [task] = await net.get("/desk/refunds")
    done = await net.ask("POST", f"/desk/refunds/{task['id']}/done", json={"note": "SCB 11:30"})
    assert (done["state"], done["satang"]) == ("done", order.total_satang)


async def test_a_coordinator_has_no_place_at_a_groups_table(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall = await factories.stall(session)
    order = await factories.paid_order(session, (stall, 1000))
    coordinator = await producers.coordinator(session, stall.center)
    watching = await program(client, session, coordinator)
    await watching.ask("GET", f"/desk/groups/{stall.group.slug}/orders/{order.number}", 404)
