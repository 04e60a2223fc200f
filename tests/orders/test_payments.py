"""Money that reaches an order: in time, late, too little, too much, twice; and what the books say to each."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import Scope, scope_of
from app.clock import FrozenClock
from app.errors import NotFound
from catalog import capacity
from catalog.capacity import HoldRanOut
from orders import cancellation, hand_over, order, payments, refunds, slips
from orders.order import Order
from orders.refunds import RefundReason
from orders.slips import AlreadyJudged, NoSlipNeeded, SlipState, SlipUsedBefore
from orders.states import BUYER, DeliveryKind, OrderState, PartState, PaymentMethod
from producers import ledger
from producers.ledger import Account, LedgerEntry
from tests import factories as people
from tests.orders import factories
from tests.orders.factories import GROUP, STAFF, Stall
from tests.producers import factories as producers

HOUR = timedelta(hours=1)


async def standing(session: AsyncSession, account: Account) -> int:
    """Sum of an account: debits positive."""
    await session.flush()
    return int(
        await session.scalar(
            select(func.coalesce(func.sum(LedgerEntry.satang), 0)).where(LedgerEntry.account == account)
        )
        or 0
    )


async def left(session: AsyncSession, stall: Stall) -> int:
    return (await capacity.left_of(session, [stall.variant.pool_id]))[stall.variant.pool_id]


async def market_stall(session: AsyncSession) -> Stall:
    """A stall whose money goes to its centre's account."""
    stall = await factories.stall(session, promptpay=None)
    stall.center.promptpay_id, stall.center.promptpay_name = "0898887777", "ศูนย์"
    return stall


@pytest.fixture
async def staff(session: AsyncSession) -> Scope:
    return await people.staff(session)


async def test_paid_money_is_a_deposit_until_the_goods_are_handed_over(session: AsyncSession) -> None:
    await factories.fee_rules(session)
    stall = await market_stall(session)
    placed = await factories.paid_order(session, (stall, 2000))

    assert (placed.state, placed.received_satang) == (OrderState.paid, 140_00)
    assert await standing(session, Account.money) == 140_00
    assert await standing(session, Account.deposit) == -140_00
    assert await standing(session, Account.group) == 0

    await hand_over.hand_over(session, (await factories.only_part(session, placed)).id, GROUP)

    assert placed.state == OrderState.done
    assert await standing(session, Account.deposit) == 0
    assert await standing(session, Account.center) == -5_00
    assert await standing(session, Account.fund) == -2_00
    balance = await ledger.balance_of_group(session, stall.group.id)
    assert (balance.earned, balance.owed, balance.paid_out) == (133_00, 133_00, 0)


async def test_money_in_the_groups_own_account_is_collected_at_hand_over(session: AsyncSession) -> None:
    await factories.fee_rules(session)
    stall = await factories.stall(session)
    placed = await factories.paid_order(session, (stall, 2000))

    await hand_over.hand_over(session, (await factories.only_part(session, placed)).id, GROUP)

    balance = await ledger.balance_of_group(session, stall.group.id)
    assert (balance.earned, balance.paid_out, balance.owed) == (133_00, 140_00, -7_00)
    assert await ledger.sum_of_all(session) == 0


async def test_settling_with_the_same_key_pays_once(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    placed = await factories.order(session, (stall, 1000))

    first, again = [await payments.settle(session, placed, 90_00, STAFF, key="event 1") for _ in range(2)]

    assert first is again
    assert placed.received_satang == 90_00
    assert await refunds.open_count(session) == 0


async def test_paying_twice_gives_the_second_payment_back(session: AsyncSession, staff: Scope) -> None:
    stall = await factories.stall(session)
    placed = await factories.paid_order(session, (stall, 1000))

    await payments.settle(session, placed, 90_00, STAFF, key="second")

    ((task, _),) = await refunds.open_tasks(session, staff)
    assert (task.satang, task.reason) == (90_00, RefundReason.too_much)
    assert placed.state == OrderState.paid


async def test_too_little_waits_for_the_rest(session: AsyncSession, clock: FrozenClock) -> None:
    stall = await factories.stall(session)
    placed = await factories.order(session, (stall, 1000))

    await payments.settle(session, placed, 60_00, STAFF, key="first")
    assert (placed.state, placed.due_satang) == (OrderState.placed, 30_00)
    clock.jump(timedelta(hours=20))
    await payments.settle(session, placed, 30_00, STAFF, key="second")

    assert placed.state == OrderState.paid
    assert await standing(session, Account.deposit) == -90_00
    assert await standing(session, Account.refund) == 0


async def test_what_was_paid_of_an_order_that_ran_out_goes_back(session: AsyncSession, clock: FrozenClock) -> None:
    stall = await factories.stall(session)
    placed = await factories.order(session, (stall, 1000))
    await payments.settle(session, placed, 60_00, STAFF, key="first")

    clock.jump(timedelta(hours=25))
    await cancellation.expire(session, placed)

    (task,) = await refunds.of_order(session, placed.id)
    assert (placed.state, task.satang, task.reason) == (OrderState.expired, 60_00, RefundReason.short)


async def test_too_much_pays_the_order_and_the_rest_goes_back(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    placed = await factories.order(session, (stall, 1000))

    await payments.settle(session, placed, 100_00, STAFF)

    (task,) = await refunds.of_order(session, placed.id)
    assert (placed.state, task.satang) == (OrderState.paid, 10_00)
    assert await standing(session, Account.refund) == -10_00


async def test_late_money_is_taken_while_the_goods_are_still_there(session: AsyncSession, clock: FrozenClock) -> None:
    stall = await factories.stall(session, stock=1000)
    placed = await factories.order(session, (stall, 1000))
    clock.jump(3 * HOUR)
    await cancellation.expire(session, placed)

    await payments.settle(session, placed, 90_00, STAFF)

    assert placed.state == OrderState.paid
    assert await left(session, stall) == 0


async def test_late_money_for_goods_that_are_gone_becomes_a_refund_task(
    session: AsyncSession, clock: FrozenClock, staff: Scope
) -> None:
    stall = await factories.stall(session, stock=1000)
    late = await factories.order(session, (stall, 1000))
    clock.jump(3 * HOUR)
    await factories.paid_order(session, (stall, 1000))

    await payments.settle(session, late, 90_00, STAFF)

    ((task, of_order),) = await refunds.open_tasks(session, staff)
    assert (of_order.id, task.satang, task.reason) == (late.id, 90_00, RefundReason.late)
    assert late.state == OrderState.expired
    assert await left(session, stall) == 0
    await refunds.finish(session, staff, task.id, STAFF, "โอนคืนแล้ว")
    await refunds.finish(session, staff, task.id, STAFF, "อีกครั้ง")
    assert await standing(session, Account.refund) == 0


async def test_a_slip_in_time_keeps_the_goods_until_a_person_has_looked(
    session: AsyncSession, clock: FrozenClock, staff: Scope
) -> None:
    stall = await factories.stall(session, stock=1000)
    placed = await factories.order(session, (stall, 1000))
    slip = await slips.send_slip(session, placed, factories.slip("REF00001"))

    clock.jump(timedelta(days=2))
    assert await left(session, stall) == 0
    await slips.accept_slip(session, staff, slip.id, 90_00, STAFF)

    assert (placed.state, slip.state) == (OrderState.paid, SlipState.accepted)


async def test_the_same_slip_never_pays_two_orders(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    first, second = [await factories.order(session, (stall, 1000)) for _ in range(2)]
    picture = factories.slip("REF00002")
    await slips.send_slip(session, first, picture)

    with pytest.raises(SlipUsedBefore):
        await slips.send_slip(session, second, picture)
    with pytest.raises(SlipUsedBefore):  # another picture of the same transfer
        await slips.send_slip(session, second, factories.slip("REF00002"))
    assert second.state == OrderState.placed


async def test_the_same_slip_sent_twice_for_one_order_is_one_slip(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    placed = await factories.order(session, (stall, 1000))
    picture = factories.slip()

    first, again = [await slips.send_slip(session, placed, picture) for _ in range(2)]

    assert first.id == again.id


async def test_a_refused_slip_may_be_sent_again(session: AsyncSession, staff: Scope, clock: FrozenClock) -> None:
    stall = await factories.stall(session)
    placed = await factories.order(session, (stall, 1000))
    picture = factories.slip("REF00003")
    slip = await slips.send_slip(session, placed, picture)

    await slips.refuse_slip(session, staff, slip.id, "ยอดเงินยังไม่เข้า", STAFF)
    assert placed.state == OrderState.placed
    assert placed.hold_until_at == clock.now() + HOUR
    again = await slips.send_slip(session, placed, picture)

    assert again.id != slip.id
    with pytest.raises(AlreadyJudged):
        await slips.accept_slip(session, staff, slip.id, 90_00, STAFF)


async def test_two_people_who_confirm_a_slip_confirm_it_once(session: AsyncSession, staff: Scope) -> None:
    stall = await factories.stall(session)
    placed = await factories.order(session, (stall, 1000))
    slip = await slips.send_slip(session, placed, factories.slip("REF00004"))

    for _ in range(2):
        await slips.accept_slip(session, staff, slip.id, 90_00, STAFF)

    assert placed.received_satang == 90_00
    with pytest.raises(AlreadyJudged):
        await slips.refuse_slip(session, staff, slip.id, "สาย", STAFF)
    with pytest.raises(NoSlipNeeded):
        await slips.send_slip(session, placed, factories.slip())


async def test_a_slip_is_judged_only_by_whoever_holds_the_money(session: AsyncSession) -> None:
    mine, theirs = await factories.stall(session), await factories.stall(session)
    placed = await factories.order(session, (mine, 1000))
    slip = await slips.send_slip(session, placed, factories.slip())
    owner, stranger = [await scope_of(session, stall.owner) for stall in (mine, theirs)]
    packer = await scope_of(session, await producers.member(session, mine.group, factories.Role.packer))

    for nobody in (stranger, packer, Scope()):
        assert await slips.waiting(session, nobody) == []
        with pytest.raises(NotFound):
            await slips.accept_slip(session, nobody, slip.id, 90_00, GROUP)
    ((found, _),) = [(each.slip, each.order) for each in await slips.waiting(session, owner)]
    assert found.id == slip.id


async def test_money_for_a_cancelled_order_goes_back(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    placed = await factories.order(session, (stall, 1000))
    await cancellation.cancel(session, placed, BUYER, "เปลี่ยนใจ")
    assert await left(session, stall) == 10_000

    await payments.settle(session, placed, 90_00, STAFF)

    (task,) = await refunds.of_order(session, placed.id)
    assert (placed.state, task.reason) == (OrderState.cancelled, RefundReason.cancelled)
    assert await left(session, stall) == 10_000


async def test_cash_is_earned_when_the_buyer_fetches_the_goods(session: AsyncSession) -> None:
    await factories.fee_rules(session)
    stall = await factories.stall(session)
    placed = await factories.order(
        session, (stall, 1000), delivery=DeliveryKind.pickup_group, method=PaymentMethod.cash
    )
    part = await factories.only_part(session, placed)
    await hand_over.pack(session, part.id, GROUP)

    for _ in range(2):
        await hand_over.hand_over(session, part.id, GROUP)

    balance = await ledger.balance_of_group(session, stall.group.id)
    assert (placed.state, part.state) == (OrderState.done, PartState.handed_over)
    assert (balance.earned, balance.paid_out, balance.owed) == (46_50, 50_00, -3_50)
    assert await left(session, stall) == 9000


async def test_cash_that_comes_too_late_finds_the_goods_gone(session: AsyncSession, clock: FrozenClock) -> None:
    stall = await factories.stall(session, stock=1000)
    placed = await factories.order(
        session, (stall, 1000), delivery=DeliveryKind.pickup_group, method=PaymentMethod.cash
    )
    part = await factories.only_part(session, placed)
    clock.jump(timedelta(days=5))
    await cancellation.expire(session, placed)
    await factories.paid_order(session, (stall, 1000))

    with pytest.raises(HoldRanOut):
        await hand_over.hand_over(session, part.id, GROUP)


async def test_cash_that_comes_late_is_taken_while_the_goods_are_there(
    session: AsyncSession, clock: FrozenClock
) -> None:
    stall = await factories.stall(session, stock=1000)
    placed = await factories.order(
        session, (stall, 1000), delivery=DeliveryKind.pickup_group, method=PaymentMethod.cash
    )
    clock.jump(timedelta(days=5))
    await cancellation.expire(session, placed)

    await hand_over.hand_over(session, (await factories.only_part(session, placed)).id, GROUP)

    assert placed.state == OrderState.done


async def all_of(session: AsyncSession, placed: Order) -> list[str]:
    return [event.kind for event in (await order.view(session, placed)).events]


async def test_an_order_tells_its_story_with_who_and_when(session: AsyncSession, staff: Scope) -> None:
    stall = await factories.stall(session)
    placed = await factories.order(session, (stall, 1000))
    slip = await slips.send_slip(session, placed, factories.slip("REF00009"))
    await slips.accept_slip(session, staff, slip.id, 90_00, STAFF)
    part = await factories.only_part(session, placed)
    await hand_over.pack(session, part.id, GROUP)
    await hand_over.hand_over(session, part.id, GROUP)

    shown = await order.view(session, placed)

    assert [event.kind for event in shown.events] == ["placed", "slip_sent", "paid", "packed", "handed_over"]
    assert [event.by_kind for event in shown.events] == ["buyer", "buyer", "staff", "group", "group"]
