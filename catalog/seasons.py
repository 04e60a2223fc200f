"""Seasons: the months in which something is there, told by the first and the last of them (1 to 12).

A season may run over the year's end: November to February is (11, 2).
"""

from datetime import date
from typing import Literal, NamedTuple

from babel.dates import get_month_names

from app.language import Bilingual, Language


class Season(NamedTuple):
    first: int
    last: int

    def holds(self, day: date) -> bool:
        if self.first <= self.last:
            return self.first <= day.month <= self.last
        return day.month >= self.first or day.month <= self.last

    def words(self) -> Bilingual:
        """Say it in short: "พ.ค.–ก.ค.", "May–Jul"."""
        return Bilingual(self._in("th"), self._in("en"))

    def begins(self) -> Bilingual:
        """Name its first month: "พฤษภาคม", "May"."""
        return Bilingual(_month(self.first, "th", "wide"), _month(self.first, "en", "wide"))

    def _in(self, lang: Language) -> str:
        months = dict.fromkeys((_month(self.first, lang), _month(self.last, lang)))
        return "–".join(months)


def _month(month: int, lang: Language, width: Literal["abbreviated", "wide"] = "abbreviated") -> str:
    return str(get_month_names(width, locale=lang)[month])
