"""Thai dictionary order as a stored key, because the embedded PostgreSQL compares bytes (collation C.UTF-8).

After the Royal Institute's dictionary: a leading vowel is read behind its consonant, tone marks and the silencer only
decide between words that are otherwise equal.  Latin letters come before Thai ones, without regard to case.
"""

import re
import unicodedata
from typing import Final

_LEADING_VOWEL: Final = re.compile("([เแโใไ])([ก-ฮ])")
_MARKS: Final = re.compile("[็-๎]")


def sort_key(text: str) -> str:
    """Return a string whose bytes sort as a Thai dictionary does: letters first, then the marks that were left out."""
    plain = unicodedata.normalize("NFC", text).casefold().strip()
    swapped = _LEADING_VOWEL.sub(r"\2\1", plain)
    return f"{_MARKS.sub('', swapped)}\x1f{swapped}"
