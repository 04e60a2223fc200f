"""The books: an append-only, double-entry record of all money, in satang.  The canvas, statements and reports ask it.

A *fact* is something that happened (an order was paid, goods were handed over); its *entries* say which accounts it
moved, debits positive and credits negative.  A fact told twice is recorded once.  The database itself holds what
matters (migration 0002): entries of a fact sum to zero at commit, and nothing here is ever updated or deleted; what
was wrong is put right by a new fact.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    Date,
    ForeignKey,
    Index,
    UniqueConstraint,
    case,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from app import clock
from app.database import Base, Id, Utc, new_id
from app.money import Satang
from app.people import Person

LEAST_ENTRIES: Final = 2
"""Money that moves leaves one account and reaches another."""


class Unbalanced(ValueError):  # noqa: N818 - named by what is wrong
    """Entries that do not sum to zero, or fewer than two of them: a mistake of the program that tells them."""


class ToldDifferently(ValueError):  # noqa: N818 - as above
    """A key that is already in the books came again with other entries: two facts must not share a key."""


class Account(StrEnum):
    money = "money"
    """Asset: what the market's own account holds."""
    cash = "cash"
    """Asset: money that a group itself received."""
    deposit = "deposit"
    """Liability: buyers paid it, goods are not handed over yet."""
    refund = "refund"
    """Liability: to be paid back to a buyer."""
    group = "group"
    """Liability: what the market owes a group."""
    center = "center"  # type: ignore[assignment]  # hides str.center, which nobody asks an account for
    fund = "fund"
    provider = "provider"


class Purpose(StrEnum):
    """Why an entry stands on the account `group`; entries on other accounts may use any word."""

    sale = "sale"
    delivery = "delivery"
    fee_center = "fee_center"
    fee_fund = "fee_fund"
    fee_provider = "fee_provider"
    refund = "refund"
    collected = "collected"
    """The group itself received the money: by its own PromptPay, in cash, at a stall."""
    payout = "payout"
    off_market = "off_market"
    """Income that the group typed in."""
    own_cost = "own_cost"
    """A cost that the group typed in."""


class Channel(StrEnum):
    web = "web"
    api = "api"
    counter = "counter"
    off_market = "off-market"


REVENUE: Final = (Purpose.sale, Purpose.delivery, Purpose.refund, Purpose.off_market)
"""What block 5 of the canvas counts."""
FEES: Final = (Purpose.fee_center, Purpose.fee_fund, Purpose.fee_provider)
EARNED: Final = (Purpose.sale, Purpose.delivery, Purpose.refund, *FEES)
"""What a group earned through the market."""
PAID_OUT: Final = (Purpose.payout, Purpose.collected, Purpose.off_market, Purpose.own_cost)
"""What reached the group; typed income and costs stand here twice and cancel out, for no money moved."""


class Fact(Base):
    """Something that happened, recorded once."""

    __tablename__ = "ledger_facts"

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(unique=True)
    """What makes telling it twice harmless, for instance "order 123456 paid"."""
    kind: Mapped[str]
    business_day: Mapped[date]
    happened_at: Mapped[Utc]
    recorded_at: Mapped[Utc]
    recorded_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    note: Mapped[str | None]
    reverses_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_facts.id"), unique=True)
    """The fact that this one puts right by its opposite; a fact is reversed once."""
    typed: Mapped[bool]
    """Somebody typed it in; the market did not see it happen."""


class LedgerEntry(Base):
    """One side of a fact."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        UniqueConstraint("fact_id", "position"),
        CheckConstraint(f"account IN ({', '.join(repr(a.value) for a in Account)})", name="account_is_known"),
        CheckConstraint(
            f"account <> 'group' OR purpose IN ({', '.join(repr(p.value) for p in Purpose)})",
            name="purpose_is_known",
        ),
        CheckConstraint("account <> 'group' OR group_id IS NOT NULL", name="group_is_named"),
        CheckConstraint("(rule_id IS NULL) = (rule_version IS NULL)", name="rule_with_version"),
        Index(
            "ix_ledger_entries_of_group",
            "group_id",
            "business_day",
            "id",
            postgresql_include=["purpose", "stream_id", "satang"],
            postgresql_where="account = 'group'",
        ),
        Index(
            "ix_ledger_entries_waiting",
            "group_id",
            postgresql_include=["satang"],
            postgresql_where="account = 'deposit'",
        ),
        Index(
            "ix_ledger_entries_of_center",
            "center_id",
            "business_day",
            postgresql_include=["group_id", "purpose", "satang"],
            postgresql_where="account = 'group'",
        ),
        Index("ix_ledger_entries_order_id", "order_id", postgresql_where="order_id IS NOT NULL"),
    )

    id: Mapped[Id]
    fact_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_facts.id"))
    position: Mapped[int]
    account: Mapped[str]
    purpose: Mapped[str]
    satang: Mapped[Satang]
    """Debit positive, credit negative."""
    group_id: Mapped[UUID | None] = mapped_column(ForeignKey("groups.id"))
    center_id: Mapped[UUID | None] = mapped_column(ForeignKey("centers.id"))
    """The group's centre at the time of sale."""
    stream_id: Mapped[UUID | None] = mapped_column(ForeignKey("streams.id"))
    channel: Mapped[str | None]
    order_number: Mapped[str | None]
    order_id: Mapped[UUID | None]
    """Orders live in the room above, hence no foreign key."""
    line_id: Mapped[UUID | None]
    rule_id: Mapped[UUID | None] = mapped_column(ForeignKey("fee_rules.id"))
    rule_version: Mapped[int | None]
    business_day: Mapped[date]
    """The fact's, copied so that questions by month read one table."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One side of a fact that is about to be told: an account, signed satang (debit +, credit −), and what it is for."""

    account: Account
    satang: int
    purpose: str
    group_id: UUID | None = None
    center_id: UUID | None = None
    stream_id: UUID | None = None
    channel: str | None = None
    order_number: str | None = None
    order_id: UUID | None = None
    line_id: UUID | None = None
    rule_id: UUID | None = None
    rule_version: int | None = None


class Revenue(NamedTuple):
    """What one stream brought in one month; `stream_id` None is what buyers paid for delivery."""

    stream_id: UUID | None
    month: date
    is_typed: bool
    satang: int


class Cost(NamedTuple):
    """What one month cost a group, by purpose (`FEES` and `own_cost`)."""

    purpose: Purpose
    month: date
    satang: int


class FeeTaken(NamedTuple):
    """What one version of one rule took of a group's sale, in satang."""

    purpose: Purpose
    rule_id: UUID
    version: int
    satang: Satang


@dataclass(frozen=True, slots=True)
class Balance:
    """Where a group stands, in satang: earned = paid out + owed, always; waiting is not earned yet."""

    earned: Satang
    paid_out: Satang
    owed: Satang
    waiting: Satang
    """Paid by buyers for goods not handed over yet."""


async def revenue_by_stream(session: AsyncSession, group_id: UUID, months: Sequence[date]) -> list[Revenue]:
    """Return what each stream brought in each of the (consecutive) months, in one SELECT.

    Sales net of refunds, counted on the day goods were handed over, and what the group typed in, apart.
    """
    month = _month()
    is_typed = (LedgerEntry.purpose == Purpose.off_market).label("is_typed")
    rows = await session.execute(
        select(LedgerEntry.stream_id, month, is_typed, -func.sum(LedgerEntry.satang))
        .where(*of_group(group_id), *within(months), LedgerEntry.purpose.in_(REVENUE))
        .group_by(LedgerEntry.stream_id, month, is_typed)
    )
    return [Revenue(stream_id, day, typed, int(satang)) for stream_id, day, typed, satang in rows]


async def costs(session: AsyncSession, group_id: UUID, months: Sequence[date]) -> list[Cost]:
    """Return the fees the market took and the costs the group typed in, by month."""
    month = _month()
    rows = await session.execute(
        select(LedgerEntry.purpose, month, func.sum(LedgerEntry.satang))
        .where(*of_group(group_id), *within(months), LedgerEntry.purpose.in_((*FEES, Purpose.own_cost)))
        .group_by(LedgerEntry.purpose, month)
    )
    return [Cost(Purpose(purpose), day, int(satang)) for purpose, day, satang in rows]


async def fees_taken(session: AsyncSession, order_id: UUID, group_id: UUID) -> list[FeeTaken]:
    """Return what each rule still has of a group's sale in one order, less what was given back; in a fixed order."""
    rows = await session.execute(
        select(LedgerEntry.purpose, LedgerEntry.rule_id, LedgerEntry.rule_version, _sum(LedgerEntry.satang))
        .where(*of_group(group_id), LedgerEntry.order_id == order_id, LedgerEntry.purpose.in_(FEES))
        .group_by(LedgerEntry.purpose, LedgerEntry.rule_id, LedgerEntry.rule_version)
        .order_by(LedgerEntry.purpose, LedgerEntry.rule_id, LedgerEntry.rule_version)
    )
    return [
        FeeTaken(Purpose(purpose), rule_id, version, Satang(int(satang)))
        for purpose, rule_id, version, satang in rows
        if rule_id is not None and version is not None
    ]


async def balance_of_group(session: AsyncSession, group_id: UUID) -> Balance:
    """Return what a group earned, was paid, is owed, and what waits for hand-over, in one SELECT.

    Two questions within it, so that each goes through the index of its own account.
    """
    amount = -LedgerEntry.satang
    waiting = select(-_sum(LedgerEntry.satang)).where(
        LedgerEntry.account == literal_column(f"'{Account.deposit}'"), LedgerEntry.group_id == group_id
    )
    earned, paid_out, owed, held = (
        await session.execute(
            select(
                _sum(case((LedgerEntry.purpose.in_(EARNED), amount))),
                -_sum(case((LedgerEntry.purpose.in_(PAID_OUT), amount))),
                -_sum(LedgerEntry.satang),
                waiting.scalar_subquery(),
            ).where(*of_group(group_id))
        )
    ).one()
    return Balance(Satang(int(earned)), Satang(int(paid_out)), Satang(int(owed)), Satang(int(held)))


async def sum_of_all(session: AsyncSession) -> int:
    """Return the sum of every entry there is; anything but zero is a disaster."""
    return int(await session.scalar(select(_sum(LedgerEntry.satang))) or 0)


def of_group(group_id: UUID) -> list[ColumnElement[bool]]:
    """Condition: the entry stands on this group's account."""
    # Written out and not bound: the index of groups' accounts serves no statement that leaves the account open.
    return [LedgerEntry.account == literal_column(f"'{Account.group}'"), LedgerEntry.group_id == group_id]


def within(months: Sequence[date]) -> list[ColumnElement[bool]]:
    """Condition: the entry's trade day lies in these consecutive months (any day, when there are none)."""
    if not months:
        return []
    return [LedgerEntry.business_day >= months[0], LedgerEntry.business_day < _month_after(months[-1])]


async def post(
    session: AsyncSession,
    *,
    key: str,
    kind: str,
    entries: Sequence[Entry],
    happened_at: datetime | None = None,
    by: Person | None = None,
    note: str | None = None,
    typed: bool = False,
    reverses: Fact | None = None,
) -> Fact:
    """Record a fact with its entries; one that is in the books already is returned as it stands.

    Two tellers at the same moment wait for each other on the key.  Raises `Unbalanced`, `ToldDifferently`.
    """
    if len(entries) < LEAST_ENTRIES or sum(entry.satang for entry in entries) != 0:
        raise Unbalanced(f"{key}: {[(entry.account.value, entry.satang) for entry in entries]}")
    happened_at = happened_at or clock.now()
    recorded = (
        insert(Fact)
        .values(
            id=new_id(),
            key=key,
            kind=kind,
            business_day=clock.business_day(happened_at),
            happened_at=happened_at,
            recorded_at=clock.now(),
            recorded_by=by.id if by else None,
            note=note,
            reverses_id=reverses.id if reverses else None,
            typed=typed,
        )
        .on_conflict_do_nothing(index_elements=[Fact.key])
        .returning(Fact)
    )
    fact = await session.scalar(recorded)
    if fact is None:
        return await _told_before(session, key, entries)
    # Nulls are written out, so that entries of every kind go in one statement.
    await session.execute(insert(LedgerEntry), _rows(fact, entries), execution_options={"render_nulls": True})
    return fact


async def reverse(session: AsyncSession, fact: Fact, *, by: Person | None = None, note: str | None = None) -> Fact:
    """Put a fact right by its opposite, on the same trade day so that the month it stood in is right again.

    A fact is reversed once, however often it is asked for.
    """
    return await post(
        session,
        key=f"reversal of {fact.id}",
        kind=f"{fact.kind}_reversed",
        entries=[_opposite(entry) for entry in await _entries(session, fact)],
        happened_at=fact.happened_at,
        by=by,
        note=note,
        typed=fact.typed,
        reverses=fact,
    )


async def _told_before(session: AsyncSession, key: str, entries: Sequence[Entry]) -> Fact:
    fact = (await session.scalars(select(Fact).where(Fact.key == key))).one()
    if await _entries(session, fact) != list(entries):
        raise ToldDifferently(key)
    return fact


def _month_after(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def _month() -> ColumnElement[date]:
    return cast(func.date_trunc(literal_column("'month'"), LedgerEntry.business_day), Date)


def _sum(amount: ColumnElement[int] | InstrumentedAttribute[Satang]) -> ColumnElement[int]:
    return func.coalesce(func.sum(amount), 0)


def _rows(fact: Fact, entries: Iterable[Entry]) -> list[dict[str, object]]:
    return [
        {**asdict(entry), "id": new_id(), "fact_id": fact.id, "position": position, "business_day": fact.business_day}
        for position, entry in enumerate(entries)
    ]


async def _entries(session: AsyncSession, fact: Fact) -> list[Entry]:
    rows = await session.scalars(
        select(LedgerEntry).where(LedgerEntry.fact_id == fact.id).order_by(LedgerEntry.position)
    )
    return [Entry(**{name: getattr(row, name) for name in Entry.__slots__}) for row in rows]


def _opposite(entry: Entry) -> Entry:
    return replace(entry, satang=-entry.satang)
