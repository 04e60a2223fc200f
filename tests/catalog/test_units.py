"""What a unit's name tells, as groups write it."""

import pytest

from catalog import units


@pytest.mark.parametrize(
    ("unit_th", "grams"),
    [
        ("กก.", 1000),
        ("กิโล", 1000),
        ("ถุง 500 ก.", 500),
        ("ถุง ๑ กก.", 1000),
        ("กระสอบ 25 กก.", 25_000),
        ("ซอง 2 ขีด", 200),
    ],
)
def test_the_weight_is_read_off_the_unit(unit_th: str, grams: int) -> None:
    assert units.weight_g(unit_th) == grams


@pytest.mark.parametrize("unit_th", ["ถุง", "กำ", "กล่อง 20 ซอง", "ขวด 700 มล.", "คน 2 ชม.", "ผืน 2 เมตร", ""])
def test_a_unit_without_a_weight_tells_none(unit_th: str) -> None:
    assert units.weight_g(unit_th) is None


@pytest.mark.parametrize(
    ("unit_th", "english"),
    [("กก.", "kg"), ("กก", "kg"), ("กระปุก 500 ก.", "500 g jar"), ("ขวด ๗๐๐ มล.", "700 ml bottle"), ("คน", "person")],
)
def test_common_units_are_known_in_english(unit_th: str, english: str) -> None:
    assert units.english(unit_th) == english


@pytest.mark.parametrize("unit_th", ["พวง", "กล่อง 20 ซอง", "คน (4–12)", ""])
def test_an_uncommon_unit_stays_thai(unit_th: str) -> None:
    assert units.english(unit_th) is None
