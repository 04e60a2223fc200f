"""Places: Thailand's provinces, districts and subdistricts, so that an address is picked instead of spelt.

The areas come from the `geothai` package (77 provinces, 928 districts, 7,436 subdistricts; DOPA codes; data
CC BY 4.0, credit "GeoThai"), read once into memory when first asked: there is no table to seed or to fall behind.
Unknown codes give None.
"""

import re
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from heapq import nlargest
from itertools import islice, takewhile
from typing import Final

from geothai import district, districts, province, provinces, subdistrict, subdistricts
from geothai.types import District, Province, Subdistrict

from app.language import Language

__all__ = [
    "REGIONS",
    "District",
    "Place",
    "Province",
    "Region",
    "Subdistrict",
    "by_postcode",
    "by_tambon_prefix",
    "district",
    "districts",
    "match",
    "nearest_names",
    "place",
    "province",
    "province_by_slug",
    "province_slug",
    "provinces",
    "region_by_id",
    "region_of",
    "subdistrict",
    "subdistricts",
]

BANGKOK: Final = "10"


@dataclass(frozen=True, slots=True)
class Region:
    """One of the network's five regions; `id` stands in URLs."""

    id: str
    name_th: str
    name_en: str
    province_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A subdistrict with all that surrounds it."""

    subdistrict: Subdistrict
    district: District
    province: Province

    @property
    def code(self) -> str:
        """The subdistrict's six-digit DOPA code."""
        return self.subdistrict.code

    @property
    def postcodes(self) -> tuple[str, ...]:
        """Nearly always one; 160 subdistricts share several."""
        return self.subdistrict.postal_codes

    @property
    def region(self) -> Region:
        return region_of(self.province.code)

    def line(self, lang: Language) -> str:
        """Say where it is: "ต.หนองโสน อ.นางรอง จ.บุรีรัมย์", "Nong Sano, Nang Rong, Buri Ram"."""
        if lang == "en":
            return f"{self.subdistrict.name_en}, {self.district.name_en}, {self.province.name_en}"
        if self.province.code == BANGKOK:  # district names of Bangkok already begin with เขต
            return f"แขวง{self.subdistrict.name_th} {self.district.name_th} {self.province.name_th}"
        return f"ต.{self.subdistrict.name_th} อ.{self.district.name_th} จ.{self.province.name_th}"

    def full_line(self, lang: Language, postcode: str | None = None) -> str:
        """As `line` with the postcode: the given one, else the place's own when there is no doubt which."""
        known = postcode or (self.postcodes[0] if len(self.postcodes) == 1 else "")
        return f"{self.line(lang)} {known}".rstrip()


REGIONS: Final = (
    Region(
        "bangkok-metro-east",
        "ภาคกรุงเทพฯ ปริมณฑลและตะวันออก",
        "Bangkok Metropolitan and East",
        ("10", "11", "12", "13", "20", "21", "22", "23", "24", "25", "26", "27", "73", "74"),
    ),
    Region(
        "central-west",
        "ภาคกลางและตะวันตก",
        "Central and West",
        ("14", "15", "16", "17", "18", "19", "70", "71", "72", "75", "76", "77"),
    ),
    Region(
        "north",
        "ภาคเหนือ",
        "North",
        ("50", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "67"),
    ),
    Region("northeast", "ภาคตะวันออกเฉียงเหนือ", "Northeast (Isan)", tuple(str(code) for code in range(30, 50))),
    Region(
        "south",
        "ภาคใต้",
        "South",
        ("80", "81", "82", "83", "84", "85", "86", "90", "91", "92", "93", "94", "95", "96"),
    ),
)
"""The five regions by which CODI (พอช.) reports its work and lists its incubation centres.

CODI's page names the regions and places the eleven centres in them, but does not list provinces.  They follow the
national planning regions whose names CODI joins: Bangkok and vicinity 6 + East 8, Central 6 + West 6, North 17,
Northeast 20, South 14.  All eleven centres, and the 17 provinces of CODI's northern office, agree with that.
"""


def region_by_id(region_id: str) -> Region | None:
    return next((region for region in REGIONS if region.id == region_id), None)


def region_of(province_code: str) -> Region:
    """Return the region of a province; KeyError for a code that is no province."""
    return _region_by_province()[province_code]


def province_slug(area: Province) -> str:
    """Return the province's name in URLs: "buri-ram"."""
    return re.sub(r"[^a-z]+", "-", area.name_en.lower())


def province_by_slug(slug: str) -> Province | None:
    return _province_by_slug().get(slug)


def place(subdistrict_code: str) -> Place | None:
    return _places().get(subdistrict_code)


def by_postcode(text: str) -> list[Place]:
    """Return the places that use a postcode (Thai digits and spaces are fine), in order of their codes."""
    postcode = "".join(str(unicodedata.decimal(char)) for char in text if char.isdecimal())
    return [each for each in _places().values() if postcode in each.postcodes]


def by_tambon_prefix(text: str, limit: int = 20) -> list[Place]:
    """Return places whose subdistrict begins with `text`, Thai or English, exact names first; none for no text."""
    typed = _key(text, _TAMBON)
    if not typed:
        return []
    keys, codes = _tambon_index()
    begun = takewhile(lambda i: keys[i].startswith(typed), range(bisect_left(keys, typed), len(keys)))
    # Two spellings of a name may lead to one place twice.
    return [_places()[code] for code in islice(dict.fromkeys(codes[i] for i in begun), limit)]


def match(tambon: str, amphoe: str = "", province: str = "") -> Place | None:
    """Return the one place that names written by hand fit, or None when none or more than one does.

    Reads Thai and English; ต., ตำบล, แขวง, อ., อำเภอ, เขต, จ., จังหวัด and spaces do not matter; "เมือง" is the
    capital district.  An empty amphoe or province narrows nothing.
    """
    tambon_key, amphoe_key, changwat_key = _key(tambon, _TAMBON), _key(amphoe, _AMPHOE), _key(province, _CHANGWAT)
    found = [
        each
        for each in map(_places().__getitem__, _codes_by_tambon().get(tambon_key, ()))
        if (not amphoe_key or amphoe_key in _amphoe_keys(each.district))
        and (not changwat_key or changwat_key in _changwat_keys(each.province))
    ]
    return found[0] if len(found) == 1 else None


def nearest_names(text: str, n: int = 3) -> list[str]:
    """Return up to `n` province and subdistrict names spelt nearly like `text`, in its script, the nearest first."""
    typed = _key(_key(text[:60], _CHANGWAT), _TAMBON)
    judge = SequenceMatcher(autojunk=False)
    judge.set_seq2(typed)
    names = _names_en() if typed.isascii() else _names_th()
    close = ((likeness, name) for key, name in names.items() if (likeness := _likeness(judge, key)) >= _ALIKE)
    return [name for _, name in nlargest(n, close, key=lambda found: found[0])]


_ALIKE: Final = 0.6
_TAMBON: Final = re.compile(r"^(?:ตำบล|แขวง|ต[.\s]|(?:tambon|khwaeng)\s)|\ssub-?district$")
_AMPHOE: Final = re.compile(r"^(?:กิ่งอำเภอ|อำเภอ|เขต|อ[.\s]|(?:amphoe|khet)\s)|\sdistrict$")
_CHANGWAT: Final = re.compile(r"^(?:จังหวัด|จ[.\s]|changwat\s)|\sprovince$")
_BETWEEN: Final = re.compile(r"[\s.'’()-]")
_ALIASES: Final = {
    "10": {"กทม", "กรุงเทพ", "กรุงเทพฯ", "krungthep"},
    "14": {"อยุธยา", "ayutthaya"},
    "30": {"โคราช", "korat"},
}


def _key(text: str, level: re.Pattern[str]) -> str:
    """A name in the one form in which names are compared: without the level's word, spaces, marks and capitals."""
    folded = unicodedata.normalize("NFC", text).casefold().strip()
    # What looks right on a screen is typed in several ways: sara ae as two sara e, sara am as its two parts.
    folded = re.sub("ํ([่้๊๋]?)า", r"\1ำ", folded.replace("เเ", "แ"))
    return _BETWEEN.sub("", level.sub("", folded))


@cache
def _places() -> dict[str, Place]:
    return {
        each.code: Place(each, within, around)
        for around in provinces()
        for within in districts(around.code)
        for each in subdistricts(within.code)
    }


@cache
def _region_by_province() -> dict[str, Region]:
    return {code: region for region in REGIONS for code in region.province_codes}


@cache
def _province_by_slug() -> dict[str, Province]:
    return {province_slug(each): each for each in provinces()}


def _tambon_keys(each: Subdistrict) -> set[str]:
    # One official name carries a second spelling: "ปอภาร (ปอพาน)".
    names = {each.name_th, each.name_en, *re.split(r"[()]", each.name_th)}
    return {key for name in names if (key := _key(name, _TAMBON))}


@cache
def _amphoe_keys(each: District) -> set[str]:
    is_capital = each.code.endswith("01") and each.province_code != BANGKOK
    names = {each.name_th, each.name_en} | ({"เมือง", "Mueang", "Muang"} if is_capital else set())
    return {_key(name, _AMPHOE) for name in names}


@cache
def _changwat_keys(each: Province) -> set[str]:
    return {_key(name, _CHANGWAT) for name in (each.name_th, each.name_en)} | _ALIASES.get(each.code, set())


@cache
def _codes_by_tambon() -> dict[str, list[str]]:
    codes: dict[str, list[str]] = {}
    for each in _places().values():
        for key in _tambon_keys(each.subdistrict):
            codes.setdefault(key, []).append(each.code)
    return codes


@cache
def _tambon_index() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Keys in order, and beside them the codes they lead to."""
    entries = sorted((key, code) for key, codes in _codes_by_tambon().items() for code in codes)
    return tuple(key for key, _ in entries), tuple(code for _, code in entries)


@cache
def _names_th() -> dict[str, str]:
    names = [each.name_th for each in provinces()] + [each.subdistrict.name_th for each in _places().values()]
    return {_key(name, _TAMBON): name for name in names}


@cache
def _names_en() -> dict[str, str]:
    names = [each.name_en for each in provinces()] + [each.subdistrict.name_en for each in _places().values()]
    return {_key(name, _TAMBON): name for name in names}


def _likeness(judge: SequenceMatcher[str], key: str) -> float:
    """From 0 to 1; the cheap upper bounds go first, as thousands of names are judged."""
    judge.set_seq1(key)
    if judge.real_quick_ratio() < _ALIKE or judge.quick_ratio() < _ALIKE:
        return 0
    return judge.ratio()
