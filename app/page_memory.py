"""Anonymous pages, remembered for less than a second, compressed once, and answered by ETag.

A page that is the same for every anonymous reader says so (`pages.public_page`).  It is kept for
`PAGE_MEMORY_SECONDS`, counted from before its database was read: so a changed price shows to everyone within one
second on every web process, without any word between processes.  Whoever carries a session or a basket is not
anonymous and always reads afresh: who changed something sees it at the very next request.
"""

import asyncio
import gzip
import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal, NamedTuple

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.pages import PERSONAL_COOKIES, PUBLIC
from app.request_log import NO_ROUTE, story_of

MOST_BYTES = 32 * 1024 * 1024
#: Answers shorter than this travel in one packet anyway.
LEAST_COMPRESSED = 860
COMPRESSED_TYPES = ("text/", "application/json", "application/ld+json", "application/xml", "image/svg+xml")


Way = Literal["plain", "zipped", "unchanged"]


@dataclass(slots=True)
class Answer:
    """A whole answer, ready to be sent again."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    zipped: bytes | None
    etag: str
    fresh_until: float
    route: str
    _heads: dict[Way, list[tuple[bytes, bytes]]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return len(self.body) + len(self.zipped or b"")

    def way(self, asked: "Asked") -> Way:
        """How it goes to who asked: not at all when they have it already, compressed when they can read that."""
        if self.status == HTTPStatus.OK and asked.is_get and self.etag in asked.known_etags:
            return "unchanged"
        return "zipped" if self.zipped is not None and "gzip" in asked.encodings else "plain"

    def head(self, way: Way, *, is_get: bool) -> list[tuple[bytes, bytes]]:
        """Headers of one way, written once however often they are sent."""
        if way not in self._heads:
            self._heads[way] = self._written(way, is_get=is_get)
        return list(self._heads[way])

    def content(self, way: Way) -> bytes:
        return {"plain": self.body, "zipped": self.zipped or b"", "unchanged": b""}[way]

    def _written(self, way: Way, *, is_get: bool) -> list[tuple[bytes, bytes]]:
        headers = MutableHeaders(raw=list(self.headers))
        headers["Vary"] = ", ".join(filter(None, ("Accept-Encoding, Cookie", headers.get("vary"))))
        if self.status == HTTPStatus.OK and is_get:
            headers["ETag"] = self.etag
        if way == "zipped":
            headers["Content-Encoding"] = "gzip"
        if way == "unchanged":
            del headers["Content-Length"]
        else:
            headers["Content-Length"] = str(len(self.content(way)))
        return headers.raw


class Asked(NamedTuple):
    """What of a request decides how it is answered."""

    is_get: bool
    is_personal: bool
    known_etags: str
    encodings: str


class PageMemory:
    def __init__(self, app: ASGIApp, *, seconds: float) -> None:
        self.app = app
        self.seconds = seconds
        self._answers: OrderedDict[bytes, Answer] = OrderedDict()
        self._bytes = 0
        self._asked: dict[bytes, asyncio.Future[Answer | None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = _asked(scope)
        if not asked.is_get or asked.is_personal or not self.seconds:
            await _send(await self._make(scope, receive, send), scope, asked, send)
            return
        key = scope["path"].encode() + b"?" + scope["query_string"]
        answer = self._remembered(key) or await self._make_once(key, scope, receive, send)
        await _send(answer, scope, asked, send)

    def _remembered(self, key: bytes) -> Answer | None:
        answer = self._answers.get(key)
        if answer is None or answer.fresh_until < time.monotonic():
            return None
        self._answers.move_to_end(key)
        return answer

    async def _make_once(self, key: bytes, scope: Scope, receive: Receive, send: Send) -> Answer | None:
        """Many readers of one page at the same moment wait for one rendering."""
        asked = self._asked.get(key)
        if asked is not None:
            shared = await asyncio.shield(asked)
            if shared is not None:
                return shared
            return await self._make(scope, receive, send)
        self._asked[key] = asked = asyncio.get_running_loop().create_future()
        answer: Answer | None = None
        try:
            answer = await self._make(scope, receive, send)
            if answer is not None and not _is_public(answer):
                asked.set_result(None)
            else:
                if answer is not None:
                    self._remember(key, answer)
                asked.set_result(answer)
        finally:
            if not asked.done():
                asked.set_result(None)
            del self._asked[key]
        return answer

    async def _make(self, scope: Scope, receive: Receive, send: Send) -> Answer | None:
        """Let the application answer; an answer worth compressing or remembering is held, others pass straight on."""
        started = time.monotonic()
        held = _Held(send)
        await self.app(_without_pathsend(scope), receive, held.send)
        story = story_of(scope)
        return held.answer(started + self.seconds, story.route if story else NO_ROUTE)

    def _remember(self, key: bytes, answer: Answer) -> None:
        if old := self._answers.pop(key, None):
            self._bytes -= old.size
        self._answers[key] = answer
        self._bytes += answer.size
        while self._bytes > MOST_BYTES:
            _, oldest = self._answers.popitem(last=False)
            self._bytes -= oldest.size


class _Held:
    """Collects an answer of text; anything else (pictures, streams) goes out as it comes."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._chunks: list[bytes] = []

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_text(Headers(raw=message["headers"])):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._chunks.append(message.get("body", b""))

    def answer(self, fresh_until: float, route: str) -> Answer | None:
        if self._start is None:
            return None
        body = b"".join(self._chunks)
        zipped = gzip.compress(body, compresslevel=5, mtime=0) if len(body) >= LEAST_COMPRESSED else None
        own = Headers(raw=self._start["headers"]).get("etag")
        etag = own or f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        return Answer(self._start["status"], self._start["headers"], body, zipped, etag, fresh_until, route)


def _without_pathsend(scope: Scope) -> Scope:
    """A file sent by its path has no body to hold: style sheets would leave empty (granian offers that)."""
    extensions = {name: value for name, value in (scope.get("extensions") or {}).items() if "pathsend" not in name}
    return {**scope, "extensions": extensions}


async def _send(answer: Answer | None, scope: Scope, asked: Asked, send: Send) -> None:
    if answer is None:
        return
    if story := story_of(scope):
        story.route = answer.route
    way = answer.way(asked)
    status = HTTPStatus.NOT_MODIFIED.value if way == "unchanged" else answer.status
    await send({"type": "http.response.start", "status": status, "headers": answer.head(way, is_get=asked.is_get)})
    await send({"type": "http.response.body", "body": answer.content(way)})


def _asked(scope: Scope) -> Asked:
    """Read the headers once: this is done for every answer that is remembered, so it may cost next to nothing."""
    found = {b"cookie": b"", b"if-none-match": b"", b"accept-encoding": b""}
    is_personal = False
    for name, value in scope["headers"]:
        if name in found:
            found[name] += b"; " + value
        elif name == b"authorization":
            is_personal = True
    cookies = found[b"cookie"]
    if cookies:
        is_personal = is_personal or any(name in cookies for name in _PERSONAL)
    return Asked(
        scope["method"] == "GET",
        is_personal,
        found[b"if-none-match"].decode("latin-1"),
        found[b"accept-encoding"].decode("latin-1"),
    )


_PERSONAL = tuple(f"{name}=".encode() for name in PERSONAL_COOKIES)


def _is_public(answer: Answer) -> bool:
    return answer.status == HTTPStatus.OK and Headers(raw=answer.headers).get("cache-control") == PUBLIC


def _is_text(headers: Headers) -> bool:
    kind = headers.get("content-type", "")
    return kind.startswith(COMPRESSED_TYPES) and "content-encoding" not in headers
