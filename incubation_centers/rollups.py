"""Roll-ups: what a centre's groups earned beside what they planned, month by month.

The same ledger and the same plan as on each group's own canvas, asked for all groups at once: three questions, however
many groups a centre has, and never a figure of its own to keep equal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Date, cast, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.access import Scope
from producers import ledger, plan
from producers.centers import Center
from producers.groups import Group, GroupState
from producers.ledger import REVENUE, Account, LedgerEntry, Purpose


@dataclass(frozen=True, slots=True)
class GroupYear:
    """One group's months, in satang."""

    group: Group
    planned: tuple[int, ...]
    sold: tuple[int, ...]
    """Through the market, net of refunds, counted when goods were handed over."""
    typed: tuple[int, ...]
    """Typed in by the group."""

    @property
    def came_in(self) -> tuple[int, ...]:
        return tuple(sold + typed for sold, typed in zip(self.sold, self.typed, strict=True))


@dataclass(frozen=True, slots=True)
class Rollup:
    """A centre's groups over some months; amounts in satang."""

    months: tuple[date, ...]
    elapsed: int
    """How many of the months have begun; those after them can only be planned."""
    groups: tuple[GroupYear, ...]

    @property
    def planned(self) -> tuple[int, ...]:
        return self._by_month([each.planned for each in self.groups])

    @property
    def came_in(self) -> tuple[int, ...]:
        return self._by_month([each.came_in for each in self.groups])

    def so_far(self, amounts: Sequence[int]) -> int:
        """Sum over the months that have begun: a plan for the future is nothing to be behind."""
        return sum(amounts[: self.elapsed])

    def _by_month(self, rows: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        return tuple(sum(row[i] for row in rows) for i in range(len(self.months)))


async def revenue_against_plan(session: AsyncSession, scope: Scope, center: Center, months: Sequence[date]) -> Rollup:
    """Return the centre's groups in Thai order with plan and income of the (consecutive) months."""
    groups = await _groups(session, scope, center)
    group_ids = [group.id for group in groups]
    planned = await _planned(session, group_ids, months)
    came_in = await _came_in(session, group_ids, months)

    def row(amounts: Mapping[tuple[UUID, date], int], group: Group) -> tuple[int, ...]:
        return tuple(amounts.get((group.id, month), 0) for month in months)

    this_month = clock.month_of(clock.business_day())
    return Rollup(
        months=tuple(months),
        elapsed=sum(month <= this_month for month in months),
        groups=tuple(
            GroupYear(group, row(planned, group), row(came_in[False], group), row(came_in[True], group))
            for group in groups
        ),
    )


async def _groups(session: AsyncSession, scope: Scope, center: Center) -> Sequence[Group]:
    """Closed groups stay in sight: what they earned was earned."""
    rows = await session.scalars(
        select(Group)
        .where(scope.of_centers(Group.center_id), Group.center_id == center.id, Group.state != GroupState.applied)
        .order_by(Group.sort_key, Group.id)
    )
    return rows.all()


async def _planned(
    session: AsyncSession, group_ids: Sequence[UUID], months: Sequence[date]
) -> dict[tuple[UUID, date], int]:
    cells = plan.newest_amounts(group_ids, months)
    rows = await session.execute(
        select(cells.c.group_id, cells.c.month, func.sum(cells.c.satang)).group_by(cells.c.group_id, cells.c.month)
    )
    return {(group_id, month): int(satang) for group_id, month, satang in rows}


async def _came_in(
    session: AsyncSession, group_ids: Sequence[UUID], months: Sequence[date]
) -> dict[bool, dict[tuple[UUID, date], int]]:
    """Return what came in by group and month, apart by whether it was typed in."""
    month = cast(func.date_trunc(literal_column("'month'"), LedgerEntry.business_day), Date)
    is_typed = (LedgerEntry.purpose == Purpose.off_market).label("is_typed")
    rows = await session.execute(
        select(LedgerEntry.group_id, month, is_typed, -func.sum(LedgerEntry.satang))
        .where(
            LedgerEntry.account == Account.group,
            LedgerEntry.group_id.in_(group_ids),
            LedgerEntry.purpose.in_(REVENUE),
            *ledger.within(months),
        )
        .group_by(LedgerEntry.group_id, month, is_typed)
    )
    found: dict[bool, dict[tuple[UUID, date], int]] = {False: {}, True: {}}
    for group_id, day, typed, satang in rows:
        if group_id is not None:
            found[typed][group_id, day] = int(satang)
    return found
