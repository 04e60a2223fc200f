"""The plain word search: every word somewhere in a listing's stored text, in any order.

Thai writes no spaces between words, so a word is whatever stands between the spaces somebody typed, and it is found
inside longer ones.  The stored text has the listing's names on its first line, because words in a name count more.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Integer, and_, cast, func
from sqlalchemy.orm import InstrumentedAttribute

MOST_WORDS: Final = 8
LONGEST_TYPED: Final = 200
"""Letters of a question; nobody types more, and what comes behind them is not read."""


def search_text(names: Iterable[str | None], others: Iterable[str | None]) -> str:
    """Return the text to store with a listing: its names, and everything else by which people may look for it."""
    return "\n".join(" ".join(filter(None, map(folded, filter(None, parts)))) for parts in (names, others))


def words_of(typed: str) -> tuple[str, ...]:
    """Return the words to look for, each once; none for a text without any."""
    return tuple(dict.fromkeys(folded(typed[:LONGEST_TYPED]).split()))[:MOST_WORDS]


def holding(text: InstrumentedAttribute[str], words: Sequence[str]) -> ColumnElement[bool]:
    """Condition: the stored text holds every word."""
    return and_(*(text.contains(word, autoescape=True) for word in words))


def in_name(text: InstrumentedAttribute[str], words: Sequence[str]) -> ColumnElement[int]:
    """1 where the names hold every word, 0 where some stand only behind them."""
    names = func.split_part(text, "\n", 1)
    return cast(and_(*(names.contains(word, autoescape=True) for word in words)), Integer)


def folded(text: str) -> str:
    """Return a text in the one form in which words are compared: composed, without capitals, on one line."""
    composed = unicodedata.normalize("NFC", _UNSEEN.sub("", text)).casefold()
    # What looks right on a screen is typed in several ways: sara ae as two sara e, sara am as its two parts.
    whole = _SARA_AM.sub(r"\1ำ", composed.replace("เเ", "แ"))
    return " ".join(whole.split())


_SARA_AM: Final = re.compile("ํ([็-๋]?)า")
#: Nothing that a shopper sees: control characters (but not the blanks), joiners and byte order marks.
_UNSEEN: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f\u200b-\u200d\u2060\ufeff]")
