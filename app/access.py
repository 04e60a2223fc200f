"""Who may see and do what, told once.

A membership says that a person works for a group (as owner, editor or packer), coordinates a centre, or is staff of
the network.  A `Scope` is all the memberships of whoever makes a request; every query on rows of a group, a centre
or a person takes its condition from the scope.  What lies outside looks as if it did not exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ColumnClause,
    ColumnElement,
    ForeignKey,
    Index,
    false,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from app import clock, cookies, people
from app.database import Base, Id, Session, Utc
from app.errors import NotFound, SignInNeeded
from app.people import Person

SESSION_COOKIE = "session"


class Role(StrEnum):
    """What a member does for a group, a centre or the network; a group's roles include those below them."""

    packer = "packer"
    """Sees the orders, packs and hands over."""
    editor = "editor"
    """Also keeps the listings and the canvas."""
    owner = "owner"
    """Also invites members and sets where the money goes."""
    coordinator = "coordinator"
    """Gathers for a centre and sees its groups' rows."""
    staff = "staff"
    """Approves groups, confirms payments, sees the whole country."""


GROUP_ROLES = (Role.packer, Role.editor, Role.owner)


class Membership(Base):
    """A person's role: in one group, in one centre, or in the network.  Ending it keeps the row."""

    __tablename__ = "memberships"
    __table_args__ = (
        CheckConstraint(
            "CASE WHEN role = 'staff' THEN group_id IS NULL AND center_id IS NULL"
            " WHEN role = 'coordinator' THEN group_id IS NULL AND center_id IS NOT NULL"
            " ELSE group_id IS NOT NULL AND center_id IS NULL END",
            name="role_has_its_place",
        ),
        Index(
            "uq_memberships_living",
            "person_id",
            "group_id",
            "center_id",
            unique=True,
            postgresql_where="ended_at IS NULL",
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[Id]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    role: Mapped[str]
    group_id: Mapped[UUID | None] = mapped_column(ForeignKey("groups.id"), index=True)
    center_id: Mapped[UUID | None] = mapped_column(ForeignKey("centers.id"), index=True)
    since_at: Mapped[Utc]
    ended_at: Mapped[datetime | None]


class WholeMarket(ColumnClause[bool]):
    """A condition that holds for every row, said on purpose."""

    inherit_cache = True

    def __init__(self, why: str) -> None:
        super().__init__("true", Boolean(), is_literal=True)
        self.why = why


def whole_market(why: str) -> ColumnElement[bool]:
    """Condition of a query that means everybody's rows; say why that is right.

    Queries of a request name the owner of the rows they want (tests/ground/tripwire.py sees to it).  This is the only
    way round, so that looking for its name finds every such place.
    """
    return WholeMarket(why)


@dataclass(frozen=True, slots=True)
class Scope:
    """The memberships of one person (of nobody, for a guest)."""

    person: Person | None = None
    roles: Mapping[UUID, Role] = field(default_factory=dict)
    """By group."""
    centers: frozenset[UUID] = frozenset()
    is_staff: bool = False

    def group_ids(self, at_least: Role = Role.packer) -> list[UUID]:
        """The groups this person works for, with `at_least` that role."""
        rank = GROUP_ROLES.index
        return [group_id for group_id, role in self.roles.items() if rank(role) >= rank(at_least)]

    def of_groups(self, column: InstrumentedAttribute[UUID], at_least: Role = Role.packer) -> ColumnElement[bool]:
        """Condition: the row belongs to a group this person works for."""
        return column.in_(self.group_ids(at_least))

    def of_centers(self, column: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
        """Condition: the row belongs to a centre this person coordinates (to any, for staff)."""
        return whole_market("staff see all centres") if self.is_staff else column.in_(self.centers)

    def watching(
        self, group_column: InstrumentedAttribute[UUID], center_column: InstrumentedAttribute[UUID]
    ) -> ColumnElement[bool]:
        """Condition: the row's group is this person's own, or of their centre, or they are staff."""
        if self.is_staff:
            return whole_market("staff see all groups")
        return or_(self.of_groups(group_column), center_column.in_(self.centers))

    def of_person(
        self, column: InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None]
    ) -> ColumnElement[bool]:
        """Condition: the row is this person's own."""
        return column == self.person.id if self.person else false()


async def scope_of(session: AsyncSession, person: Person | None) -> Scope:
    """Read what `person` may see; a guest gets the empty scope."""
    if person is None:
        return Scope()
    rows = (
        await session.scalars(
            select(Membership).where(Membership.person_id == person.id, Membership.ended_at.is_(None))
        )
    ).all()
    return Scope(
        person=person,
        roles={row.group_id: Role(row.role) for row in rows if row.group_id},
        centers=frozenset(row.center_id for row in rows if row.center_id),
        is_staff=any(row.role == Role.staff for row in rows),
    )


async def grant(
    session: AsyncSession,
    person: Person,
    role: Role,
    *,
    group_id: UUID | None = None,
    center_id: UUID | None = None,
) -> Membership:
    """Give `person` a role, ending the one they had in the same place."""
    await end(session, person.id, group_id=group_id, center_id=center_id)
    membership = Membership(
        person_id=person.id, role=role, group_id=group_id, center_id=center_id, since_at=clock.now()
    )
    session.add(membership)
    await session.flush()
    return membership


async def end(
    session: AsyncSession, person_id: UUID, *, group_id: UUID | None = None, center_id: UUID | None = None
) -> None:
    """End a person's membership in a group, a centre or (neither given) the network; it takes effect at once."""
    await session.execute(
        update(Membership)
        .where(
            Membership.person_id == person_id,
            Membership.group_id.is_not_distinct_from(group_id),
            Membership.center_id.is_not_distinct_from(center_id),
            Membership.ended_at.is_(None),
        )
        .values(ended_at=clock.now())
    )


async def know_visitor(request: Request, session: Session) -> Scope:
    """Dependency of every page: who is here, by the session cookie.  Also kept on the request for the layout."""
    token = cookies.read(request, SESSION_COOKIE)
    person = await people.signed_in(session, token) if token else None
    if person is not None:
        # A refusal rolls the session back, and the page that shows it still names who is here.
        session.expunge(person)
    scope = await scope_of(session, person)
    request.state.scope = scope
    return scope


CurrentScope = Annotated[Scope, Depends(know_visitor, scope="function")]


def require_person(scope: CurrentScope) -> Person:
    if scope.person is None:
        raise SignInNeeded
    return scope.person


def require_staff(scope: CurrentScope) -> Scope:
    """Staff desks do not exist for others; a guest is asked to sign in."""
    if scope.person is None:
        raise SignInNeeded
    if not scope.is_staff:
        raise NotFound
    return scope


CurrentPerson = Annotated[Person, Depends(require_person)]
StaffScope = Annotated[Scope, Depends(require_staff)]
