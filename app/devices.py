"""Which device somebody signed in with, as they would say it: "Android · LINE", not what a browser calls itself.

Only this name is kept: it is enough to recognise one's own phone, and a browser's whole story would tell far more.
"""

import re
from typing import Final

SYSTEMS: Final = (
    ("iPhone", r"iPhone|iPod"),
    ("iPad", r"iPad"),
    ("Android", r"Android"),
    ("Windows", r"Windows"),
    ("Chromebook", r"CrOS|Chromebook"),
    ("Mac", r"Mac"),
    ("Linux", r"Linux|X11"),
)
"""The first that fits counts; iPhones also call themselves Macs, and Android phones Linux."""
BROWSERS: Final = (
    ("LINE", r"\bLine/|\bLINE\b"),
    ("Facebook", r"FBA[NV]|FB_IAB|Facebook"),
    ("Instagram", r"Instagram"),
    ("TikTok", r"musical_ly|BytedanceWebview|TikTok"),
    ("Edge", r"Edg(e|A|iOS)?\b"),
    ("Opera", r"OPR/|Opera"),
    ("Samsung Internet", r"Samsung ?(Browser|Internet)"),
    ("Firefox", r"Firefox|FxiOS"),
    ("Chrome", r"Chrome|CriOS"),
    ("Safari", r"Safari"),
)
"""Those that live inside an app first, then those that also call themselves Chrome or Safari."""


def named(user_agent: str) -> str:
    """Name a device by what its browser says of itself; a name that was kept stays as it is, the unknown is "" ."""
    parts = (_first(SYSTEMS, user_agent), _first(BROWSERS, user_agent))
    return " · ".join(filter(None, parts))


def _first(kinds: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for name, pattern in kinds if re.search(pattern, text)), "")
