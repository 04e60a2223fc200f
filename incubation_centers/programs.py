"""Where a centre's programs are kept (`app.programs`): for its coordinators and for staff."""

from app import programs
from app.access import CurrentScope
from app.database import Session
from app.programs import Spot
from app.webhooks.hooks import Place
from incubation_centers.own_center import OwnCenter
from orders import slips

CENTER_SCOPES = ("center:read", "orders:read", "orders:write", "webhooks")


async def center_spot(session: Session, scope: CurrentScope, center: OwnCenter) -> Spot:
    return Spot(
        desk="center",
        place=Place(center_id=center.id),
        words={"slug": center.slug},
        layout="incubation_centers/center_desk.html",
        context={
            "center": center,
            "tab": "programs",
            "slips_waiting": await slips.waiting_count_of(session, scope, center.id),
        },
        scopes=CENTER_SCOPES,
    )


router = programs.desk("center", "/desk/centers/{slug}/programs", center_spot)
