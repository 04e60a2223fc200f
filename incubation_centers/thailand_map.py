"""The country drawn as a map of provinces, regions tinted, centres as numbered pins; drawn here, not fetched as tiles.

The outlines (`thailand_map.json`) are a Mercator projection; they come from MapSVG by way of svg-maps, CC BY 4.0, and
the page that shows the map credits them.  Pins are ordinary links with names, so the map works by keyboard and by ear.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import asinh, hypot, radians, tan
from pathlib import Path
from typing import Any

from markupsafe import Markup

from app.language import N_, Language, translate

WEST, EAST, NORTH, SOUTH = 97.3436, 105.6369, 20.4649, 5.6129
"""What the drawing's edges touch, in degrees: the country's own outermost points."""
INSET = 0.5
PIN = 19
APART = 46
"""Least distance between two pins: 26 px on a phone of 360 px, where the map is 328 px wide."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A centre on the map: where it is (degrees), what it is called and where its page is."""

    number: int
    label: str
    href: str
    latitude: float
    longitude: float


def map_svg(pins: Sequence[Pin], region_of: Mapping[str, str], lang: Language) -> Markup:
    """Draw the map for a page; `region_of` gives the region id of each two-digit province code."""
    outlines = _outlines()
    provinces = Markup("").join(
        Markup('<path class="map-province map-{}" d="{}"/>').format(region_of.get(code, "none"), path)
        for code, path in outlines["provinces"].items()
    )
    places = [project(pin.latitude, pin.longitude) for pin in pins]
    links = Markup("").join(
        _pin(pin, place, spot) for pin, place, spot in zip(pins, places, _kept_apart(places), strict=True)
    )
    return Markup(
        '<svg class="map" viewBox="0 0 {} {}" role="group" aria-label="{}">'
        '<g aria-hidden="true">{}<path class="map-water" d="{}"/></g>{}</svg>'
    ).format(
        outlines["width"],
        outlines["height"],
        translate(lang, N_("Map of Thailand with the centres")),
        provinces,
        outlines["lake"],
        links,
    )


def project(latitude: float, longitude: float) -> tuple[float, float]:
    """Where a place lies on the drawing."""
    outlines = _outlines()
    across = (longitude - WEST) / (EAST - WEST)
    down = (_mercator(NORTH) - _mercator(latitude)) / (_mercator(NORTH) - _mercator(SOUTH))
    return INSET + across * (outlines["width"] - 2 * INSET), INSET + down * (outlines["height"] - 2 * INSET)


def _pin(pin: Pin, place: tuple[float, float], spot: tuple[float, float]) -> Markup:
    (x, y), (x1, y1) = spot, place
    line = Markup('<line x1="{:.0f}" y1="{:.0f}" x2="{:.0f}" y2="{:.0f}"/>').format(x1, y1, x, y)
    return Markup(
        '<a class="map-pin" href="{href}" aria-label="{label}"><title>{label}</title>{line}'
        '<circle class="map-reach" cx="{x:.0f}" cy="{y:.0f}" r="{reach}"/><circle cx="{x:.0f}" cy="{y:.0f}" r="{size}"/>'
        '<text x="{x:.0f}" y="{low:.0f}">{number}</text></a>'
    ).format(
        href=pin.href,
        label=pin.label,
        line=line if hypot(x - x1, y - y1) > PIN / 2 else "",
        x=x,
        y=y,
        low=y + 7,
        reach=PIN + 8,
        size=PIN,
        number=pin.number,
    )


def _kept_apart(places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Push pins that would cover each other apart, a little at a time; a line will lead back to their place."""
    spots = list(places)
    for _ in range(60):
        for i in range(len(spots)):
            for j in range(i):
                spots[i], spots[j] = _pushed(spots[i], spots[j])
    return [(_within(x, _outlines()["width"]), _within(y, _outlines()["height"])) for x, y in spots]


def _pushed(a: tuple[float, float], b: tuple[float, float]) -> tuple[tuple[float, float], tuple[float, float]]:
    dx, dy = a[0] - b[0], a[1] - b[1]
    distance = hypot(dx, dy)
    if distance >= APART:
        return a, b
    if distance == 0:
        dx, distance = 1.0, 1.0
    push = (APART - distance) / 2 / distance
    return (a[0] + dx * push, a[1] + dy * push), (b[0] - dx * push, b[1] - dy * push)


def _within(at: float, size: float) -> float:
    return min(max(at, PIN + 2), size - PIN - 2)


def _mercator(latitude: float) -> float:
    return asinh(tan(radians(latitude)))


@cache
def _outlines() -> dict[str, Any]:
    outlines: dict[str, Any] = json.loads(Path(__file__).with_name("thailand_map.json").read_text("utf8"))
    return outlines
