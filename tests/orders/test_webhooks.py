"""Programs of groups and centres hear what happens to their orders and goods, and nothing else."""

import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock as market_clock
from app import jobs, mail
from app.clock import FrozenClock
from app.database import session_scope
from app.errors import NotFound
from app.jobs import Job
from app.money import Satang
from app.people import Person
from app.webhooks import deliveries, hooks, sending
from app.webhooks.deliveries import Delivery, SendAttempt
from app.webhooks.hooks import Event, Hook, Place
from app.worker import work_off
from catalog import listings
from orders import hand_over
from tests.ground.receivers import Receiver
from tests.orders import factories
from tests.orders.factories import GROUP, Stall

ALL = tuple(Event)


@pytest.fixture(autouse=True)
def _account_of_the_market(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a basket of several groups can be paid."""
    monkeypatch.setenv("PROMPTPAY_ID", "0812345678")


async def hook_for(
    session: AsyncSession, receiver: Receiver, place: Place, by: Person, events: tuple[Event, ...] = ALL
) -> Hook:
    hook = await hooks.add(session, place, receiver.url, events, by=by)
    await session.commit()
    return hook


async def of_group(session: AsyncSession, receiver: Receiver, stall: Stall, *events: Event) -> Hook:
    return await hook_for(session, receiver, Place(group_id=stall.group.id), stall.owner, events or ALL)


async def attempts(session: AsyncSession) -> list[SendAttempt]:
    return list(await session.scalars(select(SendAttempt).order_by(SendAttempt.at)))


async def only_delivery(session: AsyncSession) -> Delivery:
    return (await session.scalars(select(Delivery).execution_options(populate_existing=True))).one()


async def test_a_group_hears_of_its_order_from_placing_to_handing_over(
    session: AsyncSession, receiver: Receiver
) -> None:
    stall = await factories.stall(session)
    await of_group(session, receiver, stall)
    order = await factories.paid_order(session, (stall, 2000))
    await hand_over.hand_over(session, (await factories.only_part(session, order)).id, GROUP)
    await session.commit()
    await work_off()
    told = {each.event: each.data for each in receiver.received}
    assert set(told) == {"order.placed", "order.paid", "order.handed_over"}
    assert told["order.placed"]["order"]["number"] == order.number
    [part] = told["order.handed_over"]["parts"]
    assert (part["group"], part["state"]) == (stall.group.slug, "handed_over")
    assert [(line["name"]["th"], line["quantity_milli"]) for line in part["lines"]] == [("ข้าวเม่า", 2000)]


async def test_a_message_proves_who_sent_it(session: AsyncSession, receiver: Receiver) -> None:
    stall = await factories.stall(session)
    hook = await of_group(session, receiver, stall)
    await factories.order(session, (stall, 1000))
    await session.commit()
    await work_off()
    [message] = receiver.received
    moment, mark = (part.partition("=")[2] for part in message.headers["market-signature"].split(","))
    expected = hmac.new(hook.secret.encode(), f"{moment}.".encode() + message.body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(mark, expected)
    assert json.loads(message.body)["id"] == message.delivery_id


async def test_each_group_hears_only_its_own_part(session: AsyncSession, receiver: Receiver) -> None:
    ours, theirs, stranger = [await factories.stall(session) for _ in range(3)]
    await of_group(session, receiver, ours, Event.order_placed)
    await of_group(session, receiver, stranger, Event.order_placed)
    await factories.order(session, (ours, 1000), (theirs, 3000))
    await session.commit()
    await work_off()
    [message] = receiver.received
    assert [part["group"] for part in message.data["parts"]] == [ours.group.slug]
    assert theirs.group.slug not in message.body.decode()


async def test_a_centre_hears_of_its_groups_and_the_network_of_all(session: AsyncSession, receiver: Receiver) -> None:
    here, there = await factories.stall(session), await factories.stall(session)
    await hook_for(session, receiver, Place(center_id=here.center.id), here.owner, (Event.order_placed,))
    await hook_for(session, receiver, Place(), here.owner, (Event.order_placed,))
    await factories.order(session, (here, 1000), (there, 1000))
    await session.commit()
    await work_off()
    heard = sorted([part["group"] for part in each.data["parts"]] for each in receiver.received)
    assert heard == sorted([[here.group.slug], [here.group.slug, there.group.slug]])


async def test_nobody_is_told_who_the_buyer_is(session: AsyncSession, receiver: Receiver) -> None:
    stall = await factories.stall(session)
    await of_group(session, receiver, stall)
    order = await factories.paid_order(session, (stall, 1000))
    await session.commit()
    await work_off()
    told = b"".join(each.body for each in receiver.received).decode()
    assert receiver.received
    secrets = (order.buyer_name, order.buyer_phone, order.buyer_email or "", order.address_line or "", order.link_token)
    assert not any(secret in told for secret in secrets)


async def test_what_is_rolled_back_is_never_told(session: AsyncSession, receiver: Receiver) -> None:
    stall = await factories.stall(session)
    await of_group(session, receiver, stall)
    await factories.order(session, (stall, 1000))
    await session.rollback()
    await work_off()
    assert receiver.received == []


async def test_a_crash_between_order_and_sending_loses_nothing(
    session: AsyncSession, receiver: Receiver, clock: FrozenClock
) -> None:
    """A worker that dies with the job in hand leaves it to the next one."""
    stall = await factories.stall(session)
    await of_group(session, receiver, stall, Event.order_placed)
    order = await factories.order(session, (stall, 1000))
    await session.commit()
    async with session_scope() as other:
        [_claimed] = await jobs.claim(other, [deliveries.SEND], limit=10)
    await work_off()
    assert receiver.received == []
    clock.jump(jobs.LEASE * 2)
    await work_off()
    assert [each.data["order"]["number"] for each in receiver.received] == [order.number]


async def test_a_crash_after_sending_repeats_under_the_same_id(session: AsyncSession, receiver: Receiver) -> None:
    stall = await factories.stall(session)
    await of_group(session, receiver, stall, Event.order_placed)
    await factories.order(session, (stall, 1000))
    await session.commit()
    delivery_id = str((await only_delivery(session)).id)
    letter = await sending._letter(session, {"delivery_id": delivery_id, "attempt": 0})
    assert letter is not None
    await session.rollback()
    await sending._sent(letter)  # and the worker dies before it writes that down
    await work_off()
    assert [each.delivery_id for each in receiver.received] == [delivery_id] * 2


async def test_a_failing_receiver_is_tried_again_and_the_log_shows_it(
    session: AsyncSession, receiver: Receiver, clock: FrozenClock
) -> None:
    stall = await factories.stall(session)
    await of_group(session, receiver, stall, Event.order_placed)
    receiver.status, receiver.answer = 503, "we are asleep"
    await factories.order(session, (stall, 1000))
    await session.commit()
    await work_off()
    assert (await only_delivery(session)).attempts == 1
    receiver.status, receiver.answer = 204, ""
    clock.jump(timedelta(minutes=1))
    await work_off()
    assert [(each.status, each.answer) for each in await attempts(session)] == [(503, "we are asleep"), (204, "")]
    assert (await only_delivery(session)).delivered_at is not None
    assert len({each.delivery_id for each in receiver.received}) == 1


async def test_a_dead_receiver_is_left_in_peace_after_two_days(
    session: AsyncSession, receiver: Receiver, clock: FrozenClock
) -> None:
    stall = await factories.stall(session)
    await of_group(session, receiver, stall, Event.order_placed)
    receiver.status = 500
    await factories.order(session, (stall, 1000))
    await session.commit()
    began = market_clock.now()
    await work_off()
    while next_at := (await only_delivery(session)).next_at:
        await session.rollback()
        clock.jump(next_at - market_clock.now() + timedelta(seconds=1))
        await work_off()
    assert timedelta(days=1.8) < market_clock.now() - began < timedelta(days=2.5)
    assert len(receiver.received) == len(sending.TIMETABLE) + 1


async def test_a_hook_that_fails_for_days_is_paused_and_its_owner_told(
    session: AsyncSession, receiver: Receiver, clock: FrozenClock
) -> None:
    stall = await factories.stall(session)
    hook = await of_group(session, receiver, stall, Event.order_placed)
    receiver.status = 500
    for _ in range(2):
        await factories.order(session, (stall, 1000))
        await session.commit()
        await work_off()
        clock.jump(sending.PAUSED_AFTER)
    await session.refresh(hook)
    assert hook.paused_because == "failing"
    [notice] = await mail.recent(session, about=f"webhook {hook.id}")
    assert notice.to == stall.owner.email
    assert receiver.url in notice.body_text


async def test_what_happened_during_a_pause_is_told_after_it(session: AsyncSession, receiver: Receiver) -> None:
    stall = await factories.stall(session)
    hook = await of_group(session, receiver, stall, Event.order_placed)
    hooks.pause(hook)
    await factories.order(session, (stall, 1000))
    await session.commit()
    await work_off()
    assert receiver.received == []
    await deliveries.resume(session, hook)
    await session.commit()
    await work_off()
    assert [each.event for each in receiver.received] == ["order.placed"]


async def test_a_replay_sends_the_same_once_more(session: AsyncSession, receiver: Receiver) -> None:
    stall = await factories.stall(session)
    await of_group(session, receiver, stall, Event.order_placed)
    await factories.order(session, (stall, 1000))
    await session.commit()
    await work_off()
    await deliveries.replay(session, await only_delivery(session))
    await session.commit()
    await work_off()
    first, second = receiver.received
    assert (first.delivery_id, first.body) == (second.delivery_id, second.body)
    assert len(await attempts(session)) == 2


async def test_a_redirect_is_a_failure_and_not_followed(session: AsyncSession, receiver: Receiver) -> None:
    stall = await factories.stall(session)
    await of_group(session, receiver, stall, Event.order_placed)
    receiver.status, receiver.location = 307, f"http://127.0.0.1:{receiver.port}/elsewhere"
    await factories.order(session, (stall, 1000))
    await session.commit()
    await work_off()
    assert [each.status for each in await attempts(session)] == [307]
    assert len(receiver.received) == 1


async def test_a_slow_receiver_is_not_waited_for(
    session: AsyncSession, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SECONDS", 0.2)
    receiver.seconds = 0.6
    stall = await factories.stall(session)
    await of_group(session, receiver, stall, Event.order_placed)
    await factories.order(session, (stall, 1000))
    await session.commit()
    await work_off()
    assert [(each.status, each.trouble) for each in await attempts(session)] == [(None, "slow")]


async def test_a_long_answer_is_cut_off(session: AsyncSession, receiver: Receiver) -> None:
    stall = await factories.stall(session)
    hook = await of_group(session, receiver, stall)
    receiver.answer = "ก\x00" * 100_000
    await deliveries.test(session, hook)
    await session.commit()
    await work_off()
    [attempt] = await attempts(session)
    assert attempt.status == 200
    assert "ก" * 400 in attempt.answer
    assert len(attempt.answer) <= sending.MOST_ANSWER_CHARACTERS


async def test_an_address_that_became_private_is_not_opened(session: AsyncSession, receiver: Receiver) -> None:
    """It was public when it was registered; the check at sending is the one that counts."""
    stall = await factories.stall(session)
    hook = await of_group(session, receiver, stall)
    hook.url = "https://10.0.0.7/hook"
    await deliveries.test(session, hook)
    await session.commit()
    await work_off()
    assert [each.trouble for each in await attempts(session)] == ["not_public"]


async def test_a_resting_receiver_takes_no_time_from_the_others(
    session: AsyncSession, receiver: Receiver, clock: FrozenClock
) -> None:
    stall = await factories.stall(session)
    hook = await of_group(session, receiver, stall)
    receiver.status = 500
    for _ in range(20):
        await deliveries.test(session, hook)
    await session.commit()
    await work_off()
    assert len(receiver.received) == 1
    receiver.status = 200
    clock.jump(timedelta(minutes=1))
    await work_off()
    assert len({each.delivery_id for each in receiver.received}) == 20


async def test_a_deleted_hook_hears_nothing_more(session: AsyncSession, receiver: Receiver) -> None:
    stall = await factories.stall(session)
    hook = await of_group(session, receiver, stall)
    await factories.order(session, (stall, 1000))
    hooks.delete(hook, by=stall.owner)
    await deliveries.give_up(session, hook)
    await factories.order(session, (stall, 1000))
    await session.commit()
    await work_off()
    assert receiver.received == []


async def test_a_new_secret_counts_beside_the_old_one_for_a_day(
    session: AsyncSession, receiver: Receiver, clock: FrozenClock
) -> None:
    stall = await factories.stall(session)
    hook = await of_group(session, receiver, stall)
    old, new = hook.secret, hooks.rotate(hook)
    assert hook.secrets_at(market_clock.now()) == [new, old]
    await deliveries.test(session, hook)
    await session.commit()
    await work_off()
    assert receiver.received[0].headers["market-signature"].count("v1=") == 2
    clock.jump(hooks.OLD_SECRET_LASTS)
    assert hook.secrets_at(market_clock.now()) == [new]


async def test_many_changes_of_a_listing_are_told_once(
    session: AsyncSession, receiver: Receiver, clock: FrozenClock
) -> None:
    stall = await factories.stall(session)
    await of_group(session, receiver, stall, Event.listing_changed)
    for baht in (60, 70, 80):
        clock.jump(timedelta(seconds=1))
        await listings.set_price(session, stall.variant, Satang(baht * 100), by=stall.owner)
        await session.commit()
    clock.jump(timedelta(seconds=10))
    await work_off()
    [message] = receiver.received
    assert message.data["listing"]["slug"] == stall.listing.slug
    assert [variant["price_satang"] for variant in message.data["listing"]["variants"]] == [80_00]


async def test_a_change_while_the_news_is_on_its_way_is_told_too(
    session: AsyncSession, receiver: Receiver, clock: FrozenClock
) -> None:
    stall = await factories.stall(session)
    await of_group(session, receiver, stall, Event.listing_changed)
    clock.jump(timedelta(seconds=10))
    await listings.set_price(session, stall.variant, Satang(60_00), by=stall.owner)
    await session.commit()
    clock.jump(timedelta(seconds=10))
    async with session_scope() as other:
        [_begun] = await jobs.claim(other, ["listings.tell"], limit=1)
    await listings.set_price(session, stall.variant, Satang(70_00), by=stall.owner)
    await session.commit()
    assert len(list(await session.scalars(select(Job).where(Job.kind == "listings.tell")))) == 2


async def test_where_nobody_listens_a_change_costs_no_job(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    await listings.set_price(session, stall.variant, Satang(60_00), by=stall.owner)
    await factories.order(session, (stall, 1000))
    await session.commit()
    kinds = set(await session.scalars(select(Job.kind)))
    assert not kinds & {"listings.tell", deliveries.SEND}


async def test_old_deliveries_are_forgotten_with_their_attempts(
    session: AsyncSession, receiver: Receiver, clock: FrozenClock
) -> None:
    stall = await factories.stall(session)
    hook = await of_group(session, receiver, stall)
    await deliveries.test(session, hook)
    await session.commit()
    await work_off()
    clock.jump(deliveries.KEPT + timedelta(hours=1))
    await deliveries.forget({})
    assert await attempts(session) == []
    assert await deliveries.log_of(session, hook) == []


async def test_another_groups_hook_does_not_exist(session: AsyncSession, receiver: Receiver) -> None:
    ours, theirs = await factories.stall(session), await factories.stall(session)
    hook = await of_group(session, receiver, theirs)
    for place in (Place(group_id=ours.group.id), Place(center_id=theirs.center.id), Place()):
        with pytest.raises(NotFound):
            await hooks.hook_of(session, place, hook.id)
