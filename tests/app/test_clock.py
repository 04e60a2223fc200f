"""The clock: Bangkok days, Buddhist years, and a stop that every task and thread of a test sees."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import clock
from app.clock import BANGKOK, business_day, month_label, month_of, months_back, start_of_day, thai_date, thai_datetime

NOON = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
LAST_NIGHT_IN_UTC = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)


def test_the_running_clock_tells_utc() -> None:
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)
    assert clock.now().utcoffset() == timedelta(0)


def test_a_frozen_clock_stands_until_it_jumps_and_then_runs_again() -> None:
    with clock.frozen(NOON) as time:
        assert clock.now() == clock.now() == NOON
        assert time.jump(timedelta(hours=1)) == clock.now() == NOON + timedelta(hours=1)
        time.jump(-timedelta(days=1))
        assert business_day() == date(2026, 11, 22)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)


def test_an_inner_stop_gives_the_outer_one_back_even_after_an_error() -> None:
    with clock.frozen(NOON):
        with pytest.raises(RuntimeError), clock.frozen(NOON + timedelta(days=9)):
            raise RuntimeError
        assert clock.now() == NOON


async def _now_in_task() -> datetime:
    await asyncio.sleep(0)
    return clock.now()


def test_tasks_and_threads_see_the_same_stopped_clock() -> None:
    seen: list[datetime] = []
    with clock.frozen(NOON) as time:
        time.jump(timedelta(minutes=5))
        thread = threading.Thread(target=lambda: seen.append(clock.now()))
        thread.start()
        thread.join()
        seen.append(asyncio.run(_now_in_task()))
    assert seen == [NOON + timedelta(minutes=5)] * 2


@pytest.mark.parametrize("ask", [business_day, lambda at: thai_datetime(at, "th"), clock.FrozenClock])
def test_a_moment_without_a_zone_is_refused(ask: Callable[[datetime], object]) -> None:
    with pytest.raises(ValueError, match="zone"):
        ask(datetime(2026, 11, 23, 12, 0))  # noqa: DTZ001 - what is refused


def test_the_trade_day_turns_at_midnight_in_bangkok() -> None:
    assert business_day(LAST_NIGHT_IN_UTC - timedelta(microseconds=1)) == date(2026, 11, 22)
    assert business_day(LAST_NIGHT_IN_UTC) == date(2026, 11, 23)
    assert business_day(LAST_NIGHT_IN_UTC.astimezone(timezone(timedelta(hours=-8)))) == date(2026, 11, 23)


@given(st.dates(date(1970, 1, 1), date(2100, 1, 1)))
def test_a_day_starts_once_and_belongs_to_itself(day: date) -> None:
    start = start_of_day(day)
    assert start.tzinfo is UTC
    assert business_day(start) == day
    assert business_day(start - timedelta(microseconds=1)) == day - timedelta(days=1)
    assert start_of_day(day + timedelta(days=1)) - start == timedelta(hours=24)


def test_twelve_months_end_with_the_days_own() -> None:
    months = months_back(date(2026, 2, 28))
    assert months[0] == date(2025, 3, 1)
    assert months[-1] == month_of(date(2026, 2, 28)) == date(2026, 2, 1)
    assert len(months) == 12
    assert months_back(date(2026, 1, 1), 2) == [date(2025, 12, 1), date(2026, 1, 1)]


@given(st.dates(date(1900, 1, 1)), st.integers(1, 60))
def test_months_follow_one_another(day: date, n: int) -> None:
    months = months_back(day, n)
    assert all(month_of(one + timedelta(days=31)) == other for one, other in pairwise(months))


@pytest.mark.parametrize(
    ("style", "thai", "english"),
    [
        ("long", "3 กันยายน 2569", "3 September 2026"),
        ("medium", "3 ก.ย. 2569", "3 Sep 2026"),
        ("short", "3/9/69", "3 Sep 26"),
    ],
)
def test_a_date_has_a_buddhist_year_in_thai_only(style: clock.Style, thai: str, english: str) -> None:
    assert thai_date(date(2026, 9, 3), "th", style) == thai
    assert thai_date(date(2026, 9, 3), "en", style) == english


def test_a_moment_is_told_in_bangkok_time() -> None:
    at = datetime(2026, 11, 23, 17, 5, tzinfo=UTC)
    assert thai_datetime(at, "th") == "24 พ.ย. 2569 00:05 น."
    assert thai_datetime(at, "en") == "24 Nov 2026, 00:05"
    assert thai_datetime(at.astimezone(BANGKOK), "th", "long") == "24 พฤศจิกายน 2569 00:05 น."
    assert thai_date(at, "en") == "24 November 2026"


def test_a_month_fits_under_a_bar_of_a_plot() -> None:
    assert month_label(date(2026, 11, 1), "th") == "พ.ย. 69"
    assert month_label(date(2026, 11, 1), "en") == "Nov 26"
    assert month_label(date(2057, 1, 1), "th") == "ม.ค. 00"
