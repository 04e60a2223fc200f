"""docs/operating.md says what the code does: its table of settings, its figures."""

import re

import pytest

from app.language import ROOT
from app.settings import Settings, table

PAGE = (ROOT / "docs/operating.md").read_text()


def test_the_table_of_settings_is_the_codes_own() -> None:
    assert table() in PAGE, "run `make docs`"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_says_what_it_does(name: str) -> None:
    assert Settings.model_fields[name].description


def test_every_figure_is_explained_and_none_is_invented() -> None:
    text = "".join(path.read_text() for room in ROOT.glob("*/metrics.py") for path in [room])
    text += (ROOT / "app/meters.py").read_text()
    told = {
        f"{name}_total" if name == "market_slow_statements" else name for name in re.findall(r'"(market_\w+)"', text)
    }
    assert set(re.findall(r"^\| `(market_\w+)`", PAGE, re.MULTILINE)) == told
