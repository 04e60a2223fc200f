"""The desk's part "Programs": owners make tokens and webhooks, see a secret once, and read what was sent."""

import re

import httpx
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import people
from app.access import Role
from app.api.tokens import ApiToken
from app.webhooks import deliveries, hooks
from app.webhooks.hooks import Event, Hook, Place
from app.worker import work_off
from tests.ground.receivers import Receiver
from tests.orders import factories
from tests.orders.factories import Stall, producers
from tests.producers.desk import enter, sent, soup, words


async def at_the_desk(session: AsyncSession, client: httpx.AsyncClient) -> tuple[Stall, str]:
    stall = await factories.stall(session)
    await enter(client, session, stall.owner)
    return stall, f"/desk/groups/{stall.group.slug}/programs"


async def test_an_owner_makes_a_token_and_sees_its_secret_once(
    session: AsyncSession, client: httpx.AsyncClient
) -> None:
    stall, desk = await at_the_desk(session, client)
    answer = await client.post(f"{desk}/tokens", data={"name": "เครื่องพิมพ์", "scopes": ["orders:read"]})
    [secret] = set(re.findall(r"mkt_[\w-]{40,}", answer.text))
    token = (await session.scalars(select(ApiToken))).one()
    assert (token.secret_hash, token.group_id) == (people.token_hash(secret), stall.group.id)
    assert answer.headers["cache-control"] == "no-store"
    page = await soup(client, desk)
    assert "เครื่องพิมพ์" in words(page)
    assert secret not in str(page)


async def test_a_token_is_taken_back(session: AsyncSession, client: httpx.AsyncClient) -> None:
    _, desk = await at_the_desk(session, client)
    await client.post(f"{desk}/tokens", data={"name": "ตู้แดง", "scopes": ["orders:read"]})
    token = (await session.scalars(select(ApiToken))).one()
    await sent(client, f"{desk}/tokens/{token.id}/revoke")
    assert "ตู้แดง" not in words(await soup(client, desk))


async def test_a_token_that_may_do_nothing_is_refused_beside_the_field(
    session: AsyncSession, client: httpx.AsyncClient
) -> None:
    _, desk = await at_the_desk(session, client)
    page = await sent(client, f"{desk}/tokens", 422, name="เครื่องพิมพ์", scopes="center:read")
    assert page.select_one("#f-scopes-error") is not None


async def test_a_private_address_is_refused_and_stays_typed(session: AsyncSession, client: httpx.AsyncClient) -> None:
    _, desk = await at_the_desk(session, client)
    page = await sent(client, f"{desk}/hooks", 422, url="https://192.168.1.1/hook", events="order.paid")
    field = page.select_one("#f-url")
    assert field is not None
    assert field["value"] == "https://192.168.1.1/hook"
    assert page.select_one("#f-url-error") is not None
    assert (await session.scalars(select(Hook))).all() == []


async def test_a_webhook_is_added_tested_and_its_log_shows_the_answer(
    session: AsyncSession, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    _, desk = await at_the_desk(session, client)
    made = await sent(client, f"{desk}/hooks", 200, url=receiver.url, events="order.paid")
    hook = (await session.scalars(select(Hook))).one()
    assert hook.secret in words(made)
    await sent(client, f"{desk}/hooks/{hook.id}/test")
    receiver.status, receiver.answer = 500, "<b>we are asleep</b>"
    await work_off()
    [delivery] = await deliveries.log_of(session, hook)
    told = await client.get(f"{desk}/hooks/{hook.id}/deliveries/{delivery.id}")
    assert "500" in told.text
    assert "&lt;b&gt;we are asleep" in told.text
    receiver.status = 200
    await sent(client, f"{desk}/hooks/{hook.id}/deliveries/{delivery.id}/replay")
    await work_off()
    assert [each.delivery_id for each in receiver.received] == [str(delivery.id)] * 2
    assert hook.secret not in (await client.get(f"{desk}/hooks/{hook.id}")).text


async def test_pausing_resuming_and_deleting(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall, desk = await at_the_desk(session, client)
    hook = await hooks.add(
        session, Place(group_id=stall.group.id), "https://example.com/", [Event.order_paid], by=stall.owner
    )
    await session.commit()
    for step, is_paused in (("pause", True), ("resume", False)):
        await sent(client, f"{desk}/hooks/{hook.id}/{step}")
        await session.refresh(hook)
        assert (hook.paused_at is not None) == is_paused
    await sent(client, f"{desk}/hooks/{hook.id}/delete")
    assert (await client.get(f"{desk}/hooks/{hook.id}")).status_code == 404


async def test_an_editor_keeps_out_of_programs(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall = await factories.stall(session)
    await enter(client, session, await producers.member(session, stall.group, Role.editor))
    assert (await client.get(f"/desk/groups/{stall.group.slug}/programs")).status_code == 404
