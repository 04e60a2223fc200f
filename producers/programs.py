"""Where a group's programs are kept (`app.programs`): for its owners."""

from app import programs
from app.programs import Spot
from app.webhooks.hooks import Place
from producers.groups import OwnedGroup

GROUP_SCOPES = ("orders:read", "orders:write", "listings:write", "money:read", "webhooks")


async def group_spot(group: OwnedGroup) -> Spot:
    return Spot(
        desk="group",
        place=Place(group_id=group.id),
        words={"slug": group.slug},
        layout="producers/group_desk.html",
        context={"group": group, "tab": "about"},
        scopes=GROUP_SCOPES,
    )


router = programs.desk("group", "/desk/groups/{slug}/programs", group_spot)
