"""Money that came through the provider goes back through it; what it cannot do, a person does."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.jobs import Job
from app.mail import Notice
from orders import cancellation, payments, refunds
from orders.order import Order
from orders.refunds import ProviderPaysBack, RefundTask
from orders.states import PaymentMethod
from producers import ledger
from producers.ledger import Account, LedgerEntry
from tests import factories as people
from tests.orders import factories
from tests.orders.factories import MALI, STAFF, Stall


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
