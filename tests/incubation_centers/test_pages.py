"""Everybody sees the centres; their desks exist for their coordinators and for staff."""

import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from http import HTTPStatus

import httpx
import pytest
from bs4 import BeautifulSoup, Tag
from python_calamine import CalamineWorkbook
from sqlalchemy.ext.asyncio import AsyncSession

from app import access
from app.access import Role
from app.people import Person
from orders.payments import settle
from orders.slips import send_slip
from orders.states import OrderState
from producers.centers import Center
from tests import factories
from tests.ground.databases import QueryCount
from tests.orders import factories as make
from tests.orders.factories import Stall
from tests.producers import factories as producers

Counting = Callable[[], AbstractContextManager[QueryCount]]
DESK_PAGES = ("", "/demand", "/demand/print", "/demand.xlsx", "/revenue", "/account")


async def test_the_map_and_the_list_lead_to_each_centre(client: httpx.AsyncClient, session: AsyncSession) -> None:
    centers = [await producers.center(session) for _ in range(2)]
    await session.commit()

    soup = await read(client, "/centers")

    for center in centers:
        assert len(soup.select(f'a[href="/centers/{center.slug}"]')) == 2
    assert len(soup.select(".map-pin")) == 2


async def test_a_centres_page_shows_its_groups_and_leads_to_their_goods(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    stall = await make.stall(session)
    await session.commit()

    soup = await read(client, f"/en/centers/{stall.center.slug}")

    assert str(stall.group.name_en) in pick(soup, ".stall .card-name").text
    assert soup.select(f'a[href$="?center={stall.center.slug}"]')


async def test_a_place_that_nobody_checked_says_so_gently(client: httpx.AsyncClient, session: AsyncSession) -> None:
    center = await producers.center(session)
    center.place_verified, center.subdistrict_code = False, None
    await session.commit()

    assert "เอกสารต้นทาง" in (await read(client, f"/centers/{center.slug}")).text


@pytest.mark.parametrize("path", DESK_PAGES)
async def test_a_desk_is_for_its_own_coordinator_and_staff(
    client: httpx.AsyncClient, session: AsyncSession, path: str
) -> None:
    stall, other = await make.stall(session), await producers.center(session)
    await make.paid_order(session, (stall, 1000))
    address = f"/desk/centers/{stall.center.slug}{path}"

    await session.commit()
    assert "/sign-in" in (await client.get(address)).headers["location"]
    await sign_in_as_coordinator(client, session, other)
    assert (await client.get(address)).status_code == HTTPStatus.NOT_FOUND
    await sign_in_as_coordinator(client, session, stall.center)
    assert (await client.get(address)).status_code == HTTPStatus.OK
    staff = await factories.staff(session)
    await sign_in(client, session, staff.person)
    assert (await client.get(address)).status_code == HTTPStatus.OK


async def test_a_groups_own_people_do_not_see_the_centres_desk(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    stall = await make.stall(session)
    await sign_in(client, session, stall.owner)

    assert (await client.get(f"/desk/centers/{stall.center.slug}")).status_code == HTTPStatus.NOT_FOUND


async def test_today_begins_with_what_to_gather(client: httpx.AsyncClient, session: AsyncSession) -> None:
    stall = await make.stall(session, step=500)
    for milli in (1500, 1000):
        await make.paid_order(session, (stall, milli))
    await sign_in_as_coordinator(client, session, stall.center)

    soup = await read(client, f"/desk/centers/{stall.center.slug}")

    assert "1 กลุ่ม" in pick(soup, ".desk-next").text
    assert "2.5 × ถุง" in " ".join(pick(soup, "ul.lines").text.split())


async def test_the_page_the_print_and_the_workbook_say_the_same(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    stall = await make.stall(session)
    await make.paid_order(session, (stall, 3000))
    await sign_in_as_coordinator(client, session, stall.center)
    address = f"/desk/centers/{stall.center.slug}/demand"

    on_screen, on_paper = [pick(await read(client, path), "tfoot").text for path in (address, f"{address}/print")]
    book = CalamineWorkbook.from_filelike(io.BytesIO((await client.get(f"{address}.xlsx")).content))

    assert "฿150" in on_screen
    assert on_screen == on_paper
    assert book.get_sheet_by_index(0).to_python()[-1][-1] == 150


async def test_days_that_make_no_sense_are_kept_and_explained(client: httpx.AsyncClient, session: AsyncSession) -> None:
    center = await producers.center(session)
    await sign_in_as_coordinator(client, session, center)

    answer = await client.get(f"/desk/centers/{center.slug}/demand?first=2026-11-20&last=2026-11-01")

    soup = BeautifulSoup(answer.text, "html.parser")
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert pick(soup, "#f-first")["value"] == "2026-11-20"
    assert "วันสุดท้ายมาก่อนวันแรก" in pick(soup, "#f-last-error").text


@pytest.mark.parametrize(
    "path", ["/centers", "/centers/{slug}", *(f"/desk/centers/{{slug}}{page}" for page in DESK_PAGES)]
)
async def test_three_groups_ask_no_more_than_one(
    client: httpx.AsyncClient, session: AsyncSession, query_count: Counting, path: str
) -> None:
    center = await producers.center(session)
    center.promptpay_id = make.PROMPTPAY
    asked = []
    for new_groups in (1, 2):
        for _ in range(new_groups):
            await busy_stall(session, center)
        await sign_in_as_coordinator(client, session, center)
        with query_count() as queries:
            assert (await client.get(path.format(slug=center.slug))).status_code == HTTPStatus.OK
        asked.append(len(queries))

    assert asked[0] == asked[1]


async def test_a_coordinator_confirms_what_reached_the_centres_account(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    stall = await stall_paid_to_its_center(session)
    order = await make.order(session, (stall, 1000))
    slip = await send_slip(session, order, make.slip())
    await sign_in_as_coordinator(client, session, stall.center)
    home = await read(client, f"/desk/centers/{stall.center.slug}")
    assert pick(home, ".desk-next a")["href"] == "/desk/slips"
    assert order.spoken_number in (await read(client, "/desk/slips")).text

    answer = await client.post(f"/desk/slips/{slip.id}/accept", data={"amount": "90"}, headers=OWN_PAGE)

    await session.refresh(order)
    assert (answer.status_code, order.state) == (HTTPStatus.SEE_OTHER, OrderState.paid)
    assert not (await read(client, "/desk/slips")).select(f"#slip-{order.number}")


async def test_an_amount_nobody_can_read_leaves_the_slip_waiting(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    stall = await stall_paid_to_its_center(session)
    order = await make.order(session, (stall, 1000))
    slip = await send_slip(session, order, make.slip())
    await sign_in_as_coordinator(client, session, stall.center)

    answer = await client.post(f"/desk/slips/{slip.id}/accept", data={"amount": "เก้าสิบ"}, headers=OWN_PAGE)

    await session.refresh(order)
    assert (answer.status_code, order.state) == (HTTPStatus.UNPROCESSABLE_ENTITY, OrderState.slip_sent)
    assert "เก้าสิบ" in answer.text


async def test_a_slip_paid_to_another_account_is_not_on_a_coordinators_desk(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    stall, other = await stall_paid_to_its_center(session), await producers.center(session)
    slip = await send_slip(session, await make.order(session, (stall, 1000)), make.slip())
    await sign_in_as_coordinator(client, session, other)

    assert (await client.get(f"/desk/slips/{slip.id}/picture")).status_code == HTTPStatus.NOT_FOUND


async def test_a_slip_of_a_paid_order_says_that_nothing_is_to_be_paid(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    stall = await stall_paid_to_its_center(session)
    order = await make.order(session, (stall, 1000))
    for _ in range(2):
        await send_slip(session, order, make.slip())
    await settle(session, order, 90_00, make.STAFF)
    await sign_in_as_coordinator(client, session, stall.center)

    page = pick(await read(client, "/en/desk/slips"), "main").text

    assert "This order is fully paid already." in page
    assert "฿0" not in page


async def test_the_centre_names_its_account(client: httpx.AsyncClient, session: AsyncSession) -> None:
    center = await producers.center(session)
    await sign_in_as_coordinator(client, session, center)
    address = f"/desk/centers/{center.slug}/account"

    nameless = await client.post(address, data={"promptpay_id": "081-234-5678"}, headers=OWN_PAGE)
    whole = await client.post(
        address, data={"promptpay_id": "081-234-5678", "promptpay_name": "ศูนย์หนองโสน"}, headers=OWN_PAGE
    )

    await session.refresh(center)
    assert (nameless.status_code, whole.status_code) == (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SEE_OTHER)
    assert (center.promptpay_id, center.promptpay_name) == ("0812345678", "ศูนย์หนองโสน")


OWN_PAGE = {"Origin": "http://market.test", "Sec-Fetch-Site": "same-origin"}


async def stall_paid_to_its_center(session: AsyncSession) -> Stall:
    stall = await make.stall(session, promptpay=None)
    stall.center.promptpay_id, stall.center.promptpay_name = make.PROMPTPAY, "ศูนย์"
    await session.flush()
    return stall


async def busy_stall(session: AsyncSession, center: Center) -> None:
    """A group with an order to gather and a slip to look at."""
    stall = await make.stall(session, at=center, promptpay=None)
    await make.paid_order(session, (stall, 1000))
    await send_slip(session, await make.order(session, (stall, 2000)), make.slip())


async def sign_in_as_coordinator(client: httpx.AsyncClient, session: AsyncSession, center: Center) -> None:
    person = await factories.person(session)
    await access.grant(session, person, Role.coordinator, center_id=center.id)
    await sign_in(client, session, person)


async def sign_in(client: httpx.AsyncClient, session: AsyncSession, person: Person | None) -> None:
    assert person is not None
    await session.commit()
    client.cookies.clear()
    answer = await client.post(
        "/sign-in", data={"name": person.email or "", "password": factories.PASSWORD}, headers=OWN_PAGE
    )
    assert answer.status_code == HTTPStatus.SEE_OTHER, answer.text


def pick(soup: BeautifulSoup, selector: str) -> Tag:
    found = soup.select_one(selector)
    assert found is not None, selector
    return found


async def read(client: httpx.AsyncClient, path: str) -> BeautifulSoup:
    answer = await client.get(path)
    assert answer.status_code == HTTPStatus.OK, answer.text
    return BeautifulSoup(answer.text, "html.parser")


@pytest.mark.parametrize("sheet", ["demand.xlsx", "demand/print"])
async def test_a_sheet_of_days_that_cannot_be_is_not_made(
    client: httpx.AsyncClient, session: AsyncSession, sheet: str
) -> None:
    center = await producers.center(session)
    await sign_in_as_coordinator(client, session, center)
    answer = await client.get(f"/desk/centers/{center.slug}/{sheet}?first=abc")
    assert answer.status_code == HTTPStatus.SEE_OTHER
    assert answer.headers["location"] == f"/desk/centers/{center.slug}/demand?first=abc&last="
