"""Words people read: English message ids in the code, Thai in each room's catalogue.

Thai is the market's first language, so every message id must have a Thai text (a test holds that);
English is the message id itself.  The `.po` files are read at start: there is no compile step to forget.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

from babel.messages.pofile import read_po

Language = Literal["th", "en"]
LANGUAGES: tuple[Language, ...] = ("th", "en")
ROOMS = ("app", "producers", "catalog", "orders", "incubation_centers")
ROOT = Path(__file__).resolve().parent.parent


def N_(message: str) -> str:
    """Mark `message` for translation; it is translated where it is shown, in the reader's language."""
    return message


@dataclass(frozen=True, slots=True)
class Bilingual:
    """A name that people wrote themselves, in Thai and perhaps in English."""

    th: str
    en: str | None = None

    def reading(self, lang: Language) -> str:
        return self.en if lang == "en" and self.en else self.th


class Named(StrEnum):
    """A fixed choice whose members say their names: `production = "production", "การผลิต", "Production"`."""

    name_th: str
    name_en: str

    def __new__(cls, value: str, name_th: str = "", name_en: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.name_th, member.name_en = name_th, name_en
        return member


@dataclass(frozen=True, slots=True)
class Message:
    """A message id with its parameters, kept untranslated until somebody reads it."""

    id: str
    params: Mapping[str, Any]

    def reading(self, lang: Language) -> str:
        return translate(lang, self.id, **self.params)


def translate(lang: Language, message: str, **params: Any) -> str:
    """Return `message` in `lang`, with `%(name)s` parameters filled in (parameters may be bilingual themselves)."""
    return wording(lang, message) % _spoken(lang, params)


def wording(lang: Language, message: str) -> str:
    """Return the text with its `%(name)s` still to be filled in."""
    return _thai().get(message, message) if lang == "th" else message


def ntranslate(lang: Language, singular: str, plural: str, n: int, **params: Any) -> str:
    """As `translate`, for counted things: Thai has one form (under the singular id), English two."""
    message = singular if lang == "th" or n == 1 else plural
    return translate(lang, message, n=n, **params)


def is_translated(message: str) -> bool:
    return message in _thai()


def catalogue_files() -> list[Path]:
    return [path for room in ROOMS if (path := ROOT / room / "locales/th/LC_MESSAGES/messages.po").exists()]


def _spoken(lang: Language, params: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.reading(lang) if isinstance(value, Bilingual | Message) else value for name, value in params.items()
    }


@cache
def _thai() -> dict[str, str]:
    texts: dict[str, str] = {}
    for path in catalogue_files():
        with path.open("rb") as file:
            for entry in read_po(file, locale="th"):
                singular, thai = _first(entry.id), _first(entry.string)
                if singular and thai:
                    texts[singular] = thai
    return texts


def _first(text: str | list[str] | tuple[str, ...] | None) -> str:
    """Of a counted message, the only form that Thai has."""
    return text if isinstance(text, str) else (text or ("",))[0]
