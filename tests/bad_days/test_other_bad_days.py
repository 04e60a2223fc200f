"""A clock that jumps over the end of the hold between any two steps, a full disk, and nobody at the post office."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import check, worker
from app.clock import FrozenClock
from app.database import session_scope
from app.errors import Refusal
from app.mail import Notice
from app.settings import settings as market_settings
from orders import cancellation, provider_events, reconciling
from orders.order import Order
from orders.slips import Slip
from orders.states import PaymentMethod
from tests import pictures
from tests.app.test_mail import PostOffice
from tests.ground.servers import free_port
from tests.orders import factories
from tests.stripe_standin.bank import Bank

STEPS = ("ask", "pay", "hear", "cancel", "expire", "reconcile", "work", "sell the rest")
JUMPS = st.sampled_from([0, 0, 4, 59, 61, 24 * 60])
"""Minutes; a hold ends after sixty."""
FULL_AFTER_BYTES = 512


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), JUMPS), min_size=2, max_size=7))
async def test_whenever_the_hold_ends_money_and_goods_stay_right(
    bank: Bank,
    card_market: httpx.AsyncClient,
    session: AsyncSession,
    database: str,
    clock: FrozenClock,
    steps: list[tuple[str, int]],
) -> None:
    stall = await factories.stall(session, stock=1000)
    order = await factories.order(session, (stall, 1000), method=PaymentMethod.card)
    await session.commit()
    for step, minutes in (*steps, ("work", 30), ("reconcile", 300), ("expire", 60), ("reconcile", 30), ("work", 5)):
        await _do(step, bank, card_market, order, stall)
        await bank.postman.settled()
        clock.jump(timedelta(minutes=minutes))
    async with session_scope() as fresh:
        found = await fresh.get_one(Order, order.id)
    assert found.state in {"paid", "expired", "cancelled"}
    kept = sum(each["amount_received"] for each in bank.intents.values()) - sum(
        each["amount"] for each in bank.refunds.values()
    )
    assert found.received_satang - found.returned_satang == kept == (found.total_satang if found.state == "paid" else 0)
    wrong = [str(each) for each in await check.check(database) if not each.is_warning]
    assert [each for each in wrong if "jobs" not in each] == []
    bank.reset()


async def _do(step: str, bank: Bank, client: httpx.AsyncClient, order: Order, stall: factories.Stall) -> None:
    if step == "ask":
        await client.post(f"{order.path}/pay")
    elif step == "pay":
        bank.rules.drop = -1
        bank.tick()
        for page in [page for page in bank.sessions.values() if page["status"] == "open"][:1]:
            bank.pay(page["id"], "card")
        bank.rules.drop = 0
    elif step == "hear":
        for event in list(bank.postman.events):
            await bank.postman.send(event)
    elif step == "cancel":
        await client.post(f"{order.path}/cancel")
    elif step == "sell the rest":
        with suppress(Refusal):
            async with session_scope() as fresh:
                await factories.paid_order(fresh, (stall, 1000))
    else:
        await {"expire": cancellation.expire_all, "reconcile": _reconcile, "work": _work}[step]({})


async def _reconcile(payload: dict[str, object]) -> None:
    await reconciling.reconcile(payload)
    await provider_events.work_left(payload)


async def _work(_payload: dict[str, object]) -> None:
    await worker.work_off()


async def test_with_a_full_disk_a_slip_is_refused_whole_and_taken_later(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    order = await factories.order(session, (await factories.stall(session), 1000))
    await session.commit()
    slip = {"slip": ("slip.jpg", pictures.jpeg(), "image/jpeg")}
    headers = {"Idempotency-Key": str(uuid4())}
    with full_disk():
        refused = await client.post(f"/api/v1/orders/{order.link_token}/slips", files=slip, headers=headers)
    assert (refused.status_code, await _slips()) == (503, 0)
    taken = await client.post(f"/api/v1/orders/{order.link_token}/slips", files=slip, headers=headers)
    assert (taken.status_code, await _slips()) == (201, 1)


async def test_while_the_post_office_is_away_people_order_and_notices_wait(
    client: httpx.AsyncClient, session: AsyncSession, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{port}")
    market_settings.cache_clear()
    await factories.order(session, (await factories.stall(session), 1000))
    await session.commit()
    with pytest.raises(OSError, match="connect"):
        await worker.work_off()
    assert await _unsent() > 0
    clock.jump(timedelta(minutes=5))
    office = PostOffice()
    async with await asyncio.start_server(office.serve, "127.0.0.1", port):
        await worker.work_off()
    assert (await _unsent(), len(office.letters) > 0) == (0, True)
    monkeypatch.undo()
    market_settings.cache_clear()


async def _unsent() -> int:
    async with session_scope() as session:
        waiting = select(func.count()).select_from(Notice).where(Notice.sent_at.is_(None))
        return await session.scalar(waiting) or 0


async def _slips() -> int:
    async with session_scope() as session:
        return await session.scalar(select(func.count()).select_from(Slip)) or 0


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process grows beyond a few bytes: writing raises OSError, as on a disk without room."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_AFTER_BYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
