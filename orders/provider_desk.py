"""The staff's look at what payment providers told us: what could not be worked, with a button to try again."""

from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from app.access import require_staff
from app.database import Session, session_scope
from app.errors import NotFound
from app.language import N_
from app.pages import page, said, see_other
from orders import provider_events
from orders.provider_events import ProviderEvent

router = APIRouter(prefix="/staff/provider-events", dependencies=[Depends(require_staff)])


@router.get("", name="staff_provider_events")
async def staff_provider_events(request: Request, session: Session) -> Response:
    return page(
        request,
        "orders/provider_events.html",
        unworked=await provider_events.unworked(session),
        lately=await provider_events.lately(session),
    )


@router.post("/{event_id}/retry", name="retry_provider_event")
async def retry_provider_event(request: Request, event_id: UUID) -> Response:
    """Work it now; what still stands in the way is shown beside it."""
    async with session_scope() as session:
        if await session.get(ProviderEvent, event_id) is None:
            raise NotFound
    is_worked = await provider_events.work(event_id)
    words = N_("It is done.") if is_worked else N_("It still could not be done; the reason stands beside it.")
    return see_other(request, "staff_provider_events", flash=said(words))
