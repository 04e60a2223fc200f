"""Giving back goods, delivery and amounts, before and after hand-over: what is packed, owed, earned and shown."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.access import Role, Scope, grant, scope_of
from app.errors import NotFound
from catalog import capacity
from orders import cancellation, giving_back, group_work, hand_over, refunds
from orders.giving_back import GivenBackMeanwhile, MoreThanThereIs, NothingToGiveBack, Wish
from orders.hand_over import NotPaidYet, PartCancelled
from orders.order import Order, OrderLine, OrderPart, lines_of, parts_of
from orders.states import DeliveryKind, OrderState, PartState, PaymentMethod
from producers import journal, ledger
from producers.fees import FeeKind, split_back, start_rule
from producers.ledger import Account, LedgerEntry, Purpose
from tests import factories as people
from tests.orders import factories
from tests.orders.factories import GROUP, STAFF, Stall
from tests.orders.test_cancellation import left
from tests.producers import factories as producers


async def staff_scope(session: AsyncSession) -> Scope:
    return await people.staff(session)


async def bought(session: AsyncSession, stall: Stall, milli: int = 3000) -> tuple[Order, OrderPart, OrderLine]:
    """A paid order of one line."""
    placed = await factories.paid_order(session, (stall, milli))
    part = await factories.only_part(session, placed)
    (line,) = await lines_of(session, [part.id])
    return placed, part, line


async def handed_over(session: AsyncSession, stall: Stall, milli: int = 3000) -> tuple[Order, OrderPart, OrderLine]:
    placed, part, line = await bought(session, stall, milli)
    await hand_over.hand_over(session, part.id, GROUP)
    return placed, part, line


async def test_units_given_back_before_hand_over_are_not_packed_and_are_on_sale_again(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    placed, part, line = await bought(session, stall)

    await giving_back.give_back(session, await staff_scope(session), part.id, Wish("ของไม่พอ", {line.id: 1000}), STAFF)

    (task,) = await refunds.of_order(session, placed.id)
    assert (task.satang, task.explanation) == (50_00, "ของไม่พอ")
    assert (line.kept_milli, part.kept_satang, placed.kept_satang, placed.due_satang) == (2000, 140_00, 140_00, 0)
    assert await left(session, stall) == 8_000
    assert [row.quantity_milli for row in await group_work.picking(session, stall.group.id)] == [2000]
    assert (await ledger.balance_of_group(session, stall.group.id)).waiting == 140_00


async def test_spoiled_goods_do_not_come_back_on_sale_even_when_the_rest_is_cancelled(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    _, part, line = await bought(session, stall)
    wish = Wish("ขึ้นรา", {line.id: 1000}, back_on_sale=False)

    await giving_back.give_back(session, await staff_scope(session), part.id, wish, STAFF)
    assert await left(session, stall) == 7_000
    await cancellation.cancel_part(session, part.id, STAFF)

    assert await left(session, stall) == 9_000


async def test_what_remains_is_earned_and_the_fees_are_of_what_remains(session: AsyncSession) -> None:
    await factories.fee_rules(session)
    stall = await factories.stall(session)
    _, part, line = await bought(session, stall)

    await giving_back.give_back(session, await staff_scope(session), part.id, Wish("ขาด", {line.id: 1000}), STAFF)
    await hand_over.hand_over(session, part.id, GROUP)

    balance = await ledger.balance_of_group(session, stall.group.id)
    assert (balance.earned, balance.waiting) == (140_00 - 7_00, 0)
    assert await ledger.sum_of_all(session) == 0


async def test_a_part_of_which_nothing_is_left_is_cancelled_with_its_delivery(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    placed, part, line = await bought(session, stall)

    await giving_back.give_back(session, await staff_scope(session), part.id, Wish("หมด", {line.id: 3000}), STAFF)

    assert (placed.state, part.state) == (OrderState.cancelled, PartState.cancelled)
    assert (placed.returned_satang, placed.credit_satang, placed.due_satang) == (190_00, 0, 0)
    assert await left(session, stall) == 10_000


async def test_after_hand_over_the_sale_is_reversed_on_its_stream_with_its_order(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    placed, part, line = await handed_over(session, stall)

    wish = Wish("มีมอด", {line.id: 1000}, delivery=True)
    await giving_back.give_back(session, await staff_scope(session), part.id, wish, STAFF)

    month = clock.month_of(clock.business_day())
    rows = {row.stream_id: row.satang for row in await ledger.revenue_by_stream(session, stall.group.id, [month])}
    assert rows == {line.stream_id: 100_00, None: 0}
    leaf = await journal.leaf(session, stall.group.id, stream_id=line.stream_id, months=[month])
    told = [(row.words, row.satang, row.entry.order_number, row.fact.note) for row in leaf.rows]
    assert ("Refund", -50_00, placed.number, "มีมอด") in told
    assert await left(session, stall) == 7_000


async def test_centre_and_fund_give_their_share_back_but_the_provider_keeps_its_fee(session: AsyncSession) -> None:
    await factories.fee_rules(session)
    await start_rule(
        session, "stripe", FeeKind.provider, name_th="ค่าบัตร", name_en="Card", basis_points=365,
        valid_from=clock.start_of_day(clock.business_day().replace(year=2020)),
    )  # fmt: skip
    stall = await factories.stall(session, price=33_33)
    _, part, line = await handed_over(session, stall)
    before = await standing(session)

    for milli, satang in ((1000, 0), (0, 7_77), (500, 0), (1500, 0)):
        wish = Wish("คืน", {line.id: milli}, satang=satang)
        await giving_back.give_back(session, await staff_scope(session), part.id, wish, STAFF)

    after = await standing(session)
    assert before[Account.center] < 0
    assert [after[each] for each in (Account.center, Account.fund, Account.provider)] == [
        0,
        0,
        before[Account.provider],
    ]
    assert (await ledger.balance_of_group(session, stall.group.id)).earned == 40_00 + before[Account.provider]
    assert part.kept_goods_satang == 0


async def standing(session: AsyncSession) -> dict[Account, int]:
    """What stands on the accounts of those who take fees."""
    sums = select(LedgerEntry.account, func.sum(LedgerEntry.satang)).group_by(LedgerEntry.account)
    return {Account(account): int(satang) for account, satang in await session.execute(sums)}


def test_no_share_gives_back_more_than_it_has() -> None:
    left, taken, back = 1000, [51, 20, 0], [0, 0, 0]
    for amount in (1, 1, 333, 1, 600, 64):
        shares = split_back(amount, left, taken)
        assert all(0 <= share <= have for share, have in zip(shares, taken, strict=True))
        left -= amount
        taken = [have - share for have, share in zip(taken, shares, strict=True)]
        back = [sum(pair) for pair in zip(back, shares, strict=True)]

    assert (left, taken, back) == (0, [0, 0, 0], [51, 20, 0])


async def test_an_amount_comes_off_the_goods_in_proportion_and_then_off_the_delivery(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    _, part, line = await handed_over(session, stall)
    scope = await staff_scope(session)

    await giving_back.give_back(session, scope, part.id, Wish("ช้ำ", satang=20_00), STAFF)
    assert (line.off_milli, line.off_satang, part.delivery_off_satang) == (0, 20_00, 0)
    await giving_back.give_back(session, scope, part.id, Wish("ช้ำหมด", satang=140_00), STAFF)

    assert (line.kept_satang, part.kept_delivery_satang) == (0, 30_00)
    with pytest.raises(MoreThanThereIs):
        await giving_back.give_back(session, scope, part.id, Wish("อีก", satang=30_01), STAFF)


async def test_a_group_that_was_paid_in_cash_gives_back_out_of_its_own_hand(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    placed = await factories.order(
        session, (stall, 2000), delivery=DeliveryKind.pickup_group, method=PaymentMethod.cash
    )
    part = await factories.only_part(session, placed)
    (line,) = await lines_of(session, [part.id])
    owner = await scope_of(session, stall.owner)
    await giving_back.give_back(session, owner, part.id, Wish("เปลี่ยนใจ", {line.id: 500}), GROUP)
    assert await refunds.of_order(session, placed.id) == []
    await hand_over.hand_over(session, part.id, GROUP)

    await giving_back.give_back(session, owner, part.id, Wish("แตก", {line.id: 500}), GROUP)

    ((task, _),) = await refunds.open_tasks(session, owner)
    await refunds.finish(session, owner, task.id, GROUP, None)
    balance = await ledger.balance_of_group(session, stall.group.id)
    assert (placed.received_satang, task.satang, balance.earned, balance.paid_out) == (75_00, 25_00, 50_00, 50_00)


async def test_nobody_gives_back_money_that_they_do_not_hold(session: AsyncSession) -> None:
    center = await producers.center(session)
    center.promptpay_id = "0898887777"
    stall = await factories.stall(session, at=center, promptpay=None)
    _, part, line = await bought(session, stall)
    coordinator = await people.person(session)
    await grant(session, coordinator, Role.coordinator, center_id=center.id)

    with pytest.raises(NotFound):
        await giving_back.give_back(
            session, await scope_of(session, stall.owner), part.id, Wish("x", {line.id: 1000}), GROUP
        )
    await giving_back.give_back(
        session, await scope_of(session, coordinator), part.id, Wish("แตก", {line.id: 1000}), STAFF
    )
    assert part.kept_goods_satang == 100_00


async def test_a_form_sent_twice_gives_back_once(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    placed, part, line = await bought(session, stall)
    scope, wish = await staff_scope(session), Wish("แตก", {line.id: 1000}, seen_off_satang=0)

    await giving_back.give_back(session, scope, part.id, wish, STAFF)
    with pytest.raises(GivenBackMeanwhile):
        await giving_back.give_back(session, scope, part.id, wish, STAFF)

    assert placed.returned_satang == 50_00


async def test_what_cannot_be_given_back_is_refused_and_named(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    scope = await staff_scope(session)
    _, part, line = await bought(session, stall)
    unpaid = await factories.only_part(session, await factories.order(session, (stall, 1000)))

    with pytest.raises(MoreThanThereIs) as refused:
        await giving_back.give_back(session, scope, part.id, Wish("x", {line.id: 4000}), STAFF)
    assert refused.value.field == f"line-{line.id}"
    with pytest.raises(NothingToGiveBack):
        await giving_back.give_back(session, scope, part.id, Wish("x"), STAFF)
    with pytest.raises(NotPaidYet):
        await giving_back.give_back(session, scope, unpaid.id, Wish("x", satang=1_00), STAFF)
    await cancellation.cancel_part(session, part.id, STAFF)
    with pytest.raises(PartCancelled):
        await giving_back.give_back(session, scope, part.id, Wish("x", satang=1_00), STAFF)


async def test_an_order_of_two_groups_keeps_the_others_part_whole(session: AsyncSession) -> None:
    center = await producers.center(session)
    center.promptpay_id = "0898887777"
    stalls = [await factories.stall(session, at=center) for _ in range(2)]
    placed = await factories.paid_order(session, *((stall, 1000) for stall in stalls))
    first, second = await parts_of(session, placed.id)

    await giving_back.give_back(session, await staff_scope(session), first.id, Wish("x", satang=10_00), STAFF)

    assert (first.kept_satang, second.kept_satang, placed.kept_satang) == (80_00, 90_00, 170_00)
    assert await capacity.left_of(session, [stalls[1].variant.pool_id]) == {stalls[1].variant.pool_id: 9_000}
    assert Purpose.refund not in {row.purpose for row in await session.scalars(select(LedgerEntry))}
