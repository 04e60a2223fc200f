"""The canvas on a screen: figures that open, forms that keep what was typed, nothing for strangers."""

from datetime import date
from uuid import uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import Role
from app.clock import FrozenClock
from app.money import Satang
from producers import canvas, journal, ledger, notes, own_books, plan, streams
from producers.groups import Group
from producers.ledger import Account, Entry, Purpose
from producers.notes import Block
from producers.streams import Stream, StreamKind
from tests import factories
from tests.producers import factories as make
from tests.producers.desk import enter, sent, soup, words

NOVEMBER = date(2026, 11, 1)


@pytest.fixture
async def group(session: AsyncSession, client: httpx.AsyncClient, clock: FrozenClock) -> Group:
    """A group with a stream; `client` is signed in as its owner."""
    owner = await factories.person(session)
    group = await make.group(session, owner=owner)
    await make.stream(session, group)
    await enter(client, session, owner)
    return group


async def goods(session: AsyncSession, group: Group) -> Stream:
    return await streams.stream_for(session, group.id, StreamKind.goods)


async def sell(session: AsyncSession, group: Group, satang: int, number: str) -> None:
    entries = [
        Entry(Account.deposit, satang, "deposit", group_id=group.id),
        Entry(
            Account.group,
            -satang,
            Purpose.sale,
            group_id=group.id,
            stream_id=(await goods(session, group)).id,
            order_number=number,
        ),
    ]
    await ledger.post(session, key=f"handed over {number}", kind="handed_over", entries=entries)
    await session.commit()


async def test_the_canvas_shows_nine_blocks_in_the_sources_order(client: httpx.AsyncClient, group: Group) -> None:
    page = await soup(client, f"/desk/groups/{group.slug}/canvas")

    blocks = page.select(".canvas > section > h2")
    assert [" ".join(each.get_text(" ").split()) for each in blocks] == [f"{b.value} {b.name_th}" for b in Block]


async def test_a_figure_opens_down_to_the_order(client: httpx.AsyncClient, session: AsyncSession, group: Group) -> None:
    await sell(session, group, 430_00, "482913")
    page = await soup(client, f"/desk/groups/{group.slug}/canvas")
    figure = page.select_one(".canvas-revenue .price a")
    assert figure
    assert figure.get_text() == "฿430"

    opened = await soup(client, str(figure["href"]))

    assert [link["href"] for link in opened.select(".lines a")] == [f"/desk/groups/{group.slug}/orders/482913"]
    assert "+฿430" in words(opened)


async def test_every_figure_of_the_canvas_opens(client: httpx.AsyncClient, session: AsyncSession, group: Group) -> None:
    await sell(session, group, 430_00, "482913")
    page = await soup(client, f"/en/desk/groups/{group.slug}/canvas")
    addresses = {str(link["href"]) for link in page.select("main a") if "/entries" in str(link["href"])}

    assert len(addresses) > 15
    for address in addresses:
        assert (await client.get(address)).status_code == 200, address


async def test_typed_income_is_marked_and_can_be_taken_back(
    client: httpx.AsyncClient, session: AsyncSession, group: Group
) -> None:
    base = f"/desk/groups/{group.slug}/canvas"
    form = {"satang": "๑,๒๐๐.๕๐ บาท", "day": "2026-11-03", "stream": "market_stall", "token": str(uuid4())}

    await sent(client, f"{base}/off-market", **form)
    await sent(client, f"{base}/off-market", **form)

    entries = await soup(client, f"{base}/entries?what=typed")
    assert len(entries.select(".lines > li")) == 1
    assert "+฿1,200.50" in words(entries)
    undo = entries.select_one("details form")
    assert undo
    await sent(client, str(undo["action"]))
    assert (await canvas.draw(session, group, NOVEMBER)).typed_in == 0


@pytest.mark.parametrize(
    ("field", "typed"),
    [("satang", "สองร้อย"), ("satang", "0"), ("day", "2026-12-01"), ("day", "เมื่อวาน"), ("stream", "")],
)
async def test_wrong_income_is_refused_beside_its_field_and_kept(
    client: httpx.AsyncClient, group: Group, field: str, typed: str
) -> None:
    form = {"satang": "200", "day": "2026-11-03", "stream": "goods", "note": "ออกร้านวัด", "token": str(uuid4())}

    page = await sent(client, f"/desk/groups/{group.slug}/canvas/off-market", 422, **(form | {field: typed}))

    assert page.select_one(f"#f-{field}-error")
    note = page.select_one("#f-note")
    assert note
    assert note["value"] == "ออกร้านวัด"


async def test_a_refused_day_leaves_no_new_line_of_income(
    client: httpx.AsyncClient, session: AsyncSession, group: Group
) -> None:
    form = {"satang": "200", "day": "2026-12-01", "stream": "homestay", "token": str(uuid4())}

    await sent(client, f"/desk/groups/{group.slug}/canvas/off-market", 422, **form)

    assert [each.kind for each in await streams.streams_of(session, group.id)] == ["goods"]


async def test_a_cost_stands_in_block_nine(client: httpx.AsyncClient, group: Group) -> None:
    base = f"/desk/groups/{group.slug}/canvas"

    refused = await sent(client, f"{base}/costs", 422, satang="350", day="2026-11-03", token=str(uuid4()))
    assert "ค่าอะไร" in words(refused.select_one("#form-errors"))  # type: ignore[arg-type]
    await sent(client, f"{base}/costs", satang="350", day="2026-11-03", note="ค่าน้ำมัน", token=str(uuid4()))

    page = await soup(client, base)
    cost = page.select_one('.canvas a[href*="what=costs"]')
    assert cost
    assert cost.get_text() == "฿350"


async def test_a_plan_is_kept_and_shown_again(client: httpx.AsyncClient, session: AsyncSession, group: Group) -> None:
    stream = await goods(session, group)
    base = f"/en/desk/groups/{group.slug}/canvas/plan?year=2026"
    typed = {f"every-{stream.id}": "500", f"plan-{stream.id}-2026-11": "1,250.50", "whole": "yes"}

    await sent(client, base, **typed)

    planned = await plan.plan_of(session, group.id, [date(2026, month, 1) for month in range(1, 13)])
    assert sorted(planned.values()) == [500_00] * 11 + [1_250_50]
    field = (await soup(client, base)).select_one(f"#f-plan-{stream.id}-2026-11")
    assert field
    assert field["value"] == "1,250.50"


async def test_a_wrong_cell_keeps_the_whole_plan_as_typed(
    client: httpx.AsyncClient, session: AsyncSession, group: Group
) -> None:
    stream = await goods(session, group)
    typed = {f"plan-{stream.id}-2026-11": "มาก", f"plan-{stream.id}-2026-12": "700"}

    page = await sent(client, f"/desk/groups/{group.slug}/canvas/plan?year=2026", 422, whole="yes", **typed)

    for name, value in typed.items():
        field = page.select_one(f"#f-{name}")
        assert field
        assert field["value"] == value
    assert page.select_one(f"#f-plan-{stream.id}-2026-11-error")
    summary = page.select_one("#form-errors")
    assert summary
    assert f"{stream.name_th} · พ.ย." in words(summary)
    assert await plan.plan_of(session, group.id, [NOVEMBER]) == {}


async def test_half_a_plan_takes_nothing_away(client: httpx.AsyncClient, session: AsyncSession, group: Group) -> None:
    cell = ((await goods(session, group)).id, NOVEMBER)
    await plan.plan_months(session, group.id, {cell: Satang(700_00)}, by=await factories.person(session))
    await session.commit()

    page = await sent(client, f"/desk/groups/{group.slug}/canvas/plan?year=2026", 422, junk="x")

    field = page.select_one(f"#f-plan-{cell[0]}-2026-11")
    assert field
    assert field["value"] == "700"
    assert "ส่งมาไม่ครบ" in words(page)
    assert await plan.plan_of(session, group.id, [NOVEMBER]) == {cell: 700_00}


async def test_a_note_written_over_somebody_elses_keeps_both(
    client: httpx.AsyncClient, session: AsyncSession, group: Group
) -> None:
    await notes.write_note(session, group.id, Block.partners, text_th="ของเขา", seen_version=0)
    await session.commit()
    path = f"/desk/groups/{group.slug}/canvas/notes/8"

    page = await sent(client, path, 422, text_th="ของเรา", seen_version="0")

    assert "ของเขา" in words(page)
    assert "ของเรา" in words(page)
    newest = page.select_one('input[name="seen_version"]')
    assert newest
    await sent(client, path, text_th="ของเขาและของเรา", seen_version=str(newest["value"]))


async def test_a_note_in_one_language_is_marked_in_the_other(client: httpx.AsyncClient, group: Group) -> None:
    path = f"/desk/groups/{group.slug}/canvas"
    await sent(client, f"{path}/notes/1", text_en="Roasted by hand", seen_version="0")

    thai = (await soup(client, path)).select_one('.canvas section span[lang="en"]')
    english = await soup(client, f"/en{path}")

    assert thai
    assert thai.get_text() == "Roasted by hand"
    assert "Roasted by hand" in words(english)


async def test_a_step_of_the_plan_is_taken(client: httpx.AsyncClient, session: AsyncSession, group: Group) -> None:
    await sent(client, f"/desk/groups/{group.slug}/canvas/step", step="1")

    assert [each.step for each in await plan.steps_of(session, group.id)] == [1]


@pytest.mark.parametrize(
    "path",
    [
        "canvas?until=nonsense",
        "canvas?until=9999-99",
        "canvas?until=2100-12",
        "canvas/entries?month=x&after=y",
        "canvas/entries?after=2026-11-03_00000000-0000-7000-8000-000000000000",
    ],
)
async def test_a_garbled_address_still_shows_a_page(client: httpx.AsyncClient, group: Group, path: str) -> None:
    assert (await client.get(f"/desk/groups/{group.slug}/{path}")).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "canvas/notes/10",
        "canvas/notes/x",
        "canvas/entries?what=secrets",
        "canvas/plan?year=1",
        "canvas/entries?stream=00000000-0000-7000-8000-000000000000",
    ],
)
async def test_an_address_that_leads_nowhere_says_so(client: httpx.AsyncClient, group: Group, path: str) -> None:
    assert (await client.get(f"/desk/groups/{group.slug}/{path}")).status_code == 404


WATCHED = ["canvas", "canvas/print", "canvas/entries"]
EDITED = ["canvas/notes/1", "canvas/plan", "canvas/off-market", "canvas/costs", "canvas/streams"]


async def test_a_coordinator_watches_but_does_not_edit(
    client: httpx.AsyncClient, session: AsyncSession, group: Group
) -> None:
    center = await make.center(session)
    group.center_id = center.id
    session.add(group)
    await enter(client, session, await make.coordinator(session, center))

    for path, status in [*((path, 200) for path in WATCHED), *((path, 404) for path in EDITED)]:
        assert (await client.get(f"/desk/groups/{group.slug}/{path}")).status_code == status, path


async def test_a_packer_sees_the_canvas_without_buttons(
    client: httpx.AsyncClient, session: AsyncSession, group: Group
) -> None:
    await enter(client, session, await make.member(session, group, Role.packer))

    page = await soup(client, f"/desk/groups/{group.slug}/canvas")

    assert not page.select('a[href*="/notes/"], a[href*="off-market"], main form')
    for path in EDITED:
        assert (await client.get(f"/desk/groups/{group.slug}/{path}")).status_code == 404


async def test_strangers_find_no_canvas(client: httpx.AsyncClient, session: AsyncSession, group: Group) -> None:
    await enter(client, session, await factories.person(session))

    for path in [*WATCHED, *EDITED]:
        assert (await client.get(f"/desk/groups/{group.slug}/{path}")).status_code == 404


async def test_nobody_takes_back_what_another_group_typed(
    client: httpx.AsyncClient, session: AsyncSession, group: Group
) -> None:
    other = await make.group(session, name_en="Other")
    fact = await own_books.record_cost(session, other, day=NOVEMBER, satang=Satang(5_00), token="t")
    await session.commit()

    await sent(client, f"/desk/groups/{group.slug}/canvas/entries/{fact.id}/take-back", 404)

    assert len((await journal.leaf(session, other.id, purposes=[Purpose.own_cost])).rows) == 1


async def test_old_entries_are_a_page_further(client: httpx.AsyncClient, session: AsyncSession, group: Group) -> None:
    for n in range(52):
        await sell(session, group, 100 + n, f"{n:06}")
    first = await soup(client, f"/desk/groups/{group.slug}/canvas/entries")
    older = first.select('main a[href*="after="]')

    second = await soup(client, str(older[0]["href"]))

    assert (len(first.select(".lines > li")), len(second.select(".lines > li"))) == (50, 2)
    assert not second.select('main a[href*="after="]')
