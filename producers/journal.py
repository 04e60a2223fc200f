"""The journal: ledger entries as people read them, behind every figure, down to the order they came from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.language import N_
from app.people import Person
from producers.ledger import REVENUE, Account, Fact, LedgerEntry, Purpose, within
from producers.streams import Stream

WORDS: Final = {
    "sale": N_("Sale"),
    "delivery": N_("Delivery"),
    "fee_center": N_("Centre's share"),
    "fee_fund": N_("Community fund"),
    "fee_provider": N_("Payment fee"),
    "refund": N_("Refund"),
    "collected": N_("Received by the group"),
    "payout": N_("Paid out"),
    "off_market": N_("Income outside the market"),
    "own_cost": N_("Cost"),
    "deposit": N_("Paid by the buyer"),
}
"""What an entry is for, in people's words (message ids), by purpose."""


class Told(NamedTuple):
    """An entry on a group's account with its fact, its stream, whoever recorded it, and the fact that reversed it."""

    entry: LedgerEntry
    fact: Fact
    stream: Stream | None
    recorded_by: str | None
    reversed_by_id: UUID | None

    @property
    def satang(self) -> int:
        """As the group reads it: what came in is positive."""
        return -self.entry.satang

    @property
    def words(self) -> str:
        """What it is for (a message id)."""
        return WORDS.get(self.entry.purpose, self.entry.purpose)

    @property
    def may_be_undone(self) -> bool:
        """Typed facts can be taken back once; what the market saw happen cannot."""
        return self.fact.typed and self.reversed_by_id is None and self.fact.reverses_id is None


@dataclass(frozen=True, slots=True)
class Leaf:
    """One leaf of the journal; `cursor` opens the next one, None on the last."""

    rows: list[Told]
    cursor: str | None


async def leaf(
    session: AsyncSession,
    group_id: UUID,
    *,
    purposes: Sequence[Purpose] = REVENUE,
    account: Account = Account.group,
    typed: bool | None = None,
    stream_id: UUID | None = None,
    months: Sequence[date] = (),
    after: str | None = None,
    limit: int = 50,
) -> Leaf:
    """Return the entries behind a figure, newest first: of a stream (any, when left out) in the given months.

    `purposes` narrow the group's own account only.  A cursor that makes no sense starts from the top.
    """
    question = _told().where(
        LedgerEntry.account == account, LedgerEntry.group_id == group_id, *within(months), LedgerEntry.satang != 0
    )
    if account is Account.group:
        question = question.where(LedgerEntry.purpose.in_(purposes))
    if typed is not None:
        question = question.where(Fact.typed == typed)
    if stream_id is not None:
        question = question.where(LedgerEntry.stream_id == stream_id)
    if after and (seen := _read_cursor(after)):
        question = question.where(tuple_(LedgerEntry.business_day, LedgerEntry.id) < tuple_(*seen))
    newest_first = question.order_by(LedgerEntry.business_day.desc(), LedgerEntry.id.desc()).limit(limit + 1)
    rows = [Told(*row) for row in await session.execute(newest_first)]
    return Leaf(rows[:limit], _cursor(rows[limit - 1]) if len(rows) > limit else None)


def _told() -> Select[LedgerEntry, Fact, Stream, str, UUID]:
    reversal = aliased(Fact)
    return (
        select(LedgerEntry, Fact, Stream, Person.name, reversal.id)
        .join(Fact, Fact.id == LedgerEntry.fact_id)
        .outerjoin(Stream, Stream.id == LedgerEntry.stream_id)
        .outerjoin(Person, Person.id == Fact.recorded_by)
        .outerjoin(reversal, reversal.reverses_id == Fact.id)
    )


def _cursor(row: Told) -> str:
    return f"{row.entry.business_day}_{row.entry.id}"


def _read_cursor(cursor: str) -> tuple[date, UUID] | None:
    day, _, entry_id = cursor.partition("_")
    try:
        return date.fromisoformat(day), UUID(entry_id)
    except ValueError:
        return None
