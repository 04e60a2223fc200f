"""The door to the desks: where a person works, and straight on when that is one place."""

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import CurrentPerson, CurrentScope, Scope
from app.database import Session
from app.pages import page, see_other
from producers.centers import Center
from producers.groups import own_groups

router = APIRouter()


@router.get("/desk", name="desk")
async def desk(request: Request, session: Session, scope: CurrentScope, _person: CurrentPerson) -> Response:
    """Where this person works; whoever works in one place goes straight there."""
    groups = await own_groups(session, scope)
    centers = await _centers(session, scope)
    if len(groups) + len(centers) + scope.is_staff == 1:
        if groups:
            return see_other(request, "group_desk", slug=groups[0].slug)
        if centers:
            return see_other(request, "center_desk", slug=centers[0].slug)
        return see_other(request, "staff_home")
    return page(request, "orders/desk.html", groups=groups, centers=centers)


async def _centers(session: AsyncSession, scope: Scope) -> list[Center]:
    if not scope.centers:
        return []
    return list(await session.scalars(select(Center).where(Center.id.in_(scope.centers)).order_by(Center.number)))
