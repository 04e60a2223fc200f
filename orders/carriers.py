"""Parcel carriers in Thailand and where each shows a parcel's way.

Addresses change: `CARRIER_LINKS` (JSON: name → address with {number}) adds carriers or replaces what stands here.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from app.language import Bilingual
from app.settings import settings


@dataclass(frozen=True, slots=True)
class Carrier:
    """`link` has {number} where the tracking number goes."""

    code: str
    name: Bilingual
    link: str


ANY: Final = Carrier("other", Bilingual("ขนส่งอื่น", "Another carrier"), "https://t.17track.net/th#nums={number}")
"""A site that knows most carriers of the world."""

CARRIERS: Final = (
    Carrier(
        "thailand-post",
        Bilingual("ไปรษณีย์ไทย", "Thailand Post"),
        "https://track.thailandpost.co.th/?trackNumber={number}",
    ),
    Carrier("flash", Bilingual("Flash Express"), "https://www.flashexpress.co.th/tracking/?se={number}"),
    Carrier("kex", Bilingual("KEX (Kerry)"), "https://th.kex-express.com/th/track/?track={number}"),
    # J&T has changed its address several times; the general site finds its parcels.
    Carrier("jt", Bilingual("J&T Express"), ANY.link),
    Carrier("dhl", Bilingual("DHL"), "https://www.dhl.com/th-th/home/tracking.html?tracking-id={number}"),
)


def carriers() -> list[Carrier]:
    """Return the carriers to choose from, the unnamed one last."""
    links = {_code(name): (name, link) for name, link in settings().carrier_links.items()}
    known = [Carrier(each.code, each.name, links.pop(each.code, ("", each.link))[1]) for each in CARRIERS]
    added = [Carrier(code, Bilingual(name), link) for code, (name, link) in links.items()]
    return [*known, *added, ANY]


def carrier(code: str | None) -> Carrier:
    """Return a carrier by code; one we do not know is any carrier."""
    return next((known for known in carriers() if known.code == code), ANY)


def tracking_link(code: str | None, number: str) -> str:
    """Where the parcel can be followed."""
    return carrier(code).link.replace("{number}", quote(number, safe=""))


def _code(name: str) -> str:
    return "-".join(name.lower().split())
