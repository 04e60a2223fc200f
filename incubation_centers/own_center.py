"""The centre of a coordinator's desk: fetched by its slug *and* the visitor's scope, so that others' do not exist."""

from typing import Annotated

from fastapi import Depends
from sqlalchemy import select

from app.access import CurrentScope
from app.database import Session
from app.errors import NotFound, SignInNeeded
from producers.centers import Center


async def own_center(slug: str, session: Session, scope: CurrentScope) -> Center:
    """Dependency: the centre of the address, for its coordinators and for staff; `NotFound` for everybody else."""
    if scope.person is None:
        raise SignInNeeded
    center: Center | None = await session.scalar(select(Center).where(Center.slug == slug, scope.of_centers(Center.id)))
    if center is None:
        raise NotFound
    return center


OwnCenter = Annotated[Center, Depends(own_center)]
