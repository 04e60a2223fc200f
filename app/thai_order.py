"""Thai alphabetical order as a stored key, because the embedded PostgreSQL only compares bytes (collation C.UTF-8).

After the rules of the Royal Institute's dictionary (พจนานุกรม ฉบับราชบัณฑิตยสถาน): words go by consonant and then by
vowel; a vowel written in front of its consonant (เ แ โ ใ ไ) counts as standing behind it; tone marks, ็ and ์ count
only between words that are otherwise spelt alike.  ฤ stands behind ร and ฦ behind ล.  Unicode has the letters in that
order already, so UTF-8's bytes compare rightly once vowels are moved and marks are put aside.

Figures come before Latin letters, these before Thai ones; case, accents, spaces and punctuation decide nothing.
"""

import re
import unicodedata
from typing import Final


def sort_key(text: str) -> str:
    """Return a string whose UTF-8 bytes compare as Thai dictionaries order words: letters first, then their marks."""
    letters = _BETWEEN.sub("", _plain(text))
    spoken = _LEADING_VOWEL.sub(r"\2\1", letters)
    return f"{_MARKS.sub('', spoken)}{_LEVEL}{spoken}"


_LEADING_VOWEL: Final = re.compile("([เแโใไ])([ก-ฮ])")
_MARKS: Final = re.compile("[็่้๊๋์๎]")
_BETWEEN: Final = re.compile("[^0-9a-zก-ฮะ-ฺเ-ๅ็-๎\u0100-\u0dff\u0e80-\U0010ffff]")
_LEVEL: Final = "\x1f"
"""Parts the two levels; smaller than every letter, so that a word goes before the words that begin with it."""
_ACCENTS: Final = re.compile("[\u0300-\u036f]")
#: What is written in two ways counts as one: Thai figures, the long ๅ behind ฤ and ฦ, เ twice for แ.
_ALIKE: Final = str.maketrans("๐๑๒๓๔๕๖๗๘๙ๅ", "0123456789า")
_SARA_AM: Final = re.compile("ํ([็-๋]?)า")


def _plain(text: str) -> str:
    composed = unicodedata.normalize("NFC", text.casefold()).translate(_ALIKE).replace("เเ", "แ")
    whole = _SARA_AM.sub(r"\1ำ", composed)
    return _ACCENTS.sub("", unicodedata.normalize("NFD", whole))
