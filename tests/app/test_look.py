"""The look keeps its promises: readable in the sun, light to load, no icon without its drawing, nothing from outside."""

import re
from pathlib import Path

import pytest

from app.language import ROOMS, ROOT

STATIC = ROOT / "app/static"
CSS = (STATIC / "market.css").read_text("utf8")
LIGHT, DARK = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[:2]
TEXT_INKS = ("ink", "soft", "accent", "leaf", "turmeric", "sea", "wrong")


def templates() -> list[Path]:
    return sorted(path for room in ROOMS for path in (ROOT / room / "templates").rglob("*.html"))


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ink", TEXT_INKS)
@pytest.mark.parametrize("ground", ["paper", "card"])
def test_words_can_be_read_on_paper_and_cards(scheme: str, ink: str, ground: str) -> None:
    assert contrast(token(scheme, ink), token(scheme, ground)) >= 4.5


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "ground"),
    [("on-accent", "accent"), ("leaf", "leaf-tint"), ("turmeric", "turmeric-tint"), ("sea", "sea-tint"),
     ("wrong", "wrong-tint"), ("accent", "accent-tint"), ("soft", "sunk")],
)  # fmt: skip
def test_words_can_be_read_on_their_tints(scheme: str, ink: str, ground: str) -> None:
    assert contrast(token(scheme, ink), token(scheme, ground)) >= 4.5


def test_desks_can_be_read_in_the_sun() -> None:
    light, dark = re.findall(r"--soft: (#\w{6});", CSS[CSS.index("@layer desk") :])[:2]
    assert contrast(light, token(LIGHT, "paper")) > 7
    assert contrast(dark, token(DARK, "paper")) > 7


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_edges_of_fields_can_be_seen(scheme: str) -> None:
    assert contrast(token(scheme, "edge"), token(scheme, "card")) >= 3


def test_the_style_sheet_is_light_and_asks_nobody_else() -> None:
    assert len(CSS.encode()) < 44_000
    assert not re.search(r"@import|url\((?!\"data:)", CSS)


@pytest.mark.parametrize("path", templates(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_icon_named_in_a_template_is_drawn(path: Path) -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text("utf8")))
    assert set(re.findall(r'\bicon\("([\w-]+)"', path.read_text("utf8"))) <= drawn


#: What people take home in a file, where no style sheet of ours is at hand.
TAKEN_HOME = {"my_data_file.html"}


@pytest.mark.parametrize(
    "path",
    [path for path in templates() if path.name not in TAKEN_HOME],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_template_has_neither_style_nor_script_of_its_own(path: Path) -> None:
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]*(src=|ld\+json))", path.read_text("utf8"))


def token(scheme: str, name: str) -> str:
    found = re.search(rf"--{name}: (#[0-9A-Fa-f]{{6}})", scheme)
    assert found
    return found[1]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
