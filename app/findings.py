"""What a check of the market finds, in plain words with something to look it up by.

Each room has a module `checks` with its own; a check is one question over whole tables, whose answers are what is wrong.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock

MOST_NAMED: Final = 10
"""Findings of one check that are told one by one; of the others there is a number."""


@dataclass(frozen=True, slots=True)
class Check:
    """`question` selects what is wrong; `says` names the columns of its answers; `:now` in it is the market's clock."""

    name: str
    says: str
    question: str
    is_warning: bool = False
    """Something a person should look at, while nothing is broken."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, or (a warning) soon will be."""

    check: str
    says: str
    is_warning: bool = False

    def __str__(self) -> str:
        return f"{'warning' if self.is_warning else 'WRONG'}: {self.check}: {self.says}"


async def of_checks(session: AsyncSession, checks: Iterable[Check]) -> list[Finding]:
    """Ask all questions, one after another, in the session's transaction."""
    return [finding for check in checks for finding in await _of(session, check)]


async def _of(session: AsyncSession, check: Check) -> list[Finding]:
    question = f"SELECT wrong.*, count(*) OVER () AS found_in_all FROM ({check.question}) AS wrong LIMIT {MOST_NAMED}"  # noqa: S608 - our own questions
    values = {"now": clock.now()} if ":now" in question else {}
    rows = (await session.execute(text(question), values)).mappings().all()
    found = [_told(check, check.says.format_map(row)) for row in rows]
    more = _more(rows)
    return [*found, _told(check, f"… and {more} more")] if more else found


def _told(check: Check, says: str) -> Finding:
    return Finding(check.name, says, check.is_warning)


def _more(rows: Iterable[Mapping[Any, Any]]) -> int:
    named = list(rows)
    return int(named[0]["found_in_all"]) - len(named) if named else 0
