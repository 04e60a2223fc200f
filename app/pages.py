"""Pages: templates of every room in the reader's language, links, and short messages that survive a redirect.

There is one Jinja environment for Thai and one for English, so that words, money, dates and links inside macros are
always in the reader's language.  A page that is the same for every anonymous reader is made with `public_page`.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.routing import BaseRoute

from app import clock, cookies, money
from app.access import Scope
from app.language import LANGUAGES, ROOMS, ROOT, Bilingual, Language, Message, wording
from app.settings import settings

STATIC = ROOT / "app/static"
PUBLIC = "public, max-age=0, must-revalidate"
PRIVATE = "private, no-cache"
#: A request that carries one of these is not anonymous: its pages are its own.
PERSONAL_COOKIES = ("session", "basket", "flash")


def page(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """Render `template` for this reader; what it shows is theirs and is not kept by caches."""
    request.state.status = status
    pages: Pages = request.app.state.pages
    html = pages.render(template, language_of(request), {**_surroundings(request), "status": status, **context})
    response = HTMLResponse(html, status_code=status, headers={"Cache-Control": PRIVATE})
    if cookies.read(request, "flash"):
        cookies.drop(response, "flash")
    return response


def public_page(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """Render a page that looks the same to every anonymous reader: it may be remembered and asked for by ETag."""
    response = page(request, template, status, **context)
    if is_anonymous(request) and status == HTTPStatus.OK:
        response.headers["Cache-Control"] = PUBLIC
    return response


def see_other(request: Request, name: str, *, flash: Message | None = None, **params: Any) -> RedirectResponse:
    """Send the reader on to a named page after a form was taken (303), perhaps with a message to show there."""
    return go(request, url(request, name, **params), flash=flash)


def go(request: Request, path: str, *, flash: Message | None = None) -> RedirectResponse:
    """As `see_other`, to a path of our own; any other address leads to the home page instead."""
    response = RedirectResponse(path if is_own_path(path) else url(request, "home"), status_code=303)
    request.state.status = response.status_code
    if flash:
        remember_flash(response, flash)
    return response


def said(message: str, **params: Any) -> Message:
    """A message for `see_other(flash=…)`."""
    return Message(message, params)


def remember_flash(response: Response, message: Message) -> None:
    kept = json.dumps([message.id, dict(message.params)], default=str)
    cookies.keep(response, "flash", base64.urlsafe_b64encode(kept.encode()).decode(), timedelta(minutes=1))


def url(request: Request, name: str, **params: Any) -> str:
    """Path of a named page in the reader's language; parameters that the path does not take become its query."""
    pages: Pages = request.app.state.pages
    return pages.url(language_of(request), name, **params)


def language_of(request: Request) -> Language:
    lang: Language = getattr(request.state, "lang", "th")
    return lang


def scope_here(request: Request) -> Scope:
    scope: Scope = getattr(request.state, "scope", None) or Scope()
    return scope


def is_anonymous(request: Request) -> bool:
    return not any(cookies.read(request, name) for name in PERSONAL_COOKIES)


def is_own_path(path: str) -> bool:
    """True for a path on this market; false for anything a browser could read as another site (open redirects)."""
    return path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()


def in_language(path: str, lang: Language) -> str:
    """Thai lives at `/…`, English at `/en/…`."""
    return f"/en{path}" if lang == "en" else path


class Pages:
    """The two environments and the routes that links are made from; the application makes one at start."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._paths = _paths_by_name(routes)
        self._environments = {lang: _environment(lang, partial(self.url, lang)) for lang in LANGUAGES}

    def render(self, template: str, lang: Language, context: Mapping[str, Any]) -> str:
        return self._environments[lang].get_template(template).render(context)

    def url(self, lang: Language, name: str, **params: Any) -> str:
        path = self._paths[name]
        given = {key: value for key, value in params.items() if value is not None}
        for key in [key for key in given if f"{{{key}}}" in path or f"{{{key}:path}}" in path]:
            value = quote(str(given.pop(key)), safe="/" if f"{{{key}:path}}" in path else "")
            path = path.replace(f"{{{key}:path}}", value).replace(f"{{{key}}}", value)
        query = f"?{urlencode(given, doseq=True)}" if given else ""
        return in_language(path, lang) + query


def static(path: str) -> str:
    """Address of a file in app/static, with a fingerprint so that browsers may keep it for ever."""
    return f"/static/{path}?v={_fingerprint(STATIC / path)}"


def _environment(lang: Language, link: Callable[..., str]) -> Environment:
    folders = [ROOT / room / "templates" for room in ROOMS]
    environment = Environment(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        finalize=partial(_read_aloud, lang),
        auto_reload=False,
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        partial(wording, lang), partial(_ngettext, lang), newstyle=True
    )
    environment.globals |= {
        "lang": lang,
        "url": link,
        "static": static,
        "text": partial(_text, lang),
        "plain": partial(_plain, lang),
        "settings": settings(),
        "today": clock.business_day,
        "now": clock.now,
    }
    environment.filters |= {
        "baht": partial(_baht, lang),
        "baht_exact": partial(_baht, lang, exact=True),
        "thai_date": partial(_date, lang),
        "thai_datetime": partial(_datetime, lang),
        "month_label": lambda day: clock.month_label(day, lang),
        "quantity": quantity,
        "words": lambda value: str(_read_aloud(lang, value)),
    }
    return environment


def quantity(milli: int) -> str:
    """Write thousandths of a unit as people do: 500 is "0.5", 2000 is "2"."""
    whole, rest = divmod(milli, 1000)
    return f"{whole:,}" if not rest else f"{whole:,}.{rest:03}".rstrip("0")


def _surroundings(request: Request) -> dict[str, Any]:
    lang = language_of(request)
    path = request.scope["path"]
    other: Language = "en" if lang == "th" else "th"
    query = f"?{asked}" if (asked := request.scope["query_string"].decode("latin-1")) else ""
    scope = scope_here(request)
    address = settings().address
    return {
        "request": request,
        "scope": scope,
        "me": scope.person,
        "basket_count": getattr(request.state, "basket_count", 0),
        "flashes": _flashes(request),
        "other_lang": other,
        "other_lang_url": in_language(path, other) + query,
        "here": in_language(path, lang) + query,
        "canonical_url": address + in_language(path, lang),
        "alternates": {language: address + in_language(path, language) for language in LANGUAGES},
    }


def _flashes(request: Request) -> list[Message]:
    try:
        message, params = json.loads(base64.urlsafe_b64decode(cookies.read(request, "flash") or ""))
        said = Message(str(message), dict(params))
        said.reading(language_of(request))  # a cookie is the reader's to change: it must not break the page
    except (ValueError, TypeError, KeyError):
        return []
    return [said]


def _read_aloud(lang: Language, value: Any) -> Any:
    return value.reading(lang) if isinstance(value, Message | Bilingual) else value


def _ngettext(lang: Language, singular: str, plural: str, n: int) -> str:
    return wording(lang, singular if lang == "th" or n == 1 else plural)


def _text(lang: Language, thing: Any, name: str) -> Markup:
    """What people wrote, in the reader's language; the other language is marked as such when that is all there is."""
    thai, english = getattr(thing, f"{name}_th"), getattr(thing, f"{name}_en", None)
    if lang == "th" or english:
        return escape(english if lang == "en" else thai or "")
    return Markup('<span lang="th">{}</span>').format(thai) if thai else Markup("")


def _plain(lang: Language, thing: Any, name: str) -> str:
    """As `text`, without mark-up: for titles and attributes."""
    return Bilingual(getattr(thing, f"{name}_th") or "", getattr(thing, f"{name}_en", None)).reading(lang)


def _baht(lang: Language, satang: int, *, exact: bool = False) -> str:
    return money.baht(money.Satang(satang), lang, exact=exact)


def _date(lang: Language, day: Any, style: Any = "medium") -> str:
    return clock.thai_date(day, lang, style)


def _datetime(lang: Language, at: Any, style: Any = "medium") -> str:
    return clock.thai_datetime(at, lang, style)


def _paths_by_name(routes: Iterable[BaseRoute]) -> dict[str, str]:
    """A name leads to one place; two places under one name are a mistake, told at start."""
    paths: dict[str, str] = {}
    for route in routes:
        name, path = getattr(route, "name", None), getattr(route, "path", None)
        if name and path and paths.setdefault(name, path) != path:
            raise ValueError(f"two places are named {name}: {paths[name]} and {path}")
    return paths


@cache
def _fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]
