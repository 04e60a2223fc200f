"""Ten minutes of market day: no error, no leak.  MARKET_DAY_SECONDS makes it shorter or longer."""

import os
from pathlib import Path

import pytest

from tests.bad_days.market_day import MOST_GROWTH, market_day

SECONDS = float(os.environ.get("MARKET_DAY_SECONDS", "600"))


@pytest.mark.long
async def test_a_market_day_ends_without_an_error_and_without_a_leak(
    new_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    day = await market_day(new_home, SECONDS)
    with capsys.disabled():
        print("", *day.told(), sep="\n")  # noqa: T201
    assert day.wrong == {}
    assert day.findings == []
    assert day.growth <= MOST_GROWTH
