"""How often one may call: so that one program cannot take the market from everybody else.

Reads are counted in each web process, in memory: they are many and cheap, most are answered from the page memory and
never come this far, and writing a row for each would cost more than the read.  With n processes a caller may so read
up to n times as often, which is harmless.  Changes and wrong tokens are counted in one small table for all processes,
because there the limit is a promise; it is unlogged, so counting waits for no disk, and a crash only forgets a minute.

Who calls is a token, or else an address.  A minute is a minute of the clock.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from fastapi import Request
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app import clock, jobs, people
from app.database import Base, Utc, session_scope
from app.errors import Refusal
from app.language import N_
from app.settings import settings

WINDOW: Final = timedelta(minutes=1)
MOST_WRONG_TOKENS: Final = 20
"""From one address in a window."""
MOST_REMEMBERED: Final = 50_000
"""Callers a process counts at a time; with more it begins anew."""


class TooOften(Refusal):
    status = 429
    message = N_("Too many calls at once. Please come back in %(seconds)s seconds.")

    @property
    def headers(self) -> Mapping[str, str]:
        """As the IETF's draft on rate limit headers has them."""
        seconds, most = self.params["seconds"], self.params["most"]
        return {
            "Retry-After": str(seconds),
            "RateLimit": f'"calls";r=0;t={seconds}',
            "RateLimit-Policy": f'"calls";q={most};w={int(WINDOW.total_seconds())}',
        }


class ApiCalls(Base):
    """How often somebody changed something, or came with a wrong token, within a window."""

    __tablename__ = "api_calls"
    __table_args__ = {"prefixes": ["UNLOGGED"]}  # noqa: RUF012 - SQLAlchemy reads it off the class

    who: Mapped[str] = mapped_column(primary_key=True)
    since_at: Mapped[Utc] = mapped_column(primary_key=True, index=True)
    count: Mapped[int]


class Reads:
    """What one process counts in memory."""

    def __init__(self) -> None:
        self._since = _window()
        self._counts: dict[str, int] = {}

    def count(self, who: str) -> int:
        """Count one more and return how many that makes in this window."""
        if (since := _window()) != self._since or len(self._counts) >= MOST_REMEMBERED:
            self._since, self._counts = since, {}
        self._counts[who] = self._counts.get(who, 0) + 1
        return self._counts[who]


async def refuse_when_too_often(request: Request, *, is_change: bool) -> None:
    """Count a call; refuses with `TooOften`, saying when to come back."""
    who = caller_of(request)
    if is_change:
        most = settings().api_changes_a_minute
        _refuse_above(most, await _count_for_all(f"change {who}"))
    else:
        most = settings().api_reads_a_minute
        reads: Reads = request.app.state.reads
        _refuse_above(most, reads.count(who))


async def count_wrong_token(request: Request) -> None:
    """Count a wrong token; whoever keeps guessing is refused with `TooOften`."""
    _refuse_above(MOST_WRONG_TOKENS, await _count_for_all(f"wrong token from {address_of(request)}"))


def caller_of(request: Request) -> str:
    """A name for who calls, that gives no secret away: of the bearer secret (right or wrong), else the address."""
    given = request.headers.get("authorization")
    return f"token {people.token_hash(given)[:32]}" if given else f"from {address_of(request)}"


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""


@jobs.every(timedelta(hours=1), "api.forget_calls")
async def forget(_payload: dict[str, Any]) -> None:
    async with session_scope() as session:
        await session.execute(delete(ApiCalls).where(ApiCalls.since_at < clock.now() - 2 * WINDOW))


async def _count_for_all(who: str) -> int:
    """Count one more in a transaction of its own: the count stays when the call itself is refused."""
    one_more = insert(ApiCalls).values(who=who, since_at=_window(), count=1)
    counted = one_more.on_conflict_do_update(
        index_elements=["who", "since_at"], set_={"count": ApiCalls.count + 1}
    ).returning(ApiCalls.count)
    async with session_scope() as session:
        return (await session.scalars(counted)).one()


def _refuse_above(most: int, count: int) -> None:
    if count > most:
        rest = _window() + WINDOW - clock.now()
        raise TooOften(seconds=int(rest.total_seconds()) + 1, most=most)


def _window() -> datetime:
    return clock.now().replace(second=0, microsecond=0)
