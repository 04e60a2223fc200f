"""The trail in plain words: "looked at order 483 920", for people who never saw the name of a route.

What matters most has a sentence of its own; everything else says which part of the desk it was.
"""

from typing import Final

from app.language import N_, Message
from app.trail import HIDDEN, Sight, TrailEntry

SAID: Final = {
    "group_desk": N_("looked at the orders"),
    "group_picking": N_("looked at what has to be packed"),
    "group_order": N_("looked at order %(about)s"),
    "group_packing_slip": N_("opened the packing slip of order %(about)s"),
    "group_pack": N_("marked order %(about)s as packed"),
    "group_hand_over": N_("handed over order %(about)s"),
    "group_tracking": N_("changed the tracking number of order %(about)s"),
    "staff_order": N_("looked at order %(about)s"),
    "staff_find_order": N_("looked for an order"),
    "staff_cancel_order": N_("cancelled order %(about)s"),
    "staff_cancel_part": N_("took a part out of order %(about)s"),
    "slip_picture": N_("looked at the picture of a slip"),
    "center_slip_picture": N_("looked at the picture of a slip"),
    "staff_slips": N_("looked at the slips"),
    "slips": N_("looked at the slips"),
    "center_slips": N_("looked at the slips"),
    "center_slip": N_("looked at a slip"),
    "accept_slip": N_("confirmed a slip"),
    "accept_center_slip": N_("confirmed a slip"),
    "refuse_slip": N_("refused a slip"),
    "refuse_center_slip": N_("refused a slip"),
    "staff_refunds": N_("looked at money to pay back"),
    "refunds": N_("looked at money to pay back"),
    "finish_refund": N_("noted that money was paid back"),
    "staff_notices": N_("read notices to people"),
    "staff_trail": N_("looked at this trail"),
    "group_trail": N_("looked at this trail"),
    "center_demand_xlsx": N_("took the centre's sheet along"),
    "center_demand_print": N_("printed the centre's sheet"),
    "take_group_money": N_("changed where the money goes"),
    "take_center_account": N_("changed where the money goes"),
    "change_member_role": N_("gave somebody another role"),
    "end_member": N_("ended somebody's membership"),
    "take_invite_member": N_("invited somebody"),
    "approve_group": N_("let the group sell"),
    "close_group": N_("took the group off the market"),
    "group_take_token": N_("made an access key for a program"),
}
"""By route; `%(about)s` is what its address names, an order number said as people say it."""
AREAS: Final = (
    (("listing", "size", "amounts"), N_("looked at the goods"), N_("changed the goods")),
    (
        ("canvas", "market", "cost", "entry", "stream", "plan"),
        N_("looked at the business plan"),
        N_("changed the business plan"),
    ),
    (("certificate",), N_("looked at certificates"), N_("changed certificates")),
    (("member", "invit"), N_("looked at the people"), N_("changed something about the people")),
    (
        ("hook", "token", "program", "delivery", "replay"),
        N_("looked at connected programs"),
        N_("changed connected programs"),
    ),
    (("about", "story", "group"), N_("looked at the group"), N_("changed something about the group")),
    (("center",), N_("looked at the centre's desk"), N_("changed something on the centre's desk")),
)
"""Words in a route's name, and what is said of a look and of a change; the first that fits counts."""
ELSEWHERE: Final = (N_("looked at a desk"), N_("changed something on a desk"))
SIGHTS: Final = {
    Sight.buyer: N_("buyer's phone or address"),
    Sight.slip: N_("picture of a slip"),
    Sight.order: N_("somebody's whole order"),
    Sight.account: N_("account for paying back"),
    Sight.sheet: N_("printed or taken along"),
    Sight.notices: N_("notices to people"),
    Sight.trail: N_("the trail"),
}
SPOKEN_DIGITS: Final = 6


def said(entry: TrailEntry) -> Message:
    """Say what somebody did, as the end of a sentence that begins with their name."""
    words = SAID.get(entry.what) or _by_area(entry)
    return Message(words, {"about": spoken(entry.about[0]) if entry.about else ""})


def sights(entry: TrailEntry) -> list[str]:
    """Name what was seen that is somebody's own business (message ids)."""
    return [SIGHTS[Sight(each)] for each in entry.sights]


def was_refused(entry: TrailEntry) -> bool:
    return entry.status in HIDDEN


def spoken(name: str) -> str:
    """Say an order number as people do; anything else as it is."""
    return f"{name[:-3]} {name[-3:]}" if name.isdecimal() and len(name) >= SPOKEN_DIGITS else name


def _by_area(entry: TrailEntry) -> str:
    for words, looked, changed in AREAS:
        if any(word in entry.what for word in words):
            return changed if entry.is_change else looked
    return ELSEWHERE[entry.is_change]
