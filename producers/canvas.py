"""A group's canvas: nine blocks of words, and in block 5 what was planned beside what really came in.

Nothing here is stored: the words come from `notes`, the plan from `plan`, the money from the ledger, each time anew, so
the canvas can never differ from the books.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from producers import ledger, notes, plan, streams
from producers.groups import Group
from producers.ledger import Balance, Cost, Purpose, Revenue
from producers.notes import Block, CanvasNote
from producers.plan import PlanStep
from producers.streams import Stream


@dataclass(frozen=True, slots=True)
class Line:
    """A line of block 5: month by month, in satang, what one stream should bring and what it brought."""

    stream: Stream | None
    """None is what buyers paid for delivery."""
    planned: tuple[int, ...]
    sold: tuple[int, ...]
    """Through the market, net of refunds."""
    typed: tuple[int, ...]
    """Typed in by the group."""

    @property
    def came_in(self) -> tuple[int, ...]:
        return tuple(sold + typed for sold, typed in zip(self.sold, self.typed, strict=True))

    @property
    def is_blank(self) -> bool:
        return not any((*self.planned, *self.sold, *self.typed))


@dataclass(frozen=True, slots=True)
class Canvas:
    """Everything a canvas shows for twelve months; amounts in satang."""

    months: tuple[date, ...]
    elapsed: int
    """How many of the months have begun; those after them can only be planned."""
    notes: dict[Block, CanvasNote]
    lines: tuple[Line, ...]
    costs: tuple[Cost, ...]
    balance: Balance
    steps: Sequence[PlanStep]

    @property
    def planned(self) -> tuple[int, ...]:
        """By month, all streams together."""
        return _sums([line.planned for line in self.lines], len(self.months))

    @property
    def came_in(self) -> tuple[int, ...]:
        return _sums([line.came_in for line in self.lines], len(self.months))

    @property
    def typed_in(self) -> int:
        """How much of what came in was typed, in all."""
        return sum(sum(line.typed) for line in self.lines)

    @property
    def written(self) -> int:
        """Characters of the longer language of each note, in all."""
        return sum(max(len(note.text_th or ""), len(note.text_en or "")) for note in self.notes.values())

    def total(self, amounts: Sequence[int]) -> int:
        """Sum over the months that have begun: comparing a plan for the future with nothing would frighten people."""
        return sum(amounts[: self.elapsed])

    def cost_of(self, *purposes: Purpose) -> int:
        return sum(cost.satang for cost in self.costs if cost.purpose in purposes)


async def draw(session: AsyncSession, group: Group, until_month: date) -> Canvas:
    """Return the canvas for the twelve months that end with `until_month`."""
    months = tuple(clock.months_back(until_month))
    this_month = clock.month_of(clock.business_day())
    return Canvas(
        months=months,
        elapsed=sum(month <= this_month for month in months),
        notes=await notes.notes_now(session, group.id),
        lines=_lines(
            await streams.streams_of(session, group.id),
            await plan.plan_of(session, group.id, months),
            await ledger.revenue_by_stream(session, group.id, months),
            months,
        ),
        costs=tuple(await ledger.costs(session, group.id, months)),
        balance=await ledger.balance_of_group(session, group.id),
        steps=await plan.steps_of(session, group.id),
    )


def _lines(
    all_streams: Sequence[Stream],
    planned: Mapping[plan.Cell, int],
    revenue: Sequence[Revenue],
    months: Sequence[date],
) -> tuple[Line, ...]:
    came_in = {(row.stream_id, row.month, row.is_typed): row.satang for row in revenue}

    def line(stream: Stream | None) -> Line:
        stream_id = stream.id if stream else None
        return Line(
            stream=stream,
            planned=tuple(planned.get((stream_id, month), 0) if stream_id else 0 for month in months),
            sold=tuple(came_in.get((stream_id, month, False), 0) for month in months),
            typed=tuple(came_in.get((stream_id, month, True), 0) for month in months),
        )

    lines = [line(stream) for stream in (*all_streams, None)]
    return tuple(
        each for each in lines if not each.is_blank or (each.stream is not None and each.stream.closed_at is None)
    )


def _sums(rows: Sequence[tuple[int, ...]], width: int) -> tuple[int, ...]:
    return tuple(sum(row[i] for row in rows) for i in range(width))
