"""Members: in by a link that works once, out at once, and never without an owner."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app import access
from app.access import Role, scope_of
from app.clock import FrozenClock
from app.database import sessions
from app.errors import NotFound
from app.people import Person
from producers import members
from producers.groups import Group
from producers.members import InvitationGone, LastOwner
from tests import factories
from tests.producers import factories as make


async def role_of(session: AsyncSession, person: Person, group: Group) -> Role | None:
    return (await scope_of(session, person)).roles.get(group.id)


async def test_an_invitation_gives_its_role_once(session: AsyncSession) -> None:
    owner, friend, other = [await factories.person(session) for _ in range(3)]
    group = await make.group(session, owner=owner)
    token = members.invite(session, Role.editor, by=owner, group_id=group.id)

    await members.accept(session, token, friend)

    assert await role_of(session, friend, group) is Role.editor
    with pytest.raises(InvitationGone):
        await members.accept(session, token, other)


async def test_of_two_who_open_one_link_at_once_one_comes_in(session: AsyncSession) -> None:
    owner, *friends = [await factories.person(session) for _ in range(3)]
    group = await make.group(session, owner=owner)
    token = members.invite(session, Role.packer, by=owner, group_id=group.id)
    await session.commit()

    async def accept(person: Person) -> None:
        async with sessions()() as accepting, accepting.begin():
            await members.accept(accepting, token, person)

    results = await asyncio.gather(*(accept(friend) for friend in friends), return_exceptions=True)

    assert sorted(type(result).__name__ for result in results) == ["InvitationGone", "NoneType"]


async def test_an_invitation_runs_out(session: AsyncSession, clock: FrozenClock) -> None:
    owner = await factories.person(session)
    group = await make.group(session, owner=owner)
    token = members.invite(session, Role.packer, by=owner, group_id=group.id)
    clock.jump(members.INVITATION_LASTS + timedelta(seconds=1))

    with pytest.raises(InvitationGone):
        await members.invited(session, token)


async def test_an_invitation_taken_back_is_gone(session: AsyncSession) -> None:
    owner = await factories.person(session)
    group = await make.group(session, owner=owner)
    token = members.invite(session, Role.packer, by=owner, group_id=group.id)
    [invitation] = await members.open_invitations(session, group.id)

    await members.take_back(session, group.id, invitation.id, by=owner)

    with pytest.raises(InvitationGone):
        await members.invited(session, token)


async def test_an_owner_who_opens_a_packers_link_stays_owner(session: AsyncSession) -> None:
    owner = await factories.person(session)
    group = await make.group(session, owner=owner)
    token = members.invite(session, Role.packer, by=owner, group_id=group.id)

    await members.accept(session, token, owner)

    assert await role_of(session, owner, group) is Role.owner


async def test_a_coordinator_comes_in_by_a_link_too(session: AsyncSession) -> None:
    staff, friend = await factories.person(session), await factories.person(session)
    center = await make.center(session)

    await members.accept(session, members.invite(session, Role.coordinator, by=staff, center_id=center.id), friend)

    assert (await scope_of(session, friend)).centers == {center.id}


async def test_the_last_owner_stays(session: AsyncSession) -> None:
    owner = await factories.person(session)
    group = await make.group(session, owner=owner)
    await make.member(session, group, Role.editor)

    with pytest.raises(LastOwner):
        await members.end_membership(session, group.id, owner.id)
    with pytest.raises(LastOwner):
        await members.change_role(session, group.id, owner.id, Role.packer)


async def test_two_owners_who_leave_at_once_leave_one(session: AsyncSession) -> None:
    first = await factories.person(session)
    group = await make.group(session, owner=first)
    second = await make.member(session, group, Role.owner)
    await session.commit()

    async def leave(person: Person) -> None:
        async with sessions()() as leaving, leaving.begin():
            await members.end_membership(leaving, group.id, person.id)
            await asyncio.sleep(0.05)

    results = await asyncio.gather(leave(first), leave(second), return_exceptions=True)

    assert sorted(type(result).__name__ for result in results) == ["LastOwner", "NoneType"]
    assert len(await members.members_of(session, group.id)) == 1


async def test_a_membership_ends_at_once(session: AsyncSession) -> None:
    group = await make.group(session)
    packer = await make.member(session, group, Role.packer)

    await members.end_membership(session, group.id, packer.id)

    assert await role_of(session, packer, group) is None


async def test_nobody_ends_a_membership_of_another_group(session: AsyncSession) -> None:
    mine, theirs = await make.group(session), await make.group(session)
    packer = await make.member(session, theirs, Role.packer)

    with pytest.raises(NotFound):
        await members.end_membership(session, mine.id, packer.id)


async def test_members_stand_owners_first(session: AsyncSession) -> None:
    owner = await factories.person(session)
    group = await make.group(session, owner=owner)
    for role in (Role.packer, Role.editor, Role.owner):
        await make.member(session, group, role)
    await access.end(session, owner.id, group_id=group.id)

    assert [each.role for each in await members.members_of(session, group.id)] == ["owner", "editor", "packer"]
