"""My data: taken along whole, erased by whoever proves who they are, and told about truly."""

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app import access, files
from app.access import Role
from app.api import tokens
from app.clock import FrozenClock
from app.people import Person
from orders import basket as baskets
from orders import hand_over, slips
from orders.data_pages import MOST_EXPORTS
from orders.order import Order
from orders.privacy import KEPT, in_words
from tests import factories as someone
from tests.factories import PASSWORD
from tests.orders import factories
from tests.orders.factories import GROUP, MALI, Stall, replace
from tests.producers.desk import enter, sent, soup, words


async def bought(session: AsyncSession, buyer: Person | None = None, *, done: bool = True) -> tuple[Order, Stall]:
    stall = await factories.stall(session)
    bought_by = replace(MALI, note="ฝากป้าแดงไว้", person_id=buyer.id if buyer else None)
    placed = await factories.paid_order(session, (stall, 1000), buyer=bought_by)
    if done:
        await hand_over.hand_over(session, (await factories.only_part(session, placed)).id, GROUP, None)
    await session.commit()
    return placed, stall


async def carried(client: httpx.AsyncClient, path: str) -> tuple[dict[str, Any], zipfile.ZipFile]:
    answer = await client.get(path)
    assert answer.status_code == 200
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    return json.loads(archive.read("my-data.json")), archive


async def test_a_person_carries_everything_away_in_one_file(client: httpx.AsyncClient, session: AsyncSession) -> None:
    mali = await someone.person(session, name="มะลิ ใจเย็น", email="mali@example.com")
    placed, stall = await bought(session, mali)
    await access.grant(session, mali, Role.packer, group_id=stall.group.id)
    mine, _ = await baskets.start(session, mali)
    await baskets.add(session, mine, stall.variant.id, 1000)
    await enter(client, session, mali)
    await client.get(f"/desk/groups/{stall.group.slug}/orders/{placed.number}")
    told, archive = await carried(client, "/account/data.zip")
    assert told["account"][0]["name"] == "มะลิ ใจเย็น"
    assert told["orders"][0]["note"] == "ฝากป้าแดงไว้"
    assert [len(told[part]) for part in ("lines", "roles", "basket", "devices", "payments")] == [1, 1, 1, 1, 1]
    assert told["looks"][0]["by"] == "group"
    assert any("มะลิ" in notice["body_text"] for notice in told["notices"])
    assert "คำสั่งซื้อของฉัน" in archive.read("my-data.html").decode()


async def test_the_pictures_of_slips_come_along(client: httpx.AsyncClient, session: AsyncSession) -> None:
    placed = await factories.order(session, (await factories.stall(session), 1000))
    picture = factories.slip("0199ABC")
    await files.put(picture.file_key, b"a slip", "image/jpeg")
    await slips.send_slip(session, placed, picture)
    await session.commit()
    told, archive = await carried(client, f"/en/o/{placed.link_token}/data.zip")
    assert archive.read(told["slips"][0]["picture"]) == b"a slip"
    assert told["orders"][0]["buyer_phone"] == MALI.phone


async def test_tokens_come_without_their_secret(client: httpx.AsyncClient, session: AsyncSession) -> None:
    stall = await factories.stall(session)
    scope = await access.scope_of(session, stall.owner)
    _, secret = await tokens.issue(session, scope, "ร้านของเรา", ["orders:read"])
    await enter(client, session, stall.owner)
    told, archive = await carried(client, "/account/data.zip")
    assert told["tokens"][0]["name"] == "ร้านของเรา"
    assert secret[:12] not in archive.read("my-data.json").decode()


async def test_nobody_elses_order_is_in_it(client: httpx.AsyncClient, session: AsyncSession) -> None:
    await bought(session, await someone.person(session))
    await enter(client, session, await someone.person(session))
    told, _ = await carried(client, "/account/data.zip")
    assert (told["orders"], told["lines"], told["notices"]) == ([], [], [])


async def test_data_is_carried_away_some_times_a_day(
    client: httpx.AsyncClient, session: AsyncSession, clock: FrozenClock
) -> None:
    placed, _ = await bought(session)
    answers = [await client.get(f"/o/{placed.link_token}/data.zip") for _ in range(MOST_EXPORTS + 1)]
    assert [answer.status_code for answer in answers] == [200] * MOST_EXPORTS + [429]
    clock.jump(timedelta(days=1, minutes=1))
    assert (await client.get(f"/o/{placed.link_token}/data.zip")).status_code == 200


async def test_an_account_is_erased_by_its_password(client: httpx.AsyncClient, session: AsyncSession) -> None:
    mali = await someone.person(session, name="มะลิ", email="mali@example.com")
    placed, _ = await bought(session, mali)
    await enter(client, session, mali)
    assert "รหัสผ่านไม่ถูกต้อง" in words(await sent(client, "/account/erase", 422, password="guessed"))
    await sent(client, "/account/erase", password=PASSWORD)
    assert (await client.get("/account")).status_code == 303
    await session.refresh(mali)
    await session.refresh(placed)
    assert (mali.email, placed.buyer_name, placed.person_id) == (None, "", None)


async def test_whoever_may_not_be_erased_yet_reads_why(client: httpx.AsyncClient, session: AsyncSession) -> None:
    mali = await someone.person(session)
    placed, _ = await bought(session, mali, done=False)
    await enter(client, session, mali)
    page = words(await sent(client, "/en/account/erase", 422, password=PASSWORD))
    assert f"Order {placed.spoken_number} is still under way" in page
    assert (await client.get("/account")).status_code == 200


async def test_a_guest_erases_an_order_with_its_phones_last_digits(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    placed, _ = await bought(session)
    await sent(client, f"/o/{placed.link_token}/erase", 422, phone="0000")
    await sent(client, f"/o/{placed.link_token}/erase", phone="2222")
    page = words(await soup(client, f"/o/{placed.link_token}"))
    assert "ลบข้อมูลเมื่อ" in page
    assert MALI.name not in page
    assert placed.spoken_number in page


@pytest.mark.parametrize("path", ["/account", "/checkout", "/register", "/apply", "/orders/find", "slip"])
async def test_where_data_is_asked_for_stands_why(client: httpx.AsyncClient, session: AsyncSession, path: str) -> None:
    stall = await factories.stall(session)
    placed = await factories.order(session, (stall, 1000))
    if path in {"/account", "/apply"}:
        await enter(client, session, stall.owner)
    await session.commit()
    await client.post("/basket/add", data={"variant_id": str(stall.variant.id), "quantity": "1"})
    page = await soup(client, f"/o/{placed.link_token}" if path == "slip" else path)
    assert page.select("main a[href='/privacy']")


@pytest.mark.parametrize("lang", ["th", "en"])
async def test_the_privacy_page_tells_every_time_by_the_code(client: httpx.AsyncClient, lang: Any) -> None:
    page = words(await soup(client, "/en/privacy" if lang == "en" else "/privacy"))
    assert [what for what, span in KEPT.items() if in_words(span, lang) not in page] == []


async def test_a_group_no_longer_sees_whom_to_call_after_ninety_days(
    client: httpx.AsyncClient, session: AsyncSession, clock: FrozenClock
) -> None:
    placed, stall = await bought(session)
    await enter(client, session, stall.owner)
    for path in ("", "/slip"):
        desk = f"/desk/groups/{stall.group.slug}/orders/{placed.number}{path}"
        assert "089-111-2222" in words(await soup(client, desk))
    clock.jump(KEPT["contact"] - timedelta(days=1))
    assert "ฝากป้าแดง" in words(await soup(client, desk))
    clock.jump(timedelta(days=2))
    await enter(client, session, stall.owner)
    for path in ("", "/slip"):
        page = words(await soup(client, f"/desk/groups/{stall.group.slug}/orders/{placed.number}{path}"))
        assert [each for each in ("089-111-2222", "12 หมู่ 3", "ฝากป้าแดง") if each in page] == []
        assert MALI.name in page
