"""A group sees the buyers of its own lines and nobody else's, on every page, sheet and print of every desk."""

import io
import zipfile
from html import unescape

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app import access
from app.access import Role
from app.main import page_routes
from app.people import Person
from orders import payments, slips
from orders.order import Order
from orders.states import DeliveryKind
from producers.groups import Group
from tests import factories as people
from tests.orders import factories
from tests.orders.factories import MALI, Stall, replace
from tests.producers.desk import enter, soup, words

OTHER = replace(MALI, name="สมปอง คนอื่น", phone="+66867778888", email="sompong@example.com", address_line="77/7 ซอยลับ")
TELLTALES = ("สมปอง", "+66867778888", "086-777-8888", "0867778888", "sompong@", "77/7 ซอยลับ", "ฝากยายแก้ว")
#: Where a member of a group, or a coordinator of its centre, works.
DESKS = [path for _, path in page_routes() if path.startswith("/desk")]


async def neighbours(session: AsyncSession) -> tuple[Stall, Stall, Order]:
    """Two groups of one centre, each with a buyer of its own; and an order of the second one."""
    ours = await factories.stall(session)
    theirs = await factories.stall(session, at=ours.center)
    await factories.paid_order(session, (ours, 1000))
    for of in (factories.paid_order, factories.order):
        foreign = await of(session, (theirs, 1000), buyer=replace(OTHER, note="ฝากยายแก้วไว้"))
    await slips.send_slip(session, foreign, factories.slip("0199"))
    return ours, theirs, foreign


def addresses(ours: Stall, foreign: Order) -> list[str]:
    """Every desk page that can be named without a row of its own; orders by the foreign order's number."""
    paths = [path.replace("{number}", foreign.number).replace("{listing_slug}", ours.listing.slug) for path in DESKS]
    own = [path.replace("{slug}", ours.center.slug if "/centers/" in path else ours.group.slug) for path in paths]
    return [path for path in own if "{" not in path]


def read(answer: httpx.Response) -> str:
    """What stands in a page, or in all the sheets of a workbook."""
    if "spreadsheet" not in answer.headers.get("content-type", ""):
        return unescape(answer.text)
    book = zipfile.ZipFile(io.BytesIO(answer.content))
    return "\n".join(unescape(book.read(name).decode("utf8", "replace")) for name in book.namelist())


@pytest.mark.parametrize("lang", ["", "/en"])
@pytest.mark.parametrize("who", ["owner", "coordinator"])
async def test_no_desk_shows_the_buyers_of_others(
    client: httpx.AsyncClient, session: AsyncSession, who: str, lang: str
) -> None:
    ours, _, foreign = await neighbours(session)
    coordinator = await people.person(session, name="ผู้ประสานงาน")
    await access.grant(session, coordinator, Role.coordinator, center_id=ours.center.id)
    await enter(client, session, ours.owner if who == "owner" else coordinator)
    shown = {path: await client.get(lang + path) for path in addresses(ours, foreign)}
    assert len([path for path, answer in shown.items() if answer.status_code == 200]) > 8
    seen = [(path, word) for path, answer in shown.items() for word in TELLTALES if word in read(answer)]
    assert seen == []


async def test_the_test_would_see_a_buyer(client: httpx.AsyncClient, session: AsyncSession) -> None:
    _, theirs, foreign = await neighbours(session)
    await enter(client, session, theirs.owner)
    pages = [read(await client.get(path)) for path in addresses(theirs, foreign)]
    assert any("สมปอง" in page for page in pages)


async def seen_by_the_group(
    client: httpx.AsyncClient, session: AsyncSession, group: Group, owner: Person, order: Order
) -> str:
    await enter(client, session, owner)
    desk = f"/desk/groups/{group.slug}/orders/{order.number}"
    return words(await soup(client, desk)) + words(await soup(client, f"{desk}/slip"))


async def test_an_address_is_shown_only_when_a_parcel_is_sent(client: httpx.AsyncClient, session: AsyncSession) -> None:
    fetched = await factories.stall(session)
    order = await factories.order(session, (fetched, 1000), delivery=DeliveryKind.pickup_group, buyer=OTHER)
    await payments.settle(session, order, order.total_satang, factories.STAFF)
    page = await seen_by_the_group(client, session, fetched.group, fetched.owner, order)
    assert "086-777-8888" in page
    assert "77/7 ซอยลับ" not in page


async def test_a_group_sees_no_phone_before_it_may_pack(client: httpx.AsyncClient, session: AsyncSession) -> None:
    stall = await factories.stall(session)
    unpaid = await factories.order(session, (stall, 1000), buyer=OTHER)
    page = await seen_by_the_group(client, session, stall.group, stall.owner, unpaid)
    assert [word for word in ("086-777-8888", "77/7 ซอยลับ") if word in page] == []
