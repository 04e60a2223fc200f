"""Units as people write them on a price tag: "กก.", "กระปุก 500 ก.", and what they tell about weight.

A group types one line; the English name of a common unit and the weight of one of it follow from that, so that nobody
has to fill them in.
"""

import re
from typing import Final

from app.language import Bilingual

COMMON: Final = (
    Bilingual("กก.", "kg"),
    Bilingual("ถุง", "bag"),
    Bilingual("ซอง", "sachet"),
    Bilingual("แพ็ค", "pack"),
    Bilingual("กล่อง", "box"),
    Bilingual("ขวด", "bottle"),
    Bilingual("กระปุก", "jar"),
    Bilingual("ชิ้น", "piece"),
    Bilingual("ผืน", "piece"),
    Bilingual("ชุด", "set"),
    Bilingual("กำ", "bunch"),
    Bilingual("หวี", "hand"),
    Bilingual("ลูก", "piece"),
    Bilingual("ฟอง", "egg"),
    Bilingual("แผง", "tray"),
    Bilingual("ต้น", "plant"),
    Bilingual("คู่", "pair"),
    Bilingual("เมตร", "metre"),
    Bilingual("คน", "person"),
    Bilingual("คืน", "night"),
)
"""Those that groups use most, for the list that opens under the field."""

_ENGLISH: Final = {unit.th: unit.en for unit in COMMON} | {"กิโลกรัม": "kg", "กิโล": "kg", "โล": "kg", "แพ็ก": "pack"}
_GRAMS: Final = {"กก": 1000, "กิโลกรัม": 1000, "กิโล": 1000, "โล": 1000, "kg": 1000, "ก": 1, "กรัม": 1, "g": 1, "ขีด": 100}
_ARABIC: Final = str.maketrans("๐๑๒๓๔๕๖๗๘๙", "0123456789")
_WEIGHT: Final = re.compile(
    r"(?P<number>\d+(?:[.,]\d+)?)?\s*(?P<unit>กิโลกรัม|กิโล|กรัม|กก|ก|โล|ขีด|kg|g)\.?(?![\w\u0e00-\u0e7f])", re.IGNORECASE
)

_MEASURES: Final = {"กก": "kg", "กิโลกรัม": "kg", "ก": "g", "กรัม": "g", "มล": "ml", "ลิตร": "l"}
_SIZE: Final = re.compile(rf"(?P<number>\d+(?:\.\d+)?)\s*(?P<measure>{'|'.join(_MEASURES)})\.?")


def english(unit_th: str) -> str | None:
    """Return the English of a unit: "กระปุก 500 ก." is "500 g jar"; None when it is not a common one."""
    head, _, rest = unit_th.strip().translate(_ARABIC).partition(" ")
    name = _ENGLISH.get(head) or _ENGLISH.get(f"{head.rstrip('.')}.")
    if name is None or not rest:
        return name
    size = _SIZE.fullmatch(rest)
    return f"{size['number']} {_MEASURES[size['measure']]} {name}" if size else None


def weight_g(unit_th: str) -> int | None:
    """Return the grams that one of the unit weighs, when its name tells: "กก." is 1000, "ซอง 100 ก." is 100."""
    typed = unit_th.strip().translate(_ARABIC)
    found = next((each for each in _WEIGHT.finditer(typed) if each["number"] or each[0] == typed), None)
    if found is None:
        return None
    number = float((found["number"] or "1").replace(",", "."))
    return round(number * _GRAMS[found["unit"].lower()]) or None
