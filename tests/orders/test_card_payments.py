"""Paying on Stripe's page, through the real library over HTTP to the stand-in: only the bank's word settles an order."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import people, worker
from app.access import Role, grant
from app.clock import FrozenClock
from app.database import session_scope
from app.errors import Refusal
from app.settings import WrongSetting, settings
from orders import cancellation, card_payments, payments, provider_events, reconciling
from orders.card_payments import ProviderPayment
from orders.order import Order
from orders.payments import Payment
from orders.provider_events import ProviderEvent
from orders.refunds import RefundTask
from orders.states import BUYER, OrderState, PaymentMethod
from orders.stripe_gateway import StripeEvent
from producers.ledger import LedgerEntry
from tests import factories as persons
from tests.orders import factories
from tests.stripe_standin.bank import Bank
from tests.stripe_standin.postman import signed


async def placed(session: AsyncSession, *, stock: int = 10_000) -> Order:
    stall = await factories.stall(session, stock=stock)
    order = await factories.order(session, (stall, 1000), method=PaymentMethod.card)
    await session.commit()
    return order


async def page_of(client: httpx.AsyncClient, order: Order) -> str:
    """Press "Pay now"; the id of Stripe's page."""
    answer = await client.post(f"{order.path}/pay")
    assert answer.status_code == 303
    return answer.headers["Location"].rpartition("/")[2]


async def now(order: Order) -> Order:
    async with session_scope() as session:
        return await session.get_one(Order, order.id)


async def count(kind: Any) -> int:
    async with session_scope() as session:
        return await session.scalar(select(func.count()).select_from(kind)) or 0


async def assert_paid_once(order: Order) -> None:
    found = await now(order)
    assert (found.state, found.received_satang, found.returned_satang) == (OrderState.paid, found.total_satang, 0)
    assert await count(Payment) == 1
    async with session_scope() as session:
        assert await session.scalar(select(func.sum(LedgerEntry.satang))) == 0


def event_of(bank: Bank, kind: str) -> dict[str, Any]:
    return next(event for event in bank.postman.events if event["type"] == kind)


async def test_a_buyer_pays_and_never_comes_back(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession
) -> None:
    order = await placed(session)
    bank.pay(await page_of(card_market, order), "card")
    await bank.postman.settled()
    await assert_paid_once(order)
    async with session_scope() as fresh:
        asked = (await fresh.scalars(select(ProviderPayment))).one()
    assert (asked.state, asked.intent_id is not None, asked.payment_id is not None) == ("paid", True, True)


async def test_stripe_is_asked_for_the_total_in_the_buyers_language(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession
) -> None:
    order = await placed(session)
    page = bank.sessions[await page_of(card_market, order)]
    assert (page["amount_total"], page["currency"], page["locale"]) == (order.total_satang, "thb", "th")
    assert (page["client_reference_id"], page["customer_email"]) == (str(order.id), order.buyer_email)
    assert page["success_url"].endswith(f"{order.path}?back=paid")
    assert page["payment_method_types"] == ["card", "promptpay"]


async def test_the_goods_are_held_as_long_as_the_page_is_open(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession, clock: FrozenClock
) -> None:
    order = await placed(session)
    clock.jump(timedelta(minutes=55))
    page = bank.sessions[await page_of(card_market, order)]
    assert (await now(order)).hold_until_at.timestamp() >= page["expires_at"]


async def test_pressing_twice_at_once_and_later_leads_to_one_page(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession
) -> None:
    order = await placed(session)
    answers = await asyncio.gather(*(card_market.post(f"{order.path}/pay") for _ in range(4)))
    reached = {answer.headers["Location"] for answer in answers if answer.headers["Location"].startswith(bank.origin)}
    reached.add(f"{bank.origin}/c/pay/{await page_of(card_market, order)}")
    assert (len(reached), len(bank.sessions)) == (1, 1)


async def test_an_event_that_comes_five_times_at_once_pays_once(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession
) -> None:
    order = await placed(session)
    page = await page_of(card_market, order)
    bank.rules.copies = 5
    bank.pay(page, "promptpay")
    await bank.postman.settled()
    await assert_paid_once(order)
    assert {delivery["status"] for delivery in bank.postman.deliveries} == {200}
    assert await count(ProviderEvent) == len(bank.postman.events)


async def test_events_in_the_wrong_order_pay_once(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession
) -> None:
    order = await placed(session)
    page = await page_of(card_market, order)
    bank.rules.drop = -1
    bank.pay(page, "slow")
    bank.pay(page, "arrive")
    for event in reversed(bank.postman.events):
        assert await bank.postman.send(event) == 200
    await assert_paid_once(order)


async def test_a_slow_bank_is_waited_for(bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession) -> None:
    order = await placed(session)
    page = await page_of(card_market, order)
    bank.pay(page, "slow")
    await bank.postman.settled()
    assert (await now(order)).state == OrderState.placed
    bank.pay(page, "arrive")
    await bank.postman.settled()
    await assert_paid_once(order)


async def test_after_a_bank_that_says_no_the_buyer_may_try_again(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession
) -> None:
    order = await placed(session)
    first = await page_of(card_market, order)
    bank.pay(first, "slow")
    bank.pay(first, "bounce")
    await bank.postman.settled()
    second = await page_of(card_market, order)
    assert second != first
    bank.pay(second, "card")
    await bank.postman.settled()
    await assert_paid_once(order)


async def test_money_after_the_hold_pays_while_the_goods_are_there(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession, clock: FrozenClock
) -> None:
    order = await placed(session)
    await _paid_unheard(bank, card_market, order)
    clock.jump(timedelta(hours=3))
    assert await bank.postman.send(event_of(bank, "checkout.session.completed")) == 200
    await assert_paid_once(order)


async def test_money_after_the_goods_are_gone_goes_back(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession, clock: FrozenClock
) -> None:
    stall = await factories.stall(session, stock=1000)
    order = await factories.order(session, (stall, 1000), method=PaymentMethod.card)
    await session.commit()
    await _paid_unheard(bank, card_market, order)
    clock.jump(timedelta(hours=3))
    await factories.paid_order(session, (stall, 1000))
    await session.commit()
    for _ in range(3):
        assert await bank.postman.send(event_of(bank, "checkout.session.completed")) == 200
    found = await now(order)
    assert (found.state, found.returned_satang) == (OrderState.expired, found.total_satang)


async def test_money_for_a_cancelled_order_goes_back(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession
) -> None:
    order = await placed(session)
    await _paid_unheard(bank, card_market, order)
    async with session_scope() as fresh:
        await cancellation.cancel(fresh, order, BUYER)
    assert await bank.postman.send(event_of(bank, "checkout.session.completed")) == 200
    found = await now(order)
    assert (found.state, found.returned_satang) == (OrderState.cancelled, found.total_satang)


async def test_a_refund_whose_events_were_lost_is_asked_about(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession, clock: FrozenClock
) -> None:
    order = await placed(session)
    await _paid_unheard(bank, card_market, order)
    bank.rules.refunds = "pending"
    async with session_scope() as fresh:
        await cancellation.cancel(fresh, order, BUYER)
    await bank.postman.send(event_of(bank, "checkout.session.completed"))
    await worker.work_off()
    (refund,) = bank.refunds.values()
    assert (refund["amount"], await _refund_state()) == (order.total_satang, "pending")
    refund["status"] = "succeeded"
    clock.jump(timedelta(hours=2))
    await reconciling.reconcile_refunds({})
    assert await _refund_state() == "done"


async def test_the_page_of_a_cancelled_order_is_closed(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession
) -> None:
    order = await placed(session)
    page = await page_of(card_market, order)
    assert (await card_market.post(f"{order.path}/cancel")).status_code == 303
    await worker.work_off()
    assert bank.sessions[page]["status"] == "expired"


@pytest.mark.parametrize("seconds_old", [None, 3600])
async def test_an_event_that_stripe_did_not_just_sign_is_refused(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession, seconds_old: int | None
) -> None:
    order = await placed(session)
    await _paid_unheard(bank, card_market, order)
    body = json.dumps(event_of(bank, "checkout.session.completed"))
    sent_at = int(time.time()) - (seconds_old or 0)
    secret = "whsec_somebody_else" if seconds_old is None else bank.postman.secret
    for headers in ({}, {"Stripe-Signature": "t=1,v1=00"}, {"Stripe-Signature": signed(body, secret, sent_at)}):
        answer = await card_market.post("/webhooks/stripe", content=body, headers=headers)
        assert answer.status_code == 400
    assert await count(ProviderEvent) == 0
    assert (await now(order)).state == OrderState.placed


@pytest.mark.parametrize("wrong", [{"amount_total": 1_00}, {"currency": "usd"}])
async def test_another_sum_than_was_asked_never_pays(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession, clock: FrozenClock, wrong: dict[str, Any]
) -> None:
    order = await placed(session)
    bank.rules.retries = 0
    page = await page_of(card_market, order)
    bank.sessions[page] |= wrong
    bank.pay(page, "card")
    await bank.postman.settled()
    clock.jump(timedelta(minutes=10))
    await reconciling.reconcile({})
    assert (await now(order)).state == OrderState.placed
    assert await count(Payment) == 0
    assert "AnotherAmount" in await _unworked_reason()


async def test_what_could_not_be_worked_is_sent_again_and_worked_at_the_staffs_desk(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession
) -> None:
    order = await placed(session)
    staff = await persons.person(session, name="พี่แดง")
    await grant(session, staff, Role.staff)
    token = people.open_browser(session, staff, device="a phone")
    await session.commit()
    page = await page_of(card_market, order)
    bank.rules.retries = 0
    async with no_room_for_payments():
        bank.pay(page, "card")
        await bank.postman.settled()
    failed = event_of(bank, "checkout.session.completed")
    assert {"event": failed["id"], "type": failed["type"], "status": 500} in bank.postman.deliveries
    card_market.cookies.set("session", token)
    shown = (await card_market.get("/en/staff/provider-events")).text
    assert failed["id"] in shown
    assert "no room" in shown
    async with session_scope() as fresh:
        row_id = await fresh.scalar(select(ProviderEvent.id).where(ProviderEvent.event_id == failed["id"]))
    assert (await card_market.post(f"/staff/provider-events/{row_id}/retry")).status_code == 303
    await assert_paid_once(order)
    assert await _unworked_reason() == ""


async def test_a_payment_of_which_no_event_came_is_found_by_asking(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession, clock: FrozenClock
) -> None:
    order = await placed(session)
    await _paid_unheard(bank, card_market, order)
    await reconciling.reconcile({})
    assert (await now(order)).state == OrderState.placed, "its event may still be on its way"
    clock.jump(timedelta(minutes=5))
    await reconciling.reconcile({})
    await assert_paid_once(order)


async def test_an_event_over_which_a_process_died_is_worked_without_being_sent_again(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession, clock: FrozenClock
) -> None:
    order = await placed(session)
    await _paid_unheard(bank, card_market, order)
    told = event_of(bank, "checkout.session.completed")
    async with session_scope() as fresh:
        await provider_events.keep(fresh, StripeEvent(told["id"], told["type"], told))
    await provider_events.work_left({})
    assert (await now(order)).state == OrderState.placed, "somebody may be working it"
    clock.jump(timedelta(minutes=5))
    await provider_events.work_left({})
    await assert_paid_once(order)


async def test_an_order_that_ran_out_is_asked_about_too(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession, clock: FrozenClock
) -> None:
    order = await placed(session)
    await _paid_unheard(bank, card_market, order)
    clock.jump(timedelta(hours=2))
    await cancellation.expire_all({})
    assert (await now(order)).state == OrderState.expired
    await reconciling.reconcile({})
    await assert_paid_once(order)


async def test_while_stripe_thinks_another_buyer_of_the_same_jar_is_served(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession
) -> None:
    stall = await factories.stall(session, stock=2000)
    order = await factories.order(session, (stall, 1000), method=PaymentMethod.card)
    await session.commit()
    bank.rules.sleep_seconds = 3
    pressed = asyncio.create_task(card_market.post(f"{order.path}/pay"))
    while not await count(ProviderPayment):
        await asyncio.sleep(0.02)
    async with session_scope() as fresh:
        other = await factories.order(fresh, (stall, 1000))
        await payments.settle(fresh, other, other.total_satang, factories.STAFF)
    assert not pressed.done()
    assert (await now(other)).state == OrderState.paid
    assert (await pressed).headers["Location"].startswith(bank.origin)


async def test_a_stripe_that_is_away_leaves_the_order_as_it_is(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await placed(session)
    monkeypatch.setenv("STRIPE_API_BASE", "http://localhost:1")
    settings.cache_clear()
    answer = await card_market.post(f"/en{order.path}/pay")
    assert answer.headers["Location"] == f"/en{order.path}"
    assert "does not answer" in (await card_market.get(f"/en{order.path}")).text
    assert (await now(order)).state == OrderState.placed


async def test_an_order_in_cash_has_no_page_to_pay_on(bank: Bank, session: AsyncSession) -> None:
    stall = await factories.stall(session)
    order = await factories.order(session, (stall, 1000))
    await session.commit()
    with pytest.raises(card_payments.NotByCard):
        await card_payments.page_to_pay(order.link_token, "th")


async def test_the_order_page_waits_honestly_and_lets_its_form_go_to_stripe(
    bank: Bank, card_market: httpx.AsyncClient, session: AsyncSession
) -> None:
    order = await placed(session)
    answer = await card_market.get(f"/en{order.path}?back=paid")
    assert "waiting for the bank" in answer.text
    assert f"form-action 'self' {bank.origin}" in answer.headers["Content-Security-Policy"]
    assert "transfer slip" not in answer.text


async def test_without_keys_stripe_is_neither_offered_nor_heard(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    stall = await factories.stall(session)
    with pytest.raises(Refusal, match="NotPayableThatWay"):
        await factories.order(session, (stall, 1000), method=PaymentMethod.card)
    assert (await client.post("/webhooks/stripe", content=b"{}")).status_code == 409


def test_one_key_of_stripe_alone_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test")
    settings.cache_clear()
    try:
        with pytest.raises(WrongSetting, match="STRIPE_WEBHOOK_SECRET"):
            settings()
    finally:
        monkeypatch.undo()
        settings.cache_clear()


async def _paid_unheard(bank: Bank, client: httpx.AsyncClient, order: Order) -> None:
    """The buyer pays, and none of the events about it arrives."""
    page = await page_of(client, order)
    bank.rules.drop = -1
    bank.pay(page, "card")


async def _refund_state() -> str:
    async with session_scope() as session:
        return (await session.scalars(select(RefundTask.state))).one()


async def _unworked_reason() -> str:
    async with session_scope() as session:
        return await session.scalar(select(ProviderEvent.last_error).where(ProviderEvent.worked_at.is_(None))) or ""


@asynccontextmanager
async def no_room_for_payments() -> AsyncIterator[None]:
    """The database takes no payment for a while."""
    async with session_scope() as session:
        await session.execute(
            text(
                "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no room'; END $$"
            )
        )
        await session.execute(text("CREATE TRIGGER no_room BEFORE INSERT ON payments EXECUTE FUNCTION no_room()"))
    try:
        yield
    finally:
        async with session_scope() as session:
            await session.execute(text("DROP TRIGGER no_room ON payments"))
            await session.execute(text("DROP FUNCTION no_room"))
