"""The groups' own side of the demo: canvases in words, plans for the year, and what they earned and spent elsewhere."""

import random
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.clock import BANGKOK
from app.demo.stock import HERE, DemoGroup, Stock, Ware
from app.demo.year import Diary
from app.money import Satang
from producers import notes, own_books, plan, streams
from producers.notes import Block
from producers.plan import Cell, Step
from producers.streams import Stream, StreamKind

MONTHS_AHEAD: Final = 4
ROUND_TO: Final = 500_00
"""People plan in round numbers."""
FROM, UNTIL = 0.8, 1.2
"""How far plans are from what came: between these parts of it."""
STEP_DAYS: Final = {Step.design: 2, Step.follow: 60, Step.link: 170, Step.learn: 330}
ALL_YEAR: Final = tuple(range(1, 13))
SECOND_THOUGHTS: Final = (
    "คลิปเสียงครกตอนเย็น งานเดือนสิบ หน้าของเราในตลาดนี้ และป้ายบอกวันตำที่สี่แยกนางรอง",
    "The sound of the mortars in short films, the tenth-month festival, our page here, and a sign at the crossroads.",
)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What a group earns outside the market: about so many baht in each of these months."""

    kind: StreamKind
    baht: int
    note: str
    months: Sequence[int] = ALL_YEAR


ELSEWHERE: Final[Mapping[str, Sequence[Elsewhere]]] = {
    "1a": [Elsewhere(StreamKind.market_stall, 3800, "ตลาดเขียวหน้าโรงพยาบาล")],
    "1b": [Elsewhere(StreamKind.wholesale, 9000, "ส่งสมุนไพรแห้งให้โรงแปรรูป", (1, 2, 3, 10, 11, 12))],
    "2a": [Elsewhere(StreamKind.market_stall, 4200, "ออกร้านงานเขต")],
    "2b": [Elsewhere(StreamKind.wholesale, 5200, "งานสั่งตัดของโรงเรียน", (4, 5, 10, 11))],
    "3a": [Elsewhere(StreamKind.wholesale, 14000, "ส่งร้านของฝาก")],
    "3b": [Elsewhere(StreamKind.market_stall, 2600, "ตลาดนัดวันเสาร์")],
    "3c": [Elsewhere(StreamKind.experience, 16800, "ทริปวันเดียว จองทางโทรศัพท์", (11, 12, 1, 2, 3, 4))],
    "4a": [Elsewhere(StreamKind.wholesale, 8800, "ส่งร้านอาหาร")],
    "4b": [Elsewhere(StreamKind.wholesale, 52000, "พ่อค้ารับหน้าสวน", (4, 5, 6, 7))],
    "4c": [
        Elsewhere(StreamKind.homestay, 19500, "โฮมสเตย์ จองทางโทรศัพท์"),
        Elsewhere(StreamKind.study_visit, 36000, "คณะดูงาน", (1, 2, 3, 6, 7, 8, 11)),
    ],
    "5a": [Elsewhere(StreamKind.market_stall, 11500, "ขายหน้าร้าน")],
    "5b": [Elsewhere(StreamKind.experience, 12900, "ทริปสวนและล่องแพ", (5, 6, 7, 8, 11, 12))],
    "6a": [Elsewhere(StreamKind.market_stall, 5600, "ตลาดนัดสีเขียว")],
    "6b": [Elsewhere(StreamKind.experience, 5400, "เวิร์กช็อปย้อมผ้า", (11, 12, 1, 2))],
    "7a": [Elsewhere(StreamKind.wholesale, 7200, "ส่งร้านส้มตำในเมือง")],
    "8a": [
        Elsewhere(StreamKind.market_stall, 4800, "ออกร้านงานบุญ", (1, 4, 7, 9, 10, 11, 12)),
        Elsewhere(StreamKind.experience, 6400, "ตำข้าวเม่ายามเย็น", (10, 11, 12)),
    ],
    "8b": [Elsewhere(StreamKind.market_stall, 3900, "งานกาชาดและงานอำเภอ", (2, 4, 11, 12))],
    "9a": [
        Elsewhere(StreamKind.study_visit, 16500, "ค่ายโรงเรียน", (3, 4, 10)),
        Elsewhere(StreamKind.wholesale, 24000, "ร้านสุขภาพรับผลไม้", (7, 8, 9, 10)),
    ],
    "9b": [Elsewhere(StreamKind.wholesale, 7800, "ร้านกาแฟในจังหวัด")],
    "10a": [
        Elsewhere(StreamKind.experience, 31000, "เดินป่าและคายัค"),
        Elsewhere(StreamKind.study_visit, 17500, "ประชุมหน่วยงาน", (1, 3, 6, 8, 9, 11)),
    ],
    "11a": [
        Elsewhere(StreamKind.experience, 18400, "ล่องเรือและครัวมลายู"),
        Elsewhere(StreamKind.homestay, 9600, "โฮมสเตย์", (12, 1, 2, 3, 4, 8)),
    ],
    "11b": [Elsewhere(StreamKind.market_stall, 3600, "ตลาดเช้าบางปู")],
}
COSTS: Final = ("วัตถุดิบ", "ถุง กล่อง และฉลาก", "ค่าแรงและค่าน้ำมัน")
COST_SHARE: Final = 0.35

Expected = Mapping[Cell, int]
"""About how many satang a stream will bring in a month."""


async def write_canvases(session: AsyncSession, stock: Stock) -> None:
    """Write the nine blocks of the groups that have thought theirs through."""
    with (HERE / "canvases.toml").open("rb") as file:
        canvases = tomllib.load(file)
    for code, blocks in canvases.items():
        own = stock.groups[code]
        for number, (thai, english) in blocks.items():
            await notes.write_note(
                session, own.group.id, Block(int(number)), text_th=thai, text_en=english, seen_version=0, by=own.owner
            )


async def think_again(session: AsyncSession, stock: Stock) -> None:
    """One group changes its words later, so that a canvas has a version before the present one."""
    own, (thai, english) = stock.groups["8a"], SECOND_THOUGHTS
    await notes.write_note(
        session, own.group.id, Block.communication, text_th=thai, text_en=english, seen_version=1, by=own.owner
    )


async def write_plans(session: AsyncSession, stock: Stock, expected: Expected, dice: random.Random) -> None:
    """Plan every stream for the year and some months ahead: near what will come, but not equal to it."""
    for own in stock.groups.values():
        known = {stream.id for stream in await streams.streams_of(session, own.group.id)}
        leaning = {stream_id: dice.uniform(FROM, UNTIL) for stream_id in sorted(known)}
        cells = {cell: satang for cell, satang in expected.items() if cell[0] in known}
        planned = {cell: _rounded(satang * leaning[cell[0]] * dice.uniform(0.9, 1.1)) for cell, satang in cells.items()}
        await plan.plan_months(session, own.group.id, planned, by=own.owner)


def take_steps(session: AsyncSession, stock: Stock, diary: Diary, dice: random.Random) -> None:
    """Plans ripen: every group designs one, not every group has learnt from it yet."""
    begun = clock.now()
    for own in stock.groups.values():
        furthest = dice.choice(list(Step))
        for step, days in STEP_DAYS.items():
            if step <= furthest:
                act = partial(plan.reach_step, session, own.group.id, step, by=own.owner)
                diary.note(begun + timedelta(days=days + dice.randrange(20)), act)


async def keep_books(
    session: AsyncSession, stock: Stock, diary: Diary, months: Sequence[date], dice: random.Random
) -> dict[Cell, int]:
    """Note what groups earn and spend elsewhere in each month; return what they could expect of it, in satang."""
    expected: dict[Cell, int] = {}
    for code, sources in ELSEWHERE.items():
        own = stock.groups[code]
        for source in sources:
            stream = await streams.stream_for(session, own.group.id, source.kind)
            for month in months:
                if month.month in source.months:
                    expected[stream.id, month] = source.baht * 100
                    _note_income(session, diary, own, stream, source, month, dice)
        for month in months:
            _note_cost(session, diary, own, sum(s.baht for s in sources if month.month in s.months), month, dice)
    return expected


def expected_of(
    bought: Sequence[tuple[Ware, date, int]], elsewhere: Expected, months: Sequence[date]
) -> dict[Cell, int]:
    """Add up what streams will bring by month; for months to come, what they brought a year before."""
    expected = dict(elsewhere)
    for ware, month, satang in bought:
        cell = ware.listing.stream_id, month
        expected[cell] = expected.get(cell, 0) + satang
    for month in months[-1:] and _ahead(months[-1]):
        before = month.replace(year=month.year - 1)
        expected |= {
            (stream_id, month): satang for (stream_id, when), satang in list(expected.items()) if when == before
        }
    return expected


def _note_income(
    session: AsyncSession,
    diary: Diary,
    own: DemoGroup,
    stream: Stream,
    source: Elsewhere,
    month: date,
    dice: random.Random,
) -> None:
    at = _evening(month, 20 + dice.randrange(7))
    record = partial(
        own_books.record_off_market,
        session,
        own.group,
        stream,
        satang=Satang(round(source.baht * dice.uniform(0.7, 1.3)) * 100),
        token=f"{source.kind} {month}",
        note=source.note,
        by=own.owner,
    )
    diary.note(at, partial(record, day=clock.business_day(at)))


def _note_cost(
    session: AsyncSession, diary: Diary, own: DemoGroup, earned_baht: int, month: date, dice: random.Random
) -> None:
    at = _evening(month, 27)
    record = partial(
        own_books.record_cost,
        session,
        own.group,
        satang=Satang(round((1500 + earned_baht * COST_SHARE) * dice.uniform(0.8, 1.2)) * 100),
        token=f"cost {month}",
        note=dice.choice(COSTS),
        by=own.owner,
    )
    diary.note(at, partial(record, day=clock.business_day(at)))


def _evening(month: date, day: int) -> datetime:
    return datetime.combine(month.replace(day=day), time(18), BANGKOK)


def _ahead(month: date) -> list[date]:
    return clock.months_back(_months_on(month, MONTHS_AHEAD), MONTHS_AHEAD)


def _months_on(month: date, n: int) -> date:
    index = month.year * 12 + month.month - 1 + n
    return date(index // 12, index % 12 + 1, 1)


def _rounded(satang: float) -> Satang:
    return Satang(max(round(satang / ROUND_TO), 1) * ROUND_TO)
