"""A year of the market, played: every purchase goes its way through the market's own verbs, at its own hour.

What happens to all purchases stands in one diary in order of time, so that the clock only ever goes forward, and
the verbs meet the stock, the rules and the other orders as they would have been.  What lies behind the last moment does
not happen: those orders are the work that waits on the desks.
"""

import hashlib
import heapq
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, time, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.clock import BANGKOK, FrozenClock
from app.demo import example_slips
from app.demo.cast import Member
from app.demo.purchases import Purchase, Story
from app.demo.stock import PLENTY, Stock
from catalog import capacity
from orders import basket as baskets
from orders import cancellation, checkout, delivery, hand_over, notices, payments, refunds, slips
from orders.basket import BasketLine, OnOffer
from orders.hand_over import Tracking
from orders.order import Order, OrderPart, parts_of
from orders.slip_qr import BANKS, SlipReference
from orders.slips import SlipPicture
from orders.states import BUYER, Actor, ActorKind, PaymentMethod, ReceiverKind

Act = Callable[[], Awaitable[object]]

NOTICES_KEPT: Final = timedelta(days=2)
"""Notices older than that were never written."""
IN_DETAIL: Final = timedelta(days=35)
"""For how long ago every slip and every packing is played, too."""
REFUND_TAKES: Final = timedelta(days=2)
WRONG_SLIP: Final = "ยอดโอนไม่ตรงกับคำสั่งซื้อ รบกวนตรวจสอบและส่งสลิปใหม่อีกครั้ง"
CHANGED_MIND: Final = "สั่งผิดรายการ ขอสั่งใหม่"
CANNOT_DELIVER: Final = "ฝนตกหนัก ผลผลิตเสียหาย กลุ่มขออภัยและคืนเงินเต็มจำนวน"
PAID_BACK: Final = "โอนคืนผ่านพร้อมเพย์แล้ว"


class Diary:
    """What is to happen, by time; acts may note further ones."""

    def __init__(self, hands: FrozenClock, until: datetime) -> None:
        self.until = until
        self._hands = hands
        self._acts: list[tuple[datetime, int, Act]] = []
        self._noted = 0

    def note(self, at: datetime, act: Act) -> None:
        self._noted += 1
        heapq.heappush(self._acts, (at, self._noted, act))

    async def play(self) -> None:
        """Let everything happen until the last moment, and leave the clock there."""
        while self._acts and self._acts[0][0] <= self.until:
            at, _, act = heapq.heappop(self._acts)
            self._hands.jump(max(at - clock.now(), timedelta(0)))
            if at < self.until - NOTICES_KEPT:
                with notices.quiet():
                    await act()
            else:
                await act()
        self._hands.jump(self.until - clock.now())


class Year:
    """Plays purchases; `pictures` are those of slips that nobody has looked at, to be put into the file store."""

    def __init__(self, session: AsyncSession, stock: Stock, diary: Diary, dice: random.Random) -> None:
        self.session, self.stock, self.diary, self.dice = session, stock, diary, dice
        self.pictures: list[SlipPicture] = []

    def expect(self, purchases: Sequence[Purchase]) -> None:
        for purchase in purchases:
            self.diary.note(purchase.at, _Sale(self, purchase).place)


class _Sale:
    """One purchase on its way."""

    def __init__(self, year: Year, purchase: Purchase) -> None:
        self._year, self._purchase = year, purchase
        self._session, self._dice = year.session, year.dice
        self._sent = 0
        self._order: Order | None = None

    @property
    def order(self) -> Order:
        assert self._order is not None
        return self._order

    async def place(self) -> None:
        """Fill a basket and order it."""
        basket, _ = await baskets.start(self._session)
        self._session.add_all(
            BasketLine(
                basket_id=basket.id,
                variant_id=ware.variant.id,
                quantity_milli=milli,
                seen_price_satang=ware.price_satang,
                added_at=clock.now(),
            )
            for ware, milli in self._purchase.wanted
        )
        groups = self._year.stock.groups
        self._order = await checkout.place(
            self._session,
            basket,
            self._purchase.buyer,
            {groups[code].group.id: kind for code, kind in self._purchase.deliveries.items()},
            PaymentMethod.cash if self._purchase.in_cash else PaymentMethod.promptpay,
            expected_total=self._purchase.satang + self._fees(),
            once_token=basket.once_token,
        )
        self._go_on()

    def _fees(self) -> int:
        """What the deliveries cost, worked out as a page does it: the order is refused should it cost anything else."""
        stock, fees = self._year.stock, 0
        for code, wish in self._purchase.deliveries.items():
            group = stock.groups[code].group
            wanted = [
                (OnOffer(ware.variant, ware.listing, group, milli), milli)
                for ware, milli in self._purchase.wanted
                if ware.code == code
            ]
            options = delivery.options(group, stock.centers[group.center_id], wanted, stock.parcel_tables)
            chosen = delivery.chosen(options, wish)
            assert chosen is not None
            fees += chosen.fee_satang
        return fees

    def _go_on(self) -> None:
        """Note what happens next, by the story."""
        held = self.order.hold_until_at
        if self._purchase.in_cash:
            self._in(timedelta(hours=2), self._make_ready)
            return
        match self._purchase.story:
            case Story.unpaid:
                pass
            case Story.changed_mind:
                self._in(timedelta(minutes=3), self._change_mind)
            case Story.forgotten:
                self._at(held + timedelta(minutes=1), self._expire)
            case Story.late:
                self._at(held + timedelta(minutes=1), self._expire)
                self._at(held + timedelta(minutes=20), self._send_slip)
            case Story.too_late:
                self._at(held + timedelta(minutes=1), self._expire)
                self._at(held + timedelta(minutes=5), self._sell_out)
                self._at(held + timedelta(minutes=20), self._send_slip)
            case Story.delivered if self._is_long_ago:
                self._in(timedelta(minutes=self._dice.uniform(5, 55)), self._see_money)
            case _:
                self._in(timedelta(minutes=self._dice.uniform(1, 4)), self._send_slip)

    @property
    def _is_long_ago(self) -> bool:
        """Of what is long past, less is told: the money was seen in the account, the goods went out."""
        return self._purchase.at < self._year.diary.until - IN_DETAIL

    async def _see_money(self) -> None:
        _, by = self._receiver()
        await payments.settle(self._session, self.order, self.order.total_satang, by)
        self._make_ready_tomorrow()

    async def _send_slip(self) -> None:
        """Slips that nobody has looked at have a picture; of the others only what was read is kept."""
        self._sent += 1
        reference = SlipReference(self._dice.choice(list(BANKS)[:8]), f"DEMO{self.order.number}{self._sent:02}")
        is_waiting = self._purchase.story is Story.slip_waits
        if is_waiting:
            picture = await slips.read_picture(example_slips.picture(self.order, reference))
            self._year.pictures.append(picture)
        else:
            picture = _unseen(reference)
        slip = await slips.send_slip(self._session, self.order, picture)
        if is_waiting:
            return
        is_wrong = self._purchase.story is Story.wrong_slip and self._sent == 1
        judge = self._refuse if is_wrong else self._accept
        self._in(timedelta(minutes=self._dice.uniform(10, 200)), partial(judge, slip.id))

    async def _accept(self, slip_id: UUID) -> None:
        judge, by = self._receiver()
        await slips.accept_slip(self._session, judge.scope, slip_id, self.order.due_satang, by)
        match self._purchase.story:
            case Story.too_late:
                await self._restock()
            case Story.to_pack:
                pass
            case Story.given_back:
                self._in(timedelta(days=1), self._give_back)
            case _:
                self._make_ready_tomorrow()

    async def _refuse(self, slip_id: UUID) -> None:
        judge, by = self._receiver()
        await slips.refuse_slip(self._session, judge.scope, slip_id, WRONG_SLIP, by)
        self._in(timedelta(minutes=15), self._send_slip)

    async def _make_ready(self) -> None:
        self._make_ready_tomorrow()

    def _make_ready_tomorrow(self) -> None:
        """The groups pack on the next morning; parcels leave in the afternoon, others are fetched a day later."""
        morning = _hour(clock.now() + timedelta(days=1), 8)
        self._at(morning + timedelta(minutes=self._dice.uniform(0, 180)), self._pack)

    async def _pack(self) -> None:
        for part in await parts_of(self._session, self.order.id):
            packer = self._packer(part)
            if not self._is_long_ago:
                await hand_over.pack(self._session, part.id, packer)
            if self._purchase.story is not Story.packed:
                leaves = _hour(clock.now() + timedelta(days=int(part.delivery_kind.is_pickup)), 14)
                leaves += timedelta(minutes=self._dice.uniform(0, 150))
                self._at(leaves, partial(self._hand_over, part, packer))

    async def _hand_over(self, part: OrderPart, packer: Actor) -> None:
        tracking = None if part.delivery_kind.is_pickup else self._tracking()
        await hand_over.hand_over(self._session, part.id, packer, tracking)

    async def _change_mind(self) -> None:
        await cancellation.cancel(self._session, self.order, BUYER, CHANGED_MIND)

    async def _expire(self) -> None:
        await cancellation.expire(self._session, self.order)

    async def _give_back(self) -> None:
        await cancellation.cancel(self._session, self.order, self._staff, CANNOT_DELIVER)
        self._in(REFUND_TAKES, self._pay_back)

    async def _pay_back(self) -> None:
        for task in await refunds.of_order(self._session, self.order.id):
            await refunds.finish(self._session, self._year.stock.cast.staff.scope, task.id, self._staff, PAID_BACK)

    async def _sell_out(self) -> None:
        await capacity.set_left(self._session, self._purchase.wanted[0][0].variant.pool_id, 0)

    async def _restock(self) -> None:
        await capacity.set_left(self._session, self._purchase.wanted[0][0].variant.pool_id, PLENTY)

    def _receiver(self) -> tuple[Member, Actor]:
        """Who looks at the account that the money went to."""
        cast, order = self._year.stock.cast, self.order
        if order.receiver_kind == ReceiverKind.group and order.receiver_id:
            member = cast.owners[order.receiver_id]
            return member, Actor(ActorKind.group, member.person)
        if order.receiver_kind == ReceiverKind.center and order.receiver_id:
            member = cast.coordinators[order.receiver_id]
            return member, Actor(ActorKind.center, member.person)
        return cast.staff, self._staff

    @property
    def _staff(self) -> Actor:
        return Actor(ActorKind.staff, self._year.stock.cast.staff.person)

    def _packer(self, part: OrderPart) -> Actor:
        return Actor(ActorKind.group, self._year.stock.cast.packers[part.group_id].person)

    def _tracking(self) -> Tracking:
        number = self._dice.randrange(10**8, 10**9)
        return self._dice.choice(
            [
                Tracking("thailand-post", f"EX{number}TH"),
                Tracking("flash", f"TH{number}0A"),
                Tracking("kex", f"KEX{number}"),
            ]
        )

    def _in(self, later: timedelta, act: Act) -> None:
        self._at(clock.now() + later, act)

    def _at(self, at: datetime, act: Act) -> None:
        self._year.diary.note(at, act)


def _unseen(reference: SlipReference) -> SlipPicture:
    sha256 = hashlib.sha256(reference.trans_ref.encode()).hexdigest()
    return SlipPicture(b"", "image/jpeg", sha256, reference)


def _hour(day: datetime, hour: int) -> datetime:
    return datetime.combine(clock.business_day(day), time(hour), BANGKOK)
