"""What every request passes before it reaches a page: language, size, origin; and what every answer carries.

Plain ASGI, outside the framework's routing, so that it costs next to nothing.
"""

import re
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.language import N_, Language, translate

MOST_BYTES = 64 * 1024 * 1024
"""A form with three pictures at their limit."""

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)


NOWHERE = "/%00"
"""Where a path with a NUL leads: no text in the database can hold one, so nothing can be there."""


_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:]+\](:[0-9]{1,5})?")


class TooManyBytesError(Exception):
    """The body went on after its announced or allowed size."""


class OneHost:
    """The market has one address, whatever the asker calls it: no link, page or redirect is made from a forged `Host`.

    Without `PUBLIC_URL` (a market at home is called by several names) any name that can be one is taken as it is.
    """

    def __init__(self, app: ASGIApp, *, address: str | None) -> None:
        self.app = app
        self.parts = urlsplit(address) if address else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if self.parts:
                scope = {**_with_host(scope, self.parts.netloc), "scheme": self.parts.scheme}
            elif not _HOST.fullmatch(Headers(scope=scope).get("host", "localhost")):
                scope = _with_host(scope, "localhost")
        await self.app(scope, receive, send)


class LanguagePrefix:
    """`/en/…` is the English market: the prefix is taken off here, so that routes are written once.

    No path begins with two slashes from here on: written into a link, it would be the name of another host.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            lang: Language = "th"
            path: str = scope["path"]
            if path == "/en" or path.startswith("/en/"):
                lang, path = "en", path[3:] or "/"
            if path[1:2] in {"/", "\\"}:
                path = "/" + path.lstrip("/\\")
            if "\x00" in path:
                path = f"/api{NOWHERE}" if path.startswith("/api/") else NOWHERE
            if path != scope["path"]:
                scope = {**scope, "path": path, "raw_path": path.encode()}
            scope.setdefault("state", {})
            scope["state"] = {**scope["state"], "lang": lang}
        await self.app(scope, receive, send)


class HeadAsGet:
    """Link previews and watchmen ask with HEAD: they get what GET would say, without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self.app({**scope, "method": "GET"}, receive, send_without_body)


class OwnOrigin:
    """Changing requests come from our own pages (protection against cross-site request forgery).

    Browsers say where a request comes from in `Sec-Fetch-Site`, older ones in `Origin`; a forged form can change
    neither.  Programs send neither and carry no cookies that a browser would add for them.  `address`: ours, for
    proxies that tell us another host than the browser's.
    """

    def __init__(self, app: ASGIApp, *, address: str | None = None) -> None:
        self.app = app
        self.host = urlsplit(address).netloc if address else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_changing = scope["type"] == "http" and scope["method"] not in {"GET", "HEAD", "OPTIONS"}
        if is_changing and _is_foreign(scope, self.host):
            answer = _plain(scope, HTTPStatus.FORBIDDEN, N_("This form came from another site, so we did not take it."))
            await answer(scope, receive, send)
            return
        await self.app(scope, receive, send)


class BodyLimit:
    """A body larger than any honest form is refused before it is kept anywhere."""

    def __init__(self, app: ASGIApp, most: int = MOST_BYTES) -> None:
        self.app = app
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        too_large = _plain(
            scope,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            N_("That is too much at once. Please send fewer or smaller files: up to 20 MB each."),
        )
        if announced.isdigit() and int(announced) > self.most:
            await too_large(scope, receive, send)
            return
        try:
            await self.app(scope, _counted(receive, self.most), send)
        except TooManyBytesError:
            await too_large(scope, receive, send)


class SafeHeaders:
    """Headers that keep a page from being framed, sniffed or fed foreign script.

    `pays_at` is the origin of the payment page, if there is one: browsers hold `form-action` against redirects, too.
    """

    def __init__(self, app: ASGIApp, *, is_https: bool, pays_at: str | None = None) -> None:
        self.app = app
        targets = f"'self' {pays_at}" if pays_at else "'self'"
        self.headers = {
            "Content-Security-Policy": f"{CONTENT_SECURITY_POLICY}; form-action {targets}",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "strict-origin-when-cross-origin",
            "X-Frame-Options": "DENY",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "X-Permitted-Cross-Domain-Policies": "none",
            "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
        }
        if is_https:
            self.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_safely if scope["type"] == "http" else send)


def _is_foreign(scope: Scope, own_host: str | None) -> bool:
    headers = Headers(scope=scope)
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc not in {headers.get("host", ""), own_host}


def _with_host(scope: Scope, host: str) -> Scope:
    others = [(name, value) for name, value in scope["headers"] if name != b"host"]
    return {**scope, "headers": [*others, (b"host", host.encode())]}


def _counted(receive: Receive, most: int) -> Receive:
    seen = 0

    async def receive_counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise TooManyBytesError
        return message

    return receive_counted


def _plain(scope: Scope, status: HTTPStatus, message: str) -> PlainTextResponse:
    lang: Language = Request(scope).scope.get("state", {}).get("lang", "th")
    return PlainTextResponse(translate(lang, message), status_code=status)
