"""What a group types in itself: income from outside the market, and costs.  Both are marked as typed for ever.

The market never held this money, so it changes nothing the market owes: income enters the group's account and leaves
it again as collected, in one fact.  What was wrong is taken back by an opposite fact.
"""

from datetime import date, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.errors import NotFound, Refusal
from app.language import N_
from app.money import Satang
from app.people import Person
from producers import ledger
from producers.groups import Group
from producers.ledger import Account, Channel, Entry, Fact, LedgerEntry, Purpose
from producers.streams import Stream

OLDEST: Final = timedelta(days=5 * 365)


class DayNotYetCome(Refusal):
    status = 422
    message = N_("This day is still to come. Please write down what has already happened.")


class DayTooLongAgo(Refusal):
    status = 422
    message = N_("This day is more than five years ago. Please check the year.")


class NothingEarned(Refusal):
    status = 422
    message = N_("Please write an amount of more than 0 baht.")


class NotTyped(Refusal):
    message = N_("Only what your group typed in can be taken back here.")


async def record_off_market(
    session: AsyncSession,
    group: Group,
    stream: Stream,
    *,
    day: date,
    satang: Satang,
    token: str,
    note: str | None = None,
    by: Person | None = None,
) -> Fact:
    """Record income from outside the market; the same `token` (of the form) again records nothing new."""
    _refuse_impossible(day, satang)
    return await ledger.post(
        session,
        key=f"off-market {group.id} {token}",
        kind="off_market",
        entries=[
            _side(group, -satang, Purpose.off_market, stream),
            _side(group, satang, Purpose.collected, stream),
        ],
        happened_at=clock.start_of_day(day),
        by=by,
        note=note,
        typed=True,
    )


async def record_cost(
    session: AsyncSession,
    group: Group,
    *,
    day: date,
    satang: Satang,
    token: str,
    note: str | None = None,
    by: Person | None = None,
) -> Fact:
    """Record a cost that the group paid itself; the same `token` again records nothing new."""
    _refuse_impossible(day, satang)
    return await ledger.post(
        session,
        key=f"own cost {group.id} {token}",
        kind="own_cost",
        entries=[_side(group, satang, Purpose.own_cost), _side(group, -satang, Purpose.collected)],
        happened_at=clock.start_of_day(day),
        by=by,
        note=note,
        typed=True,
    )


async def take_back(session: AsyncSession, group: Group, fact_id: UUID, *, by: Person | None = None) -> Fact:
    """Put a typed fact right by its opposite, once.  Refuses with `NotFound`, `NotTyped`."""
    fact = await _fact_of_group(session, group.id, fact_id)
    if fact is None:
        raise NotFound
    if not fact.typed or fact.reverses_id is not None:
        raise NotTyped
    return await ledger.reverse(session, fact, by=by)


async def _fact_of_group(session: AsyncSession, group_id: UUID, fact_id: UUID) -> Fact | None:
    mine = select(LedgerEntry.fact_id).where(*ledger.of_group(group_id), LedgerEntry.fact_id == fact_id)
    found: Fact | None = await session.scalar(select(Fact).where(Fact.id == fact_id, Fact.id.in_(mine)))
    return found


def _side(group: Group, satang: int, purpose: Purpose, stream: Stream | None = None) -> Entry:
    return Entry(
        Account.group,
        satang,
        purpose,
        group_id=group.id,
        center_id=group.center_id,
        stream_id=stream.id if stream else None,
        channel=Channel.off_market,
    )


def _refuse_impossible(day: date, satang: Satang) -> None:
    today = clock.business_day()
    if day > today:
        raise DayNotYetCome(field="day")
    if day < today - OLDEST:
        raise DayTooLongAgo(field="day")
    if satang <= 0:
        raise NothingEarned(field="satang")
