"""The map puts places where they are, and its pins can be read, reached and told apart."""

import re
import xml.etree.ElementTree as ET
from itertools import combinations
from math import hypot

import pytest

from app.places import provinces, region_of
from incubation_centers.thailand_map import PIN, Pin, _outlines, map_svg, project

REGION_OF = {province.code: region_of(province.code).id for province in provinces()}

#: Towns at the ends and in the middle of the country: province code, latitude, longitude.
TOWNS = [
    ("50", 18.79, 98.99), ("57", 19.91, 99.83), ("58", 19.30, 97.97), ("63", 16.88, 99.13), ("38", 18.36, 103.65),
    ("34", 15.24, 104.85), ("49", 16.54, 104.72), ("30", 14.97, 102.10), ("10", 13.75, 100.50), ("23", 12.24, 102.51),
    ("71", 14.02, 99.53), ("77", 11.81, 99.79), ("86", 10.49, 99.18), ("83", 7.95, 98.34), ("90", 7.00, 100.48),
    ("95", 6.54, 101.28), ("96", 6.42, 101.82),
]  # fmt: skip


def pins(*places: tuple[float, float]) -> list[Pin]:
    return [Pin(n, f"ศูนย์ {n}", f"/centers/{n}", *place) for n, place in enumerate(places, 1)]


@pytest.mark.parametrize(("code", "latitude", "longitude"), TOWNS)
def test_a_town_lies_in_its_province(code: str, latitude: float, longitude: float) -> None:
    spot = project(latitude, longitude)
    found = [c for c, path in _outlines()["provinces"].items() if any(_holds(ring, spot) for ring in _rings(path))]
    assert found == [code]


def test_all_seventy_seven_provinces_are_drawn_in_their_regions() -> None:
    classes = re.findall(r'class="map-province map-([a-z-]+)"', map_svg([], REGION_OF, "th"))
    assert len(classes) == 77
    assert set(classes) == set(REGION_OF.values())


def test_a_pin_is_a_link_with_a_name() -> None:
    drawing = _drawn(map_svg([Pin(7, 'ตาก "ริมน้ำ"', "/centers/tak?a=1&b=2", 16.88, 99.13)], REGION_OF, "th"))
    (link,) = drawing.iter("a")
    assert link.attrib["aria-label"] == 'ตาก "ริมน้ำ"'
    assert link.attrib["href"] == "/centers/tak?a=1&b=2"


def test_pins_of_one_place_do_not_cover_each_other() -> None:
    drawing = _drawn(map_svg(pins(*[(13.66, 100.39)] * 5), REGION_OF, "en"))
    spots = [(float(text.attrib["x"]), float(text.attrib["y"])) for text in drawing.iter("text")]
    assert min(hypot(a[0] - b[0], a[1] - b[1]) for a, b in combinations(spots, 2)) > 2 * PIN


def test_a_pin_that_was_moved_leads_back_to_its_place() -> None:
    drawing = _drawn(map_svg(pins((13.66, 100.39), (13.67, 100.40)), REGION_OF, "en"))
    assert len(list(drawing.iter("line"))) == 2


def test_the_drawing_credits_its_makers() -> None:
    assert "MapSVG" in _outlines()["credit"]
    assert "CC BY 4.0" in _outlines()["licence"]


def _drawn(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314  our own drawing


def _rings(path: str) -> list[list[tuple[float, float]]]:
    rings = []
    for part in path.split("M")[1:]:
        numbers = [float(n) for n in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", part)]
        ring = [(numbers[0], numbers[1])]
        for dx, dy in zip(numbers[2::2], numbers[3::2], strict=True):
            ring.append((ring[-1][0] + dx, ring[-1][1] + dy))
        rings.append(ring)
    return rings


def _holds(ring: list[tuple[float, float]], spot: tuple[float, float]) -> bool:
    x, y = spot
    crossings = 0
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        crossings += (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1
    return crossings % 2 == 1
