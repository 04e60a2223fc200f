"""The desks on a phone, on paper and for a screen reader."""

import re
from datetime import date
from uuid import UUID

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page
from sqlalchemy.ext.asyncio import AsyncSession

from app import access, clock, people
from app.access import SESSION_COOKIE, Role
from app.language import Language
from app.money import Satang
from app.people import Person
from producers import certificates, ledger, members, notes, own_books, plan, streams
from producers.canvas_desk import MOST_WORDS
from producers.canvas_pages import LONG
from producers.certificates import CertificateKind
from producers.groups import Group
from producers.ledger import Account, Entry, Purpose
from producers.notes import Block
from producers.streams import StreamKind
from tests import factories
from tests.ground.browsers import DESK, PHONE, OpenPage
from tests.ground.servers import RunningMarket
from tests.producers import factories as make

pytestmark = pytest.mark.journey

THAI = "ข้าวเม่าสดใหม่จากนาอินทรีย์ หอมนาน ทำทุกวันศุกร์ "
BASE = "/desk/groups/khao-mao-group"
PAGES = [
    *(f"{BASE}/canvas{rest}" for rest in ("", "/print", "/entries", "/entries?what=costs", "/notes/8", "/plan")),
    *(f"{BASE}/canvas/{rest}" for rest in ("off-market", "costs", "streams")),
    *(f"{BASE}/about{rest}" for rest in ("", "/story", "/money", "/delivery")),
    *(f"{BASE}/{rest}" for rest in ("members", "members/invite", "certificates", "certificates/new?kind=otop")),
    *("/apply", "/staff/groups?state=approved", "/staff/groups/khao-mao-group", "/staff/invite"),
]


@pytest.mark.parametrize("length", [LONG // 8, MOST_WORDS])
async def test_a_full_canvas_prints_on_one_page(server: RunningMarket, open_page: OpenPage, length: int) -> None:
    async with server.session() as session:
        group, owner = await busy_group(session, words=(THAI * 20)[:length], lines=8)
    page = await entered(server, open_page, owner, DESK)

    await page.goto(f"{BASE}/canvas/print")
    paper = await page.pdf(prefer_css_page_size=True)

    assert len(re.findall(rb"/Type\s*/Page[^s]", paper)) == 1
    assert re.search(rb"/MediaBox\s*\[0 0 841\.\d+ 59[45]\.\d+\]", paper)  # A4 on its side, in points
    assert group.slug in page.url


@pytest.mark.parametrize(("width", "lang"), [(PHONE, "th"), (DESK, "en")])
async def test_every_page_can_be_read_aloud(
    server: RunningMarket, open_page: OpenPage, width: int, lang: Language
) -> None:
    async with server.session() as session:
        _, owner = await busy_group(session, words=THAI, lines=2)
        await access.grant(session, owner, Role.staff)
    page = await entered(server, open_page, owner, width, lang)

    troubles = {}
    for path in PAGES:
        await page.goto(path if lang == "th" else f"/en{path}")
        results = await Axe().run(page)
        if found := [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in results.response["violations"]]:
            troubles[path] = found
    assert troubles == {}


@pytest.mark.parametrize("lang", ["th", "en"])
async def test_every_page_fits_the_smallest_phone(server: RunningMarket, open_page: OpenPage, lang: Language) -> None:
    async with server.session() as session:
        _, owner = await busy_group(session, words=THAI, lines=2)
        await access.grant(session, owner, Role.staff)
    page = await entered(server, open_page, owner, PHONE, lang)

    too_wide = []
    for path in PAGES:
        await page.goto(path if lang == "th" else f"/en{path}")
        if await page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            too_wide.append(path)
    assert too_wide == []


@pytest.mark.parametrize("javascript", [True, False])
async def test_income_from_a_stall_reaches_the_canvas(
    server: RunningMarket, open_page: OpenPage, *, javascript: bool
) -> None:
    async with server.session() as session:
        owner = await factories.person(session)
        await make.group(session, owner=owner)
    page = await entered(server, open_page, owner, javascript=javascript)

    await page.goto(f"{BASE}/canvas")
    await page.get_by_role("link", name="จดรายได้").click()
    await page.get_by_label("เข้ามาเท่าไร").fill("1,250")
    await page.get_by_text("ออกร้านวันตลาด").click()
    await page.get_by_role("button", name="จดไว้").click()

    assert await page.locator(".canvas-revenue .price").inner_text() == "฿1,250"
    await page.locator(".canvas-revenue .price a").click()
    assert "จดเอง" in await page.locator(".lines").inner_text()


@pytest.mark.parametrize("path", ["canvas", "canvas/plan", "about/delivery", "members"])
async def test_fingers_find_their_targets(server: RunningMarket, open_page: OpenPage, path: str) -> None:
    async with server.session() as session:
        _, owner = await busy_group(session, words=THAI, lines=1)
    page = await entered(server, open_page, owner)

    await page.goto(f"{BASE}/{path}")

    sizes = "els => els.map(e => e.getBoundingClientRect()).filter(r => r.height > 0 && r.height < 47.5).length"
    assert await page.locator("main .button, main input:not([type=checkbox]), main select").evaluate_all(sizes) == 0
    assert await page.locator("main .button").count() > 0


async def entered(
    server: RunningMarket,
    open_page: OpenPage,
    person: Person,
    width: int = PHONE,
    lang: Language = "th",
    *,
    javascript: bool = True,
) -> Page:
    page = await open_page(width=width, lang=lang, javascript=javascript)
    async with server.session() as session:
        token = people.open_browser(session, person, device="test")
    await page.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": server.url}])
    return page


async def busy_group(session: AsyncSession, *, words: str, lines: int) -> tuple[Group, Person]:
    """A group with a full canvas: notes of those words, so many lines of income, a year of sales, plans and costs."""
    owner = await factories.person(session)
    group = await make.group(session, owner=owner)
    months = clock.months_back(clock.business_day())
    for block in Block:
        if block is not Block.revenue:
            await notes.write_note(session, group.id, block, text_th=words, seen_version=0, by=owner)
    for n in range(lines):
        stream = await streams.open_stream(session, group.id, StreamKind.goods, f"ข้าวเม่ารางคั่วมือ {n}")
        await plan.plan_months(session, group.id, {(stream.id, month): Satang(12_500_00) for month in months})
        for month in months:
            await sell(session, group, stream.id, 11_987_50 + n, month)
    today = clock.business_day()
    await own_books.record_cost(session, group, day=today, satang=Satang(99_00), token="t", note="ค่าขวด", by=owner)
    await certificates.add(session, group, CertificateKind.halal, number="H-1", expires_on=date(2020, 1, 1))
    await make.member(session, group, Role.packer)
    members.invite(session, Role.packer, by=owner, group_id=group.id)
    return group, owner


async def sell(session: AsyncSession, group: Group, stream_id: UUID, satang: int, month: date) -> None:
    entries = [
        Entry(Account.deposit, satang, "deposit", group_id=group.id),
        Entry(Account.group, -satang, Purpose.sale, group_id=group.id, stream_id=stream_id, order_number="482913"),
    ]
    key, at = f"{stream_id} {month}", clock.start_of_day(month)
    await ledger.post(session, key=key, kind="handed_over", entries=entries, happened_at=at)
