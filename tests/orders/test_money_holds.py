"""Whatever people do, in whatever order, however often, whenever: books, stock and orders agree after every step.

Each example plays in one transaction that is rolled back; every step is a session of its own inside it, so a refusal
undoes what a refused request would undo.  The database's deferred constraints are asked after every step.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import ColumnElement, Select, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from app import clock
from app.access import Scope
from app.errors import Refusal
from app.settings import settings as market_settings
from catalog import capacity
from catalog.capacity import Pool
from orders import cancellation, giving_back, hand_over, order, payments, refunds, slips
from orders.giving_back import RefundItem, Wish
from orders.order import Order, OrderLine, OrderPart
from orders.payments import Payment
from orders.refunds import RefundTask
from orders.slips import Slip
from orders.states import BUYER, UNPAID, Actor, DeliveryKind, OrderState, PartState, PaymentMethod
from producers import fees, ledger
from producers.ledger import Account, LedgerEntry, Purpose
from tests import factories as people
from tests.orders import factories
from tests.orders.factories import GROUP, STAFF, Stall
from tests.producers import factories as producers

T = TypeVar("T")
STALLS = 3
STOCK = 6_000
START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
WISHES = st.tuples(st.integers(0, 3), st.sampled_from([0, 0, 1, 7_77]), st.booleans(), st.booleans())
AMOUNTS = st.lists(st.integers(0, 3), min_size=STALLS, max_size=STALLS)
"""Half units of each stall's goods."""
WAYS = (
    (DeliveryKind.parcel, PaymentMethod.promptpay),
    (DeliveryKind.pickup_group, PaymentMethod.promptpay),
    (DeliveryKind.pickup_group, PaymentMethod.cash),
    (DeliveryKind.pickup_center, PaymentMethod.cash),
)
TAKEN = (PartState.paid, PartState.packed, PartState.handed_over)


class Market(RuleBasedStateMachine):
    """Three stalls of one centre; one takes its own PromptPay, the others the centre's."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.frozen = clock.frozen(START)
        self.clock = self.frozen.__enter__()
        self.orders: list[UUID] = []
        self.put_in = [STOCK] * STALLS
        self.runner.run(self._open())

    def teardown(self) -> None:
        self.runner.run(self._close())
        self.runner.close()
        self.frozen.__exit__(None, None, None)

    async def _open(self) -> None:
        url = market_settings().database_url
        assert url is not None
        self.engine = create_async_engine(url, poolclass=NullPool)
        self.connection = await self.engine.connect()
        self.transaction = await self.connection.begin()
        await self._step(self._arrange)

    async def _close(self) -> None:
        await self.transaction.rollback()
        await self.connection.close()
        await self.engine.dispose()

    async def _arrange(self, session: AsyncSession) -> None:
        await factories.fee_rules(session)
        self.staff: Scope = await people.staff(session)
        center = await producers.center(session)
        center.promptpay_id, center.promptpay_name = "0898887777", "ศูนย์"
        self.stalls: list[Stall] = []
        for n in range(STALLS):
            promptpay = factories.PROMPTPAY if n == 0 else None
            stall = await factories.stall(
                session, at=center, promptpay=promptpay, price=33_34 + n * 2, stock=STOCK, step=500, parcel_fee=37_50
            )
            self.stalls.append(stall)

    async def _step(self, verb: Callable[[AsyncSession], Awaitable[T]]) -> T:
        async with AsyncSession(
            self.connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        ) as session:
            outcome = await verb(session)
            await session.commit()
            return outcome

    def do(self, verb: Callable[[AsyncSession], Awaitable[T]]) -> T | None:
        """Do something as a request would: a refusal undoes it."""
        try:
            return self.runner.run(self._step(verb))
        except Refusal:
            return None

    def some_order(self, n: int) -> UUID:
        return self.orders[n % len(self.orders)]

    # What people do

    @initialize(amounts=AMOUNTS, way=st.sampled_from(WAYS))
    def open_the_day(self, amounts: list[int], way: tuple[DeliveryKind, PaymentMethod]) -> None:
        self.place([n + 1 for n in amounts], way)
        self.place(amounts, WAYS[0])

    @rule(amounts=AMOUNTS, way=st.sampled_from(WAYS))
    def order_something(self, amounts: list[int], way: tuple[DeliveryKind, PaymentMethod]) -> None:
        self.place(amounts, way)

    def place(self, amounts: list[int], way: tuple[DeliveryKind, PaymentMethod]) -> None:
        delivery, method = way
        wanted = [(stall, n * 500) for stall, n in zip(self.stalls, amounts, strict=True) if n]

        async def verb(session: AsyncSession) -> UUID:
            return (await factories.order(session, *wanted, delivery=delivery, method=method)).id

        if wanted and (placed := self.do(verb)):
            self.orders.append(placed)

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0, 20), reference=st.integers(0, 6))
    def send_slip(self, which: int, reference: int) -> None:
        """References repeat, so slips are used again."""

        async def verb(session: AsyncSession) -> None:
            found = await session.get_one(Order, self.some_order(which))
            await slips.send_slip(session, found, factories.slip(f"REFERENCE{reference}" if reference else None))

        self.do(verb)

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0, 20), short=st.sampled_from([0, 0, 0, 7_00]))
    def pay_by_slip(self, which: int, short: int) -> None:
        async def verb(session: AsyncSession) -> None:
            found = await session.get_one(Order, self.some_order(which))
            slip = await slips.send_slip(session, found, factories.slip())
            await slips.accept_slip(session, self.staff, slip.id, max(found.due_satang - short, 1_00), STAFF)

        self.do(verb)

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0, 20), too_much=st.sampled_from([0, 0, 0, -10_00, 5_00]))
    def accept_slip(self, which: int, too_much: int) -> None:
        async def verb(session: AsyncSession) -> None:
            slip, found = await self._some_slip(session, which)
            await slips.accept_slip(session, self.staff, slip.id, max(found.due_satang + too_much, 1_00), STAFF)

        self.do(verb)

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0, 20))
    def refuse_slip(self, which: int) -> None:
        async def verb(session: AsyncSession) -> None:
            slip, _ = await self._some_slip(session, which)
            await slips.refuse_slip(session, self.staff, slip.id, "ยอดไม่เข้า", STAFF)

        self.do(verb)

    async def _some_slip(self, session: AsyncSession, which: int) -> tuple[Slip, Order]:
        """Any slip of an order, judged ones too: people click twice."""
        found = await session.get_one(Order, self.some_order(which))
        sent = await slips.of_order(session, found.id)
        if not sent:
            raise Refusal
        return sent[which % len(sent)], found

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0, 20), key=st.integers(0, 2))
    def money_arrives(self, which: int, key: int) -> None:
        """A provider's word, perhaps told again, for orders in any state."""

        async def verb(session: AsyncSession) -> None:
            found = await session.get_one(Order, self.some_order(which))
            if not found.is_cash:
                await payments.settle(session, found, found.total_satang, STAFF, key=f"stripe pi_{found.id}_{key}")

        self.do(verb)

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0, 20), actor=st.sampled_from([BUYER, BUYER, STAFF]))
    def cancel(self, which: int, actor: Actor) -> None:
        async def verb(session: AsyncSession) -> None:
            await cancellation.cancel(session, await session.get_one(Order, self.some_order(which)), actor)

        self.do(verb)

    @precondition(lambda self: self.orders)
    @rule(
        which=st.integers(0, 20),
        nth=st.integers(0, 2),
        what=st.sampled_from(["pack", "hand_over", "hand_over", "drop"]),
    )
    def tend_a_part(self, which: int, nth: int, what: str) -> None:
        async def verb(session: AsyncSession) -> None:
            parts = await order.parts_of(session, self.some_order(which))
            part_id = parts[nth % len(parts)].id
            if what == "pack":
                await hand_over.pack(session, part_id, GROUP)
            elif what == "hand_over":
                await hand_over.hand_over(session, part_id, GROUP)
            else:
                await cancellation.cancel_part(session, part_id, STAFF)

        self.do(verb)

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0, 20), nth=st.integers(0, 2), wish=WISHES)
    def give_back(self, which: int, nth: int, wish: tuple[int, int, bool, bool]) -> None:
        """Half units of a line, an amount, the delivery fee; goods that come back on sale or are lost."""
        halves, satang, delivery, back_on_sale = wish

        async def verb(session: AsyncSession) -> tuple[UUID, int]:
            parts = await order.parts_of(session, self.some_order(which))
            part = parts[nth % len(parts)]
            (line,) = await order.lines_of(session, [part.id])
            wanted = Wish("เสียหาย", {line.id: halves * 500}, delivery, satang, back_on_sale)
            before = part.state
            items = await giving_back.give_back(session, self.staff, part.id, wanted, STAFF)
            lost = sum(item.quantity_milli for item in items if not item.back_on_sale)
            return part.group_id, 0 if before == PartState.handed_over else lost

        if told := self.do(verb):
            group_id, lost = told
            self.put_in[[stall.group.id for stall in self.stalls].index(group_id)] -= lost

    @precondition(lambda self: self.orders)
    @rule(nth=st.integers(0, 5), state=st.sampled_from(["pending", "succeeded", "succeeded", "failed", "canceled"]))
    def provider_says(self, nth: int, state: str) -> None:
        """Its words about one refund come in any order, and again."""

        async def verb(session: AsyncSession) -> None:
            asked = select(RefundTask.id).where(RefundTask.provider.is_not(None)).order_by(RefundTask.id)
            tasks = (await session.scalars(asked)).all()
            if tasks:
                task_id = tasks[nth % len(tasks)]
                await refunds.provider_said(session, f"re_{task_id}", state, task_id)

        self.do(verb)

    @precondition(lambda self: self.orders)
    @rule()
    def tell_who_ran_out(self) -> None:
        async def verb(session: AsyncSession) -> None:
            for order_id in self.orders:
                await cancellation.expire(session, await session.get_one(Order, order_id))

        self.do(verb)

    @precondition(lambda self: self.orders)
    @rule(nth=st.integers(0, 5))
    def pay_back(self, nth: int) -> None:
        async def verb(session: AsyncSession) -> None:
            tasks = (await session.scalars(select(RefundTask.id).order_by(RefundTask.id))).all()
            if tasks:
                await refunds.finish(session, self.staff, tasks[nth % len(tasks)], STAFF, None)

        self.do(verb)

    @rule(nth=st.integers(0, STALLS - 1), milli=st.sampled_from([0, 500, 3_000, 8_000]))
    def count_stock(self, nth: int, milli: int) -> None:
        """The group sets what there is; the difference came in or went out by another door."""
        pool_id = self.stalls[nth].variant.pool_id

        async def verb(session: AsyncSession) -> int:
            before = await session.scalar(select(Pool.on_hand_milli).where(Pool.id == pool_id)) or 0
            await capacity.set_on_hand(session, pool_id, milli)
            return milli - before

        self.put_in[nth] += self.do(verb) or 0

    @rule(minutes=st.sampled_from([1, 30, 59, 61, 24 * 60, 3 * 24 * 60, 5 * 24 * 60]))
    def time_passes(self, minutes: int) -> None:
        self.clock.jump(timedelta(minutes=minutes))

    # What always holds

    @invariant()
    def everything_agrees(self) -> None:
        self.runner.run(self._step(self._check))

    async def _check(self, session: AsyncSession) -> None:
        await session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        await session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
        assert await ledger.sum_of_all(session) == 0
        orders = {each.id: each for each in await session.scalars(select(Order))}
        parts = list(await session.scalars(select(OrderPart)))
        await self._stock_agrees(session)
        await self._deposits_and_refunds_agree(session, orders, parts)
        for stall in self.stalls:
            await self._earnings_agree(
                session, stall, [part for part in parts if part.group_id == stall.group.id], orders
            )

    async def _stock_agrees(self, session: AsyncSession) -> None:
        """What was put in is on the shelf or in orders that are paid; nothing is below zero, nothing twice."""
        for stall, put_in in zip(self.stalls, self.put_in, strict=True):
            pool = await session.get_one(Pool, stall.variant.pool_id)
            taken = await total(
                session,
                select(func.sum(OrderLine.quantity_milli - OrderLine.off_milli))
                .join(OrderPart, OrderPart.id == OrderLine.part_id)
                .where(OrderLine.variant_id == stall.variant.id, OrderPart.state.in_(TAKEN))
                .join(Order, Order.id == OrderLine.order_id)
                .where((Order.payment_method == "promptpay") | (OrderPart.state == PartState.handed_over)),
            )
            # What was given back after it left the door does not come back to the shelf.
            taken += await total(
                session,
                select(func.sum(RefundItem.quantity_milli))
                .join(OrderLine, OrderLine.id == RefundItem.line_id)
                .join(OrderPart, OrderPart.id == RefundItem.part_id)
                .where(OrderLine.variant_id == stall.variant.id, RefundItem.made_at >= OrderPart.handed_over_at),
            )
            assert 0 <= pool.held_milli <= pool.on_hand_milli
            assert pool.on_hand_milli + taken == put_in

    async def _deposits_and_refunds_agree(
        self, session: AsyncSession, orders: dict[UUID, Order], parts: list[OrderPart]
    ) -> None:
        waiting = sum(
            part.kept_satang
            for part in parts
            if part.state in {PartState.paid, PartState.packed} and not orders[part.order_id].is_cash
        )
        assert await standing(session, LedgerEntry.account == Account.deposit) == -waiting
        open_tasks = await total(session, select(func.sum(RefundTask.satang)).where(RefundTask.state != "done"))
        credit = sum(each.credit_satang for each in orders.values() if each.state in UNPAID and not each.is_cash)
        assert await standing(session, LedgerEntry.account == Account.refund) == -(open_tasks + credit)
        came_in = await total(session, select(func.sum(Payment.satang)))
        paid_back = await total(session, select(func.sum(RefundTask.satang)).where(RefundTask.state == "done"))
        collected = await standing(
            session, (LedgerEntry.account == Account.group) & (LedgerEntry.purpose == Purpose.collected)
        )
        assets = LedgerEntry.account.in_([Account.money, Account.cash])
        assert await standing(session, assets) == came_in - paid_back - collected
        for each in orders.values():
            assert each.credit_satang == each.kept_satang - each.due_satang
            kept = sum(part.kept_satang for part in parts if part.order_id == each.id and part.state in TAKEN)
            if not each.is_cash and each.state in {OrderState.paid, OrderState.done}:
                assert each.credit_satang == kept
            if each.state == OrderState.cancelled:
                assert each.credit_satang == kept == 0

    async def _earnings_agree(
        self, session: AsyncSession, stall: Stall, parts: list[OrderPart], orders: dict[UUID, Order]
    ) -> None:
        """Earned = paid out + owed; the canvas says what the hand-overs say, less what was given back, to the satang."""
        done = [part for part in parts if part.state == PartState.handed_over]
        taken = 0
        for part in done:
            left = sum(share.satang for share in await ledger.fees_taken(session, part.order_id, part.group_id))
            at_sale = fees.split(part.goods_satang, part.fee_rules, orders[part.order_id].payment_method)
            assert 0 <= left <= sum(share.satang for share in at_sale)
            assert left == 0 or part.kept_goods_satang > 0
            taken += left
        balance = await ledger.balance_of_group(session, stall.group.id)
        assert balance.earned == balance.paid_out + balance.owed
        assert balance.earned == sum(part.kept_satang for part in done) - taken
        canvas = await ledger.revenue_by_stream(session, stall.group.id, [])
        assert sum(row.satang for row in canvas) == sum(part.kept_satang for part in done)
        assert sum(row.satang for row in canvas if row.stream_id) == sum(part.kept_goods_satang for part in done)


async def total(session: AsyncSession, question: Select[Any]) -> int:
    return int(await session.scalar(question) or 0)


async def standing(session: AsyncSession, condition: ColumnElement[bool]) -> int:
    return await total(session, select(func.sum(LedgerEntry.satang)).where(condition))


HURRIED = settings(
    max_examples=6,
    stateful_step_count=18,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
PATIENT = settings(HURRIED, max_examples=400, stateful_step_count=60)


def test_money_stock_and_orders_agree_whatever_happens(database: str) -> None:
    run_state_machine_as_test(Market, settings=HURRIED)


@pytest.mark.long
def test_they_agree_after_very_many_steps(database: str) -> None:
    run_state_machine_as_test(Market, settings=PATIENT)
