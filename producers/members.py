"""Members: who works for a group, a centre or the network, and how they come in (by a link) and go.

The link is a secret: the database keeps only its hash, so it is shown once, to whoever made it.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import access, clock, jobs
from app.access import GROUP_ROLES, Membership, Role
from app.database import Base, Id, Utc, session_scope
from app.errors import NotFound, Refusal
from app.language import N_, Bilingual
from app.people import Person, token_hash
from producers.centers import Center
from producers.groups import Group, GroupState

INVITATION_LASTS = timedelta(days=14)
HINT_KEPT = timedelta(days=30)
"""How long it is remembered whom an invitation was meant for, once it cannot be used any more."""


ROLE_WORDS: Final = {
    Role.owner: N_("Owner"),
    Role.editor: N_("Editor"),
    Role.packer: N_("Packer"),
}
"""Roles in a group in people's words (message ids)."""
ROLE_DUTIES: Final = {
    Role.owner: N_("Everything, also inviting people and saying where the money goes"),
    Role.editor: N_("Goods, prices, photos, the canvas and all orders"),
    Role.packer: N_("Sees the orders, packs and hands over"),
}


class InvitationGone(Refusal):
    status = 410
    message = N_("This invitation has been used, taken back or has run out. Please ask for a new one.")


class LastOwner(Refusal):
    message = N_("A group needs an owner. Make somebody else an owner first.")


class OnlyOwner(Refusal):
    message = N_(
        "You are the only owner of %(group)s. Make somebody else an owner first, or ask the network's staff to close it."
    )


class Invitation(Base):
    """A link that gives whoever opens it first a role in a group, a centre or (neither given) the network."""

    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint(
            "CASE WHEN role = 'staff' THEN group_id IS NULL AND center_id IS NULL"
            " WHEN role = 'coordinator' THEN group_id IS NULL AND center_id IS NOT NULL"
            " ELSE group_id IS NOT NULL AND center_id IS NULL END",
            name="role_has_its_place",
        ),
    )

    id: Mapped[Id]
    token_hash: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    group_id: Mapped[UUID | None] = mapped_column(ForeignKey("groups.id"), index=True)
    center_id: Mapped[UUID | None] = mapped_column(ForeignKey("centers.id"), index=True)
    hint: Mapped[str | None]
    """Whom it is meant for, in the inviter's words."""
    invited_at: Mapped[Utc]
    invited_by: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    expires_at: Mapped[Utc]
    used_at: Mapped[datetime | None]
    used_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))


@dataclass(frozen=True, slots=True)
class Member:
    """A person with a living role."""

    person: Person
    role: Role
    since_at: datetime


@dataclass(frozen=True, slots=True)
class Invited:
    """An open invitation with its place and whoever made it."""

    invitation: Invitation
    group: Group | None
    center: Center | None
    inviter: Person


async def members_of(session: AsyncSession, group_id: UUID) -> list[Member]:
    """Return who works for a group: owners first, then editors, then packers."""
    rows = await session.execute(
        select(Person, Membership)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.group_id == group_id, Membership.ended_at.is_(None))
        .order_by(Membership.since_at, Membership.id)
    )
    members = [Member(person, Role(membership.role), membership.since_at) for person, membership in rows]
    return sorted(members, key=lambda member: -GROUP_ROLES.index(member.role))


async def open_invitations(session: AsyncSession, group_id: UUID) -> Sequence[Invitation]:
    """Return a group's invitations that can still be used, newest first."""
    return (
        await session.scalars(
            select(Invitation)
            .where(Invitation.group_id == group_id, *_is_open())
            .order_by(Invitation.invited_at.desc(), Invitation.id.desc())
        )
    ).all()


async def invited(session: AsyncSession, token: str) -> Invited:
    """Return the open invitation behind a link; refuses with `InvitationGone` (an unknown token, too)."""
    row = (
        await session.execute(
            select(Invitation, Group, Center, Person)
            .outerjoin(Group, Group.id == Invitation.group_id)
            .outerjoin(Center, Center.id == Invitation.center_id)
            .join(Person, Person.id == Invitation.invited_by)
            .where(Invitation.token_hash == token_hash(token), *_is_open())
        )
    ).one_or_none()
    if row is None:
        raise InvitationGone
    return Invited(*row)


def invite(
    session: AsyncSession,
    role: Role,
    *,
    by: Person,
    group_id: UUID | None = None,
    center_id: UUID | None = None,
    hint: str | None = None,
) -> str:
    """Add an invitation and return its secret token; it works once, for `INVITATION_LASTS`."""
    token = secrets.token_urlsafe(24)
    now = clock.now()
    session.add(
        Invitation(
            token_hash=token_hash(token),
            role=role,
            group_id=group_id,
            center_id=center_id,
            hint=hint,
            invited_at=now,
            invited_by=by.id,
            expires_at=now + INVITATION_LASTS,
        )
    )
    return token


async def accept(session: AsyncSession, token: str, person: Person) -> Invited:
    """Give `person` the role; of two who open one link at once, one is refused with `InvitationGone`.

    Somebody who already has a higher role in the group keeps it.
    """
    found = await invited(session, token)
    taken = await session.execute(
        update(Invitation)
        .where(Invitation.id == found.invitation.id, *_is_open())
        .values(used_at=clock.now(), used_by=person.id)
        .returning(Invitation.id)
    )
    if taken.one_or_none() is None:
        raise InvitationGone
    if not await _has_as_much(session, found.invitation, person):
        await access.grant(
            session,
            person,
            Role(found.invitation.role),
            group_id=found.invitation.group_id,
            center_id=found.invitation.center_id,
        )
    return found


async def take_back(session: AsyncSession, group_id: UUID, invitation_id: UUID, *, by: Person) -> None:
    """End a group's open invitation; one that is gone already stays so.  Refuses another group's with `NotFound`."""
    own = (Invitation.id == invitation_id, Invitation.group_id == group_id)
    if await session.scalar(select(Invitation.id).where(*own)) is None:
        raise NotFound
    await session.execute(update(Invitation).where(*own, *_is_open()).values(revoked_at=clock.now(), revoked_by=by.id))


async def change_role(session: AsyncSession, group_id: UUID, person_id: UUID, role: Role) -> None:
    """Give a member another role.  Refuses with `LastOwner`, with `NotFound` for whoever is no member."""
    person = await _leaving(session, group_id, person_id, stays_owner=role is Role.owner)
    await access.grant(session, person, role, group_id=group_id)


async def end_membership(session: AsyncSession, group_id: UUID, person_id: UUID) -> None:
    """End somebody's work for the group, at once.  Refuses with `LastOwner`, `NotFound`."""
    await _leaving(session, group_id, person_id)
    await access.end(session, person_id, group_id=group_id)


async def leave_everything(session: AsyncSession, person_id: UUID) -> int:
    """End all of somebody's work, in groups, centres and the network; return how many roles it were.

    Refuses with `OnlyOwner` when a group that is not closed would be left without one.
    """
    living = select(Membership).where(*_is_living(person_id)).order_by(Membership.group_id)
    roles = (await session.scalars(living)).all()
    for role in roles:
        if role.group_id:
            await _refuse_to_desert(session, role.group_id, person_id)
    await session.execute(update(Membership).where(*_is_living(person_id)).values(ended_at=clock.now()))
    await session.execute(update(Invitation).where(Invitation.used_by == person_id).values(hint=None))
    return len(roles)


@jobs.every(timedelta(days=1), "invitations.forget_hints")
async def forget_hints(_payload: dict[str, Any]) -> None:
    """Forget whom invitations were meant for: a hint is often a name."""
    is_old = Invitation.expires_at < clock.now() - HINT_KEPT
    async with session_scope() as session:
        await session.execute(update(Invitation).where(is_old, Invitation.hint.is_not(None)).values(hint=None))


async def _refuse_to_desert(session: AsyncSession, group_id: UUID, person_id: UUID) -> None:
    try:
        await _leaving(session, group_id, person_id)
    except LastOwner:
        group = await session.get_one(Group, group_id)
        if group.state != GroupState.closed:
            raise OnlyOwner(group=Bilingual(group.name_th, group.name_en)) from None


def _is_living(person_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return Membership.person_id == person_id, Membership.ended_at.is_(None)


async def _leaving(session: AsyncSession, group_id: UUID, person_id: UUID, *, stays_owner: bool = False) -> Person:
    # The group's row is the lock: two owners who leave at the same moment must not leave it without one.
    await session.execute(select(Group.id).where(Group.id == group_id).with_for_update(key_share=True))
    members = await members_of(session, group_id)
    member = next((member for member in members if member.person.id == person_id), None)
    if member is None:
        raise NotFound
    owners = [each for each in members if each.role is Role.owner]
    if owners == [member] and not stays_owner:
        raise LastOwner
    return member.person


async def _has_as_much(session: AsyncSession, invitation: Invitation, person: Person) -> bool:
    scope = await access.scope_of(session, person)
    if invitation.group_id:
        return invitation.group_id in scope.group_ids(at_least=Role(invitation.role))
    return scope.is_staff if invitation.role == Role.staff else invitation.center_id in scope.centers


def _is_open() -> tuple[ColumnElement[bool], ...]:
    return (
        Invitation.used_at.is_(None),
        Invitation.revoked_at.is_(None),
        Invitation.expires_at > clock.now(),
    )
