"""Erasing what says who bought: on a person's wish, on a guest's, or because its time is over (`orders.forgetting`).

The books stay, without the name: number, amounts, lines, fees, dates and the province of the buyer, as the Accounting
Act, B.E. 2543, and the Revenue Code ask for; see docs/decisions/0020-what-is-kept-of-people.md.  What is gone is gone
at once, in the transaction of the wish; pictures of slips follow by a job, as files are no part of a transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, cast, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock, erasures, jobs, mail, people
from app.api.tokens import ApiToken
from app.errors import Refusal
from app.language import N_
from app.limits import Attempt
from app.mail import Notice
from app.people import Person
from orders.basket import Basket
from orders.order import Order, locked
from orders.refunds import IS_OWED, RefundTask
from orders.slips import Slip, SlipState
from orders.states import OrderState
from producers import members

BUYERS_KEPT: Final = timedelta(days=5 * 365)
"""How long an order that money moved for tells who bought: as long as its accounts may be asked for."""
NEVER_PAID_KEPT: Final = timedelta(days=365)
"""The same for an order that was never paid: long enough to answer who says that they did pay."""
CLOSED: Final = (OrderState.done, OrderState.cancelled, OrderState.expired)
DELETE_PICTURE: Final = "slips.delete_picture"


class OrderUnderWay(Refusal):
    message = N_("Order %(number)s is still under way. Once it is done or cancelled, you can erase your data.")


class MoneyUnderWay(Refusal):
    message = N_("Order %(number)s still waits for money to be paid back to you. After that you can erase your data.")


class OfAnAccount(Refusal):
    message = N_("This order was placed with an account. Sign in there to erase its data.")


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows lost what they said of a person."""

    orders: int
    slips: int
    notices: int


async def erase_person(session: AsyncSession, person: Person) -> None:
    """Erase somebody's account and what their orders say of them.

    Refuses with `members.OnlyOwner`, `OrderUnderWay`, `MoneyUnderWay`; then nothing is erased.
    """
    own = select(Order.id).where(Order.person_id == person.id).order_by(Order.id).with_for_update()
    orders = (await session.scalars(own)).all()
    await _refuse_while_open(session, orders)
    roles = await members.leave_everything(session, person.id)
    forgotten = await forget_buyers(session, orders)
    await session.execute(update(Order).where(Order.id.in_(orders)).values(person_id=None))
    told = await mail.strip(session, Notice.to == person.email) if person.email else 0
    baskets = await session.scalars(delete(Basket).where(Basket.person_id == person.id).returning(Basket.id))
    tokens = await session.scalars(
        update(ApiToken)
        .where(ApiToken.person_id == person.id)
        .values(name="", revoked_at=func.coalesce(ApiToken.revoked_at, clock.now()))
        .returning(ApiToken.id)
    )
    await session.execute(delete(Attempt).where(Attempt.about.in_(_attempts_of(person))))
    erasures.keep(
        session,
        "person",
        person.id,
        {
            "roles": roles,
            "orders": forgotten.orders,
            "slips": forgotten.slips,
            "notices": forgotten.notices + told,
            "baskets": len(baskets.all()),
            "tokens": len(tokens.all()),
        },
    )
    await people.erase(session, person.id)


async def erase_guest_order(session: AsyncSession, order: Order) -> None:
    """Erase what one order says of its buyer, who has no account; twice is once.

    Refuses with `OfAnAccount`, `OrderUnderWay`, `MoneyUnderWay`.
    """
    order = await locked(session, order.id)
    if order.erased_at:
        return
    if order.person_id:
        raise OfAnAccount
    await _refuse_while_open(session, [order.id])
    forgotten = await forget_buyers(session, [order.id])
    erasures.keep(session, "order", order.id, {"slips": forgotten.slips, "notices": forgotten.notices})
    await session.refresh(order)


async def forget_buyers(session: AsyncSession, order_ids: Sequence[UUID]) -> Forgotten:
    """Take from orders what says who bought; nobody may be at work on them any more."""
    if not order_ids:
        return Forgotten(0, 0, 0)
    of_these = Order.id.in_(order_ids)
    # Before the orders forget their e-mail addresses.
    notices = await mail.strip(
        session,
        select(Order.id)
        .where(of_these, Order.number == Notice.about, func.lower(Order.buyer_email) == func.lower(Notice.to))
        .exists(),
    )
    slips = await forget_pictures(session, Slip.order_id.in_(order_ids))
    told = dict.fromkeys(("pay_to", "note", "email", "explanation"))
    await session.execute(update(RefundTask).where(RefundTask.order_id.in_(order_ids)).values(told))
    await session.execute(select(func.forget_reasons(cast(list(order_ids), ARRAY(Uuid)))))
    stripped = await session.scalars(
        update(Order).where(of_these, Order.erased_at.is_(None)).values(_nobody()).returning(Order.id)
    )
    return Forgotten(len(stripped.all()), slips, notices)


async def forget_pictures(session: AsyncSession, condition: ColumnElement[bool]) -> int:
    """Let go of slips' pictures and references; what stays is the fingerprint that stops a second use.

    The files themselves are deleted by jobs of this transaction.  Returns how many slips there were.
    """
    gone = await session.scalars(
        update(Slip)
        .where(condition, Slip.picture_gone_at.is_(None))
        .values(
            picture_gone_at=clock.now(),
            trans_ref=None,
            # A slip that was written before fingerprints were has its own made now.
            transfer_hash=func.coalesce(Slip.transfer_hash, _fingerprint()),
        )
        .returning(Slip.file_key)
    )
    keys = gone.all()
    for key in sorted(set(keys)):
        await jobs.enqueue(session, DELETE_PICTURE, {"key": key}, key=key)
    return len(keys)


async def _refuse_while_open(session: AsyncSession, order_ids: Sequence[UUID]) -> None:
    under_way = await session.scalar(
        select(Order)
        .outerjoin(Slip, and_(Slip.order_id == Order.id, Slip.state == SlipState.waiting))
        .where(Order.id.in_(order_ids), or_(Order.state.not_in(CLOSED), Slip.id.is_not(None)))
        .limit(1)
    )
    if under_way:
        raise OrderUnderWay(number=under_way.spoken_number)
    unpaid = await session.scalar(
        select(Order).join(RefundTask, RefundTask.order_id == Order.id).where(Order.id.in_(order_ids), IS_OWED).limit(1)
    )
    if unpaid:
        raise MoneyUnderWay(number=unpaid.spoken_number)


def _nobody() -> dict[str, Any]:
    """What stands in an order that has forgotten its buyer: of the address, the province."""
    return {
        "buyer_name": "",
        "buyer_phone": "",
        "buyer_email": None,
        "address_line": None,
        "subdistrict_code": func.left(Order.subdistrict_code, 2),
        "note": None,
        "cancelled_because": None,
        "erased_at": clock.now(),
    }


def _fingerprint() -> ColumnElement[str]:
    """`slips.transfer_hash`, by the database."""
    named = Slip.bank_code.op("||")(" ").op("||")(Slip.trans_ref)
    return func.encode(func.sha256(func.convert_to(named, "UTF8")), "hex")


def _attempts_of(person: Person) -> list[str]:
    names = [name for name in (person.email, person.phone) if name]
    return [f"password {person.id}", f"erase {person.id}", *(f"sign-in {name.lower()}" for name in names)]
