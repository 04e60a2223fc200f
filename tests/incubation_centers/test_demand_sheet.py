"""The workbook holds the same figures as the page, as numbers, and never runs what somebody typed."""

import io
import re
import zipfile
from typing import Any

from python_calamine import CalamineWorkbook
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import scope_of
from app.language import Language
from incubation_centers import consolidation
from incubation_centers.demand_sheet import HEAD_ROW, workbook
from tests.orders import factories as make
from tests.orders.factories import Stall
from tests.producers import factories as producers

INJECTION = '=HYPERLINK("https://evil.example","ข้าว")'


async def test_the_sheet_ends_with_the_total_of_its_rows(session: AsyncSession) -> None:
    stall = await make.stall(session, price=35_00, step=500)
    for milli in (1500, 4000):
        await make.paid_order(session, (stall, milli))

    head, row, total = (await rows_of(session, stall))[HEAD_ROW:]

    assert (head[0], total[0]) == ("กลุ่ม", "รวม")
    assert row[1:3] == ["ข้าวเม่า", "ถุง"]
    assert (row[6], row[10], total[10]) == (5.5, 192.5, 192.5)


async def test_the_second_sheet_has_every_line_with_its_order(session: AsyncSession) -> None:
    stall = await make.stall(session)
    orders = [await make.paid_order(session, (stall, 1000)) for _ in range(3)]

    rows = (await rows_of(session, stall, sheet=1))[HEAD_ROW + 1 : -1]

    assert sorted(row[0] for row in rows) == sorted(order.number for order in orders)


async def test_a_name_that_looks_like_a_formula_stays_a_name(session: AsyncSession) -> None:
    stall = await make.stall(session, name_th=INJECTION)
    await make.paid_order(session, (stall, 1000))

    book = await written(session, stall)

    assert (
        CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python()[HEAD_ROW + 1][1] == INJECTION
    )
    assert b"HYPERLINK" not in formulas_of(book)


async def test_english_readers_get_english_heads(session: AsyncSession) -> None:
    stall = await make.stall(session)
    await make.paid_order(session, (stall, 1000))

    assert (await rows_of(session, stall, lang="en"))[HEAD_ROW][:3] == ["Group", "Product", "Unit"]


async def test_an_empty_demand_is_an_empty_sheet(session: AsyncSession) -> None:
    stall = await make.stall(session)

    assert (await rows_of(session, stall))[-1][0] == "รวม"


async def rows_of(session: AsyncSession, stall: Stall, sheet: int = 0, lang: Language = "th") -> list[list[Any]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(await written(session, stall, lang)))
    return book.get_sheet_by_index(sheet).to_python(skip_empty_area=False)


async def written(session: AsyncSession, stall: Stall, lang: Language = "th") -> bytes:
    scope = await scope_of(session, await producers.coordinator(session, stall.center))
    demand = await consolidation.demand(session, scope, stall.center)
    lines = await consolidation.demand_lines(session, scope, stall.center)
    return workbook(stall.center, demand, lines, lang)


def formulas_of(book: bytes) -> bytes:
    """Everything between <f> and </f> of the workbook's sheets."""

    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        sheets = b"".join(archive.read(name) for name in archive.namelist() if "worksheets/sheet" in name)
    return b"".join(re.findall(rb"<f>.*?</f>", sheets))
