"""Money that has to go back to a buyer: a task that stays until the money is back.

It came too late and the goods were gone, it came twice, it was too much, or what it paid for was cancelled or given
back.  What came through a payment provider goes back through it (`provider_refunds` asks), each payment never more than
it brought; everything else, and what the provider could not do, a person pays back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, Select, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock, jobs
from app.access import Scope, whole_market
from app.database import Base, Id, Utc
from app.errors import NotFound, Refusal
from app.language import N_
from app.money import Satang
from orders import notices, postings
from orders.order import Order, OrderPart, locked, note, part_received_by, received_by
from orders.states import MARKET, Actor
from producers import ledger
from producers.ledger import Fact


class ProviderPaysBack(Refusal):
    message = N_("The payment provider is paying this back already.")


class RefundReason(StrEnum):
    late = "late"
    """It came after the hold had run out, and the goods were gone."""
    too_much = "too_much"
    """More than was due: paid twice, or a wrong amount."""
    cancelled = "cancelled"
    """What it paid for was cancelled."""
    short = "short"
    """Only a part was paid, and the rest did not come in time."""
    given_back = "given_back"
    """Goods, a delivery fee or an amount were given back (`giving_back`)."""


class RefundState(StrEnum):
    open = "open"
    """A person has to pay it back."""
    pending = "pending"
    """The provider is asked for it."""
    done = "done"
    failed = "failed"
    """The provider could not; a person has to pay it back."""


FOR_A_PERSON: Final = (RefundState.open, RefundState.failed)
STRIPE: Final = "stripe"
OUTCOMES: Final = {"succeeded": RefundState.done, "failed": RefundState.failed, "canceled": RefundState.failed}
"""What a provider's word means; any other word is that it goes on."""


class RefundTask(Base):
    __tablename__ = "refund_tasks"
    __table_args__ = (
        CheckConstraint("satang > 0", name="something_to_pay"),
        CheckConstraint("state IN ('open', 'pending', 'done', 'failed')", name="state_is_known"),
        CheckConstraint("(state = 'done') = (done_at IS NOT NULL)", name="done_has_a_date"),
        CheckConstraint("provider IS NULL OR provider = 'stripe'", name="provider_is_known"),
        CheckConstraint(
            "(provider IS NULL) = (payment_id IS NULL) AND (provider IS NULL) <= (state IN ('open', 'done'))",
            name="provider_gives_back_a_payment",
        ),
        Index("ix_refund_tasks_open", "made_at", postgresql_where="state <> 'done'"),
    )

    id: Mapped[Id]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    part_id: Mapped[UUID | None] = mapped_column(ForeignKey("order_parts.id"))
    satang: Mapped[Satang]
    reason: Mapped[str]
    explanation: Mapped[str | None]
    """What whoever decided it wrote, for the buyer."""
    pay_to: Mapped[str | None]
    """Where the buyer wants it: their PromptPay id or bank account, in their own words."""
    state: Mapped[str]
    made_at: Mapped[Utc]
    done_at: Mapped[datetime | None]
    done_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    """None when the provider did it."""
    note: Mapped[str | None]
    """What whoever paid it back wrote: the bank's reference."""
    provider: Mapped[str | None]
    """Who gives it back by itself; None when a person pays."""
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey("payments.id"), index=True)
    """The payment that the provider gives back."""
    provider_refund_id: Mapped[str | None] = mapped_column(unique=True)
    email: Mapped[str | None]
    """Where the provider may ask the buyer for their account."""
    asked_at: Mapped[datetime | None]
    """When the provider first answered."""
    failed_because: Mapped[str | None]
    """In the provider's words."""

    @property
    def is_for_a_person(self) -> bool:
        return self.state in FOR_A_PERSON

    @property
    def waits_for_email(self) -> bool:
        """The provider wants to ask the buyer for their account, and nobody knows where."""
        return self.state == RefundState.pending and self.failed_because is not None

    @property
    def may_ask_email(self) -> bool:
        """An e-mail of the buyer may still help the provider."""
        return self.state == RefundState.pending and self.provider_refund_id is None and self.email is None

    @property
    def age_days(self) -> int:
        """For how many whole days the buyer has been waiting."""
        return (clock.now() - self.made_at).days


IS_OWED: Final = RefundTask.state != RefundState.done
"""Condition: the buyer does not have the money yet."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a provider is asked for."""

    intent_id: str
    satang: Satang
    email: str | None


async def open_tasks(session: AsyncSession, scope: Scope) -> list[tuple[RefundTask, Order]]:
    """Return what a person has to pay back, the longest waiting first: all of it for staff, a centre's and a group's own."""
    return await _tasks(session, _seen(scope).where(RefundTask.state.in_(FOR_A_PERSON)).order_by(*_LONGEST_FIRST))


async def pending_tasks(session: AsyncSession, scope: Scope) -> list[tuple[RefundTask, Order]]:
    """Return what a provider was asked for and has not done yet, the longest waiting first."""
    return await _tasks(session, _seen(scope).where(RefundTask.state == RefundState.pending).order_by(*_LONGEST_FIRST))


async def done_lately(session: AsyncSession, scope: Scope, limit: int = 20) -> list[tuple[RefundTask, Order]]:
    """Return what was paid back last."""
    done = _seen(scope).where(RefundTask.state == RefundState.done)
    return await _tasks(session, done.order_by(RefundTask.done_at.desc()).limit(limit))


EVERYBODYS = whole_market("staff see to it that everybody gets their money back")


async def open_count(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).where(EVERYBODYS, RefundTask.state.in_(FOR_A_PERSON))) or 0


async def of_order(session: AsyncSession, order_id: UUID) -> Sequence[RefundTask]:
    found = await session.scalars(
        select(RefundTask).where(RefundTask.order_id == order_id).order_by(RefundTask.made_at, RefundTask.id)
    )
    return found.all()


async def to_ask(session: AsyncSession, task_id: UUID) -> Request | None:
    """Return what the provider is to be asked for; None when there is nothing to ask any more."""
    row = (await session.execute(_ASKING, {"task_id": task_id})).one_or_none()
    return Request(row.key.removeprefix(f"{STRIPE} "), Satang(row.satang), row.email) if row else None


async def owe(
    session: AsyncSession,
    order: Order,
    satang: int,
    reason: RefundReason,
    *,
    part: OrderPart | None = None,
    explanation: str | None = None,
) -> list[RefundTask]:
    """Promise so much back to the buyer of an order that is locked; nothing is promised of nothing.

    What providers brought goes back through them, the oldest payment first; the rest is one person's task.
    """
    if satang <= 0:
        return []
    order.returned_satang = Satang(order.returned_satang + satang)
    await session.flush()
    brought = [(row.id, row.satang) for row in await session.execute(_BROUGHT, {"order_id": order.id})]
    tasks = [
        RefundTask(
            order_id=order.id,
            part_id=part.id if part else None,
            satang=share,
            reason=reason,
            explanation=explanation,
            state=RefundState.pending if payment_id else RefundState.open,
            provider=STRIPE if payment_id else None,
            payment_id=payment_id,
            made_at=clock.now(),
        )
        for payment_id, share in _oldest_first(brought, satang)
    ]
    session.add_all(tasks)
    note(session, order, "refund_due", MARKET, part=part, satang=satang, reason=reason.value)
    await session.flush()
    for task in tasks:
        if task.provider:
            await _ask_soon(session, task)
    by_hand = any(task.is_for_a_person for task in tasks)
    await notices.refund_due(session, order, satang, explanation, by_hand=by_hand)
    return tasks


async def say_where(session: AsyncSession, order: Order, pay_to: str) -> None:
    """The buyer says where they want the money that a person pays back."""
    of_this = (RefundTask.order_id == order.id, RefundTask.state.in_(FOR_A_PERSON))
    await session.execute(update(RefundTask).where(*of_this).values(pay_to=pay_to))


async def say_email(session: AsyncSession, order: Order, email: str) -> None:
    """The buyer says where the provider may ask for their account; what waited for it is asked for again."""
    of_this = (RefundTask.order_id == order.id, RefundTask.state == RefundState.pending)
    waiting = await session.scalars(select(RefundTask).where(*of_this, RefundTask.provider_refund_id.is_(None)))
    for task in waiting:
        task.email, task.failed_because = email, None
        await _ask_soon(session, task)
    await session.flush()


async def finish(session: AsyncSession, scope: Scope, task_id: UUID, by: Actor, remark: str | None) -> RefundTask:
    """A person has paid the money back.  Twice is once.

    Refuses with `NotFound` whoever does not hold the money, with `ProviderPaysBack` while the provider is at it.
    """
    if await session.scalar(_seen(scope).where(RefundTask.id == task_id).with_only_columns(RefundTask.id)) is None:
        raise NotFound
    order, task = await _locked(session, task_id)
    if task.state == RefundState.pending and not task.waits_for_email:
        raise ProviderPaysBack
    if task.state != RefundState.done:
        await _done(session, order, task, by, remark)
    return task


async def provider_said(
    session: AsyncSession,
    provider_refund_id: str,
    state: str,
    task_id: UUID | None = None,
    reason: str | None = None,
) -> None:
    """Take a provider's word about one of its refunds, in an event or in answer to a question; twice is once.

    Words may come late and in any order: that it failed is its last one, whatever it said before; what a person has
    paid back stays paid back.  What is not ours is passed over.
    """
    known = or_(RefundTask.provider_refund_id == provider_refund_id, RefundTask.id == task_id)
    found = await session.scalar(select(RefundTask.id).where(known, RefundTask.provider.is_not(None)))
    if found is None:
        return
    order, task = await _locked(session, found)
    if task.provider_refund_id not in {None, provider_refund_id}:
        return
    task.provider_refund_id, task.asked_at = provider_refund_id, task.asked_at or clock.now()
    outcome = OUTCOMES.get(state, RefundState.pending)
    if outcome == RefundState.done and task.state == RefundState.pending:
        await _done(session, order, task, MARKET, None)
    elif outcome == RefundState.failed:
        await _failed(session, order, task, reason or state)
    await session.flush()


async def could_not_ask(session: AsyncSession, task_id: UUID, reason: str) -> None:
    """The provider refused to make a refund at all: it waits for the buyer's e-mail if there is none, or for a person."""
    order, task = await _locked(session, task_id)
    if task.provider_refund_id is None and not (task.email or order.buyer_email):
        task.failed_because = reason
    elif task.provider_refund_id is None:
        await _failed(session, order, task, reason)
    await session.flush()


_LONGEST_FIRST: Final = (RefundTask.made_at, RefundTask.id)
#: Payments live in the module above; the intent is named in the payment's key.
_BROUGHT: Final = text("""
    SELECT id, satang - coalesce((SELECT sum(satang) FROM refund_tasks WHERE payment_id = payments.id), 0) AS satang
    FROM payments WHERE order_id = :order_id AND key LIKE 'stripe %' ORDER BY confirmed_at, id
""")
_ASKING: Final = text("""
    SELECT payments.key, refund_tasks.satang, coalesce(refund_tasks.email, orders.buyer_email) AS email
    FROM refund_tasks
        JOIN payments ON payments.id = refund_tasks.payment_id
        JOIN orders ON orders.id = refund_tasks.order_id
    WHERE refund_tasks.id = :task_id AND refund_tasks.state = 'pending' AND provider_refund_id IS NULL
""")


def _seen(scope: Scope) -> Select[RefundTask, Order]:
    """The tasks of money that this person answers for."""
    return (
        select(RefundTask, Order)
        .join(Order, Order.id == RefundTask.order_id)
        .where(received_by(scope) if scope.is_staff else or_(*_in_own_hands(scope)))
    )


def _in_own_hands(scope: Scope) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Conditions: the whole order was paid to this person's account, or this part of it in cash into their hands."""
    parts = select(OrderPart.id).join(Order, Order.id == OrderPart.order_id).where(part_received_by(scope))
    return (
        RefundTask.order_id.in_(select(Order.id).where(received_by(scope))),
        RefundTask.part_id.in_(parts),
    )


async def _tasks(session: AsyncSession, question: Select[RefundTask, Order]) -> list[tuple[RefundTask, Order]]:
    return [(task, order) for task, order in await session.execute(question)]


async def _locked(session: AsyncSession, task_id: UUID) -> tuple[Order, RefundTask]:
    """Lock the order, then read the task as it is now."""
    order_id = await session.scalar(select(RefundTask.order_id).where(RefundTask.id == task_id))
    if order_id is None:
        raise NotFound
    order = await locked(session, order_id)
    return order, await session.get_one(RefundTask, task_id, populate_existing=True)


def _oldest_first(brought: Sequence[tuple[UUID, int]], satang: int) -> Iterator[tuple[UUID | None, Satang]]:
    for payment_id, left in brought:
        share = min(left, satang)
        if share > 0:
            satang -= share
            yield payment_id, Satang(share)
    if satang:
        yield None, Satang(satang)


async def _ask_soon(session: AsyncSession, task: RefundTask) -> None:
    await jobs.enqueue(session, "refunds.ask_provider", {"task_id": str(task.id)}, key=str(task.id))


async def _done(session: AsyncSession, order: Order, task: RefundTask, by: Actor, remark: str | None) -> None:
    was_failed = task.failed_because is not None
    task.state, task.done_at, task.done_by, task.note = RefundState.done, clock.now(), by.person_id, remark
    part = await session.get(OrderPart, task.part_id) if task.part_id else None
    await ledger.post(
        session,
        key=f"refund {task.id} by hand" if was_failed else f"refund {task.id}",
        kind="refunded",
        entries=postings.refunded(order, task.satang, part),
        by=by.person,
    )
    note(session, order, "refunded", by, satang=task.satang)
    await session.flush()
    await notices.refunded(session, order, task.satang)


async def _failed(session: AsyncSession, order: Order, task: RefundTask, reason: str) -> None:
    """Hand a task back to a person, though the provider may have said before that it was done."""
    if task.state == RefundState.failed or (task.state == RefundState.done and not await _undone(session, task)):
        return
    task.state, task.failed_because, task.done_at = RefundState.failed, reason, None
    note(session, order, "refund_failed", MARKET, satang=task.satang, reason=reason)
    await session.flush()
    await notices.refund_failed(session, order, task.satang)


async def _undone(session: AsyncSession, task: RefundTask) -> bool:
    """Reverse the fact that the provider had paid; false when a person has paid it back since."""
    by_hand = await session.scalar(select(Fact.id).where(Fact.key == f"refund {task.id} by hand"))
    if by_hand:
        return False
    fact = (await session.scalars(select(Fact).where(Fact.key == f"refund {task.id}"))).one()
    await ledger.reverse(session, fact)
    return True
