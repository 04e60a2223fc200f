"""Payments by card or PromptPay on Stripe's own page: what was asked of Stripe, and what its word settles.

The order exists first.  When its buyer wants to pay, a row is written, then Stripe is asked for a page, then the
row learns its address: three steps, and no transaction is open while Stripe thinks.  The row's id is the key of the
call, so a buyer who presses twice, or a process that dies in between, gets the same page.  Only Stripe's signed word,
or its answer when we ask, settles anything; a browser that comes back says nothing.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock, jobs
from app.database import Base, Id, Utc, session_scope
from app.errors import Refusal
from app.language import N_, Language, translate
from app.money import Satang, baht
from app.pages import in_language
from app.settings import settings
from orders import payments, stripe_gateway
from orders.order import Order, by_link, locked
from orders.states import MARKET, OrderState, PaymentMethod
from orders.stripe_gateway import LEAST_OPEN, MOST_OPEN, Checkout, GatewayRefused, ProviderRefund

RETRIED_WITHIN: Final = timedelta(minutes=1)
"""So long a call whose answer was lost may be repeated as it was; later its times would be wrong."""


class NotByCard(Refusal):
    message = N_("This order is not paid by card.")


class NothingToPay(Refusal):
    message = N_("Nothing is left to pay on this order.")


class TimeRanOut(Refusal):
    message = N_("The time to pay for this order is over, and its goods are back on sale.")


class UnknownPayment(Refusal):
    """Stripe speaks of a payment with our mark that we know nothing about: staff must look."""

    message = N_("Stripe has a payment of ours that this market does not know.")


class AnotherAmount(Refusal):
    """Stripe's word is about another sum than we asked for: nothing is settled, and staff must look."""

    message = N_("Stripe says %(said)s, we asked for %(asked)s.")


class ProviderPayment(Base):
    """One page that a provider was asked for, and what became of it."""

    __tablename__ = "provider_payments"
    __table_args__ = (
        CheckConstraint("satang > 0", name="something_to_pay"),
        CheckConstraint("state IN ('asked', 'paid', 'expired')", name="state_is_known"),
        CheckConstraint("(state = 'paid') = (paid_at IS NOT NULL)", name="paid_has_a_date"),
        CheckConstraint("(state = 'paid') = (payment_id IS NOT NULL)", name="paid_has_a_payment"),
        Index("ix_provider_payments_asked", "asked_at", postgresql_where="state = 'asked'"),
        Index("ix_provider_payments_intent_id", "intent_id"),
    )

    id: Mapped[Id]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    provider: Mapped[str]
    checkout_id: Mapped[str | None] = mapped_column(unique=True)
    """The provider's own; None until it has answered."""
    intent_id: Mapped[str | None]
    """The provider's name of the payment itself: refunds are made of it."""
    satang: Mapped[Satang]
    url: Mapped[str | None]
    state: Mapped[str]
    asked_at: Mapped[Utc]
    expires_at: Mapped[Utc]
    """When the provider closes its page."""
    looked_at: Mapped[datetime | None]
    """When the provider was last asked what became of it."""
    paid_at: Mapped[datetime | None]
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey("payments.id"))


async def open_one(session: AsyncSession, order: Order) -> ProviderPayment | None:
    """Return the page on which this order can be paid right now, if there is one."""
    now = clock.now()
    found: ProviderPayment | None = await session.scalar(
        select(ProviderPayment)
        .where(
            ProviderPayment.order_id == order.id,
            ProviderPayment.state == "asked",
            ProviderPayment.satang == order.due_satang,
            ProviderPayment.expires_at > now,
            or_(ProviderPayment.checkout_id.is_not(None), ProviderPayment.asked_at > now - RETRIED_WITHIN),
        )
        .order_by(ProviderPayment.asked_at.desc())
        .limit(1)
    )
    return found


async def page_to_pay(token: str, lang: Language) -> str:
    """Return the address of the provider's page for the order of a secret link, asking for one where none is open.

    Opens transactions of its own, none while the provider is asked.  Refuses with `NotByCard`, `NothingToPay`,
    `TimeRanOut`, `GatewayClosed`, `GatewayAway`, `GatewayRefused`, `NotFound`.
    """
    async with session_scope() as session:
        order = await by_link(session, token)
        asked = await ask(session, order)
    if asked.url is None:
        made = await _page_made(order, asked, lang)
        async with session_scope() as session:
            asked = await keep_page(session, asked.id, made)
    if asked.url is None or not stripe_gateway.is_its_page(asked.url):
        raise GatewayRefused(reason=asked.url or "no page")
    return asked.url


async def ask(session: AsyncSession, order: Order) -> ProviderPayment:
    """Write down that a page is wanted, or return the one that is open; the goods are held as long as it is.

    Refuses with `NotByCard`, `NothingToPay`, `TimeRanOut`, `GatewayClosed`.
    """
    if not stripe_gateway.is_open():
        raise stripe_gateway.GatewayClosed
    order = await locked(session, order.id)
    _refuse_unless_payable(order)
    if known := await open_one(session, order):
        return known
    now = clock.now()
    if order.hold_until_at < now + LEAST_OPEN and not await payments.prolong_hold(session, order, LEAST_OPEN):
        raise TimeRanOut
    asked = ProviderPayment(
        order_id=order.id,
        provider="stripe",
        satang=order.due_satang,
        state="asked",
        asked_at=now,
        expires_at=min(order.hold_until_at, now + MOST_OPEN),
    )
    session.add(asked)
    await session.flush()
    return asked


async def keep_page(session: AsyncSession, asked_id: UUID, made: Checkout) -> ProviderPayment:
    """Note the page that the provider has made; one whose order ended meanwhile is closed again."""
    asked = await _locked(session, asked_id)
    asked.checkout_id, asked.url = made.id, made.url
    asked.intent_id = asked.intent_id or made.intent_id
    order = await session.get_one(Order, asked.order_id)
    if order.state != OrderState.placed:
        await close(session, order)
    return asked


async def provider_said(session: AsyncSession, checkout: Checkout, *, has_failed: bool = False) -> None:
    """Take the provider's word about one of its pages, in an event or in answer to a question; twice is once.

    What is not ours is passed over.  Refuses with `UnknownPayment`, `AnotherAmount`.
    """
    if checkout.payment_id is None:
        return
    if await session.get(ProviderPayment, checkout.payment_id) is None:
        raise UnknownPayment
    asked = await _locked(session, checkout.payment_id)
    asked.checkout_id = asked.checkout_id or checkout.id
    if checkout.is_paid:
        await _settle(session, asked, checkout)
    elif asked.state == "asked" and (has_failed or checkout.has_failed or checkout.status == "expired"):
        asked.state = "expired"


async def close(session: AsyncSession, order: Order) -> None:
    """Have the provider close the pages of an order that needs no payment any more; done by a job, as well as it can."""
    still_open = await session.scalars(
        select(ProviderPayment.checkout_id).where(
            ProviderPayment.order_id == order.id,
            ProviderPayment.state == "asked",
            ProviderPayment.checkout_id.is_not(None),
        )
    )
    for checkout_id in still_open:
        await jobs.enqueue(session, "stripe.close_page", {"checkout_id": checkout_id}, key=checkout_id)


@jobs.handler("stripe.close_page")
async def close_page(payload: dict[str, Any]) -> None:
    """Close one page at the provider; money that was on its way all the same is settled as ever."""
    closed = await stripe_gateway.close_checkout(payload["checkout_id"])
    async with session_scope() as session:
        await provider_said(session, closed)


def refund_task_of(said: ProviderRefund) -> UUID | None:
    """Return the refund task that a provider's refund was made for, by the key that it carries."""
    word, _, task_id = (said.key or "").partition(" ")
    try:
        return UUID(task_id) if word == "refund" else None
    except ValueError:
        return None


async def _page_made(order: Order, asked: ProviderPayment, lang: Language) -> Checkout:
    page = settings().address + in_language(order.path, lang)
    title = translate(lang, N_("Order %(number)s · community organisation market"), number=order.spoken_number)
    return await stripe_gateway.checkout(
        payment_id=asked.id,
        order_id=order.id,
        number=order.number,
        title=title,
        satang=asked.satang,
        lang=lang,
        email=order.buyer_email,
        paid_url=f"{page}?back=paid",
        back_url=page,
        expires_at=asked.expires_at,
    )


async def _settle(session: AsyncSession, asked: ProviderPayment, checkout: Checkout) -> None:
    if asked.state == "paid":
        return
    if checkout.currency != stripe_gateway.CURRENCY or checkout.satang != asked.satang or not checkout.intent_id:
        said = f"{checkout.satang} {checkout.currency} ({checkout.intent_id})"
        raise AnotherAmount(said=said, asked=baht(asked.satang, "en", exact=True))
    order = await session.get_one(Order, asked.order_id)
    key = f"stripe {checkout.intent_id}"
    payment = await payments.settle(session, order, asked.satang, MARKET, key=key, method=PaymentMethod.card)
    asked.state, asked.paid_at, asked.payment_id = "paid", payment.confirmed_at, payment.id
    asked.intent_id = checkout.intent_id
    await session.flush()


async def _locked(session: AsyncSession, asked_id: UUID) -> ProviderPayment:
    """Lock the order, then read the row as it is now."""
    asked = await session.get_one(ProviderPayment, asked_id)
    await locked(session, asked.order_id)
    return await session.get_one(ProviderPayment, asked_id, populate_existing=True)


def _refuse_unless_payable(order: Order) -> None:
    if order.payment_method != PaymentMethod.card:
        raise NotByCard
    if order.is_run_out(clock.now()):
        raise TimeRanOut
    if order.state != OrderState.placed or order.due_satang == 0:
        raise NothingToPay
