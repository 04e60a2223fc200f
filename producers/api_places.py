"""Whose desk a call is about: the group of the address, fetched by its slug *and* what the token's person may do now."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from sqlalchemy import select

from app.access import Role
from app.api.problems import NoSuchThing
from app.api.shapes import Slug
from app.api.tokens import Caller, needs
from app.database import Session
from app.people import Person
from producers.groups import Group


@dataclass(frozen=True, slots=True)
class ForGroup:
    """A group and whoever calls about it."""

    group: Group
    caller: Caller

    @property
    def person(self) -> Person:
        return self.caller.person


def group_for(allowed: str, at_least: Role) -> Any:
    """Dependency: the group, for a token that is allowed this and whose person has at least that role."""

    async def fetch(slug: Slug, session: Session, caller: Annotated[Caller, needs(allowed)]) -> ForGroup:
        found = await session.scalar(
            select(Group).where(Group.slug == slug, caller.scope.of_groups(Group.id, at_least))
        )
        return ForGroup(_there(found), caller)

    return _depends(fetch)


def watched_group_for(allowed: str) -> Any:
    """Dependency: the group, for its own people, its centre's coordinators and staff."""

    async def fetch(slug: Slug, session: Session, caller: Annotated[Caller, needs(allowed)]) -> ForGroup:
        theirs = caller.scope.watching(Group.id, Group.center_id)
        return ForGroup(_there(await session.scalar(select(Group).where(Group.slug == slug, theirs))), caller)

    return _depends(fetch)


def _there(group: Group | None) -> Group:
    if group is None:
        raise NoSuchThing
    return group


def _depends(fetch: Callable[..., Awaitable[ForGroup]]) -> Any:
    return Depends(fetch, scope="function")
