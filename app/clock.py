"""The market's clock: UTC moments inside, Bangkok days and Buddhist years for people.

Everything asks `now()`, so that a test can stop the clock and jump over the end of a hold or a round.  A trade day
(`business_day`) is a day in Bangkok, whatever the server's zone; Thailand has no summer time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from babel.dates import get_month_names

from app.language import Language

BANGKOK: Final = ZoneInfo("Asia/Bangkok")
BUDDHIST_ERA: Final = 543
"""Years to add to a Gregorian year."""

Style = Literal["long", "medium", "short"]


class FrozenClock:
    """A clock that stands still until it is told to jump; all tasks and threads of the process see the same."""

    def __init__(self, at: datetime) -> None:
        self._at = _aware(at)

    def now(self) -> datetime:
        return self._at

    def jump(self, by: timedelta) -> datetime:
        """Move the clock by `by` (backwards too) and return the new moment."""
        self._at += by
        return self._at


_frozen: FrozenClock | None = None


def now() -> datetime:
    """Return this moment, aware, in UTC."""
    return datetime.now(UTC) if _frozen is None else _frozen.now()


@contextmanager
def frozen(at: datetime) -> Iterator[FrozenClock]:
    """Stop the clock of this process at `at` (aware), for tests; the clock before comes back at the end."""
    global _frozen
    before, _frozen = _frozen, FrozenClock(at)
    try:
        yield _frozen
    finally:
        _frozen = before


def business_day(at: datetime | None = None) -> date:
    """Return the trade day in Bangkok of `at` (aware; now when left out)."""
    return (_aware(at) if at is not None else now()).astimezone(BANGKOK).date()


def start_of_day(day: date) -> datetime:
    """Return the first moment (UTC) of a Bangkok trade day; the day ends where the next one starts."""
    return datetime.combine(day, time.min, BANGKOK).astimezone(UTC)


def month_of(day: date) -> date:
    """Return the first day of the day's month: how months are stored and compared."""
    return date(day.year, day.month, 1)


def months_back(day: date, n: int = 12) -> list[date]:
    """Return the first days of the `n` months that end with the day's own, oldest first."""
    last = day.year * 12 + day.month - 1
    return [date(month // 12, month % 12 + 1, 1) for month in range(last - n + 1, last + 1)]


def thai_date(day: date, lang: Language, style: Style = "long") -> str:
    """Write a date as the reader says it: "23 พฤศจิกายน 2569" in Thai, "23 November 2026" in English.

    Medium "23 พ.ย. 2569" / "23 Nov 2026"; short "23/11/69" / "23 Nov 26" (an all-digit English date can be read
    two ways).  A datetime counts as its Bangkok day.
    """
    if isinstance(day, datetime):
        day = business_day(day)
    year = _year(day, lang)
    if style == "short":
        return f"{day.day}/{day.month}/{year % 100:02}" if lang == "th" else f"{day.day} {month_label(day, lang)}"
    return f"{day.day} {_month(day, lang, wide=style == 'long')} {year}"


def thai_datetime(at: datetime, lang: Language, style: Style = "medium") -> str:
    """Write a moment (aware) in Bangkok time: "23 พ.ย. 2569 14:05 น.", "23 Nov 2026, 14:05"."""
    clock = f"{_aware(at).astimezone(BANGKOK):%H:%M}"
    day = thai_date(at, lang, style)
    return f"{day} {clock} น." if lang == "th" else f"{day}, {clock}"


def month_label(day: date, lang: Language) -> str:
    """Name a month where room is short: "พ.ย. 69", "Nov 26"."""
    return f"{_month(day, lang, wide=False)} {_year(day, lang) % 100:02}"


def _month(day: date, lang: Language, *, wide: bool) -> str:
    # Babel knows the names, but writes Christian-era years in Thai ("ค.ศ. 2026"); hence the year of our own.
    return str(get_month_names("wide" if wide else "abbreviated", locale=lang)[day.month])


def _year(day: date, lang: Language) -> int:
    return day.year + BUDDHIST_ERA if lang == "th" else day.year


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return at.astimezone(UTC)
