"""The trail: who looked at or changed what on the desks, so that the people whose data lies there can be told.

Every desk request leaves one row, in the transaction of what it did; a refused one in a short transaction of its own,
because a refusal rolls everything else back.  Pages say when they show what is somebody's own business (`saw`).  Rows
hold ids, slugs and order numbers, never names, so that erasing a person needs no hole in the trail.  They refer to
nothing by foreign key: a look must take no lock.  The database lets a row leave only after `KEPT`, by its function
`forget_trail` (migration 0010).
"""

import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Request
from sqlalchemy import ColumnElement, Index, String, Uuid, column, func, insert, select, table, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock, jobs
from app.access import Scope, whole_market
from app.database import Base, Id, Session, Utc, new_id, session_scope
from app.people import Person

KEPT: Final = timedelta(days=365)
HIDDEN: Final = frozenset({401, 403, 404})
"""Answers to whoever had no business there."""

log = logging.getLogger(__name__)

_groups = table("groups", column("id", Uuid), column("slug", String))
_centers = table("centers", column("id", Uuid), column("slug", String))


class Sight(StrEnum):
    """What was seen that is somebody's own business."""

    buyer = "buyer"
    """A buyer's phone, address or note."""
    slip = "slip"
    """The picture of a transfer slip."""
    order = "order"
    """A whole order, by staff."""
    account = "account"
    """Where a buyer wants money paid back to."""
    sheet = "sheet"
    """A list that was printed or carried off as a file."""
    notices = "notices"
    """What the market wrote to people."""
    trail = "trail"
    """The trail itself."""


class TrailEntry(Base):
    """One look or change.  Only added to."""

    __tablename__ = "trail"
    __table_args__ = (
        Index("ix_trail_at", "at", "id"),
        Index("ix_trail_of_person", "person_id", "at", "id"),
        Index("ix_trail_of_group", "group_id", "at", "id", postgresql_where="group_id IS NOT NULL"),
        Index("ix_trail_about", "about", postgresql_using="gin"),
    )

    id: Mapped[Id]
    at: Mapped[Utc]
    person_id: Mapped[UUID]
    group_id: Mapped[UUID | None]
    """Whose desk it was."""
    center_id: Mapped[UUID | None]
    method: Mapped[str]
    what: Mapped[str]
    """Name of the route, or a word of the trade."""
    sights: Mapped[list[str]] = mapped_column(ARRAY(String))
    about: Mapped[list[str]] = mapped_column(ARRAY(String))
    """Numbers of orders, slugs and ids that the address named or the page showed."""
    status: Mapped[int]
    """HTTP status of the answer."""
    request_id: Mapped[str | None]
    detail: Mapped[dict[str, Any]]

    @property
    def is_change(self) -> bool:
        return self.method != "GET"


@dataclass(frozen=True, slots=True)
class Told:
    """A row with the name of whoever did it."""

    entry: TrailEntry
    name: str


@dataclass(slots=True)
class Seen:
    """What a request has shown so far."""

    sights: set[Sight] = field(default_factory=set)
    about: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the trail; None leaves it open."""

    group_id: UUID | None = None
    person_id: UUID | None = None
    day: date | None = None
    only_granted: bool = False
    """Without those who had no business there."""


async def find(
    session: AsyncSession, asked: Question, *, before: UUID | None = None, limit: int = 50
) -> tuple[list[Told], UUID | None]:
    """Return a page of the trail, the newest first, and the cursor of the next page (None at the end)."""
    question = select(TrailEntry, Person.name).join(Person, Person.id == TrailEntry.person_id).where(*_wanted(asked))
    if before:
        last = select(TrailEntry.at, TrailEntry.id).where(TrailEntry.id == before).scalar_subquery()
        question = question.where(tuple_(TrailEntry.at, TrailEntry.id) < last)
    rows = await session.execute(question.order_by(TrailEntry.at.desc(), TrailEntry.id.desc()).limit(limit + 1))
    told = [Told(entry, name) for entry, name in rows]
    return told[:limit], told[limit - 1].entry.id if len(told) > limit else None


async def done_by(session: AsyncSession, person_id: UUID) -> Sequence[TrailEntry]:
    """Return all that a person did on desks, the oldest first."""
    found = await session.scalars(
        select(TrailEntry).where(TrailEntry.person_id == person_id).order_by(TrailEntry.at, TrailEntry.id)
    )
    return found.all()


async def about(session: AsyncSession, names: Collection[str]) -> Sequence[TrailEntry]:
    """Return who looked at or changed any of these (order numbers, ids), the oldest first; refused tries left out."""
    if not names:
        return []
    found = await session.scalars(
        select(TrailEntry)
        .where(
            whole_market("whoever a row is about may know of it"),
            TrailEntry.about.overlap(list(names)),
            TrailEntry.status.not_in(HIDDEN),
        )
        .order_by(TrailEntry.at, TrailEntry.id)
    )
    return found.all()


def saw(request: Request, *sights: Sight, about: str | Sequence[str] = ()) -> None:
    """A page shows what is somebody's own business: note it with this request, and what it is about."""
    seen = _seen(request)
    seen.sights.update(sights)
    seen.about += [about] if isinstance(about, str) else about


async def keep(
    session: AsyncSession,
    scope: Scope,
    what: str,
    about: str,
    detail: Mapping[str, Any] | None = None,
    *,
    group_id: UUID | None = None,
    center_id: UUID | None = None,
) -> None:
    """Add a row by hand, for what happens outside of a noted request."""
    if scope.person is not None:
        row = {"method": "", "what": what, "about": [about], "group_id": group_id, "center_id": center_id}
        await _add(session, scope.person.id, {**row, "sights": [], "status": 200, "detail": dict(detail or {})})


async def note(request: Request, session: Session) -> AsyncIterator[None]:
    """Dependency of every desk: leaves a row with the request's own transaction, before it commits."""
    request.state.is_noted = True
    yield
    if person := _person(request):
        await _add(session, person.id, _row(request, getattr(request.state, "status", 200)))


Noted = Annotated[None, Depends(note, scope="function")]
noted = Depends(note, scope="function")
"""For routers: `include_router(router, dependencies=[…, trail.noted])`, after whatever knows the visitor."""


async def note_refused(request: Request, status: int) -> None:
    """Leave a row of a desk request that was refused, once its own transaction is gone.  Never fails itself."""
    person = _person(request)
    if person is None or not getattr(request.state, "is_noted", False):
        return
    try:
        async with session_scope() as session:
            await _add(session, person.id, _row(request, status))
    except (SQLAlchemyError, OSError):
        log.exception("a refused request could not be noted")


@jobs.every(timedelta(days=1), "trail.forget")
async def forget(_payload: dict[str, Any]) -> None:
    """Let go of what is older than `KEPT`; nothing else can."""
    async with session_scope() as session:
        await session.execute(select(func.forget_trail(clock.now() - KEPT)))


def _wanted(asked: Question) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if asked.group_id:
        conditions.append(TrailEntry.group_id == asked.group_id)
    if asked.person_id:
        conditions.append(TrailEntry.person_id == asked.person_id)
    if asked.day:
        conditions.append(TrailEntry.at >= clock.start_of_day(asked.day))
        conditions.append(TrailEntry.at < clock.start_of_day(asked.day + timedelta(days=1)))
    if asked.only_granted:
        conditions.append(TrailEntry.status.not_in(HIDDEN))
    if not (asked.group_id or asked.person_id):
        conditions.append(whole_market("staff read the trail of all desks"))
    return conditions


def _row(request: Request, status: int) -> dict[str, Any]:
    route = request.scope["route"]
    named = dict(request.path_params)
    slug = str(named.pop("slug", ""))
    seen = _seen(request)
    about = ["".join(str(value).split())[:200] for value in named.values()] + seen.about
    return {
        "group_id": _id_of(_groups, slug) if "/groups/{slug}" in route.path else None,
        "center_id": _id_of(_centers, slug) if "/centers/{slug}" in route.path else None,
        "method": "GET" if request.method == "HEAD" else request.method,
        "what": route.name,
        "sights": sorted(seen.sights),
        "about": list(dict.fromkeys(about)),
        "status": status,
        "detail": {},
    }


def _id_of(places: Any, slug: str) -> Any:
    """The place's id, asked in the same statement."""
    return select(places.c.id).where(places.c.slug == slug).scalar_subquery()


async def _add(session: AsyncSession, person_id: UUID, row: Mapping[str, Any]) -> None:
    known: dict[str, Any] = {"id": new_id(), "at": clock.now(), "request_id": jobs.request_id.get()}
    await session.execute(insert(TrailEntry).values(**known, person_id=person_id, **row))


def _person(request: Request) -> Person | None:
    scope: Scope | None = getattr(request.state, "scope", None)
    return scope.person if scope else None


def _seen(request: Request) -> Seen:
    if not hasattr(request.state, "seen"):
        request.state.seen = Seen()
    seen: Seen = request.state.seen
    return seen
