"""The books: what the database itself holds, and what the questions answer."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock as market_clock
from app.clock import FrozenClock
from app.database import sessions
from producers import ledger
from producers.groups import Group
from producers.ledger import Account, Entry, Fact, LedgerEntry, Purpose, ToldDifferently, Unbalanced
from tests.producers import factories as make


def paid(group: Group, satang: int) -> list[Entry]:
    return [
        Entry(Account.money, satang, "paid"),
        Entry(Account.deposit, -satang, "paid", group_id=group.id),
    ]


def handed_over(group: Group, satang: int, fee: int = 0) -> list[Entry]:
    return [
        Entry(Account.deposit, satang, "handed_over", group_id=group.id),
        Entry(Account.group, -satang, Purpose.sale, group_id=group.id),
        Entry(Account.group, fee, Purpose.fee_center, group_id=group.id),
        Entry(Account.center, -fee, Purpose.fee_center),
    ]


async def test_a_fact_told_twice_is_recorded_once(session: AsyncSession) -> None:
    group = await make.group(session)

    first = await ledger.post(session, key="order 1 paid", kind="paid", entries=paid(group, 430_00))
    again = await ledger.post(session, key="order 1 paid", kind="paid", entries=paid(group, 430_00))

    assert again.id == first.id
    assert await session.scalar(select(func.count()).select_from(LedgerEntry)) == 2


async def test_two_tellers_at_once_make_one_fact(session: AsyncSession) -> None:
    group = await make.group(session)
    await session.commit()

    async def tell() -> Fact:
        async with sessions()() as teller, teller.begin():
            fact = await ledger.post(teller, key="order 2 paid", kind="paid", entries=paid(group, 99_00))
            await asyncio.sleep(0.05)
            return fact

    facts = await asyncio.gather(*(tell() for _ in range(5)))

    assert len({fact.id for fact in facts}) == 1
    assert await session.scalar(select(func.count()).select_from(Fact)) == 1
    assert await session.scalar(select(func.count()).select_from(LedgerEntry)) == 2


async def test_a_teller_who_fails_leaves_the_key_to_the_next(session: AsyncSession) -> None:
    group = await make.group(session)
    await session.commit()
    entries = paid(group, 20_00)
    await ledger.post(session, key="order 3 paid", kind="paid", entries=paid(group, 10_00))
    await session.rollback()

    await ledger.post(session, key="order 3 paid", kind="paid", entries=entries)
    await session.commit()

    assert await session.scalar(select(func.sum(LedgerEntry.satang)).where(LedgerEntry.account == "money")) == 20_00


async def test_one_key_for_two_different_facts_is_a_mistake(session: AsyncSession) -> None:
    group = await make.group(session)
    await ledger.post(session, key="order 4 paid", kind="paid", entries=paid(group, 10_00))

    with pytest.raises(ToldDifferently):
        await ledger.post(session, key="order 4 paid", kind="paid", entries=paid(group, 11_00))


@pytest.mark.parametrize(
    "entries",
    [[], [Entry(Account.money, 0, "paid")], [Entry(Account.money, 2, "paid"), Entry(Account.refund, -1, "paid")]],
)
async def test_an_unbalanced_fact_is_refused_before_the_database(session: AsyncSession, entries: list[Entry]) -> None:
    with pytest.raises(Unbalanced):
        await ledger.post(session, key="wrong", kind="paid", entries=entries)


RAW_FACT = """
INSERT INTO ledger_facts (id, key, kind, business_day, happened_at, recorded_at, typed)
VALUES ('00000000-0000-7000-8000-000000000001', 'raw', 'raw', '2026-11-24', now(), now(), false)
"""
RAW_ENTRY = """
INSERT INTO ledger_entries (id, fact_id, position, account, purpose, satang, business_day)
VALUES (gen_random_uuid(), '00000000-0000-7000-8000-000000000001', {position}, 'money', 'raw', {satang}, '2026-11-24')
"""


@pytest.mark.parametrize("amounts", [[], [100], [100, -99], [0], [5, 5, -11]])
async def test_the_database_refuses_an_unbalanced_fact_at_commit(session: AsyncSession, amounts: list[int]) -> None:
    await session.execute(text(RAW_FACT))
    for position, satang in enumerate(amounts):
        await session.execute(text(RAW_ENTRY.format(position=position, satang=satang)))

    with pytest.raises(IntegrityError, match="sum to"):
        await session.commit()


async def test_the_database_takes_a_balanced_fact_told_entry_by_entry(session: AsyncSession) -> None:
    await session.execute(text(RAW_FACT))
    for position, satang in enumerate([100, -60, -40]):
        await session.execute(text(RAW_ENTRY.format(position=position, satang=satang)))

    await session.commit()

    assert await ledger.sum_of_all(session) == 0


async def test_an_entry_cannot_be_slipped_under_an_old_fact(session: AsyncSession) -> None:
    await session.execute(text(RAW_FACT))
    for position, satang in enumerate([100, -100]):
        await session.execute(text(RAW_ENTRY.format(position=position, satang=satang)))
    await session.commit()

    await session.execute(text(RAW_ENTRY.format(position=2, satang=1)))

    with pytest.raises(IntegrityError, match="sum to 1 satang"):
        await session.commit()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entries SET satang = 0",
        "UPDATE ledger_facts SET note = 'x'",
        "DELETE FROM ledger_entries",
        "DELETE FROM ledger_facts",
        "TRUNCATE ledger_entries",
        "TRUNCATE ledger_facts CASCADE",
        "DELETE FROM ledger_entries WHERE false",
    ],
)
async def test_the_database_refuses_to_change_the_books(session: AsyncSession, statement: str) -> None:
    group = await make.group(session)
    await ledger.post(session, key="order 5 paid", kind="paid", entries=paid(group, 10_00))
    await session.commit()

    with pytest.raises(DBAPIError, match="append-only"):
        await session.execute(text(statement))


async def test_earned_is_paid_out_plus_owed(session: AsyncSession) -> None:
    group = await make.group(session)
    await ledger.post(session, key="paid", kind="paid", entries=paid(group, 300_00))
    await ledger.post(session, key="handed", kind="handed_over", entries=handed_over(group, 200_00, fee=14_01))
    payout = [
        Entry(Account.group, 50_00, Purpose.payout, group_id=group.id),
        Entry(Account.money, -50_00, "payout"),
    ]
    await ledger.post(session, key="payout", kind="payout", entries=payout)

    balance = await ledger.balance_of_group(session, group.id)

    assert (balance.earned, balance.paid_out, balance.owed) == (185_99, 50_00, 135_99)
    assert balance.waiting == 100_00


async def test_revenue_counts_on_the_bangkok_day_of_hand_over(session: AsyncSession, clock: FrozenClock) -> None:
    group = await make.group(session)
    clock.jump(timedelta(days=6, hours=14, minutes=30))  # 00:30 on 1 December in Bangkok, still November in UTC
    await ledger.post(session, key="handed", kind="handed_over", entries=handed_over(group, 80_00))
    months = market_clock.months_back(market_clock.business_day())

    rows = await ledger.revenue_by_stream(session, group.id, months)

    assert [(row.month.month, row.satang) for row in rows] == [(12, 80_00)]


async def test_a_reversal_stands_on_the_same_day_and_happens_once(session: AsyncSession, clock: FrozenClock) -> None:
    group = await make.group(session)
    fact = await ledger.post(session, key="handed", kind="handed_over", entries=handed_over(group, 80_00))
    clock.jump(timedelta(days=40))

    first = await ledger.reverse(session, fact)
    again = await ledger.reverse(session, fact)
    await session.commit()

    assert first.id == again.id
    assert first.business_day == fact.business_day
    assert (await ledger.balance_of_group(session, group.id)).owed == 0


async def test_the_sum_of_all_notices_nothing_but_zero(session: AsyncSession) -> None:
    group = await make.group(session)
    await ledger.post(session, key="paid", kind="paid", entries=paid(group, 300_00))

    assert await ledger.sum_of_all(session) == 0

    await session.execute(text(RAW_FACT))
    await session.execute(text(RAW_ENTRY.format(position=0, satang=7)))
    assert await ledger.sum_of_all(session) == 7


moves = st.lists(
    st.tuples(st.sampled_from(["paid", "handed", "refunded", "payout", "collected"]), st.integers(1, 10**9)), max_size=6
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves)
async def test_whatever_happens_the_books_add_up(session: AsyncSession, moves: list[tuple[str, int]]) -> None:
    group = await make.group(session)
    for n, (kind, satang) in enumerate(moves):
        await ledger.post(session, key=f"{group.id} {n}", kind=kind, entries=told(group, kind, satang))

    balance = await ledger.balance_of_group(session, group.id)

    assert await ledger.sum_of_all(session) == 0
    assert balance.earned == balance.paid_out + balance.owed
    await session.commit()


def told(group: Group, kind: str, satang: int) -> list[Entry]:
    match kind:
        case "paid":
            return paid(group, satang)
        case "handed":
            return handed_over(group, satang, fee=satang // 20)
        case "refunded":
            other = Entry(Account.refund, -satang, "refund")
            return [Entry(Account.group, satang, Purpose.refund, group_id=group.id), other]
        case "payout":
            other = Entry(Account.money, -satang, "payout")
            return [Entry(Account.group, satang, Purpose.payout, group_id=group.id), other]
        case _:
            other = Entry(Account.cash, -satang, "collected", group_id=group.id)
            return [Entry(Account.group, satang, Purpose.collected, group_id=group.id), other]
