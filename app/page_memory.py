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
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.pages import PERSONAL_COOKIES, PUBLIC
from app.request_log import NO_ROUTE, story_of

MOST_BYTES = 32 * 1024 * 1024
#: Answers shorter than this travel in one packet anyway.
LEAST_COMPRESSED = 860
COMPRESSED_TYPES = ("text/", "application/json", "application/ld+json", "application/xml", "image/svg+xml")


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

    @property
    def size(self) -> int:
        return len(self.body) + len(self.zipped or b"")


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
        headers = Headers(scope=scope)
        if scope["method"] != "GET" or _is_personal(headers):
            await _send(await self._make(scope, receive, send), scope, headers, send)
            return
        key = scope["path"].encode() + b"?" + scope["query_string"]
        answer = self._remembered(key) or await self._make_once(key, scope, receive, send)
        await _send(answer, scope, headers, send)

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
        etag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        return Answer(self._start["status"], self._start["headers"], body, zipped, etag, fresh_until, route)


def _without_pathsend(scope: Scope) -> Scope:
    """A file sent by its path has no body to hold: style sheets would leave empty (granian offers that)."""
    extensions = {name: value for name, value in (scope.get("extensions") or {}).items() if "pathsend" not in name}
    return {**scope, "extensions": extensions}


async def _send(answer: Answer | None, scope: Scope, asked: Headers, send: Send) -> None:
    if answer is None:
        return
    if story := story_of(scope):
        story.route = answer.route
    message: Message = {"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)}
    headers = MutableHeaders(scope=message)
    headers["Vary"] = ", ".join(filter(None, ("Accept-Encoding, Cookie", headers.get("vary"))))
    body = answer.body
    if answer.status == HTTPStatus.OK and scope["method"] == "GET":
        headers["ETag"] = answer.etag
        if answer.etag in asked.get("if-none-match", ""):
            message["status"], body = HTTPStatus.NOT_MODIFIED.value, b""
    if body and answer.zipped is not None and "gzip" in asked.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = answer.zipped
    if message["status"] == HTTPStatus.NOT_MODIFIED:
        del headers["Content-Length"]
    else:
        headers["Content-Length"] = str(len(body))
    await send(message)
    await send({"type": "http.response.body", "body": body})


def _is_personal(headers: Headers) -> bool:
    cookies = headers.get("cookie", "")
    return any(f"{name}=" in cookies for name in PERSONAL_COOKIES) or "authorization" in headers


def _is_public(answer: Answer) -> bool:
    return answer.status == HTTPStatus.OK and Headers(raw=answer.headers).get("cache-control") == PUBLIC


def _is_text(headers: Headers) -> bool:
    kind = headers.get("content-type", "")
    return kind.startswith(COMPRESSED_TYPES) and "content-encoding" not in headers
