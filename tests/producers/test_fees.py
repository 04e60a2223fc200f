"""Fees: no satang lost, rules that never change, and a past that stays as it was."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock as market_clock
from app.clock import FrozenClock
from producers import fees, ledger
from producers.fees import FeeKind, RuleAlreadyThere, RuleStartsTooEarly
from producers.ledger import Account, Entry, Purpose
from tests.producers import factories as make


def rule(basis_points: int, fixed: int = 0, method: str | None = None, kind: str = "center") -> dict[str, Any]:
    """A rule as an order keeps it."""
    names = {"name_th": "ค่าธรรมเนียม", "name_en": "Fee"}
    frozen = {"rule_id": str(uuid4()), "code": "x", "version": 1, "kind": kind, "payment_method": method, **names}
    return {**frozen, "basis_points": basis_points, "fixed_satang": fixed}


rules = st.lists(st.builds(rule, st.integers(0, 10_000), st.integers(0, 2_000)), max_size=5)


@given(st.integers(0, 10**10), rules)
def test_shares_and_the_groups_part_are_the_amount(amount: int, rules: list[dict[str, Any]]) -> None:
    shares = fees.split(amount, rules, "promptpay")

    assert fees.group_share(amount, shares) >= 0
    assert all(share.satang >= 0 for share in shares)
    assert sum(share.satang for share in shares) + fees.group_share(amount, shares) == amount


@given(st.integers(0, 10**9), st.lists(st.integers(0, 2_500), min_size=1, max_size=4))
def test_each_share_is_within_a_satang_of_its_percentage(amount: int, points: list[int]) -> None:
    shares = fees.split(amount, [rule(each) for each in points], "promptpay")

    for share, basis_points in zip(shares, points, strict=True):
        assert abs(share.satang * 10_000 - amount * basis_points) < 10_000


@given(st.integers(0, 10**9), rules)
def test_a_whole_refund_takes_back_what_the_sale_gave(amount: int, rules: list[dict[str, Any]]) -> None:
    sold, refunded = fees.split(amount, rules, "cash"), fees.split(-amount, rules, "cash")

    assert [share.satang for share in sold] == [-share.satang for share in refunded]


def test_a_rule_for_another_way_to_pay_takes_nothing() -> None:
    shares = fees.split(100_00, [rule(165, method="card", kind="provider"), rule(500)], "promptpay")

    assert [(share.kind, share.satang) for share in shares] == [(FeeKind.center, 5_00)]


def test_the_last_satang_goes_to_the_largest_remainder() -> None:
    shares = fees.split(33, [rule(500), rule(200, kind="fund")], "promptpay")

    assert [share.satang for share in shares] == [1, 1]  # exactly 1.65 and 0.66, and 30.69 for the group
    assert fees.group_share(33, shares) == 31


async def test_a_centres_own_rule_replaces_the_general_one(session: AsyncSession) -> None:
    center, other = await make.center(session), await make.center(session)
    await start(session, "center", 500)
    await start(session, "center-own", 300, center_id=center.id)

    assert [each.code for each in await fees.rules_for(session, center.id)] == ["center-own"]
    assert [each.code for each in await fees.rules_for(session, other.id)] == ["center"]


async def test_a_changed_rule_starts_where_the_old_one_ends(session: AsyncSession, clock: FrozenClock) -> None:
    center = await make.center(session)
    await start(session, "center", 500)
    change_at = market_clock.now() + timedelta(days=30)

    await fees.change_rule(session, "center", basis_points=600, valid_from=change_at)

    before = await fees.rules_for(session, center.id, change_at - timedelta(microseconds=1))
    after = await fees.rules_for(session, center.id, change_at)
    assert [(each.version, each.basis_points) for each in before] == [(1, 500)]
    assert [(each.version, each.basis_points) for each in after] == [(2, 600)]


async def test_a_code_is_started_once(session: AsyncSession) -> None:
    await start(session, "center", 500)

    with pytest.raises(RuleAlreadyThere):
        await start(session, "center", 600)


async def test_a_rule_cannot_change_before_it_began(session: AsyncSession, clock: FrozenClock) -> None:
    await start(session, "center", 500)

    with pytest.raises(RuleStartsTooEarly):
        await fees.change_rule(session, "center", basis_points=600, valid_from=market_clock.now())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE fee_rules SET basis_points = 1",
        "UPDATE fee_rules SET valid_until = valid_until + interval '1 day' WHERE version = 1",
        "DELETE FROM fee_rules",
    ],
)
async def test_the_database_refuses_to_change_a_rule(session: AsyncSession, clock: FrozenClock, statement: str) -> None:
    await start(session, "center", 500)
    await fees.change_rule(session, "center", basis_points=600, valid_from=market_clock.now() + timedelta(days=1))
    await session.commit()

    with pytest.raises(DBAPIError, match=r"never changes|append-only"):
        await session.execute(text(statement))


async def test_a_changed_rule_leaves_the_past_byte_for_byte(session: AsyncSession, clock: FrozenClock) -> None:
    group = await make.group(session)
    frozen = fees.frozen([await start(session, "center", 500), await start(session, "fund", 200, FeeKind.fund)])
    shares = fees.split(430_01, frozen, "promptpay")
    await ledger.post(session, key="handed", kind="handed_over", entries=sale(group.id, 430_01, shares))
    await session.commit()
    before = await books(session)

    clock.jump(timedelta(days=1))
    for code in ("center", "fund"):
        await fees.change_rule(session, code, basis_points=900)
    await session.commit()

    assert await books(session) == before
    assert fees.split(430_01, frozen, "promptpay") == shares
    assert shares[0].satang == 21_50


def sale(group_id: Any, satang: int, shares: list[fees.FeeShare]) -> list[Entry]:
    entries = [
        Entry(Account.deposit, satang, "handed_over", group_id=group_id),
        Entry(Account.group, -satang, Purpose.sale, group_id=group_id),
    ]
    for share in shares:
        rule: dict[str, Any] = {"rule_id": share.rule_id, "rule_version": share.version}
        purpose = Purpose(f"fee_{share.kind}")
        entries.append(Entry(Account.group, share.satang, purpose, group_id=group_id, **rule))
        entries.append(Entry(Account(share.kind), -share.satang, purpose, **rule))
    return entries


async def books(session: AsyncSession) -> str | None:
    rows = "SELECT string_agg(e::text || f::text, '|' ORDER BY f.id, e.position)"
    found: str | None = await session.scalar(
        text(f"{rows} FROM ledger_entries e JOIN ledger_facts f ON f.id = e.fact_id")
    )
    assert found
    return found


async def start(
    session: AsyncSession, code: str, basis_points: int, kind: FeeKind = FeeKind.center, **more: Any
) -> fees.FeeRule:
    return await fees.start_rule(
        session, code, kind, name_th="ส่วนของศูนย์", name_en="Centre's share", basis_points=basis_points, **more
    )
