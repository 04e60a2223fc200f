"""Plots say in words what they show, and draw it in proportion."""

import re
import xml.etree.ElementTree as ET

import pytest

from app.language import Language
from app.money import Satang
from app.plots import Row, bars_horizontal, bars_plan_actual

MONTHS = [
    f"{name} 69"
    for name in ("ม.ค.", "ก.พ.", "มี.ค.", "เม.ย.", "พ.ค.", "มิ.ย.", "ก.ค.", "ส.ค.", "ก.ย.", "ต.ค.", "พ.ย.", "ธ.ค.")
]
PLAN = [Satang(500_000)] * 12
SVG = "{http://www.w3.org/2000/svg}"


def drawn(svg: str) -> ET.Element:
    return ET.fromstring(str(svg).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))  # noqa: S314  our own


def heights(plot: ET.Element, ink: str) -> list[float]:
    return [float(bar.attrib["height"]) for bar in plot.iter(f"{SVG}rect") if bar.attrib["class"] == ink][1:]


def test_a_plot_is_an_image_with_its_figures_in_words() -> None:
    plot = drawn(bars_plan_actual(MONTHS, PLAN, [Satang(120_000), *[None] * 11], "th"))
    told = plot.findtext(f"{SVG}desc") or ""
    assert plot.attrib["role"] == "img"
    assert "ม.ค. 69" in told
    assert "฿5,000" in told
    assert "฿1,200" in told


def test_its_names_are_found_where_the_image_points() -> None:
    plot = drawn(bars_plan_actual(MONTHS, PLAN, [None] * 12, "en"))
    ids = {node.attrib["id"] for node in plot.iter() if "id" in node.attrib}
    assert set(plot.attrib["aria-labelledby"].split()) == ids


def test_twice_the_money_is_twice_the_height() -> None:
    plot = drawn(bars_plan_actual(MONTHS, PLAN, [Satang(100_000), Satang(200_000), *[None] * 10], "th"))
    small, large = heights(plot, "plot-actual")
    assert large == pytest.approx(2 * small, abs=0.2)


@pytest.mark.parametrize("lang", ["th", "en"])
def test_a_year_without_plan_or_sales_still_draws(lang: Language) -> None:
    plot = drawn(bars_plan_actual(MONTHS, [Satang(0)] * 12, [Satang(0)] * 12, lang))
    assert heights(plot, "plot-actual") == []


def test_no_bar_leaves_the_picture() -> None:
    plot = drawn(bars_plan_actual(MONTHS, [Satang(m * 999_999_937) for m in range(12)], [Satang(1)] * 12, "th"))
    _, _, width, height = map(float, plot.attrib["viewBox"].split())
    for bar in plot.iter(f"{SVG}rect"):
        assert 0 <= float(bar.attrib["y"]) <= height
        assert float(bar.attrib["x"]) + float(bar.attrib["width"]) <= width


def test_rows_keep_their_order_and_their_words() -> None:
    plot = bars_horizontal([Row("กะปิ", 12, "12 กระปุก"), Row("กุ้งแห้ง", 5, "5 ถุง", "b")], "ขายดี")
    assert drawn(plot).findtext(f"{SVG}desc") == "กะปิ: 12 กระปุก; กุ้งแห้ง: 5 ถุง"
    assert 'class="plot-b"' in plot


def test_names_of_goods_cannot_break_out_of_the_drawing() -> None:
    plot = bars_horizontal([Row('<script>"&', 1, "<b>")], "a & b")
    assert "<script" not in plot
    assert drawn(plot).findtext(f"{SVG}title") == "a & b"


def test_plots_carry_no_style_of_their_own() -> None:
    plot = bars_plan_actual(MONTHS, PLAN, [None] * 12, "th")
    assert not re.search(r"\bstyle=|fill=|stroke=", plot)
