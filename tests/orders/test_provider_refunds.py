"""Money that came through the provider goes back through it; what it cannot do, a person does."""

from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import session_scope
from app.jobs import Job
from app.mail import Notice
from orders import cancellation, payments, provider_refunds, refunds
from orders.order import Order
from orders.refunds import ProviderPaysBack, RefundTask
from orders.states import PaymentMethod
from producers import ledger
from producers.ledger import Account, LedgerEntry
from tests import factories as people
from tests.orders import factories
from tests.orders.factories import MALI, STAFF, Stall
from tests.orders.test_card_payments import page_of
from tests.stripe_standin.bank import Bank


async def paid_by_card(session: AsyncSession, stall: Stall, email: str | None = MALI.email) -> Order:
    buyer = factories.replace(MALI, email=email)
    placed = await factories.order(session, (stall, 1000), buyer=buyer)
    await payments.settle(
        session, placed, placed.total_satang, STAFF, key=f"stripe pi_{placed.number}", method=PaymentMethod.card
    )
    return placed


async def cancelled(session: AsyncSession, email: str | None = MALI.email) -> tuple[Order, RefundTask]:
    placed = await paid_by_card(session, await factories.stall(session), email)
    await cancellation.cancel(session, placed, STAFF, "ของหมด")
    (task,) = await refunds.of_order(session, placed.id)
    return placed, task


async def owed_to_buyers(session: AsyncSession) -> int:
    question = select(func.coalesce(func.sum(LedgerEntry.satang), 0)).where(LedgerEntry.account == Account.refund)
    return -int(await session.scalar(question) or 0)


async def test_card_money_is_asked_back_of_the_provider_by_a_job(session: AsyncSession) -> None:
    placed, task = await cancelled(session)

    assert (task.state, task.provider) == ("pending", "stripe")
    asked = await refunds.to_ask(session, task.id)
    assert asked == refunds.Request(f"pi_{placed.number}", task.satang, MALI.email)
    jobs = (await session.scalars(select(Job).where(Job.kind == "refunds.ask_provider"))).all()
    assert [job.payload for job in jobs] == [{"task_id": str(task.id)}]


async def test_it_is_done_when_the_provider_says_so_however_often(session: AsyncSession) -> None:
    _, task = await cancelled(session)

    for word in ("pending", "succeeded", "succeeded", "pending"):
        await refunds.provider_said(session, "re_1", word, task.id)

    assert (task.state, await owed_to_buyers(session)) == ("done", 0)


async def test_a_failed_refund_becomes_a_persons_task_and_is_paid_once(session: AsyncSession) -> None:
    staff = await people.staff(session)
    placed, task = await cancelled(session)
    await refunds.provider_said(session, "re_1", "succeeded", task.id)

    await refunds.provider_said(session, "re_1", "failed", reason="expired_or_canceled_card")

    assert (task.state, task.failed_because) == ("failed", "expired_or_canceled_card")
    assert await owed_to_buyers(session) == placed.total_satang
    assert [each for each, _ in await refunds.open_tasks(session, staff)] == [task]
    await refunds.finish(session, staff, task.id, STAFF, "KBANK 9")
    await refunds.provider_said(session, "re_1", "failed")
    assert (task.state, await owed_to_buyers(session), await ledger.sum_of_all(session)) == ("done", 0, 0)


async def test_nobody_pays_by_hand_what_the_provider_is_paying(session: AsyncSession) -> None:
    staff = await people.staff(session)
    _, task = await cancelled(session)

    with pytest.raises(ProviderPaysBack):
        await refunds.finish(session, staff, task.id, STAFF, None)


async def test_a_refund_that_needs_an_e_mail_waits_until_the_buyer_gives_it(session: AsyncSession) -> None:
    placed, task = await cancelled(session, email=None)

    await refunds.could_not_ask(session, task.id, "instructions_email is missing")
    assert task.waits_for_email
    await refunds.say_email(session, placed, "mali@example.com")

    asked = await refunds.to_ask(session, task.id)
    assert asked is not None
    assert (asked.email, task.waits_for_email) == ("mali@example.com", False)
    await refunds.could_not_ask(session, task.id, "charge_disputed")
    assert task.state == "failed"


async def test_each_payment_gives_back_no_more_than_it_brought_the_oldest_first(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    placed = await factories.order(session, (stall, 1000))
    for key, satang in (("stripe pi_1", 60_00), ("slip 1", 20_00), ("stripe pi_2", 20_00)):
        await payments.settle(session, placed, satang, STAFF, key=key)

    await cancellation.cancel(session, placed, STAFF, "ของหมด")

    tasks = await refunds.of_order(session, placed.id)
    by_payment = {payment.id: payment.key for payment in await payments.of_order(session, placed.id)}
    told = [(by_payment[task.payment_id] if task.payment_id else None, task.satang) for task in tasks]
    assert sorted(told, key=str) == sorted(
        [("stripe pi_1", 10_00), ("stripe pi_1", 50_00), ("stripe pi_2", 20_00), (None, 20_00)], key=str
    )


async def test_the_buyer_hears_the_way_the_money_takes(session: AsyncSession) -> None:
    await cancelled(session)

    bodies = [notice.body_text for notice in await session.scalars(select(Notice))]

    assert any("เงินจะกลับไปทางเดิมที่จ่ายมา" in body for body in bodies)


async def cancelled_after_stripe(
    client: httpx.AsyncClient, session: AsyncSession, bank: Bank, way: str, email: str | None = MALI.email
) -> UUID:
    """An order that was paid on Stripe's page and cancelled by staff, of which Stripe is asked once; its task's id."""
    buyer = factories.replace(MALI, email=email)
    stall = await factories.stall(session)
    placed = await factories.order(session, (stall, 1000), method=PaymentMethod.card, buyer=buyer)
    await session.commit()
    bank.pay(await page_of(client, placed), way)
    await bank.postman.settled()
    async with session_scope() as fresh:
        await cancellation.cancel(fresh, await fresh.get_one(Order, placed.id), STAFF, "ของหมด")
        (task,) = await refunds.of_order(fresh, placed.id)
    for _ in range(2):
        await provider_refunds.ask_provider({"task_id": str(task.id)})
    await bank.postman.settled()
    return task.id


async def state_of(task_id: UUID) -> str:
    async with session_scope() as session:
        return (await session.get_one(RefundTask, task_id)).state


async def test_stripe_gives_card_money_back_once(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession
) -> None:
    task_id = await cancelled_after_stripe(card_market, session, bank, "card")

    assert [refund["amount"] for refund in bank.refunds.values()] == [90_00]
    assert await state_of(task_id) == "done"


async def test_promptpay_money_stays_pending_until_stripe_says_what_became_of_it(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession
) -> None:
    task_id = await cancelled_after_stripe(card_market, session, bank, "promptpay")
    (refund_id,) = bank.refunds
    assert await state_of(task_id) == "pending"

    bank.turn_refund(refund_id, "failed")
    await bank.postman.settled()

    assert await state_of(task_id) == "failed"
