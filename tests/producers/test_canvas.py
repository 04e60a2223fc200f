"""The canvas: always the ledger's own figures, beside a plan and words that are kept in versions."""

import asyncio
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock as market_clock
from app.clock import FrozenClock
from app.database import sessions
from app.errors import NotFound
from app.money import Satang
from producers import canvas, journal, ledger, notes, own_books, plan
from producers.canvas import Canvas
from producers.groups import Group
from producers.ledger import Account, Entry, LedgerEntry, Purpose
from producers.notes import Block, CanvasNote, NoteChanged
from producers.plan import PlanAmount, Step
from producers.streams import Stream, StreamKind
from tests.producers import factories as make

NOVEMBER = date(2026, 11, 1)


async def sell(session: AsyncSession, group: Group, stream: Stream | None, satang: int, key: str) -> None:
    purpose = Purpose.sale if stream else Purpose.delivery
    entries = [
        Entry(Account.deposit, satang, "handed_over", group_id=group.id),
        Entry(Account.group, -satang, purpose, group_id=group.id, stream_id=stream.id if stream else None),
    ]
    await ledger.post(session, key=key, kind="handed_over", entries=entries)


async def drawn(session: AsyncSession, group: Group) -> Canvas:
    return await canvas.draw(session, group, NOVEMBER)


async def test_block_five_shows_plan_and_income_by_stream_and_month(session: AsyncSession, clock: FrozenClock) -> None:
    group = await make.group(session)
    stream = await make.stream(session, group)
    await plan.plan_months(session, group.id, {(stream.id, NOVEMBER): Satang(500_00)})
    await sell(session, group, stream, 430_00, "one")
    await sell(session, group, None, 50_00, "delivery")

    shown = await drawn(session, group)

    goods, delivery = shown.lines
    assert (goods.planned[-1], goods.sold[-1], goods.typed[-1]) == (500_00, 430_00, 0)
    assert (delivery.stream, delivery.sold[-1]) == (None, 50_00)
    assert shown.total(shown.came_in) == 480_00


async def test_typed_income_shows_as_typed_and_owes_nobody_anything(session: AsyncSession, clock: FrozenClock) -> None:
    group = await make.group(session)
    stall = await make.stream(session, group, StreamKind.market_stall)

    await own_books.record_off_market(
        session, group, stall, day=date(2026, 10, 3), satang=Satang(1_200_00), token="form-1"
    )

    shown = await drawn(session, group)
    assert (shown.lines[0].typed[-2], shown.lines[0].sold[-2], shown.typed_in) == (1_200_00, 0, 1_200_00)
    assert (shown.balance.earned, shown.balance.paid_out, shown.balance.owed) == (0, 0, 0)


async def test_a_form_sent_twice_is_recorded_once(session: AsyncSession, clock: FrozenClock) -> None:
    group = await make.group(session)
    stall = await make.stream(session, group, StreamKind.market_stall)

    for _ in range(2):
        await own_books.record_off_market(
            session, group, stall, day=date(2026, 11, 3), satang=Satang(100_00), token="form-1"
        )
        await own_books.record_cost(session, group, day=date(2026, 11, 3), satang=Satang(30_00), token="form-1")

    shown = await drawn(session, group)
    assert (shown.typed_in, shown.cost_of(Purpose.own_cost)) == (100_00, 30_00)


async def test_what_was_typed_wrongly_is_taken_back_in_its_own_month(session: AsyncSession, clock: FrozenClock) -> None:
    group = await make.group(session)
    stall = await make.stream(session, group, StreamKind.market_stall)
    fact = await own_books.record_off_market(
        session, group, stall, day=date(2026, 10, 3), satang=Satang(99_00), token="form-1"
    )
    clock.jump(timedelta(days=3))

    await own_books.take_back(session, group, fact.id)
    await session.commit()

    assert (await drawn(session, group)).typed_in == 0
    rows = (await journal.leaf(session, group.id, stream_id=stall.id)).rows
    assert [(row.satang, row.may_be_undone) for row in rows] == [(-99_00, False), (99_00, False)]


async def test_only_typed_facts_of_the_own_group_can_be_taken_back(session: AsyncSession, clock: FrozenClock) -> None:
    group, other = await make.group(session), await make.group(session)
    stream = await make.stream(session, group)
    await sell(session, group, stream, 10_00, "sold")
    sold = (await journal.leaf(session, group.id)).rows[0].fact
    typed = await own_books.record_cost(session, other, day=date(2026, 11, 3), satang=Satang(5_00), token="t")

    with pytest.raises(own_books.NotTyped):
        await own_books.take_back(session, group, sold.id)
    with pytest.raises(NotFound):
        await own_books.take_back(session, group, typed.id)


@pytest.mark.parametrize(
    ("day", "refusal"),
    [(date(2026, 11, 25), own_books.DayNotYetCome), (date(1, 1, 1), own_books.DayTooLongAgo)],
)
async def test_a_day_that_cannot_be_is_refused(
    session: AsyncSession, clock: FrozenClock, day: date, refusal: type[Exception]
) -> None:
    group = await make.group(session)

    with pytest.raises(refusal):
        await own_books.record_cost(session, group, day=day, satang=Satang(5_00), token="t")


sales = st.lists(
    st.tuples(
        st.sampled_from(["sale", "delivery", "typed", "cost", "refund"]),
        st.integers(0, 400),
        st.integers(1, 10**7),
    ),
    max_size=8,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sales)
async def test_the_canvas_is_the_ledger(
    session: AsyncSession, clock: FrozenClock, sales: list[tuple[str, int, int]]
) -> None:
    group = await make.group(session)
    stream = await make.stream(session, group)
    for n, (kind, days_ago, satang) in enumerate(sales):
        await happen(session, group, stream, kind, days_ago, Satang(satang), f"{group.id} {n}")

    shown = await drawn(session, group)

    asked = select(func.coalesce(-func.sum(LedgerEntry.satang), 0)).where(
        *ledger.of_group(group.id),
        LedgerEntry.purpose.in_(["sale", "delivery", "refund", "off_market"]),
        LedgerEntry.business_day >= date(2025, 12, 1),
    )
    assert sum(shown.came_in) == await session.scalar(asked)
    assert shown.balance.earned == shown.balance.paid_out + shown.balance.owed
    await session.commit()


async def happen(
    session: AsyncSession, group: Group, stream: Stream, kind: str, days_ago: int, satang: Satang, key: str
) -> None:
    day = market_clock.business_day() - timedelta(days=days_ago)
    if kind == "typed":
        await own_books.record_off_market(session, group, stream, day=day, satang=satang, token=key)
    elif kind == "cost":
        await own_books.record_cost(session, group, day=day, satang=satang, token=key)
    else:
        signed = satang if kind == "refund" else -satang
        stream_id = None if kind == "delivery" else stream.id
        entries = [
            Entry(Account.group, signed, kind, group_id=group.id, stream_id=stream_id),
            Entry(Account.deposit, -signed, kind, group_id=group.id),
        ]
        at = market_clock.start_of_day(day)
        await ledger.post(session, key=key, kind=kind, entries=entries, happened_at=at)


async def test_a_changed_plan_keeps_what_was_meant_before(session: AsyncSession) -> None:
    group = await make.group(session)
    stream = await make.stream(session, group)
    cell = (stream.id, NOVEMBER)

    for satang in (100_00, 100_00, 250_00, 0):
        await plan.plan_months(session, group.id, {cell: Satang(satang)})

    versions = await session.scalars(select(PlanAmount.satang).order_by(PlanAmount.version))
    assert list(versions) == [100_00, 250_00, 0]
    assert await plan.plan_of(session, group.id, [NOVEMBER]) == {}


async def test_two_who_plan_at_once_both_stand_in_the_versions(session: AsyncSession) -> None:
    group = await make.group(session)
    stream = await make.stream(session, group)
    await session.commit()

    async def save(satang: int) -> None:
        async with sessions()() as saving, saving.begin():
            await plan.plan_months(saving, group.id, {(stream.id, NOVEMBER): Satang(satang)})

    await asyncio.gather(save(100_00), save(200_00))

    assert sorted(await session.scalars(select(PlanAmount.version))) == [1, 2]


async def test_nobody_plans_for_another_groups_stream(session: AsyncSession) -> None:
    mine, theirs = await make.group(session), await make.group(session)
    stream = await make.stream(session, theirs)

    with pytest.raises(NotFound):
        await plan.plan_months(session, mine.id, {(stream.id, NOVEMBER): Satang(1_00)})


async def test_a_note_is_kept_in_versions(session: AsyncSession) -> None:
    group = await make.group(session)

    await notes.write_note(session, group.id, Block.partners, text_th="โรงเรียน", seen_version=0)
    await notes.write_note(session, group.id, Block.partners, text_th="โรงเรียน วัด", seen_version=1)
    await notes.write_note(session, group.id, Block.partners, text_th="โรงเรียน วัด", seen_version=1)

    versions = await notes.versions_of(session, group.id, Block.partners)
    assert [(note.version, note.text_th) for note, _ in versions] == [(2, "โรงเรียน วัด"), (1, "โรงเรียน")]
    assert (await notes.notes_now(session, group.id))[Block.partners].text_th == "โรงเรียน วัด"


async def test_a_note_written_over_somebody_elses_is_refused(session: AsyncSession) -> None:
    group = await make.group(session)
    await notes.write_note(session, group.id, Block.partners, text_th="ของเขา", seen_version=0)

    with pytest.raises(NoteChanged):
        await notes.write_note(session, group.id, Block.partners, text_th="ของเรา", seen_version=0)


async def test_two_notes_at_once_leave_one(session: AsyncSession) -> None:
    group = await make.group(session)
    await session.commit()

    async def write(words: str) -> None:
        async with sessions()() as writing, writing.begin():
            await notes.write_note(writing, group.id, Block.costs, text_th=words, seen_version=0)
            await asyncio.sleep(0.05)

    results = await asyncio.gather(write("ก"), write("ข"), return_exceptions=True)

    assert [type(result) for result in results if result] == [NoteChanged]
    assert await session.scalar(select(func.count()).select_from(CanvasNote)) == 1


async def test_a_plan_goes_through_its_steps(session: AsyncSession, clock: FrozenClock) -> None:
    group = await make.group(session)
    for step in (Step.design, Step.design, Step.follow):
        clock.jump(timedelta(days=1))
        await plan.reach_step(session, group.id, step)

    assert [step.step for step in await plan.steps_of(session, group.id)] == [Step.follow, Step.design]
