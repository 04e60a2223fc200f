"""Every group has a cloth of its own, and always the same one."""

import hashlib
import xml.etree.ElementTree as ET

import pytest

from producers.cloth import cloth_svg

NAMES = [f"กลุ่มทอผ้าบ้าน{place} หมู่ {number}" for place in ("ดอน", "โนน", "หนอง", "ท่า", "คลอง") for number in range(100)]


def test_the_same_name_gives_the_same_bytes_for_ever() -> None:
    cloth = cloth_svg("กลุ่มผักอินทรีย์ (ตัวอย่าง)")
    assert cloth == cloth_svg("กลุ่มผักอินทรีย์ (ตัวอย่าง)")
    assert hashlib.sha256(cloth.encode()).hexdigest()[:16] == "779c29c2071fb995"


def test_names_that_read_the_same_share_a_cloth() -> None:
    assert cloth_svg(" Ko\u0301 Yo weavers ") == cloth_svg("K\u00f3 Yo weavers")


@pytest.mark.parametrize("kind", ["card", "band"])
def test_five_hundred_groups_have_five_hundred_cloths(kind: str) -> None:
    assert len({cloth_svg(name, kind=kind) for name in NAMES}) == len(NAMES) == 500  # type: ignore[arg-type]


def test_a_cloth_is_small_and_well_formed() -> None:
    for name in [*NAMES, "", "<script>&\"'", "ก" * 2000]:
        cloth = cloth_svg(name)
        assert _drawn(cloth).tag == "{http://www.w3.org/2000/svg}svg"
        assert len(cloth.encode()) < 12_000


def test_a_cloth_carries_neither_script_nor_style_nor_the_name() -> None:
    cloth = cloth_svg("<script>alert(1)</script>")
    assert not any(word in cloth for word in ("script", "style", "alert", 'href="http', "onload"))


def test_every_reference_in_a_cloth_finds_its_drawing() -> None:
    for name in NAMES[:100]:
        tree = _drawn(cloth_svg(name))
        ids = [node.attrib["id"] for node in tree.iter() if "id" in node.attrib]
        wanted = {node.attrib["href"][1:] for node in tree.iter() if "href" in node.attrib}
        assert len(ids) == len(set(ids))
        assert wanted <= set(ids)


def test_all_looms_are_in_use() -> None:
    marks = {"check": "mask", "ikat": 'id="q"', "water": 'id="v"', "batik": 'id="p"'}
    seen = {loom for name in NAMES for loom, mark in marks.items() if mark in cloth_svg(name)}
    assert seen == set(marks)


def _drawn(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314  drawn by ourselves a moment ago
