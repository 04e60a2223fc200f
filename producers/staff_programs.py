"""Where the network's own programs are kept (`app.programs`): for its staff."""

from app import programs
from app.access import StaffScope
from app.api.tokens import SCOPES
from app.programs import Spot
from app.webhooks.hooks import Place


async def staff_spot(_staff: StaffScope) -> Spot:
    return Spot(
        desk="staff",
        place=Place(),
        words={},
        layout="orders/_staff_desk.html",
        context={"tab": "home"},
        scopes=tuple(SCOPES),
    )


router = programs.desk("staff", "/staff/programs", staff_spot)
