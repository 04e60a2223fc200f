"""No text is left untranslated: every message id has its Thai, and templates hold no bare words."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from app.language import ROOMS, ROOT, catalogue_files, is_translated, wording

METHODS = [
    ("**.py", "python"),
    ("**/templates/**.html", "jinja2.ext.babel_extract"),
    ("**.txt", "jinja2.ext.babel_extract"),
]
KEYWORDS = {"_": None, "N_": None, "said": None, "gettext": None, "ngettext": (1, 2), "ntranslate": (2, 3)}
OPTIONS = {"**/templates/**.html": {"extensions": "jinja2.ext.do", "silent": "false"}}
PLACEHOLDER = re.compile(r"%\((\w+)\)")

#: Text that is the same in both languages, or names a language in that language.
SAME_IN_BOTH = {"ไทย", "EN", "PromptPay", "QR", "LINE", "Facebook", "GeoThai", "MapSVG", "OTOP"}
#: Whole pages written once per language, side by side.
PER_LANGUAGE = re.compile(r"\.(th|en)\.(html|txt)$")


def message_ids(room: str) -> Iterator[tuple[str, str]]:
    for path, line, found, _, _ in extract_from_dir(
        str(ROOT / room), METHODS, OPTIONS, keywords=KEYWORDS, comment_tags=()
    ):
        yield f"{room}/{path}:{line}", found if isinstance(found, str) else str(found[0])


def templates() -> list[Path]:
    return sorted(path for room in ROOMS for path in (ROOT / room / "templates").rglob("*.html"))


@pytest.mark.parametrize("room", ROOMS)
def test_every_message_has_its_thai(room: str) -> None:
    missing = [f"{where} {message!r}" for where, message in message_ids(room) if not is_translated(message)]
    assert missing == []


@pytest.mark.parametrize("path", catalogue_files(), ids=lambda path: path.parts[-5])
def test_thai_and_english_speak_of_the_same_things(path: Path) -> None:
    with path.open("rb") as file:
        pairs = [(_last(entry.id), _last(entry.string)) for entry in read_po(file, locale="th") if entry.id]
    assert [pair for pair in pairs if set(PLACEHOLDER.findall(pair[0])) != set(PLACEHOLDER.findall(pair[1]))] == []


def _last(text: str | list[str] | tuple[str, ...] | None) -> str:
    """Of a counted message the form for many."""
    return text if isinstance(text, str) else (text or ("",))[-1]


@pytest.mark.parametrize("path", templates(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_holds_no_bare_words(path: Path) -> None:
    if PER_LANGUAGE.search(path.name):
        return
    source = path.read_text("utf8")
    source = re.sub(r"{#.*?#}|{%-?\s*trans.*?endtrans\s*-?%}|{%.*?%}|{{.*?}}", " ", source, flags=re.DOTALL)
    source = re.sub(r"<!--.*?-->|<(style|script)\b.*?</\1>|<[^>]*>", " ", source, flags=re.DOTALL)
    words = set(re.findall(r"[A-Za-z\u0E00-\u0E7F]{2,}", re.sub(r"&\w+;", " ", source)))
    assert words - SAME_IN_BOTH == set()


def test_a_message_without_thai_would_be_noticed() -> None:
    assert not is_translated("A sentence that nobody has translated.")
    assert wording("th", "A sentence that nobody has translated.") == "A sentence that nobody has translated."
