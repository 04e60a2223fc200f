"""How orders end without goods, and who is told."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app import mail
from app.clock import FrozenClock
from catalog import capacity
from orders import cancellation, hand_over, notices, order, refunds, slips
from orders.cancellation import HandedOverAlready, PaidMeanwhile, SlipBeingChecked
from orders.hand_over import NotPaidYet
from orders.states import BUYER, DeliveryKind, OrderState, PartState, PaymentMethod
from tests import factories as people
from tests.orders import factories
from tests.orders.factories import GROUP, MALI, STAFF, Stall
from tests.producers import factories as producers


async def left(session: AsyncSession, stall: Stall) -> int:
    return (await capacity.left_of(session, [stall.variant.pool_id]))[stall.variant.pool_id]


async def told(session: AsyncSession, number: str) -> list[tuple[str, str]]:
    return [(notice.to, notice.subject) for notice in reversed(await mail.recent(session, about=number))]


async def test_an_unpaid_order_is_cancelled_once_and_its_goods_are_free(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    placed = await factories.order(session, (stall, 1000))

    for _ in range(2):
        await cancellation.cancel(session, placed, BUYER, "เปลี่ยนใจ")

    assert (placed.state, placed.cancelled_because) == (OrderState.cancelled, "เปลี่ยนใจ")
    assert await left(session, stall) == 10_000
    kinds = [event.kind for event in (await order.view(session, placed)).events]
    assert kinds == ["placed", "cancelled"]


async def test_a_buyer_cannot_cancel_what_is_paid_or_being_checked(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    paid, checked = await factories.paid_order(session, (stall, 1000)), await factories.order(session, (stall, 1000))
    await slips.send_slip(session, checked, factories.slip())

    with pytest.raises(PaidMeanwhile):
        await cancellation.cancel(session, paid, BUYER)
    with pytest.raises(SlipBeingChecked):
        await cancellation.cancel(session, checked, BUYER)


async def test_nobody_cancels_what_was_handed_over(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    paid = await factories.paid_order(session, (stall, 1000))
    part = await factories.only_part(session, paid)
    await hand_over.hand_over(session, part.id, GROUP)

    with pytest.raises(HandedOverAlready):
        await cancellation.cancel(session, paid, STAFF)
    with pytest.raises(HandedOverAlready):
        await cancellation.cancel_part(session, part.id, STAFF)


async def test_cancelling_a_paid_order_puts_the_goods_back_and_the_money_on_the_desk(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    paid = await factories.paid_order(session, (stall, 1000))
    await hand_over.pack(session, (await factories.only_part(session, paid)).id, GROUP)

    await cancellation.cancel(session, paid, STAFF, "ของเสียระหว่างแพ็ก")

    (task,) = await refunds.of_order(session, paid.id)
    assert (paid.state, task.satang) == (OrderState.cancelled, 90_00)
    assert await left(session, stall) == 10_000


async def test_the_order_is_done_when_all_its_parts_are_handed_over_or_cancelled(session: AsyncSession) -> None:
    center = await producers.center(session)
    center.promptpay_id = "0898887777"
    stalls = [await factories.stall(session, at=center) for _ in range(3)]
    paid = await factories.paid_order(session, *((stall, 1000) for stall in stalls))
    first, second, third = await order.parts_of(session, paid.id)

    await hand_over.hand_over(session, first.id, GROUP)
    await cancellation.cancel_part(session, second.id, STAFF)
    assert paid.state == OrderState.paid
    await hand_over.hand_over(session, third.id, GROUP)

    assert paid.state == OrderState.done
    assert (paid.received_satang, paid.returned_satang) == (270_00, 90_00)


async def test_a_part_of_an_unpaid_order_is_not_taken_out_alone(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    placed = await factories.order(session, (stall, 1000))

    with pytest.raises(NotPaidYet):
        await cancellation.cancel_part(session, (await factories.only_part(session, placed)).id, STAFF)


async def test_whoever_waits_is_told_that_the_time_ran_out(session: AsyncSession, clock: FrozenClock) -> None:
    stall = await factories.stall(session)
    placed = await factories.order(session, (stall, 1000))
    cash = await factories.order(session, (stall, 1000), delivery=DeliveryKind.pickup_group, method=PaymentMethod.cash)

    assert not await cancellation.expire(session, placed)
    clock.jump(timedelta(days=4))
    assert await cancellation.expire(session, placed)
    assert await cancellation.expire(session, cash)
    assert not await cancellation.expire(session, cash)

    assert [to for to, _ in await told(session, placed.number)] == [MALI.email, MALI.email]
    assert (stall.owner.email, f"ไม่มีคนมารับคำสั่งซื้อ {cash.spoken_number}") in await told(session, cash.number)


async def test_a_slip_that_is_being_checked_does_not_run_out(session: AsyncSession, clock: FrozenClock) -> None:
    stall = await factories.stall(session)
    placed = await factories.order(session, (stall, 1000))
    await slips.send_slip(session, placed, factories.slip())
    clock.jump(timedelta(days=30))

    assert not await cancellation.expire(session, placed)
    assert placed.state == OrderState.slip_sent


async def test_buyers_and_groups_are_told_in_their_own_language(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    john = factories.replace(MALI, name="John", email="john@example.com", lang="en")

    placed = await factories.paid_order(session, (stall, 1000), buyer=john)

    assert await told(session, placed.number) == [
        ("john@example.com", f"Order {placed.spoken_number} is placed"),
        ("john@example.com", f"Order {placed.spoken_number} is paid"),
        (stall.owner.email, f"มีคำสั่งซื้อใหม่ {placed.spoken_number}"),
    ]


async def test_staff_are_told_of_money_to_pay_back(session: AsyncSession) -> None:
    staff = (await people.staff(session)).person
    assert staff is not None
    stall = await factories.stall(session)
    paid = await factories.paid_order(session, (stall, 1000))

    await cancellation.cancel(session, paid, STAFF)

    assert (staff.email, f"ต้องคืนเงิน ฿90 คำสั่งซื้อ {paid.spoken_number}") in await told(session, paid.number)


async def test_a_demos_past_is_told_to_nobody(session: AsyncSession) -> None:
    stall = await factories.stall(session)

    with notices.quiet():
        placed = await factories.paid_order(session, (stall, 1000))

    assert await told(session, placed.number) == []


async def test_a_buyer_without_an_e_mail_is_told_nothing_and_loses_nothing(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    placed = await factories.paid_order(session, (stall, 1000), buyer=factories.replace(MALI, email=None))

    assert [to for to, _ in await told(session, placed.number)] == [stall.owner.email]
    part = await factories.only_part(session, placed)
    assert part.state == PartState.paid
